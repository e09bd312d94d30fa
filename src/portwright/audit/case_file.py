"""A case file: the cases of one rule as a text that a person reads from top to bottom, and writes by hand.

    flags: nginx on an even port
    /etc/nginx/nginx.conf
        events {}
    /etc/systemd/system/multi-user.target.wants/nginx.service -> /usr/lib/systemd/system/nginx.service
    report:
        /etc/nginx/nginx.conf:1:1 ...

    accepts: another port
    like: nginx on an even port
    /etc/nginx/nginx.conf
        ...

What lies in a file is indented by four spaces, so nothing in it can be taken for a line of the case file. docs/rule-format.md
(Testing) has every form.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NoReturn, TypeAlias

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.numbers import based
from portwright.source import ParseError, Span

CaseKind = Literal["flags", "accepts"]
Content: TypeAlias = bytes | str
"""What lies at a path: the bytes of a file, or (a str) the target of a symbolic link."""

MOST_BYTES = 1 << 20
_MOST_CASES = 500
_MOST_FILES = 500  # of one case
_MOST_IN_ALL = 20_000  # files of all cases together, those taken from another case with `like` included
_MOST_NAME = 200
_MOST_PATH = 1024
_MOST_DEEP = 100

_INDENT = "    "
_ESCAPED, _REMOVED = " (escaped)", " (removed)"
_ARROW = " -> "

_CONTROL = lazy_regex("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ESCAPE = lazy_regex(r"\\(?:x([0-9a-fA-F]{2})|(.)|$)")
_QUOTED = lazy_regex(r'"((?:[^"\\]|\\.)*)"')
_SAID = {"\\": b"\\", '"': b'"', "n": b"\n", "r": b"\r", "t": b"\t"}


@dataclass(frozen=True)
class Case:
    """A situation that a rule must flag or accept: the files of a host, or of a repository, by absolute path.

    `files` is complete; `like` names the case above it that the text takes the other files from. `report` is what a flagged case is
    expected to say, None where nothing is kept.
    """

    kind: CaseKind
    name: str
    files: Mapping[str, Content] = field(default_factory=dict)
    repository: bool = False
    like: str = ""
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The lines of one case, counted from 0: its first one, the end of its last one, and its report (none: both the end)."""

    first: int
    end: int
    report: int
    report_end: int


@dataclass(frozen=True)
class CaseFile:
    """A case file as it was read: its text, its cases, and where each stands."""

    path: str
    text: str
    cases: tuple[Case, ...]
    places: tuple[Place, ...]

    def with_reports(self, reports: Mapping[str, str]) -> str:
        """The text with other reports, by the name of the case; everything else stays as it is, to the byte."""
        lines = self.text.split("\n")
        for case, place in reversed(list(zip(self.cases, self.places, strict=True))):
            if case.name in reports:
                block = _block("report:", reports[case.name].encode("utf-8", "backslashreplace"))
                # What had no newline at its end has one now.
                lines[place.report : place.report_end] = [*block, ""] if place.report_end == len(lines) else block
        return "\n".join(lines)


def parse(data: bytes, path: str) -> CaseFile:
    """The cases of a case file; raises ParseError at the first line that is none of its forms."""
    if len(data) > MOST_BYTES:
        raise ParseError(Span.whole(path), f"a case file has at most {MOST_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8"))
        said = f"not UTF-8: write the byte as \\x{data[error.start]:02x} in a file that is marked{_ESCAPED}"
        raise ParseError(_at(path, line, column), said) from None
    return _Parser(path, text).read()


def write(cases: Iterable[Case]) -> str:
    """The text of a case file; a name or path that no case file can hold is the caller's mistake (ValueError)."""
    known: dict[str, Case] = {}
    blocks: list[str] = []
    for case in cases:
        blocks.append("".join(f"{line}\n" for line in _lines(case, known)))
        known[case.name] = case
    return "\n".join(blocks)


