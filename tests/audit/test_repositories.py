"""Each folder of `repository/` is a situation: a repository's files in `repo/`, and all that a check says of it beside them.

`ACCEPT=1 pytest tests/audit/test_repositories.py` rewrites the expectations; the diff is part of the review.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portwright.audit.check import Selection, verdict
from portwright.audit.inputs import Input
from portwright.finding import HostResult
from portwright.repositories.staging import read_repository
from portwright.rules import load
from portwright.shipped import rules_directory
from portwright.trees.memory import MemoryTree
from tests.golden import expected

CASES = sorted((Path(__file__).parent / "repository").iterdir())
RULES = load([rules_directory()])


def _said(result: HostResult) -> Iterator[str]:
    for finding in result.findings:
        yield f"{finding.at} {finding.card.id} ({finding.confidence}) {finding.message}"
        for note in finding.notes:
            yield f"    note {note.at or '-'} {note.text}"
    for trouble in result.unreadable:
        yield f"{trouble.at} unreadable: {trouble.reason}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_repository_is_told_what_is_kept_beside_it(case: Path) -> None:
    result = verdict(Input("repository", "repo", "repo", str(case / "repo")), RULES, Selection(), frozenset(rule.card.id for rule in RULES))

    report = "".join(f"{line}\n" for line in _said(result))

    assert result.files_read
    assert expected(case / "expected.txt", report) == report


def test_a_repository_of_very_many_hosts_is_read_up_to_a_limit_that_is_said() -> None:
    main = "events {}\nhttp { server { listen 80; } }\n"

    hosts = read_repository(MemoryTree({f"/machines/m{number}/nginx.conf": main for number in range(502)}), "farm")

    assert 500 == len(hosts)
    assert ["the files make more than 500 different hosts; only the first 500 were read"] == [each.reason for each in hosts[0].unreadable]


def test_files_that_want_one_place_are_each_read_once() -> None:
    files = {
        f"/machines/{name}/haproxy.cfg": f"frontend x\n    bind :{port}\n" for name, port in (("a", 40001), ("b", 40002), ("c", 40003))
    }

    hosts = read_repository(MemoryTree(files), "farm")

    assert [[40001], [40002], [40003]] == [[listener.port for listener in host.listeners] for host in hosts]
