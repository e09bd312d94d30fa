"""The text report says what is wrong, where, why and what to do; it never passes off silence as a clean result."""

import re
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.changes import Manual, SetSysctl
from portwright.coverage import Coverage, NotRead
from portwright.finding import Allowed, HostResult, Note
from portwright.reports.escape import width
from portwright.reports.text import render
from portwright.source import Source, Span, Unreadable
from tests.reports.golden import expected
from tests.reports.hosts import BY_HAND, CLEAN, COVERAGE, EMPTY, IN_RANGE, SOURCES, WEB1

_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def plain(*results: HostResult, width: int = 80, quiet: bool = False, verbose: bool = False) -> str:
    return render(results, color=False, width=width, quiet=quiet, verbose=verbose)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_host_with_findings_reads_like_the_kept_report(columns: int) -> None:
    actual = plain(WEB1, width=columns)

    assert expected(f"web1-{columns}.txt", actual) == actual


def test_verbose_adds_why_references_and_what_is_allowed() -> None:
    actual = plain(WEB1, verbose=True)

    assert expected("web1-verbose.txt", actual) == actual


def test_quiet_leaves_a_line_for_each_finding_and_each_gap() -> None:
    actual = plain(WEB1, CLEAN, EMPTY, quiet=True)

    assert expected("quiet.txt", actual) == actual
    assert "" == plain(CLEAN, quiet=True)


def test_what_is_not_covered_is_counted_and_listed() -> None:
    assert plain(replace(CLEAN, coverage=COVERAGE), width=120) == (
        "not understood:\n"
        "  /etc/systemd/system/app.service:2:11: app.service starts /opt/app/bin/app: nobody knows it\n"
        "\n"
        "not read:\n"
        "  Vagrantfile: vagrant: its text mentions ports, and Vagrantfiles are not read\n"
        "\n"
        "no findings on web2; 1 file read; 1 program not understood, 1 file left out, 1 file not read\n"
    )
    assert "left out:\n  docs/app.service: it lies in docs/" in plain(replace(CLEAN, coverage=COVERAGE), width=120, verbose=True)


def test_a_long_list_of_what_is_not_covered_is_cut() -> None:
    many = Coverage(not_read=tuple(NotRead(f"{number}.sh", "shell script", "r") for number in range(7)))

    assert "  4.sh: shell script: r\n  2 more with -v\n" in plain(replace(CLEAN, coverage=many))
    assert "  6.sh: shell script: r\n" in plain(replace(CLEAN, coverage=many), verbose=True)


def test_several_hosts_are_told_apart_and_summed_up() -> None:
    actual = plain(WEB1, CLEAN, EMPTY)

    assert expected("several.txt", actual) == actual


@pytest.mark.parametrize(
    ("results", "report"),
    [
        ((), "nothing was read: no host, repository or file was found\n"),
        ((CLEAN,), "no findings on web2; 1 file read\n"),
        ((replace(CLEAN, repository=True),), "no findings in the repository web2; 1 file read\n"),
        ((EMPTY,), "web0: result: inconclusive (nothing was read); 0 files read\n"),
        ((replace(CLEAN, rules_checked=0),), "web2: result: inconclusive (no rule was run); 1 file read\n"),
        (
            (replace(CLEAN, unreadable=(Unreadable(Span("/a", 2, 3, 2, 4), "is a mess"),)),),
            "could not be read:\n  /a:2:3: is a mess\n\n"
            "no findings on web2; 1 file read; 1 place could not be read, so this result is\nincomplete\n",
        ),
        ((CLEAN, replace(CLEAN, host="web3")), None),
    ],
)
def test_no_findings_says_what_was_checked_and_nothing_read_is_no_pass(results: tuple[HostResult, ...], report: str | None) -> None:
    if report is None:
        assert plain(*results).endswith("no findings on 2 hosts; 2 files read\n")
    else:
        assert report == plain(*results)


def test_what_could_not_be_read_and_a_missing_verdict_are_said_even_quietly() -> None:
    troubled = replace(CLEAN, unreadable=(Unreadable(Span.whole("/a"), "is a mess"),))

    assert "/a: could not be read: is a mess\n" == plain(troubled, quiet=True)
    assert "web0: result: inconclusive (nothing was read)\n" == plain(EMPTY, quiet=True)


def test_colours_change_nothing_but_colour() -> None:
    for columns in (40, 80, 200):
        for quiet, verbose in ((False, False), (True, False), (False, True)):
            coloured = render([WEB1, CLEAN, EMPTY], color=True, width=columns, quiet=quiet, verbose=verbose)
            assert plain(WEB1, CLEAN, EMPTY, width=columns, quiet=quiet, verbose=verbose) == _COLOUR.sub("", coloured)
            assert "\x1b[1;31mhigh[listener-in-ephemeral-range]\x1b[0m" in coloured


