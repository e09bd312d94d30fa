"""selinux(8): whether a host enforces the targeted policy, and what its administrator added to it, as far as files tell."""

from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.numbers import decimal
from portwright.ports import PortSet, union
from portwright.source import Span
from portwright.system.host_files.captures import captured
from portwright.trees import Files

_CONFIG = "/etc/selinux/config"
# semanage(8) keeps what it was told here; before its store moved, in /etc.
_STORES = ("/var/lib/selinux/targeted/active", "/etc/selinux/targeted/active", "/etc/selinux/targeted/modules/active")
_OWN_MODULES = "modules/400"  # the priority of `semodule -i`
_PERMISSIVE = "permissive_"
_OFF = ("selinux=0", "enforcing=0")


@dataclass(frozen=True, slots=True)
class Enforced:
    """The targeted policy is enforced: the line that says so, and what was added to it.

    `ports` are TCP ports by type, `booleans` those that were switched on, `permissive` the domains that are only watched. `modules`: some
    of the host's own are loaded, which may permit anything. `known`: what was added is in the copy.
    """

    at: Span
    ports: tuple[tuple[str, PortSet], ...] = ()
    booleans: frozenset[str] = frozenset()
    permissive: frozenset[str] = frozenset()
    modules: bool = False
    known: bool = True


def is_switched_off(files: Files) -> bool:
    """Whether no policy is loaded: the file that names one is not there, or says so."""
    if files.kind(_CONFIG) != "file":
        return not files.partial and files.kind(_CONFIG) == "missing" and files.once(captured).selinux is None
    source = files.read(_CONFIG)
    lines = () if source is None else (line.partition("=") for line in source.text.split("\n"))
    return any(key.strip() == "SELINUX" and value.strip() == "disabled" for key, _, value in lines)


def enforced(files: Files) -> Enforced | None:
    """None where SELinux is off, permissive, or has another policy than the targeted one."""
    known = files.once(captured)
    source = files.read(_CONFIG) if files.kind(_CONFIG) == "file" else None
    if any(word.text in _OFF for word in known.cmdline or ()):
        return None
    if source is None:  # what is so now says what will be, where no file does
        return Enforced(known.selinux.at, known=False) if known.selinux is not None and known.selinux.text == "enforcing" else None
    said: dict[str, tuple[str, Span]] = {}
    offset = 0
    for line in source.text.split("\n"):
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            said[key.strip()] = (value.strip().strip("\"'").lower(), source.span(offset, offset + len(line)))
        offset += len(line) + 1
    mode, at = said.get("SELINUX", ("", Span.whole(source.path)))
    if mode != "enforcing" or said.get("SELINUXTYPE", ("targeted", at))[0] != "targeted":
        return None
    modules = {name for store in _STORES for name in files.names(f"{store}/{_OWN_MODULES}")}
    permissive = {name.removeprefix(_PERMISSIVE) for name in modules if name.startswith(_PERMISSIVE)}
    own = len(modules) > len(permissive)
    return Enforced(at, tuple(_ports(files)), frozenset(_booleans(files)), frozenset(permissive), own, _is_known(files))


def _is_known(files: Files) -> bool:
    return any(files.names(store) for store in _STORES)


def _lines(name: str, files: Files) -> Iterator[list[str]]:
    for store in _STORES:
        path = f"{store}/{name}"
        source = files.read(path) if files.kind(path) == "file" else None
        for line in () if source is None else source.text.split("\n"):
            yield line.partition("#")[0].split()


def _ports(files: Files) -> Iterator[tuple[str, PortSet]]:
    """`portcon tcp 2849 system_u:object_r:ssh_port_t:s0`."""
    found: dict[str, list[PortSet]] = {}
    for words in _lines("ports.local", files):
        if words[:2] == ["portcon", "tcp"] and len(words) > 3 and words[3].count(":") > 1:
            low, _, high = words[2].partition("-")
            ends = decimal(low, 65535), decimal(high or low, 65535)
            if ends[0] and ends[1] and ends[0] <= ends[1]:
                found.setdefault(words[3].split(":")[2], []).append(PortSet.of((ends[0], ends[1])))
    for name, sets in found.items():
        yield name, union(sets)


def _booleans(files: Files) -> Iterator[str]:
    """`haproxy_connect_any=1`."""
    for words in _lines("booleans.local", files):
        name, equals, value = "".join(words).partition("=")
        if equals and value in ("1", "on", "true"):
            yield name
