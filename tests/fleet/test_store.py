"""A store holds a fleet: what is known is not looked for again, and the report is that of a cold run, to the byte."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.fleet.schema import APPLICATION, MIGRATIONS
from portwright.fleet.store import Store
from tests.fleet.test_audit import fleet, host
from tests.hostile.program import lay
from tests.security import test_secret_places as places
from tests.trees.archives import FORMS, laid, tar

HOSTS = Path(__file__).parents[1] / "accuracy" / "hosts"


def rows(store: Path, asked: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(store) as db:
        found = db.execute(asked).fetchall()
    db.close()
    return found


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["audit", *words]) in (0, 1, 3)
    return capsys.readouterr().out


def unpacked(folder: Path, *names: str) -> Path:
    """Trimmed copies of real hosts."""
    for name in names:
        with tarfile.open(HOSTS / f"{name}.tar.xz") as archive:
            archive.extractall(folder / name, filter="tar")
    return folder


def test_what_is_reported_is_the_same_with_a_store_at_the_first_run_and_at_the_next_and_without_hosts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = fleet(unpacked(tmp_path / "f", "bc01-web"))
    store = str(tmp_path / "fleet.db")
    asked = (("--format", "html"), ("--format", "json"), ("-v",), ("--host", "web2", "--host", "web1", "-v"))
    for number, words in enumerate(asked):
        own = f"{store}{number}"
        plain = said(capsys, path, *words)
        assert plain == said(capsys, path, *words, "--store", own, "--jobs", "2")
        assert [(0, 5)] == rows(Path(own), "SELECT sum(reused), count(*) FROM run_hosts")
        again = said(capsys, path, *words, "--store", own)
        # The archive that cannot be read is the one that is looked at again.
        assert [(4, 10)] == rows(Path(own), "SELECT sum(reused), count(*) FROM run_hosts")
        assert again == said(capsys, *words, "--store", own)
        assert (plain == again) == ("--host" in words), "but for what differs from the run before"


def test_the_exit_code_of_a_stored_run_is_that_of_its_findings(tmp_path: Path) -> None:
    lay(tmp_path / "a", host("a", 8080))
    assert 0 == main(["audit", str(tmp_path / "a"), "--store", str(tmp_path / "s"), "--select", "listener-in-ephemeral-range"])
    assert 0 == main(["audit", "--store", str(tmp_path / "s")])
    lay(tmp_path / "b", host("b", 40000))
    assert 1 == main(["audit", str(tmp_path / "b"), "--store", str(tmp_path / "s"), "--select", "listener-in-ephemeral-range"])
    assert 1 == main(["audit", "--store", str(tmp_path / "s")])
    assert 0 == main(["audit", "--store", str(tmp_path / "s"), "--fail-on", "never"])


def edited(folder: Path, chance: random.Random) -> None:
    """One thing of a host is another one, as people and packages make it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and "etc" in path.parts]
    place = chance.choice(files)
    lines = place.read_bytes().split(b"\n")
    line = chance.randrange(len(lines))
    match chance.randrange(8):
        case 0:
            del lines[line]
        case 1:
            lines.insert(line, chance.choice(lines))
        case 2:
            lines[line] = lines[line].replace(chance.choice([b"1", b"0", b"=", b" ", b"e"]), chance.choice([b"4", b"", b"x", b"#"]))
        case 3:
            lines.append(chance.choice([b"Listen 40000", b"listen 40001;", b"net.ipv4.ip_local_port_range = 1024 65000", b"port = 50000"]))
        case 4:
            place.unlink()
            return
        case 5:
            place.rename(place.with_name(f"{place.name}.{chance.choice(['conf', 'bak', 'service'])}"))
            return
        case 6:
            target = chance.choice(files)
            place.unlink()
            place.symlink_to(f"/{target.relative_to(folder)}")
            return
        case _:
            (place.parent / f"{chance.randrange(99)}-{place.name}").write_bytes(place.read_bytes())
            return
    place.write_bytes(b"\n".join(lines))


