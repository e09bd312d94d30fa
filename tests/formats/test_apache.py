"""httpd's grammar: directives and sections with their places, and what is left of a broken file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.apache import DEEPEST, Directive, parse
from portwright.source import Source, Span, Word

AT = Span("/e", 1, 1, 1, 2)


def flat(directives: tuple[Directive, ...]) -> list[object]:
    return [[each.name, *(word.text for word in each.words())] + ([] if each.block is None else [flat(each.block)]) for each in directives]


def read(text: str) -> list[object]:
    document = parse(Source("/c", text))
    assert () == document.unreadable
    return flat(document.directives)


def reasons(text: str) -> list[str]:
    return [f"{wrong.at}  {wrong.reason}" for wrong in parse(Source("/c", text)).unreadable]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Listen 80\n", [["Listen", "80"]]),
        ("  Listen\t80  https \r\n\n# no\n", [["Listen", "80", "https"]]),
        ("Listen 80 # no comment", [["Listen", "80", "#", "no", "comment"]]),
        ("Listen \\\n  80\\\n81", [["Listen", "8081"]]),
        ("Listen \\\r\n80\r\n", [["Listen", "80"]]),
        ("# a comment goes on \\\nListen 80\nListen 81", [["Listen", "81"]]),
        ('A "b c" \'d "e\' f"g h"', [["A", "b c", 'd "e', 'f"g', 'h"']]),
        (r'A "x\"y\\z\n" p\\q' + "\nB", [["A", r'x"y\z\n', r"p\q"], ["B"]]),
        ('A "not closed', [["A", "not closed"]]),
        ("<IfModule !a>\nB\n<If x>\n</If>\n</IfModule>\nC", [["IfModule", "!a", [["B"], ["If", "x", []]]], ["C"]]),
        ("<IFMODULE a >\n</ifmodule>", [["IFMODULE", "a", []]]),
        ("<IfVersion >= 2.4>\n</IfVersion>", [["IfVersion", ">=", "2.4", []]]),
        ("<Perl>\n $a = <x>;\n</Perl>\nB", [["Perl", []], ["B"]]),
    ],
)
def test_a_file_is_directives_and_sections(text: str, expected: list[object]) -> None:
    assert expected == read(text)


def test_every_word_knows_where_it_stood() -> None:
    directive = parse(Source("/c", '\n  Listen "80" \\\n https\n')).directives[0]

    assert [Span("/c", 2, 10, 2, 14), Span("/c", 3, 2, 3, 7)] == [word.at for word in directive.words()]
    assert Span("/c", 2, 3, 3, 7) == directive.at


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("Listen ${P}", {"P": "81"}, [("81", AT)]),
        ("Listen ${P}", {"P": "81 https"}, [("81", AT), ("https", Span("/c", 1, 8, 1, 12))]),
        ("Listen ${H}:80", {"H": "a"}, [("a:80", Span("/c", 1, 8, 1, 15))]),
        ("Listen 10.0.0.1:${P} x", {"P": "81"}, [("10.0.0.1:81", AT), ("x", Span("/c", 1, 22, 1, 23))]),
        ("Listen ${Q} ${P}", {"P": "81"}, [("${Q}", Span("/c", 1, 8, 1, 12)), ("81", AT)]),
        ("Listen ${E}80", {"E": ""}, [("80", Span("/c", 1, 12, 1, 14))]),
    ],
)
def test_a_word_whose_digits_come_from_a_variable_stands_where_that_got_its_value(
    text: str, variables: dict[str, str], expected: list[tuple[str, Span]]
) -> None:
    given_ = {name: Word(value, AT) for name, value in variables.items()}
    words = parse(Source("/c", text)).directives[0].words(given_)

    assert [text for text, _ in expected] == [word.text for word in words]
    assert [at for text, at in expected if any(map(str.isdigit, text))] == [w.at for w in words if any(map(str.isdigit, w.text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<IfModule x>\nListen 80", ["/c:1:2  <IfModule> is not closed before the end of the file"]),
        ("</IfModule>\nListen 80", ["/c:1:1  </IfModule> closes a section that is not open"]),
        ("<If x>\n<Location />\n</If>", ["/c:2:2  <Location> is not closed before </If>"]),
        ("<If x\n</If>", ["/c:1:1  <If> is missing its closing >"]),
        ("<Macro a>\nListen 80", ["/c:1:2  <Macro> is not closed before the end of the file"]),
    ],
)
def test_what_httpd_rejects_is_told_with_its_place(text: str, expected: list[str]) -> None:
    assert expected == reasons(text)


def test_what_stands_behind_a_mistake_is_read() -> None:
    assert [["Listen", "80"], ["If", "x", [["A"]]], ["Listen", "81"]] == flat(
        parse(Source("/c", "</Location>\nListen 80\n<If x>\nA\n</If>\nListen 81\n")).directives
    )


def test_sections_nested_too_deep_are_left_out_and_told() -> None:
    deep = DEEPEST + 5
    document = parse(Source("/c", "<If x>\n" * deep + "</If>\n" * deep + "Listen 80\n"))

    assert ["Listen", "80"] == flat(document.directives)[-1]
    assert [f"sections are nested more than {DEEPEST} deep, this one is not read"] == [w.reason for w in document.unreadable]


@given(st.text(alphabet="<>/\\\n\r\"' ${}aIf!#", max_size=80))
def test_any_text_is_read_to_its_end_and_every_span_lies_in_it(text: str) -> None:
    source = Source("/c", text)
    document = parse(source)
    lines = text.split("\n")

    def check(directives: tuple[Directive, ...]) -> None:
        for each in directives:
            for word in (*each.words(), *each.words({"a": Word("1 2", AT)})):
                if word.at is not AT:
                    assert 1 <= word.at.line <= word.at.end_line <= len(lines)
            assert each.at.line <= len(lines)
            check(each.block or ())

    check(document.directives)
