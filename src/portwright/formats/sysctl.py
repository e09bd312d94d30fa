"""sysctl.d(5) and sysctl.conf(5): one `key = value` a line; no sections, no continuation, no comment after a value."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.source import Source, Span, Word

LONGEST_LINE = 1024 * 1024  # systemd stops reading a file at a line longer than this (LONG_LINE_MAX)


@dataclass(frozen=True)
class Dialect:
    """What the two readers of these files disagree on: where a line ends, and what is blank.

    systemd-sysctl also ends a line at a carriage return or a NUL; procps cuts a line off at a NUL.
    """

    line: re.Pattern[str]
    blanks: str


SYSTEMD = Dialect(lazy_regex(r"[^\n\r\0]+"), " \t\n\r")
PROCPS = Dialect(lazy_regex(r"[^\n]+"), " \t\n\v\f\r")


@dataclass(frozen=True, slots=True)
class Line:
    """`key = value`, `-key = value` (a failure does not count) or `-key` (not from a glob; then `value` is None).

    `at` runs from the prefix or key to the end of the value. Key and value are as written, blanks around them removed; everything
    after the first `=` is value, whatever it holds.
    """

    at: Span
    prefix: Word | None
    key: Word
    value: Word | None


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that says nothing in this grammar; both readers skip it and read on."""

    at: Span
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file's lines in order, and what could not be understood; `cut` is where systemd-sysctl stops reading, if it does."""

    lines: tuple[Line, ...]
    broken: tuple[Broken, ...] = ()
    cut: Broken | None = None


def parse(source: Source, dialect: Dialect = SYSTEMD) -> Document:
    """Read a file as sysctl.d(5) describes it, and as the named reader's code has it where the page is silent."""
    lines: list[Line] = []
    broken: list[Broken] = []
    for found in dialect.line.finditer(source.text):
        start, end = found.span()
        if dialect is SYSTEMD and end - start > LONGEST_LINE:
            reason = f"line of more than {LONGEST_LINE} characters, systemd-sysctl reads no further"
            return Document(tuple(lines), tuple(broken), Broken(source.span(start, start), "", reason))
        if dialect is PROCPS and "\0" in found[0]:
            end = start + found[0].index("\0")
        start, end = _stripped(source.text, start, end, dialect.blanks)
        if start == end or source.text[start] in "#;":
            continue
        read = _line(source, start, end, dialect.blanks)
        if isinstance(read, Line):
            lines.append(read)
        else:
            broken.append(read)
    return Document(tuple(lines), tuple(broken))


def dialects_agree(source: Source) -> bool:
    """Whether both readers see the same lines: true of every file without odd control characters or endless lines."""
    text = source.text
    odd = "\0" in text or "\v" in text or "\f" in text or text.count("\r") != text.count("\r\n")
    return not odd and len(text) <= LONGEST_LINE


def normalized(key: str) -> str:
    """A key as a path below /proc/sys, the way systemd-sysctl makes one (src/basic/sysctl-util.c).

    If the first separator is a dot, dots and slashes change places: `net.ipv4.conf.eth0/100.forwarding` is the interface eth0.100.
    If it is a slash, the key is a path already. Doubled slashes, `.` components and slashes at the ends vanish.
    """
    return "/".join(part for part in swapped(key).split("/") if part not in ("", "."))


def swapped(key: str) -> str:
    """A key with dots and slashes changed over where the first separator is a dot, as both readers do, and nothing else."""
    first = re.search(r"[./]", key)
    return key.translate(_SWAP) if first is not None and first[0] == "." else key


def dotted(path: str) -> str:
    """The usual name of a path below /proc/sys: dots between the components, a slash for a dot inside one."""
    return path.translate(_SWAP)


_SWAP = str.maketrans("./", "/.")


def _line(source: Source, start: int, end: int, blanks: str) -> Line | Broken:
    text, at = source.text, source.span(start, end)
    equals = text.find("=", start, end)
    prefix = source.span(start, start + 1) if text[start] == "-" else None
    key_start = start + 1 if prefix else start
    if equals < 0 and not prefix:
        what = "there are no sections in sysctl.d files" if text[start] == "[" else "not an assignment, no = in it"
        return Broken(at, text[start:end], f"{what}; the line is skipped")
    key_start, key_end = _stripped(text, key_start, end if equals < 0 else equals, blanks)
    if key_start == key_end:
        return Broken(at, text[start:end], "no key; the line is skipped")
    value = None
    if equals >= 0:
        value_start, value_end = _stripped(text, equals + 1, end, blanks)
        value = Word(text[value_start:value_end], source.span(value_start, value_end))
    return Line(at, Word("-", prefix) if prefix else None, Word(text[key_start:key_end], source.span(key_start, key_end)), value)


def _stripped(text: str, start: int, end: int, blanks: str) -> tuple[int, int]:
    """`text[start:end]` without blanks around it; an empty stretch lies at its start."""
    while start < end and text[start] in blanks:
        start += 1
    while end > start and text[end - 1] in blanks:
        end -= 1
    return start, end
