"""A certificate or key that a config or a command names and that is not on the host: what its daemon binds is *likely* at most.

Most daemons end where they cannot load one, so this holds for every room; a room whose daemon goes on says so (`missing-file`).
"""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.protocol import DaemonFact
from portwright.facts import Endpoint, Invocation, weakest
from portwright.source import Span
from portwright.system.systemd.conditions import surely_absent, whole
from portwright.trees import Files
from portwright.trees.tree import ReadError, Watch

_ENDINGS = (".pem", ".crt", ".key", ".cer", ".p12", ".pfx", ".jks")
_FAR = 200  # characters within which a line has something before a name
_NAMED = lazy_regex(r"""(?<=[\s"'=<:(,\[])(?P<path>(?:/|(?=[\w-]))[\w./@+-]{1,200}\.(?:pem|crt|key|cer|p12|pfx|jks))(?=$|[\s"'<>;,)\]}])""")
_IN_A_WORD = lazy_regex(r"(?:^|=)(?P<path>/[\w./@+-]+)$")
_COMMENTS = ("#", ";", "//", "--", "!", "<!--", "/*", "*")
# Which of the files beside these a copy has says nothing of the others: they hold secrets, or links to what a tool keeps elsewhere.
_SEEN_IN_PART = frozenset(("/", "/etc", "/etc/ssl", "/etc/pki", "/etc/pki/tls", "/etc/letsencrypt", "/etc/letsencrypt/live"))
_NO_CONFIG = ("/.portwright/", "/var/lib/dpkg/", "/lib/apk/db/", "/usr/share/", "/usr/lib/", "/lib/")


def unless_lacking(
    said: tuple[DaemonFact, ...], found: Descriptor, invocation: Invocation, files: Files, watch: Watch
) -> tuple[DaemonFact, ...]:
    """What a room said, no surer than likely where a file is missing without which the daemon may end."""
    if files.partial or found.missing_file == "survives":
        return said
    lacked = _first_missing(invocation, files, watch)
    if lacked is None:
        return said
    name, at = lacked
    why = f"{name} ({at.path}:{at.line}) is not there, and it may end without it"
    return tuple(
        replace(fact, confidence=weakest(fact.confidence, "likely"), why=fact.why or why) if isinstance(fact, Endpoint) else fact
        for fact in said
    )


def _first_missing(invocation: Invocation, files: Files, watch: Watch) -> tuple[str, Span] | None:
    for word in invocation.argv[1:]:
        match = _IN_A_WORD.search(word.text) if word.text.endswith(_ENDINGS) else None
        if match is not None and _is_missing((match["path"],), files):
            return match["path"], word.at
    configs = (path for path in watch.asked if not path.startswith(_NO_CONFIG))
    # Many units may share one config: what it lacks is worked out once.
    return next((lacked for path in configs if (lacked := files.once(_Lacked(path, invocation.directory))) is not None), None)


@dataclass(frozen=True, slots=True)
class _Lacked:
    """The first file that a config names and that is missing, with its place; relative names start from the config or `directory`."""

    config: str
    directory: str

    def __call__(self, files: Files) -> tuple[str, Span] | None:
        source = files.known(self.config)
        if source is None or not any(ending in source.text for ending in _ENDINGS):
            return None
        text, begin, seen, is_comment = source.text, 0, 0, False
        for match in _NAMED.finditer(text):
            start = match.start()
            if (newline := text.rfind("\n", seen, start)) >= 0:
                begin = seen = newline + 1
                is_comment = False
            # A line is looked at once, however many files it names.
            is_comment = is_comment or text.find("#", seen, start) >= 0
            seen = start
            before = text[begin : min(start, begin + _FAR)].lstrip()
            if not before or before.startswith(_COMMENTS) or is_comment:
                continue
            places = tuple(self._places(match["path"]))
            if _is_missing(places, files):
                return places[0], source.span(*match.span("path"))
        return None

    def _places(self, name: str) -> Iterator[str]:
        if name.startswith("/"):
            yield name
            return
        yield f"{self.config.rpartition('/')[0]}/{name}"
        if self.directory != "/":
            yield f"{self.directory.rstrip('/')}/{name}"


def _is_missing(paths: tuple[str, ...], files: Files) -> bool:
    try:
        return all(files.tree.kind(path) == "missing" and surely_absent(path, files) and _is_seen(path, files) for path in paths)
    except ReadError:
        return False  # it may be there, where only others may look


def _is_seen(path: str, files: Files) -> bool:
    """Whether the folder that it would be in, or the next one above it that is there, is one whose files a copy has."""
    folder = path.rpartition("/")[0]
    while folder and files.tree.kind(folder) == "missing":
        folder = folder.rpartition("/")[0]
    return (folder or "/") not in _SEEN_IN_PART or files.once(whole)