def test_after_any_edit_what_a_store_says_is_what_a_cold_run_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(13)  # noqa: S311  the same edits each time
    hosts = unpacked(tmp_path / "hosts", "bc03-dns")
    for number in range(20):
        lay(hosts / f"small{number}", host(f"small{number}", 30000 + 1000 * number))
    store = tmp_path / "fleet.db"
    said(capsys, str(hosts), "--store", str(store))
    for _ in range(8):
        changed = chance.sample(sorted(hosts.iterdir()), 3)
        for place in changed:
            for _ in range(chance.randrange(1, 4)):
                edited(place, chance)
        cold = tmp_path / "cold.db"
        shutil.copy(store, cold)
        with sqlite3.connect(cold) as db:
            db.execute("UPDATE results SET manifest = ''")  # so that nothing is known again
        db.close()
        form = chance.choice(["json", "html"])
        known = said(capsys, str(hosts), "--store", str(store), "--format", form)
        assert known == said(capsys, str(hosts), "--store", str(cold), "--format", form)
    reused = rows(store, "SELECT sum(reused) FROM run_hosts GROUP BY run")
    assert (0,) == reused[0]
    assert min(number for (number,) in reused[1:] if isinstance(number, int)) >= 18
    assert [(0,)] == rows(cold, "SELECT sum(reused) FROM run_hosts WHERE run = (SELECT max(id) FROM runs)")


def test_other_rules_another_rate_and_another_program_ask_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path / "h", host("a", 40000))
    words, store = ["audit", str(tmp_path / "h"), "--store", str(tmp_path / "s")], tmp_path / "s"

    def reused() -> object:
        return rows(store, "SELECT reused FROM run_hosts ORDER BY run DESC LIMIT 1")[0][0]

    for more in ([], ["--select", "reuse"], ["--rate", "100"], ["--min-confidence", "certain"]):
        main([*words, *more])
        assert 0 == reused()
        main([*words, *more])
        assert 1 == reused()
    monkeypatch.setattr("portwright.fleet.question.__version__", "999")
    main(words)
    assert 0 == reused()


def test_an_archive_with_other_bytes_and_the_same_files_is_known(tmp_path: Path) -> None:
    store = tmp_path / "s"
    for form in ("gz", "xz", "tar"):
        laid(tmp_path / "a.tar", FORMS[form](tar(host("a", 40000))))
        main(["audit", str(tmp_path / "a.tar"), "--store", str(store)])
    laid(tmp_path / "a.tar", FORMS["gz"](tar(host("a", 40001))))
    main(["audit", str(tmp_path / "a.tar"), "--store", str(store)])

    assert [(0,), (1,), (1,), (0,)] == rows(store, "SELECT reused FROM run_hosts ORDER BY run")


# ── killed ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_is_killed_leaves_a_whole_store_and_the_next_one_goes_on(
    jobs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(int(jobs))  # noqa: S311  no secret
    hosts = tmp_path / "hosts"
    for number in range(150):
        lay(hosts / f"h{number:03}", host(f"h{number:03}", 30000 + 100 * number))
    store = tmp_path / "fleet.db"
    command = [sys.executable, "-m", "portwright", "audit", str(hosts), "--store", str(store), "--jobs", jobs]
    for _ in range(6):
        ran = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(chance.uniform(0.2, 2.5))
        os.killpg(ran.pid, signal.SIGKILL)
        ran.wait()
        if store.exists() and store.stat().st_size:
            assert [("ok",)] == rows(store, "PRAGMA integrity_check")
            assert [] == rows(store, "SELECT 1 FROM run_hosts LEFT JOIN results ON result = results.id WHERE results.id IS NULL")

    plain = said(capsys, str(hosts), "--format", "csv")  # which has no trend: a fast machine may have come to an end before
    assert plain == said(capsys, str(hosts), "--format", "csv", "--store", str(store))
    assert plain == said(capsys, "--format", "csv", "--store", str(store))
    assert [(150, 150)] == rows(store, "SELECT count(*), max(id) FROM results"), "what was kept was done once"


# ── what is in it ───────────────────────────────────────────────────────────────────────────────────────────────────


def everything(store: Path) -> bytes:
    """A store's bytes and all that is packed in it."""
    asked = ("SELECT data FROM blobs", "SELECT document FROM results", "SELECT looks FROM results")
    packed = [one for each in asked for (one,) in rows(store, each) if one]
    return b"".join((store.read_bytes(), *(zlib.decompress(each) for each in packed if isinstance(each, bytes))))


def test_no_secret_is_in_a_store_that_a_snapshot_leaves_out(tmp_path: Path) -> None:
    numbers = count(1000)
    canaries: list[bytes] = []

    def canary() -> str:
        canaries.append(f"Kq{next(numbers)}zLeft".encode())
        return canaries[-1].decode()

    root = places._host(tmp_path / "h", canary)
    lay(root, host("a", 40000))

    assert main(["audit", str(root), "--store", str(tmp_path / "s")]) in (1, 3)

    held = everything(tmp_path / "s")
    assert b"listener-in-ephemeral-range" in held
    assert len(canaries) > 500
    assert [] == [each for each in canaries if each in held]


