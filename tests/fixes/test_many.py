"""Hundreds of fixes that exclude each other are sorted out in few readings of the host, and the plan is proven all the same."""

from pathlib import Path

import pytest

from portwright.audit.check import Selection, planned
from portwright.audit.inputs import inputs
from portwright.fixes.plan import Plan
from portwright.fixes.policy import FixPolicy
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.rules import load
from portwright.shipped import rules_directory
from portwright.trees import Tree
from tests.fuzz.constructions import CONSTRUCTIONS, lay

RULES = load([rules_directory()])


def _plan(root: Path) -> Plan:
    (given,) = inputs((str(root),))
    return planned(given, RULES, Selection(), frozenset(rule.card.id for rule in RULES), FixPolicy())


def test_services_that_exclude_each_other_need_few_readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay(CONSTRUCTIONS["services to mend"].files(100), tmp_path / "h")
    read: list[str] = []

    def counted(tree: Tree, name: str, identity: str = "") -> Host:
        read.append(name)
        return read_host(tree, name, identity)

    monkeypatch.setattr("portwright.audit.check.read_host", counted)

    plan = _plan(root)

    assert len(read) < 40
    written = ("/etc/sysctl.d/zz-portwright.conf", "/etc/systemd/system/u0.service.d/zz-portwright-capabilities.conf")
    assert written == tuple(sorted(plan.edits))
    assert 51 == len(plan.fixed)
    # One of the fifty on port 80 has it; each other is told what stands against it, by its own name.
    assert {f"u{number}.service" for number in range(1, 50)} == {each.finding.subject.unit for each in plan.unplanned}
    for each in plan.unplanned:
        assert "causes a new finding, port-claimed-twice" in each.reason
        assert f"({each.finding.subject.unit})" in each.reason


def test_the_plan_is_the_one_that_halving_alone_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay(CONSTRUCTIONS["services to mend"].files(60), tmp_path / "h")
    quick = _plan(root)
    monkeypatch.setattr("portwright.fixes.plan._MOST_HALVINGS", 1000)

    slow = _plan(root)

    assert slow.edits == quick.edits
    assert slow.fixed == quick.fixed
    assert [each.finding for each in slow.unplanned] == [each.finding for each in quick.unplanned]
