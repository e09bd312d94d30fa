"""Expected reports: kept in the folder `golden` beside these tests."""

from pathlib import Path

from tests import golden

_FOLDER = Path(__file__).parent / "golden"


def expected(name: str, actual: str) -> str:
    """The report that is kept under this name."""
    return golden.expected(_FOLDER / name, actual)
