"""What could not be read is said once, and of one file no more than a person will read."""

from portwright.source import Span, Unreadable
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from portwright.trees.tree import MOST_TROUBLE


def test_the_same_thing_is_said_once() -> None:
    files = Files(MemoryTree({}))
    for _ in range(1000):
        files.report_unreadable(Span.whole("/a"), "broken")

    assert (Unreadable(Span.whole("/a"), "broken"),) == files.unreadable


def test_of_a_file_of_nothing_but_trouble_the_first_places_are_told_and_that_there_are_more() -> None:
    files = Files(MemoryTree({"/etc/sysctl.d/1.conf": ""}))
    for line in range(1, 100_000):
        files.report_unreadable(Span("/a", line, 1, line, 2), "broken")
    files.report_unreadable(Span.whole("/b"), "broken")

    assert MOST_TROUBLE + 2 == len(files.unreadable)
    assert Unreadable(Span("/a", MOST_TROUBLE, 1, MOST_TROUBLE, 2), "broken") in files.unreadable
    more = f"more than {MOST_TROUBLE} places in it cannot be read; the others are not listed"
    assert Unreadable(Span.whole("/a"), more) in files.unreadable
    assert Unreadable(Span.whole("/b"), "broken") in files.unreadable
