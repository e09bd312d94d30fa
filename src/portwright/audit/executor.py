"""Many inputs, in this process or in several: what goes wrong with one costs no other."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from portwright._start.records import dataclass
from portwright.audit.inputs import Input

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

T = TypeVar("T")

_MOST_AT_ONCE = 16
"""Inputs that a process is given together: what they came to is told when the last of them is done."""

KILLED = "the process that checked it was killed"


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What an input came to; `mistake` is the error of our own that ended the work on it, in a line to be told, "" for none."""

    value: T
    mistake: str = ""
    traceback: str = ""


class Executor(Generic[T]):
    """`work` on each input; where that ends in an error of our own, or with its process, `otherwise` says for which reason."""

    def __init__(self, work: Callable[[Input], T], otherwise: Callable[[Input, str], T], *, debug: bool = False) -> None:
        self._work = work
        self._otherwise = otherwise
        self._debug = debug

    def each(self, inputs: Sequence[Input], jobs: int = 1, done: Callable[[int], None] = lambda count: None) -> list[Answer[T]]:
        """In the order of the inputs, the same for any number of jobs; `done` is told how many there are already."""
        found: dict[int, Answer[T]] = {}
        for number, answer in self.answers(inputs, jobs):
            found[number] = answer
            done(len(found))
        return [found[number] for number in range(len(inputs))]

    def answers(self, inputs: Sequence[Input], jobs: int = 1) -> Iterator[tuple[int, Answer[T]]]:
        """Each with the number of its input, as they come."""
        if jobs == 1 or len(inputs) == 1:
            return ((number, self.one(given)) for number, given in enumerate(inputs))
        return self._in_processes(inputs, jobs)

    def one(self, given: Input) -> Answer[T]:
        try:
            return Answer(self._work(given))
        except Exception as error:  # noqa: BLE001  whatever it is, it is our bug, and the other inputs have none of it
            from portwright.audit.mistake import line, reason, trace

            shown = trace(error) if self._debug else ""
            return Answer(self._otherwise(given, reason(error)), line(error, debug=self._debug), shown)

    def _in_processes(self, inputs: Sequence[Input], jobs: int) -> Iterator[tuple[int, Answer[T]]]:
        """A killed process takes the whole pool along. What is then left is taken one input at a time, and when a process is killed
        once more, those that may have been under work, alone: so the one that kills its process is found, and only it is lost.
        """
        left = list(range(len(inputs)))
        size = min(max(1, len(inputs) // (jobs * 8)), _MOST_AT_ONCE)
        while left:
            parts = [left[start : start + size] for start in range(0, len(left), size)]
            found: set[int] = set()
            for number, answer in self._pooled(inputs, parts, jobs):
                found.add(number)
                yield number, answer
            left = [number for number in left if number not in found]
            if size == 1:
                # A pool gives its processes their work in order, one part each and one that waits.
                suspects, left = left[: 2 * jobs + 1], left[2 * jobs + 1 :]
                for number in suspects:
                    alone = dict(self._pooled(inputs, [[number]], 1))
                    yield number, alone.get(number) or Answer(self._otherwise(inputs[number], KILLED))
            size = 1

    def _pooled(self, inputs: Sequence[Input], parts: Sequence[Sequence[int]], jobs: int) -> Iterator[tuple[int, Answer[T]]]:
        """The answers that came before a process was killed, all where none was."""
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool
        from multiprocessing import get_context

        # Forked workers inherit the compiled rules, which cannot be sent to them. This process alone keeps the end of the pipe to
        # which nobody writes: when it is killed, the others read that the pipe has ended.
        reading, alive = os.pipe()
        pool = ProcessPoolExecutor(min(jobs, len(parts)), get_context("fork"), _remember, (self, reading, alive))
        try:
            waiting = self._submitted(pool, inputs, parts)[::-1]
            while waiting:
                part, answers = waiting.pop()  # which is then nobody's
                try:
                    yield from zip(part, answers.result(), strict=True)
                except BrokenProcessPool:
                    continue
        finally:
            pool.shutdown(cancel_futures=True)
            os.close(alive)
            os.close(reading)

    def _submitted(
        self, pool: "ProcessPoolExecutor", inputs: Sequence[Input], parts: Iterable[Sequence[int]]
    ) -> "list[tuple[Sequence[int], Future[list[Answer[T]]]]]":
        from concurrent.futures.process import BrokenProcessPool

        found: list[tuple[Sequence[int], Future[list[Answer[T]]]]] = []
        for part in parts:
            try:
                found.append((part, pool.submit(_examine, [inputs[number] for number in part])))
            except BrokenProcessPool:
                break
        return found


_remembered: list[Executor[Any]] = []


def _remember(executor: Executor[Any], reading: int, alive: int) -> None:
    import signal
    from threading import Thread

    # Ctrl-C reaches every process of the terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Else it would wait for work for ever once the process that gives it is gone.
    os.close(alive)
    Thread(target=_end_with_the_first, args=(reading,), daemon=True).start()
    _remembered.append(executor)


def _end_with_the_first(reading: int) -> None:
    os.read(reading, 1)
    os._exit(1)


def _examine(part: Sequence[Input]) -> list[Answer[Any]]:
    return [_remembered[-1].one(given) for given in part]
