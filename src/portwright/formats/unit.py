"""systemd.unit(5) files: sections of `Key=value` lines become Settings that remember where they stood."""

from collections.abc import Iterable, Iterator
from itertools import count, repeat

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.facts import Setting
from portwright.source import Source, Span, Unreadable

LONGEST_LINE = 1 << 20
"""Bytes in a line, continued lines together (LONG_LINE_MAX in systemd); systemd reads no further in a file with a longer one."""

BLANK = " \t\n\r"
YES, NO = ("1", "yes", "y", "true", "t", "on"), ("0", "no", "n", "false", "f", "off")
"""What switches a setting on and off, in small letters: parse_boolean() in src/basic/parse-util.c."""

_MARK = "\ufeff"
_LEADS = "#; \t"  # what a line that may be a comment starts with
_COMMENTS = ("#", ";")
_LINE_END = lazy_regex("[\n\r\0]+")
_UNSAFE = lazy_regex(r"[\0-\x1f\"'\\\x7f]")
# utf8_is_valid() in systemd: a byte that is no UTF-8 (a lone surrogate here), or a code point that is no character.
NOT_UTF8 = lazy_regex(
    "[\ud800-\udfff\ufdd0-\ufdef" + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)) + "]"
)
_Break = tuple[int, int, int]  # offset into the logical line, line, column


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A unit file or drop-in as systemd reads it.

    `ignored` are the lines systemd skips with a warning; those of words without an equals sign are `unsigned`, too, as keys without a
    value. `stopped` is the place where it gives up: what stands above it is in `settings`, what stands below is not. systemd
    does not load a fragment that stops so; a drop-in counts up to there.
    """

    settings: tuple[Setting, ...]
    ignored: tuple[Unreadable, ...] = ()
    stopped: Unreadable | None = None
    unsigned: tuple[Setting, ...] = ()

    @property
    def troubles(self) -> tuple[Unreadable, ...]:
        return self.ignored if self.stopped is None else (*self.ignored, self.stopped)


def parse(source: Source) -> UnitFile:
    """Read a unit file as systemd's config_parse() does (src/shared/conf-parser.c), in time linear in the text's length."""
    path, section, header = source.path, "", False
    settings: list[Setting] = []
    ignored: list[Unreadable] = []
    unsigned: list[Setting] = []
    is_text = source.text.isascii() or NOT_UTF8.search(source.text) is None
    for number, before, line, breaks in _logical(source.text):
        if line is None:
            reason = f"a line longer than {LONGEST_LINE} bytes: systemd reads no further in this file"
            return UnitFile(tuple(settings), tuple(ignored), Unreadable(Span(path, number, before + 1, number, before + 1), reason))
        text = line.strip(BLANK)
        if not text:
            continue
        lead = 0 if line[0] == text[0] else len(line) - len(line.lstrip(BLANK))
        if not is_text and (strange := NOT_UTF8.search(text)) is not None:
            at = _span(path, number, before, breaks, lead + strange.start(), lead + strange.end())
            reason = "a character that is not UTF-8: systemd reads no further in this file"
            return UnitFile(tuple(settings), tuple(ignored), Unreadable(at, reason), tuple(unsigned))
        if text[0] == "[":
            name = text[1:-1]
            if text[-1] != "]" or not is_safe(name):
                at = _span(path, number, before, breaks, lead, lead + len(text))
                reason = "not a section header: systemd reads no further in this file"
                return UnitFile(tuple(settings), tuple(ignored), Unreadable(at, reason))
            section, header = name, True
            continue
        key, equals, value = text.partition("=")
        if not header or not equals or not key:
            at = _span(path, number, before, breaks, lead, lead + len(text))
            reason = "before any section" if not header else "no `=` in it" if not equals else "no key before its `=`"
            ignored.append(Unreadable(at, f"systemd ignores this line: {reason}"))
            word, blank, _ = key.partition(" ")
            if header and not equals and blank and word.isalpha():
                # It sets nothing; its first word may tell what was meant. A word alone would be the key of an empty assignment.
                unsigned.append(Setting(at, at, section, key, ""))
            continue
        start = lead + len(key) + 1
        if value and value[0] in BLANK:
            width = len(value)
            value = value.lstrip(BLANK)
            start += width - len(value)
        if key[-1] in BLANK:
            key = key.rstrip(BLANK)
        if breaks:
            end = start + len(value)
            at = _span(path, number, before, breaks, start, end)
            key_at = _span(path, number, before, breaks, lead, lead + len(key))
            inner = tuple((offset - start, other, column) for offset, other, column in breaks if start < offset < end)
            settings.append(Setting(at, key_at, section, key, value, inner))
        else:
            lead, start = before + lead + 1, before + start + 1
            at = Span(path, number, start, number, start + len(value))
            settings.append(Setting(at, Span(path, number, lead, number, lead + len(key)), section, key, value))
    return UnitFile(tuple(settings), tuple(ignored), unsigned=tuple(unsigned))


_Logical = tuple[int, int, str | None, tuple[_Break, ...]]


def _logical(text: str) -> Iterable[_Logical]:
    """(line number, columns before it, text, breaks) of each line that says something, continued ones joined by a blank.

    Comments vanish, between the lines of a continued one too; a blank line ends it. The text None stands for a line that is too long.
    """
    if len(text) > LONGEST_LINE // 4 or "\\" in text or _MARK in text or "\r" in text or "\0" in text:
        return _joined(text)
    lines = enumerate(text.split("\n"), 1)
    return [(number, 0, line, ()) for number, line in lines if line and (line[0] not in _LEADS or line.lstrip(BLANK)[:1] not in _COMMENTS)]


def _joined(text: str) -> Iterator[_Logical]:
    """The same of a text whose lines may be continued, end oddly or be too long."""
    long = len(text) > LONGEST_LINE // 4  # a code point has at most four bytes
    marked = _MARK in text
    pieces: list[str] = []
    breaks: list[_Break] = []
    first, first_before, length, size = 0, 0, 0, 0
    for number, before, line in _lines(text):
        if not line:
            if not pieces:
                continue
        elif line[0] in _LEADS and line.lstrip(BLANK)[:1] in _COMMENTS:
            continue
        if marked and line[:1] == _MARK:
            # systemd passes over a byte order mark once, wherever a line begins with one.
            line, before, marked = line[1:], before + 1, False
        if long:
            size += len(line.encode("utf-8", "surrogateescape"))
            if size > LONGEST_LINE:
                yield number, before, None, ()
                return
        if line[-1:] == "\\" and (len(line) - len(line.rstrip("\\"))) % 2:
            # conf-parser.c: the backslash becomes the blank that joins the lines.
            line, survives_conflict = f"{line[:-1]} ", True
        elif not pieces:
            size = 0
            yield number, before, line, ()
            continue
        else:
            survives_conflict = False
        if pieces:
            breaks.append((length, number, before + 1))
        else:
            first, first_before = number, before
        pieces.append(line)
        length += len(line)
        if not survives_conflict:
            yield first, first_before, "".join(pieces), tuple(breaks)
            pieces, breaks, length, size = [], [], 0, 0
    if pieces:
        yield first, first_before, "".join(pieces), tuple(breaks)


def _lines(text: str) -> Iterable[tuple[int, int, str]]:
    """(line number, columns before it, text) of every line: systemd ends one at LF, CR and NUL (read_line(), fileio.c)."""
    if "\r" in text or "\0" in text:
        return _odd_lines(text)
    return zip(count(1), repeat(0), text.split("\n"))


def _odd_lines(text: str) -> Iterator[tuple[int, int, str]]:
    number, start, line_start = 1, 0, 0
    for run in _LINE_END.finditer(text):
        yield number, start - line_start, text[start : run.start()]
        seen = ""
        for offset in range(run.start(), run.end()):
            if text[offset] in seen:
                # Different line ends in a row are one (CR LF), a repeated one starts an empty line.
                yield number, 0, ""
                seen = ""
            seen += text[offset]
            if text[offset] == "\n":
                number, line_start = number + 1, offset + 1
        start = run.end()
    yield number, start - line_start, text[start:]


def _span(path: str, number: int, before: int, breaks: tuple[_Break, ...], start: int, end: int) -> Span:
    """Where `[start:end]` of a logical line was written."""
    whole = Setting(Span(path, number, before + 1, number, before + 1), Span.whole(path), "", "", "", breaks)
    return whole.span(start, end)


def is_safe(name: str) -> bool:
    """stringis_safe() in systemd: no control characters, no quotes, no backslash."""
    return name.isalnum() or _UNSAFE.search(name) is None
