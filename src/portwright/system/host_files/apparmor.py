"""apparmor.d(5): the profile that confines a program, and whether it may bind a privileged port under it, as far as files tell."""

import re
from collections.abc import Iterator
from itertools import islice

from portwright._start.records import dataclass
from portwright.source import Source, Span
from portwright.system.host_files.captures import captured
from portwright.trees import Files

_PROFILES = "/etc/apparmor.d"
_LOADED = ("/etc/systemd/system/sysinit.target.wants/apparmor.service", "/etc/runlevels/boot/apparmor", "/etc/runlevels/default/apparmor")
_OFF = ("apparmor=0", "security=selinux", "security=none")
_NEEDED = "net_bind_service"
_GRANTS_NOTHING = "abstractions/base"
_BINARIES = {"@{bin}": ("/{,usr/}{,s}bin",), "@{sbin}": ("/{,usr/}{,s}bin",), "@{lib}": ("/{,usr/}lib{,exec,32,64}",)}
_SNAPS = "/var/lib/snapd/apparmor/profiles"
_MADE_LATER = ("snap.", "docker-", "lxc-", "libvirt-", "cri-", "crio-", "containers-")
_MOST_SEARCHED = 256
_DEEPEST, _MOST_FILES, _MOST_PROFILES, _LONGEST, _MOST_STARS, _MOST_SPELLINGS = 8, 64, 64, 300, 3, 64
_INCLUDE = re.compile(r'#?include\s+(if\s+exists\s+)?(?:<([^>]+)>|"([^"]+)")')
_CAPABILITY = re.compile(r"(?:^|[{,])\s*((?:(?:audit|allow|deny|quiet)\s+)*)(capability|all)(?=[\s,])([\w\s]*),")
_NETWORK = re.compile(r"(?:^|[{,])\s*((?:(?:audit|allow|deny|quiet)\s+)*)network((?:\s[^,]*)?),")
_FAMILIES = {"inet": ("inet",), "inet6": ("inet6",)}
_TYPES = {"stream": "tcp", "tcp": "tcp", "dgram": "udp", "udp": "udp"}
_FLAGS = re.compile(r"(?:flags\s*=\s*|(?<=\s))\(([^()]*)\)")
_VARIABLE = re.compile(r"(@\{\w+\})\s*(\+?)=\s*(.*)")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile in force: the program it is for, in the words of its header, and whether it leaves CAP_NET_BIND_SERVICE to it.

    `denies`: a rule of it takes the capability away, whatever others grant. `networks` are those whose sockets it denies, by family and
    protocol (`inet`, `tcp`).
    """

    name: str
    at: Span
    may_bind: bool
    denies: bool
    networks: frozenset[tuple[str, str]] = frozenset()


def confining(program: str, files: Files, named: str = "") -> Profile | None:
    """The enforced profile of a program; None where there is none, AppArmor is off, or what the profile includes is not in the tree.

    `named` is what AppArmorProfile= says: the profile of that name then, whatever programs it is for.
    """
    if not files.once(_is_loaded):
        return None
    paths = tuple(dict.fromkeys((program, files.resolve(program))))
    # A file is named after the path or the program it confines, or after its profile.
    base = named or program.rpartition("/")[2]
    found: list[tuple[int, Profile | None]] = []
    entries = [each for each in files.names(_PROFILES) if base in each and not each.startswith(".")]
    for entry in entries[:_MOST_FILES]:
        if files.kind(f"{_PROFILES}/{entry}") == "file":
            found += _matching(entry, paths, files, named)
    return max(found, key=lambda each: each[0])[1] if found else None


def is_nowhere(named: str, files: Files) -> bool:
    """Whether AppArmor is on and no file that it loads at boot has this name of a profile anywhere in it."""
    if not files.once(_is_loaded) or named == "unconfined" or named.startswith(_MADE_LATER):
        return False
    entries = [each for each in files.names(_PROFILES) if files.kind(f"{_PROFILES}/{each}") == "file"]
    if not 0 < len(entries) <= _MOST_SEARCHED or files.names(_SNAPS):
        return False
    sources = [files.read(f"{_PROFILES}/{each}") for each in entries]
    return all(source is not None and named not in source.text for source in sources)


def _is_loaded(files: Files) -> bool:
    if any(word.text in _OFF for word in files.once(captured).cmdline or ()):
        return False
    return any(files.link(path) is not None or files.kind(path) == "file" for path in _LOADED)


def _matching(entry: str, paths: tuple[str, ...], files: Files, named: str = "") -> Iterator[tuple[int, Profile | None]]:
    """The profiles of a file that are for one of these paths, or have this name, with how closely they name it."""
    source = files.read(f"{_PROFILES}/{entry}")
    if source is None:
        return
    free = any(files.link(f"{_PROFILES}/{each}/{entry}") is not None for each in ("disable", "force-complain"))
    variables: dict[str, tuple[str, ...]] = dict(_BINARIES)
    _read(source, files, variables, set(), 0)
    for header, start, lines in islice(_blocks(source), _MOST_PROFILES):
        if len(header) > _LONGEST:
            continue
        flags = _FLAGS.search(header)
        words = _FLAGS.sub(" ", header).split()
        if words[:1] == ["profile"]:
            words = words[1:]
        attached = next((word.strip('"') for word in words if word.strip('"').startswith(("/", "@{"))), "")
        if named and words[:1] != [named]:
            continue
        if not named and not any(_is_for(pattern, paths) for pattern in _spelled(attached, variables)):
            continue
        lax = flags is not None and not {"complain", "unconfined"}.isdisjoint(re.split(r"[\s,]+", flags[1]))
        if free or lax:
            yield len(attached), None
            continue
        rules = _Rules()
        rules.take(lines, files, set(), 0)
        if not rules.unknown:
            at = source.span(start, start + len(header.rstrip()))
            yield len(attached), Profile(
                words[0].strip('"'), at, rules.allowed and not rules.denied, rules.denied, frozenset(rules.networks)
            )


class _Rules:
    """What the rules of a profile and of all it includes say of the capability, and of which networks they deny the sockets."""

    def __init__(self) -> None:
        self.allowed = self.denied = self.unknown = False
        self.networks = set[tuple[str, str]]()

    def take(self, lines: list[str], files: Files, seen: set[str], depth: int) -> None:
        nested = 0
        for line in lines:
            include = _INCLUDE.match(line)
            if include is not None and not nested:
                self._include(include[2] or include[3], bool(include[1]), files, seen, depth)
            if line.startswith("#"):
                continue
            text = line.partition(" #")[0].rstrip()
            if text.endswith("{"):
                nested += 1
            elif text == "}":
                nested -= 1
            elif not nested:
                for how, what, named in _CAPABILITY.findall(text):
                    if what == "all" or not named.strip() or _NEEDED in named.split():
                        self.denied = self.denied or "deny" in how.split()
                        self.allowed = self.allowed or "deny" not in how.split()
                for how, what in _NETWORK.findall(text):
                    if "deny" in how.split():
                        self.networks |= _networks(what.split())

    def _include(self, name: str, optional: bool, files: Files, seen: set[str], depth: int) -> None:
        path = name if name.startswith("/") else f"{_PROFILES}/{name}"
        if path in seen:
            return
        if depth >= _DEEPEST or len(seen) >= _MOST_FILES:
            self.unknown = True
            return
        seen.add(path)
        kind = files.kind(path)
        if kind == "directory":
            for entry in files.names(path):
                self._include(f"{path}/{entry}", True, files, seen, depth + 1)
        elif kind == "file" and (source := files.read(path)) is not None:
            self.take([line.strip() for line in source.text.split("\n")], files, seen, depth + 1)
        elif not optional and name != _GRANTS_NOTHING:
            self.unknown = True  # abstractions/nameservice grants the capability, through abstractions/nis


def _networks(words: list[str]) -> set[tuple[str, str]]:
    """The families and protocols that a rule about the network speaks of; none of one that only speaks of certain sockets or uses."""
    families = next((_FAMILIES[word] for word in words if word in _FAMILIES), ("inet", "inet6"))
    protocols = [_TYPES[word] for word in words if word in _TYPES] or ["tcp", "udp"]
    if any(word not in _FAMILIES and word not in _TYPES for word in words):
        return set()
    return {(family, protocol) for family in families for protocol in protocols}


def _blocks(source: Source) -> Iterator[tuple[str, int, list[str]]]:
    """The profiles of a file: the header, where it begins, and the lines between its braces."""
    header, start, lines, depth, offset = "", 0, list[str](), 0, 0
    for raw in source.text.split("\n"):
        line = raw.strip()
        text = "" if line.startswith("#") else line.partition(" #")[0].rstrip()
        if depth == 0 and (text.endswith("{") or (" {" in text and text.endswith("}"))):
            header, _, rest = text.partition(" {")
            start = offset + raw.index(text[0])
            lines, depth = [rest.removesuffix("}")] if rest else [], 0 if text.endswith("}") else 1
            header = header.removesuffix("{")
            if not depth:
                yield header, start, lines
        elif depth:
            depth += text.endswith("{") - (text == "}")
            if depth:
                lines.append(line)
            else:
                yield header, start, lines
        offset += len(raw) + 1


def _read(source: Source, files: Files, variables: dict[str, tuple[str, ...]], seen: set[str], depth: int) -> None:
    """Collect the variables that a file and what it includes set before its first profile."""
    for raw in source.text.split("\n"):
        line = raw.strip()
        include, variable = _INCLUDE.match(line), _VARIABLE.match(line)
        if line.endswith(" {"):
            break
        if include is not None and depth < _DEEPEST and len(seen) < _MOST_FILES:
            name = include[2] or include[3]
            path = name if name.startswith("/") else f"{_PROFILES}/{name}"
            if path not in seen and files.kind(path) == "file" and (other := files.read(path)) is not None:
                seen.add(path)
                _read(other, files, variables, seen, depth + 1)
        elif variable is not None:
            values = tuple(value.strip('"') for value in variable[3].partition("#")[0].split())
            before = variables.get(variable[1], ()) if variable[2] else ()
            variables[variable[1]] = (*before, *values)[:_MOST_SPELLINGS]


def _spelled(attached: str, variables: dict[str, tuple[str, ...]]) -> list[str]:
    """The patterns that a header stands for, its variables put in."""
    found, rounds = [attached] if attached else [], 0
    while found and any("@{" in each for each in found):
        rounds += 1
        name = next(match[0] for each in found if (match := re.search(r"@\{[^}]*\}?", each)))
        if name not in variables or rounds > _DEEPEST:
            return []
        found = [each.replace(name, value) for each in found for value in variables[name]][:_MOST_SPELLINGS]
    return found


def _is_for(pattern: str, paths: tuple[str, ...]) -> bool:
    """Whether a path fits a pattern of apparmor.d(5), Globbing."""
    if pattern in paths:
        return True
    if max(map(len, (pattern, *paths))) > _LONGEST or pattern.count("*") > _MOST_STARS or not any(char in pattern for char in "*?{["):
        return False
    parts, depth = [], 0
    for part in re.findall(r"\*\*|\*|\?|\{|\}|,|\[\^?[\w-]+\]|[^*?{},\[\]]+|.", pattern):
        depth += (part == "{") - (part == "}")
        plain = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
        parts.append(
            plain.get(part) or ("|" if part == "," and depth > 0 else part if part.startswith("[") and len(part) > 1 else re.escape(part))
        )
    try:
        fits = re.compile("".join(parts))
    except re.error:
        return False
    return any(fits.fullmatch(path) for path in paths)
