"""Where units, cron and their scripts call the few programs that rules look for."""

from collections.abc import Collection, Iterator

from portwright.facts import Call, Unit
from portwright.numbers import is_digits
from portwright.source import Source, Span
from portwright.system.processes.programs import SHELLS, script_head
from portwright.trees import Files

SOUGHT = ("netstat",)

_EXEC = frozenset(("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"))
_CRON = ("cron.service", "crond.service", "cronie.service", "anacron.service")
_PREFIXES = "@-:+!|"
_SHELLS = frozenset(SHELLS)
_CARRIERS = frozenset(("sudo", "exec", "nice", "nohup", "time", "timeout", "watch", "ionice"))
_MOST_BEFORE = 5  # words that may stand before a program, as in `sudo timeout 5 netstat`
_DEEPEST = 4  # `$( )` within each other


def script_calls(units: Collection[Unit], files: Files, *, repository: bool) -> tuple[Call, ...]:
    """The calls in Exec lines, cron's tables and folders, and in the shell scripts that a unit or cron starts by their path.

    Scripts that those scripts start are not followed, nor are other languages. Where cron does not run, its files are nothing.
    """
    found: list[Call] = []
    scripts: dict[str, Unit | None] = {}
    for unit in units:
        if unit.kind not in ("service", "socket") or unit.state != "loaded":
            continue
        found += _of_unit(unit)
        if unit.starts != "never":
            for path in _scripts_of(unit):
                scripts.setdefault(path, unit)
    runs = {unit.name for unit in units if unit.name in _CRON and unit.state == "loaded" and unit.starts == "boot"}
    if runs or repository:
        from portwright.system.processes import cron

        for path, owner in cron.tables(files, debian="cron.service" in runs):
            for offset, command, source in _commands(path, owner, files):
                found += _in_text(source, command, offset, path, None)
                if (script := _script(command)) is not None:
                    scripts.setdefault(script, None)
        scripts.update(dict.fromkeys(cron.scripts(files)))
    for path, unit_of in scripts.items():
        found += _of_script(path, unit_of, files)
    return tuple(sorted(dict.fromkeys(found), key=lambda call: (call.at, call.program)))


def _commands(path: str, owner: str | None, files: Files) -> Iterator[tuple[int, str, Source]]:
    source = files.read(path) if files.kind(path) == "file" else None
    if source is not None:
        from portwright.system.processes import cron

        yield from ((offset, command, source) for offset, command in cron.commands(source, owner))


def _of_unit(unit: Unit) -> Iterator[Call]:
    """The calls in the Exec lines of a unit; few units have any, and for the others no shell is read."""
    if not any(unit.says(name) for name in SOUGHT):
        return
    from portwright.system.systemd.exec_calls import exec_calls

    for call in exec_calls(unit, *SOUGHT):
        if call.program in SOUGHT:
            yield Call(call.at, call.program, unit.name, unit.name, unit.starts)


def _scripts_of(unit: Unit) -> Iterator[str]:
    for setting in unit.settings:
        if setting.key in _EXEC and (path := _script(setting.value.lstrip(_PREFIXES))) is not None:
            yield path


def _script(command: str) -> str | None:
    """The program of a command, or the script that a shell is given; None for what is no path, or not known before it runs."""
    words = command.split(None, 4)[:4]
    if words and words[0].rpartition("/")[2] in _SHELLS:
        words = [word for word in words[1:] if not word.startswith("-")] if "-c" not in words else []
    return words[0] if words and words[0].startswith("/") and not set("%$\"'") & set(words[0]) else None


def _of_script(path: str, unit: Unit | None, files: Files) -> Iterator[Call]:
    head = script_head(path, files)
    # `#!/usr/bin/env bash` is one, too.
    if head is None or not {head[0].rpartition("/")[2], head[1].rpartition(" ")[2]} & _SHELLS:
        return
    source = files.read(path)
    if source is not None:
        yield from _in_text(source, source.text, 0, path if unit is None else f"{unit.name} ({path})", unit)


def _in_text(source: Source, text: str, offset: int, caller: str, unit: Unit | None) -> Iterator[Call]:
    starts = "boot" if unit is None else unit.starts
    lines: set[int] = set()
    for program, start, end in sorted(_programs(text, offset, 0), key=lambda found: found[1]):
        at: Span = source.span(start, end)
        if at.line not in lines:
            lines.add(at.line)
            yield Call(at, program, caller, None if unit is None else unit.name, starts)


def _programs(text: str, offset: int, depth: int) -> Iterator[tuple[str, int, int]]:
    """The programs sought that shell text calls, `$( )` included, each with its place."""
    if depth > _DEEPEST or not any(name in text for name in SOUGHT):
        return
    from portwright.formats import shell

    script = shell.parse(text)
    for piece in script.unread:
        # The body of a function or a `case` is left out there, as nothing says with what arguments it runs. Here it only has to be there.
        opener = {"a function is not followed": "{", "a `case` is not followed": " in"}.get(piece.reason)
        body = -1 if opener is None else text.find(opener, piece.start, piece.end)
        if opener is not None and body >= 0:
            low = body + len(opener)
            yield from _programs(text[low : piece.end].removesuffix("}").removesuffix("esac"), offset + low, depth + 1)
    for command in script.commands:
        for word in command.words[:_MOST_BEFORE]:
            program = (word.plain or "").rpartition("/")[2]
            if program in SOUGHT:
                yield program, offset + word.start, offset + word.end
            if not (program in _CARRIERS or program.startswith("-") or is_digits(program)):
                break
        for start, end in (*((each.start, each.end) for each in command.assignments), *((each.start, each.end) for each in command.words)):
            for low, high in _substituted(text, start, end):
                yield from _programs(text[low:high], offset + low, depth + 1)


def _substituted(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What stands in `$( )` and in backquotes in a word; between single quotes they are letters."""
    position, quoted = start, False
    while position < end:
        if text[position] == '"':
            quoted = not quoted
        if text[position] == "'" and not quoted:
            close = text.find("'", position + 1, end)
            position = end if close < 0 else close + 1
            continue
        if text.startswith("$(", position) and not text.startswith("$((", position):
            depth, close = 1, position + 2
            while close < end and depth:
                depth += {"(": 1, ")": -1}.get(text[close], 0)
                close += 1
            yield position + 2, close if depth else close - 1
            position = close
        elif text[position] == "`":
            close = text.find("`", position + 1, end)
            close = end if close < 0 else close
            yield position + 1, close
            position = close + 1
        else:
            position += 1
