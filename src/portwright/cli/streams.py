"""What every command says, and the code it ends with: bytes on standard output, lines on standard error."""

from __future__ import annotations

import os
import sys

CLEAN, FINDINGS, USAGE, INCOMPLETE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 70, 130


class Complaint(Exception):
    """What the user asked for cannot be done; the message is the one line they get, the exit code is 2."""


def print_bytes(data: bytes) -> None:
    """Write to standard output; a reader that has gone is no error. Raises Complaint where nothing can be written."""
    if sys.stdout is None:
        raise Complaint("cannot write to standard output: closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer goes nowhere, else Python complains of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever read the report may have had enough of it; the verdict stands all the same.
        if not isinstance(error, BrokenPipeError):
            raise Complaint(f"cannot write to standard output: {error.strerror}") from None


def say(line: str) -> None:
    """One line on standard error; what came from outside cannot play with the terminal."""
    from portwright.reports.escape import safe

    show(" ".join(safe(line).split("\n")) + "\n")


def show(text: str) -> None:
    """Lines on standard error that can be shown as they are; where nobody can be told, the exit code still tells it."""
    from contextlib import suppress

    from portwright.cli import terminal

    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(terminal.in_a_log(text))
