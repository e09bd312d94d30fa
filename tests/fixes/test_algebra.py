"""Uniting changes: whatever their order, however often each, and however they are grouped; a contradiction is always the same one."""

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.changes import (
    Change,
    ContradictionError,
    EditConfig,
    EditUnit,
    GrantCapability,
    LimitCapabilities,
    MoveService,
    ReservePorts,
    SetInUnit,
    SetSysctl,
    Step,
)
from portwright.changes.edits import Edits
from portwright.facts import Subject
from portwright.finding import Finding, RuleMeta
from portwright.fixes.plan import _edits, plan, unite
from portwright.fixes.policy import FixPolicy
from portwright.ports import PortSet
from portwright.source import Rewrite, Rewriting, Span
from portwright.trees.memory import MemoryTree
from portwright.trees.overlay import OverlayTree
from tests.fixes.on_a_copy import PROXY, RANGE, RESERVED, all_rules, checked, service, web

CONF = "/etc/haproxy/haproxy.cfg"
HOST, _ = checked(
    MemoryTree(
        {
            **PROXY,
            **web(8080, "a.service"),
            **service("b.service", "/usr/bin/socat TCP-LISTEN:8080,fork TCP:10.0.0.5:7000", "User=www"),
            "/etc/sysctl.d/50-x.conf": f"{RESERVED} = 9000\n{RANGE} = 32768 60999\n",
        }
    ),
    (),
)


def rewrite(path: str, was: str, text: str) -> Rewrite:
    source = HOST.sources[path]
    start = source.text.index(was)
    return Rewrite(source.span(start, start + len(was)), text, was)


def edits(unit: str, *rewrites: Rewrite) -> Edits:
    words = f"have {unit} say {', '.join(each.text for each in rewrites)}"
    if unit == "haproxy.service":
        return Edits(unit, Rewriting(rewrites, words, config=(CONF,)), ("haproxy", "-c", "-f", CONF), "reload")
    return Edits(unit, Rewriting((), words), in_unit=rewrites)


RELAY = "/etc/systemd/system/b.service"
CHANGES: tuple[Change, ...] = (
    *(ReservePorts(PortSet.parse(ports)) for ports in ("40000", "40000-40010", "9000,50000")),
    *(SetSysctl(RANGE, value, "review") for value in ("32768 60999", "10000 65535")),
    SetSysctl(RESERVED, "8080"),
    *(SetSysctl("net.ipv4.tcp_tw_reuse", value) for value in ("1", "2")),
    *(GrantCapability(unit, "CAP_NET_BIND_SERVICE") for unit in ("a.service", "b.service")),
    *(LimitCapabilities("a.service", capabilities) for capabilities in (("CAP_NET_BIND_SERVICE",), ("CAP_CHOWN",))),
    *(SetInUnit("b.service", lines) for lines in (("KillMode=mixed",), ("KillMode=control-group",), ("RestartSec=5",))),
    EditConfig(edits("haproxy.service", rewrite(CONF, "    option httpclose", ""))),
    EditConfig(edits("haproxy.service", rewrite(CONF, "httpclose", "http-keep-alive"))),
    EditConfig(edits("haproxy.service", rewrite(CONF, ":80\n", ":81\n"))),
    EditUnit(edits("b.service", rewrite(RELAY, "8080", "8081"))),
    EditUnit(edits("b.service", rewrite(RELAY, "8080", "8082"))),
    EditUnit(edits("b.service", Rewrite(rewrite(RELAY, "fork", "").at, "fork,reuseaddr", "fork"))),
    MoveService(
        replace(edits("b.service", rewrite(RELAY, "8080", "8081")), others=(edits("haproxy.service", rewrite(CONF, ":80\n", ":82\n")),))
    ),
)


def finding(change: Change, number: int) -> Finding:
    at = Span(CONF, number + 1, 1, number + 1, 1)
    return Finding(RuleMeta(f"rule-{number % 5}", "f", "t", "high", "why"), "m", at, Subject(), "certain", change=change)


def united(wished: Sequence[Change]) -> tuple[tuple[Step, ...], dict[str, str]] | str:
    """The steps and the files, or the reason why there are none."""
    try:
        steps = unite(HOST, [finding(change, CHANGES.index(change)) for change in wished])
        return steps, _edits(HOST, steps)
    except ContradictionError as reason:
        return str(reason)


wishes = st.lists(st.sampled_from(CHANGES), min_size=1, max_size=6, unique=True)


@given(wished=wishes, seed=st.integers(0, 999))
@settings(max_examples=400, deadline=None)
def test_neither_order_nor_repetition_matters(wished: list[Change], seed: int) -> None:
    told = random.Random(seed)  # noqa: S311  a test
    shuffled = [*wished, *told.choices(wished, k=told.randrange(3))]
    told.shuffle(shuffled)

    assert united(wished) == united(shuffled)


@given(one=wishes, other=wishes)
@settings(max_examples=300, deadline=None)
def test_what_cannot_be_united_cannot_be_united_with_more(one: list[Change], other: list[Change]) -> None:
    both = united([*one, *other])

    assert not isinstance(united(one), str) or isinstance(both, str)
    if not isinstance(both, str):
        alone = united(one)
        assert not isinstance(alone, str)
        assert set(alone[1]) <= set(both[1])
        assert {step.order for step in alone[0]} <= {step.order for step in both[0]}


def test_a_contradiction_names_both_sides_and_both_causes() -> None:
    one, other = CHANGES[3], CHANGES[4]
    apart = united([CHANGES[18], CHANGES[19]])

    assert "another finding proposes net.ipv4.ip_local_port_range = 10000 65535 (asked for by rule-4 and rule-3)" == united([one, other])
    assert isinstance(apart, str)
    assert "two changes are about /etc/systemd/system/b.service:2:" in apart
    assert "'8081'" in apart
    assert "'8082'" in apart


def test_nothing_is_planned_that_disrupts_more_than_is_allowed() -> None:
    tree = MemoryTree({**web(40000), **web(81, "b.service", "User=www"), **PROXY})
    host, found = checked(tree, all_rules())

    def planned(policy: FixPolicy) -> set[str]:
        made = plan(host, found, lambda laid: checked(OverlayTree(tree, laid), all_rules()), policy)
        return {each.card.id for each in made.fixed}

    low, kept, reserved = "low-port-without-capability", "haproxy-closes-server-connections", "listener-in-ephemeral-range"
    assert {reserved} == planned(FixPolicy(review=True, most="none"))
    assert {reserved, kept} == planned(FixPolicy(review=True, most="reload"))
    assert {reserved, kept, low} == planned(FixPolicy(review=True))
    assert {reserved, low} == planned(FixPolicy())
