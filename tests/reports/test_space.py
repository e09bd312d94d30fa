"""The numbers behind the picture: zones, what is usable, and the rates measured on the kernel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.host import Host
from portwright.ports import PortSet
from portwright.reports.space import Space, rows
from tests.reports.hosts import COLLISIONS, DB1, POOLER, POSTGRES, listener, sysctl


def space(bounds: str = "32768 60999", reserved: str = "", **more: str) -> Space:
    settings = {"net.ipv4.ip_local_port_range": bounds, "net.ipv4.ip_local_reserved_ports": reserved}
    settings |= {f"net.ipv4.{key}": value for key, value in more.items()}
    return Space(Host("h", sysctls=tuple(sysctl(key, value) for key, value in settings.items())))


@pytest.mark.parametrize(
    ("bounds", "unprivileged", "zones"),
    [
        ("32768 60999", "1024", [("privileged", 0, 1023), ("user", 1024, 32767), ("ephemeral", 32768, 60999), ("above", 61000, 65535)]),
        ("32768 60999", "0", [("user", 0, 32767), ("ephemeral", 32768, 60999), ("above", 61000, 65535)]),
        ("1024 65535", "1024", [("privileged", 0, 1023), ("ephemeral", 1024, 65535)]),
        ("1 65535", "0", [("user", 0, 0), ("ephemeral", 1, 65535)]),
        ("40000 40000", "80", [("privileged", 0, 79), ("user", 80, 39999), ("ephemeral", 40000, 40000), ("above", 40001, 65535)]),
        ("nonsense", "1024", [("privileged", 0, 1023), ("user", 1024, 65535)]),
    ],
)
def test_the_zones_follow_from_the_settings(bounds: str, unprivileged: str, zones: list[tuple[str, int, int]]) -> None:
    found = space(bounds, ip_unprivileged_port_start=unprivileged).zones

    assert zones == [(zone.name, zone.low, zone.high) for zone in found]


def test_the_default_range_carries_470_connections_a_second_and_slows_down_at_235() -> None:
    capacity = space(tcp_tw_reuse="2").capacity

    assert capacity is not None
    assert (28232, 470, 14116, 235) == (capacity.usable, capacity.per_second, capacity.slower_from, capacity.slower_from_per_second)
    assert (2, 28232) == (capacity.tw_reuse, capacity.per_second_reusing)


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({"tcp_tw_reuse": "1"}, 100),
        ({"tcp_tw_reuse": "1", "tcp_tw_reuse_delay": "100"}, 1000),
        ({"tcp_tw_reuse": "1", "tcp_timestamps": "0"}, None),
        ({"tcp_tw_reuse": "0"}, None),
        ({}, None),
    ],
)
def test_a_port_in_time_wait_is_taken_again_after_the_delay_and_only_with_timestamps(settings: dict[str, str], rate: int | None) -> None:
    capacity = space("40000 40099", **settings).capacity

    assert capacity is not None
    assert rate == capacity.per_second_reusing


def test_few_time_wait_buckets_are_told_only_where_they_are_fewer_than_the_ports() -> None:
    few, many = space("40000 40099", tcp_max_tw_buckets="5").capacity, space("40000 40099", tcp_max_tw_buckets="4096").capacity

    assert few is not None
    assert many is not None
    assert (5, None) == (few.most_time_waits, many.most_time_waits)


@given(st.integers(1, 400), st.integers(0, 300), st.sets(st.integers(1, 800), max_size=20))
def test_usable_ports_and_those_of_the_first_parity_are_counted_right(low: int, more: int, reserved: set[int]) -> None:
    high = low + more
    capacity = space(f"{low} {high}", str(PortSet.of(*reserved))).capacity
    usable = [port for port in range(low, high + 1) if port not in reserved]

    assert capacity is not None
    assert (len(usable), len([p for p in usable if p % 2 == low % 2])) == (capacity.usable, capacity.slower_from)


@pytest.mark.parametrize(
    ("ports", "marks"),
    [
        (80, ()),
        (40000, ("ephemeral",)),
        (41000, ("reserved",)),
        ((40999, 41001), ("ephemeral",)),
        ((50000, 51000), ("reserved",)),
        (None, ()),
    ],
)
def test_a_listener_in_the_range_is_marked_unless_all_its_ports_there_are_reserved(
    ports: tuple[int, int] | int | None, marks: tuple[str, ...]
) -> None:
    assert marks == space(reserved="41000,50000-51000").marks(listener("a", ports))


def test_a_listener_in_a_network_of_its_own_stands_in_no_range_of_the_host() -> None:
    assert ("own-network",) == space().marks(replace(listener("a", 40000), private_network=True))


def test_rivals_know_each_other_and_nobody_else_is_marked() -> None:
    there = Space(DB1, COLLISIONS)

    assert (POOLER,) == there.rivals(POSTGRES)
    assert (POSTGRES,) == there.rivals(POOLER)
    assert ["collides"] * 2 == [mark for each in DB1.listeners for mark in there.marks(each) if mark == "collides"]


def test_only_the_row_of_the_port_in_question_collides() -> None:
    many = replace(listener("b", 1), ports=PortSet.of(7, 5432))
    there = Space(Host("h", listeners=(many, POSTGRES)), ((many, POSTGRES),))

    assert [(), ("collides",)] == [there.marks(row) for row in rows((many,))]