def test_what_people_ask_of_the_tables_is_there(tmp_path: Path) -> None:
    store = tmp_path / "s"
    assert 1 == main(["audit", fleet(tmp_path / "f"), "--store", str(store)])

    assert [("web1", 40000), ("web2", 40000), ("web3", 8080)] == rows(
        store, "SELECT host, port FROM listeners JOIN last_results USING (result) ORDER BY host"
    )
    assert [("listener-in-ephemeral-range", "high", 2)] == rows(
        store,
        "SELECT rule, severity, count(DISTINCT host) FROM findings JOIN last_results USING (result)"
        " WHERE rule = 'listener-in-ephemeral-range' GROUP BY rule",
    )
    assert [("web4", "the archive is truncated")] == rows(
        store, "SELECT host, reason FROM coverage JOIN last_results USING (result) WHERE kind = 'unreadable'"
    )
    assert {("32768 60999",)} == set(rows(store, "SELECT value FROM sysctls WHERE key = 'net.ipv4.ip_local_port_range'"))
    assert {("boot",)} == set(rows(store, "SELECT starts FROM units WHERE unit = 'app.service'"))


def test_the_examples_of_the_page_can_be_run(tmp_path: Path) -> None:
    store = tmp_path / "s"
    assert 1 == main(["audit", fleet(tmp_path / "f"), "--store", str(store)])
    page = (Path(__file__).parents[2] / "docs" / "store.md").read_text()
    queries = [part.partition("```")[0] for part in page.split("```sql\n")[1:]]

    assert len(queries) >= 3
    assert all(rows(store, query) for query in queries)


# ── whose it is, and from where ─────────────────────────────────────────────────────────────────────────────────────


def test_case_50_a_name_with_a_statement_in_it_is_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "x'); DROP TABLE hosts;--"
    path = str(tmp_path / name)
    lay(tmp_path / name, host("a", 40000))
    (tmp_path / name / "etc/hostname").unlink()
    store = str(tmp_path / "s")
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    plain = json.loads(said(capsys, path, "--format", "json"))

    stored = json.loads(said(capsys, path, "--format", "json", "--store", store))
    before = rows(Path(store), tables)
    again = json.loads(said(capsys, "--format", "json", "--store", store))

    assert [name] == [each["host"] for each in plain["hosts"]]
    assert plain["hosts"] == stored["hosts"] == again["hosts"]
    assert before == rows(Path(store), tables)


def test_case_41_a_store_is_its_owners_alone_and_is_reached_through_no_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "h", host("a", 40000))
    main(["audit", str(tmp_path / "h"), "--store", str(tmp_path / "s")])
    assert 0o600 == (tmp_path / "s").stat().st_mode & 0o777

    (tmp_path / "link").symlink_to("s")
    (tmp_path / "nowhere").symlink_to("made")
    shutil.copy(tmp_path / "s", tmp_path / "open")
    (tmp_path / "open").chmod(0o666)
    shutil.copy(tmp_path / "s", tmp_path / "beside")
    (tmp_path / "beside-wal").symlink_to("s")
    (tmp_path / "folder").mkdir()
    for name in ("link", "nowhere", "open", "beside", "folder"):
        assert 2 == main(["audit", str(tmp_path / "h"), "--store", str(tmp_path / name)]), name
        assert 1 == len(capsys.readouterr().err.splitlines())
    for name in ("link", "beside", "folder", "no-such-file"):
        assert 2 == main(["audit", "--store", str(tmp_path / name)]), name
        assert 1 == len(capsys.readouterr().err.splitlines())
    assert not (tmp_path / "made").exists()


def test_reading_a_store_writes_nothing(tmp_path: Path) -> None:
    lay(tmp_path / "h", host("a", 40000))
    (tmp_path / "d").mkdir()
    main(["audit", str(tmp_path / "h"), "--store", str(tmp_path / "d" / "s")])
    before = (tmp_path / "d" / "s").read_bytes()
    (tmp_path / "d" / "s").chmod(0o400)

    assert 1 == main(["audit", "--store", str(tmp_path / "d" / "s")])
    assert before == (tmp_path / "d" / "s").read_bytes()
    assert ["s"] == os.listdir(tmp_path / "d")


BOMB, BRACKETS = (f"UPDATE results SET document = x'{zlib.compress(b'[' * size).hex()}'" for size in (100 << 20, 1 << 20))  # noqa: S608


