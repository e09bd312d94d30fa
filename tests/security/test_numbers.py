"""Each of the eighty-eight cases has a test with its number, or a sentence in SECURITY.md why it has none; never both."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _numbers(text: str) -> set[int]:
    found = set()
    for first, last in re.findall(r"(\d+)(?:_to_(\d+))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_every_case_is_a_test_or_a_sentence() -> None:
    tested: set[int] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(r"^def test_cases?_((?:\d+|_|and|to)+)_[a-z]", path.read_text(encoding="utf-8"), re.MULTILINE):
            tested |= _numbers(name)
    excused: set[int] = set()
    for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"- ([\d, ]+)(?: \([^)]*\))?((?:, \d+)*): ", line):
            excused |= _numbers(match[1] + match[2])

    assert set(range(1, 89)) == tested | excused
    assert set() == tested & excused
