"""The `portwright` command: arguments in, reports and exit codes out; it computes nothing itself."""

from __future__ import annotations

import os
import sys

from portwright import __version__
from portwright._start import process
from portwright.cli.streams import CLEAN, INTERNAL, INTERRUPTED, USAGE, Complaint, print_bytes, say, show

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from portwright.cli.arguments import Options

# The commands that a configuration speaks to, and those that know daemons by their rooms.
_CONFIGURED = ("check", "facts", "ports", "fix", "audit")
_READING = (*_CONFIGURED, "apps", "explain", "rules", "suggest-port", "lsp")


def run() -> NoReturn:
    """The process of one command, from `sys.argv` to its end."""
    process.run(main)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 clean, 1 findings, 2 usage, 3 incomplete, 70 an error of our own, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in words or os.environ.get("PORTWRIGHT_DEBUG", "0") not in ("", "0")
    try:
        if debug:
            _log_decisions()
        if words[:1] == ["--version"]:
            # The rules ship with the program, so their version is its own.
            print_bytes(f"portwright {__version__} (rules {__version__}, Python {sys.version.split()[0]})\n".encode())
            sys.exit(CLEAN)
        from portwright.cli.arguments import HelpWanted, UsageError, read

        if not words:
            from portwright.cli.arguments import FIRST_STEPS

            show(FIRST_STEPS)
            return USAGE
        try:
            options = read(words)
        except HelpWanted as wanted:
            print_bytes(str(wanted).encode("utf-8", "surrogateescape"))
            sys.exit(CLEAN)
        except UsageError as error:
            raise Complaint(str(error)) from None
        if options.command in _READING:
            from portwright.cli.settling import know_all_daemons, settle

            know_all_daemons()
            if options.command in _CONFIGURED:
                settle(options)
        return _command(options.command)(options)
    except Complaint as complaint:
        say(f"portwright: {complaint}")
        return USAGE
    except KeyboardInterrupt:
        say("portwright: interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  whatever it is, it is our bug, and 1 means findings
        from portwright.audit.mistake import line, trace

        if debug:
            show(trace(error))
        say(f"portwright: {line(error, debug=debug)}")
        return INTERNAL


def _log_decisions() -> None:
    from portwright._start import debug_log
    from portwright.cli.terminal import in_a_log
    from portwright.reports.escape import safe
    from portwright.reports.secrets import hide_in_line

    if sys.stderr is not None:
        debug_log.enable(lambda line: in_a_log(safe(hide_in_line(line))))


def _command(name: str) -> Callable[[Options], int]:
    """What runs a command, from its file."""
    from importlib import import_module

    run: Callable[[Options], int] = import_module(f"portwright.cli.commands.{name.replace('-', '_')}").run
    return run