def foreign(folder: Path, good: bytes) -> Iterator[tuple[str, bytes]]:
    """Files that are no store, and what is wrong with them."""
    yield "text", b"hello\n" * 2000
    yield "cut", good[: len(good) // 2]
    yield "only its beginning", good[:100]
    for name, statements in {
        "tables of somebody": ["DROP TABLE units", "CREATE TABLE units (x)"],
        "a trigger": ["CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM results; END"],
        "a view": ["DROP VIEW last_results", "CREATE VIEW last_results AS SELECT load_extension('x')"],
        "another program's": ["PRAGMA application_id = 7"],
        "a newer one": ["PRAGMA user_version = 99"],
        "no run": ["DELETE FROM runs"],
        "no results": ["DELETE FROM results"],
        "results of other types": ["UPDATE results SET document = 'x'"],
        "a bomb": [BOMB],
        "brackets": [BRACKETS],
        "rules that are none": ["UPDATE rulesets SET cards = '[[1,2]]'"],
        "other rules": ["UPDATE rulesets SET cards = '[]'"],
        "text in place of numbers": ["UPDATE run_hosts SET result = 'one'"],
    }.items():
        place = folder / "made"
        place.write_bytes(good)
        with sqlite3.connect(place) as db:
            db.execute("PRAGMA journal_mode = DELETE")
            for statement in statements:
                db.execute(statement)
        db.close()
        yield name, place.read_bytes()


def test_what_is_no_store_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "h", host("a", 40000))
    main(["audit", str(tmp_path / "h"), "--store", str(tmp_path / "good")])
    capsys.readouterr()
    for name, data in foreign(tmp_path, (tmp_path / "good").read_bytes()):
        (tmp_path / "bad").write_bytes(data)
        assert 2 == main(["audit", "--store", str(tmp_path / "bad"), "--host", "a"]), name
        heard = capsys.readouterr()
        assert "" == heard.out
        assert 1 == len(heard.err.splitlines()), (name, heard.err)
        assert heard.err.startswith(f"portwright: {tmp_path}/bad: "), (name, heard.err)


