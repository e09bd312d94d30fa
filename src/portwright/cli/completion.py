"""What bash, zsh and fish need to complete a command line, written from the table of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portwright.cli.arguments import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from portwright._start.argv import Command, Option

_ASKS = "portwright rules -q 2>/dev/null"
_FOLDERS = ("DIR",)
_FILES = ("FILE", "NAME.yml", "HOST", "PATH")


def script(shell: str) -> str:
    """The text for one shell."""
    return "".join(f"{line}\n" for line in _SHELLS[shell]())


def _wanted(option: Option) -> str:
    """What stands after an option: `rules`, `folders`, `files`, its choices with blanks between them, or "" for anything."""
    metavar = option.metavar or ""
    if choices := " ".join(option.choices):
        return choices
    if option.names[-1] == "--profile":
        return " ".join(_profiles())
    return "rules" if metavar.startswith("RULE") else "folders" if metavar in _FOLDERS else "files" if metavar in _FILES else ""


def _operand(command: Command) -> str:
    if command.operand is None:
        return ""
    if command.operand.choices:
        return " ".join(command.operand.choices)
    return {"RULE": "rules", "DIR": "folders"}.get(command.operand.metavar, "files")


def _profiles() -> list[str]:
    import os

    from portwright.shipped import folder

    return sorted(name.removesuffix(".toml") for name in os.listdir(folder("profiles")) if name.endswith(".toml"))


def _quoted(text: str) -> str:
    """Text between single quotes of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


# ── bash ──


def _bash() -> Iterator[str]:
    yield "# Completion of portwright for bash; written by `portwright completion bash`."
    yield "_portwright_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\"); }"
    yield "_portwright_paths() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$word\"); }"
    yield "_portwright() {"
    yield "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options=''"
    yield "    COMPREPLY=()"
    yield "    if ((COMP_CWORD == 1)); then"
    yield f"        _portwright_words '{' '.join(COMMANDS)} --help --version'"
    yield "        return"
    yield "    fi"
    yield "    case ${COMP_WORDS[1]} in"
    for name, command in COMMANDS.items():
        yield f"        {name})"
        yield "            case $before in"
        for option in command.options:
            if option.metavar is not None:
                yield f"                {'|'.join(option.names)}) {_bash_call(_wanted(option))} return ;;"
        yield "            esac"
        yield f"            options='{' '.join(each for option in command.options for each in option.names)} --help'"
        yield f"            [[ $word == -* ]] || {{ {_bash_call(_operand(command))} return; }}"
        yield "            ;;"
    yield "    esac"
    yield '    _portwright_words "$options"'
    yield "}"
    yield "complete -F _portwright portwright"


def _bash_call(wanted: str) -> str:
    match wanted:
        case "":
            return ""
        case "rules":
            return f'_portwright_words "$({_ASKS})";'
        case "files":
            return "_portwright_paths -f;"
        case "folders":
            return "_portwright_paths -d;"
        case words:
            return f"_portwright_words '{words}';"


# ── zsh ──


def _zsh() -> Iterator[str]:
    yield "#compdef portwright"
    yield "# Completion of portwright for zsh; written by `portwright completion zsh`."
    yield f"_portwright_rules() {{ local -a found; found=(${{(f)\"$({_ASKS})\"}}); compadd -a found }}"
    yield "_portwright() {"
    yield "    local -a commands"
    yield "    commands=("
    yield from (f"        {_quoted(f'{name}:{command.help}')}" for name, command in COMMANDS.items())
    yield "    )"
    yield "    if ((CURRENT == 2)); then _describe command commands; return; fi"
    yield "    local command=$words[2]"
    yield "    words=(portwright \"${(@)words[3,-1]}\"); ((CURRENT--))"
    yield "    case $command in"
    for name, command in COMMANDS.items():
        specs = [_zsh_option(option, each) for option in command.options for each in option.names]
        specs.append(_quoted(f"*:{(command.operand.metavar if command.operand else 'nothing').lower()}:{_zsh_action(_operand(command))}"))
        yield f"        {name}) _arguments -S {' '.join(specs)} ;;"
    yield "    esac"
    yield "}"
    # Loaded from $fpath it is the function itself; sourced it is told to zsh.
    yield 'if [[ $funcstack[1] == _portwright ]]; then _portwright "$@"'
    yield "elif (( $+functions[compdef] )); then compdef _portwright portwright; fi"


def _zsh_option(option: Option, name: str) -> str:
    said = option.help.replace("{choices}", "the format").translate(str.maketrans("[]:", "(),"))
    several = "*" if option.many else ""
    if option.metavar is None:
        return _quoted(f"{several}{name}[{said}]")
    return _quoted(f"{several}{name}[{said}]:{option.metavar.lower().replace('|', ' or ')}:{_zsh_action(_wanted(option))}")


def _zsh_action(wanted: str) -> str:
    known = {"": " ", "rules": "_portwright_rules", "files": "_files", "folders": "_files -/"}
    return known.get(wanted, f"({wanted})")


# ── fish ──


def _fish() -> Iterator[str]:
    yield "# Completion of portwright for fish; written by `portwright completion fish`."
    yield "complete -c portwright -f"
    for name, command in COMMANDS.items():
        yield f"complete -c portwright -n __fish_use_subcommand -a {name} -d {_fish_quoted(command.help)}"
    for name, command in COMMANDS.items():
        here = f"complete -c portwright -n '__fish_seen_subcommand_from {name}'"
        if action := _fish_action(_operand(command)):
            yield f"{here} {action}"
        for option in command.options:
            names = " ".join(f"-l {each[2:]}" if each.startswith("--") else f"-s {each[1:]}" for each in option.names)
            takes = "" if option.metavar is None else f" -r {_fish_action(_wanted(option))}".rstrip()
            yield f"{here} {names}{takes} -d {_fish_quoted(option.help.replace('{choices}', 'the format'))}"


def _fish_action(wanted: str) -> str:
    match wanted:
        case "":
            return ""
        case "rules":
            return f"-f -a '({_ASKS})'"
        case "files":
            return "-F"
        case "folders":
            return "-f -a '(__fish_complete_directories)'"
        case words:
            return f"-f -a '{words}'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SHELLS: Mapping[str, Callable[[], Iterator[str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
