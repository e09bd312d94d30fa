"""Reports and files: how they look where they go, and that they are written whole or not at all."""

from __future__ import annotations

import os

from portwright.cli.streams import Complaint, print_bytes

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.reports.registry import Look


def _files(named: Iterable[tuple[Input, Iterable[str]]], options: Options, output: str | None) -> list[dict[str, str]]:
    """Where the files lie that a report names of each input; nothing where its places will be no links."""
    from portwright.cli import terminal

    if not terminal.links(options.color, output):
        return []
    from portwright.audit.check import located

    return [located(given, paths) for given, paths in named]


def tell(
    command: str,
    given: object,
    outputs: Iterable[tuple[str, str | None]],
    options: Options,
    named: Sequence[tuple[Input, Iterable[str]]] = (),
) -> None:
    """Write what a command came to in each format; `named` are the inputs with the paths that a report of each may name."""
    from portwright.cli import terminal
    from portwright.reports.registry import find

    for form, output in outputs:
        report = find(form, command)
        if report is None:
            raise Complaint(f"{command} has no report in the format {form}")
        text = report.write(given, _look(options, output, named, is_shown=report.is_shown))
        if report.is_shown and terminal.is_terminal(output) and not terminal.unicode(output):
            from portwright.reports.escape import in_ascii

            text = in_ascii(text)
        write_text(output, text, getattr(options, "paths", ()), commands=report.is_commands)


def _look(options: Options, output: str | None, named: Sequence[tuple[Input, Iterable[str]]], *, is_shown: bool) -> Look:
    """How a report is to look; only where it is shown to a reader is a terminal asked."""
    from portwright.cli import terminal
    from portwright.reports.registry import Look

    amount = {"quiet": options.quiet, "verbose": options.verbose, "show_allowed": getattr(options, "show_allowed", False)}
    if not is_shown:
        return Look(width=terminal.width(output), **amount)
    return Look(
        color=terminal.color(options.color, output),
        width=terminal.width(output),
        unicode=terminal.unicode(output),
        files=_files(named, options, output),
        machine=os.uname().nodename,
        **amount,
    )


def write_text(output: str | None, text: str, foreign: Sequence[str] = (), *, commands: bool = False) -> None:
    """Write a report: to standard output, or to a file that is replaced whole or not at all.

    Where its lines are no `commands` for the CI job whose log this is, none of them becomes one.
    """
    if not commands and (output is None or output.startswith(("/dev/", "/proc/"))):
        from portwright.cli import terminal

        text = terminal.in_a_log(text)
    if output is None:
        print_bytes(text.encode("utf-8", "backslashreplace"))
    else:
        keep({output: text}, foreign)


def keep(files: Mapping[str, str | bytes], foreign: Sequence[str], private: Collection[str] = (), folder: str = "") -> None:
    """Write files, all or none, into a `folder` of the owner's own if one is named. `foreign` are the inputs, in which others may have
    laid links."""
    from portwright.cli.outputs import Output, OutputError, make_folder, write

    try:
        if folder:
            make_folder(folder, foreign)
        data = ((path, text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")) for path, text in files.items())
        write([Output(path, each, path in private) for path, each in data], foreign)
    except OutputError as error:
        raise Complaint(str(error)) from None
