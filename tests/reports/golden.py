"""Expected reports beside the tests: `ACCEPT=1 pytest tests/reports` writes them anew, and accepting them is reading them."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def expected(name: str, actual: str) -> str:
    """The report that is kept under this name, ending as it stands on disk."""
    path = _FOLDER / name
    if os.environ.get("ACCEPT"):
        path.write_text(actual, encoding="utf-8", newline="")
    return path.read_bytes().decode("utf-8")