class _Parser:
    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.split("\n")
        self.text = text
        self.number = 0
        self.left = _MOST_IN_ALL
        self.known: dict[str, Case] = {}

    def read(self) -> CaseFile:
        places: list[Place] = []
        for number, line in enumerate(self.lines):
            strange = _CONTROL.search(line)
            if strange:
                code = ord(strange[0])
                said = "a line ends with a newline alone" if code == 13 else f"the control character U+{code:04X} is not written as such"
                self.fail(f"{said}; write \\x{code:02x} in a file that is marked{_ESCAPED}", number, strange.start())
        while self.to_next():
            case, place = self.case()
            if len(places) == _MOST_CASES:
                self.fail(f"more than {_MOST_CASES} cases in one file", place.first)
            self.known[case.name] = case
            places.append(place)
        return CaseFile(self.path, self.text, tuple(self.known.values()), tuple(places))

    def fail(self, reason: str, number: int | None = None, column: int = 0) -> NoReturn:
        raise ParseError(_at(self.path, self.number if number is None else number, column), reason)

    def to_next(self) -> bool:
        """On to the next line that says something; whether there is one."""
        while self.number < len(self.lines) and (not self.lines[self.number].strip(" \t") or self.lines[self.number].startswith("#")):
            self.number += 1
        return self.number < len(self.lines)

    def case(self) -> tuple[Case, Place]:
        first = self.number
        kind, name = self.header()
        like, report = "", None
        changes: dict[str, Content | None] = {}
        repository: bool | None = None
        seen: dict[str, int] = {}
        end, report_at = self.number, -1
        while self.to_next():
            start, line = self.number, self.lines[self.number].rstrip()
            if line.startswith(("flags:", "accepts:")):
                break
            self.number += 1
            if line.startswith("like:"):
                if like or changes or report is not None:
                    self.fail("like: stands once, right below the name of the case", start)
                like = self.base(line[5:].strip(), start)
                repository = self.known[like].repository
            elif line in ("report:", f"report:{_ESCAPED}"):
                if kind == "accepts":
                    self.fail("an accepted case has no report", start)
                if report is not None:
                    self.fail("a case has one report", start)
                report = self.content(line.endswith(_ESCAPED)).decode("utf-8", "backslashreplace")
                report_at = start
            elif line.startswith(("/", "./", '"')):
                if report is not None:
                    self.fail("the report stands below the files of its case", start)
                path, content = self.file(line, start)
                is_repository = path.startswith(".")
                if repository not in (None, is_repository):
                    self.fail("a case is either a host (/PATH) or a repository (./PATH)", start)
                repository, path = is_repository, path.removeprefix(".")
                if path in seen:
                    self.fail(f"{path} is there twice; first in line {seen[path] + 1}", start)
                seen[path] = start
                changes[path] = content
            else:
                self.fail(self.unknown(line), start)
            end = self.number
        files = self.merged(like, changes, seen, first)
        place = Place(first, end, end if report_at < 0 else report_at, end)
        return Case(kind, name, files, bool(repository), like, report), place

    def header(self) -> tuple[CaseKind, str]:
        line = self.lines[self.number].rstrip()
        word, colon, name = line.partition(":")
        name = name.strip()
        kind: CaseKind
        if colon and word == "flags":
            kind = "flags"
        elif colon and word == "accepts":
            kind = "accepts"
        else:
            self.fail("a case begins with flags: NAME or accepts: NAME")
        if not name:
            self.fail(f"{word}: a name that says what the situation is comes here", column=len(line))
        if len(name) > _MOST_NAME:
            self.fail(f"the name of a case has at most {_MOST_NAME} characters")
        if name in self.known:
            self.fail(f"there is already a case of this name: {name}")
        self.number += 1
        return kind, name

    def base(self, name: str, number: int) -> str:
        if name not in self.known:
            from difflib import get_close_matches

            near = get_close_matches(name[:_MOST_NAME], list(self.known), 1)
            hint = f"did you mean {near[0]}?" if near else "like: names a case that stands above it in this file"
            self.fail(f"no case above is named {name}; {hint}", number)
        return name

    def file(self, line: str, number: int) -> tuple[str, Content | None]:
        """(path, content) of the line that names a file, and what is indented below it; None for one that is removed."""
        path, rest = self.word(line, number, may_go_on=True)
        flawed = _flaw(path)
        if flawed:
            self.fail(flawed, number)
        if rest.startswith(_ARROW):
            target, more = self.word(rest[len(_ARROW) :].strip(), number, may_go_on=False)
            if more or not target or target != target.strip() or "\0" in target:
                self.fail("after -> comes the target of a link, and nothing else", number)
            return path, target
        if rest == _REMOVED:
            return path, None
        if rest not in ("", _ESCAPED):
            self.fail(f"after a path comes nothing,{_ESCAPED},{_REMOVED} or{_ARROW}TARGET", number)
        return path, self.content(bool(rest))

    def word(self, text: str, number: int, *, may_go_on: bool) -> tuple[str, str]:
        """A path, as it is or in quotes, and what stands behind it."""
        if text.startswith('"'):
            quoted = _QUOTED.match(text)
            if quoted is None:
                self.fail("a path in quotes has no end", number)
            found = self.unescaped(quoted[1], number, 1)
            return found.decode("utf-8", "surrogateescape"), text[quoted.end() :].rstrip()
        path = text.partition(_ARROW)[0] if may_go_on else text
        if may_go_on and path == text:
            path = text.removesuffix(_ESCAPED).removesuffix(_REMOVED)
        if "->" in path or (path.endswith(")") and " (" in path):
            said = 'a path that holds "->" or ends with "(...)" is written in double quotes'
            self.fail(f"{said}; a link is PATH -> TARGET, a mark{_ESCAPED} or{_REMOVED}", number)
        return path, text[len(path) :]

    def content(self, escaped: bool) -> bytes:
        """The indented lines from here on. Empty lines count between them, not below the last one."""
        found: list[bytes] = []
        empty: list[int] = []
        while self.number < len(self.lines):
            line = self.lines[self.number]
            if not line.strip(" \t"):
                empty.append(self.number)
            elif not line.startswith((" ", "\t")):
                break
            elif not line.startswith(_INDENT):
                self.fail("what lies in a file is indented by four spaces")
            else:
                if empty and not found:
                    self.fail(f"an empty line at the start of a file: write it as \\n\\ in a file that is marked{_ESCAPED}", empty[0])
                found += [b"\n"] * len(empty)
                empty.clear()
                text = line[len(_INDENT) :]
                if not escaped:
                    found.append(text.encode("utf-8", "strict") + b"\n")
                elif len(text) - len(text.rstrip("\\")) & 1:
                    found.append(self.unescaped(text[:-1], self.number, len(_INDENT)))
                else:
                    found.append(self.unescaped(text, self.number, len(_INDENT)) + b"\n")
            self.number += 1
        if empty:
            self.number = empty[0]
        return b"".join(found)

    def unescaped(self, text: str, number: int, column: int) -> bytes:
        def said(match: re.Match[str]) -> str:
            if match[1]:
                return bytes((based(match[1], 16) or 0,)).decode("latin-1")
            known = _SAID.get(match[2] or "")
            if known is None:
                hint = "\\\\ is a backslash; \\n, \\r, \\t and \\xNN (a byte) are what else there is"
                self.fail(f"{match[0]} says nothing here; {hint}", number, column + match.start())
            return known.decode()

        # The text as UTF-8, each byte a character, so that \xNN beside it is a byte as well.
        return _ESCAPE.sub(said, text.encode("utf-8", "strict").decode("latin-1")).encode("latin-1", "strict")

    def merged(self, like: str, changes: Mapping[str, Content | None], seen: Mapping[str, int], first: int) -> dict[str, Content]:
        files = dict(self.known[like].files) if like else {}
        for path, content in changes.items():
            if content is not None:
                files[path] = content
            elif path in files:
                del files[path]
            else:
                self.fail(f"there is no {path} that could be removed: a case has the files of the one it is like:", seen[path])
        if not files:
            self.fail("a case has at least one file: /PATH, and below it, indented by four spaces, what lies in it", first)
        if len(files) > _MOST_FILES:
            self.fail(f"a case has at most {_MOST_FILES} files", first)
        self.left -= len(files)
        if self.left < 0:
            self.fail(f"more than {_MOST_IN_ALL} files in the cases of one rule", first)
        for path in files:
            above = _above(path, files)
            if above:
                self.fail(f"{above} is a file or link, so {path} cannot lie in it", seen.get(path, seen.get(above, first)))
        return files

    def unknown(self, line: str) -> str:
        if line.startswith((" ", "\t")):
            return "an indented line belongs to the file or report above it; here is none"
        return "a line is /PATH or ./PATH, like: NAME, report:, flags: NAME, accepts: NAME or # remark; content is indented by four spaces"


