"""Case files: what is written is what is read, whatever it holds, and each mistake has its place."""

from typing import Literal, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.audit import case_file
from portwright.audit.case_file import Case, CaseFile, Content, parse, write
from portwright.source import ParseError

EXAMPLE = """\
# What the office agreed on in May.

flags: a port of the office
/etc/systemd/system/a.service
    [Service]

    ExecStart=/usr/bin/a
/etc/systemd/system/multi-user.target.wants/a.service -> ../a.service
/etc/empty
report:
    /etc/systemd/system/a.service:2:43 office-port a listens on 8001
        certain

accepts: another port
like: a port of the office
/etc/empty (removed)
/etc/systemd/system/a.service (escaped)
    [Service]\\r
    # \\xff\\\\ \\x20
    ExecStart=/usr/bin/a\\
"""


def read(text: str | bytes) -> CaseFile:
    return parse(text if isinstance(text, bytes) else text.encode(), "mine/office-port.txt")


def mistake(text: str | bytes) -> str:
    with pytest.raises(ParseError) as caught:
        read(text)
    return str(caught.value).removeprefix("mine/office-port.txt:")


def files_of(text: str) -> dict[str, Content]:
    return dict(read(f"flags: x\n{text}").cases[0].files)


def test_a_case_file_reads_as_it_looks() -> None:
    link: dict[str, Content] = {"/etc/systemd/system/multi-user.target.wants/a.service": "../a.service"}
    unit = b"[Service]\n\nExecStart=/usr/bin/a\n"
    report = "/etc/systemd/system/a.service:2:43 office-port a listens on 8001\n    certain\n"

    assert (
        Case("flags", "a port of the office", {"/etc/systemd/system/a.service": unit, **link, "/etc/empty": b""}, report=report),
        Case(
            "accepts",
            "another port",
            {"/etc/systemd/system/a.service": b"[Service]\r\n# \xff\\  \nExecStart=/usr/bin/a", **link},
            like="a port of the office",
        ),
    ) == read(EXAMPLE).cases


# ── what is written is what is read ──

_NAMES = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=8)
_ODD = ["etc", "a b", " ", 'q"', "x (escaped)", "a -> b", "\udcff", "\n", "\\x2d", "(removed)"]
_PARTS = st.one_of(st.sampled_from(_ODD), st.text(max_size=4)).filter(lambda part: part not in ("", ".", "..") and not {*"/\0"} & {*part})
_PATHS = st.lists(_PARTS, min_size=1, max_size=3)
_MARKERS = [b"flags: x\n", b"report:\n", b"/etc/x -> y\n", b"#\n", b"    \n"]
_LINES = [*_MARKERS, b"", b"\n", b"\r\n", b"\t", b"\\", b" ", b"\xff", "\u2028\x85\ufeff".encode()]
_TEXTS = st.lists(st.sampled_from(_LINES), max_size=6).map(b"".join)
_BYTES = st.one_of(_TEXTS, st.binary(max_size=20), st.text(max_size=20).map(str.encode))
_TARGETS = st.sampled_from(["../a.service", "/a -> b", "x (removed)", 'a"b', "\udcfe", "a\nb"])


# The fields of a Case, which Hypothesis cannot show as such.
_Row: TypeAlias = tuple[Literal["flags", "accepts"], str, dict[str, Content], bool, str, str | None]


@st.composite
def _cases(draw: st.DrawFn) -> list[_Row]:
    made: list[_Row] = []
    for name in draw(st.lists(_NAMES, min_size=1, max_size=4, unique=True)):
        base = draw(st.sampled_from([None, *made]))
        files = dict(base[2]) if base else {}
        for path in draw(st.lists(st.sampled_from(sorted(files)), unique=True)) if files else ():
            del files[path]
        for path in map("/".join, draw(st.lists(_PATHS, min_size=1, max_size=3))):
            whole = f"/{path}"
            if not any(whole.startswith(f"{other}/") or other.startswith(f"{whole}/") for other in files) and _is_encodable(whole):
                files[whole] = draw(st.one_of(_BYTES, _TARGETS))
        if base:
            # What another case has too stands where that case has it.
            files = {path: files[path] for path in (*base[2], *files) if path in files}
        if files:
            repository = base[3] if base else draw(st.booleans())
            kind: Literal["flags", "accepts"] = "flags" if draw(st.booleans()) else "accepts"
            report = draw(st.one_of(st.none(), _BYTES.map(lambda data: data.decode("utf-8", "ignore")))) if kind == "flags" else None
            made.append((kind, name, files, repository, base[1] if base else "", report))
    return made


