"""The server itself: what an editor says becomes checks, and what these come to becomes diagnostics, hovers and quick fixes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from portwright import __version__
from portwright.audit.buffers import places
from portwright.audit.inputs import Input
from portwright.audit.mistake import reason
from portwright.lsp import Asked, AskedError, Asking, Document
from portwright.lsp.checking import CheckedInput, Found, checked
from portwright.lsp.hovering import shown
from portwright.lsp.mending import Mending, action, mendings
from portwright.lsp.places import address_of, path_of
from portwright.lsp.positions import touches
from portwright.reports.escape import safe


class Server(LanguageServer):
    """Checks each folder of the workspace as the command would, and what lies in none of them alone.

    One check runs at a time, on a thread of its own; what is asked for meanwhile is checked once, afterwards.
    """

    def __init__(self, asking: Asking) -> None:
        # A whole document comes with each change: to apply parts of one, both sides would have to agree on what ends a line.
        super().__init__("portwright", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self._asking = asking
        self._worker = ThreadPoolExecutor(1, "check")
        self._wanted: dict[str, None] = {}
        self._busy: asyncio.Task[None] | None = None
        self._checked: dict[str, tuple[CheckedInput, ...]] = {}
        self._mendings: dict[str, dict[str, tuple[Mending, ...]]] = {}
        self._told: dict[str, dict[str, str]] = {}
        self._remarks: dict[str, list[types.Diagnostic]] = {}
        self._complained: dict[str, str] = {}

    # ── what is open ────────────────────────────────────────────────────────────────────────────────────────────────

    def documents(self) -> dict[str, Document]:
        """The open documents by their paths."""
        found: dict[str, Document] = {}
        for address, document in self.workspace.text_documents.items():
            path = path_of(address)
            if path is not None:
                found[path] = Document(address, document.version, document.source.encode("utf-8", "surrogatepass"))
        return found

    def place_of(self, path: str) -> str:
        """The folder of the workspace that a file lies in, the innermost; the file itself where it lies in none."""
        folders = [path_of(address) for address in self.workspace.folders] or [path_of(self.workspace.root_uri or "")]
        above = [folder for folder in folders if folder is not None and path.startswith(f"{folder.rstrip('/')}/")]
        return max(above, key=len, default=path)

    # ── checks ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def want(self, address: str) -> None:
        """Have the place of a document checked."""
        path = path_of(address)
        if path is None:
            return
        self._wanted[self.place_of(path)] = None
        if self._busy is None or self._busy.done():
            self._busy = asyncio.get_running_loop().create_task(self._check_all())

    def opened(self, address: str) -> None:
        """Check the place of a document, unless that was read with just what is open now."""
        path = path_of(address)
        if path is None:
            return
        own = self.documents().get(path)
        known = self._checked.get(self.place_of(path), ())
        if own is None or not any(each.was_read_with(path, own.content) for each in known):
            self.want(address)
        else:
            self._tell(self.place_of(path))

    def closed(self, address: str) -> None:
        """What a document said that is closed is what its file says again; a file of no folder is told of no more."""
        path = path_of(address)
        if path is not None and self.place_of(path) == path:
            self._checked.pop(path, None)
            self._tell(path)
        else:
            self.want(address)

    async def _check_all(self) -> None:
        while self._wanted:
            place = next(iter(self._wanted))
            del self._wanted[place]
            buffers = {path: each.content for path, each in self.documents().items()}
            encoding = types.PositionEncodingKind(self.workspace.position_encoding or "utf-16").value
            work = asyncio.get_running_loop().run_in_executor(self._worker, self._check, place, buffers, encoding)
            try:
                self._checked[place] = await work
                self._mendings.pop(place, None)
                self._complained.pop(place, None)
            except AskedError as error:
                self._complain(place, str(error))
                self._checked[place] = ()
                self._mendings.pop(place, None)
            except Exception as error:  # noqa: BLE001  whatever it is, the editor goes on
                self._complain(place, reason(error))
            self._tell(place)

    def _check(self, place: str, buffers: dict[str, bytes], encoding: str) -> tuple[CheckedInput, ...]:
        asked = self._asking(place)
        return tuple(checked(given, asked, buffers, encoding) for given in _with_something_open(asked, buffers))

    def _complain(self, place: str, text: str) -> None:
        if self._complained.get(place) == text:
            return
        self._complained[place] = text
        self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, safe(f"portwright: {place}: {text}")))

    def _tell(self, place: str) -> None:
        """Send the diagnostics of a place, and take back those of files that have none any more."""
        documents = self.documents()
        now: dict[str, list[types.Diagnostic]] = {}
        for each in self._checked.get(place, ()):
            for path, said in each.diagnostics.items():
                now.setdefault(path, []).extend(said)
        before = self._told.get(place, {})
        told = {path: documents[path].address if path in documents else address_of(path) for path in now}
        for path in before.keys() - now.keys():
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(before[path], []))
        for path, remarks in now.items():
            if path not in documents and self._remarks.get(path) == remarks:
                continue
            version = documents[path].version if path in documents else None
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(told[path], remarks, version=version))
        # An editor that waits for an answer gets one for what is open and sound, too.
        for path, document in documents.items():
            if path not in now and path not in before and self.place_of(path) == place:
                self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(document.address, [], version=document.version))
        self._told[place] = told
        self._remarks = {path: said for path, said in self._remarks.items() if path not in before} | now

    # ── what is asked about a place ─────────────────────────────────────────────────────────────────────────────────

    def found_at(self, address: str, where: types.Range) -> list[tuple[CheckedInput, Found]]:
        """The findings of a document at a range, as of the last check, each with the input it was found in."""
        path = path_of(address)
        every = () if path is None else self._checked.get(self.place_of(path), ())
        return [(each, found) for each in every for found in each.found.get(path or "", ()) if touches(found.diagnostic.range, where)]

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        """The pages of the rules that are broken at a position."""
        at = types.Range(params.position, params.position)
        found = self.found_at(params.text_document.uri, at)
        pages = dict.fromkeys(page for each, one in found if (page := shown(each.asked.rules, one.finding)))
        if not pages:
            return None
        value = "\n---\n\n".join(pages)
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, value), found[0][1].diagnostic.range)

    async def actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """The quick fixes of the findings at a range, for files that are as they were when they were checked."""
        wanted = params.context.only
        if self._busy is not None and not self._busy.done():
            await asyncio.wait([self._busy])  # the positions are those of what is being checked
        found = [one for _, one in self.found_at(params.text_document.uri, params.range) if one.finding.change is not None]
        path = path_of(params.text_document.uri)
        if path is None or not found or (wanted is not None and types.CodeActionKind.QuickFix not in wanted):
            return []
        place = self.place_of(path)
        while place not in self._mendings:
            every = self._checked.get(place, ())
            made = await asyncio.get_running_loop().run_in_executor(self._worker, _mended, every)
            if self._checked.get(place, ()) is every:
                self._mendings[place] = made
        documents, own = self.documents(), self._mendings[place]
        can = self.client_capabilities.workspace and self.client_capabilities.workspace.workspace_edit
        asked = ((one, own.get(one.finding.fingerprint, ())) for one in found)
        actions = (action(one, mending, documents, can or types.WorkspaceEditClientCapabilities()) for one, mending in asked if mending)
        return [each for each in actions if each is not None]


def serve(asking: Asking) -> None:
    """Speak with an editor over standard input and output, until it says that it is over or is gone."""
    server = Server(asking)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.opened(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.want(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        return server.hover(params)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return await server.actions(params)

    server.start_io()


def _with_something_open(asked: Asked, buffers: Iterable[str]) -> Iterator[Input]:
    """The inputs in which an editor has something open: of a folder of hosts that may be one of many."""
    paths = tuple(buffers)
    for given in asked.inputs:
        if given.kind == "file" or places(given, paths):
            yield given


def _mended(every: Iterable[CheckedInput]) -> dict[str, tuple[Mending, ...]]:
    return {fingerprint: own for each in every for fingerprint, own in mendings(each).items()}
