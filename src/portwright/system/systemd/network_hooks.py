"""Kernel settings that hooks of the network write when an interface comes up: ifupdown's, NetworkManager's and networkd-dispatcher's."""

from collections.abc import Iterator, Mapping
from functools import partial

from portwright._start.records import replace
from portwright.source import Span, Word
from portwright.system.spanned_text import UNKNOWN
from portwright.system.started import SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.system.systemd.units import Units
from portwright.trees import Files

_INTERFACES = "/etc/network/interfaces"
# The service, the folders of its hooks, and the arguments it gives them: the interface, and what happens to it.
_HOOKS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("networking.service", ("/etc/network/if-pre-up.d", "/etc/network/if-up.d"), ()),
    (
        "NetworkManager.service",
        ("/etc/NetworkManager/dispatcher.d/pre-up.d", "/etc/NetworkManager/dispatcher.d", "/usr/lib/NetworkManager/dispatcher.d"),
        (UNKNOWN, "up"),
    ),
    ("networkd-dispatcher.service", ("/etc/networkd-dispatcher/configured.d", "/etc/networkd-dispatcher/routable.d"), ()),
)
_UP = ("up", "post-up", "pre-up")
_MOST_SCRIPTS = 200


def hook_writes(units: Units, files: Files) -> Iterator[SysctlWrite]:
    """What the hooks write of the services that a boot starts."""
    for service, folders, arguments in _HOOKS:
        unit = units.get(service)
        if unit is None or unit.starts != "boot":
            continue
        for folder in folders:
            for name in _hooks(folder, files):
                path = f"{folder}/{name}"
                # run-parts(8) of ifupdown takes no name with a dot in it.
                if files.kind(path) != "file" or (not arguments and "if-" in folder and "." in name):
                    continue
                at = Span.whole(files.tree.label(path))
                yield from writes_of(path, [path, *arguments], at, service, files, partial(_environment, at))
        if service == "networking.service":
            yield from _in_interfaces(service, files)


def _hooks(folder: str, files: Files) -> Iterator[str]:
    return files.limited(files.names(folder), _MOST_SCRIPTS, "hooks of the network", lambda name: Span.whole(files.tree.label(folder)))


def _environment(at: Span, _text: str) -> Mapping[str, Word]:
    """What a hook is told by variables; which interface it is nobody says."""
    return {"MODE": Word("start", at), "PHASE": Word("post-up", at), "IFACE": Word(UNKNOWN, at), "DEVICE_IFACE": Word(UNKNOWN, at)}


def _in_interfaces(service: str, files: Files) -> Iterator[SysctlWrite]:
    """`up COMMAND` of interfaces(5). Whether its interface is brought up at boot is not asked: what commands write is possible at most."""
    for path in (_INTERFACES, *(f"{_INTERFACES}.d/{name}" for name in _hooks(f"{_INTERFACES}.d", files))):
        source = files.read(path) if files.kind(path) == "file" else None
        position = 0
        for line in () if source is None else source.text.split("\n"):
            words = line.split(None, 1)
            if source is not None and len(words) == 2 and words[0] in _UP:
                start = position + line.index(words[1])
                at = source.span(start, start + len(words[1].rstrip()))
                writes = writes_of("/bin/sh", ["/bin/sh", "-c", words[1]], at, service, files, lambda text: {})
                yield from (replace(write, at=at) for write in writes)
            position += len(line) + 1
