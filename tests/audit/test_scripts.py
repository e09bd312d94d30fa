"""Each case of scripts.txt is a repository with scripts, and what they put on a host: each line with the place it is written at.

`ACCEPT=1 pytest tests/audit/test_scripts.py` rewrites the expectations; the diff is part of the review.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from portwright.audit.case_file import Case, parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import deployed
from portwright.repositories.not_read import kind_by_name, kind_of, spoken_of
from portwright.trees.repository import RepositoryInMemory

CASES = Path(__file__).parent / "scripts.txt"


def _put(case: Case) -> Iterator[str]:
    tree = RepositoryInMemory({path: content if isinstance(content, bytes) else f"-> {content}" for path, content in case.files.items()})
    paths = tuple(tree.walk())
    checkout = Checkout(tree, paths)
    for path in paths:
        label = tree.label(path)
        text = (tree.read(path) or b"").decode()
        kind = kind_of(label, kind_by_name(label) or "", text)
        done = deployed(kind or "", label, text, checkout)
        for file in done.files:
            yield f"{file.path}{file.machine and ' on '}{file.machine}{file.of and ' from '}{file.of}"
            for line in file.lines:
                place = f"{line.number}:{line.shift + 1}"
                yield f"    {place if line.source == label else f'{line.source}:{place}'} {line.text}".rstrip()
        here = {line.number for file in done.files for line in file.lines if line.source == label}
        left = [number for number, _ in spoken_of(text) if number not in here | done.understood] if kind else []
        if left:
            yield f"{label} unsaid: {', '.join(map(str, dict.fromkeys(left)))}"


@pytest.mark.parametrize("case", parse(CASES.read_bytes(), CASES.name).cases, ids=lambda case: case.name)
def test_a_script_puts_what_is_kept_below_it(case: Case) -> None:
    report = "".join(f"{line}\n" for line in _put(case))
    if os.environ.get("ACCEPT") and case.kind == "flags":
        CASES.write_text(parse(CASES.read_bytes(), CASES.name).with_reports({case.name: report}), encoding="utf-8", newline="")

    (kept,) = (each.report for each in parse(CASES.read_bytes(), CASES.name).cases if each.name == case.name)
    assert (kept or "") == report
