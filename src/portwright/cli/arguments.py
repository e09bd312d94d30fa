"""The words of a command line become options: one table says what every command takes.

Where each word is plainly one of the table (`check PATH --format json`, as nearly always), no more than the table is asked. What is
not, such as `--help`, a bundle of flags or a mistake, is left to the standard library's argparse, whose import alone costs as much
as a bare Python; it is made of the same table, and a test holds that both understand the same.
"""

from __future__ import annotations

from portwright import __version__

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab", "markdown", "html")


class UsageError(Exception):
    """A command line that nobody can understand; the message says why."""


class Options:
    """A command and its options by name, as `argparse.Namespace` has them."""

    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Option:
    """One option: its names, and how many words follow it. A `metavar` says that one does, `many` that it may be said again."""

    def __init__(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        many: bool = False,
        choices: tuple[str, ...] = (),
        default: str | int | None = None,
        read: Callable[[str], int | None] | None = None,
        wanted: str = "",
    ) -> None:
        self.names, self.help, self.metavar, self.many, self.choices = names, help, metavar, many, choices
        self.default, self.read, self.wanted = default, read, wanted
        self.attribute = names[-1].lstrip("-").replace("-", "_")

    @property
    def unsaid(self) -> Any:
        """What it is where nobody says it."""
        return False if self.metavar is None else [] if self.many else self.default

    def value(self, word: str) -> Any:
        """What a word after it means; None where it cannot stand there."""
        if self.choices and word not in self.choices:
            return None
        return word if self.read is None else self.read(word)


def _jobs(text: str) -> int | None:
    return _count(text, 4)


def _rate(text: str) -> int | None:
    return _count(text, 7)


