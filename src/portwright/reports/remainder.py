"""What a plan or a patch leaves: findings with their reason and manual step, and what could not be read of its host or repository."""

from collections.abc import Callable, Iterator, Sequence

from portwright.fixes.plan import Unplanned
from portwright.reports.escape import safe, wrap
from portwright.reports.excerpt import place
from portwright.reports.style import Style
from portwright.reports.words import counted
from portwright.source import Unreadable

INDENT = 4


def wrapped(text: str, width: int) -> Iterator[str]:
    """A sentence below its heading, in lines of at most so many columns."""
    for line in wrap(text, width - INDENT):
        yield " " * INDENT + line


def by_hand(unplanned: Sequence[Unplanned], said: Callable[[str], str], style: Style, width: int, known: str = "") -> Iterator[str]:
    """The findings that are left; a reason that is `known` was said of the whole before."""
    if not unplanned:
        return
    yield ""
    yield style("strong", f"not fixed automatically ({counted(len(unplanned), 'finding')}):")
    for left in unplanned:
        finding = left.finding
        yield f"  {style(finding.severity, finding.card.id)} at {place(finding.at)}"
        yield from wrapped(said(finding.message), width)
        if left.reason != known:
            yield from wrapped(f"reason: {said(left.reason)}", width)
        if left.step:
            yield from wrapped(f"what to do: {said(left.step)}", width)


def unread(troubles: Sequence[Unreadable], what: str, style: Style, width: int) -> Iterator[str]:
    """What could not be read, so that the plan or the patch may be incomplete."""
    if not troubles:
        return
    yield ""
    for line in wrap(f"{counted(len(troubles), 'place')} could not be read, so this {what} may be incomplete:", width):
        yield style("bad", line)
    for trouble in troubles:
        yield from wrapped(f"{place(trouble.at)}: {safe(trouble.reason)}", width)
