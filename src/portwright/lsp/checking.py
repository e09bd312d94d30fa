"""One input as an editor has it, checked: its diagnostics by file, the rules they are of, and the edits that mend them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from lsprotocol import types

from portwright._start.records import dataclass
from portwright.audit.buffers import Buffers, files, verdict_over
from portwright.audit.inputs import Input
from portwright.finding import Finding, HostResult, Note, Severity
from portwright.lsp import Asked
from portwright.lsp.places import address_of
from portwright.lsp.positions import Positions
from portwright.reports.escape import safe
from portwright.reports.words import counted, cut_off, judged, told_uncovered, what_to_do
from portwright.source import Source, Span
from portwright.system.sysctl.settle import defaults

MOST_OF_A_FILE = 500
"""Diagnostics of one file; more of them help nobody who edits it."""
_MOST_RELATED = 50
_MOST_TEXT = 5000
_SOURCE = "portwright"
_SEVERITIES: dict[Severity, types.DiagnosticSeverity] = {
    "high": types.DiagnosticSeverity.Error,
    "medium": types.DiagnosticSeverity.Warning,
    "low": types.DiagnosticSeverity.Information,
    "info": types.DiagnosticSeverity.Information,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in a file that is there, and the diagnostic that tells of it."""

    finding: Finding
    diagnostic: types.Diagnostic


@dataclass(frozen=True)
class CheckedInput:
    """What was found in an input, with the buffers it was read with; `encoding` is how the editor counts."""

    given: Input
    asked: Asked
    buffers: Buffers
    result: HostResult
    encoding: str

    @cached_property
    def paths(self) -> dict[str, str]:
        """The absolute paths of the files that the result names; the kernel's defaults lie in none that an editor could show."""
        kernel = defaults()
        named = {*self.result.paths, *(each.at.path for each in self.result.unused)}
        return files(self.given, [label for label in named if self.result.sources.get(label) != kernel], self.buffers)

    @cached_property
    def _positions(self) -> dict[str, Positions]:
        return {label: Positions(self.result.sources.get(label) or Source(label, ""), self.encoding) for label in self.paths}

    @cached_property
    def found(self) -> Mapping[str, tuple[Found, ...]]:
        """The findings by the absolute path of the file they are in."""
        own: dict[str, list[Found]] = defaultdict(list)
        for finding in self.result.findings:
            at = self._location(finding.at)
            if at is not None:
                own[self.paths[finding.at.path]].append(Found(finding, self._diagnostic(finding, at.range)))
        return {path: tuple(found) for path, found in own.items()}

    @cached_property
    def diagnostics(self) -> Mapping[str, tuple[types.Diagnostic, ...]]:
        """All that there is to tell, by absolute path: findings, what could not be read, what is not covered."""
        own: dict[str, list[types.Diagnostic]] = defaultdict(list)
        for path, found in self.found.items():
            own[path] += [each.diagnostic for each in found]
        for code, severity, text, at in self._gaps():
            place = self._location(at)
            if place is not None:
                said = types.Diagnostic(place.range, _cut(safe(text)), severity=severity, code=code, source=_SOURCE)
                own[self.paths[at.path]].append(said)
        return {path: _at_most(said) for path, said in own.items()}

    def was_read_with(self, path: str, content: bytes) -> bool:
        """Whether a file was read with just this content."""
        label = next((label for label, file in files(self.given, self.result.sources, {path: content}).items() if file == path), None)
        source = None if label is None else self.result.sources.get(label)
        return source is not None and source.text.encode("utf-8", "surrogateescape") == content

    def _gaps(self) -> Iterator[tuple[str, types.DiagnosticSeverity, str, Span]]:
        for trouble in sorted(self.result.unreadable):
            yield "unreadable", types.DiagnosticSeverity.Warning, f"could not be read: {trouble.reason}", trouble.at
        for text, at in told_uncovered(self.result.coverage):
            yield "not-covered", types.DiagnosticSeverity.Hint, text, at
        for each in self.result.unused:
            yield "no-effect", types.DiagnosticSeverity.Hint, each.reason, each.at

    def _location(self, at: Span) -> types.Location | None:
        if at.path not in self._positions:
            return None
        return types.Location(address_of(self.paths[at.path]), self._positions[at.path].range(at))

    def _diagnostic(self, finding: Finding, where: types.Range) -> types.Diagnostic:
        placed: list[types.DiagnosticRelatedInformation] = []
        said = [finding.message, *judged(finding)]
        for note in finding.notes[:_MOST_RELATED]:
            related = self._related(note)
            if related is None:
                said.append(f"note: {note.text}" if note.at is None else f"note: {note.text} ({note.at})")
            else:
                placed.append(related)
        if len(finding.notes) > _MOST_RELATED:
            said.append(f"{counted(len(finding.notes) - _MOST_RELATED, 'more line')} are not listed")
        said.append(what_to_do(finding))
        page = next((reference for reference in finding.card.references if reference.startswith("https://")), None)
        return types.Diagnostic(
            where,
            "\n".join(_cut(safe(line)) for line in said if line),
            severity=_SEVERITIES[finding.severity],
            code=finding.card.id,
            code_description=None if page is None else types.CodeDescription(page),
            source=_SOURCE,
            related_information=placed or None,
        )

    def _related(self, note: Note) -> types.DiagnosticRelatedInformation | None:
        at = None if note.at is None else self._location(note.at)
        return None if at is None else types.DiagnosticRelatedInformation(at, _cut(safe(note.text)))


def checked(given: Input, asked: Asked, buffers: Buffers, encoding: str) -> CheckedInput:
    """An input read with the buffers of an editor, and what the rules find in it."""
    return CheckedInput(
        given, asked, buffers, verdict_over(given, buffers, asked.rules, asked.selection, asked.known, asked.rate), encoding
    )


def _at_most(said: list[types.Diagnostic]) -> tuple[types.Diagnostic, ...]:
    said.sort(key=lambda each: (each.severity or 0, each.range.start.line, each.range.start.character))
    if len(said) <= MOST_OF_A_FILE:
        return tuple(said)
    left = f"{counted(len(said) - MOST_OF_A_FILE, 'more remark')} on this file: portwright check lists them"
    start = types.Position(0, 0)
    more = types.Diagnostic(types.Range(start, start), left, severity=types.DiagnosticSeverity.Information, source=_SOURCE)
    return (*said[:MOST_OF_A_FILE], more)


def _cut(text: str) -> str:
    return cut_off(text, _MOST_TEXT)