def _at(path: str, line: int, column: int) -> Span:
    return Span(path, line + 1, column + 1, line + 1, column + 1)


def _flaw(path: str) -> str:
    """Why a path (/PATH or ./PATH) can be no file of a case; empty where it can."""
    whole = path.removeprefix(".")
    parts = whole.split("/")[1:]
    if not whole.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return "a path is absolute on a host (/etc/hosts), begins with ./ in a repository, and holds no empty part, . or .."
    if "\0" in path:
        return "no path holds a NUL byte"
    if len(whole.encode("utf-8", "surrogateescape")) > _MOST_PATH or len(parts) > _MOST_DEEP:
        return f"a path has at most {_MOST_PATH} bytes and {_MOST_DEEP} parts"
    return ""


def _above(path: str, files: Mapping[str, Content]) -> str:
    """The file or link among these that a path would have to lie in; empty for none."""
    parent = path.rpartition("/")[0]
    while parent:
        if parent in files:
            return parent
        parent = parent.rpartition("/")[0]
    return ""


def _lines(case: Case, known: Mapping[str, Case]) -> Iterator[str]:
    name = case.name
    if not name or name != name.strip() or len(name) > _MOST_NAME or "\n" in name or _CONTROL.search(name) or name in known:
        raise ValueError(f"no name of a case, or not the only one: {name!r}")
    yield f"{case.kind}: {name}"
    base: Mapping[str, Content] = {}
    if case.like:
        yield f"like: {case.like}"
        base = known[case.like].files
    dot = "." if case.repository else ""
    for path, content in case.files.items():
        if _flaw(path) or path.startswith("."):
            raise ValueError(f"no path of a case: {path!r}")
        if base.get(path) == content:
            continue
        if isinstance(content, bytes):
            yield from _block(_word(dot + path), content)
        elif not content or content != content.strip() or "\0" in content:
            raise ValueError(f"no target of a link: {content!r}")
        else:
            yield f"{_word(dot + path)}{_ARROW}{_word(content)}"
    yield from (f"{_word(dot + path)}{_REMOVED}" for path in base if path not in case.files)
    if case.report is not None:
        yield from _block("report:", case.report.encode("utf-8", "backslashreplace"))


