"""The bad and good example of each rule, as `explain` prints them, are what the rule flags and accepts."""

import pytest

from portwright.audit.hosts import read_host
from portwright.audit.repository import read_repository
from portwright.finding import Finding
from portwright.rules import Rule, check, load
from portwright.shipped import rules_directory
from portwright.trees.memory import MemoryTree

RULES = load([rules_directory()])

# What these look at is known of a host only: its addresses, its running kernel, what is bound on demand, a missing link to sysctl.conf,
# the files that a daemon's unit makes it read.
OF_HOSTS = (
    "address-not-on-this-host",
    "apache-closes-backend-connections",
    "on-demand-port-in-ephemeral-range",
    "sysctl-drifted",
    "sysctl-loaders-disagree",
)

ADDRESSES = "1: lo    inet 127.0.0.1/8 scope host lo\n"


def _check(rule: Rule, example: tuple[tuple[str, str], ...]) -> list[Finding]:
    files = dict(example)
    if rule.id not in OF_HOSTS:
        return [finding for host in read_repository(MemoryTree(files), "repository") for finding in check(host, [rule])]
    for path, text in example:
        for line in text.splitlines():
            if line.startswith("WantedBy="):
                files[f"/etc/systemd/system/{line.removeprefix('WantedBy=')}.wants/{path.rpartition('/')[2]}"] = f"-> {path}"
    return list(check(read_host(MemoryTree({"/.portwright/addresses": ADDRESSES, **files}), "host"), [rule]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_bad_example_is_flagged_in_its_own_file(rule: Rule) -> None:
    found = _check(rule, rule.bad)

    assert found
    assert {finding.at.path for finding in found} <= {path for path, _ in rule.bad} | {"kernel.conf"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_good_example_is_accepted(rule: Rule) -> None:
    assert [] == _check(rule, rule.good)
