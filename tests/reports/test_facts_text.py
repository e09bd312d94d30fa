"""Facts in words: what is in force, the line that put it there, the lines that lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import fields, replace
from portwright.facts import Assignment, Outbound, Overridden, Privileges, Unit
from portwright.host import Host
from portwright.reports.facts_text import render
from portwright.source import Span, Unreadable
from tests.reports.golden import expected
from tests.reports.hosts import DB1, listener, sysctl

_COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize("columns", [60, 100])
def test_a_host_reads_like_the_kept_report(columns: int) -> None:
    actual = render([DB1], color=False, width=columns)

    assert expected(f"facts-{columns}.txt", actual) == actual


def test_verbose_shows_every_setting_and_the_socket_options() -> None:
    short, long = render([DB1], color=False, width=100), render([DB1], color=False, width=100, verbose=True)

    assert "kernel.printk" not in short
    assert "1 more setting with -v" in short
    assert "kernel.printk = 4 4 1 7" in long
    assert "SO_REUSEADDR on, SO_REUSEPORT off" in long


def test_hosts_come_by_name_and_none_is_said() -> None:
    assert "host a: 0 files read" == render([Host("b"), Host("a")], color=False, width=80).splitlines()[0]
    assert "repository c: 0 files read" == render([Host("c", repository=True)], color=False, width=80).splitlines()[0]
    assert "nothing was read: no host, repository or file was found\n" == render([], color=False, width=80)


def test_colours_change_nothing_but_colour() -> None:
    coloured = render([DB1], color=True, width=80)

    assert render([DB1], color=False, width=80) == _COLOUR.sub("", coloured)
    assert "\x1b[" in coloured


@given(st.text(st.characters()), st.integers(0, 120), st.booleans())
def test_no_byte_of_the_host_reaches_the_terminal_as_a_control(text: str, columns: int, verbose: bool) -> None:
    place = Span(text, 1, 1, 1, 1)
    words = {field.name: text for field in fields(Privileges) if field.name in ("user", "fails")}
    host = Host(
        text,
        listeners=(
            replace(
                listener("a", 80, user=text, can_bind=False), app=text, unit=text, activates=text, address=text, why=text, error=text,
                because=text, because_at=place, at=place, interface=text,
            ),
        ),
        sysctls=(
            replace(
                sysctl("net.ipv4.ip_local_port_range", text, text, reload=f"{text}1", running=f"{text}2"),
                overridden=(Overridden(text, place, text),),
            ),
            sysctl(text, text, text),
        ),
        assignments=(Assignment(place, text, text, "rejected", text),),
        units=(Unit(text, place, (text,), ()),),
        outbounds=(Outbound(place, text, text, text, None),),
        unreadable=(Unreadable(place, text),),
        privileges={text: Privileges(**words, ambient=frozenset({"CAP_CHOWN"}))},  # type: ignore[arg-type]
    )  # fmt: skip

    report = render([host], color=False, width=columns, verbose=verbose)

    assert not [c for c in report if (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0]
    report.encode("utf-8")
