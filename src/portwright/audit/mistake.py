"""An error of our own, in one line: what it is, where it came up, and what to report."""

from portwright import __version__

_LONGEST = 300


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
    said = f"{type(error).__name__}: {error}"[:_LONGEST]
    more = "the traceback above" if debug else "the traceback that --debug shows"
    bug = f"this is a bug of portwright {__version__}: report this line and {more} to its maintainers"
    return f"internal error: {said}{place(error)}; {bug}"
