"""PortSet: sets of ports as sets, printed and read as the kernel does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.ports import PortSet, read_list, union

_RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8)
_SETS = _RANGES.map(lambda ranges: PortSet.of(*ranges))


@given(_SETS, _SETS)
def test_union_minus_intersection_and_overlap_are_those_of_sets(a: PortSet, b: PortSet) -> None:
    assert set(a) | set(b) == set(a.union(b))
    assert set(a) - set(b) == set(a.minus(b))
    assert set(a) & set(b) == set(a.intersection(b))
    assert bool(set(a) & set(b)) == a.overlaps(b)


@given(_SETS, _SETS)
def test_equal_sets_are_equal_values_however_they_came_about(a: PortSet, b: PortSet) -> None:
    assert a.union(b) == b.union(a) == union([a, b]) == PortSet.of(*a.ranges, *b.ranges)
    assert a.intersection(b) == b.intersection(a)
    assert a == a.minus(b).union(a.intersection(b))


@given(_SETS)
def test_ranges_are_sorted_disjoint_and_never_touch(a: PortSet) -> None:
    flat = [end for low, high in a.ranges for end in (low, high)]

    assert flat == sorted(flat)
    assert all(high + 1 < low for (_, high), (low, _) in zip(a.ranges, a.ranges[1:], strict=False))


@given(_SETS, st.integers(-1, 80))
def test_membership_size_and_ends_are_those_of_the_set(a: PortSet, port: int) -> None:
    assert ((port in set(a)), len(set(a))) == (port in a, len(a))
    assert (min(a, default=None), max(a, default=None)) == (a.low, a.high)


@given(st.lists(st.integers(0, 65535), max_size=30))
def test_what_is_printed_reads_back(ports: list[int]) -> None:
    a = PortSet.of(*ports)

    assert a == PortSet.parse(str(a))
    assert set(ports) == set(a)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("8080,9148,30000-30010", "8080,9148,30000-30010"),
        ("8081,8080,8080", "8080-8081"),
        ("1-3,2-5,6", "1-6"),
        ("80,", "80"),
        ("80\n", "80"),
        ("0-65535", "0-65535"),
        ("0x50,0120,80", "80"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_a_list_is_printed_the_way_the_kernel_does(text: str, printed: str) -> None:
    assert printed == str(PortSet.parse(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("8080, 9090", "no number at ' 9090'"),
        ("8080 9090", "' ' after '8080', where only a comma or a hyphen may stand"),
        ("9-8", "not a port or range: '9-8'"),
        ("65536", "not a port or range: '65536'"),
        ("1-2-3", "a range has two ends: '1-2-'"),
        ("80-", "a number is missing at the end"),
        ("80,,81", "no number at ',81'"),
        ("08", "'8' after '0'"),
        (" ", "no number at ' '"),
        ("1" * 100_000, "too long a number: '111111111111111111111'"),
    ],
)
def test_what_the_kernel_refuses_is_refused_with_the_place(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        PortSet.parse(text)


@pytest.mark.parametrize("ranges", [[(2, 1)], [(-1, 3)], [(1, 65536)], [70000]])
def test_a_reversed_range_and_what_is_no_port_are_refused(ranges: list[tuple[int, int] | int]) -> None:
    with pytest.raises(ValueError, match="not a range of ports"):
        PortSet.of(*ranges)


def test_an_item_at_the_end_of_a_text_that_is_cut_off_is_left() -> None:
    assert (((80, 80),), 3) == read_list("80,90", cut_off=True)
    assert (((80, 80),), 3) == read_list("80,90,", cut_off=True)
    assert (((80, 80), (90, 91)), 9) == read_list("80,90-91,", cut_off=True)
    assert (((80, 80),), 3) == read_list("80,90-91", cut_off=True)


def test_operations_on_as_many_ranges_as_there_can_be_stay_linear() -> None:
    even, odd = PortSet.of(*range(0, 65536, 2)), PortSet.of(*range(1, 65536, 2))

    assert (32768, 0, 65536) == (len(even.minus(odd).ranges), len(even.intersection(odd)), len(even.union(odd)))
