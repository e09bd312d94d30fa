"""Patterns of include lines, over the files of a host."""

import pytest

from portwright.trees import Files
from portwright.trees.glob import MOST, TooMany, expand
from portwright.trees.memory import MemoryTree

FILES = Files(
    MemoryTree(
        {
            "/etc/a/2.conf": "",
            "/etc/a/10.conf": "",
            "/etc/a/.hidden.conf": "",
            "/etc/a/x.txt": "",
            "/etc/b/1.conf": "",
            "/etc/b/[odd].conf": "",
            "/etc/c": "-> b",
            "/etc/d/gone.conf": "-> /nowhere",
        }
    )
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/etc/a/*.conf", ("/etc/a/10.conf", "/etc/a/2.conf")),
        ("/etc/a/.*.conf", ("/etc/a/.hidden.conf",)),
        ("/etc/a/?.conf", ("/etc/a/2.conf",)),
        ("/etc/[ab]/1*.conf", ("/etc/a/10.conf", "/etc/b/1.conf")),
        ("/etc/*/1.conf", ("/etc/b/1.conf", "/etc/c/1.conf")),
        ("/etc/a/2.conf", ("/etc/a/2.conf",)),
        ("/etc//a/./2.conf", ("/etc/a/2.conf",)),
        ("/etc/a/none.conf", ()),
        ("/etc/d/*", ()),
        ("/none/*", ()),
    ],
)
def test_a_pattern_matches_what_is_there_in_byte_order(pattern: str, expected: tuple[str, ...]) -> None:
    assert expected == expand(pattern, FILES)


def test_a_pattern_that_matches_too_much_is_refused() -> None:
    many = Files(MemoryTree({f"/d/{number}": "" for number in range(MOST + 1)}))

    with pytest.raises(TooMany):
        expand("/d/*", many)


def test_a_link_to_nothing_that_a_wildcard_matches_is_said_where_somebody_would_read_it() -> None:
    tree = {"/etc/d/a.conf": "x", "/etc/d/b.conf": "-> /opt/b.conf", "/etc/d/c.txt": "-> /opt/c", "/etc/e/a": ""}
    files, quiet, some = Files(MemoryTree(tree)), Files(MemoryTree(tree)), Files(MemoryTree(tree), partial=True)

    assert (
        ("/etc/d/a.conf",) == expand("/etc/d/*.conf", files) == expand("/etc/d/*.conf", some) == expand("/etc/d/*.conf", quiet, tells=False)
    )
    assert ["/etc/d/b.conf: /etc/d/*.conf names it, and it is a link to /opt/b.conf, which is not there"] == [
        f"{each.at.path}: {each.reason}" for each in files.unreadable
    ]
    assert () == quiet.unreadable == some.unreadable
    assert () == expand("/etc/d/b.conf", quiet) == quiet.unreadable
