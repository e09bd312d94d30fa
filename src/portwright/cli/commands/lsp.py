"""`portwright lsp`: findings in an editor."""

from __future__ import annotations

import os

from portwright.cli.asked import asked_inputs, asked_rules
from portwright.cli.settling import settle
from portwright.cli.streams import CLEAN, Complaint

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.audit.check import Selection
    from portwright.cli.arguments import Options as Given
    from portwright.lsp import Asked, AskedError

    try:
        from portwright.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("pygls", "lsprotocol"):
            raise Complaint("lsp needs pygls, which is not installed: pip install 'portwright[lsp]'") from None
        raise

    def asking(place: str) -> Asked:
        if not os.path.lexists(place):  # what is new in an editor, and nowhere in its workspace
            return Asked((), (), frozenset(), Selection())
        # As if it were called there: each folder has its own configuration.
        here = Given(**{**options.__dict__, "paths": [place], "settled": None})
        try:
            settle(here, place if os.path.isdir(place) else os.path.dirname(place))
            rules, known, selection = asked_rules(here)
            return Asked(asked_inputs(here), rules, known, selection, here.rate)
        except Complaint as complaint:
            raise AskedError(str(complaint)) from None

    serve(asking)
    return CLEAN
