"""Configs that include configs: which paths to read next, with loops, depth, number and size kept in check."""

from portwright.formats import words
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand, is_pattern

DEEPEST = 16
MOST_FILES = 4096
MOST_LINES = 100_000
MOST_REPEATED = 1 << 20  # characters of files that are included once more


def named_files(value: Word, directory: str, files: Files) -> tuple[str, ...]:
    """The paths that the word of an include names, a pattern's in order; `directory` is where a relative one starts."""
    try:
        return expand(value.text if value.text.startswith("/") else f"{directory}/{value.text}", files)
    except TooMany:
        files.report_unreadable(value.at, "too many files match")
        return ()


def may_follow(path: str, value: Word, chain: tuple[str, ...], read: int, files: Files) -> bool:
    """Whether an included file is read: not where it led here itself, nor after too many. `chain` are the files that led here."""
    if path in chain or len(chain) > DEEPEST or read >= MOST_FILES:
        files.report_unreadable(value.at, "a file includes itself, or too many files include others: not followed")
        return False
    return True


class Includes:
    """One reading of a line config and what it includes; each file is parsed once, however often it is included.

    `relative_to` is the directory that include paths without a leading `/` start from. `broken` says whether a line was met that
    makes the daemon refuse to start; the reason is in `files.unreadable`.
    """

    def __init__(self, files: Files, dialect: words.Dialect, relative_to: str, daemon: str) -> None:
        self.files = files
        self.broken = False
        self._dialect = dialect
        self._relative_to = relative_to.rstrip("/")
        self._daemon = daemon
        self._parsed: dict[str, tuple[words.Line, ...]] = {}
        self._read = 0
        self._lines = 0

    def refuse(self, at: Span, reason: str) -> None:
        """Note a line for which the daemon does not start."""
        self.broken = True
        self.files.report_unreadable(at, f"{self._daemon} does not start: {reason}")

    def lines(self, path: str) -> tuple[words.Line, ...]:
        """The directives of a file; none for one that cannot be read, which `files` has noted."""
        if path not in self._parsed:
            source = self.files.read(path)
            found, troubles = words.parse(source, self._dialect) if source is not None else ((), ())
            self._parsed[path] = found
            for trouble in troubles:
                self.refuse(trouble.at, trouble.reason)
        self._read += 1
        self._lines += len(self._parsed[path])
        return self._parsed[path]

    def included(self, line: words.Line, chain: tuple[str, ...], needed: bool = False) -> tuple[str, ...]:
        """The paths an include line leads to, in order; `chain` are the files that led here, outermost first.

        `needed`: the daemon does not start where a file named without wildcards is missing.
        """
        if len(chain) > DEEPEST:
            self.files.report_unreadable(line.at, f"includes nested more than {DEEPEST} deep are not followed")
            return ()
        found: list[str] = []
        for value in line.values:
            pattern = value.text if value.text.startswith("/") else f"{self._relative_to}/{value.text}"
            try:
                paths = expand(pattern, self.files)
            except TooMany:
                self.files.report_unreadable(value.at, "too many files match")
                continue
            if needed and not paths and not is_pattern(value.text) and not self.files.partial:
                self.refuse(value.at, f"{value.text} is not there")
            for path in paths:
                if path in chain:
                    self.files.report_unreadable(
                        value.at, f"a file includes itself: {' includes '.join((*chain[chain.index(path) :], path))}"
                    )
                elif self._read + len(found) >= MOST_FILES or self._lines > MOST_LINES:
                    self.files.report_unreadable(value.at, f"more than {MOST_FILES} files or {MOST_LINES} lines: the rest is not read")
                    return tuple(found)
                else:
                    found.append(path)
        return tuple(found)
