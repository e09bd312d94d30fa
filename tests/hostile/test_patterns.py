"""The lane that times every regular expression (`python -m tests.hostile.patterns`) finds careless ones, and has all of them."""

import re

import pytest

from tests.hostile.patterns import Pattern, patterns, too_slow


@pytest.mark.parametrize("text", [r"a+$", r"(?:a|b)*c\d", r"\s+$", r"/\*.*?\*/", r"(\w+\.)+x", r"(?:[^,]*,)*?;"])
def test_a_careless_pattern_is_found(text: str) -> None:
    assert too_slow(Pattern("here", re.compile(text), anywhere=True))


def test_the_patterns_of_modules_calls_and_rooms_are_among_them() -> None:
    places = [each.where for each in patterns()]

    assert len(places) > 400
    assert any(each.startswith("the room of") for each in places)
