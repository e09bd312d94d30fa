"""An error of our own: what it is, where it came up, and what to report; in no word of it a secret of what was read."""

import re

from portwright import __version__
from portwright._start.lazy_regex import lazy_regex

_LONGEST = 300
_MOST_ERRORS = 8  # of a chain of causes

# Python quotes in an error's words the value that it is about: KeyError: 'hunter2', invalid literal for int() with base 10: 'hunter2'.
_QUOTED = lazy_regex(r"'(?:[^'\\]|\\.)*+(?:'|\\?\Z)|\"(?:[^\"\\]|\\.)*+(?:\"|\\?\Z)", re.DOTALL)


def place(error: BaseException) -> str:
    """The innermost line of ours that an error went through, as ` in portwright.formats.shell:473`; "" where it went through none."""
    found, step = "", error.__traceback__
    while step is not None:
        module = step.tb_frame.f_globals.get("__name__", "")
        if module.startswith("portwright"):
            found = f" in {module}:{step.tb_lineno}"
        step = step.tb_next
    return found


def reason(error: BaseException) -> str:
    """What a report says of it; the error's own words may hold anything of what was read, and go to standard error alone."""
    return f"internal error: {type(error).__name__}{place(error)}; nothing else is told of this one"


def line(error: BaseException, *, debug: bool) -> str:
    """What its finder is told."""
    more = "the traceback above" if debug else "the traceback that --debug shows"
    bug = f"this is a bug of portwright {__version__}: report this line and {more} to its maintainers"
    return f"internal error: {_said(error)}{place(error)}; {bug}"


def trace(error: BaseException) -> str:
    """The way it took, as Python shows it, but for the words of the error and where portwright and Python are installed."""
    from traceback import extract_tb

    found: list[str] = []
    each: BaseException | None = error
    while each is not None and len(found) < _MOST_ERRORS:
        stack = extract_tb(each.__traceback__)
        for frame in stack:
            frame.filename = _inside(frame.filename)
        found.append("".join(("Traceback (most recent call last):\n", *stack.format(), f"{_said(each)}\n")))
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\nwhich led to this:\n\n".join(reversed(found))


def _said(error: BaseException) -> str:
    from portwright.reports.escape import safe
    from portwright.reports.secrets import hide_in_line

    words = _QUOTED.sub(lambda match: match[0][0] + "*" * (len(match[0]) - 2) + match[0][0], str(error)[:_LONGEST])
    return safe(" ".join((f"{type(error).__name__}:", *hide_in_line(words).split())))


def _inside(path: str) -> str:
    """A module's file without the folder that holds its package."""
    for top in ("/site-packages/", "/src/", "/lib/"):
        if top in path:
            return path.rpartition(top)[2]
    return path.rpartition("/")[2]
