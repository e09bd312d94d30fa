"""A small palette: what a piece of a report is, as terminal colours when they are asked for."""

from typing import Literal

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


class Style:
    """Paints text for a terminal, or leaves it as it is."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, role: Role, text: str) -> str:
        """The text in the colour of its role (ECMA-48 SGR, reset at its end); blank text stays bare."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.color and text.strip() else text