def _is_encodable(text: str) -> bool:
    """Whether a path can be one of Linux: bytes, those that are no UTF-8 as surrogate escapes, and none of these twice."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == text
    except UnicodeEncodeError:
        return False


@given(_cases())
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_as_the_same_cases(rows: list[_Row]) -> None:
    cases = [Case(*row) for row in rows]
    text = write(cases)

    assert tuple(cases) == read(text).cases
    assert text == write(read(text).cases)


@given(_cases(), st.data())
@settings(max_examples=200, deadline=None)
def test_another_report_changes_nothing_but_the_report(rows: list[_Row], data: st.DataObject) -> None:
    cases = [Case(*row) for row in rows]
    remarks = "\n# a remark\n\n   \n"
    text = remarks + write(cases) + remarks.rstrip(" \n" if data.draw(st.booleans()) else "")
    flagged = [case.name for case in cases if case.kind == "flags"]
    chosen = data.draw(st.lists(st.sampled_from(flagged), unique=True)) if flagged else []
    new = {name: data.draw(_BYTES).decode("utf-8", "ignore") for name in chosen}

    changed = read(text).with_reports(new)

    def reports(name: str, kept: str | None) -> str | None:
        return new.get(name, kept)

    assert [(c.name, c.files, reports(c.name, c.report)) for c in cases] == [(c.name, c.files, c.report) for c in read(changed).cases]
    old = {case.name: case.report for case in cases if case.name in new and case.report is not None}
    if len(old) == len(new):
        assert text == read(changed).with_reports(old)


_SCRAPS = st.lists(st.sampled_from([*EXAMPLE.splitlines(keepends=True), "    x\n", "\n", "/", '"']), max_size=25).map("".join)


@given(st.one_of(st.binary(max_size=200), _SCRAPS))
@settings(max_examples=400, deadline=None)
def test_whatever_is_read_is_cases_or_a_mistake_with_its_place(text: str | bytes) -> None:
    cases: tuple[Case, ...] = ()
    line, reason = 1, "none"
    try:
        cases = read(text).cases
    except ParseError as error:
        line, reason = error.at.line, error.reason

    assert reason
    assert 1 <= line <= len(text) + 1
    assert cases == read(write(cases)).cases


def test_a_report_that_is_kept_first_stands_below_its_case_and_above_the_next_remark() -> None:
    text = "flags: a\n/a\n    x\n\n\n# about b\naccepts: b\n/b\nflags: c\n/c"

    assert "flags: a\n/a\n    x\nreport:\n    one\n\n\n# about b\naccepts: b\n/b\nflags: c\n/c\nreport:\n    three\n" == read(
        text
    ).with_reports({"a": "one\n", "c": "three\n"})


def test_a_text_whose_reports_stay_is_the_same_to_the_byte() -> None:
    text = EXAMPLE.rstrip("\n") + "\n  \t\n# the end"

    assert text == read(text).with_reports({})


# ── contents ──


@pytest.mark.parametrize(
    ("written", "content"),
    [
        ("/a\n    x\n", b"x\n"),
        ("/a\n    x\n\n\n    y\n\n\n", b"x\n\n\ny\n"),
        ("/a\n    x\n      \t\n    y\n", b"x\n\ny\n"),
        ("/a\n    \tx\n        y  \n", b"\tx\n    y  \n"),
        ("/a\n    flags: y\n    # z\n    /b -> c\n    report:\n", b"flags: y\n# z\n/b -> c\nreport:\n"),
        ("/a\n    \\n\\x41\n", b"\\n\\x41\n"),
        ("/a (escaped)\n    \\n\\\n    \\x00\\t\n", b"\n\x00\t\n"),
        ("/a (escaped)\n    x\\\\\n    y\\\n", b"x\\\ny"),
        ("/a (escaped)\n    \u00e4\\xe4\\xc3\\xa4\n", "ä".encode() + b"\xe4" + "ä\n".encode()),
        ("/a (escaped)\n", b""),
    ],
)
def test_content_is_what_is_indented(written: str, content: bytes) -> None:
    assert {"/a": content} == files_of(written)


@pytest.mark.parametrize(
    ("written", "files"),
    [
        ('"/a -> b"\n', {"/a -> b": b""}),
        ('"/a\\n\\x22\\"\\xff" -> "b -> c"\n', {'/a\n""\udcff': "b -> c"}),
        ('"/a (escaped)" (escaped)\n    \\x01\\\n', {"/a (escaped)": b"\x01"}),
        ("/dev-disk\\x2dby.mount\n", {"/dev-disk\\x2dby.mount": b""}),
        ("./roles/a b\n", {"/roles/a b": b""}),
    ],
)
def test_a_path_is_what_stands_there_or_in_quotes(written: str, files: dict[str, Content]) -> None:
    assert files == files_of(written)


# ── mistakes ──

A = "flags: x\n/a\n    x\n"

MISTAKES: list[tuple[str | bytes, str]] = [
    ("/a\n", "1:1: a case begins with flags: NAME or accepts: NAME"),
    ("\n# x\nflag: x\n", "3:1: a case begins with flags: NAME or accepts: NAME"),
    ("flags:  \n/a\n", "1:7: flags: a name that says what the situation is comes here"),
    (f"flags: {'x' * 201}\n/a\n", "1:1: the name of a case has at most 200 characters"),
    ("flags: x\n\nflags: y\n/a\n", "1:1: a case has at least one file: "),
    (f"{A}accepts: x\n/a\n", "4:1: there is already a case of this name: x"),
    (f"{A}accepts: y\nlike: X\n", "5:1: no case above is named X; like: names a case that stands above it in this file"),
    ("flags: one port\n/a\naccepts: y\nlike: on port\n", "4:1: no case above is named on port; did you mean one port?"),
    (f"{A}accepts: y\n/b\nlike: x\n", "6:1: like: stands once, right below the name of the case"),
    ("flags: x\nlike: x\n", "2:1: no case above is named x; "),
    (f"{A}accepts: y\nlike: x\nlike: x\n", "6:1: like: stands once, right below the name of the case"),
    (f"{A}accepts: y\nlike: x\n/b (removed)\n", "6:1: there is no /b that could be removed"),
    (f"{A}accepts: y\nlike: x\n/a (removed)\n", "4:1: a case has at least one file: "),
    (f"{A}accepts: y\nlike: x\n./b\n", "6:1: a case is either a host (/PATH) or a repository (./PATH)"),
    (f"{A}./b\n", "4:1: a case is either a host (/PATH) or a repository (./PATH)"),
    (f"{A}/a -> b\n", "4:1: /a is there twice; first in line 2"),
    (f"{A}/a/b\n", "4:1: /a is a file or link, so /a/b cannot lie in it"),
    (f"{A}/b -> c\n    x\n", "5:1: an indented line belongs to the file or report above it; here is none"),
    (f"{A}# remark\n    y\n", "5:1: an indented line belongs to the file or report above it; here is none"),
    (f"{A}   y\n", "4:1: what lies in a file is indented by four spaces"),
    (f"{A}\ty\n", "4:1: what lies in a file is indented by four spaces"),
    ("flags: x\n/a\n\n    x\n", "3:1: an empty line at the start of a file: "),
    (f"{A}etc/x\n", "4:1: a line is /PATH or ./PATH, like: NAME, report:, "),
    (f"{A}report: x\n", "4:1: a line is /PATH or ./PATH, like: NAME, report:, "),
    (f"{A}report:\nreport:\n", "5:1: a case has one report"),
    (f"{A}report:\n/b\n", "5:1: the report stands below the files of its case"),
    ("accepts: x\n/a\nreport:\n", "3:1: an accepted case has no report"),
    ("flags: x\n/etc/../../a\n", "2:1: a path is absolute on a host (/etc/hosts), begins with ./ in a repository, "),
    ("flags: x\n../a\n", "2:1: a line is /PATH"),
    ("flags: x\n/\n", "2:1: a path is absolute on a host"),
    ("flags: x\n/a//b\n", "2:1: a path is absolute on a host"),
    ("flags: x\n/a/\n", "2:1: a path is absolute on a host"),
    ('flags: x\n"a"\n', "2:1: a path is absolute on a host"),
    ('flags: x\n"/a\\x00"\n', "2:1: no path holds a NUL byte"),
    ('flags: x\n"/a\n', "2:1: a path in quotes has no end"),
    ('flags: x\n"/a"b\n', "2:1: after a path comes nothing, (escaped), (removed) or -> TARGET"),
    ("flags: x\n/a (escape)\n", '2:1: a path that holds "->" or ends with "(...)" is written in double quotes'),
    ("flags: x\n/a->b\n", '2:1: a path that holds "->" or ends with "(...)" is written in double quotes'),
    ("flags: x\n/a ->\n", '2:1: a path that holds "->" or ends with "(...)" is written in double quotes'),
    ('flags: x\n/a -> ""\n', "2:1: after -> comes the target of a link, and nothing else"),
    ('flags: x\n/a -> "b" c\n', "2:1: after -> comes the target of a link, and nothing else"),
    (f"flags: x\n/{'a' * 1024}\n", "2:1: a path has at most 1024 bytes and 100 parts"),
    (f"flags: x\n{'/a' * 101}\n", "2:1: a path has at most 1024 bytes and 100 parts"),
    ("flags: x\n/a (escaped)\n    ab\\q\n", "3:7: \\q says nothing here; \\\\ is a backslash; "),
    ("flags: x\n/a (escaped)\n    \\x4\n", "3:5: \\x says nothing here; "),
    ("flags: x\r\n/a\r\n", "1:9: a line ends with a newline alone; write \\x0d in a file that is marked (escaped)"),
    ("flags: x\n/a\n    \x1b[2J\n", "3:5: the control character U+001B is not written as such; write \\x1b in a file that is "),
    (b"flags: x\n/a\n    \xc3\xa4\xff\n", "3:6: not UTF-8: write the byte as \\xff in a file that is marked (escaped)"),
    (b"\xef\xbb\xbfflags: x\n/a\n", "1:1: a case begins with flags: NAME or accepts: NAME"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_has_its_place(text: str | bytes, said: str) -> None:
    assert mistake(text).startswith(said)


# ── limits ──


def test_limits_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    several = "".join(f"/f{number}\n" for number in range(501))

    assert mistake(b"#" * ((1 << 20) + 1)).endswith("a case file has at most 1 MiB")
    assert mistake(f"flags: x\n{several}") == "1:1: a case has at most 500 files"
    assert mistake("".join(f"flags: {number}\n/a\n" for number in range(501))) == "1001:1: more than 500 cases in one file"
    monkeypatch.setattr(case_file, "_MOST_IN_ALL", 3)
    assert mistake("flags: x\n/a\n/b\nflags: y\nlike: x\n") == "4:1: more than 3 files in the cases of one rule"


# ── what no case file can hold ──


@pytest.mark.parametrize(
    "case",
    [
        Case("flags", "", {"/a": b""}),
        Case("flags", " x", {"/a": b""}),
        Case("flags", "x\ny", {"/a": b""}),
        Case("flags", "x", {"a": b""}),
        Case("flags", "x", {"/a/../b": b""}),
        Case("flags", "x", {"/a": " b"}),
        Case("flags", "x", {"/a": ""}),
    ],
)
def test_what_could_not_be_read_again_is_not_written(case: Case) -> None:
    with pytest.raises(ValueError, match=r"no name of a case|no path of a case|no target of a link"):
        write([case])
