"""systemd.unit(5), Specifiers."""

import pytest

from portwright.system.systemd.specifiers import LONGEST_VALUE, UNKNOWN, Machine, expand, machine, unescape
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

HOST = Machine("web1.example", "0123456789abcdef0123456789abcdef", {"ID": "debian", "VERSION_ID": "12"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%n", "foo-bar@a-b\\x2dc.service"),
        ("%N", "foo-bar@a-b\\x2dc"),
        ("%p", "foo-bar"),
        ("%P", "foo/bar"),
        ("%i", "a-b\\x2dc"),
        ("%I", "a/b-c"),
        ("%j", "bar"),
        ("%J", "bar"),
        ("%f", "/a/b-c"),
        ("%H", "web1.example"),
        ("%l", "web1"),
        ("%m", "0123456789abcdef0123456789abcdef"),
        ("%u:%U:%g:%G:%h", "root:0:root:0:/root"),
        ("%t %S %C %L %E %T %V", "/run /var/lib /var/cache /var/log /etc /tmp /var/tmp"),
        ("%o-%w%W", "debian-12"),
        ("%y %Y", "/etc/x/foo-bar@.service /etc/x"),
        ("%%i 100%", "%i 100%"),
        ("%z", "%z"),
        ("%b %v %a", f"{UNKNOWN} {UNKNOWN} {UNKNOWN}"),
        ("--port=%i0", "--port=a-b\\x2dc0"),
    ],
)
def test_a_specifier_becomes_what_it_stands_for(text: str, expected: str) -> None:
    assert expected == expand(text, "foo-bar@a-b\\x2dc.service", HOST, "/etc/x/foo-bar@.service")


def test_in_a_plain_unit_the_instance_is_empty_and_f_is_the_name() -> None:
    assert ":/foo/bar:foo-bar" == expand("%i:%f:%N", "foo-bar.service", HOST)


@pytest.mark.parametrize("text", ["%H", "%l", "%m", "%o", "%y", "%Y"])
def test_what_the_files_do_not_tell_is_marked(text: str) -> None:
    assert UNKNOWN == expand(text, "a.service", Machine())


@pytest.mark.parametrize("text", ["%i", "%I", "%n", "%N"])
def test_a_templates_own_instance_is_unknown(text: str) -> None:
    assert UNKNOWN in expand(text, "x@.service", HOST)


def test_a_value_does_not_grow_without_bound() -> None:
    assert UNKNOWN == expand("%n" * (LONGEST_VALUE // 2), f"{'a' * 200}.service", HOST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a-b", "a/b"), ("a\\x2db", "a-b"), ("\\xc3\\xa9", "é"), ("a\\x", "a\\x"), ("a\\xzz", "a\\xzz"), ("", "")],
)
def test_names_are_unescaped(text: str, expected: str) -> None:
    assert expected == unescape(text)


def test_the_machine_is_known_by_its_files() -> None:
    files = {"/etc/hostname": "# x\nweb1\n", "/etc/machine-id": "abc\n", "/etc/os-release": "-> ../usr/lib/os-release"}
    files["/usr/lib/os-release"] = "# x\nID=debian\nVERSION_ID=\"12\"\nBUILD_ID='3'\nnothing\n"

    assert Machine("web1", "abc", {"ID": "debian", "VERSION_ID": "12", "BUILD_ID": "3"}) == machine(Files(MemoryTree(files)))


def test_a_tree_that_says_nothing_about_its_machine_is_an_unknown_one() -> None:
    assert Machine() == machine(Files(MemoryTree({})))