def _count(text: str, digits: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= digits else 0
    return number if number > 0 else None


def _look(quiet: str, verbose: str) -> tuple[Option, ...]:
    colours = "colours and links: auto, always or never (NO_COLOR, FORCE_COLOR, NO_HYPERLINK, FORCE_HYPERLINK are obeyed)"
    return (
        Option("--color", metavar="WHEN", choices=("auto", "always", "never"), default="auto", help=colours),
        Option("-q", "--quiet", help=quiet),
        Option("-v", "--verbose", help=verbose),
    )


_RULES = (
    Option("--select", metavar="RULE|FAMILY", many=True, help="hold only these rules or families"),
    Option("--ignore", metavar="RULE|FAMILY", many=True, help="leave these rules or families out"),
    Option("--extend-select", metavar="RULE|FAMILY", many=True, help="hold these too"),
    Option("--min-confidence", metavar="CONFIDENCE", choices=("certain", "likely", "possible"), default="possible",
           help="report only what is this sure: certain, likely or possible (default: possible)"),
    Option("--rules", metavar="DIR", many=True, help="a folder of more rules"),
    Option("--profile", metavar="NAME", help="a named set of rules (not there yet)"),
    Option("--config", metavar="FILE", help="a configuration file (not there yet)"),
)  # fmt: skip
_RATE = Option("--rate", metavar="N", read=_rate, wanted="a number of connections a second",
               help="new connections a second to one destination that a host must keep up (default: nobody says)")  # fmt: skip


def _reports(formats: tuple[str, ...], quiet: str, verbose: str) -> tuple[Option, ...]:
    said = f"{', '.join(formats)} (repeatable, each with its --output; default: text)"
    return (
        Option("--format", metavar="FORMAT", many=True, choices=formats, help=said),
        Option("--output", metavar="FILE", many=True, help="write the report there (default: standard output)"),
        Option("--stdin-filename", metavar="NAME", help="the path under which standard input (-) is read"),
        *_look(quiet, verbose),
    )


class Command:
    """One command: what it is for, what stands after it, and its options."""

    def __init__(self, help: str, operand: str, *options: Option) -> None:
        self.help, self.operand, self.options = help, operand, options


_CHECK = (
    Option("--fail-on", metavar="SEVERITY", choices=("high", "medium", "low", "info", "never"), default="low",
           help="exit 1 for findings of this severity or above: high, medium, low, info or never (default: low)"),
    Option("--exit-zero", help="exit 0 where findings would make it 1"),
    Option("--baseline", metavar="FILE", help="report only what this baseline does not hold (not there yet)"),
    Option("--write-baseline", metavar="FILE", help="write the findings as a baseline (not there yet)"),
    Option("--jobs", metavar="N", default=1, read=_jobs, wanted="a number of jobs", help="check this many hosts at once (default: 1)"),
)  # fmt: skip
_FIX = (
    Option("-o", "--output", metavar="NAME.yml", help="write NAME.yml, NAME.vars.json and NAME.rollback.yml"),
    Option("--apply", help="run the playbook on this machine (PATH must be /)"),
    Option("--allow-restart", help="let the playbook restart services"),
    Option("--allow-review", help="plan also what somebody should review first"),
    Option("--exit-zero", help="exit 0 where findings without a plan would make it 1"),
)
_TEST = (
    Option("--test", metavar="DIR", help="hold the rules of this folder against their examples and the cases beside them"),
    Option("--cases", metavar="DIR", help="with --test: where the cases are, if not beside the rules"),
    Option("--accept", help="with --test: keep what is reported now as the report of each flagged case"),
)
_TWO = ("text", "json")
_OPERANDS = {
    "paths": "a host's directory, a directory of hosts, a repository, a file, or - (default: .)",
    "rule": "a rule, or a family of them",
}

COMMANDS = {
    "check": Command(
        "lint hosts, repositories and files", "paths",
        *_reports(FORMATS, "a line for each finding and each thing that could not be read, and nothing else",
                  "each finding in full, why its rule exists, values that lost, what was allowed, read and left out"),
        *_RULES, _RATE, *_CHECK,
    ),
    "facts": Command(
        "show what was read and what is in force, without judging", "paths",
        *_reports(_TWO, "a line for each listener and each thing that could not be read",
                  "every kernel setting, socket options, long values in full"),
    ),
    "ports": Command(
        "draw the port space: zones, range, reserved, listeners, collisions, capacity", "paths",
        *_reports(_TWO, "the listeners and collisions, without picture and capacity", "long lists of ports in full"),
        _RATE,
    ),
    "fix": Command(
        "plan, prove and write a playbook for one host", "paths", *_FIX, *_RULES, _RATE,
        *_look("a line for each step, each finding that is left and each file that was written", "also the findings that are mended"),
    ),
    "explain": Command(
        "say what a rule means, why it matters, and how it is mended", "rule", *_RULES,
        *_reports((*_TWO, "markdown"), "its id and title only", "the same as without: nothing is left out"),
    ),
    "rules": Command(
        "list the rules, or test your own", "", *_TEST, *_RULES,
        *_reports(_TWO, "the ids only; with --test the cases that fail", "titles in full"),
    ),
    "apps": Command(
        "list the daemons whose configuration is understood", "", *_reports(_TWO, "the names only", "all programs of each")
    ),
    "audit": Command("collect and check a fleet (not there yet)", ""),
    "snapshot": Command("write this host as one archive (not there yet)", ""),
}  # fmt: skip


def read(words: Sequence[str]) -> Options:
    """The options that these words are. Raises UsageError for what is wrong; prints the help that is asked for, and exits."""
    found = plain(words)
    return parser().parse_args(words, namespace=Options()) if found is None else found


def plain(words: Sequence[str]) -> Options | None:
    """The options where every word is just what the table names; None where argparse is to say what they mean."""
    command = COMMANDS.get(words[0]) if words else None
    if command is None:
        return None
    known = {name: option for option in command.options for name in option.names}
    values: dict[str, Any] = {option.attribute: option.unsaid for option in command.options}
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
    if command.operand == "paths":
        values["paths"] = operands
    elif len(operands) != (1 if command.operand else 0):
        return None
    elif operands:
        values[command.operand] = operands[0]
    return Options(command=words[0], **values)


def parser() -> argparse.ArgumentParser:
    """The same table as the standard library's parser."""
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(f"{message} (see {self.prog} --help)")

    made = Parser(prog="portwright", description="Find what breaks services at the seam between ports, sockets and processes.")
    made.add_argument("--version", action="version", version=f"portwright {__version__}")
    # Without its prog it makes a usage line to find that out.
    commands = made.add_subparsers(prog=made.prog, dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, command in COMMANDS.items():
        description = f"{command.help[0].upper()}{command.help[1:]}."
        own = commands.add_parser(name, help=command.help, description=description, allow_abbrev=False)
        if command.operand == "paths":
            own.add_argument("paths", nargs="*", metavar="PATH", help=_OPERANDS["paths"])
        elif command.operand:
            own.add_argument(command.operand, metavar=command.operand.upper(), help=_OPERANDS[command.operand])
        how_much = own.add_mutually_exclusive_group()
        for option in command.options:
            _add(how_much if option.attribute in ("quiet", "verbose") else own, option)
    return made


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

    own.add_argument(
        *option.names,
        action="append" if option.many else "store",
        metavar=option.metavar,
        choices=option.choices or None,
        default=option.unsaid,
        type=read,
        help=option.help,
    )
