"""Shell text: words, what is left for expansion, and what is not followed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.shell import Arithmetic, Parameter, Text, Unknown, arithmetic, parse


def words(text: str) -> list[list[str | None]]:
    return [[word.plain for word in command.words] for command in parse(text).commands]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exec a -p 1", [["exec", "a", "-p", "1"]]),
        ("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]]),
        ("a b'c'\"d\"", [["a", "bcd"]]),
        ("a '' \"\"", [["a", "", ""]]),
        ('a "b\\nc" "\\$d" "\\"e"', [["a", "b\\nc", "$d", '"e']]),
        ("a b\\\nc", [["a", "bc"]]),
        ("a; b & c\nd", [["a"], ["b"], ["c"], ["d"]]),
        ("a && b || c | d", [["a"], ["b"], ["c"], ["d"]]),
        ("a # b\nc d#e", [["a"], ["c", "d#e"]]),
        ("a >x 2>&1 <y &>z b", [["a", "b"]]),
        ("a\r\nb c\r\n", [["a"], ["b", "c"]]),
        ("! a", [["a"]]),
        ("{ a; b; }", [["a"], ["b"]]),
        ("$ a$", [["$", "a$"]]),
    ],
)
def test_text_is_read_as_the_words_of_simple_commands(text: str, expected: list[list[str]]) -> None:
    assert expected == words(text)


def test_variables_stay_in_a_word_as_parts_with_their_places() -> None:
    (command,) = parse('a -p"$PORT"x').commands

    assert (
        Text("-p", 2, 4),
        Parameter("PORT", "", (), 5, 10, quoted=True),
        Text("x", 11, 12),
    ) == command.words[1].parts


@pytest.mark.parametrize(
    ("text", "name", "operator", "operand"),
    [
        ("${A}", "A", "", ""),
        ("${A:-b}", "A", ":-", "b"),
        ("${A-b c}", "A", "-", "b c"),
        ("${A:=8080}", "A", ":=", "8080"),
        ("${A%.*}", "A", "%", ".*"),
        ("${A##*/}", "A", "##", "*/"),
        ("${#A}", "A", "length", ""),
        ("${12}", "12", "", ""),
        ("$12", "1", "", ""),
        ("$@", "@", "", ""),
    ],
)
def test_a_parameter_has_its_name_operator_and_operand(text: str, name: str, operator: str, operand: str) -> None:
    part = parse(f"x {text}").commands[0].words[1].parts[0]

    assert isinstance(part, Parameter)
    assert (name, operator, operand) == (part.name, part.operator, "".join(p.text for p in part.operand if isinstance(p, Text)))


def test_an_operand_may_hold_a_parameter_again() -> None:
    (part,) = parse("x ${A:-${B:-8080}}").commands[0].words[1].parts

    assert Parameter("A", ":-", (Parameter("B", ":-", (Text("8080", 12, 16),), 7, 17),), 2, 18) == part


def test_assignments_stand_before_the_command_they_are_for() -> None:
    (command,) = parse("A=1 B='x y' cmd C=2").commands

    assert [("A", "1"), ("B", "x y")] == [(a.name, a.value.plain) for a in command.assignments]
    assert ["cmd", "C=2"] == [word.plain for word in command.words]


@pytest.mark.parametrize("text", ["$(date)", "`date`", "$(echo ')' \"$(x)\")"])
def test_what_a_command_prints_is_unknown(text: str) -> None:
    (part,) = parse(f"x {text}").commands[0].words[1].parts

    assert Unknown("a command substitution", 2, 2 + len(text)) == part


def test_arithmetic_is_kept_as_its_expression() -> None:
    assert (Arithmetic("PORT + 1", 2, 15),) == parse("x $((PORT + 1))").commands[0].words[1].parts


def test_commands_inside_a_condition_a_loop_or_a_subshell_may_not_run() -> None:
    text = "a\nif b; then c; elif d; then e; else f; fi\nwhile g; do h; done\n(i)\n{ j; }\nk"

    assert ["a", "j", "k"] == [command.words[0].plain for command in parse(text).commands if not command.conditional]


def test_the_operator_before_a_command_and_the_background_are_told() -> None:
    assert [("a", "", False), ("b", "&&", True), ("c", "", True), ("d", "|", False)] == [
        (command.words[0].plain, command.after, command.background) for command in parse("a && b & c | d").commands
    ]


@pytest.mark.parametrize(
    ("text", "reason", "rest"),
    [
        ("f() {\n a; { b; }\n}\nc", "a function is not followed", ["c"]),
        ("function f { a; }\nc", "a function is not followed", ["c"]),
        ("case $1 in\n a) b;;\nesac\nc", "a `case` is not followed", ["c"]),
        ("[[ a < b && -n $c ]]; c", "a `[[ ]]` is not followed", ["c"]),
        ("for i in 1 2; do b; done; c", "the values of a `for` loop are not followed", ["b", "c"]),
        ("a <<E\nb\nE\nc", "a here-document is not followed", ["a", "c"]),
        ("a 'b", "a quote is not closed", ["a"]),
        ('a "b', "a quote is not closed", ["a"]),
        ("a ${b", "a `${` is not closed", ["a"]),
        ("a $(b", "no `)` before the end", ["a"]),
        ("if a; then b", "no `fi` before the end", ["a", "b"]),
        ("fi; a", "`fi` closes nothing", ["a"]),
    ],
)
def test_what_is_not_followed_has_a_sentence_and_reading_goes_on(text: str, reason: str, rest: list[str]) -> None:
    script = parse(text)

    assert reason in [unread.reason for unread in script.unread]
    assert rest == [command.words[0].plain for command in script.commands]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("8000 + 80", 8080),
        ("PORT+1", 8081),
        ("$PORT + ${PORT}", 16160),
        ("(1 + 2) * 3 - -4", 13),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("010 + 0x10", 24),
        ("1 << 4 | 1", 17),
        ("1 < 2 && !0", 1),
        ("EMPTY", 0),
        ("MISSING", None),
        ("1 / 0", None),
        ("1 +", None),
        ("1 = 2", None),
        ("(" * 500 + "1" + ")" * 500, None),
        ("9223372036854775807 + 1", -9223372036854775808),
    ],
)
def test_arithmetic_is_worked_out_as_the_shell_does(expression: str, expected: int | None) -> None:
    assert expected == arithmetic(expression, {"PORT": "8080", "EMPTY": ""}.get)


@pytest.mark.parametrize(
    "text", ["${a:-", "$(", '"$(', "(", "`", "if ", "case x in ", "\\", "<<A ", '$(("', "$((1+", "a(){ ", "[[ ", "'", "{ "]
)
def test_hostile_nesting_is_read_to_its_end(text: str) -> None:
    script = parse(text * 20_000)

    assert all(0 <= unread.start <= unread.end <= len(text) * 20_000 for unread in script.unread)


_PIECES = (*"ab1_ \t\n\\'\"$`(){}[];&|<>#=-:%!", "function ", "for ", " in ", "case ", "do ", "[[", "<<")


@given(st.lists(st.sampled_from(_PIECES), max_size=60).map("".join))
def test_any_text_is_read_and_every_place_lies_in_it(text: str) -> None:
    script = parse(text)

    places = [(each.start, each.end) for each in script.commands]
    places += [(each.start, each.end) for each in script.unread]
    places += [(word.start, word.end) for command in script.commands for word in command.words]

    assert all(0 <= start <= end <= len(text) for start, end in places)


@pytest.mark.parametrize("end", ["", " ", ";", "\n", "\\", "$", "(", "'", "<<"])
@pytest.mark.parametrize(
    "word",
    ["function", "for", "for i", "for i in", "select", "case", "case x", "case x in", "while", "until", "if", "[[", "!", "time", "do",
     "{", "(", "coproc", "a |", "a <", "a >&", "a &&", "a=", "a=(", "export", "f ()"],
)  # fmt: skip
def test_a_script_may_end_after_any_word(word: str, end: str) -> None:
    assert ["a"] == words(f"a\n{word}{end}")[0]


@given(st.lists(st.text(min_size=0, max_size=8).filter(lambda text: "\0" not in text and "'" not in text), min_size=1, max_size=5))
def test_single_quoted_words_come_back_as_they_were(parts: list[str]) -> None:
    (command,) = parse("run " + " ".join(f"'{part}'" for part in parts)).commands

    assert ["run", *parts] == [word.plain for word in command.words]
