"""`fix --verify`: a daemon's own command is asked about the configs a plan edits, in a room where nothing can be written or reached."""

import json
from pathlib import Path

import pytest

from portwright._start.records import replace
from portwright.audit.check import Selection, planned
from portwright.audit.inputs import Input, inputs
from portwright.audit.verifying import verified
from portwright.changes.config_step import ConfigStep
from portwright.cli import main
from portwright.fixes.plan import Plan
from portwright.fixes.policy import FixPolicy
from tests.fixes.on_a_copy import PROXY, all_rules

CONFIG = "/etc/haproxy/haproxy.cfg"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    top = tmp_path / "web 1, é"
    files = {**PROXY, "/etc/passwd": "root:x:0:0::/:\n", "/var/lib/app/kept": "", "/srv/program": "#!/bin/sh\necho RAN\n"}
    for path, text in files.items():
        place = top / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            place.symlink_to(text.removeprefix("-> "))
        else:
            place.write_text(text)
    (top / "srv/program").chmod(0o755)
    return top


def asked(host: Path, *command: str) -> tuple[str, str]:
    """What comes of a plan whose config is checked by this command."""
    given, made = plan_of(host)
    made = replace(made, steps=tuple(replace(step, check=command) if isinstance(step, ConfigStep) else step for step in made.steps))
    (found,) = verified(given, made)
    assert "haproxy.service" == found.unit
    return found.outcome, found.said


def plan_of(host: Path) -> tuple[Input, Plan]:
    (given,) = inputs([str(host)], taken_as="host")
    rules = tuple(rule for rule in all_rules() if rule.card.family == "pooling")
    made = planned(given, rules, Selection(), frozenset(rule.id for rule in rules), FixPolicy(review=True))
    assert [CONFIG] == [step.path for step in made.steps]
    return given, made


def test_a_command_that_takes_both_the_old_and_the_new_config_has_verified_it(host: Path) -> None:
    assert ("taken", "grep") == asked(host, "grep", "-q", "listen api", CONFIG)


def test_a_command_that_takes_the_old_config_and_not_the_new_one_has_refused_it(host: Path) -> None:
    script = f"grep httpclose {CONFIG} && exit 0; echo one; echo 'line 4: no \x1b[31m password=hunter2'; exit 3"

    outcome, said = asked(host, "sh", "-c", script)

    assert "refused" == outcome
    assert said.startswith("sh says: one; line 4: no ")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ((), "no command of its daemon is known that checks a config"),
        (("no-such-daemon", "-t"), "no-such-daemon is not on this machine"),
        (("sh", "-c", "echo no such user; exit 1"), "on this machine sh refuses it as it is: no such user"),
    ],
)
def test_what_was_not_asked_is_said(host: Path, command: tuple[str, ...], reason: str) -> None:
    assert ("not asked", reason) == asked(host, *command)


def test_an_archive_is_not_unpacked_for_it(host: Path, tmp_path: Path) -> None:
    given, made = plan_of(host)

    (found,) = verified(replace(given, path=str(tmp_path / "none.tar")), replace(made, steps=tuple(_with_check(made))))

    assert ("not asked", "an archive is not unpacked for it") == (found.outcome, found.said)


def _with_check(made: Plan) -> list[ConfigStep]:
    return [replace(step, check=("true",)) for step in made.steps if isinstance(step, ConfigStep)]


@pytest.mark.parametrize(
    "script",
    [
        f"! echo x >> {CONFIG}",
        "! touch /etc/new && ! touch /usr/new && ! touch /srv/new",
        "[ ! -e /old/etc ] && [ ! -e /root ] && [ ! -e /home ]",
        '[ "$(id -u)" = 65534 ] && [ "$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " ")" = lo ]',
        "! /srv/program && [ -x /usr/bin/env ]",
        "[ -d /var/lib/app ] && [ ! -e /var/lib/app/kept ] && touch /var/lib/app/new /run/new /tmp/new",
        '[ -z "$SECRET" ] && [ "$HOME" = /tmp ]',
        "python3 -c 'import socket; socket.create_server((\"192.0.2.1\", 80))' 2>/dev/null || ! command -v python3",
    ],
)
def test_nothing_can_be_written_reached_or_run_but_this_machines_programs(host: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    before = {path: path.read_bytes() for path in host.rglob("*") if path.is_file()}

    assert ("taken", "sh") == asked(host, "sh", "-c", script)
    assert before == {path: path.read_bytes() for path in host.rglob("*") if path.is_file()}


def test_a_refused_config_is_told_and_no_playbook_is_written(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fix", str(host), "--as", "host", "--select", "pooling", "--allow-review", "-o", str(tmp_path / "web1.yml"), "--verify"]
    # grep stands for the daemon's own command, which this machine need not have.
    for sought, code, said in (("option httpclose", 1, "REFUSED"), ("listen api", 0, "verified: ")):
        monkeypatch.setattr("portwright.audit.verifying.checked_by", lambda _, sought=sought: ("grep", "-q", sought, CONFIG))
        assert code == main(words)
        assert said in capsys.readouterr().out
        assert (code == 0) is (tmp_path / "web1.yml").exists()
    assert json.loads((tmp_path / "web1.vars.json").read_text())


def test_a_repository_has_no_host_to_check_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "haproxy.cfg").write_text(PROXY[CONFIG])

    assert 2 == main(["fix", str(tmp_path), "--verify"])
    assert "this is a repository" in capsys.readouterr().err
