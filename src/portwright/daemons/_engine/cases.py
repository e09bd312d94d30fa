"""How many cases of each daemon are written down (tests/daemons/cases), and in how many of them a setting moves a listener."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from portwright._start import compiled

_CASES = Path(__file__).parents[4] / "tests" / "daemons" / "cases"


@lru_cache(maxsize=1)
def tally() -> Mapping[str, tuple[int, int]]:
    """(cases, those with a listener that a setting names) by daemon; a daemon whose cases are written otherwise is not in it."""
    made = compiled.load("cases")
    return counted(_CASES) if made is None else made.CASES


def counted(folder: Path) -> Mapping[str, tuple[int, int]]:
    """The same of the files of a folder."""
    return {path.stem: _counts(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.cases"))}


def _counts(text: str) -> tuple[int, int]:
    cases = [[line for line in case if line.startswith("= ")] for case in _divided(text)]
    return len(cases), sum(any(" default" not in line for line in bound) for bound in cases)


def _divided(text: str) -> list[list[str]]:
    """The lines of each case: one begins where its command stands."""
    cases: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith(("$ ", "alone ")):
            cases.append([])
        elif cases:
            cases[-1].append(line)
    return cases


def source() -> str:
    """It as the source of a module: what a wheel carries."""
    return f'"""Made of the cases by the build (portwright.daemons._engine.cases)."""\n\nCASES = {dict(tally())!r}\n'
