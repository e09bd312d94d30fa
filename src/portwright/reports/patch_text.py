"""A patch as a person reads it: what it changes where and why, what it was seen to mend, what is left and the manual step for it."""

from collections.abc import Callable, Iterator, Mapping

from portwright.fixes.patch import Made, Patch
from portwright.fixes.patches.diff import as_shown
from portwright.reports.escape import safe, wrap
from portwright.reports.excerpt import place
from portwright.reports.remainder import INDENT, by_hand, unread, wrapped
from portwright.reports.secrets import hide_in_source
from portwright.reports.shorten import short
from portwright.reports.style import Role, Style
from portwright.reports.words import counted

_MOST_NAMED = 3


def render(
    patch: Patch,
    written: str,
    *,
    color: bool,
    width: int,
    quiet: bool = False,
    verbose: bool = False,
    diff: bool = False,
    files: Mapping[str, str] | None = None,
    machine: str = "",
) -> str:
    """The report of `fix` in a repository, ending in a newline; `written` is the file that the patch was written to.

    `diff` shows the patch itself. `quiet` leaves a line for each place, each finding that is left and each thing that could not be read;
    `verbose` names the findings that are mended, and cuts no value. `files` say where on this `machine` the files lie.
    """
    style = Style(color, files, machine)
    lines = _brief(patch, written, style) if quiet else _lines(patch, written, style, width, verbose)
    text = "".join(f"{style.places(line)}\n" for line in lines)
    if diff and patch.after:
        text += "\n" + _diff(patch, style)
    return text


def _brief(patch: Patch, written: str, style: Style) -> Iterator[str]:
    for made in patch.made:
        yield f"{place(made.at)}: {safe(made.words)}"
    for left in patch.unplanned:
        severity = left.finding.severity
        yield f"{place(left.finding.at)}: {style(severity, f'{severity}[{left.finding.card.id}]')}: not planned: {safe(left.reason)}"
    for trouble in patch.seen.result.unreadable:
        yield f"{place(trouble.at)}: {style('bad', 'could not be read')}: {safe(trouble.reason)}"
    if written:
        yield f"{safe(written)}: written"


def _lines(patch: Patch, written: str, style: Style, width: int, verbose: bool) -> Iterator[str]:
    said: Callable[[str], str] = safe if verbose else short
    for number, made in enumerate(patch.made, 1):
        first, *more = wrap(f"{place(made.at)}: {said(made.words)}", width - INDENT, width - len(f"{number}. "))
        yield f"{number}. {style('strong', first)}"
        for line in more:
            yield f"{' ' * INDENT}{style('strong', line)}"
        yield from wrapped(f"for {_named(made, verbose)}", width)
    if patch.after:
        yield ""
        summary = f"proven on {safe(patch.name)} read again with this patch: {counted(len(patch.fixed), 'finding')} fixed, no new problem"
        for line in wrap(summary, width):
            yield style("good", line)
    else:
        for line in wrap(f"no patch for {safe(patch.name)}: {safe(patch.reason)}", width):
            yield style("strong", line)
    yield from by_hand(patch.unplanned, said, style, width)
    yield from unread(patch.seen.result.unreadable, "patch", style, width)
    if written:
        yield ""
        yield style("strong", "written: ") + safe(written)
        yield "  look:   git apply --stat --summary " + safe(written)
        yield "  apply:  git apply " + safe(written)
    elif patch.after:
        yield ""
        yield "nothing was written: name a file with --patch FILE"


def _named(made: Made, verbose: bool) -> str:
    """The rules and places of the findings that something is done for."""
    each = list(dict.fromkeys(f"{finding.card.id} at {finding.at}" for finding in made.findings))
    shown = each if verbose else each[:_MOST_NAMED]
    more = f" and {len(each) - len(shown)} more" if len(each) > len(shown) else ""
    return ", ".join(map(safe, shown)) + more


def _diff(patch: Patch, style: Style) -> str:
    roles: dict[str, Role] = {"+": "good", "-": "bad", "@": "frame"}
    text = as_shown(patch.before, patch.after, hide_in_source).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    found = []
    for line in text.removesuffix("\n").split("\n"):
        role: Role | None = "strong" if line.startswith(("diff ", "--- ", "+++ ")) else roles.get(line[:1])
        shown = safe(line.removesuffix("\r")) + ("\r" if line.endswith("\r") else "")
        found.append(shown if role is None else style(role, shown))
    return "".join(f"{line}\n" for line in found)
