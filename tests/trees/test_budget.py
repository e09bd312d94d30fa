"""What one host may cost: files beyond the budget are left out and said, what files multiply is spent for, and lists stay short."""


import pytest

from portwright.host.join.conflict import collisions
from portwright.host.reading import read_host
from portwright.rules.allowing import allowed
from portwright.source import Source, Span
from portwright.system.systemd.start_order import StartOrder
from portwright.trees import Files
from portwright.trees.budget import MOST_BYTES, MOST_EXPANDED, MOST_WORDS, MOST_WORDS_OF_A_FILE, weight
from portwright.trees.memory import MemoryTree
from tests.fuzz.constructions import service, services

LEFT_OUT = f"the files of this host hold more than {MOST_WORDS:,} words in all: this one is left out"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("a", 1),
        ("a b\nc", 4),
        ("listen 80;\n", 4),
        ("{{}}", 5),
        ("# a comment of many words\na\n", 3),
        ("<a b='c'/>\n", 8),
        ("<!--\n# <a/>\n", 9),
    ],
)
def test_a_text_weighs_what_a_reader_may_make_of_it(text: str, words: int) -> None:
    assert words == weight(text.encode())


def test_a_file_of_too_many_words_is_left_out_and_the_others_are_read() -> None:
    files = Files(MemoryTree({"/a": "a;" * MOST_WORDS_OF_A_FILE, "/b": "b\n", "/c": "c " * (MOST_WORDS_OF_A_FILE + 1)}))

    assert [None, "b\n", None] == [source and source.text for source in map(files.read, ("/a", "/b", "/c"))]
    left_out = f"it holds more than {MOST_WORDS_OF_A_FILE:,} words: it is left out"
    assert [("/a", left_out), ("/c", left_out)] == [(each.at.path, each.reason) for each in files.unreadable]


def test_files_of_too_many_words_together_are_left_out() -> None:
    files = Files(MemoryTree({**{f"/{number}": "a " * (MOST_WORDS // 5) for number in range(6)}, "/b": "b\n"}))

    assert [True] * 5 + [False, False] == [files.read(f"/{name}") is not None for name in (*range(6), "b")]
    assert [("/5", LEFT_OUT), ("/b", LEFT_OUT)] == [(each.at.path, each.reason) for each in files.unreadable]


def test_long_texts_of_few_words_are_read() -> None:
    files = Files(MemoryTree({f"/{name}": ("x" * 999 + "\n") * 500 for name in "abc"}))

    assert all(files.read(f"/{name}") for name in "abc")
    assert () == files.unreadable


def test_nothing_is_read_once_all_that_may_be_was() -> None:
    megabytes = MOST_BYTES >> 20
    files = Files(MemoryTree({f"/{number}": "x" * (8 << 20) for number in range(megabytes // 8 + 1)} | {"/last": "x"}))
    kept = [files.read(f"/{number}") for number in range(megabytes // 8 + 1)]

    assert [False] * (megabytes // 8) + [True] == [source is None for source in kept]
    assert files.read("/last") is None
    assert files.read("/missing") is None
    assert [f"/{megabytes // 8}", "/last"] == [each.at.path for each in files.unreadable]


def test_what_cannot_be_spent_is_said_at_its_place() -> None:
    files, at = Files(MemoryTree({})), Span("/a", 2, 1, 2, 3)

    assert [True, False, True] == [files.spend(amount, at, "the value of A") for amount in (MOST_EXPANDED - 1, 2, 1)]
    assert [(at, True)] == [(each.at, each.reason.startswith("the value of A is left out")) for each in files.unreadable]


@pytest.mark.parametrize("word", ["${A}", " $A "])
def test_a_long_value_put_in_again_and_again_ends_as_unknown(word: str) -> None:
    units = services({"x.service": service("/bin/a" + f" {word * 4000}", f"Environment='A={'a ' * 2000}'\n")})
    host = read_host(MemoryTree(units), "h")

    assert [True] == ["is left out" in each.reason for each in host.unreadable]


def test_a_template_that_wants_two_of_itself_comes_to_an_end() -> None:
    unit = service("/bin/a", unit="Wants=x@%i0.service x@%i1.service\n")
    folder = "/etc/systemd/system"
    begun = {f"{folder}/multi-user.target.wants/x@a.service": f"-> {folder}/x@.service"}
    host = read_host(MemoryTree({f"{folder}/x@.service": unit, **begun}), "h")

    assert len(host.units) < 2000
    assert [f"{folder}/x@.service"] == [each.at.path for each in host.unreadable]


def test_a_unit_file_of_many_instances_that_links_name_is_read_for_each() -> None:
    folder = "/etc/systemd/system"
    links = {f"{folder}/multi-user.target.wants/x@{number}.service": f"-> {folder}/x@.service" for number in range(1500)}
    host = read_host(MemoryTree({f"{folder}/x@.service": service("/bin/a"), **links}), "h")

    assert 1501 == sum(unit.name.startswith("x@") for unit in host.units)
    assert () == host.unreadable


def test_a_chain_of_many_units_is_in_order() -> None:
    order = StartOrder({f"u{number}": {f"u{number + 1}"} for number in range(5000)}, lambda name: True)

    assert 5000 == len(order.before("u0"))
    assert "u5000" in order.before("u0")
    assert "u0" not in order.before("u1")
    assert [] == list(order.before("u5000"))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": {"b"}, "b": {"a"}}, {"b"}),
        ({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}}, {"b", "c", "d"}),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": {"a"}}, {"b", "c", "d"}),
        ({"a": {"not counted"}, "not counted": {"c"}}, set()),
        ({"a": {"a"}}, set()),
    ],
)
def test_what_comes_before_a_unit_is_the_same_in_circles(after: dict[str, set[str]], expected: set[str]) -> None:
    assert expected == set(StartOrder(after, lambda name: " " not in name).before("a"))


def test_of_very_many_units_on_one_port_the_first_pairs_are_told() -> None:
    units = services({f"u{number}.service": service("/usr/bin/python3 -m http.server 8080") for number in range(150)})
    host, pairs = collisions(read_host(MemoryTree(units), "h"))

    assert 150 == len(host.listeners)
    assert 5000 < len(pairs) < 5150
    assert ["more than 5,000 pairs of listeners want one port: who else wants the port of this one is left out"] == [
        each.reason for each in host.unreadable
    ]


def test_comments_that_allow_nothing_are_told_up_to_a_number() -> None:
    text = "# portwright: allow no-such-rule: because\n" * 5000
    *told, last = allowed((), {"/a": Source("/a", text)}, ("port-claimed-twice",))[2]

    assert 100 == len(told)
    assert "more than 100 comments in it have no effect; the others are not told" == last.reason
