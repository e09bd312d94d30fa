"""An editor for tests: pygls' own client, which runs `portwright lsp` and speaks with it over standard input and output."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE = 60
"""Seconds after which a silent server is taken for a broken one, on a loaded machine, too."""


class Editor(LanguageClient):
    """An editor that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__("tests", "1")
        self.remarks: dict[str, list[types.Diagnostic]] = {}
        self.complaints: list[str] = []
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def told(params: types.PublishDiagnosticsParams) -> None:
            self.remarks[params.uri] = list(params.diagnostics)
            self._news[params.uri].set()

        @self.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
        def complained(params: types.ShowMessageParams) -> None:
            self.complaints.append(params.message)
            self._news["complaint"].set()

    async def next_of(self, what: str | Path) -> list[types.Diagnostic]:
        """The next diagnostics of a file."""
        key = what.as_uri() if isinstance(what, Path) else what
        await asyncio.wait_for(self._news[key].wait(), PATIENCE)
        self._news[key].clear()
        return self.remarks.get(key, [])

    async def until(self, path: Path, codes: list[object]) -> list[types.Diagnostic]:
        """The diagnostics of a file as soon as they are these, hints left aside; saved twice, it is told of twice."""
        while True:
            said = [each for each in await self.next_of(path) if each.severity != types.DiagnosticSeverity.Hint]
            if codes == [each.code for each in said]:
                return said

    def open(self, path: Path, text: str | None = None) -> None:
        said = path.read_text("utf-8") if text is None else text
        self.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(path.as_uri(), "plaintext", 1, said)))

    def change(self, path: Path, text: str, version: int = 2) -> None:
        document = types.VersionedTextDocumentIdentifier(version, path.as_uri())
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    def save(self, path: Path) -> None:
        self.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(path.as_uri())))

    def close(self, path: Path) -> None:
        self.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(path.as_uri())))

    async def hover(self, path: Path, at: types.Position) -> types.Hover | None:
        return await self.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(path.as_uri()), at))

    async def actions(self, path: Path, where: types.Range) -> list[types.CodeAction]:
        document, context = types.TextDocumentIdentifier(path.as_uri()), types.CodeActionContext([])
        found = await self.text_document_code_action_async(types.CodeActionParams(document, where, context))
        return [each for each in found or () if isinstance(each, types.CodeAction)]


@asynccontextmanager
async def editor(
    folder: Path | None, *options: str, encodings: list[types.PositionEncodingKind | str] | None = None
) -> AsyncIterator[Editor]:
    """An editor with a folder open, or none; its server is seen to end well afterwards."""
    client = Editor()
    await client.start_io(sys.executable, "-m", "portwright", "lsp", *options)
    folders = None if folder is None else [types.WorkspaceFolder(folder.as_uri(), folder.name)]
    can = types.ClientCapabilities(
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=types.WorkspaceEditClientCapabilities(
                document_changes=True, resource_operations=[types.ResourceOperationKind.Create]
            )
        ),
        general=types.GeneralClientCapabilities(position_encodings=encodings),
    )
    root = None if folder is None else folder.as_uri()
    await client.initialize_async(types.InitializeParams(can, workspace_folders=folders, root_uri=root))
    client.initialized(types.InitializedParams())
    try:
        yield client
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        server = client._server
        assert server is not None
        assert 0 == await asyncio.wait_for(server.wait(), PATIENCE)
        await client.stop()  # type: ignore[no-untyped-call]


def applied(text: str, edits: list[types.TextEdit]) -> str:
    """A text after some edits, as an editor that counts in UTF-16 makes them."""
    lines = text.encode("utf-16-le").split("\n".encode("utf-16-le"))

    def offset(at: types.Position) -> int:
        if at.line >= len(lines):
            return len(text.encode("utf-16-le"))
        return sum(len(line) + 2 for line in lines[: at.line]) + 2 * at.character

    data = text.encode("utf-16-le")
    for edit in sorted(edits, key=lambda each: (each.range.start.line, each.range.start.character), reverse=True):
        data = data[: offset(edit.range.start)] + edit.new_text.encode("utf-16-le") + data[offset(edit.range.end) :]
    return data.decode("utf-16-le")
