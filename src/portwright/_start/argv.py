"""A command line is read from a table of commands; argparse, made of the same table, is asked only where a word is not plainly in it.

Nearly always each word is (`check PATH --format json`). What is not, such as `--help`, a bundle of flags or a mistake, is left to the
standard library's argparse, whose import alone costs as much as a bare Python. A test holds that both understand the same.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, NoReturn, Protocol

    class Choices(Protocol):
        """The words that may stand after an option, which may be looked up only where they are asked for."""

        def __contains__(self, word: object) -> bool: ...

        def __iter__(self) -> Iterator[str]: ...

    Commands = Mapping[str, "Command"]


class UsageError(Exception):
    """A command line that cannot be understood; the message says why."""


class HelpWanted(Exception):
    """Somebody asked for help, which is the message."""


class Options:
    """A command and its options by name, as `argparse.Namespace` has them."""

    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Option:
    """One option: its names, and how many words follow it. A `metavar` says that one does, `many` that it may be given again.

    `{choices}` in `help` stands for the choices.
    """

    def __init__(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        many: bool = False,
        choices: Choices = (),
        default: str | int | None = None,
        read: Callable[[str], object] | None = None,
        wanted: str = "",
    ) -> None:
        self.names, self.help, self.metavar, self.many, self.choices = names, help, metavar, many, choices
        self.default, self.read, self.wanted = default, read, wanted
        self.attribute = names[-1].lstrip("-").replace("-", "_")

    @property
    def absent(self) -> Any:
        """What it is where it is not given."""
        return False if self.metavar is None else [] if self.many else self.default

    def value(self, word: str) -> Any:
        """What a word after it means; None where it cannot stand there."""
        if self.choices and word not in self.choices:
            return None
        return word if self.read is None else self.read(word)


class Operand:
    """What stands after a command beside its options: exactly one, or any number."""

    def __init__(self, name: str, help: str, metavar: str, many: bool = False, choices: Sequence[str] = ()) -> None:
        self.name, self.help, self.metavar, self.many, self.choices = name, help, metavar, many, choices


class Command:
    """One command: what it is for, what stands after it, its options, its exit codes with what each means, and how it is called.

    Each example is a command line and what it does.
    """

    def __init__(
        self, help: str, operand: Operand | None, *options: Option, exits: Mapping[int, str], examples: Mapping[str, str]
    ) -> None:
        self.help, self.operand, self.options, self.exits, self.examples = help, operand, options, exits, examples

    @property
    def named(self) -> dict[str, Option]:
        """The options by each of their names."""
        return {name: option for option in self.options for name in option.names}


def plain(words: Sequence[str], commands: Commands) -> Options | None:
    """The options where every word is just what the table names; None where argparse is to say what they mean."""
    command = commands.get(words[0]) if words else None
    if command is None:
        return None
    known = command.named
    values: dict[str, Any] = {option.attribute: option.absent for option in command.options}
    operands: list[str] = []
    rest = iter(words[1:])
    before = ""
    for word in rest:
        if word == "-" or not word.startswith("-"):
            if operands and before != "operand":
                return None
            operands.append(word)
            before = "operand"
            continue
        before = "option"
        name, equals, text = word.partition("=")
        option = known.get(name)
        if option is None or (equals and option.metavar is None):
            return None
        if option.metavar is None:
            values[option.attribute] = True
            continue
        given = text if equals else next(rest, "")
        value = option.value(given) if given and (equals or not given.startswith("-")) else None
        if value is None:
            return None
        if option.many:
            values[option.attribute].append(value)
        else:
            values[option.attribute] = value
    if values.get("quiet") and values.get("verbose"):
        return None
    if command.operand is not None and command.operand.many:
        values[command.operand.name] = operands
    elif len(operands) != (0 if command.operand is None else 1):
        return None
    elif command.operand is not None:
        if command.operand.choices and operands[0] not in command.operand.choices:
            return None
        values[command.operand.name] = operands[0]
    return Options(command=words[0], **values)


def parsed(words: Sequence[str], program: argparse.ArgumentParser, commands: Commands) -> Options:
    """What argparse makes of the words. Raises UsageError for what is wrong, and HelpWanted for the help that is asked for."""
    if words and not words[0].startswith("-"):
        _refuse_unknown(words, commands)
    found, left = program.parse_known_args(words, namespace=Options())
    if left:
        option = next((word for word in left if word.startswith("-") and word != "-"), None)
        said = f"unexpected argument {left[0]!r}" if option is None else f"unknown option {option!r}"
        raise UsageError(f"{said} (see portwright {found.command} --help)")
    return found


def _refuse_unknown(words: Sequence[str], commands: Commands) -> None:
    """A mistyped command or long option names the nearest."""
    if words[0] not in commands:
        raise UsageError(f"unknown command {words[0]!r}; {_nearest(words[0], commands) or 'portwright --help lists the commands'}")
    known = commands[words[0]].named
    for word in words[1:]:
        if word == "--":
            break
        name = word.partition("=")[0]
        if name.startswith("--") and name not in known and name != "--help":
            hint = _nearest(name, (each for each in known if each.startswith("--")))
            raise UsageError(f"unknown option {name!r}; {hint or f'portwright {words[0]} --help lists the options'}")


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word[:100], sorted(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""


def parser(name: str, version: str, description: str, commands: Commands) -> argparse.ArgumentParser:
    """The same table as the standard library's parser."""
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(f"{message} (see {self.prog} --help)")

        def print_help(self, file: object = None) -> NoReturn:
            raise HelpWanted(self.format_help())  # argparse itself keeps quiet where it cannot write

    shape = argparse.RawDescriptionHelpFormatter
    epilog = f"{name} COMMAND --help describes a command, its options and its exit codes."
    made = Parser(prog=name, description=description, epilog=epilog, formatter_class=shape)
    made.add_argument("--version", action="version", version=f"{name} {version}", help="print the version and exit")
    # Without its prog it makes a usage line to find that out.
    every = made.add_subparsers(prog=made.prog, dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for word, command in commands.items():
        own = every.add_parser(
            word,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            epilog=f"{_exits(command.exits)}\n\n{_examples(command.examples)}",
            formatter_class=shape,
            allow_abbrev=False,
        )
        operand = command.operand
        if operand is not None:
            number = "*" if operand.many else None
            own.add_argument(operand.name, nargs=number, metavar=operand.metavar, choices=operand.choices or None, help=operand.help)
        # argparse fails to write a group that is empty.
        apart = [option for option in command.options if option.attribute in ("quiet", "verbose")]
        how_much = own.add_mutually_exclusive_group() if apart else own
        for option in command.options:
            _add(how_much if option in apart else own, option)
    return made


def _exits(exits: Mapping[int, str]) -> str:
    """The exit codes, one a line and wrapped as argparse wraps the options."""
    from shutil import get_terminal_size
    from textwrap import fill

    width = max(get_terminal_size().columns - 2, 40)
    lines = (fill(meaning, width, initial_indent=f"  {code:<6}", subsequent_indent=" " * 8) for code, meaning in exits.items())
    return "\n".join(("exit codes:", *lines))


def _examples(examples: Mapping[str, str]) -> str:
    """Command lines, each under what it does."""
    return "\n".join(("examples:", *(f"  # {does}\n  {line}" for line, does in examples.items())))


def _add(own: argparse._ActionsContainer, option: Option) -> None:
    if option.metavar is None:
        own.add_argument(*option.names, action="store_true", help=option.help)
        return

    def read(word: str) -> Any:
        import argparse

        value = option.value(word) if option.read else word
        if value is None:
            raise argparse.ArgumentTypeError(f"not {option.wanted}: {word!r}")
        return value

    choices = tuple(option.choices) or None
    own.add_argument(
        *option.names,
        action="append" if option.many else "store",
        metavar=option.metavar,
        choices=choices,
        default=option.absent,
        type=read,
        help=option.help.replace("{choices}", ", ".join(choices or ())),
    )