def test_the_order_in_which_things_were_found_does_not_matter() -> None:
    reports = {plain(replace(WEB1, findings=order)) for order in permutations(WEB1.findings)}
    reports |= {plain(*order) for order in permutations((WEB1, replace(WEB1, host="web9")))}

    assert 2 == len(reports)


def test_words_fill_the_page_but_do_not_leave_it() -> None:
    for columns in (40, 80, 200):
        for line in plain(WEB1, CLEAN, width=columns, verbose=True).splitlines():
            # A place is kept whole, so that it can be opened; so is a rule's id with its severity.
            longest = max((width(word) for word in line.split()), default=0)
            assert width(line) <= columns or longest + 14 > columns or "-->" in line or ":::" in line or "]: " in line


def test_findings_at_one_place_show_its_line_once() -> None:
    other = replace(BY_HAND, card=IN_RANGE.card, at=IN_RANGE.at, message="something else")

    report = plain(replace(WEB1, findings=(IN_RANGE, other), unreadable=(), allowed=()))

    assert 1 == report.count("    listen 40000;")
    assert 2 == report.count("--> /etc/nginx/sites-enabled/shop:3:9")


def test_a_line_that_decided_many_findings_is_shown_once_and_then_named() -> None:
    report = plain(WEB1)

    assert 1 == report.count("net.ipv4.ip_local_port_range = 32768 60999")
    assert 2 == report.count("/etc/sysctl.d/50-range.conf:2:32")


def test_a_finding_without_a_summary_says_what_its_change_does() -> None:
    finding = replace(IN_RANGE, change=SetSysctl("net.ipv4.tcp_tw_reuse", "1", "review", "reload"), summary="")

    assert "= fix: set net.ipv4.tcp_tw_reuse to 1 (review first; reloads the service;\n" in plain(replace(WEB1, findings=(finding,)))


LINK = re.compile("\x1b\\]8;;([!-~]*)\x1b\\\\")


def test_places_are_links_to_the_files_of_this_machine_and_links_change_nothing_else() -> None:
    files = {"/etc/nginx/sites-enabled/shop": "/srv/copies/web1/etc/nginx/a b%\x1b\udc80é"}
    for quiet, verbose in ((False, False), (True, False), (False, True)):
        linked = render([WEB1], color=False, width=80, quiet=quiet, verbose=verbose, files=[files], machine="ops é")
        places = linked.count("/etc/nginx/sites-enabled/shop:")

        assert ["file://ops%20%C3%A9/srv/copies/web1/etc/nginx/a%20b%25%1B%80%C3%A9", ""] * places == LINK.findall(linked)
        assert plain(WEB1, quiet=quiet, verbose=verbose) == LINK.sub("", linked)


def test_each_host_has_links_of_its_own_and_still_shares_a_section() -> None:
    path = "/etc/nginx/sites-enabled/shop"
    twins = [replace(WEB1, host="b"), replace(WEB1, host="a")]

    linked = render(twins, color=False, width=80, files=[{path: "/copies/b"}, {path: "/copies/a"}], machine="ops")

    assert "a, b (2 hosts, the same on each)" in linked
    assert {"file://ops/copies/a", ""} == set(LINK.findall(linked))


HOSTILE = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["\x1b[2J", "\x9b31m", "a\rb", "\n\n", "\u202ex", "\udc80", "\t", "\x1b]0;x\x07"]
)


@given(HOSTILE, HOSTILE, HOSTILE, st.integers(0, 120), st.booleans(), st.booleans())
def test_no_byte_of_the_host_reaches_the_terminal_as_a_control(
    path: str, text: str, line: str, columns: int, quiet: bool, verbose: bool
) -> None:
    place = Span(path, 1, 2, 1, 4)
    notes = (Note(text, place), Note(text, Span.whole(path)), Note(line))
    finding = replace(IN_RANGE, message=text, at=place, notes=notes, summary=text, manual=Manual(text, line))
    result = HostResult(
        text, 1, 1, (finding, finding), (Allowed(text, place, line),), (Unreadable(place, text),), {**SOURCES, path: Source(path, line)}
    )

    report = plain(result, replace(result, host=path), width=columns, quiet=quiet, verbose=verbose)

    assert not [c for c in report if (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0]
    assert not [line for line in report.split("\n") if line.endswith(" ")]
    report.encode("utf-8")
    if quiet:
        assert 6 == report.count("\n")