def _block(head: str, content: bytes) -> list[str]:
    """A file or report, escaped only where it would not be seen, or not be read, as it is."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    lines = text.split("\n")[:-1]
    if not content or (text.endswith("\n") and lines[0] and lines[-1] and all(map(_is_plain, lines))):
        return [head, *(f"{_INDENT}{line}" if line else "" for line in lines)]
    ended = content.split(b"\n")
    rows = [_escaped(line) for line in ended[:-1]]
    last = len(rows) - 1
    rows = [row or ("\\n\\" if number in (0, last) else "") for number, row in enumerate(rows)]
    rows += [f"{_escaped(ended[-1])}\\"] if ended[-1] else []
    return [f"{head}{_ESCAPED}", *(f"{_INDENT}{row}" if row else "" for row in rows)]


def _is_plain(line: str) -> bool:
    return line == line.rstrip() and line.replace("\t", "").isprintable()


def _word(path: str) -> str:
    """A path or target, in quotes where it has to be."""
    plain = path.isprintable() and path == path.strip() and '"' not in path and "->" not in path and not path.endswith(")")
    if plain and path:
        return path
    return '"' + _escaped(path.encode("utf-8", "surrogateescape")).replace('"', '\\"') + '"'


def _escaped(data: bytes) -> str:
    """Bytes as they are written where escapes are read; white space at the end, which nobody sees, as its code."""
    shown = []
    text = data.decode("utf-8", "surrogateescape")
    visible = len(text.rstrip())
    for at, character in enumerate(text):
        if character == "\\":
            shown.append("\\\\")
        elif character == "\r":
            shown.append("\\r")
        elif character == "\n":
            shown.append("\\n")
        elif character == "\t":
            shown.append("\\t" if at >= visible else "\t")
        elif at < visible and character.isprintable():
            shown.append(character)
        else:
            shown += [f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape")]
    return "".join(shown)
