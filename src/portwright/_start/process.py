"""A process of one command: what Python does for long-lived programs is left out."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def run(main: Callable[[], int]) -> NoReturn:
    """Run `main`, whose result is the exit code, and end at once: the system frees what Python would free object by object."""
    # A run of one host makes few cycles or none, and looking for them took a twentieth of it; one of thousands still looks now and then.
    gc.set_threshold(100_000)
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    except Exception as error:  # noqa: BLE001  the one that tells of errors has failed: Python would end with 1, which means findings
        code = _told_in_short(error)
    if sys.stderr is not None:
        try:  # noqa: SIM105  --version does without contextlib
            sys.stderr.flush()
        except OSError:
            pass  # nobody can be told; the exit code says it
    # What went to standard output was flushed when it was written; nothing here asks for atexit.
    os._exit(code)


def _told_in_short(error: Exception) -> int:
    try:  # noqa: SIM105  nothing is imported where an import may just have failed
        os.write(2, f"portwright: internal error: {type(error).__name__}; no more can be told of it\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass
    return 70
