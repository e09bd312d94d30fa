"""Work on every input, what a baseline accepts, and the exit code that follows."""

from __future__ import annotations

from portwright.cli.streams import CLEAN, FINDINGS, INCOMPLETE, Complaint, say, show
from portwright.cli.telling import keep

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from portwright.audit.baseline import Entry
    from portwright.audit.executor import Answer
    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.finding import HostResult, RuleMeta, Severity
    from portwright.host import Host
    from portwright.reports.port_map import PortMap
    from portwright.rules import Rule

    T = TypeVar("T")


def judged(
    inputs: Sequence[Input],
    options: Options,
    work: Callable[[Input], HostResult],
    rules: tuple[Rule, ...],
    outputs: Sequence[tuple[str, str | None]],
) -> tuple[list[HostResult], list[tuple[PortMap, ...]], bool]:
    """The verdict on each input, their ports where a report draws them, and whether each came to its end without an error of our own."""
    from portwright.audit.check import unfinished
    from portwright.reports.registry import draws_ports

    if not any(draws_ports(form) for form, _ in outputs):
        results, sound = work_on_each(inputs, options, work, lambda given, reason: unfinished(given, rules, reason))
        return results, [], sound
    from portwright.audit.drawing import ports_of

    both, sound = work_on_each(
        inputs,
        options,
        lambda given: (work(given), ports_of(given, options.rate)),
        lambda given, reason: (unfinished(given, rules, reason), ()),
    )
    return [result for result, _ in both], [maps for _, maps in both], sound


def read_baseline(path: str, *, may_be_new: bool = False) -> tuple[Entry, ...]:
    """The entries of a baseline's file."""
    from portwright.audit.baseline import LARGEST, BaselineError, read

    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        if may_be_new:
            return ()
        raise Complaint(f"{path}: no such file; --write-baseline {path} writes it") from None
    except OSError as error:
        raise Complaint(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if len(data) > LARGEST:
        raise Complaint(f"{path}: more than {LARGEST >> 20} MiB is no baseline")
    try:
        return read(data.decode("utf-8", "surrogateescape"))
    except BaselineError as error:
        raise Complaint(f"{path}: {error}") from None


def without_accepted(results: list[HostResult], entries: tuple[Entry, ...] | None, options: Options) -> list[HostResult]:
    """The results without what a baseline accepts; with --write-baseline, that is all there is."""
    if options.write_baseline is None and entries is None:
        return results
    from datetime import UTC, datetime

    from portwright.audit.baseline import read, without, written

    name, today = options.baseline, datetime.now(UTC).date()
    if options.write_baseline is not None:
        name = options.write_baseline
        text = written(results, entries if entries is not None else read_baseline(name, may_be_new=True), today)
        keep({name: text}, options.paths)
        entries = read(text)
    return without(results, entries or (), name, today)


def exit_code(results: Sequence[HostResult], rules: Sequence[Rule | RuleMeta], options: Options) -> int:
    from portwright.finding import SEVERITIES

    fail_on = options.fail_on or "low"
    if fail_on != "never" and not options.exit_zero:
        failing: tuple[Severity, ...] = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        if any(finding.severity in failing for result in results for finding in result.findings):
            return FINDINGS
    return INCOMPLETE if not rules or is_incomplete(results, options) else CLEAN


def is_incomplete(results: Sequence[HostResult | Host], options: Options) -> bool:
    """Whether an answer rests on less than all there is to read, as far as its user wants to know."""
    return not results or any(
        not result.files_read
        or (bool(result.unreadable) and not options.accept_unreadable)
        or (options.strict and not result.coverage.is_full)
        for result in results
    )


def work_on_each(
    inputs: Sequence[Input], options: Options, work: Callable[[Input], T], otherwise: Callable[[Input, str], T]
) -> tuple[list[T], bool]:
    """What work makes of every input, in the order given, and whether each came to its end without an error of our own."""
    from portwright._start import debug_log
    from portwright.audit.executor import Executor

    executor = Executor(work, otherwise, debug=debug_log.ENABLED)
    if len(inputs) == 1:
        answers = [executor.one(inputs[0])]
    else:
        from portwright.cli.progress import Progress

        with Progress(len(inputs), quiet=options.quiet) as progress:
            answers = executor.each(inputs, getattr(options, "jobs", 1), progress.say)
    return [answer.value for answer in answers], tell_mistakes(answers)


def tell_mistakes(answers: Sequence[Answer[Any]]) -> bool:
    """Say which errors of our own there were; whether there was none."""
    mistakes: dict[str, int] = {}
    for answer in answers:
        if answer.mistake:
            mistakes[answer.mistake] = mistakes.get(answer.mistake, 0) + 1
            if answer.traceback:
                show(answer.traceback)
    for mistake, times in mistakes.items():
        say(f"portwright: {mistake}" + (f" ({times} hosts or repositories)" if times > 1 else ""))
    return not mistakes
