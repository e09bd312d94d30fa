"""Lines of unit files that systemd drops: misspelt, in the wrong section, gone, or newer than the systemd that reads them."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.facts import Setting, Unit
from portwright.system.releases.unit_settings import GONE, READ_IN, SECTIONS

_COMMANDS = ("Service", "Socket", "Mount", "Swap")  # systemd.exec(5): the types of unit that run commands
_EXEC = """
    User Group DynamicUser AmbientCapabilities CapabilityBoundingSet NoNewPrivileges SecureBits PrivateUsers PrivateNetwork
    NetworkNamespacePath RestrictAddressFamilies SystemCallFilter Environment EnvironmentFile PassEnvironment UnsetEnvironment
    WorkingDirectory
"""
_SOCKET = "ListenStream ListenDatagram Accept BindIPv6Only BindToDevice FreeBind ReusePort"
_UNIT = "After Before Requires Wants BindsTo JoinsNamespaceOf"
_INSTALL = "WantedBy RequiredBy Alias Also"
_BELONGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_EXEC.split(), _COMMANDS),
    **dict.fromkeys(_SOCKET.split(), ("Socket",)),
    **dict.fromkeys(_UNIT.split(), ("Unit",)),
    **dict.fromkeys(_INSTALL.split(), ("Install",)),
    "ExecStart": ("Service",),
    "ExecStartPre": ("Service", "Socket"),
    "PermissionsStartOnly": ("Service",),
    "Sockets": ("Service",),
    **{name: SECTIONS[name] for name in ("SocketBindAllow", "SocketBindDeny")},
}
"""The settings that decide what is started, listens, as whom and with what power, and the sections systemd reads them in."""

_KNOWN_TOO = frozenset(("AssertEnvironment", "BindTo"))  # they look like others, and systemd takes them
_PART = lazy_regex(r"[A-Z][a-z]+|[A-Z]+(?![a-z])|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Ignored:
    """A line that changes nothing: what was meant (`key`), why systemd does not read it, and whether it is about ports or privileges.

    `section` is where systemd reads what was meant, "" where the line cannot be put right.
    """

    setting: Setting
    key: str
    reason: str
    matters: bool = True
    section: str = ""


def ignored(unit: Unit) -> tuple[Ignored, ...]:
    """The lines of a unit that systemd passes over with a warning in its log.

    systemd.syntax(7): names are case-sensitive, unknown ones and those in a section that does not have them are ignored; those that
    start with `X-` are somebody's own on purpose. Names that resemble no setting are left out: a newer systemd may know them.
    """
    return (*_each(unit.settings), *(Ignored(line, line.key, reason, line.key in _BELONGS) for line, reason in unit.unread))


def _each(settings: Iterable[Setting]) -> Iterator[Ignored]:
    for setting in settings:
        if not setting.value and setting.key_at == setting.at and (name := without_sign(setting)) is not None:
            reason = f"systemd ignores this line, which has no equals sign; did you mean {name}=?"
            yield Ignored(setting, name, reason, name in _BELONGS, setting.section)
            continue
        sections = SECTIONS.get(setting.key)
        if sections is not None and setting.section in sections:
            if setting.key == "Environment":
                yield from _in_environment(setting)
            continue
        if setting.section.startswith("X-"):
            continue
        if setting.key in GONE:
            yield Ignored(setting, setting.key, GONE[setting.key], setting.key == "Capabilities")
            continue
        meant = setting.key if sections is not None else meant_by(setting.key)
        if meant is None and setting.section in READ_IN:
            meant = _meant_otherwise(setting.key, setting.section)
        if meant is None:
            continue
        sections = _BELONGS.get(meant) or SECTIONS[meant]
        matters = meant in _BELONGS
        if meant == setting.key and setting.section in sections:
            continue
        if not matters and setting.section not in READ_IN:
            continue
        place = sections[0] if setting.section not in sections else setting.section
        if meant != setting.key:
            yield Ignored(setting, meant, f"systemd ignores {setting.key}=; did you mean {meant}= in [{place}]?", matters, place)
        else:
            yield Ignored(setting, meant, f"systemd reads {meant}= in [{place}] only, not in [{setting.section}]", matters, place)


def without_sign(line: Setting) -> str | None:
    """The setting that a line of words begins with, as in `After network.target`; None where it begins with no setting's name."""
    name, blank, _ = line.key.partition(" ")
    return name if blank and line.section in SECTIONS.get(name, ()) else None


