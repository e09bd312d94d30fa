"""`check --write-baseline` and `--baseline`: an estate that has findings is adopted as it is, and what is new or worse is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from portwright.cli import main

SERVER = "[Service]\nExecStart=/usr/bin/python3 -m http.server {}\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    unit(tmp_path, "old", 40000)
    return tmp_path


def unit(top: Path, name: str, port: int, before: str = "") -> None:
    (top / f"shop/{name}.service").write_text(before + SERVER.format(port))


def baseline(top: Path) -> Any:
    return json.loads((top / "accepted.json").read_text())


def change(top: Path, **more: object) -> None:
    document = baseline(top)
    for each in document["findings"]:
        each.update(more)
    (top / "accepted.json").write_text(json.dumps(document))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    """The exit code, and the findings by their lines."""
    code = main(["check", "shop", "--baseline", "accepted.json", *words, "-q"])
    return code, [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()]


def test_what_was_there_is_written_once_and_not_counted_from_then_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["check", "shop", "-q"])
    assert 0 == main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    capsys.readouterr()

    assert (0, []) == said(capsys)
    (entry,) = baseline(here)["findings"]
    assert ("listener-in-ephemeral-range", "old.service", None, None) == (entry["rule"], entry["path"], entry["host"], entry["expires"])


def test_a_file_that_would_take_thirty_times_its_size_in_memory_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "accepted.json").write_text(f'{{"version": 1, "findings": [{",".join(["{}"] * 600_000)}]}}')

    assert 2 == main(["check", "shop", "--baseline", "accepted.json"])
    assert "it holds more than 1,000,000 lists, objects and commas" in capsys.readouterr().err


def test_a_line_that_moves_is_the_same_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    unit(here, "old", 40000, "# moved\n\n")

    assert (0, []) == said(capsys)


def test_the_same_problem_in_another_file_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    unit(here, "new", 40002)

    assert (1, ["new.service:2:43"]) == said(capsys)


def test_what_is_worse_than_its_entry_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    change(here, severity="low")

    assert (1, ["old.service:2:43"]) == said(capsys)


def test_an_entry_counts_up_to_its_last_day_and_is_then_said_to_have_expired(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    change(here, expires="9999-12-31")
    assert (0, []) == said(capsys)
    change(here, expires="2020-01-31")
    assert (1, ["old.service:2:43"]) == said(capsys)

    main(["check", "shop", "--baseline", "accepted.json"])
    assert "1 entry of accepted.json has expired" in " ".join(capsys.readouterr().out.split())


def test_written_anew_a_date_to_come_stays_and_one_that_is_past_goes(here: Path) -> None:
    main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    for date, kept in (("9999-12-31", "9999-12-31"), ("2020-01-31", None)):
        change(here, expires=date)
        main(["check", "shop", "-q", "--write-baseline", "accepted.json"])

        assert [kept] == [each["expires"] for each in baseline(here)["findings"]]


def test_an_entry_that_matches_nothing_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    unit(here, "old", 8080)
    capsys.readouterr()

    assert 0 == main(["check", "shop", "--baseline", "accepted.json"])
    assert "1 entry of accepted.json matches nothing any more" in " ".join(capsys.readouterr().out.split())


def test_an_entry_of_one_host_accepts_nothing_on_another_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("web1", "web2"):
        folder = here / f"hosts/{name}/etc"
        (folder / "sysctl.d").mkdir(parents=True)
        (folder / "hostname").write_text(f"{name}\n")
        (folder / "os-release").write_text("ID=debian\n")
        (folder / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (folder / "sysctl.d/10-a.conf").write_text("net.ipv4.ip_local_port_range = 5 4\n")
    main(["check", "hosts/web1", "-q", "--write-baseline", "accepted.json"])
    capsys.readouterr()

    assert 1 == main(["check", "hosts", "-q", "--baseline", "accepted.json"])
    lines = capsys.readouterr().out
    assert "web2" in lines
    assert "web1" not in lines


def test_a_repository_is_the_same_one_in_a_folder_of_another_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "shop", "-q", "--write-baseline", "accepted.json"])
    (here / "shop").rename(here / "build-4711")

    assert 0 == main(["check", "build-4711", "-q", "--baseline", "accepted.json"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[]", "it has no list of findings"),
        ('{"version": 2, "findings": []}', "its version is not 1"),
        ('{"version": 1, "findings": [3]}', "finding 1 is no object"),
        ('{"version": 1, "findings": [{"host": null, "fingerprint": "a", "severity": "bad"}]}', "finding 1 needs host"),
        ('{"version": 1, "findings": [{"host": null, "fingerprint": "a", "severity": "low", "expires": "soon"}]}', "expires is no date"),
    ],
)
def test_what_is_no_baseline_is_said_in_a_line_and_nothing_passes(
    here: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "accepted.json").write_text(text)

    assert 2 == main(["check", "shop", "--baseline", "accepted.json"])
    assert reason in capsys.readouterr().err


def test_a_baseline_that_is_not_there_is_no_empty_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["check", "shop", "--baseline", "accepted.json"])
    assert "accepted.json: no such file; --write-baseline accepted.json writes it" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--baseline", "--write-baseline"])
def test_it_goes_with_no_other_comparison(here: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["check", "shop", option, "accepted.json", "--changed-since", "HEAD"])
    assert "give one of them" in capsys.readouterr().err
