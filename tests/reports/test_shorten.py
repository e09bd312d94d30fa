"""Long values are cut where a reader loses least: after an item, in the middle, and never in a number."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.reports.escape import safe, width
from portwright.reports.shorten import LONGEST_TEXT, LONGEST_WORD, shortened

PORTS = ",".join(f"{port}-{port + 3}" for port in range(30000, 33000, 10))


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("nginx listens on 80", "nginx listens on 80"),
        ("x" * LONGEST_WORD, "x" * LONGEST_WORD),
        (f"reserve {PORTS} now", "reserve 30000-30003,30010-30013,30020-30023,30030-30033,30040-30043,... and 295 more now"),
        ("/srv/" + "deep/" * 30 + "app.conf", "/srv/deep/deep/deep/deep/deep/.../deep/deep/deep/deep/deep/deep/deep/deep/app.conf"),
        ("9" * 100, "9" * 100),
        ("a" * 25 + "1" * 60 + "b" * 40, "a" * 25 + "..." + "b" * 40),
    ],
)
def test_a_long_word_is_cut_after_an_item_or_in_its_middle(text: str, short: str) -> None:
    assert short == shortened(text)


def test_a_long_sentence_loses_words_of_its_middle_and_says_how_many() -> None:
    text = " ".join(["/usr/bin/java", *(f"-Dkey{number}=value" for number in range(200)), "--port=8080", "(what starts it)"])

    short = shortened(text)

    assert short.startswith("/usr/bin/java -Dkey0=value ")
    assert short.endswith(" --port=8080 (what starts it)")
    said = re.search(r" \.\.\. \((\d+) more words\) \.\.\. ", short)
    assert said is not None
    assert len(text.split()) == int(said.group(1)) + len(short.replace(said.group(), " ").split())


@given(st.lists(st.text(st.sampled_from("ab01,-/.例e\u0301"), min_size=1, max_size=200), max_size=60))
def test_short_text_is_kept_long_text_fits_and_no_number_is_cut(words: list[str]) -> None:
    text = safe(" ".join(words))
    short = shortened(text)

    if width(text) <= LONGEST_WORD:
        assert short == text
    numbers = set(re.findall(r"\d+", text))
    left = re.sub(r"\.\.\. and [\d,]+ more|\.\.\. \([\d,]+ more words\) \.\.\.", " ", short)
    assert set(re.findall(r"\d+", left)) <= numbers
    longest = max((len(number) for number in numbers), default=0)
    if longest < 20:
        assert width(short) <= LONGEST_TEXT + LONGEST_WORD + 40
