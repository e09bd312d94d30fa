"""`portwright completion`: a script for a shell."""

from __future__ import annotations

from portwright.cli.streams import CLEAN, print_bytes

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.cli.completion import script

    print_bytes(script(options.shell).encode("utf-8", "strict"))
    return CLEAN
