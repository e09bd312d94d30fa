"""Expected output kept beside the tests: `ACCEPT=1 pytest` writes it anew, and accepting is reading the diff."""

import os
from pathlib import Path


def expected(path: Path, actual: str) -> str:
    """The text that is kept at a path, ending as it stands on disk."""
    if os.environ.get("ACCEPT"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(actual, encoding="utf-8", newline="")
    return path.read_bytes().decode("utf-8")
