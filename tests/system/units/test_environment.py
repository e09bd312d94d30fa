"""systemd.exec(5), Environment= and EnvironmentFile=: which variables a unit's commands are given, and which line set them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.source import Source, Span
from portwright.system.systemd.environment import Environment, environment, parse
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

UNIT = "/etc/systemd/system/a@1.service"


def given_to(text: str, files: dict[str, str] | None = None) -> Environment:
    tree = Files(MemoryTree({UNIT: f"[Service]\nExecStart=/bin/a\n{text}", **(files or {})}))
    units = load(tree)
    unit = units.get("a@1.service")
    assert unit is not None
    return environment(unit, tree, lambda value: units.expand(value, unit))


def variables(text: str, files: dict[str, str] | None = None) -> dict[str, str]:
    return {name: word.text for name, word in given_to(text, files).variables.items()}


# ── Environment= ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=b", {"A": "b"}),
        ("A=b C=d", {"A": "b", "C": "d"}),
        ("\"A=b c\" 'D=e f' G=h", {"A": "b c", "D": "e f", "G": "h"}),
        ('A="b c"', {"A": "b c"}),
        ("A=b=c", {"A": "b=c"}),
        ("A=", {"A": ""}),
        ("A=\\x41\\tb", {"A": "A\tb"}),
        ("A=$B", {"A": "$B"}),
        ("A=%i", {"A": "1"}),
        ("A=b 1C=d =e f G=h", {"A": "b", "G": "h"}),
        ('A=b "C=d', {"A": "b"}),
        ("A=b A=c", {"A": "c"}),
    ],
)
def test_a_line_holds_assignments_by_systemds_quoting(line: str, expected: dict[str, str]) -> None:
    assert expected == variables(f"Environment={line}\n")


def test_lines_add_up_and_an_empty_one_clears() -> None:
    assert {"B": "2", "C": "3"} == variables("Environment=A=1\nEnvironment=\nEnvironment=B=2\nEnvironment=C=3\n")


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [("Environment=PORT=8080", 18, 22), ('Environment="PORT=8080"', 19, 23), ("Environment=A=b PORT=8080", 22, 26)],
)
def test_a_variable_knows_where_its_value_stands(line: str, start: int, end: int) -> None:
    assert Span(UNIT, 3, start, 3, end) == given_to(f"{line}\n").variables["PORT"].at


@pytest.mark.parametrize("line", ["A", "1A=b", "export A=b", 'A=b "C=d'])
def test_what_systemd_drops_is_told(line: str) -> None:
    assert given_to(f"Environment={line}\n").ignored


# ── EnvironmentFile= ────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_win_over_environment_and_a_later_file_over_an_earlier() -> None:
    text = "EnvironmentFile=/etc/x\nEnvironmentFile=/etc/y\nEnvironment=A=unit B=unit C=unit\n"

    assert {"A": "unit", "B": "x", "C": "y"} == variables(text, {"/etc/x": "B=x\nC=x\n", "/etc/y": "C=y\n"})


def test_an_empty_assignment_drops_the_files_before_it() -> None:
    text = "EnvironmentFile=/etc/x\nEnvironmentFile=\nEnvironmentFile=/etc/y\n"

    assert {"B": "y"} == variables(text, {"/etc/x": "A=x\n", "/etc/y": "B=y\n"})


def test_a_pattern_reads_its_files_by_name() -> None:
    assert {"A": "2", "B": "1"} == variables("EnvironmentFile=/etc/d/*.env\n", {"/etc/d/2.env": "A=2\n", "/etc/d/1.env": "A=1\nB=1\n"})


def test_a_path_may_hold_specifiers() -> None:
    assert {"A": "b"} == variables("EnvironmentFile=/etc/a-%i\n", {"/etc/a-1": "A=b\n"})


@pytest.mark.parametrize(
    ("value", "fails"),
    [
        ("/etc/gone", True),
        ("-/etc/gone", False),
        ("/run/gone", False),
        ("/etc/gone.*", True),
        ("relative", False),
        ("/etc/there", False),
    ],
)
def test_a_service_does_not_start_without_a_file_it_must_have(value: str, fails: bool) -> None:
    assert fails == (given_to(f"EnvironmentFile={value}\n", {"/etc/there": "A=b\n"}).fails is not None)


def test_a_variable_from_a_file_is_placed_in_the_file() -> None:
    found = given_to("EnvironmentFile=/etc/x\n", {"/etc/x": "# x\nPORT=8080\n"})

    assert Span("/etc/x", 2, 6, 2, 10) == found.variables["PORT"].at


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=b\nC=d\n", {"A": "b", "C": "d"}),
        ("A=b", {"A": "b"}),
        ("  A = b c  \n", {"A": "b c"}),
        ("# A=b\n; C=d\nE=f # g\n", {"E": "f # g"}),
        ("# comment \\\nA=b\nC=d\n", {"C": "d"}),
        ("A=\"b c\"\nD='e f'\n", {"A": "b c", "D": "e f"}),
        ("A=\"b\" 'c' d\n", {"A": "bcd"}),
        ('A=b"c"\n', {"A": 'b"c"'}),
        ('A="b\\"c\\$d\\ne"\n', {"A": 'b"c$d\\ne'}),
        ("A='b\\nc'\n", {"A": "b\\nc"}),
        ("A=b\\c\\ \n", {"A": "bc "}),
        ("A=b\\\n  c\n", {"A": "b  c"}),
        ('A="b\\\nc"\n', {"A": "bc"}),
        ('A="b\nC=d"\n', {"A": "b\nC=d"}),
        ("A=\nB=\t\n", {"A": "", "B": ""}),
        ("export A=b\nC D=e\n1F=g\nH=i\n", {"H": "i"}),
        ("nothing\nA=b\n", {"A": "b"}),
        ("=x\nA=b\n", {"A": "b"}),
        ("A=b\r\nC=d\r\n", {"A": "b", "C": "d"}),
        ("A=$B ${C}\n", {"A": "$B ${C}"}),
        ("#\udcff\n\udcff\nA=b\n", {"A": "b"}),
        ("A=\x01\nB=\x7f\x1b[2J\nC=\x85\n", {"A": "\x01", "B": "\x7f\x1b[2J", "C": "\x85"}),
        ("\ufeffA=b\nC=d\n", {"C": "d"}),
        ('A="b', {"A": "b"}),
        ('A="b\\', {"A": "b"}),
        ("A=b\\", {"A": "b"}),
        ("A", {}),
        ("A=1\nA=2\n", {"A": "2"}),
    ],
)
def test_a_file_is_read_as_systemd_reads_it(text: str, expected: dict[str, str]) -> None:
    assert expected == {name.text: value.text for name, value in parse(Source("/etc/x", text)).assignments}


@pytest.mark.parametrize(("text", "line"), [("A=b\nexport C=d\n", 2), ("A=b\n\nnothing\n", 3)])
def test_a_line_of_a_file_that_systemd_drops_is_told(text: str, line: int) -> None:
    assert [line] == [ignored.at.line for ignored in parse(Source("/etc/x", text)).ignored]


@given(st.text(alphabet="AB=\"'\\ \t\r\n#;$", max_size=60))
def test_any_file_is_read_and_places_lie_in_it(text: str) -> None:
    for name, value in parse(Source("/etc/x", text)).assignments:
        assert 1 <= name.at.line <= value.at.line <= value.at.end_line <= text.count("\n") + 1


# ── around them ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_unset_environment_comes_last() -> None:
    text = "UnsetEnvironment=A B=1 C=1\nEnvironment=A=1 B=1 C=2\nEnvironmentFile=/etc/x\n"

    assert {"C": "2", "D": "1"} == variables(text, {"/etc/x": "D=1\n"})


def test_the_managers_defaults_come_first() -> None:
    files = {
        "/etc/systemd/system.conf": "[Manager]\nDefaultEnvironment=A=main B=main\n",
        "/usr/lib/systemd/system.conf.d/50-x.conf": "[Manager]\nDefaultEnvironment=B=drop-in C=drop-in\n",
    }

    assert {"A": "main", "B": "drop-in", "C": "unit"} == variables("Environment=C=unit\n", files)


@pytest.mark.parametrize(
    ("lines", "files", "expected"),
    [
        ("EnvironmentFile=-/run/a.env", {}, ["A", "B"]),
        ("EnvironmentFile=-/run/a.env\nEnvironment=A=1", {}, ["B"]),
        ("EnvironmentFile=-/run/a.env", {"/run/a.env": "A=1\n"}, []),
        ("EnvironmentFile=-/etc/default/a", {}, []),
        ("EnvironmentFile=-/etc/default/a\nExecStartPre=/opt/make /etc/default/a", {}, ["A", "B"]),
    ],
    ids=["made at run time", "set by the unit as well", "in the copy", "surely absent", "made before the start"],
)
def test_what_a_file_that_is_not_in_the_copy_may_set_is_unknown(lines: str, files: dict[str, str], expected: list[str]) -> None:
    assert expected == sorted(given_to(lines, files).of_words("--port ${A} $B $$"))


@pytest.mark.parametrize("text", ["A=b\nC=\udcff\nE=f\n", "A=b\n\udcff=d\n", "A=1\nA='\uffff'\nA=3\n", "A=b\nC=d\0\n", "A=b\n\0"])
def test_of_a_file_with_a_byte_that_is_no_text_systemd_takes_nothing(text: str) -> None:
    must = given_to("EnvironmentFile=/etc/x\n", {"/etc/x": text})
    may = given_to("EnvironmentFile=-/etc/x\n", {"/etc/x": text})

    assert {} == must.variables == may.variables
    assert must.fails is not None
    assert may.fails is None
    assert parse(Source("/etc/x", text)).refused is not None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=b C=\\ ", {"A": "b"}),
        ("A=b\\q C=d", {}),
        ("A=b 'C=d\\q' E=f", {"A": "b"}),
        ("A=b \\; C=d", {"A": "b"}),
        ("A=\\x41 C=\\101 E=\\x01", {"A": "A", "C": "A", "E": "\x01"}),
        ("A=\\xff C=d", {"C": "d"}),
    ],
)
def test_an_escape_that_is_none_ends_a_line_of_assignments(line: str, expected: dict[str, str]) -> None:
    assert expected == variables(f"Environment={line}\n")
