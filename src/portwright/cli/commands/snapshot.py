"""`portwright snapshot`: what is read of this machine, as an archive without its secrets."""

from __future__ import annotations

import os

from portwright.cli.streams import CLEAN, INCOMPLETE, Complaint
from portwright.cli.telling import write_text

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Sequence

    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.cli.outputs import Output, OutputError, write
    from portwright.fleet.crossed_out import crossed_out
    from portwright.fleet.snapshot import SnapshotError, form, held, packed, taken
    from portwright.trees import ReadError

    how = form(options.output or "")
    if not how:
        raise Complaint("snapshot needs -o FILE, a .tar.gz or .tar.zst")
    try:
        data = packed(crossed_out(taken()), how)
        write([Output(options.output, data, private=True)])
        files, left_out = held(options.output)
    except (SnapshotError, OutputError) as error:
        raise Complaint(str(error)) from None
    except ReadError as error:
        raise Complaint(f"{options.output}: {error.reason}") from None
    if not options.quiet:
        _tell(options, files, len(data), left_out)
    return INCOMPLETE if left_out else CLEAN


def _tell(options: Options, files: int, size: int, left_out: Sequence[tuple[str, str]]) -> None:
    from portwright.reports.escape import safe
    from portwright.reports.words import counted

    lines = [f"{safe(options.output)}: {counted(files, 'file')}, {-(-size // 1024)} KiB, to be read by its owner only"]
    if os.geteuid() != 0:
        lines.append("this was not run as root: what others may not read is not in it")
    if options.verbose:
        lines += [f"not in it: {safe(path)}: {safe(reason)}" for path, reason in left_out]
    elif left_out:
        lines.append(f"{counted(len(left_out), 'thing')} could not be taken (-v lists them)")
    write_text(None, "".join(f"{line}\n" for line in lines))
