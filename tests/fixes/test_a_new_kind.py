"""A kind of change is a file: with it, rules can wish for what nobody had heard of, and a plan does and proves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import portwright.changes
from portwright.changes import kind
from portwright.fixes.ansible import Before, playbook, templates
from portwright.registry import members
from portwright.reports.plan_text import render
from portwright.rules.explaining import explain
from portwright.rules.grammar import read
from portwright.rules.json_schema import schema
from portwright.shipped import playbooks_directory
from portwright.source import RuleError
from tests.fixes.on_a_copy import plan_for, service

LET_OPEN_FILES = '''
"""More open files for a service."""

from collections.abc import Sequence

from portwright._start.records import dataclass
from portwright.changes.drop_in_step import DropInStep, no_unit, path_of
from portwright.changes.kind import Change, ChangeKind, Disruption, Host, Marks, Safety, Step

_FILE = "zz-portwright-files.conf"


@dataclass(frozen=True, slots=True)
class LetOpenFiles(Change):
    """Let a unit have this many files open: a drop-in with LimitNOFILE=."""

    unit: str
    files: str
    safety: Safety = "safe"
    disruption: Disruption = "restart"

    @property
    def target(self) -> str:
        return path_of(self.unit, _FILE)

    def in_words(self) -> str:
        return f"let {self.unit} open {self.files} files"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "files": self.files}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["LetOpenFiles"], step: Step | None, marks: Marks) -> DropInStep:
        most = max(int(change.files) for change in wished)
        return DropInStep(wished[0].unit, (f"LimitNOFILE={most}",), *marks, file=_FILE)

    def unwritable(self) -> str:
        return no_unit(self.unit)


KIND = ChangeKind(
    LetOpenFiles,
    "adds a drop-in that lets the unit open as many files",
    {"unit": "the unit, such as {fact: unit}", "files": "how many, such as 65536"},
    misuse=lambda given: None if str(given.get("files", "1")).isdecimal() else ("files", "files is a number"),
)
'''

RULE = """
id: few-files
title: the service cannot have as many connections as it is set to take
severity: medium
why: connections are refused
references: [systemd.exec(5)]
each: file-limit
where: {limit: {less-than: {fact: needed}}, setting: {is: SETTING}}
message: "{unit} may open {limit} files and needs {needed}"
fix:
  let-open-files: {unit: {fact: unit}, files: 65536}
"""

REDIS = {
    **service("redis.service", "/usr/bin/redis-server /etc/redis.conf", "LimitNOFILE=512", "User=redis"),
    "/etc/redis.conf": "maxclients 10000\nport 6379\n",
}


def rule(text: str) -> str:
    return text.replace("SETTING", "maxclients")


def _forget() -> None:
    for each in (members, kind.kinds, kind.steps, kind._names):
        each.cache_clear()


@pytest.fixture(autouse=True)
def _one_file_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "let_open_files.py").write_text(LET_OPEN_FILES)
    monkeypatch.setattr(portwright.changes, "__path__", [*portwright.changes.__path__, str(tmp_path)])
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def test_a_rule_wishes_for_it_and_a_plan_proves_it() -> None:
    made = plan_for(REDIS, (read(rule(RULE), "rules/own/few-files.yaml"),))

    assert ["few-files"] == [finding.card.id for finding in made.fixed]
    assert {"/etc/systemd/system/redis.service.d/zz-portwright-files.conf": f"{kind.OWNED}\n[Service]\nLimitNOFILE=65536\n"} == made.edits
    assert "1. give redis.service a drop-in: LimitNOFILE=65536\n" in render(made, (), color=False, width=100)


def test_its_playbook_is_the_constant_text_of_its_step() -> None:
    made = plan_for(REDIS, (read(rule(RULE), "rules/own/few-files.yaml"),))
    book = playbook(made, "plan.yml", templates(playbooks_directory()), Before(), allow_restart=False)

    assert "Write the drop-ins" in book.files["plan.yml"]
    assert "LimitNOFILE=65536" in book.files["plan.vars.json"]


def test_its_wish_is_read_judged_and_explained() -> None:
    (remedy,) = explain(read(rule(RULE), "rules/own/few-files.yaml")).remedies

    assert "adds a drop-in that lets the unit open as many files (unit {fact: unit}, files 65536)" == remedy.what
    assert {"unit", "files", "safety", "disruption"} == schema()["properties"]["fix"]["properties"]["let-open-files"]["properties"].keys()
    with pytest.raises(RuleError, match="lacks files: how many, such as 65536"):
        read(rule(RULE).replace(", files: 65536", ""), "rules/own/few-files.yaml")
    with pytest.raises(RuleError, match="files is a number"):
        read(rule(RULE).replace("65536", "many"), "rules/own/few-files.yaml")
