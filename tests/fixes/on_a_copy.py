"""Small hosts for tests of plans: their files, and the plan for what all built-in rules find on them."""

from collections.abc import Mapping
from functools import cache

from portwright.finding import Finding
from portwright.fixes.plan import Plan, plan
from portwright.fixes.policy import FixPolicy
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.rules import Rule, check, load
from portwright.shipped import rules_directory
from portwright.trees import Tree
from portwright.trees.memory import MemoryTree
from portwright.trees.overlay import OverlayTree

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"
SYSCTL_FILE = "/etc/sysctl.d/zz-portwright.conf"
MACHINE_ID = "0123456789abcdef0123456789abcdef"


@cache
def all_rules() -> tuple[Rule, ...]:
    return load([rules_directory()])


def only(*ids: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in all_rules() if rule.id in ids)


def service(name: str, command: str, *lines: str) -> dict[str, str]:
    """An enabled service that runs a command, with more lines for its [Service] section."""
    section = "".join(f"{line}\n" for line in lines)
    return {
        f"/etc/systemd/system/{name}": f"[Service]\nExecStart={command}\n{section}\n[Install]\nWantedBy=multi-user.target\n",
        f"/etc/systemd/system/multi-user.target.wants/{name}": f"-> ../{name}",
        "/usr/lib/systemd/system/multi-user.target": "[Unit]\nDescription=Multi-User System\n",
    }


PROXY = {
    **service("haproxy.service", "/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg"),
    "/etc/haproxy/haproxy.cfg": "defaults\n    mode http\nlisten api\n    bind :80\n    option httpclose\n    server a 10.0.0.5:8080\n",
}
"""A proxy that closes the connections to its servers, which a line of its config says."""


UNLABELLED = {
    **service("sshd.service", "/usr/sbin/sshd -D"),
    "/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
    "/etc/ssh/sshd_config": "Port 2849\n",
}
"""A daemon that SELinux's policy does not let bind the port that its config says."""


def web(port: int, name: str = "web.service", *lines: str) -> dict[str, str]:
    """A service of Python's own web server, which sets SO_REUSEADDR, on a port."""
    return service(name, f"/usr/bin/python3 -m http.server {port}", *lines)


def checked(tree: Tree, rules: tuple[Rule, ...]) -> tuple[Host, tuple[Finding, ...]]:
    host = read_host(tree, "web1", MACHINE_ID)
    return host, check(host, rules)


def plan_on(tree: Tree, rules: tuple[Rule, ...] | None = None, *, review: bool = False) -> Plan:
    evaluate = all_rules() if rules is None else rules
    host, findings = checked(tree, evaluate)
    return plan(host, findings, lambda edits: checked(OverlayTree(tree, edits), evaluate), FixPolicy(review=review))


def plan_for(files: Mapping[str, str], rules: tuple[Rule, ...] | None = None, *, review: bool = False) -> Plan:
    """The plan for a host of these files; a value `-> target` is a link."""
    return plan_on(MemoryTree(files), rules, review=review)


def reasons(made: Plan) -> dict[str, str]:
    """Why each rule's finding is not planned."""
    return {left.finding.card.id: left.reason for left in made.unplanned}
