"""How far a long run has come: one line of the terminal, written over again and again, and gone when the run is done."""

import os
import sys
from time import monotonic
from types import TracebackType

_AFTER = 1.0
"""Seconds before the first line: a run that is done by then needs none."""
_EVERY = 0.2


class Progress:
    """Says on standard error how many of `total` hosts and repositories are done, where somebody looks: at a terminal that can write over
    a line, outside of CI, and of several only. The line is gone at the end of `with`."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._next = monotonic() + _AFTER if total > 1 and not quiet and _is_watched() else float("inf")
        self._width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._width:
            self._write(f"\r{' ' * self._width}\r")

    def say(self, done: int) -> None:
        """So many are done."""
        if (now := monotonic()) >= self._next:
            line = f"{done:,} of {self._total:,} hosts and repositories"
            self._next, self._width = now + _EVERY, max(self._width, len(line))
            self._write(f"\r{line}")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self._next, self._width = float("inf"), 0  # nobody looks any more


def _is_watched() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
