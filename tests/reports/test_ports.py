"""The picture of the port space: a look suffices, at any width, with and without colours and Unicode."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.facts import Listener
from portwright.host import Host
from portwright.ports import PortSet
from portwright.reports.escape import width
from portwright.reports.ports import render
from portwright.source import Span, Unreadable
from tests.reports.golden import expected
from tests.reports.hosts import COLLISIONS, DB1, listener, sysctl

_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def host(*listeners: Listener, bounds: str = "32768 60999", reserved: str = "", unprivileged: str = "1024", **settings: str) -> Host:
    values = {
        "net.ipv4.ip_local_port_range": bounds,
        "net.ipv4.ip_local_reserved_ports": reserved,
        "net.ipv4.ip_unprivileged_port_start": unprivileged,
        **{f"net.ipv4.{key}": value for key, value in settings.items()},
    }
    return Host("h", listeners=listeners, sysctls=tuple(sysctl(key, value) for key, value in values.items()))


def lines(of: Host, columns: int = 80) -> list[str]:
    return render(of, color=False, width=columns).splitlines()


def bar(of: Host, columns: int = 80) -> str:
    return next(line for line in lines(of, columns) if "├" in line)


@pytest.mark.parametrize(("columns", "unicode"), [(40, True), (80, True), (80, False), (120, True), (200, True)])
def test_a_crowded_host_is_drawn_as_the_kept_picture(columns: int, unicode: bool) -> None:
    actual = render(DB1, COLLISIONS, color=False, width=columns, unicode=unicode)

    assert expected(f"ports-{columns}{'' if unicode else '-ascii'}.txt", actual) == actual
    assert unicode or actual.isascii()


def test_colours_change_nothing_but_colour() -> None:
    for columns in (40, 80, 200):
        coloured = render(DB1, COLLISIONS, color=True, width=columns)
        assert render(DB1, COLLISIONS, color=False, width=columns) == "\n".join(
            line.rstrip() for line in _COLOUR.sub("", coloured).split("\n")
        )
        assert "\x1b[31m✗\x1b[0m" in coloured


def test_nothing_but_a_place_or_a_name_leaves_the_page() -> None:
    for columns in (40, 80, 120, 200):
        for line in lines(DB1, columns):
            assert width(line) <= columns or max(len(word) for word in line.split()) + 14 > columns


def test_a_mark_stands_over_its_zone() -> None:
    picture = lines(host(listener("a", 22), listener("b", 8080), listener("c", 40000), listener("d", 62000)))
    marks = next(line for line in picture if line.startswith("tcp"))
    axis = next(line for line in picture if "├" in line)

    assert ["●", "●", "▲", "●"] == marks.split()[1:]
    zones = [axis[: marks.index(mark, start) + 1].count("┼") for mark, start in (("●", 0), ("▲", 0), ("●", marks.index("▲")))]
    assert [0, 2, 3] == zones


def test_reserved_ports_are_holes_in_the_range() -> None:
    assert "R" not in bar(host())
    assert 1 == bar(host(reserved="40000")).count("R")
    assert "R" not in bar(host(reserved="8080"))
    assert "▒" not in bar(host(reserved="32768-60999"))


@pytest.mark.parametrize(
    ("bounds", "unprivileged", "names"),
    [
        ("32768 60999", "1024", "privileged user ephemeral above"),
        ("32768 60999", "0", "user ephemeral above"),
        ("1024 65535", "1024", "privileged ephemeral"),
        ("60000 61000", "80", "privileged user ephemeral above"),
        ("1 65535", "1", "privileged ephemeral"),
        ("nonsense", "1024", "privileged user"),
    ],
)
def test_zones_that_are_empty_are_not_drawn(bounds: str, unprivileged: str, names: str) -> None:
    for columns in (40, 80, 200):
        picture = lines(host(bounds=bounds, unprivileged=unprivileged), columns)
        axis = next(index for index, line in enumerate(picture) if "├" in line)

        assert names == " ".join(picture[axis + 2].split())
        assert len(picture[axis]) <= columns


def test_a_range_that_is_not_known_is_said() -> None:
    assert "the ephemeral range is not known" in lines(Host("h"))
    assert "no listener was found" in lines(Host("h"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"tcp_tw_reuse": "1"}, "tcp_tw_reuse is 1: 28232 a second, where the other side also sends TCP timestamps"),
        ({"tcp_tw_reuse": "0"}, "tcp_tw_reuse is 0: no port leaves TIME_WAIT early"),
        ({"tcp_tw_reuse": "1", "tcp_timestamps": "0"}, "tcp_tw_reuse is 1 and has no effect: tcp_timestamps is off"),
        ({}, "tcp_tw_reuse is not known"),
        ({"tcp_max_tw_buckets": "5"}, "tcp_max_tw_buckets is 5: connections beyond it skip TIME_WAIT"),
    ],
)
def test_what_bends_the_capacity_is_said(settings: dict[str, str], sentence: str) -> None:
    assert [line for line in lines(host(**settings), 200) if sentence in line]


def test_the_line_that_set_the_range_and_those_who_disagree_are_named() -> None:
    picture = lines(DB1, 200)

    assert (
        "range     32768-60999, set at /etc/sysctl.d/50-range.conf:3:32; "
        "`sysctl --system` would leave 1024 65535 (/etc/sysctl.d/50-range.conf:3:32)" in picture
    )
    drifted = replace(DB1, sysctls=(sysctl("net.ipv4.ip_local_port_range", "32768 60999", running="1024 65535"),))
    assert [line for line in lines(drifted, 200) if line.startswith("range") and line.endswith("; running now: 1024 65535")]


def test_rows_that_say_the_same_are_one_row_and_what_never_starts_is_counted() -> None:
    twice = replace(listener("nginx", 443), at=Span("/elsewhere", 1, 1, 1, 2))
    picture = lines(host(listener("nginx", 443), twice, listener("x", 1, starts="never"), listener("y", 2, starts="never")))

    assert 1 == len([line for line in picture if line.startswith("443/tcp")])
    assert "2 more are never started (masked, or a condition is not met)" in picture


def test_the_addresses_of_one_service_share_a_row_and_go_below_each_other_where_there_is_no_room() -> None:
    several = [listener("named", 53, address=address, user="bind") for address in ("10.20.14.10", "127.0.0.1", "::1", "fe80::1")]

    picture = lines(host(*several, listener("sshd", 22)))

    assert [
        "port    address                   service        user  starts",
        "22/tcp  *                         sshd.service   root  boot",
        "53/tcp  10.20.14.10, 127.0.0.1,   named.service  bind  boot",
        "        ::1, fe80::1",
    ] == picture[picture.index("port    address                   service        user  starts") :][:4]


def test_the_legend_explains_what_is_drawn_and_nothing_else() -> None:
    hidden = replace(listener("b", 80, can_bind=False), error="EACCES")
    legend = "\n".join(line for line in lines(host(listener("a", 80), hidden)) if line.startswith("     ") and " listens" in line)

    assert "" == legend
    assert [line for line in lines(host(listener("a", 80))) if "● listens" in line]
    assert not [line for line in lines(host(unprivileged="0")) if "CAP_NET_BIND_SERVICE" in line]


def test_a_port_the_kernel_picks_is_not_drawn_and_not_in_danger() -> None:
    picture = lines(host(replace(listener("statd", 40000), random=True)))

    assert not [line for line in picture if "▲" in line or line.startswith("tcp")]
    assert [line for line in picture if line.startswith("random/tcp")]


def test_what_could_not_be_read_is_said_under_the_picture() -> None:
    troubled = replace(host(), unreadable=(Unreadable(Span("/a", 2, 1, 2, 2), "is a mess"),))

    assert ["could not be read, so this picture may be incomplete:", "  /a:2:1: is a mess"] == lines(troubled)[-2:]


PORTS = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda pair: PortSet.of((min(pair), max(pair))))


@given(st.lists(PORTS, max_size=6), PORTS, PORTS, st.integers(0, 1100), st.integers(0, 250), st.booleans())
def test_any_space_can_be_drawn_on_any_page(
    ports: list[PortSet], ephemeral: PortSet, reserved: PortSet, unprivileged: int, columns: int, unicode: bool
) -> None:
    listeners = [replace(listener("a", 1), ports=each) for each in ports]
    bounds = f"{ephemeral.low} {ephemeral.high}"
    picture = render(
        host(*listeners, bounds=bounds, reserved=str(reserved), unprivileged=str(unprivileged)), color=False, width=columns, unicode=unicode
    ).splitlines()
    axis = next(line for line in picture if line.startswith(("     ├", "     |")))

    assert len(axis) == min(max(columns, 40), 160)
    assert all(len(line) <= len(axis) for line in picture if line.startswith("tcp"))


@given(st.text(st.characters()), st.text(st.characters()), st.integers(0, 200))
def test_no_byte_of_the_host_reaches_the_terminal_as_a_control(one: str, two: str, columns: int) -> None:
    plain = listener("a", 40000, user=one, can_bind=False)
    at = Span(one, 1, 1, 1, 1)
    hostile = replace(plain, app=two, unit=one, activates=two, address=one, interface=two, error=one, because=two, at=at)
    other = replace(hostile, address=two, unit=None)
    setting = replace(sysctl("net.ipv4.ip_local_port_range", "32768 60999"), at=Span(two, 1, 1, 1, 2), reload=one, running=two)
    drawn = Host(one, listeners=(hostile, other), sysctls=(setting,), unreadable=(Unreadable(Span(two, 1, 1, 1, 1), one),))

    picture = render(drawn, ((hostile, other),), color=False, width=columns)

    assert not [c for c in picture if (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0]
    picture.encode("utf-8")
