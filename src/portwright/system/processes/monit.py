"""monit(1): the start programs of the processes it checks, each run when its process is not there, as after a boot."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.facts import Invocation
from portwright.source import Source, Span, Word
from portwright.system.processes.spawned import Spawned
from portwright.system.spanned_text import SpannedText
from portwright.system.words import words
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

_DEFAULTS = ("/etc/monitrc", "/etc/monit/monitrc", "/usr/local/etc/monitrc")
_CHECK = lazy_regex(r"(?im)^[ \t]*check[ \t]+(\w+)")
_START = lazy_regex(r"""(?i)\bstart(?:[ \t]++program)?[ \t]*+=?[ \t]*+(?:"([^"\n]*)"|'([^'\n]*)')((?:\s+as\b[^\n]*)?)""")
_USER = lazy_regex(r'(?i)\buid\s+"?([\w.-]+)')
_IDLE = lazy_regex(r"(?im)\bmode[ \t]+(?:manual|passive)\b|\bonreboot[ \t]+nostart\b")
_INCLUDE = lazy_regex(r"""(?im)^[ \t]*include[ \t]+["']?([^\s"']+)""")
_COMMENT = lazy_regex(r"(?m)^[ \t]*#.*$")
_MOST_FILES = 200
# They start units, which are started as units.
_OF_UNITS = ("systemctl", "service", "invoke-rc.d")
_UNIT_FILES = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def commands(argv: tuple[str, ...], files: Files) -> Iterator[tuple[SpannedText, Word | None]]:
    """The text of each start program that a monit so started runs at boot, and the user it runs it as."""
    path = next((each for each in _DEFAULTS if files.kind(each) == "file"), None)
    for at, text in enumerate(argv):
        if text == "-c" and at + 1 < len(argv):
            path = argv[at + 1]
    seen: set[str] = set()
    todo = [path] if path is not None else []
    while todo:
        each = todo.pop(0)
        if len(seen) == _MOST_FILES:
            files.report_limit(Span.whole(files.tree.label(each)), _MOST_FILES, "included files")
            break
        source = files.read(each) if each not in seen and files.kind(each) == "file" else None
        seen.add(each)
        if source is None:
            continue
        plain = _COMMENT.sub(lambda found: " " * len(found[0]), source.text)
        for found in _INCLUDE.finditer(plain):
            try:
                todo += expand(found[1], files) if found[1].startswith("/") else ()
            except TooMany:
                files.report_unreadable(source.span(found.start(1), found.end(1)), "the pattern matches too many files")
        checks = list(_CHECK.finditer(plain))
        for index, check in enumerate(checks):
            end = checks[index + 1].start() if index + 1 < len(checks) else len(plain)
            if check[1].lower() == "process" and _IDLE.search(plain, check.end(), end) is None:
                yield from _started(source, plain, check.end(), end)


def _started(source: Source, plain: str, start: int, end: int) -> Iterator[tuple[SpannedText, Word | None]]:
    found = _START.search(plain, start, end)
    if found is None:
        return
    group = 1 if found[1] is not None else 2
    user = _USER.search(plain, found.start(3), found.end(3))
    text = SpannedText.of(Word(found[group], source.span(found.start(group), found.end(group))))
    yield text, None if user is None else Word(user[1], source.span(user.start(1), user.end(1)))


def children(keeper: Invocation, files: Files) -> Iterator[Spawned]:
    """The start programs that are no unit's: of a unit monit sees that it runs already."""
    for text, user in commands(tuple(word.text for word in keeper.argv), files):
        argv = tuple(words(text, relaxed=True)[0])
        if not argv or not argv[0].known:
            continue
        name = argv[0].text.rpartition("/")[2]
        units = (f"{directory}/{name}.service" for directory in _UNIT_FILES)
        if name in _OF_UNITS or argv[0].text.startswith("/etc/init.d/") or any(files.kind(unit) != "missing" for unit in units):
            continue
        at = text.at
        yield Spawned(argv, at, f"monit runs it when it is not there: {at}", user)
