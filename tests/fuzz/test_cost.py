"""What hosts may cost, counted and never timed: large honest hosts are read whole, and twice the size takes twice the calls.

`python -m tests.fuzz.sweep` measures seconds and memory, of more hosts and at their full size.
"""

import sys
from collections import Counter
from types import FrameType

import pytest

from portwright.host.reading import read_host
from portwright.trees.budget import MOST_BYTES, MOST_EXPANDED, MOST_WORDS, MOST_WORK, Budget, weight
from portwright.trees.memory import MemoryTree
from tests.fuzz.constructions import CONSTRUCTIONS, HOST
from tests.fuzz.honest import HONEST
from tests.fuzz.sweep import Cost, verdict


@pytest.mark.parametrize("name", HONEST)
def test_a_large_host_as_people_have_it_is_read_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of it spends less than a tenth of each part of the budget."""
    spent = Counter[str]()

    class Counted(Budget):
        def work(self, steps: int) -> bool:
            spent["work"] += steps
            return super().work(steps)

        def expand(self, amount: int) -> bool:
            spent["expanded"] += amount
            return super().expand(amount)

    monkeypatch.setattr("portwright.trees.tree.Budget", Counted)
    files = {**HOST, **HONEST[name].contents(HONEST[name].largest // 10)}
    spent["bytes"] = sum(map(len, files.values()))
    spent["words"] = sum(weight(text.encode()) for text in files.values())

    host = read_host(MemoryTree(files), "h")

    assert () == host.unreadable
    assert host.listeners
    most = {"bytes": MOST_BYTES, "words": MOST_WORDS, "expanded": MOST_EXPANDED, "work": MOST_WORK}
    assert {} == {part: amount for part, amount in spent.items() if 10 * amount > most[part]}


# What is cut off by the budget at any size, as drop-ins times units, has no law to hold.
_IN_PROPORTION = (
    "many units", "units on one port", "a chain of After=", "sh -c, ${A} n times", "a script that doubles", "one script for many units",
    "one config for many units", "specifiers", "all units after all", "overlapping ranges", "listeners on addresses",
    "listeners in the ephemeral range",
)  # fmt: skip


@pytest.mark.parametrize("name", _IN_PROPORTION)
def test_twice_the_size_takes_twice_the_calls(name: str) -> None:
    construction = CONSTRUCTIONS[name]
    least = construction.n // 60 + 1
    _calls(construction.files(1))  # what is made once in a process, as patterns are

    few, more, most = (_calls(construction.files(least * times)) for times in (1, 2, 4))

    assert (most - more) < 3 * (more - few)


@pytest.mark.parametrize(
    ("costs", "wrong"),
    [
        ([Cost(1.0, 20, 0), Cost(2.0, 20, 1), Cost(4.0, 20, 3)], ""),
        ([Cost(0.3, 20, 0), Cost(1.1, 20, 0), Cost(4.4, 20, 0)], "square"),
        ([Cost(1.0, 20, 0), Cost(5.1, 20, 0)], "too slow"),
        ([Cost(1.0, 20, 0), Cost(1.0, 257, 0)], "too large"),
        ([Cost(1.0, 20, -9)], "ended with -9"),
    ],
)
def test_the_table_says_what_is_wrong(costs: list[Cost], wrong: str) -> None:
    assert wrong == verdict(costs)


def test_an_honest_host_may_not_be_cut_off() -> None:
    assert "cut off" == verdict([Cost(1.0, 20, 0), Cost(1.0, 20, 3)], is_honest=True)


def _calls(files: dict[str, str]) -> int:
    """How many functions, of Python and of C, are called to read a host."""
    count = 0

    def event(frame: FrameType, what: str, argument: object) -> None:
        nonlocal count
        count += what in ("call", "c_call")

    tree, before = MemoryTree(files), sys.getprofile()
    sys.setprofile(event)
    try:
        read_host(tree, "h")
    finally:
        sys.setprofile(before)
    return count
