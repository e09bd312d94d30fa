"""Lines of a daemon's config or a unit in a repository: in a file of its own, or a template whose line says it as it is."""

from collections.abc import Iterator, Sequence

from portwright._start.records import dataclass
from portwright.changes import Change, CorrectUnit, EditConfig, EditUnit
from portwright.changes.rewritten import rewritten
from portwright.fixes.patches.diff import hunks, lines_of
from portwright.fixes.patches.place import Place, Texts, Wish
from portwright.fixes.patches.texts import NoPlaceError, TextEdit
from portwright.source import Rewrite, Source, Span

_HOLDING = (".yml", ".yaml", ".sh", ".bash", ".tf", ".nix", ".pp", ".rb", ".sls", ".json", ".bu", ".ign")
"""The ends of files that hold the text of another one, indented as they are themselves."""


@dataclass(frozen=True, slots=True)
class ConfigLines(Place):
    """The lines of one file that are edited."""

    path: str
    line: int

    def __hash__(self) -> int:
        return hash(self.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigLines) and self.path == other.path

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        new = rewritten(source, {_at_its_end(source, each) for each in _own(self.path, wishes)})
        starts = [0]
        for line in lines_of(source.text):
            starts.append(starts[-1] + len(line))
        return [TextEdit(self.path, starts[each.start - 1], starts[each.end - 1], each.text) for each in hunks(self.path, source.text, new)]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        own = _own(self.path, wishes)
        lines = ", ".join(map(str, sorted({each.at.line for each in own})))
        said = {change.edits.rewriting.words: None for _, change in wishes if isinstance(change, CorrectUnit | EditConfig | EditUnit)}
        return f"{'; '.join(said)} (in line{'s' if ',' in lines else ''} {lines})"


def _at_its_end(source: Source, each: Rewrite) -> Rewrite:
    """A line put in behind another one, at the end of that: in a template what is filled in is as long as it is there."""
    if each.was or not each.text.startswith(("\n", "\r\n")):
        return each
    end = len(source.line(each.at.line)) + 1
    return Rewrite(Span(each.at.path, each.at.line, end, each.at.line, end), each.text)


def _own(path: str, wishes: Sequence[Wish]) -> set[Rewrite]:
    return {each for _, change in wishes for each in _rewrites(change) if each.at.path == path}


def _rewrites(change: Change) -> tuple[Rewrite, ...]:
    if isinstance(change, CorrectUnit | EditConfig):
        return change.edits.rewriting.rewrites
    return change.edits.in_unit if isinstance(change, EditUnit) else ()


def places(change: CorrectUnit | EditConfig | EditUnit, texts: Texts) -> Iterator[tuple[Place, ...]]:
    """The files in which a change rewrites lines. Raises NoPlaceError where one of them is no text of its own in the repository."""
    first: dict[str, int] = {}
    for each in _rewrites(change):
        if not texts.has(each.at.path):
            raise NoPlaceError(f"{each.at} is no line of a file of the repository")
        if "\n" in each.text and each.at.path.removesuffix(".j2").endswith(_HOLDING):
            raise NoPlaceError(f"{each.at} is a line inside of another file's text, to which none is added")
        first[each.at.path] = min(each.at.line, first.get(each.at.path, each.at.line))
    yield tuple(ConfigLines(path, line) for path, line in first.items())
