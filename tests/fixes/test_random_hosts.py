"""Random hosts with random faults: what is planned is gone and nothing new came, no other byte changed, and what is left says why."""

import random
from collections import Counter
from functools import cache

import pytest

from portwright.changes.config_step import ConfigStep
from portwright.changes.drop_in_step import DropInStep
from portwright.fixes.plan import Plan
from portwright.trees.memory import MemoryTree
from portwright.trees.overlay import OverlayTree
from tests.fixes.on_a_copy import RANGE, RESERVED, all_rules, checked, plan_on, service, web

PORTS = (80, 81, 8080, 8081, 9000, 40000, 40001)
SEEDS = 40
SERVERS = ("10.0.0.5:8080", "10.0.0.6:8080", "backend.example:9000", "unix:/run/app.sock")
DECIDING = ("listen ", "option ", "http-reuse", "proxy_", "keepalive", "pool-max-conn", "close;", "_pass", "bind", "ip_local", "server ")
"""Words of the lines that a plan may write anew."""
HEADERS = ("", "proxy_set_header X y;", "proxy_http_version 1.1;", "proxy_set_header Connection close;", "proxy_http_version 1.0;")
OPTIONS = ("option httpclose", "option http-server-close # old", "http-reuse never", "option http-keep-alive", "# nothing")
KEEP: tuple[list[str], ...] = ([], ["    keepalive 16;"], ["    keepalive 0;"])


def nginx(told: random.Random) -> str:
    """A config with upstreams and sites, each said as somebody might."""
    names = [f"up{number}" for number in range(told.randrange(3))]
    lines = []
    for name in names:
        rest = [f"    server {told.choice(SERVERS)};{told.choice(['', '  # x'])}", *told.choice(KEEP)]
        lines += [f"upstream {name} {{", *rest, "}"]
    if told.random() < 0.4:
        lines += ["map $http_upgrade $up {", "    default upgrade;", f"    '' {told.choice(['close', chr(34) * 2])};", "}"]
    for _ in range(told.randrange(1, 3)):
        lines += ["server {", f"    listen {told.choice(PORTS)};", *told.choice(([], ["    proxy_set_header Host $host;"]))]
        for number in range(told.randrange(3)):
            target = told.choice([*names, told.choice(SERVERS[:2])])
            passing = told.choice((f"proxy_pass http://{target};", f"fastcgi_pass {target};", f"uwsgi_pass {target};"))
            lines.append(f"    location /{number} {{ {told.choice(HEADERS)} {passing} }}")
        lines.append("}")
    return told.choice(["\n", "\r\n"]).join(line.replace("    ", told.choice(["    ", "\t"])) for line in lines) + told.choice(["", "\n"])


def haproxy(told: random.Random) -> str:
    """A config with options that close, here and there."""
    lines = ["defaults", "    mode http", f"    {told.choice(OPTIONS)}", "frontend f", f"    bind :{told.choice(PORTS)}"]
    lines += [f"    {told.choice(OPTIONS)}", "    default_backend api", "backend api", f"    {told.choice(OPTIONS)}"]
    lines.append(f"    server a {SERVERS[0]}{told.choice(['', ' pool-max-conn 0'])}")
    return "\n".join(lines) + told.choice(["", "\n"])


def host(told: random.Random) -> dict[str, str]:
    """A host with a few services, of which some want the same port, may not bind theirs, or use up ports."""
    files: dict[str, str] = {}
    for number in range(told.randrange(1, 4)):
        lines = told.choice(((), ("User=www",), ("User=www", "PrivateUsers=yes"), ("KillMode=process",)))
        kind = told.choice(("page", "relay"))
        port = told.choice(PORTS)
        command = f"/usr/bin/socat TCP-LISTEN:{port},fork TCP:10.0.0.5:7000"
        files |= web(port, f"{kind}{number}.service", *lines) if kind == "page" else service(f"{kind}{number}.service", command, *lines)
    if told.random() < 0.7:
        files |= service("nginx.service", "/usr/sbin/nginx -g 'daemon off;'")
        files["/etc/nginx/nginx.conf"] = "events {\n}\nhttp {\n    include /etc/nginx/conf.d/*.conf;\n}\n"
        files["/etc/nginx/conf.d/app.conf"] = nginx(told)
    if told.random() < 0.5:
        files |= service("haproxy.service", "/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg")
        files["/etc/haproxy/haproxy.cfg"] = haproxy(told)
    if told.random() < 0.4:
        files["/etc/sysctl.d/50-x.conf"] = told.choice((f"{RESERVED} = 9000\n", f"{RANGE} = 60000 60999\n", f"{RESERVED} = 1 # x\n"))
    return files


@cache
def planned(seed: int) -> tuple[MemoryTree, Plan]:
    """The host of a seed and the plan for it."""
    tree = MemoryTree(host(random.Random(seed)))  # noqa: S311  a test
    return tree, plan_on(tree, review=True)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_plan_for_a_random_host_is_proven_or_refused_with_the_line(seed: int) -> None:
    tree, made = planned(seed)
    before_host, before = checked(tree, all_rules())
    after_host, after = checked(OverlayTree(tree, {path: text.encode() for path, text in made.edits.items()}), all_rules())

    gone, left = {each.fingerprint for each in made.fixed}, {each.fingerprint for each in after}
    assert not gone & left
    assert all(each.reason for each in made.unplanned)
    assert {each.fingerprint for each in before} == gone | {each.finding.fingerprint for each in made.unplanned}
    assert Counter(each.app for each in before_host.listeners) == Counter(each.app for each in after_host.listeners)
    moved = {move for step in made.steps if isinstance(step, ConfigStep | DropInStep) for move in step.moves}
    ports = Counter((each.app, each.unit, each.port) for each in after_host.listeners)
    new = ports - Counter((each.app, each.unit, each.port) for each in before_host.listeners)
    assert {port for _, _, port in new} <= {port for _, port in moved}
    for path, text in made.edits.items():
        old = before_host.sources.get(path)
        if old is not None and "portwright" not in path:
            lines = text.split("\n")
            assert [] == [line for line in old.text.split("\n") if line not in lines and not any(word in line for word in DECIDING)]
            ends = [each.replace("\r\n", "").count("\n") for each in (old.text, text)]
            assert ("\r" not in text) if "\r" not in old.text else (ends[0] == ends[1])
            assert old.text.endswith("\n") == text.endswith("\n")


def test_the_random_hosts_have_faults_of_each_kind_and_most_are_planned() -> None:
    fixed: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for seed in range(SEEDS):
        made = planned(seed)[1]
        fixed.update(each.card.id for each in made.fixed)
        left.update(each.finding.card.id for each in made.unplanned)

    for rule in ("port-claimed-twice", "haproxy-closes-server-connections", "listener-without-reuseaddr"):
        assert fixed[rule] > left[rule] or fixed[rule] >= 5, (rule, fixed[rule], left[rule])
    assert fixed.total() > left.total()
