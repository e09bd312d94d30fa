"""What standard output can show: colours, width, letters beyond ASCII, links; asked of the terminal and of the environment."""

import os
import sys

from portwright.numbers import decimal

NO_TERMINAL = 100
"""Columns of a report that goes to a file or a pipe."""

_NARROWEST = 40
_COMMANDED = ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
_PLAIN = ("C", "POSIX")

# Terminals that show OSC 8 links; others may print the address, or garbage.
_PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "contour", "rio", "zed", "WarpTerminal", "Tabby")
_TERMS = ("xterm-kitty", "alacritty", "foot", "wezterm", "xterm-ghostty", "contour", "rio", "domterm")


def is_terminal(output: str | None = None) -> bool:
    """Whether a report for this file (None is standard output) is read at a terminal."""
    return output is None and sys.stdout is not None and sys.stdout.isatty()


def color(when: str, output: str | None) -> bool:
    """Whether to colour a report: as asked, else NO_COLOR and FORCE_COLOR, else for a terminal."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(output) and os.environ.get("TERM") != "dumb"


def width(output: str | None) -> int:
    """The columns of the terminal, at least forty; a hundred for anything else."""
    if not is_terminal(output):
        return NO_TERMINAL
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        columns = 0
    return max(_NARROWEST, columns or 80)


def unicode(output: str | None) -> bool:
    """Whether letters beyond ASCII can be shown. A file holds UTF-8."""
    if output is not None or sys.stdout is None:
        return True
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        return False
    return not is_terminal(output) or not _asks_for_ascii()


def links(when: str, output: str | None) -> bool:
    """Whether places in a report are links: as FORCE_HYPERLINK and NO_HYPERLINK say, else for terminals known to show them."""
    get = os.environ.get
    if when == "never" or output is not None:
        return False
    if get("FORCE_HYPERLINK"):
        return get("FORCE_HYPERLINK") != "0"
    if get("NO_HYPERLINK") or get("NO_COLOR") or get("CI") or not is_terminal(output):
        return False
    term, program = get("TERM", ""), get("TERM_PROGRAM", "")
    if term == "dumb":
        return False
    # A multiplexer stands between the terminal and us, and passes on what the terminal set in the environment.
    if get("TMUX"):
        return program == "tmux" and _number(get("TERM_PROGRAM_VERSION", "")) >= (3, 4)
    if get("STY"):
        return False
    return (
        program in _PROGRAMS
        or term.startswith(_TERMS)
        or bool(get("WT_SESSION") or get("DOMTERM"))
        or _number(get("VTE_VERSION", "")) >= (5000,)
        or _number(get("KONSOLE_VERSION", "")) >= (201200,)
    )


def in_a_log(text: str) -> str:
    """A report for standard output. The log of a CI job takes some lines for commands: none that begins as one reaches it.

    GitHub Actions: `::` where a line begins, `##[` anywhere; Azure Pipelines: `##vso[` and `##[`; TeamCity: `##teamcity[`.
    """
    if not any(os.environ.get(name) for name in _COMMANDED):
        return text
    import re

    # In JSON a backslash and `u` mean the character itself.
    text = re.sub(r"##(?=\w*\[)", r"\\u0023#" if text.startswith("{") else r"\\x23#", text)
    return re.sub(r"^((?:\s|\x1b\[[0-9;]*m)*):(?=:)", r"\1\\x3a", text, flags=re.MULTILINE)


def _asks_for_ascii() -> bool:
    """Whether the locale is C, where Python takes a terminal to be one of UTF-8 all the same (PEP 538, PEP 540)."""
    get = os.environ.get
    if get("PYTHONIOENCODING") or get("PYTHONUTF8") == "1":
        return False
    # With LANG=C Python sets LC_CTYPE itself.
    coerced = get("LC_CTYPE") == "C.UTF-8" and get("LANG") in _PLAIN
    said = get("LC_ALL") or (get("LANG") if coerced else get("LC_CTYPE") or get("LANG"))
    return said in _PLAIN


def _number(text: str) -> tuple[int, ...]:
    """The numbers a version begins with: `3.4a` is (3, 4); () for none."""
    found: list[int] = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        number = decimal(digits, 999_999_999)
        if number is None:
            break
        found.append(number)
    return tuple(found)
