"""Each case of repositories.txt, and of the texts beside it, is a repository, and all that a check says of it.

`ACCEPT=1 pytest tests/audit/test_repositories.py` rewrites the expectations; the diff is part of the review.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from portwright._start.records import replace
from portwright.audit.case_file import Case, parse
from portwright.audit.check import Selection, verdict_on
from portwright.audit.inputs import Input
from portwright.cli import main
from portwright.finding import HostResult
from portwright.repositories.reading import read_repository
from portwright.rules import load
from portwright.shipped import rules_directory
from portwright.trees.memory import MemoryTree
from portwright.trees.repository import RepositoryInMemory, RepositoryTree

CASES = sorted(Path(__file__).parent.glob("repositories*.txt"))
RULES = load([rules_directory()])

every_case = pytest.mark.parametrize(
    "case", [case for path in CASES for case in parse(path.read_bytes(), path.name).cases], ids=lambda case: case.name
)


def _tree(case: Case) -> RepositoryInMemory:
    return RepositoryInMemory({path: content if isinstance(content, bytes) else f"-> {content}" for path, content in case.files.items()})


def _said(result: HostResult) -> Iterator[str]:
    for finding in result.findings:
        yield f"{finding.at} {finding.card.id} ({finding.confidence}) {finding.message}"
        for note in finding.notes:
            yield f"    note {note.at or '-'} {note.text}"
    for trouble in result.unreadable:
        yield f"{trouble.at} unreadable: {trouble.reason}"


@every_case
def test_a_repository_is_told_what_is_kept_below_it(case: Case) -> None:
    hosts = read_repository(_tree(case), "repo")
    given = Input("repository", "repo", "repo", case.name)
    result = verdict_on(hosts, given, RULES, Selection(), frozenset(rule.card.id for rule in RULES))

    report = "".join(f"{line}\n" for line in _said(result))
    if os.environ.get("ACCEPT") and case.kind == "flags":
        for path in CASES:
            cases = parse(path.read_bytes(), path.name)
            if case.name in {each.name for each in cases.cases}:
                path.write_text(cases.with_reports({case.name: report}), encoding="utf-8", newline="")

    assert result.files_read
    (kept,) = (each.report for path in CASES for each in parse(path.read_bytes(), path.name).cases if each.name == case.name)
    assert (kept or "") == report


@every_case
def test_a_repository_on_disk_reads_as_the_same_in_memory(case: Case, tmp_path: Path) -> None:
    files = {**case.files, "/.git/nginx.conf": b"", "/web/node_modules/x/nginx.conf": b"", "/other": "./"}
    for path, content in files.items():
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(content) if isinstance(content, str) else place.write_bytes(content)

    with RepositoryTree(str(tmp_path)) as disk:
        walked = list(disk.walk())
        labels = [disk.label(path) for path in walked]
        of_disk = read_repository(disk, "repo")
    memory = _tree(replace(case, files=files))

    assert walked == list(memory.walk())
    assert labels == [memory.label(path) for path in walked]
    assert of_disk == read_repository(memory, "repo")


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


def test_each_of_several_machines_says_which_it_is_and_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main_file = "events {{}}\nhttp {{ server {{ listen {}; }} }}\n"
    for role, port in (("web", 40000), ("api", 40001)):
        (tmp_path / f"roles/{role}/files").mkdir(parents=True)
        (tmp_path / f"roles/{role}/files/nginx.conf").write_text(main_file.format(port))

    assert 0 == main(["facts", "--format", "json", str(tmp_path)])

    hosts = json.loads(capsys.readouterr().out)["hosts"]
    assert [("roles/api", [40001]), ("roles/web", [40000])] == [
        (host["machine"], [listener["port"] for listener in host["listeners"]]) for host in hosts
    ]
    because = "roles/web/files/nginx.conf and roles/api/files/nginx.conf are both for /etc/nginx/nginx.conf"
    assert because == hosts[1]["machine_because"]
