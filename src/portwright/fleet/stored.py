"""A fleet examined with a store at hand: what is known is not looked for again, and each host is kept as soon as it is done."""

from collections.abc import Callable, Sequence

from portwright.audit.executor import Answer, Executor
from portwright.audit.inputs import Input
from portwright.fleet.examined import Examined, Examiner, Known, about
from portwright.fleet.question import Question
from portwright.fleet.store import Store

_TOGETHER = 1000
"""Hosts whose known results are fetched before some processes begin with them: no connection to SQLite outlives a fork."""


def examined(
    inputs: Sequence[Input],
    question: Question,
    store: Store,
    started: str,
    version: str,
    *,
    jobs: int,
    debug: bool,
    positions: Sequence[int] = (),
    kept: Callable[[int], None] = lambda done: None,
) -> tuple[int, list[Answer[int]]]:
    """The number of a new run, and that of each input's result in the store. `positions` are those of the inputs in the whole fleet, where
    they are a part of it; `kept` is told how many are in the store."""
    run, ruleset = store.begin(question.digest(), [rule.card for rule in question.rules], version, started)
    examiner = Examiner(question)
    known: dict[Input, tuple[Known, ...]] = {}

    def work(given: Input) -> Examined:
        return examiner.examined(given, known[given])

    executor = Executor(work, examiner.unfinished, debug=debug)
    found: dict[int, Answer[int]] = {}
    for start in range(0, len(inputs), _TOGETHER):
        part = inputs[start : start + _TOGETHER]
        known.clear()
        known.update((given, store.known(given.name, about(given), ruleset)) for given in part)
        for number, answer in executor.answers(part, jobs):
            place = positions[start + number] if positions else start + number
            found[start + number] = Answer(store.keep(run, ruleset, place, answer.value), answer.mistake, answer.traceback)
            kept(len(found))
    return run, [found[number] for number in range(len(inputs))]
