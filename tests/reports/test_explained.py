"""A rule explained, shipped or somebody's own: at a terminal, as JSON, and as a page; what is in it does nothing there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.reports.pages import fenced, prose

RULE = """\
id: my-rule
title: A <b>service</b> on [the](javascript:x) office's *port*
severity: low
why: "One | two `code <b>` ~~three~~ &amp; _four_"
references: [socket(7), "https://example.org/a b<c>", a book]
each: listener
where:
  deployed: {is: true}
  port: {in: [8001, 8002, 8003]}
unless:
  app: {is: nginx}
with:
  sysctl: {key: {is: net.core.somaxconn}, boot: {is: "4096"}}
message: "{who} on {port} while somaxconn is {with.boot}"
confidence: likely
fix:
  reserve-ports: {ports: {fact: ports}, safety: review}
  manual: {reason: it is taken, step: "move {unit}"}
bad:
  /etc/systemd/system/a.service: |
    [Service]
    ```
    ExecStart=/usr/bin/python3 -m http.server 8001
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "office").mkdir()
    (tmp_path / "office/my-rule.yaml").write_text(RULE)
    return tmp_path


def say(caught: pytest.CaptureFixture[str], *arguments: object) -> str:
    code = main([str(argument) for argument in arguments])
    heard = caught.readouterr()
    assert (0, "") == (code, heard.err)
    return heard.out


def test_a_persons_own_rule_is_explained_with_what_it_says_of_its_example(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = say(capsys, "explain", "my-rule", "--rules", mine)

    assert said.startswith("my-rule  (office, severity low)\nA <b>service</b> on [the](javascript:x) office's *port*\n\nWhy\n")
    assert "    port: {in: [8001, 8002, 8003]}\n      the lowest port\n" in said
    assert "  and none of this:\n    app: {is: nginx}\n" in said
    assert "  and for which there is a sysctl with:\n    key: {is: net.core.somaxconn}\n" in said
    assert "What is reported\n  low[my-rule]: http.server (a.service) on 8001 while somaxconn is 4096\n" in said
    assert "at most likely: something outside the files could change it" in said
    assert "only with `--allow-review`" in " ".join(said.split())
    assert "by hand, where the automatic fix does not help: move <unit>; not fixed automatically: it is taken" in " ".join(said.split())
    assert said.endswith("\nSee\n  socket(7)\n  https://example.org/a b<c>\n  a book\n")


def test_the_cases_beside_a_persons_own_rule_are_named(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "flags: a low one\n/a\naccepts: another port\n/a\nflags: b\u202ec\n/a\n"
    (mine / "office/my-rule.txt").write_text(text, encoding="utf-8")

    said = say(capsys, "explain", "my-rule", "--rules", mine)

    assert "\nTested\n  flags    a low one\n  flags    b\\u202ec\n  accepts  another port\n\n" in said


def test_a_family_is_explained_rule_by_rule(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(capsys, "explain", "office", "--rules", mine).startswith("my-rule  (office")


def test_colours_are_those_of_reports_and_only_where_they_are_asked_for(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, coloured = (say(capsys, "explain", "my-rule", "--rules", mine, "--color", when) for when in ("never", "always"))

    assert "\x1b" not in plain
    assert "severity \x1b[1;36mlow\x1b[0m" in coloured


def test_the_same_as_json(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(say(capsys, "explain", "my-rule", "--rules", mine, "--format", "json"))

    (row,) = said["rules"]
    assert 1 == said["version"]
    assert ("my-rule", "office", "low", "listener") == (row["rule"], row["family"], row["severity"], row["each"])
    assert {"sysctl": ["key: {is: net.core.somaxconn}", "boot: {is: 4096}"]} == row["with"]
    assert ["reserve-ports", "by hand, where the automatic fix does not help"] == [fix["kind"] for fix in row["fix"]]
    assert row["report"].startswith("low[my-rule]")
    assert "<who> on <port> while somaxconn is <with.boot>" == row["message"]
    assert {"flags": [], "accepts": []} == row["tested"]
    assert [None, None, {}] == [row["likelihood"], row["predicts"], row["good"]]


def test_a_page_shows_what_a_rule_holds_and_does_nothing_with_it(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = say(capsys, "explain", "my-rule", "--rules", mine, "--format", "markdown")

    assert "\nA &lt;b&gt;service&lt;/b&gt; on \\[the\\](javascript:x) office's \\*port\\*.\n" in said
    assert "\nOne \\| two `code <b>` \\~\\~three\\~\\~ &amp;amp; \\_four\\_\n" in said
    assert "\n````text\n[Service]\n```\n" in said
    assert "\n- [socket(7)](https://manpages.debian.org/socket.7)\n- <https://example.org/a%20b%3Cc%3E>\n- a book\n" in said


@pytest.mark.parametrize(
    ("text", "shown"),
    [("net.ipv4.ip_local_port_range", "net.ipv4.ip_local_port_range"), ("a ` b", "a \\` b"), ("`a` `b", "`a` \\`b"), ("~10", "\\~10")],
)
def test_prose_is_shown_as_it_is_written(text: str, shown: str) -> None:
    assert shown == prose(text)


def test_no_text_closes_its_fence() -> None:
    assert ["``````text", "`````", "``````"] == fenced("`````\n")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("port-claimed-twise", "did you mean port-claimed-twice"),
        ("reuseaddr", "did you mean reuse or listener-without-reuseaddr?"),
        ("ephemral", "did you mean ephemeral?"),
        ("xyzzy", "portwright rules lists them"),
    ],
)
def test_a_rule_nobody_knows_is_answered_with_the_nearest_ones(asked: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["explain", asked])
    assert f"there is no rule or family named '{asked}'; {hint}" in capsys.readouterr().err


def test_checking_imports_nothing_of_this() -> None:
    example = Path(__file__).parents[2] / "examples/web1"
    modules = ["rules.explaining", "rules.json_schema", "host.meanings", "audit.cases"]
    modules += ["reports.cases", "reports.explained", "reports.pages"]
    code = f"import sys; from portwright.cli import main; main(['check', '-q', {str(example)!r}]); print(*sys.modules, file=sys.stderr)"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set() == {f"portwright.{module}" for module in modules} & set(run.stderr.split())
    assert "portwright.rules.checking" in run.stderr.split()
