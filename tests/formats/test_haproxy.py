"""haproxy's grammar: words, variables and conditions. The tables were tried with `.notice` lines and haproxy 2.6.12."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.haproxy import UNKNOWN, Document, Environment, parse
from portwright.source import Source, Span

SET = {"HOME": "/root", "LIST": "a b  c", "EMPTY": ""}


def read(text: str, environment: Environment | None = None, version: tuple[int, ...] | None = None) -> Document:
    return parse(Source("/h", text), environment or Environment(dict(SET)), version)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b\tc  ", ["a", "b", "c"]),
        ("a # b", ["a"]),
        ("a#b", ["a"]),
        (r"a\#b c\ d", ["a#b", "c d"]),
        (r"'a$HOME'b\"c\"", ['a$HOMEb"c"']),
        ("'a$HOME'b\"c d\"", ["a$HOMEbc d"]),
        ('"a # b"', ["a # b"]),
        (r'"a\qb \x41\t|"', ["a\\qb A\t|"]),
        (r"a\qb \x41", ["a\\qb", "A"]),
        (r'"\$HOME" $HOME ${HOME}', ["$HOME", "$HOME", "${HOME}"]),
        ('"$HOME-x" "x${NOPE}y" "$NOPE"', ["/root-x", "xy", ""]),
        ('"${NOPE-def}" "${HOME-def}" "${EMPTY-def}"', ["def", "/root", ""]),
        ('"$HOME[*]" "${LIST[*]}" "${LIST}"', ["/root[*]", "a", "b", "c", "a b  c"]),
        ('"${.LINE} ${.FILE}"', ["2 /h"]),
        ('"it\'s" \'say "x"\'', ["it's", 'say "x"']),
    ],
)
def test_a_line_is_split_into_words_as_haproxy_splits_it(line: str, words: list[str]) -> None:
    document = read(f"global\nx {line}\n")

    assert [["x", *words]] == [list(line.texts) for line in document.sections[0].lines]
    assert () == document.unreadable


def test_a_word_covers_what_was_written() -> None:
    (section,) = read("listen a\n  bind \"$HOME\":80 'x y'\n").sections
    (line,) = section.lines

    assert [Span("/h", 2, 3, 2, 7), Span("/h", 2, 8, 2, 18), Span("/h", 2, 19, 2, 24)] == [word.at for word in line.words]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("", False),
        ("0", False),
        ("00", False),
        ("1", True),
        ("-1", True),
        ("!0 && (1 || 0)", True),
        ("! 0", True),
        ("!!1", True),
        ("0 && 1 || 1", True),
        ("1 || 1 && 0", True),
        ("(0 || 1) && !defined(NOPE)", True),
        ("defined(EMPTY)", True),
        ('streq("a b","a b")', True),
        ('streq(a,"a")', True),
        ("streq( a,a)", False),
        ('strneq("$HOME",/root)', False),
        ("version_atleast(2.6.12)", True),
        ("version_before(2.6.13) && version_atleast(2.6-dev1)", True),
        ("version_atleast(2.8)", False),
        ("feature(OPENSSL)", None),
        ("feature(OPENSSL) && 0", False),
        ("feature(OPENSSL) || 1", True),
    ],
)
def test_a_condition_holds_as_haproxy_says(condition: str, holds: bool | None) -> None:
    document = read(f".if {condition}\nlisten yes\n.else\nlisten no\n.endif\n", version=(2, 6, 12))
    both = {True: ["yes"], False: ["no"], None: ["yes", "no"]}

    assert both[holds] == [section.name for section in document.sections]
    assert {"certain" if holds is not None else "possible"} == {section.head.confidence for section in document.sections}
    assert () == document.unreadable


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (".if 0\nlisten a\n.elif 1\nlisten b\n.elif 1\nlisten c\n.else\nlisten d\n.endif\nlisten e", ["b", "e"]),
        (".if 0\n.if 1\nlisten a\n.endif\n.else\nlisten b\n.endif", ["b"]),
        (".if 1\n.if 0\nlisten a\n.else\nlisten b\n.endif\nlisten c\n.endif", ["b", "c"]),
        (".if 0\n.if no sense\n.endif\n.endif\nlisten a", ["a"]),
        (".if 1\nlisten a\n.elif no sense\nlisten b\n.endif", ["a"]),
        (".if feature(X)\nlisten a\n.elif 1\nlisten b\n.else\nlisten c\n.endif", ["a", "b"]),
    ],
)
def test_one_branch_is_read(text: str, names: list[str]) -> None:
    document = read(text)

    assert names == [section.name for section in document.sections]
    assert () == document.unreadable


def test_environment_lines_hold_for_what_follows() -> None:
    environment = Environment({"A": "1"})
    lines = 'global\nsetenv B "$A$A"\npresetenv A 2\nunsetenv C\nx "$A" "$B"\nresetenv B\nx "$A" "$B"\nlisten a\nsetenv D 4\nx "$D"\n'
    document = read(lines, environment)
    said = [line.texts for section in document.sections for line in section.lines if line.texts[0] == "x"]

    assert [("x", "1", "11"), ("x", "", "11"), ("x", "")] == said


def test_where_the_environment_is_not_known_a_variable_is_neither_set_nor_unset() -> None:
    environment = Environment({"A": "1"}, complete=False)
    document = read('listen a\nx "$A" "$B" "${B-c}"\n.if defined(B)\nlisten b\n.endif\n', environment)

    assert ("x", "1", UNKNOWN, UNKNOWN) == document.sections[0].lines[0].texts
    assert "possible" == document.sections[1].head.confidence


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ('listen a\n bind "x\n bind y\n', ["2:7 unmatched quote"]),
        ("listen a\n bind 'x\n bind y\n", ["2:7 unmatched quote"]),
        ("bind :80\nlisten a\n bind y\n", ["1:1 unknown keyword 'bind' out of section"]),
        (".if true\n.endif\nlisten a\n bind y\n", ["1:5 unparsable conditional expression 'true'"]),
        (".if (1\n.endif\nlisten a\n bind y\n", ["1:5 unparsable conditional expression '(1'"]),
        (".if 1 1\n.endif\nlisten a\n bind y\n", ["1:5 unparsable conditional expression '1 1'"]),
        (".endif\nlisten a\n bind y\n", ["1:1 .endif without .if"]),
        (".if 1\nlisten a\n bind y\n", ["1:1 .if without .endif"]),
        (".what\nlisten a\n bind y\n", ["1:1 unknown .what"]),
    ],
)
def test_what_haproxy_would_reject_has_a_place_and_the_rest_is_read(text: str, reasons: list[str]) -> None:
    document = read(text)

    assert reasons == [f"{wrong.at.line}:{wrong.at.column} {wrong.reason}" for wrong in document.unreadable]
    assert ("bind", "y") == document.sections[-1].lines[-1].texts


@pytest.mark.parametrize(
    "line", ["(" * 100_000, ".if " + "(" * 100_000, ".if " + "!" * 100_000 + "1", '.if "' + "\\" * 99_999, 'x "' + "${A-" * 50_000 + '"']
)
def test_hostile_lines_are_read_once(line: str) -> None:
    """Each of these takes minutes where a pattern goes back over what it has read."""
    assert ["listen"] == [section.kind for section in read(f"listen a\n{line}\n").sections]


@given(st.text(alphabet="a \"'\\$#{}-\n.if01()!&|", max_size=60))
def test_any_text_is_read(text: str) -> None:
    for section in read(f"global\n{text}").sections:
        assert all(line.words for line in section.lines)
