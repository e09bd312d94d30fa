"""A file that another one puts on a host: its lines stand where a reviewer sees them."""

from collections.abc import Iterable

from portwright._start.records import dataclass, field
from portwright.source import Word

LONGEST = 1 << 18
"""Characters of a source that are looked through."""
MOST = 200
"""Files that one source may put on a host."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A file at its path on a host. `text` has every line at its own line number in the source, and blank lines for all else.

    So a span in it is one in the source. Columns are those of the source, too, but behind a value that was filled in.
    """

    path: str
    text: str


@dataclass
class Pages:
    """The files that a source writes, line by line, by their paths; a line that is written twice stands where it is written last."""

    lines: dict[str, dict[int, str]] = field(default_factory=dict)

    def write(self, path: str, lines: Iterable[tuple[int, str]], append: bool = False) -> None:
        """Put (line number, text) into a file; without `append` what the file had before is gone."""
        if not is_path(path) or (len(self.lines) >= MOST and path not in self.lines):
            return
        if not append:
            self.lines[path] = {}
        kept = self.lines.setdefault(path, {})
        for number, text in lines:
            kept[number] = f"{kept[number]}\t{text.lstrip()}" if number in kept and text else text

    def placed(self) -> tuple[Placed, ...]:
        """The files as they stand at the end."""
        found = []
        for path, lines in self.lines.items():
            if lines:
                last = max(lines)
                found.append(Placed(path, "\n".join(lines.get(number, "") for number in range(1, last + 1)) + "\n"))
        return tuple(found)


def is_path(path: str) -> bool:
    """Whether this is a whole path on a host."""
    return path.startswith("/") and "\ufffd" not in path and "/../" not in path and not path.endswith("/") and "\n" not in path


def block(word: Word, outer: list[str]) -> list[tuple[int, str]]:
    """The lines of a text that a YAML scalar holds, as they stand in the source; a scalar on one line is itself."""
    at = word.at
    if at.line == at.end_line or not outer[at.line - 1][at.column - 1 :].lstrip().startswith(("|", ">")):
        return [(at.line, " " * (at.column - 1) + line) for line in word.text.split("\n")[:1]]
    last = at.end_line if at.end_column > 1 else at.end_line - 1
    return [(number, outer[number - 1]) for number in range(at.line + 1, min(last, len(outer)) + 1)]
