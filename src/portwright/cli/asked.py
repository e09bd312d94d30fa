"""What a command is asked for: its outputs, its rules and its inputs, read from its options."""

from __future__ import annotations

from portwright.cli.streams import Complaint

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portwright.audit.check import Selection
    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.cli.configured import Settled
    from portwright.facts import Confidence
    from portwright.rules import Rule

STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def asked_hosts(options: Options) -> tuple[Input, ...]:
    found = asked_inputs(options)
    other = next((given for given in found if given.kind != "host" and not given.unavailable_reason), None)
    if other is not None:
        raise Complaint(f"{other.path} is no host; {options.command} is for hosts, check for repositories and files")
    return found


def asked_rules(options: Options) -> tuple[tuple[Rule, ...], frozenset[str], Selection]:
    """(the selected rules, the ids of all rules, the selection)."""
    selected, every, selection = loaded_rules(options, _paths(options.rules))
    return selected, frozenset(rule.card.id for rule in every), selection


def _paths(names: Sequence[str]) -> list[Path]:
    if not names:
        return []
    from pathlib import Path

    return [Path(name) for name in names]


def loaded_rules(options: Options, folders: Sequence[Path]) -> tuple[tuple[Rule, ...], tuple[Rule, ...], Selection]:
    """(the selected rules, all rules, the selection) of those that are shipped and those of some folders."""
    from portwright.audit.check import Selection, SelectionError
    from portwright.rules import load
    from portwright.shipped import BroughtError, brought, folder
    from portwright.source import RuleError

    settled: Settled | None = getattr(options, "settled", None)
    least: Confidence = options.min_confidence or "possible"
    selection = Selection(_split(options.select), _split(options.ignore), _split(options.extend_select), least)
    if settled is not None:
        from portwright._start.records import replace

        selection = replace(selection, severities=settled.severities, path_rules=settled.path_rules, config=settled.path)
    try:
        every = load([folder("rules"), *brought("rules"), *folders])
        return selection.of(every), every, selection
    except (RuleError, SelectionError, BroughtError) as error:
        raise Complaint(str(error)) from None
    except OSError as error:
        raise Complaint(f"cannot read rules from {error.filename}: {error.strerror}") from None


def _split(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for word in words for part in word.split(",") if part)


def asked_inputs(options: Options) -> tuple[Input, ...]:
    from portwright.audit.inputs import InputError, inputs

    try:
        found = inputs(
            options.paths or ["."],
            stdin_name=getattr(options, "stdin_filename", None),
            taken_as=getattr(options, "as", None),
            exclude=getattr(options, "exclude", ()),
        )
    except InputError as error:
        raise Complaint(str(error)) from None
    settled: Settled | None = getattr(options, "settled", None)
    return found if settled is None else tuple(map(settled.told, found))


def asked_outputs(options: Options) -> list[tuple[str, str | None]]:
    """(format, file) pairs: the first --format goes to the first --output, and so on; one at most goes to standard output."""
    formats: list[str] = options.format or ["text"]
    outputs: list[str | None] = [None if output in STANDARD_OUTPUT else output for output in options.output]
    if len(outputs) > len(formats):
        raise Complaint("there are more --output than --format: each output needs its format")
    pairs = list(zip(formats, [*outputs, *[None] * (len(formats) - len(outputs))], strict=True))
    if sum(output is None for _, output in pairs) > 1:
        raise Complaint("only one report can go to standard output: give the others an --output each")
    return pairs
