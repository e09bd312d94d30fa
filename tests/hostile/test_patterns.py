"""No regular expression of the program takes more than its text's length, whatever the text."""

import re

import pytest

from tests.hostile.patterns import Pattern, patterns, too_slow


@pytest.mark.parametrize("part", range(8))
def test_no_pattern_takes_longer_than_its_text_is(part: int) -> None:
    assert [] == [said for each in patterns()[part::8] if (said := too_slow(each))]


@pytest.mark.parametrize("text", [r"a+$", r"(?:a|b)*c\d", r"\s+$", r"/\*.*?\*/", r"(\w+\.)+x", r"(?:[^,]*,)*?;"])
def test_a_careless_pattern_is_found(text: str) -> None:
    assert too_slow(Pattern("here", re.compile(text), anywhere=True))


def test_the_patterns_of_modules_calls_and_rooms_are_among_them() -> None:
    places = [each.where for each in patterns()]

    assert len(places) > 400
    assert any(each.startswith("the room of") for each in places)
