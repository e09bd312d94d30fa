"""Unit files as systemd reads them: settings with their places, what is ignored, where reading stops."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.unit import LONGEST_LINE, UnitFile, _joined, _logical, parse
from portwright.source import Source, Span


def read(text: str) -> UnitFile:
    return parse(Source("/a.service", text))


def said(text: str) -> list[tuple[str, str, str]]:
    return [(setting.section, setting.key, setting.value) for setting in read(text).settings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Service]\nUser=svc\n", [("Service", "User", "svc")]),
        ("[Service]\nUser=svc", [("Service", "User", "svc")]),
        ("[Service]\n  User =\t svc  \n", [("Service", "User", "svc")]),
        ("[Service]\nUser=\n", [("Service", "User", "")]),
        ("[Service]\nA=b=c\n", [("Service", "A", "b=c")]),
        ("[Service]\n# User=a\n ; User=b\nUser=c # d\n", [("Service", "User", "c # d")]),
        ("[Unit]\nA=1\n[Service]\nA=2\n[Unit]\nA=3\n", [("Unit", "A", "1"), ("Service", "A", "2"), ("Unit", "A", "3")]),
        ("[service]\nuser=svc\n", [("service", "user", "svc")]),
        ("[Service]\r\nUser=svc\r\n\r\nA=b\r\n", [("Service", "User", "svc"), ("Service", "A", "b")]),
        ("[Service]\rUser=svc\rA=b", [("Service", "User", "svc"), ("Service", "A", "b")]),
        ("[Service]\0User=svc\0", [("Service", "User", "svc")]),
        ("\ufeff[Service]\nUser=svc\n", [("Service", "User", "svc")]),
        ("[Service]\nA=\u2028b\x85c\n", [("Service", "A", "\u2028b\x85c")]),
        ("[Service]\nA=b\nA\nC=d\n", [("Service", "A", "b"), ("Service", "C", "d")]),
        ("#\udcff\n[Service]\n;\uffff\nA=b\n", [("Service", "A", "b")]),
        ("# x\n\ufeff[Service]\nA=b\n", [("Service", "A", "b")]),
        ("\ufeff[Service]\nA=b\n\ufeffC=d\n", [("Service", "A", "b"), ("Service", "\ufeffC", "d")]),
        (" \ufeff[Service]\nA=b\n", []),
        ("\ufeff# x \\\n[Service]\nA=b\n", []),
        ("", []),
    ],
)
def test_lines_become_settings_of_their_section(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert expected == said(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=one \\\ntwo", "one  two"),
        ("A=one\\\ntwo", "one two"),
        ("A=one \\\n# a comment\n  ; another\ntwo", "one  two"),
        ("A=one \\\n\\\ntwo", "one   two"),
        ("A=\\\n  two", "two"),
        ("A=one \\\n\nB=two", "one"),
        ("A=one \\", "one"),
        ("A=one \\\\\nB=two", "one \\\\"),
        ("A=one \\ \nB=two", "one \\"),
        ("A=one \\\r\ntwo\r\n", "one  two"),
        ("A\\\n=one", "one"),
    ],
)
def test_a_backslash_at_the_end_joins_the_next_line_with_a_blank(text: str, value: str) -> None:
    assert ("Service", "A", value) == said(f"[Service]\n{text}\n")[0]


def test_a_setting_knows_where_its_key_and_value_stand() -> None:
    (setting,) = read("[Service]\n\n User = svc \n").settings

    assert Span("/a.service", 3, 2, 3, 6) == setting.key_at
    assert Span("/a.service", 3, 9, 3, 12) == setting.at


def test_a_value_over_several_lines_runs_from_its_first_to_its_last_character() -> None:
    (setting,) = read("[Service]\nExecStart=/bin/a \\\n  # not this\n  --port 80 \\\n\n").settings

    assert "/bin/a    --port 80" == setting.value
    assert Span("/a.service", 2, 11, 4, 12) == setting.at


def test_any_part_of_a_value_over_several_lines_can_be_placed() -> None:
    (setting,) = read("[Service]\nExecStart=/bin/a \\\n  --port 80 \\\n-v\n").settings

    for part, place in (("/bin/a", (2, 11, 2, 17)), ("80", (3, 10, 3, 12)), ("-v", (4, 1, 4, 3))):
        start = setting.value.index(part)
        assert Span("/a.service", *place) == setting.span(start, start + len(part))


def test_a_value_that_begins_on_a_later_line_is_placed_there() -> None:
    (setting,) = read("[Service]\nExecStart=\\\n  /bin/a\n").settings

    assert Span("/a.service", 3, 3, 3, 9) == setting.at


def test_lone_carriage_returns_end_lines_but_do_not_count_as_new_ones() -> None:
    assert Span("/a.service", 2, 7, 2, 8) == read("[Service]\nA=b\rC=d\n").settings[1].at


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("User=svc\n[Service]\nA=b\n", 1, "systemd ignores this line: before any section"),
        ("[Service]\nUser svc\nA=b\n", 2, "systemd ignores this line: no `=` in it"),
        ("[Service]\n=svc\nA=b\n", 2, "systemd ignores this line: no key before its `=`"),
    ],
)
def test_a_line_systemd_ignores_is_said_and_the_rest_is_read(text: str, line: int, reason: str) -> None:
    document = read(text)

    assert [(line, reason)] == [(trouble.at.line, trouble.reason) for trouble in document.troubles]
    assert ["A"] == [setting.key for setting in document.settings]


@pytest.mark.parametrize("header", ["[Service", "[Service] x", "[Ser\x01vice]", "[Ser'vice]"])
def test_systemd_reads_no_further_than_a_broken_section_header(header: str) -> None:
    document = read(f"[Unit]\nA=b\n{header}\nC=d\n")

    assert ["A"] == [setting.key for setting in document.settings]
    assert document.stopped is not None
    assert (3, "not a section header: systemd reads no further in this file") == (document.stopped.at.line, document.stopped.reason)


@pytest.mark.parametrize("text", ["\udcff", "D=\udcff", "\udcff=d", "[\udcff]", "D=\uffff", "D=\ufdd0", "D=d \\\n  e\udcff"])
def test_systemd_reads_no_further_than_a_byte_that_is_no_utf_8(text: str) -> None:
    document = read(f"[Service]\nA=b\nword x\n{text}\nC=d\n")

    assert ["A"] == [setting.key for setting in document.settings]
    assert ["word x"] == [setting.key for setting in document.unsigned]
    assert document.stopped is not None
    assert "a character that is not UTF-8: systemd reads no further in this file" == document.stopped.reason


@pytest.mark.parametrize(
    ("long", "stops"),
    [
        ("x" * (LONGEST_LINE - 2), False),
        ("x" * (LONGEST_LINE - 1), True),
        ("é" * (LONGEST_LINE // 2), True),
        ("x\\\n" * (LONGEST_LINE // 2), True),
    ],
)
def test_systemd_reads_no_further_than_a_line_over_a_mebibyte_of_bytes(long: str, stops: bool) -> None:
    document = read(f"[Service]\nA=b\nC={long}\nD=e\n")

    assert stops == (document.stopped is not None)
    assert (["A"] if stops else ["A", "C", "D"]) == [setting.key for setting in document.settings]


def test_a_million_continued_lines_are_read_in_linear_time() -> None:
    assert read("[Service]\n" + "\\\n" * 1_100_000).stopped is not None


@given(st.text(alphabet="[]Aa=#; \t\r\n\0\\é", max_size=80))
def test_every_value_is_what_its_lines_hold(text: str) -> None:
    source = Source("/a.service", f"[S]\n{text}")

    for setting in parse(source).settings:
        assert 2 <= setting.at.line <= setting.at.end_line <= text.count("\n") + 2
        if not setting.breaks and setting.value:
            lines = source.text.split("\n")
            line, line_of_key = lines[setting.at.line - 1], lines[setting.key_at.line - 1]
            assert setting.value == line[setting.at.column - 1 : setting.at.end_column - 1]
            # A key may be continued, onto the line of its `=` or behind a CR; each continuation is a blank of it.
            written = line_of_key[setting.key_at.column - 1 : setting.key_at.end_column - 1]
            assert setting.key == written or "\\" in written or setting.key_at.line < setting.key_at.end_line


# A setting that takes a boolean makes systemd-analyze repeat the value it has read.
_CASES = [
    "A=bad",
    "A = bad value # and more",
    "A=bad \\\n  value",
    "A=bad \\\n# comment\n ; comment\nvalue",
    "A=bad \\\n\nB=other",
    "A=bad\\\\\nB=other",
    "A=bad\\ \nB=other",
    "A=bad\rB=other",
    "A=bad\r\nB=other \\\r\nmore\r\n",
    "A=bad \\\n\\\n\\\nvalue",
    "A bad\nB=other",
    "=bad\nB=other",
    "[Service]\nA=bad\n[Bad\nB=other",
    " \t A\t=\tbad\t",
    "A=bad \\",
]


@pytest.mark.parametrize("text", _CASES)
def test_systemd_reads_the_same_values(text: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    written = "[Service]\nExecStart=/bin/true\n" + re.sub(r"\bA\b", "PrivateTmp", re.sub(r"\bB\b", "PrivateNetwork", text)) + "\n"
    path = tmp_path / "a.service"
    path.write_bytes(written.encode())
    answer = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False).stderr

    heard = re.findall(r"Failed to parse boolean value, ignoring: (.*)", answer)
    ours = [setting.value for setting in parse(Source(str(path), written)).settings if setting.key.startswith("Private")]

    assert heard == ours


@given(st.lists(st.sampled_from(["[Service]", "A=b", " B = c ", "", "  ", "# a", " ; b", "words"]), max_size=8).map("\n".join))
def test_a_text_without_continued_lines_is_read_as_one_with_them_is(text: str) -> None:
    assert list(_joined(text)) == list(_logical(text))
