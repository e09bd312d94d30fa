"""The arguments of a task: a mapping, or `name=value` in a line."""

from typing import Any

from portwright.repositories.deployers.ansible.values import Place, Text, place_of

_KEYWORDS = frozenset(
    (
        *("name", "when", "register", "tags", "vars", "loop", "loop_control", "notify", "listen", "changed_when", "failed_when"),
        *("until", "ignore_errors", "delegate_to", "delegate_facts", "run_once", "environment", "args", "retries", "delay", "no_log"),
        *("check_mode", "diff", "any_errors_fatal", "async", "poll", "throttle", "connection", "remote_user", "module_defaults"),
        *("collections", "debugger", "timeout", "port", "ignore_unreachable", "become", "become_user", "become_method"),
        *("become_flags", "become_exe", "sudo", "sudo_user", "first_available_file", "order", "block", "rescue", "always"),
    )
)
_PREFIXES = ("ansible.builtin.", "ansible.legacy.", "ansible.posix.", "community.general.", "community.docker.", "containers.podman.")
FREE = frozenset(("command", "shell", "raw", "script", "win_command", "win_shell"))
"""Modules whose line is a command."""
_OF_COMMANDS = ("chdir=", "creates=", "removes=", "executable=", "warn=", "stdin=")


def module_of(task: dict[Any, Any]) -> tuple[str, Any]:
    """The module of a task, by its short name, and what it is given; `("", None)` without one."""
    for key, value in task.items():
        if not isinstance(key, str) or key in _KEYWORDS or key.startswith("with_"):
            continue
        if key in ("action", "local_action"):
            if isinstance(value, dict):
                given = {name: each for name, each in value.items() if name != "module"}
                return (str(value.get("module", "")), given) if key == "action" else ("", None)
            name, _, rest = str(value).partition(" ")
            return (short(name), _like(rest, value)) if key == "action" else ("", None)
        return short(key), value
    return "", None


def short(name: str) -> str:
    """A module's name without that of a collection that everybody has."""
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def arguments(module: str, given: Any, more: Any) -> dict[str, Any]:
    """What a module is given, by name; a line's own text is `_raw_params`."""
    found: dict[str, Any] = {}
    if isinstance(given, dict):
        found = {str(name): value for name, value in given.items()}
    elif isinstance(given, str):
        words = _words(given)
        if module in FREE:
            while words and words[0].startswith(_OF_COMMANDS):
                words.pop(0)
            found["_raw_params"] = given if len(words) == len(_words(given)) else _like(" ".join(words), given)
        else:
            rest = []
            for word in words:
                name, equals, value = word.partition("=")
                if equals and name.replace("_", "").isalnum() and name[0].isalpha():
                    found[name] = _like(_unquoted(value), given)
                else:
                    rest.append(word)
            if rest:
                found["_raw_params"] = _like(" ".join(rest), given)
    if isinstance(more, dict):
        for name, value in more.items():
            found.setdefault(str(name), value)
    return found


def _like(text: str, where: object) -> Any:
    """A part of a text, at the place of the whole; on a line of its own at its column there."""
    at = place_of(where)
    if at is None:
        return text
    made = Text(text)
    offset = 0 if at.style or not isinstance(where, str) else max(where.find(text), 0)
    made.at, made.is_safe = Place(at.label, at.line, at.column + offset, at.end_line, at.style and "'"), False
    return made


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else text


def _words(text: str) -> list[str]:
    """The words of a line; blanks within quotes and within Jinja's braces part none."""
    found: list[str] = []
    word: list[str] = []
    quote, depth, at = "", 0, 0
    while at < len(text):
        letter = text[at]
        pair = text[at : at + 2]
        if not quote and pair in ("{{", "{%"):
            depth += 1
            word.append(pair)
            at += 2
            continue
        if not quote and depth and pair in ("}}", "%}"):
            depth -= 1
            word.append(pair)
            at += 2
            continue
        if depth:
            word.append(letter)
        elif quote:
            word.append(letter)
            if letter == quote and text[at - 1] != "\\":
                quote = ""
        elif letter in "\"'":
            quote = letter
            word.append(letter)
        elif letter.isspace():
            if word:
                found.append("".join(word))
                word = []
        else:
            word.append(letter)
        at += 1
    if word:
        found.append("".join(word))
    return found
