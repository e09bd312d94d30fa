"""Programs that bring kernel settings of their own and write them at boot: tuned's active profile, ufw's sysctl.conf, saptune's notes."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from portwright._start.records import replace
from portwright.formats.sysctl import PROCPS, Line, dotted, normalized, parse
from portwright.source import Source, Span, Word
from portwright.system.spanned_text import UNKNOWN
from portwright.system.started import SysctlWrite
from portwright.trees import Files

if TYPE_CHECKING:
    from portwright.formats.nodes import Node

_MOST_PROFILES = 64
_YES = ("1", "true", "yes", "on", "y", "t")


def writes_of_keeper(program: str, unit: str, files: Files) -> Iterator[SysctlWrite]:
    """What one of these programs writes, started by a unit; nothing for any other program."""
    keeper = KEEPERS.get(program.rpartition("/")[2])
    if keeper is not None:
        yield from keeper(unit, files)


def of_file(path: str, unit: str, files: Files) -> Iterator[SysctlWrite]:
    """What sysctl(8) -p writes for a file."""
    source = files.read(path) if files.kind(path) == "file" else None
    for line in () if source is None else parse(source, PROCPS).lines:
        if isinstance(line, Line) and line.value is not None:
            yield SysctlWrite(dotted(normalized(line.key.text)), line.value.text, line.at, unit)


# ── ufw ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ufw(unit: str, files: Files) -> Iterator[SysctlWrite]:
    """ufw-init: where ufw.conf says ENABLED=yes, it runs sysctl -e -q -p on the file that IPT_SYSCTL of /etc/default/ufw names."""
    if (_assigned("/etc/ufw/ufw.conf", "ENABLED", files) or "no").lower() != "yes":
        return
    path = _assigned("/etc/default/ufw", "IPT_SYSCTL", files)
    if path is not None and path.startswith("/"):
        yield from of_file(path, unit, files)


def _assigned(path: str, name: str, files: Files) -> str | None:
    """The value of `NAME=value` in a file that a shell sources."""
    source = files.read(path) if files.kind(path) == "file" else None
    found = None
    for line in () if source is None else source.text.split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and key == name:
            found = value.partition(" #")[0].strip().strip("\"'")
    return found


# ── tuned ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_ACTIVE = "/etc/tuned/active_profile"
_MAIN = "/etc/tuned/tuned-main.conf"
# Of profiles with one name the last directory's counts; before tuned 2.23 they lay one level higher.
_PROFILES = ("/usr/lib/tuned", "/usr/lib/tuned/profiles", "/etc/tuned", "/etc/tuned/profiles")
# consts.py, SYSCTL_CONFIG_DIRS, and /etc/sysctl.conf behind them.
_REAPPLIED = ("/run/sysctl.d", "/etc/sysctl.d")


def _tuned(unit: str, files: Files) -> Iterator[SysctlWrite]:
    """The [sysctl] sections of the active profile and of those it includes; then, by reapply_sysctl, the files of /etc once more.

    A profile that is not there is said to be unread: what it sets is in force and not known.
    """
    source = files.read(_ACTIVE) if files.kind(_ACTIVE) == "file" else None
    names = () if source is None else tuple(source.text.split())
    if source is None or not names:
        return
    chosen: dict[str, Word] = {}
    for name in names:
        chosen |= _profile(name, source.span(0, len(source.text.rstrip("\n"))), files, [])
    for key, value in chosen.items():
        text = None if UNKNOWN in value.text else value.text
        yield SysctlWrite(dotted(normalized(key)), text, value.at, unit)
    if _reapplies(files):
        for write in _of_etc(unit, files):
            if any(dotted(normalized(key)) == write.key for key in chosen):
                yield write


def _sections(source: Source | None) -> "tuple[Node, ...]":
    if source is None:
        return ()
    from portwright.formats.sections import parse

    return parse(source)[0]


def _reapplies(files: Files) -> bool:
    """reapply_sysctl of tuned-main.conf, which is on unless it says otherwise."""
    said = None
    source = files.read(_MAIN) if files.kind(_MAIN) == "file" else None
    for node in _sections(source):
        if node.key.text == "reapply_sysctl" and node.values:
            said = node.values[-1].text
    return said is None or said.lower() in _YES


def _of_etc(unit: str, files: Files) -> Iterator[SysctlWrite]:
    for directory in _REAPPLIED:
        for name in sorted(files.names(directory)):
            if name.endswith(".conf"):
                yield from of_file(f"{directory}/{name}", unit, files)
    yield from of_file("/etc/sysctl.conf", unit, files)


def _profile(name: str, by: Span, files: Files, chain: list[str]) -> dict[str, Word]:
    """The settings of a profile: those of the profiles it includes, then its own over them."""
    if name in chain or len(chain) >= _MOST_PROFILES:
        return {}
    chain.append(name)
    paths = (f"{directory}/{name}/tuned.conf" for directory in _PROFILES)
    path = next((path for path in reversed(tuple(paths)) if files.kind(path) == "file"), None)
    source = files.read(path) if path is not None else None
    if source is None:
        files.report_unreadable(by, f"tuned's profile {name} is not there, so which kernel settings it writes is not known")
        return {}
    found: dict[str, Word] = {}
    variables: dict[str, str] = {}
    nodes = _sections(source)
    for section in nodes:
        for setting in section.children if section.key.text == "main" else ():
            if setting.key.text == "include":
                for included in _words(setting):
                    found |= _profile(included.text, included.at, files, chain)
        if section.key.text == "variables":
            variables |= {setting.key.text: _value(setting).text for setting in section.children if setting.values}
    for section in nodes:
        said = {setting.key.text: _value(setting) for setting in section.children if setting.values}
        kind = said["type"].text if "type" in said else section.key.text
        if kind == "sysctl" and ("enabled" not in said or said["enabled"].text.lower() in _YES):
            if "replace" in said and said["replace"].text.lower() in _YES:
                found.clear()
            for key, value in said.items():
                if key not in ("type", "enabled", "replace", "devices", "drop"):
                    found[key] = replace(value, text=_expanded(value.text, variables))
    return found


def _words(setting: "Node") -> Iterator[Word]:
    for value in setting.values:
        for name in value.text.replace(",", " ").split():
            yield Word(name, value.at)


def _value(setting: "Node") -> Word:
    """The whole text behind the sign."""
    at = setting.key.at.to(setting.values[-1].at)
    return Word(" ".join(word.text for word in setting.values).strip("\"'"), at)


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    """`${name}` of [variables]; `${f:...}` calls a function, and `>n` raises to n at least: neither is known."""
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", value)
    return UNKNOWN if "${" in text or text.startswith((">", "<")) else text


# ── saptune ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_SAPTUNE = "/etc/sysconfig/saptune"
# saptune-note(5): a note of the vendor, or one of the operator's own; the override of its name goes before either.
_NOTES = ("/etc/saptune/extra/{}.conf", "/var/lib/saptune/working/notes/{}", "/usr/share/saptune/notes/{}")
_OVERRIDES = "/etc/saptune/override"


def _saptune(unit: str, files: Files) -> Iterator[SysctlWrite]:
    """The [sysctl] sections of the applied notes, in their order; `key =` in an override leaves the key alone."""
    order = _assigned(_SAPTUNE, "NOTE_APPLY_ORDER", files) or _assigned(_SAPTUNE, "TUNE_FOR_NOTES", files) or ""
    for note in order.split()[:_MOST_PROFILES]:
        path = next((each for place in _NOTES if files.kind(each := place.format(note)) == "file"), None)
        if "/" in note or path is None:
            at = Span.whole(files.tree.label(_SAPTUNE))
            files.report_unreadable(at, f"saptune's note {note} is not there, so which kernel settings it writes is not known")
            continue
        chosen = {**_of_note(path, files), **_of_note(f"{_OVERRIDES}/{note}", files)}
        yield from (SysctlWrite(key, value.text, value.at, unit) for key, value in chosen.items() if value.text)


def _of_note(path: str, files: Files) -> dict[str, Word]:
    source = files.read(path) if files.kind(path) == "file" else None
    found: dict[str, Word] = {}
    for section in _sections(source):
        if section.key.text == "sysctl":
            for setting in section.children:
                value = _value(setting) if setting.values else Word("", setting.key.at)
                found[dotted(normalized(setting.key.text))] = value
    return found


KEEPERS: Mapping[str, Callable[[str, Files], Iterator[SysctlWrite]]] = {"tuned": _tuned, "ufw-init": _ufw, "saptune": _saptune}
