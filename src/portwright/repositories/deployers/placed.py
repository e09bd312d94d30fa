"""A file that another one puts on a host: its lines stand where a reviewer sees them."""

from collections.abc import Iterable

from portwright._start.records import dataclass, field
from portwright.source import Word
from portwright.system.spanned_text import UNKNOWN

LONGEST = 1 << 18
"""Characters of a source that are looked through."""
MOST = 200
"""Files that one source may put on a host."""
_MOST_SETTINGS = 8
"""Kernel settings that one line of a source may make."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A file at its path on a host. `text` has every line at its own line number in the source, and blank lines for all else.

    So a span in it is one in the source. Columns are those of the source, too, but behind a value that was filled in. `cut` are the
    lines of the source that write several, of which only the first has a place.
    """

    path: str
    text: str
    cut: tuple[int, ...] = ()


@dataclass
class Pages:
    """The files that one source writes, by their paths and line by line; `label` is the source."""

    label: str
    lines: dict[str, dict[int, str]] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)

    def write(self, path: str, lines: Iterable[tuple[int, str]], append: bool = False) -> None:
        """Put (line number, text) into a file; without `append` what the file had before is gone."""
        if not _is_path(path) or (len(self.lines) >= MOST and path not in self.lines):
            return
        if not append:
            self.lines[path] = {}
            self.cut.pop(path, None)
        kept = self.lines.setdefault(path, {})
        for number, text in lines:
            first, *more = text.split("\n")
            if number in kept or any(more):
                self.cut.setdefault(path, []).append(number)
            kept.setdefault(number, first)

    def set(self, number: int, column: int, key: str, value: str) -> None:
        """Put a kernel setting into a file of sysctl.d; a second one of the same line goes into another."""
        text = " " * column + f"{key} = {value}"
        for each in range(_MOST_SETTINGS):
            path = f"/etc/sysctl.d/zz-{self.label.replace('/', '-')}-{each}.conf"
            if number not in self.lines.get(path, {}) or each == _MOST_SETTINGS - 1:
                self.write(path, [(number, text)], append=True)
                return

    def placed(self) -> tuple[Placed, ...]:
        """The files as they stand at the end."""
        found = []
        for path, lines in self.lines.items():
            if lines:
                text = "\n".join(lines.get(number, "") for number in range(1, max(lines) + 1)) + "\n"
                found.append(Placed(path, text, tuple(self.cut.get(path, ()))))
        return tuple(found)


def _is_path(path: str) -> bool:
    """Whether this is a whole path on a host."""
    return path.startswith("/") and UNKNOWN not in path and "/../" not in path and not path.endswith("/") and "\n" not in path


def block(word: Word, outer: list[str]) -> list[tuple[int, str]]:
    """The lines of a text that a YAML scalar holds, as they stand in the source; only those of a literal block have lines of their own."""
    at = word.at
    if not outer[at.line - 1][at.column - 1 :].startswith("|"):
        return [(at.line, " " * (at.column - 1) + word.text)]
    last = at.end_line if at.end_column > 1 else at.end_line - 1
    return [(number, outer[number - 1]) for number in range(at.line + 1, min(last, len(outer)) + 1)]
