"""No regular expression of the program takes the square of a text; what finds careless ones finds them, and has all there are."""

import re

import pytest

from tests.hostile.patterns import Pattern, patterns, too_slow


@pytest.mark.parametrize(
    "text",
    [r"a+$", r"(?:a|b)*c\d", r"\s+$", r"/\*.*?\*/", r"(\w+\.)+x", r"(?:[^,]*,)*?;", r"x[ \t]+[\w \t]{1,200}?[ \t]*>"],
)
def test_a_careless_pattern_is_found(text: str) -> None:
    assert too_slow(Pattern("here", re.compile(text), anywhere=True))


def test_no_pattern_takes_the_square_of_its_text() -> None:
    assert [] == [told for each in patterns() if (told := too_slow(each))]


def test_the_patterns_of_modules_calls_and_rooms_are_among_them() -> None:
    places = [each.where for each in patterns()]

    assert len(places) > 400
    assert any(each.startswith("the room of") for each in places)
