"""What rules may ask of lines that somebody wrote for a shell and that systemd takes as they stand."""

from collections.abc import Iterator

from portwright.facts import Setting, Unit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.registry import Derived, fact_value
from portwright.source import Source, Span, Word

_OF_ADMIN = ("/etc/systemd/", "/run/systemd/")
_EXECUTED = ("ExecStartPre", "ExecStart", "ExecStartPost")
_OF_SHELLS = frozenset("#|><&`$")
_IN_FILES = (" #", "\t#", "export")
_LONGEST = 60  # characters of a line that a message shows
_MOST_LINES = 4  # that a finding shows


@fact_value("unit", "commands-for-a-shell")
def commands_for_a_shell(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What the commands of a service have that only a shell understands, each with what systemd does with it."""
    if unit.kind != "service":
        return Derived(())
    found: dict[str, Note] = {}
    for key in _EXECUTED:
        for setting in unit.each("Service", key):
            if (said := _of_command(setting)) and _counts(host, setting.at.path):
                found.setdefault(said, Note("no shell reads this line", setting.at))
    return Derived(tuple(found), tuple(found.values())[:_MOST_LINES])


@fact_value("unit", "variables-for-a-shell")
def variables_for_a_shell(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What the environment files of a service have that only a shell understands, each with what systemd does with it."""
    found: dict[str, Note] = {}
    for setting in unit.each("Service", "EnvironmentFile") if unit.kind == "service" else ():
        source = host.sources.get(setting.value.removeprefix("-"))
        if source is not None and any(mark in source.text for mark in _IN_FILES):
            for said, at in _of_environment(source, unit, _counts(host, unit.at.path)):
                found.setdefault(said, Note("no shell reads this line", at))
    return Derived(tuple(found), tuple(found.values())[:_MOST_LINES])


def _counts(host: Host, path: str) -> bool:
    """Whether an administrator wrote a file: what packages ship is as their maintainers saw it start."""
    return host.repository or path.startswith(_OF_ADMIN)


def _of_command(setting: Setting) -> str:
    """What of a command only a shell understands, and what systemd takes it for; "" where there is nothing."""
    if _OF_SHELLS.isdisjoint(setting.value):
        return ""
    from portwright.system.systemd.shell_habits import for_a_shell

    found = for_a_shell(setting.value)
    if found is None:
        return ""
    text = _cut(found.text)
    match found.kind:
        case "program":
            return f"`{text}` as the program, which systemd looks for by just this name (203/EXEC)"
        case "comment":
            return f"`{text}` as arguments of the program: a comment stands on a line of its own"
        case "operator":
            return f"`{text}` as arguments of the program: there is no shell"
        case "substitution":
            return f"`{text}` as it stands: there is no shell that would run it"


def _of_environment(source: Source, unit: Unit, is_own: bool) -> Iterator[tuple[str, Span]]:
    """The lines of an environment file that are not what they look like; of a package's unit only those that its commands name."""
    from portwright.system.systemd import environment

    document = environment.parse(source)
    for name, value in document.assignments:
        at = _comment(value)
        start = source.stretch(value.at)[0]
        if at is not None and source.text[start - 1] not in "\"'" and (is_own or _is_named(unit, name.text)):
            yield f"`{_cut(value.text)}` as the value of {name.text}: a comment stands on a line of its own", value.at
    for line in document.ignored:
        key = source.text[source.stretch(line.at)[0] :].split("\n", 1)[0].partition("=")[0].split()
        if len(key) == 2 and key[0] == "export" and (is_own or _is_named(unit, key[1])):
            yield f"no {key[1]} from a line that begins with `export`", line.at


def _comment(value: Word) -> int | None:
    """Where what looks like a comment begins in a value."""
    found = min((at for at in (value.text.find(" #"), value.text.find("\t#")) if at >= 0), default=-1)
    return found if found >= 0 else None


def _is_named(unit: Unit, name: str) -> bool:
    return any(f"${name}" in each.value or f"${{{name}}}" in each.value for key in _EXECUTED for each in unit.each("Service", key))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
