"""Readers need time in proportion to their input, whatever it says: the slow lane `pytest tests/fuzz/lane_of_cost.py`.

`tests/fuzz/run --cost` tries more of it.
"""

import re
from collections.abc import Callable

import pytest

from portwright.reports.escape import safe
from portwright.reports.secrets import hide_in_line
from tests.fuzz.cost import PIECES, grows_too_fast
from tests.fuzz.targets import targets

TARGETS = {name: target for name, target in targets().items() if name.startswith("format/")}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_reader_needs_time_in_proportion_to_its_input(name: str) -> None:
    assert [] == [found for piece in PIECES if (found := grows_too_fast(TARGETS[name], piece)) is not None]


@pytest.mark.parametrize("shown", [safe, hide_in_line])
def test_showing_text_needs_time_in_proportion_to_it(shown: Callable[[str], str]) -> None:
    assert [] == [found for piece in PIECES if (found := grows_too_fast(lambda data: shown(data.decode()), piece)) is not None]


@pytest.mark.parametrize("pattern", [rb"a*b", rb"a*?b"])
def test_a_square_law_is_noticed(pattern: bytes) -> None:
    assert grows_too_fast(lambda data: re.search(pattern, data), "a") is not None


def test_a_linear_law_is_not() -> None:
    assert grows_too_fast(lambda data: [byte for byte in data for _ in range(50)], "a") is None


@pytest.mark.parametrize(
    ("daemon", "line"),
    [
        ("bird", "include a;\n"),
        ("supervisord", "[include]\nfiles=a.ini\n"),
        ("postgresql", "include 'a'\n"),
    ],
)
def test_files_that_include_each_other_again_and_again_are_given_up(daemon: str, line: str) -> None:
    # Each file of this tree holds these lines, so without a limit each includes each, sixteen deep.
    assert grows_too_fast(targets()[f"app/{daemon}"], line) is None
