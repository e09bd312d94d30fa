"""ExecStart= values as systemd.service(5) "Command lines" reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.facts import Setting
from portwright.formats import unit as unit_format
from portwright.source import Source, Span, Word
from portwright.system.systemd.command_line import (
    Command,
    Refused,
    commands,
    of_plain_words,
    plain_words,
    split_with_care,
    substitute,
)

ENVIRONMENT = {
    "ONE": Word("one", Span("/etc/default/x", 1, 5, 1, 8)),
    "TWO": Word("two words", Span("/etc/default/x", 2, 5, 2, 14)),
    "QUOTED": Word("a 'b c' d\\ e \"f", Span("/etc/default/x", 3, 8, 3, 24)),
    "PORT": Word("8080", Span("/etc/default/x", 4, 6, 4, 10)),
    "EMPTY": Word("", Span("/etc/default/x", 5, 7, 5, 7)),
}


def setting(text: str) -> Setting:
    parsed = unit_format.parse(Source("/x.service", f"[Service]\nExecStart={text}\n"))
    return parsed.settings[0]


def expand(text: str) -> str:
    return {"%i": "inst", "%%": "%", "%n": "x@inst.service"}.get(text, text)


def read(text: str) -> list[tuple[str, list[str]]]:
    """(prefixes, argv) of each command after variables."""
    found = []
    for each in commands(setting(text), expand):
        assert isinstance(each, Command), each
        found.append((" ".join(sorted(each.prefixes)), [word.text for word in substitute(each, ENVIRONMENT)]))
    return found


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("/bin/x a  b\tc", ["/bin/x", "a", "b", "c"]),
        ("/bin/x 'a b' \"c d\" e'f g'h", ["/bin/x", "a b", "c d", "ef gh"]),
        ("/bin/x '' \"\"", ["/bin/x", "", ""]),
        (r"/bin/x \x41\101B\s\t'\n' \"q\"", ["/bin/x", "AAB \t\n", '"q"']),
        (r"/bin/x '\d+' a\ b", ["/bin/x", r"\d+", r"a\ b"]),
        ("/bin/x %i-%n 100%%", ["/bin/x", "inst-x@inst.service", "100%"]),
        ("/bin/x $ONE $TWO", ["/bin/x", "one", "two", "words"]),
        ("/bin/x ${TWO} a${ONE}b${ONE}", ["/bin/x", "two words", "aonebone"]),
        ("/bin/x $QUOTED", ["/bin/x", "a", "b c", "d e", "f"]),
        ("/bin/x $EMPTY $UNSET ${EMPTY} ${UNSET} end", ["/bin/x", "", "", "end"]),
        ("/bin/x a$ONE $ONE-b", ["/bin/x", "a$ONE"]),
        ("/bin/x $$ONE $${ONE} a$$b $", ["/bin/x", "$ONE", "${ONE}", "a$b"]),
        ("/bin/x ${PORT:-80} ${PORT:-${ONE}}", ["/bin/x", "${PORT:-80}", "${PORT:-one}"]),
        ("/bin/x ${PORT", ["/bin/x", "${PORT"]),
        ("/bin/sh -c 'echo $ONE; exec x --port ${PORT}'", ["/bin/sh", "-c", "echo $ONE; exec x --port 8080"]),
        ("node server.js", ["node", "server.js"]),
    ],
)
def test_words_are_split_unquoted_and_filled_in_as_systemd_does(text: str, argv: list[str]) -> None:
    assert [("", argv)] == read(text)


@pytest.mark.parametrize(
    ("text", "prefixes", "argv"),
    [
        ("-/bin/x", "-", ["/bin/x"]),
        ("@/bin/x name a", "@", ["name", "a"]),
        (":/bin/x $ONE ${ONE} $$", ":", ["/bin/x", "$ONE", "${ONE}", "$$"]),
        ("+/bin/x", "+", ["/bin/x"]),
        ("!/bin/x", "!", ["/bin/x"]),
        ("!!/bin/x", "!!", ["/bin/x"]),
        ("-@:+/bin/x name", "+ - : @", ["name"]),
        ("!!-/bin/x", "!! -", ["/bin/x"]),
        ("'-/bin/x y'", "-", ["/bin/x y"]),
    ],
)
def test_special_prefixes_combine(text: str, prefixes: str, argv: list[str]) -> None:
    assert [(prefixes, argv)] == read(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/bin/a 1 ; /bin/b 2", [("", ["/bin/a", "1"]), ("", ["/bin/b", "2"])]),
        ("/bin/a ; -/bin/b ;", [("", ["/bin/a"]), ("-", ["/bin/b"])]),
        (r'/bin/a \; ";" x;y', [("", ["/bin/a", ";", ";", "x;y"])]),
    ],
)
def test_a_lone_semicolon_starts_another_command(text: str, found: list[tuple[str, list[str]]]) -> None:
    assert found == read(text)


@pytest.mark.parametrize(
    ("text", "reason", "forgiven"),
    [
        ("/bin/x 'open", "a quote is not closed", False),
        ('-/bin/x "open', 'a quote is not closed', True),
        ("bin/x", "neither an absolute path nor the name of a program: bin/x", False),
        ("/bin/", "the program's path is a directory: /bin/", False),
        ("-", "no program follows the prefixes", True),
        ("@/bin/x", "the path after @ is not followed by a program name", False),
        ("++/bin/x", "neither an absolute path nor the name of a program: +/bin/x", False),
    ],
)
def test_what_systemd_refuses_is_said_with_the_reason(text: str, reason: str, forgiven: bool) -> None:
    (refused,) = commands(setting(text), expand)

    assert isinstance(refused, Refused)
    assert (reason, forgiven) == (refused.reason, refused.forgiven)


def places(text: str) -> list[tuple[str, str]]:
    (command,) = commands(setting(text), expand)
    assert isinstance(command, Command)
    return [(word.text, f"{word.at}-{word.at.end_column}") for word in (each.word() for each in substitute(command, ENVIRONMENT))]


def test_each_word_points_at_its_argument_without_quotes() -> None:
    assert [("/bin/x", "/x.service:2:11-17"), ("a b", "/x.service:2:19-22"), ("c", "/x.service:2:24-25")] == places("/bin/x 'a b' c")


def test_a_word_with_a_variable_points_where_its_number_was_written() -> None:
    found = places("/bin/x --port=${PORT} ${ONE}:9090 $PORT $TWO")

    assert [
        ("/bin/x", "/x.service:2:11-17"),
        ("--port=8080", "/etc/default/x:4:6-10"),
        ("one:9090", "/x.service:2:39-44"),
        ("8080", "/etc/default/x:4:6-10"),
        ("two", "/etc/default/x:2:5-8"),
        ("words", "/etc/default/x:2:9-14"),
    ] == found


def test_words_of_continued_lines_point_into_their_own_line() -> None:
    found = places("/bin/x a \\\n    # a comment between\n    --port \\\n    8080")

    assert [
        ("/bin/x", "/x.service:2:11-17"),
        ("a", "/x.service:2:18-19"),
        ("--port", "/x.service:4:5-11"),
        ("8080", "/x.service:5:5-9"),
    ] == found


@pytest.mark.parametrize("text", ["${" * 50_000, "${:" * 50_000, "'" * 99_999, "\\" * 99_999, "$" * 99_999, "%" * 99_999, "a ; " * 50_000])
def test_hostile_lines_end_soon(text: str) -> None:
    for each in commands(setting(f"/bin/x {text}"), expand):
        if isinstance(each, Command):
            substitute(each, ENVIRONMENT)


@given(st.text("/ab.-@:+!=$,{} \t", max_size=40).map(str.strip))
def test_a_plain_line_is_taken_apart_as_any_other(value: str) -> None:
    at = Span("/etc/systemd/system/a.service", 3, 11, 3, 11 + len(value))
    setting = Setting(at, Span(at.path, 3, 1, 3, 10), "Service", "ExecStart", value)

    plain = plain_words(setting)
    assert plain is not None
    assert split_with_care(setting, str) == of_plain_words(plain, at)
