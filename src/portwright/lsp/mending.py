"""Fixes that are edits of a repository's files, as an editor makes them."""

import os
from collections.abc import Iterable, Iterator, Mapping

from lsprotocol import types

from portwright._start.records import dataclass
from portwright.audit.patching import MOST_FOR_A_REPORT, patched
from portwright.finding import Finding, Replaced
from portwright.fixes.policy import FixPolicy
from portwright.lsp import Document
from portwright.lsp.checking import CheckedInput, Found
from portwright.lsp.places import address_of
from portwright.lsp.positions import Positions
from portwright.reports.escape import safe
from portwright.reports.words import what_to_do
from portwright.source import Source


@dataclass(frozen=True, slots=True)
class Mending:
    """What is done to one file; `was` is the text it had, None where there is none yet."""

    path: str
    was: str | None
    edits: tuple[types.TextEdit, ...]


def mendings(checked: CheckedInput) -> dict[str, tuple[Mending, ...]]:
    """What a proven patch does for each finding that it mends, by fingerprint; nothing for a host, which gets a playbook."""
    asked, given = checked.asked, checked.given
    if given.kind != "repository":
        return {}
    made = patched(
        given,
        asked.rules,
        asked.selection,
        asked.known,
        FixPolicy(review=True),
        asked.rate,
        MOST_FOR_A_REPORT,
        checked.buffers,
    )
    top = os.path.abspath(given.path)

    def of(replaced: Iterable[Replaced]) -> Iterator[Mending]:
        by_path: dict[str, list[Replaced]] = {}
        for each in replaced:
            by_path.setdefault(each.path, []).append(each)
        for label, own in by_path.items():
            was = made.before[label]
            places = Positions(Source(label, was or ""), checked.encoding)
            edits = tuple(types.TextEdit(places.lines(each.start, each.end), each.text) for each in own)
            path = os.path.join(top, os.fsdecode(label.encode("utf-8", "surrogateescape")))
            yield Mending(checked.paths.get(label, path), was, edits)

    return {fingerprint: tuple(of(repair.replaced)) for fingerprint, repair in made.repairs().items() if repair.replaced}


def action(
    found: Found, own: Iterable[Mending], documents: Mapping[str, Document], can: types.WorkspaceEditClientCapabilities
) -> types.CodeAction | None:
    """The quick fix of a finding; None where a file is no longer what it was, or the editor cannot do what it takes.

    `documents` are those that are open, by path.
    """
    changes: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = []
    plain: dict[str, list[types.TextEdit]] = {}
    for each in own:
        document = documents.get(each.path)
        now = _on_disk(each.path) if document is None else document.content.decode("utf-8", "surrogateescape")
        if now != each.was:
            return None
        address = address_of(each.path) if document is None else document.address
        if each.was is None:
            if types.ResourceOperationKind.Create not in (can.resource_operations or ()):
                return None
            changes.append(types.CreateFile(address))
        version = None if document is None else document.version
        changes.append(types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(address, version), list(each.edits)))
        plain[address] = list(each.edits)
    edit = types.WorkspaceEdit(document_changes=changes) if can.document_changes else types.WorkspaceEdit(plain)
    return types.CodeAction(_title(found.finding), types.CodeActionKind.QuickFix, [found.diagnostic], edit=edit)


def _title(finding: Finding) -> str:
    return safe(what_to_do(finding).removeprefix("fix: "))


def _on_disk(path: str) -> str | None:
    from portwright.audit.inputs import InputError, inputs
    from portwright.trees import ReadError

    try:
        (given,) = inputs([path])
        data = given.tree.read(path) if given.kind == "file" else None
    except (InputError, ReadError, ValueError):
        return None
    return None if data is None else data.decode("utf-8", "surrogateescape")