def _in_environment(setting: Setting) -> Iterator[Ignored]:
    """Environment=AmbientCapabilities=...: a setting that became a variable. Variables are seldom written in CamelCase."""
    name, equals, _ = setting.value.lstrip("\"' ").partition("=")
    if equals and name in _BELONGS and len(_parts(name)) > 1:
        reason = f"Environment= makes a variable of {name}=, which is a setting of [{_BELONGS[name][0]}] and belongs on a line of its own"
        alone = " " not in setting.value.strip()
        yield Ignored(setting, name, reason, section=_BELONGS[name][0] if alone else "")


@lru_cache(maxsize=4096)
def meant_by(key: str) -> str | None:
    """The setting that a key is, or that it was surely meant to be; None for any other."""
    if key in _BELONGS:
        return key
    if key in _KNOWN_TOO or key.startswith(("X-", "-")) or not 3 < len(key) <= 40:
        return None
    if (same := _by_parts().get(tuple(sorted(_parts(key))))) is not None:
        return same
    from portwright.system.nearness import near

    bare = _bare(key)
    letters = _letters(bare)
    for each, known, its, allowed in _known(len(bare)):
        # One slip brings in one letter and loses one, at most: where more differ, nobody needs to count the slips.
        if (letters & ~its).bit_count() <= allowed and (its & ~letters).bit_count() <= allowed and near(bare, known, allowed):
            return each
    return None


@lru_cache(maxsize=4096)
def _meant_otherwise(key: str, section: str) -> str | None:
    """The setting of a section that a key was surely meant to be."""
    if key in _KNOWN_TOO or key.startswith(("X-", "-")) or not 3 < len(key) <= 40:
        return None
    from portwright.system.nearness import near

    bare = _bare(key)
    letters = _letters(bare)
    for each, known, its, allowed in _others(section):
        alike = abs(len(bare) - len(known)) <= allowed and (letters ^ its).bit_count() <= 2 * allowed
        if alike and near(bare, known, allowed):
            return each
    return None


@lru_cache(maxsize=32)
def _others(section: str) -> tuple[tuple[str, str, int, int], ...]:
    """The settings of a section as `_every` has those of ports and privileges; one slip is enough to be another name here."""
    return tuple((each, _bare(each), _letters(_bare(each)), 1) for each, sections in SECTIONS.items() if section in sections)


@lru_cache(maxsize=1)
def _by_parts() -> dict[tuple[str, ...], str]:
    """Settings by the words of their names in alphabetical order: ExecStartPre is as near to ExecPreStart as can be."""
    return {tuple(sorted(_parts(each))): each for each in _BELONGS if len(_parts(each)) > 2}


def _parts(key: str) -> list[str]:
    return _PART.findall(key)


@lru_cache(maxsize=64)
def _known(length: int) -> tuple[tuple[str, str, int, int], ...]:
    """(setting, how it is compared, its letters, how many slips of the hand may lie between) of each that is near this length."""
    return tuple(each for each in _every() if abs(length - len(each[1])) <= each[3])


@lru_cache(maxsize=1)
def _every() -> tuple[tuple[str, str, int, int], ...]:
    return tuple((each, bare, _letters(bare), min(1 + len(bare) // 8, 3)) for each, bare in ((each, _bare(each)) for each in _BELONGS))


def _bare(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")


def _letters(bare: str) -> int:
    """The set of characters of a name, one bit each; those that share a bit make it smaller."""
    found = 0
    for char in bare:
        found |= 1 << ord(char) % 64
    return found
