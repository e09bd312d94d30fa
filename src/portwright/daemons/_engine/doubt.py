"""A built-in default is certain only where every file that could change it was found and understood; no reader can forget it."""

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.protocol import DaemonFact
from portwright.daemons._engine.settings import options_of, sounds_like_a_socket
from portwright.facts import Endpoint, Invocation, weakest
from portwright.source import Source, Span
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files
from portwright.trees.tree import Watch

# The first word of a line, of a block's beginning or of what follows a semicolon.
_KEY = lazy_regex(
    r"""(?:^|[{;])[ \t]*(?:-[ \t]+|--?)?["']?!?"""
    r"""(?P<key>[A-Za-z][\w.:-]*(?:[ \t]+[\w.-]+){1,3}(?=[ \t]*=)|[A-Za-z][\w.:-]*)(?=(?P<rest>[^\n]{0,200}))""",
    re.MULTILINE,
)
# A config that is a program takes in another one.
_PROGRAM = frozenset(("py", "rb", "ru", "js"))
_TAKES_IN = lazy_regex(
    r"^[ \t]*(?P<key>from[ \t]+\S+[ \t]+import[ \t]+\*|(?:require_relative|load|instance_eval|eval|exec|execfile)\b)", re.MULTILINE
)
_UNFILLED = lazy_regex(r"\$\{|\{\$|\$\(|\{\{|<%|@@|" + UNKNOWN)
_BLANKS = lazy_regex(r"[ \t]+")


def doubted(
    said: tuple[DaemonFact, ...], found: Descriptor, invocation: Invocation, files: Files, watch: Watch
) -> tuple[DaemonFact, ...]:
    """What a reader said, its defaults no surer than what it read lets them be; why is told."""
    told, reason = _reason(found, invocation, files, watch)
    if not reason:
        return said
    if told is not None:
        files.report_not_understood(told, reason)
    return tuple(
        replace(fact, confidence=weakest(fact.confidence, "likely"), why=fact.why or f"built-in default; {reason}, and may say otherwise")
        if isinstance(fact, Endpoint) and (fact.origin == "default" or (fact.origin == "inferred" and fact.at == invocation.at))
        else fact
        for fact in said
    )


def _reason(found: Descriptor, invocation: Invocation, files: Files, watch: Watch) -> tuple[Span | None, str]:
    """Why a default need not hold, "" where nothing says so; the place is that of what nobody has told yet."""
    told = _of_command_line(found, invocation, files)
    if told is not None:
        return told
    if watch.troubles:
        at = min(watch.troubles).at
        return None, f"{at.path}:{at.line} is not understood"
    unread = next((path for path in watch.asked if files.is_unreadable(path)), None)
    if unread is not None:
        return None, f"{files.tree.label(unread)} cannot be read"
    if not found.reader or found.endings:
        return None, ""
    for source in _texts(files, watch):
        if source.path.rpartition(".")[2] in _PROGRAM and (taken := _TAKES_IN.search(source.text)):
            return source.span(*taken.span("key")), f"what `{taken['key']}` takes in ({source.path}) is not read"
        for at, key, is_filled in _not_understood(source, found.understands):
            return at, f"`{key}` ({at.path}:{at.line}) {'is not understood' if is_filled else 'has a value that is not filled in'}"
    return None, ""


def _of_command_line(found: Descriptor, invocation: Invocation, files: Files) -> tuple[Span, str] | None:
    """A word that may hold an option of which nobody knows, or an option that sounds like a socket's and is none of those known."""
    understood = _pattern(found.understands)
    known = options_of(found)
    before = ""
    for word in invocation.argv[1:]:
        option = word.text.partition("=")[0] if word.text.startswith("-") else before
        name = option.lstrip("-").lower().replace("_", "-")
        if UNKNOWN in word.text and (UNKNOWN in option or not option or sounds_like_a_socket(name)):
            written = files.sources.get(word.at.path)
            lines = "" if written is None else "".join(map(written.line, range(word.at.line, word.at.end_line + 1)))
            if understood.fullmatch(lines.lower().replace("_", "-")) is None:
                return word.at, "part of its command line cannot be determined"
        long = word.text.startswith("--") or (found.one_dash and word.text.startswith("-"))
        unknown = option not in known and f"-{option}" not in known and understood.fullmatch(name) is None
        if long and unknown and sounds_like_a_socket(name):
            return word.at, f"`{option}` is not understood"
        before = word.text if word.text.startswith("-") and "=" not in word.text else ""
    return None


def _texts(files: Files, watch: Watch) -> Iterator[Source]:
    for path in watch.asked:
        source = None if path.startswith("/.portwright/") else files.read(path)
        if source is not None:
            yield source


def _not_understood(source: Source, understands: tuple[str, ...]) -> Iterator[tuple[Span, str, bool]]:
    """The settings of a text that sound like those of a socket, and that nobody reads or whose value is not filled in (False)."""
    known = _pattern(understands)
    for match in _KEY.finditer(source.text):
        key = match["key"]
        name = _BLANKS.sub("-", key.lower()).replace("_", "-").rstrip(":")
        is_known = known.fullmatch(name) is not None
        if not (is_known or sounds_like_a_socket(name)) or not match["rest"].strip(" \t\r=:+'\"{};"):
            continue
        is_filled = _UNFILLED.search(match["rest"]) is None
        before = source.text[source.text.rfind("\n", 0, match.start("key")) + 1 : match.start("key")]
        if not (is_known and is_filled) and "#" not in before and before.lstrip()[:1] != ";":
            yield source.span(match.start("key"), match.end("key")), key, is_filled


@lru_cache(maxsize=64)
def _pattern(understands: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(each.lower().replace("_", "-")) for each in understands) or r"(?!)")
