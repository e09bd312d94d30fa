"""A few inputs of the fuzz lane for every reader; `tests/fuzz/run` throws as many as it is told."""

import random

import pytest

from tests.fuzz import whole
from tests.fuzz.targets import inputs, of_odd_blanks, spoilt, targets

TARGETS = targets()
NUMBERS = {"format": 25, "app": 4, "story": 20, "deployer": 8, "host": 10, "tree": 10}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_case_32_a_reader_returns_whatever_it_is_given(name: str) -> None:
    for count, data in inputs(name, NUMBERS[name.partition("/")[0]]):
        try:
            TARGETS[name](data)
        except Exception as error:
            raise AssertionError(f"tests/fuzz/run -n 1 --from {count} {name}") from error


ODD = tuple(of_odd_blanks())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_case_26_what_only_python_takes_for_a_blank_is_no_error_of_ours(name: str) -> None:
    # Rooms read with the engine's grammars, which are given every text as formats; each room is given one text in eight of them.
    for text in ODD if name.startswith("format/") else (b"\n".join(ODD[sum(name.encode()) % 8 :: 8]),):
        TARGETS[name](text)


def test_every_kind_of_deployer_has_a_repository_among_the_seeds() -> None:
    assert set() == whole.kinds_without_seeds()


def test_a_repository_written_as_one_text_is_its_files() -> None:
    text = b"./a/b.conf\n    x\n      y\n./a/l -> b.conf\n./../c\n    z\n./a\n    w\n"

    assert {"/a/b.conf": b"x\n  y\n", "/a/l": "-> b.conf", "/c": b"z\n"} == whole.files_of(text)


def test_the_same_number_makes_the_same_input() -> None:
    assert list(inputs("format/nginx", 5)) == list(inputs("format/nginx", 5))
    assert [data for _, data in inputs("format/nginx", 5)] != [data for _, data in inputs("format/unit", 5)]


def test_spoiling_changes_most_inputs() -> None:
    seed = b"listen 80;\n" * 20

    chances = [random.Random(number) for number in range(100)]  # noqa: S311  it makes inputs, no secrets

    assert 80 < sum(spoilt(chance, seed) != seed for chance in chances)
