"""A built-in default is certain only where every file that could change it was found and understood; no reader can forget it."""

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.protocol import DaemonFact
from portwright.daemons._engine.settings import options_of, sounds_like_a_socket, values_of
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
# Which packages are installed is read for the version of a daemon, and is no config of it.
_OF_PACKAGES = ("/.portwright/", "/var/lib/dpkg/", "/lib/apk/db/")
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
    """What a reader said, its defaults no surer than what it read lets them be; why is told.

    Where a word of the command line cannot be determined, it may also be an option that replaces what a file says.
    """
    command = _of_command_line(found, invocation, files)
    told, reason = command or _reason(found, files, watch)
    if not reason:
        return said
    if told is not None:
        files.report_not_understood(told, reason)
    is_any = command is not None and _takes_options(found)
    return tuple(_doubted(fact, reason) if isinstance(fact, Endpoint) and _is_open(fact, invocation, is_any) else fact for fact in said)


def _is_open(fact: Endpoint, invocation: Invocation, is_any: bool) -> bool:
    """Whether something else than what was read may decide it: no line says it or, with `is_any`, no word of the command line does."""
    if fact.origin == "default" or (fact.origin == "inferred" and fact.at == invocation.at):
        return True
    return is_any and fact.origin in ("directive", "environment")


def _doubted(fact: Endpoint, reason: str) -> Endpoint:
    source = "built-in default; " if fact.origin in ("default", "inferred") else ""
    return replace(fact, confidence=weakest(fact.confidence, "likely"), why=fact.why or f"{source}{reason}, and may say otherwise")


def _takes_options(found: Descriptor) -> bool:
    """Whether an option says where it listens, or which config does."""
    slots = [slot for socket in found.sockets for slot in (socket.listen, socket.port) if slot is not None]
    slots += [found.config.named] if found.config is not None and found.sockets else []
    return any(source.startswith(("-", "%")) for slot in slots for source in slot.sources)


def _reason(found: Descriptor, files: Files, watch: Watch) -> tuple[Span | None, str]:
    """Why a default need not hold, "" where nothing says so; the place is that of what nobody has told yet."""
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
    known, valued = options_of(found), values_of(found)
    before = ""
    for word in invocation.argv[1:]:
        option = word.text.partition("=")[0] if word.text.startswith("-") else before
        name = option.lstrip("-").lower().replace("_", "-")
        # Of a letter that nobody knows it is not known either whether it takes a value, and a switch takes none.
        is_letter = len(option) == 2 and not found.one_dash and option not in valued
        if UNKNOWN in word.text and (UNKNOWN in option or not option or is_letter or sounds_like_a_socket(name)):
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
        source = None if path.startswith(_OF_PACKAGES) else files.read(path)
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
