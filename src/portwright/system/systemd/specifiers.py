"""systemd.unit(5) specifiers: `%i` and its like in a setting become the text they stand for."""

from collections.abc import Mapping
from functools import lru_cache

from portwright._start.records import dataclass, field, replace
from portwright.numbers import based
from portwright.trees import Files

UNKNOWN = "\ufffd"
"""Stands for what the host's files cannot tell (facts.Invocation)."""

LONGEST_VALUE = 1 << 20  # LONG_LINE_MAX, which systemd gives specifier_printf() as the limit for a command line


@dataclass(frozen=True)
class Machine:
    """What specifiers say about the machine as such; None where its files do not tell."""

    hostname: str | None = None
    machine_id: str | None = None
    release: Mapping[str, str] = field(default_factory=dict)
    """os-release(5): the fields by name."""
    of_user: Mapping[str, str] = field(default_factory=dict)
    """What specifiers say otherwise in the manager of a user (systemd.unit(5), Specifiers), by letter."""


@dataclass(frozen=True, slots=True)
class Name:
    """A unit's name taken apart: `foo-bar@x.service` has the prefix `foo-bar`, the instance `x`, the suffix `service`.

    A plain unit and a template have the instance None and ""; `stem` is the name without its suffix.
    """

    full: str
    stem: str
    prefix: str
    instance: str | None
    suffix: str

    @property
    def is_template(self) -> bool:
        return self.instance == ""

    @property
    def template(self) -> str | None:
        """The template of an instance, None for what is none."""
        return f"{self.prefix}@.{self.suffix}" if self.instance else None

    def of(self, instance: str) -> str:
        """The name of this template's instance."""
        return f"{self.prefix}@{instance}.{self.suffix}"


@lru_cache(maxsize=4096)
def name(full: str) -> Name:
    """Take a unit's name apart."""
    stem, _, suffix = full.rpartition(".")
    prefix, at, instance = stem.partition("@")
    return Name(full, stem, prefix, instance if at else None, suffix)


def expand(text: str, unit: str, machine: Machine, fragment: str = "") -> str:
    """Put in what specifiers stand for in a setting of `unit`; a specifier that the files cannot answer becomes U+FFFD.

    As the system manager does: `%u` is root whatever User= says. An unknown letter stays as written, as systemd leaves it.
    `fragment` is the path of the unit file, for %y and %Y.
    """
    if "%" not in text:
        return text
    parts: list[str] = []
    length, position = 0, 0
    while (found := text.find("%", position)) >= 0:
        parts.append(text[position:found])
        letter = text[found + 1 : found + 2]
        parts.append(_value(letter, name(unit), machine, fragment))
        length += len(parts[-1]) + len(parts[-2])
        if length > LONGEST_VALUE:
            return UNKNOWN
        position = found + 2
    parts.append(text[position:])
    return "".join(parts)


# The system manager's own directories and user (systemd.unit(5), Specifiers).
_FIXED = {
    "%": "%",
    "": "%",
    "C": "/var/cache",
    "E": "/etc",
    "G": "0",
    "L": "/var/log",
    "S": "/var/lib",
    "T": "/tmp",  # noqa: S108  this is what %T says
    "U": "0",
    "V": "/var/tmp",  # noqa: S108
    "g": "root",
    "h": "/root",
    "t": "/run",
    "u": "root",
}
OWN_DIRECTORIES = {
    "RuntimeDirectory": _FIXED["t"],
    "StateDirectory": _FIXED["S"],
    "CacheDirectory": _FIXED["C"],
    "LogsDirectory": _FIXED["L"],
    "ConfigurationDirectory": _FIXED["E"],
}
"""Where the directories lie that systemd makes for a unit (systemd.exec(5))."""

_RELEASE = {"A": "IMAGE_VERSION", "B": "BUILD_ID", "M": "IMAGE_ID", "W": "VARIANT_ID", "o": "ID", "w": "VERSION_ID"}


def _value(letter: str, unit: Name, machine: Machine, fragment: str) -> str:
    if letter in machine.of_user:
        return machine.of_user[letter]
    if letter in _FIXED:
        return _FIXED[letter]
    if letter in _RELEASE:
        # os-release was read where it names anything; a field it lacks is empty (specifier.c).
        return machine.release.get(_RELEASE[letter], "") if machine.release else UNKNOWN
    match letter:
        case "n" | "N" | "i" | "I" if unit.is_template:
            # A template is never loaded itself; its instances differ in just this.
            return unit.of(UNKNOWN) if letter == "n" else f"{unit.prefix}@{UNKNOWN}" if letter == "N" else UNKNOWN
        case "n":
            return unit.full
        case "N":
            return unit.stem
        case "p":
            return unit.prefix
        case "P":
            return unescape(unit.prefix)
        case "i":
            return unit.instance or ""
        case "I":
            return unescape(unit.instance or "")
        case "j":
            return unit.prefix.rpartition("-")[2]
        case "J":
            return unescape(unit.prefix.rpartition("-")[2])
        case "f":
            return "/" + unescape(unit.instance or unit.prefix).lstrip("/")
        case "H":
            return machine.hostname or UNKNOWN
        case "l":
            return machine.hostname.partition(".")[0] if machine.hostname else UNKNOWN
        case "m":
            return machine.machine_id or UNKNOWN
        case "y":
            return fragment or UNKNOWN
        case "Y":
            return fragment.rpartition("/")[0] if fragment else UNKNOWN
        case "a" | "b" | "d" | "q" | "s" | "v":
            # Architecture, boot id, credentials, pretty host name, shell, kernel release: only the running machine knows.
            return UNKNOWN
        case _:
            return f"%{letter}"


def unescape(text: str) -> str:
    r"""Undo systemd-escape: `-` is `/`, `\x2d` is the byte it names (unit_name_unescape())."""
    parts = text.replace("-", "/").split("\\x")
    if len(parts) == 1:
        return parts[0]
    done = [parts[0]]
    for part in parts[1:]:
        code = based(part[:2], 16) if len(part) > 1 else None
        if code is None:
            return text
        done.append((chr(0xDC00 + code) if code > 0x7F else chr(code)) + part[2:])
    return "".join(done).encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def for_user(known: Machine, name: str, uid: int, home: str) -> Machine:
    """The machine as the specifiers of a user's own units see it."""
    config = {"C": f"{home}/.cache", "E": f"{home}/.config", "L": f"{home}/.local/state/log", "S": f"{home}/.local/state"}
    who = {"h": home, "u": name, "U": str(uid), "g": UNKNOWN, "G": UNKNOWN, "t": f"/run/user/{uid}"}
    return replace(known, of_user={**config, **who})


def machine(files: Files) -> Machine:
    """What the host's files say about it: /etc/hostname, /etc/machine-id, os-release."""
    release = _release(files, "/etc/os-release") or _release(files, "/usr/lib/os-release")
    return Machine(_first_line(files, "/etc/hostname"), _first_line(files, "/etc/machine-id"), release)


def _first_line(files: Files, path: str) -> str | None:
    if files.kind(path) != "file" or (source := files.read(path)) is None:
        return None
    for line in source.text.splitlines():
        # hostname(5): the first line that is no comment.
        if (text := line.strip()) and not text.startswith("#"):
            return text
    return None


def _release(files: Files, path: str) -> dict[str, str]:
    if files.kind(path) != "file" or (source := files.read(path)) is None:
        return {}
    fields: dict[str, str] = {}
    for line in source.text.split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            fields[key] = value[1:-1] if quoted else value
    return fields
