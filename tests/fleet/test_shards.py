"""A fleet in parts is a fleet: each host is in one, and together they are reported as one run is."""

import shutil
from pathlib import Path

import pytest

from portwright.audit.inputs import Input
from portwright.cli import main
from portwright.fleet.shards import in_shard
from tests.fleet.test_audit import fleet, host
from tests.fleet.test_store import rows, said
from tests.hostile.program import lay


def test_each_host_is_in_one_part_and_stays_there_when_others_come() -> None:
    hosts = [Input("host", f"web{number}", f"web{number}", f"/h/web{number}") for number in range(500)]
    parts = [{hosts[number].name for number in in_shard(hosts, (part, 4))} for part in range(1, 5)]

    assert 500 == sum(map(len, parts)) == len(set.union(*parts))
    assert all(90 < len(part) < 160 for part in parts)
    assert parts[0] & {"web7", "web8", "web9"} == {hosts[number].name for number in in_shard(hosts, (1, 4))} & {"web7", "web8", "web9"}
    fewer = hosts[100:]
    assert {fewer[number].name for number in in_shard(fewer, (2, 4))} == parts[1] - {each.name for each in hosts[:100]}


def test_the_parts_together_are_reported_as_one_run_to_the_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = fleet(tmp_path / "f")
    for number in range(8):
        lay(tmp_path / "f" / f"more{number}", host(f"more{number}", 39996 + number))
    stores = [str(tmp_path / f"{part}.db") for part in (1, 2, 3)]
    for part, store in zip((1, 2, 3), stores, strict=True):
        assert main(["audit", path, "--shard", f"{part}/3", "--store", store]) in (0, 1, 3)
    capsys.readouterr()
    assert 12 == sum(rows(Path(store), "SELECT count(*) FROM run_hosts")[0][0] for store in stores)  # type: ignore[misc]  # numbers

    formats = (["--format", form] for form in ("json", "html", "csv", "markdown"))
    for words in ([], ["-v"], ["-q"], ["--host", "web2", "--host", "more1"], *formats):
        whole = said(capsys, path, *words)
        for order in (stores, stores[::-1]):
            assert main(["merge", *order, *words]) == 1
            assert whole == capsys.readouterr().out, words


def test_the_parts_are_compared_with_their_runs_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stores = [str(tmp_path / f"{part}.db") for part in (1, 2)]
    for port in (8080, 40000):
        for number in range(4):
            shutil.rmtree(tmp_path / "f" / f"h{number}", ignore_errors=True)
            lay(tmp_path / "f" / f"h{number}", host(f"h{number}", port))
        for part, store in zip((1, 2), stores, strict=True):
            main(["audit", "-q", str(tmp_path / "f"), "--shard", f"{part}/2", "--store", store, "--select", "listener-in-ephemeral-range"])
    capsys.readouterr()

    assert 1 == main(["merge", *stores])
    assert ": 4 new, 0 fixed, 0 still there" in capsys.readouterr().out


def test_what_is_no_part_of_one_run_is_refused_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(lay(tmp_path / "h", host("a", 40000)))
    for name, words in {"a": [], "b": [], "c": ["--rate", "7"]}.items():
        main(["audit", path, "--store", str(tmp_path / name), *words])
    capsys.readouterr()
    asked = {("a", "b"): "both have the host a", ("a", "c"): "other rules or options", ("a", "no"): "no such file", (): "merge needs"}
    for names, why in asked.items():
        assert 2 == main(["merge", *(str(tmp_path / name) for name in names)])
        heard = capsys.readouterr()
        assert why in heard.err
        assert (1, "") == (len(heard.err.splitlines()), heard.out)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2"])
def test_a_part_that_there_is_not_is_a_mistake(shard: str, capsys: pytest.CaptureFixture[str]) -> None:
    with_equals = [f"--shard={shard}"]
    assert 2 == main(["audit", ".", *with_equals])
    assert "such as 2/5" in capsys.readouterr().err


def test_an_inventory_is_collected_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["audit", "-i", "inventory.ini", "--shard", "1/2"])
    assert "--shard is for hosts that were collected" in capsys.readouterr().err
