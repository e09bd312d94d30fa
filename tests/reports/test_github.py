"""Annotations of GitHub Actions: one command a line, by severity, and no value that ends one or begins another."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.finding import HostResult, Note, Severity
from portwright.reports import github
from portwright.source import Span, Unreadable
from tests.reports.golden import expected
from tests.reports.hosts import ALSO_IN_RANGE, BY_HAND, CLEAN, COVERAGE, EMPTY, IN_RANGE, NO_CAPABILITY, WEB1, card

SHOP = replace(WEB1, host="shop", repository=True)


READ_AS = "::notice title=read as::"


def _check(results: Sequence[HostResult]) -> str:
    """The lines of a report but for the last, which says what was read as what."""
    lines = github.check(results).splitlines(keepends=True)
    if results:
        assert lines.pop().startswith(READ_AS)
    return "".join(lines)


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """(command, properties, message) of each line, as the runner takes them apart: up to the next `::`, at commas, at the first `=`."""
    read = []
    # The runner reads lines that end in LF, CR or both.
    for line in re.split("\r\n|\r|\n", text)[:-1]:
        assert line.startswith("::")
        head, _, data = line[2:].partition("::")
        command, _, listed = head.partition(" ")
        pairs = dict(pair.partition("=")[::2] for pair in listed.split(","))
        properties = {name: _decoded(value.replace("%3A", ":").replace("%2C", ",")) for name, value in pairs.items()}
        read.append((command, properties, _decoded(data)))
    return read


def _decoded(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_a_check_is_written_as_the_kept_lines() -> None:
    actual = github.check([WEB1, CLEAN, EMPTY])

    assert expected("check.github", actual) == actual


def test_a_finding_of_a_repository_is_one_line_at_its_place() -> None:
    finding = replace(IN_RANGE, at=replace(IN_RANGE.at, path="roles/web/shop.conf"), notes=())

    assert (
        "::error file=roles/web/shop.conf,line=3,endLine=3,col=9,endColumn=14,title=listener-in-ephemeral-range::"
        "nginx listens on 40000, which the kernel may hand to an outgoing connection%0A"
        "likelihood: high: connect() assigns even ports first%0A"
        "fix: reserve 40000 in net.ipv4.ip_local_reserved_ports (safe; nothing is restarted)\n"
    ) == _check([replace(SHOP, findings=(finding,), unreadable=())])


def test_a_host_that_lies_in_the_checkout_is_annotated_where_it_lies() -> None:
    (line,) = commands(_check([replace(CLEAN, findings=(replace(IN_RANGE, notes=()),), checkout_prefix="hosts/web1")]))

    assert "hosts/web1/etc/nginx/sites-enabled/shop" == line[1]["file"]


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([WEB1], "as a host: web1"),
        ([replace(SHOP, findings=(), unreadable=())], "as a repository: shop"),
        ([replace(SHOP, host="a.conf", is_file=True)], "by itself: a.conf"),
        ([WEB1, CLEAN, SHOP], "as hosts: web1, web2; as a repository: shop"),
    ],
)
def test_what_an_input_was_taken_for_is_said_last_though_it_is_sound(results: list[HostResult], said: str) -> None:
    *_, (command, properties, message) = commands(github.check(results))

    assert ("notice", "read as", said) == (command, properties["title"], message)


@pytest.mark.parametrize(("severity", "command"), [("high", "error"), ("medium", "warning"), ("low", "notice"), ("info", "notice")])
def test_severity_becomes_a_command(severity: Severity, command: str) -> None:
    assert [command] == [
        line[0] for line in commands(_check([replace(CLEAN, findings=(replace(IN_RANGE, card=card("r", severity)),))]))
    ]


def test_the_worst_comes_first_because_only_ten_of_a_kind_are_shown() -> None:
    found = [line[0] for line in commands(_check([WEB1]))]

    assert ["error", "warning", "warning", "warning", "notice", "warning", "warning"] == found


def test_notes_the_manual_step_and_what_will_fail_are_lines_of_the_message() -> None:
    first, second, third = commands(_check([replace(SHOP, findings=(ALSO_IN_RANGE, BY_HAND, NO_CAPABILITY), unreadable=())]))

    assert "note: the kernel lends ports from this range (/etc/sysctl.d/50-range.conf:2:32)" in first[2].split("\n")
    assert "by hand: set SO_REUSEADDR before bind()" in second[2].split("\n") + third[2].split("\n")
    assert "will fail: EACCES (permission denied)" in second[2].split("\n") + third[2].split("\n")


def test_a_finding_over_several_lines_has_no_columns() -> None:
    (line,) = commands(_check([replace(CLEAN, findings=(replace(IN_RANGE, at=Span("/a", 3, 9, 5, 2)),))]))

    assert {"file": "/a", "line": "3", "endLine": "5", "title": "listener-in-ephemeral-range"} == line[1]


def test_findings_say_their_host_unless_there_is_one_repository() -> None:
    finding = replace(BY_HAND, message="m")

    def first_lines(*hosts: HostResult) -> list[str]:
        return [
            line[2].split("\n")[0] for line in commands(_check([replace(host, findings=(finding,), unreadable=()) for host in hosts]))
        ]

    assert ["m"] == first_lines(SHOP)
    assert ["web1: m"] == first_lines(WEB1)
    assert ["shop: m", "web1: m"] == first_lines(SHOP, WEB1)


def test_what_could_not_be_read_is_a_warning() -> None:
    said = commands(_check([replace(SHOP, findings=())]))

    assert [("warning", "could not be read", "/etc/haproxy/haproxy.cfg", "permission denied")] == [
        (command, properties["title"], properties["file"], message) for command, properties, message in said[:1]
    ]


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ([EMPTY], "web0: result: inconclusive (nothing was read)"),
        ([replace(CLEAN, rules_checked=0)], "web2: result: inconclusive (no rule was run)"),
        ([], "nothing was read: no host, repository or file was found"),
    ],
)
def test_a_run_that_looked_at_nothing_warns(hosts: list[HostResult], message: str) -> None:
    assert [("warning", {"title": "no verdict"}, message)] == commands(_check(hosts))


def test_one_notice_says_all_that_a_host_does_not_cover() -> None:
    ((command, properties, message),) = commands(_check([replace(CLEAN, coverage=COVERAGE)]))

    assert ("notice", {"title": "not covered"}) == (command, properties)
    assert [
        "web2: 1 program not understood, 1 file left out, 1 file not read",
        "/etc/systemd/system/app.service:2:11: not understood: app.service starts /opt/app/bin/app: nobody knows it",
        "docs/app.service:1:1: left out: it lies in docs/, which contains documentation",
        "Vagrantfile:1:1: not read (vagrant): its text mentions ports, and Vagrantfiles are not read",
    ] == message.split("\n")


def test_a_sound_host_says_nothing() -> None:
    assert "" == _check([CLEAN])


# ── hostile input ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "hostile",
    [
        "x%0A::stop-commands::t",
        "x\n::add-mask::secret",
        "x\r::add-mask::secret",
        "x\r\n::set-output name=a::b",
        "a,line=1::b",
        "##[error]x",
        "::error::x",
        "%25%0D%3A",
        "\x1b]52;c;eA==\x07",
        "\x85::add-mask::x\u2028::add-mask::y\u2029",
        "\udc80\ud800",
        "%",
        "=",
    ],
)
def test_no_value_ends_a_command_or_begins_another(hostile: str) -> None:
    at = Span(hostile, 1, 1, 1, 2)
    host = HostResult(
        hostile, 1, 1, (replace(BY_HAND, message=hostile, at=at, notes=(Note(hostile, at),)),), (), (Unreadable(at, hostile),)
    )

    text = _check([host])

    said = commands(text)
    assert [("warning", "listener-without-reuseaddr", "1"), ("warning", "could not be read", "1")] == [
        (command, properties["title"], properties["line"]) for command, properties, _ in said
    ]
    assert not [c for c in text if c != "\n" and (ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF)]
    assert 2 == len(text.splitlines())


def test_a_percent_sign_comes_through_as_it_was() -> None:
    (line,) = commands(_check([replace(SHOP, findings=(replace(BY_HAND, message="100%0A, a:b"),), unreadable=())]))

    assert line[2].startswith("100%0A, a:b\n")


def test_secrets_are_struck_out() -> None:
    finding = replace(BY_HAND, message="requirepass=hunter2", notes=(Note("https://u:hunter2@h/"),))

    assert "hunter2" not in _check([replace(CLEAN, findings=(finding,), unreadable=(Unreadable(BY_HAND.at, "password=hunter2"),))])


def test_a_message_without_end_is_cut_and_says_so() -> None:
    (line,) = commands(_check([replace(SHOP, findings=(replace(BY_HAND, message="x " * 50_000),), unreadable=())]))

    assert len(line[2]) < github.MOST_TEXT + 40
    assert line[2].endswith("more characters)")


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_is_one_line_for_each_thing_said(one: str, two: str) -> None:
    at = Span(one, 1, 1, 1, 2)
    host = HostResult(two, 1, 1, (replace(BY_HAND, message=two, at=at),), (), (Unreadable(at, one),))

    text = _check([host])

    assert ["warning", "warning"] == [command for command, _, _ in commands(text)]
    assert 2 == len(text.splitlines())
    text.encode("utf-8")


def test_findings_beyond_those_that_github_shows_are_told_in_one_annotation() -> None:
    findings = [replace(IN_RANGE, at=replace(IN_RANGE.at, line=line, end_line=line)) for line in range(1, 18)]
    findings += [replace(BY_HAND, at=replace(BY_HAND.at, line=line, end_line=line), likelihood=None) for line in range(1, 9)]
    read = commands(_check([replace(SHOP, findings=tuple(findings), unreadable=())]))

    assert (10, 5 + 1) == tuple(sum(1 for each, _, _ in read if each == kind) for kind in ("error", "warning"))
    (_, _, more) = next(each for each in read if each[1]["title"] == "more findings")
    first, *others = more.split("\n")
    assert "10 more findings (7 high, 3 medium), told here; --format markdown lists all in a job's summary" == first
    assert 10 == len(others)
    assert "/etc/nginx/sites-enabled/shop:11:9: high[listener-in-ephemeral-range]: nginx listens on 40000" in others[0]


def test_of_much_that_could_not_be_read_the_rest_is_one_annotation() -> None:
    troubles = tuple(Unreadable(Span(f"/etc/{number}.conf", 1, 1, 1, 1), "permission denied") for number in range(9))
    read = commands(_check([replace(CLEAN, unreadable=troubles)]))

    assert ["could not be read"] * 3 + ["more could not be read"] == [properties["title"] for _, properties, _ in read]
    assert "6 more could not be read" == read[-1][2].split("\n")[0]
