"""A small palette: what a piece of a report is, as terminal colours and links when they are asked for."""

import re
from collections.abc import Mapping
from typing import Literal

from portwright._start.lazy_regex import lazy_regex

Role = Literal["high", "medium", "low", "info", "frame", "note", "good", "bad", "strong", "faint"]

_CODES: dict[Role, str] = {
    "high": "1;31",
    "medium": "1;33",
    "low": "1;36",
    "info": "1;34",
    "frame": "34",
    "note": "36",
    "good": "32",
    "bad": "31",
    "strong": "1",
    "faint": "2",
}


_LONGEST_LINK = 2000  # VTE takes no more than 2083 characters
_WORDS = lazy_regex(r"\x1b\[[0-9;]*m|[^\s\x1b,;()]+")
_AFTER_PATH = lazy_regex(r":[0-9]+:[0-9]+$")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


class Style:
    """Paints text for a terminal and links places in it, or leaves it as it is.

    `files` says where on the machine called `machine` the files lie that a report names; a path it does not know is no link.
    """

    def __init__(self, color: bool, files: Mapping[str, str] | None = None, machine: str = "") -> None:
        self.color = color
        self.files = files or {}
        self.machine = machine

    def __call__(self, role: Role, text: str) -> str:
        """The text in the colour of its role (ECMA-48 SGR, reset at its end); blank text stays bare."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.color and text.strip() else text

    def link(self, path: str, text: str) -> str:
        """The text as a link to a file that the report names (OSC 8); bare where it lies nowhere that is known."""
        file = self.files.get(path)
        target = "" if file is None else f"file://{_quoted(self.machine)}{_quoted(file)}"
        return f"\x1b]8;;{target}\x1b\\{text}\x1b]8;;\x1b\\" if 0 < len(target) <= _LONGEST_LINK and text else text

    def places(self, line: str) -> str:
        """A line of a report with every known path in it, and the line and column behind it, made a link."""
        return _WORDS.sub(self._place, line) if self.files else line

    def _place(self, match: re.Match[str]) -> str:
        word = match.group().rstrip(":")
        return self.link(_AFTER_PATH.sub("", word), word) + match.group()[len(word) :]


def _quoted(path: str) -> str:
    """The bytes of a path as a part of a URI (RFC 3986): nothing in it can end the link or steer the terminal."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode("utf-8", "surrogateescape"))
