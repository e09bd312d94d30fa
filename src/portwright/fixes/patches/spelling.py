"""The name of a kernel setting in a repository's line: spelt right, every other character as it was."""

import re
from collections.abc import Iterator, Sequence

from portwright._start.records import dataclass
from portwright.changes import CorrectSysctlKey
from portwright.finding import Finding
from portwright.fixes.patches.place import Place, Texts, Wish
from portwright.fixes.patches.texts import NoPlaceError, TextEdit, offset, short_line

_FAR = 6
"""Lines above a value in which the name of its setting stands."""


@dataclass(frozen=True, slots=True)
class SpeltRight(Place):
    """The one word of a line that names no setting."""

    path: str
    line: int
    wrong: str
    key: str

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        forms = "|".join(re.escape(form) for form in sorted({self.wrong, self.wrong.translate(str.maketrans("./", "/."))}))
        pattern = re.compile(rf"(?<![\w./])(?:{forms})(?![\w./])")
        # A value is told by its line; the name may stand above it.
        near = (number for number in range(self.line, max(self.line - _FAR, 0), -1) if pattern.search(short_line(source, number)))
        number = next(near, self.line)
        found = list(pattern.finditer(short_line(source, number)))
        if len(found) != 1:
            raise NoPlaceError(f"{self.path}:{self.line} does not say {self.wrong} once, as it is read")
        begin = offset(source, number)
        return [TextEdit(self.path, begin + found[0].start(), begin + found[0].end(), self.key)]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"spell {self.key} right, which is no {self.wrong}"


def places(finding: Finding, change: CorrectSysctlKey, texts: Texts) -> Iterator[tuple[Place, ...]]:
    """The line of the repository that spells it wrong."""
    if not texts.has(change.at.path):
        raise NoPlaceError(f"{change.at} is no line of a file of the repository")
    yield (SpeltRight(change.at.path, change.at.line, finding.subject.sysctl or "", change.key),)
