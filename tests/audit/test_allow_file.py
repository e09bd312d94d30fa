"""An allow file accepts what it says and nothing else, for a reason and for a time, and says which of its entries have no effect."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from portwright._start.records import replace
from portwright.audit.allow_file import LARGEST, allowed, read
from portwright.cli import main
from portwright.facts import Subject
from portwright.finding import Finding, HostResult, RuleMeta
from portwright.source import RuleError, Span
from tests.fleet.test_audit import fleet, host
from tests.hostile.program import lay

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "allow-v1.schema.json").read_text("utf-8"))
TODAY = date(2026, 11, 30)
CARD = RuleMeta("listener-in-ephemeral-range", "ephemeral", "title", "high", "why")
RUN = {"listener-in-ephemeral-range", "ephemeral", "reuse"}


def finding(port: int | None, unit: str | None = "app.service") -> Finding:
    return Finding(CARD, "message", Span.whole("/etc/app"), Subject(unit=unit, port=port, end_port=port), "certain")


RESULTS = [
    HostResult("web1", 1, 1, (finding(40000), finding(40001, "other.service"))),
    HostResult("web2", 1, 1, (finding(40000),)),
    HostResult("db1", 1, 1, (finding(None, None),)),
]


def left(text: str) -> tuple[dict[str, int], list[tuple[int, str]]]:
    """How many findings stay on each host, and what of the file has no effect."""
    kept, remarks = allowed(RESULTS, read(text, "allow.yml"), {"proxies": ["web2"]}, RUN, TODAY)
    assert [len(each.findings) for each in RESULTS] == [len(each.findings) + len(each.allowed) for each in kept]
    return {each.host: len(each.findings) for each in kept}, [(each.at.line, each.reason) for each in remarks]


WHY = "  reason: known\n"


@pytest.mark.parametrize(
    ("entry", "stays"),
    [
        ("", (0, 0, 0)),
        ("  host: web*\n", (0, 0, 1)),
        ("  host: [web1, nobody]\n", (0, 1, 1)),
        ("  host: 'web[2-9]'\n", (2, 0, 1)),
        ("  group: prox*\n", (2, 0, 1)),
        ("  group: own\n", (2, 1, 0)),
        ("  host: web1\n  group: own\n", (0, 1, 0)),
        ("  unit: app.*\n", (1, 0, 1)),
        ("  port: 40000\n", (1, 0, 1)),
        ("  port: [40001, 39000-39999]\n", (1, 1, 1)),
        ("  port: '40000,40001'\n  unit: other.service\n", (1, 1, 1)),
        ("  expires: 2026-11-30\n", (0, 0, 0)),
    ],
)
def test_an_entry_accepts_what_fits_all_that_it_says(entry: str, stays: tuple[int, int, int]) -> None:
    text = f"groups:\n  own: db*\nallow:\n- rule: listener-in-ephemeral-range\n{entry}{WHY}"

    assert (dict(zip(("web1", "web2", "db1"), stays, strict=True)), []) == left(text)


def test_a_family_stands_for_its_rules_and_the_entry_is_named_by_its_line() -> None:
    kept, _ = allowed(RESULTS, read(f"allow:\n- rule: ephemeral\n{WHY}", "allow.yml"), {}, RUN, TODAY)

    assert {("listener-in-ephemeral-range", "known", "allow.yml:2")} == {(e.rule, e.reason, e.by) for r in kept for e in r.allowed}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("- rule: ephemeral\n", "this entry for ephemeral gives no reason, so it allows nothing"),
        ("- rule: ephemeral\n  reason: '  '\n", "this entry for ephemeral gives no reason, so it allows nothing"),
        (f"- rule: ephemeral\n  expires: 2026-11-29\n{WHY}", "this entry for ephemeral expired on 2026-11-29, so it allows nothing"),
        (f"- rule: ephemeral\n  port: 1\n{WHY}", "no finding of ephemeral is what this entry allows"),
        (f"- rule: reuse\n{WHY}", "no finding of reuse is what this entry allows"),
        (f"- rule: of-long-ago\n{WHY}", "no rule or family of-long-ago was run, so this entry allows nothing"),
    ],
)
def test_an_entry_without_effect_is_told(entry: str, said: str) -> None:
    assert ({"web1": 2, "web2": 1, "db1": 1}, [(2, said)]) == left(f"allow:\n{entry}")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the file is empty"),
        ("- x\n", 1, "a mapping with `allow:`"),
        ("groups: {}\n", 1, "it has no `allow:`"),
        ("allow:\n- rule: a\nwhat: 1\n", 3, "there is no 'what'"),
        ("allow:\n- host: a\n", 2, "names no rule"),
        ("allow:\n- rule: a\n  hosts: b\n", 3, "an entry has no 'hosts'"),
        ("allow:\n- rule: a\n  port: many\n", 3, "a port is wanted here"),
        ("allow:\n- rule: a\n  port: 70000\n", 3, "a port is wanted here"),
        ("allow:\n- rule: a\n  expires: soon\n", 3, "a day is wanted here"),
        ("allow:\n- rule: a\n  host: []\n", 3, "this list is empty"),
        ("allow:\n- rule: a\n  host: {b: c}\n", 3, "a list of at most 1,000 texts"),
        ("allow:\n- rule: &x a\n  reason: *x\n", 2, "anchors and aliases are not allowed in an allow file"),
        ("allow: !!python/object:os.system []\n", 1, "tags are not allowed in an allow file"),
        ("allow:\n- rule: a\n---\nallow: []\n", 3, "a second document"),
        ("allow:\n- rule: [\n", 3, "not YAML"),
        ("#" * (LARGEST + 1), 1, "an allow file of more than 1024 KiB"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, line: int, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        read(text, "allow.yml")

    assert said in caught.value.reason
    assert line == caught.value.at.line


def test_the_schema_takes_what_is_taken_and_refuses_what_is_refused() -> None:
    page = (ROOT / "docs" / "allow.md").read_text("utf-8")
    example = page.split("```yaml\n")[1].partition("```")[0]
    assert 2 == len(read(example, "allow.yml").entries)

    class Texts(yaml.SafeLoader):
        """As an editor takes it, but for days, which are texts to a schema."""

    Texts.yaml_implicit_resolvers = {
        letter: [one for one in each if one[0] != "tag:yaml.org,2002:timestamp"] for letter, each in Texts.yaml_implicit_resolvers.items()
    }
    jsonschema.validate(yaml.load(example, Texts), SCHEMA)  # noqa: S506  a safe loader
    wrong_ones = ("allow: 1", "allow: [{host: a}]", "allow: [{rule: a, hosts: b}]", "{allow: [], w: 1}", "allow: [{rule: a, port: 70000}]")
    for wrong in wrong_ones:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.load(wrong, Texts), SCHEMA)  # noqa: S506  a safe loader
        with pytest.raises(RuleError):
            read(wrong, "allow.yml")


def test_many_entries_and_patterns_of_many_stars_are_bounded() -> None:
    many = "allow:\n" + "".join(f"- {{rule: r{number}, host: 'a*b*c*d*', reason: x}}\n" for number in range(4000))
    long = [replace(RESULTS[0], host="a" * 60 + "b")] * 50

    kept, remarks = allowed(long, read(many, "allow.yml"), {}, RUN, TODAY)
    assert (long, 4000) == (kept, len(remarks))
    with pytest.raises(RuleError, match="at most 5,000 entries"):
        read("allow:\n" + "- rule: a\n" * 5001, "allow.yml")


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_allowed_is_not_counted_and_still_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file, rule = Path("allow.yml"), "listener-in-ephemeral-range"
    file.write_text(f"allow:\n- rule: {rule}\n  host: web*\n  reason: OPS-123\n- rule: reuse\n  reason: x\n")
    words = ["audit", fleet(tmp_path / "g"), "--allow", str(file), "--select", "listener-in-ephemeral-range"]

    assert 3 == main(words), "a host cannot be read"
    text = capsys.readouterr().out
    assert f"{file}:5:3: no rule or family reuse was run, so this entry allows nothing" in " ".join(text.split())
    assert "OPS-123" not in text
    assert f"2 allowed by {file}" in " ".join(text.split())

    main([*words, "--show-allowed"])
    assert f"listener-in-ephemeral-range on 2 hosts: OPS-123 ({file}:2): web1, web2" in " ".join(capsys.readouterr().out.split())

    main([*words, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert ["OPS-123", "OPS-123"] == [each["reason"] for one in document["hosts"] for each in one["allowed"]]
    assert [5] == [each["at"]["line"] for each in document["fleet"]["unused_allows"]]
    told = {"markdown": "without effect", "html": "without effect", "csv": "unused_allow", "prometheus": "portwright_findings_allowed 2"}
    for form, said in told.items():
        main([*words, "--format", form])
        assert said in capsys.readouterr().out


def test_the_groups_of_the_inventory_are_those_of_the_stored_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = lay(tmp_path / "h", host("web1", 40000))
    (tmp_path / "inventory.ini").write_text("[proxies]\nhere ansible_connection=local\n")
    for name, value in (("PORTWRIGHT_ROOT", root), ("ANSIBLE_LOCAL_TEMP", tmp_path / "l"), ("ANSIBLE_REMOTE_TEMP", tmp_path / "r")):
        monkeypatch.setenv(name, str(value))
    file, store = tmp_path / "allow.yml", str(tmp_path / "s")
    file.write_text(f"allow:\n- rule: listener-in-ephemeral-range\n  group: proxies\n{WHY}")

    assert 1 == main(["audit", "-i", str(tmp_path / "inventory.ini"), "--store", store, "--select", "listener-in-ephemeral-range"])
    assert main(["audit", "--store", store, "--allow", str(file)]) in (0, 3)
    assert 1 == main(["audit", "--store", store])
    capfd.readouterr()


def test_a_file_that_cannot_be_read_or_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "h", host("a", 40000))
    (tmp_path / "wrong").write_text("allow:\n- rule: a\n  hosts: b\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("no-such-file", "wrong", "bytes", "h"):
        assert 2 == main(["audit", str(tmp_path / "h"), "--allow", str(tmp_path / name)])
        assert 1 == len(capsys.readouterr().err.splitlines())