def test_case_41_a_document_that_somebody_changed_is_read_within_bounds_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever stands in a result, the report comes to its end or is refused in a line; nothing is an error of our own."""
    lay(tmp_path / "h", host("a", 40000))
    main(["audit", str(tmp_path / "h"), "--store", str(tmp_path / "good")])
    chance = random.Random(7)  # noqa: S311  the same each time
    ((document,),) = rows(tmp_path / "good", "SELECT document FROM results")
    assert isinstance(document, bytes)
    text = zlib.decompress(document).decode()
    odd = ["null", "-1", "0", "1e999", "9" * 20, '""', '"\\udc80"', "[]", "{}", "[[]]", "true", '"../../etc/shadow"', '"\\u001b[2J"']
    codes = set()
    places_of_values = [position for position, letter in enumerate(text) if letter in '"[,']
    for number in range(100):
        at, word = chance.choice(places_of_values), chance.choice(odd)
        spoilt = text[:at] + chance.choice([word, f",{word}", f"{text[at]}{word},"]) + text[at + chance.randrange(4) :]
        shutil.copy(tmp_path / "good", tmp_path / "bad")
        with sqlite3.connect(tmp_path / "bad") as db:
            db.execute("UPDATE results SET document = ?", (zlib.compress(spoilt.encode()),))
        db.close()
        for words in (("--host", "a", "-v"), ("--format", "json"), ("--format", "html")):
            codes.add(code := main(["audit", "--store", str(tmp_path / "bad"), *words]))
            heard = capsys.readouterr()
            assert code in (0, 1, 2, 3), (number, spoilt, heard.err)
            assert "\x1b" not in heard.out + heard.err
    assert {1, 2} <= codes


def test_a_store_of_an_older_version_is_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "h", host("a", 40000))
    plain = said(capsys, str(tmp_path / "h"), "--format", "json")
    for version in range(len(MIGRATIONS)):
        store = tmp_path / f"v{version}"
        with sqlite3.connect(store) as db:
            for statements in MIGRATIONS[:version]:
                for statement in statements:
                    db.execute(statement)
            if version:
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(f"PRAGMA user_version = {version}")
        db.close()
        store.chmod(0o600)
        assert 2 == main(["audit", "--store", str(store)])
        capsys.readouterr()
        assert plain == said(capsys, str(tmp_path / "h"), "--format", "json", "--store", str(store))
        assert [(len(MIGRATIONS),)] == rows(store, "PRAGMA user_version")


def test_what_is_for_hosts_is_refused_without_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "h", host("a", 40000))
    main(["audit", str(tmp_path / "h"), "--store", str(tmp_path / "s")])
    capsys.readouterr()
    for words in (["--select", "reuse"], ["--rate", "9"], ["--become"], ["--host", "nobody"], ["--limit", "x"]):
        assert 2 == main(["audit", "--store", str(tmp_path / "s"), *words])
        assert 1 == len(capsys.readouterr().err.splitlines())


def test_two_runs_at_once_have_one_store(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    for number in range(30):
        lay(hosts / f"h{number}", host(f"h{number}", 30000 + 100 * number))
    store = tmp_path / "s"
    command = [sys.executable, "-m", "portwright", "audit", "-q", str(hosts), "--store", str(store)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    first, second = (each.communicate()[0] for each in both)

    assert first == second
    assert [1, 1] == [each.returncode for each in both]
    with Store(str(store), writable=False) as kept:
        run = kept.last()
        assert run is not None
        assert 30 == len(kept.hosts(run.number))


# ── what differs from the run before ────────────────────────────────────────────────────────────────────────────────


def two_runs(tmp_path: Path) -> str:
    """A store with two runs: one host is mended, one gets worse, one cannot be read any more, one comes and one goes."""
    hosts, store = tmp_path / "hosts", str(tmp_path / "s")
    words = ["audit", "-q", str(hosts), "--store", store, "--select", "listener-in-ephemeral-range"]
    for name, port in (("mended", 40000), ("same", 40000), ("worse", 8080), ("gone", 40000)):
        lay(hosts / name, host(name, port))
    laid(hosts / "cut.tar.gz", FORMS["gz"](tar(host("cut", 40000))))
    main(words)
    (hosts / "mended/etc/systemd/system/app.service").write_text("[Service]\nExecStart=/usr/bin/python3 -m http.server 8080\n")
    (hosts / "worse/etc/systemd/system/app.service").write_text("[Service]\nExecStart=/usr/bin/python3 -m http.server 40001\n")
    shutil.rmtree(hosts / "gone")
    lay(hosts / "come", host("come", 40000))
    laid(hosts / "cut.tar.gz", FORMS["gz"](tar(host("cut", 40000)))[:300])
    main(words)
    return store


def test_what_is_new_fixed_and_still_there_is_counted_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = two_runs(tmp_path)
    capsys.readouterr()
    ((since,),) = rows(Path(store), "SELECT started FROM runs WHERE id = 1")

    text = said(capsys, "--store", store)
    table = text.partition("since the run of ")[2].partition("\n\n")[0].replace("be read\nnow", "be read now")
    assert (
        f"{since}: 2 new, 1 fixed, 1 still there, 1 on hosts that cannot be read now, 1 host new, 1 host gone\n"
        "  new    2 findings  high  listener-in-ephemeral-range  come, worse\n"
        "  fixed  1 finding   high  listener-in-ephemeral-range  mended\n"
        "  new: come\n"
        "  gone: gone"
    ) == table

    found = json.loads(said(capsys, "--store", store, "--format", "json"))["fleet"]["trend"]
    assert {"since": since, "new": 2, "fixed": 1, "still": 1, "unknown": 1} == {
        name: found[name] for name in ("since", "new", "fixed", "still", "unknown")
    }
    assert (["come"], ["gone"]) == (found["hosts_new"], found["hosts_gone"])
    assert [{"rule": "listener-in-ephemeral-range", "new": 2, "fixed": 1, "still": 1}] == found["rules"]
    assert [("mended", 2)] == [(each["host"], each["line"]) for each in found["fixed_findings"]]
    assert ["come", "worse"] == [each["host"] for each in found["new_findings"]]

    markdown = said(capsys, "--store", store, "--format", "markdown")
    assert "| fixed | listener-in-ephemeral-range | high | 1 | mended |" in markdown
    assert "\n### Since the run before\n" in markdown
    page = said(capsys, "--store", store, "--format", "html")
    assert "2 new, 1 fixed, 1 still there" in page
    assert 2 == page.count("<td>new</td>") + page.count("<td>fixed</td>")


def test_a_finding_that_is_accepted_is_neither_new_nor_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = two_runs(tmp_path)
    main(["audit", "--store", store, "--write-baseline", str(tmp_path / "b")])
    capsys.readouterr()

    found = json.loads(said(capsys, "--store", store, "--baseline", str(tmp_path / "b"), "--format", "json"))["fleet"]["trend"]
    assert (0, 1, 0) == (found["new"], found["fixed"], found["still"])


def test_a_first_run_has_nothing_to_be_held_against(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "h", host("a", 40000))
    words = [str(tmp_path / "h"), "--store", str(tmp_path / "s")]

    assert "since the run" not in said(capsys, *words)
    assert json.loads(said(capsys, *words[:1], "--format", "json"))["fleet"]["trend"] is None
    assert "0 new, 0 fixed" in said(capsys, *words)
