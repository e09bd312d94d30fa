"""Checking a host: which facts a rule picks, the message of a finding, leans on, predicts and wishes for, and in which order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.changes import GrantCapability, LimitCapabilities, Manual, ReservePorts, SetSysctl
from portwright.facts import Privileges, Subject
from portwright.finding import Finding, Note
from portwright.host import Host
from portwright.ports import PortSet
from portwright.rules import Rule, check, evaluate, load
from portwright.rules.grammar import read
from portwright.shipped import rules_directory
from tests.rules.facts import RANGE, RESERVED, UNPRIVILEGED, assignment, at, host, listener, outbound, sysctl

SHIPPED = load([rules_directory()])


def rule(where: str, each: str = "listener", message: str = "it is so", **more: str) -> Rule:
    """A rule with these conditions; `unless`, `with_` and the other parts as YAML in one line."""
    lines = {"id": "a-rule", "title": "t", "severity": "low", "why": "w", "references": "[r]", "each": each, "where": where}
    lines |= {"message": f"'{message}'"} | {key.rstrip("_"): text for key, text in more.items()}
    return read("".join(f"{key}: {text}\n" for key, text in lines.items()), "rules/some/a-rule.yaml")


def shipped(name: str) -> Rule:
    return next(found for found in SHIPPED if found.id == name)


def one(checked: Host, by: Rule) -> Finding:
    (found,) = check(checked, [by])
    return found


# (conditions, whether they hold for tcp 0.0.0.0:8080 of app.service)
CONDITIONS = [
    ("{port: {is: 8080}}", True),
    ("{port: {is: 8081}}", False),
    ("{port: {is-not: 8081}}", True),
    ("{port: {in: [80, 8080]}}", True),
    ("{port: {not-in: [80, 8080]}}", False),
    ("{port: {at-least: 8080, less-than: 8081}}", True),
    ("{port: {more-than: 8080}}", False),
    ("{port: {at-most: 8080}}", True),
    ("{ports: {within: 8000-9000}}", True),
    ("{ports: {within: 8000-8079}}", False),
    ("{ports: {overlaps: '80,8080'}}", True),
    ("{ports: {is: 8080}}", True),
    ("{ports: {counts-at-least: 2}}", False),
    ("{unit: {starts-with: app}}", True),
    ("{unit: {ends-with: .socket}}", False),
    ("{protocol: {is: tcp}, starts: {is: demand}}", False),
    ("{reuse_address: {is: true}}", True),
    ("{port: {at-least: {host: unprivileged-start}}}", True),
    ("{port: {at-least: {sysctl: net.ipv4.ip_unprivileged_port_start}}}", True),
    ("{ports: {within: {host: low-ports}}}", False),
    ("{end_port: {is: {fact: port}}}", True),
]


@pytest.mark.parametrize(("where", "holds"), CONDITIONS, ids=[where for where, _ in CONDITIONS])
def test_every_comparison_means_what_it_says(where: str, holds: bool) -> None:
    assert holds == bool(check(host(listener()), [rule(where)]))


# (conditions, whether they hold for a listener whose unit, port and can_bind nobody knows)
UNKNOWN = [
    ("{unit: {is: app.service}}", False),
    ("{unit: {is-not: app.service}}", True),
    ("{unit: {not-in: [app.service]}}", True),
    ("{unit: {is-not: {fact: activates}}}", False),
    ("{unit: {starts-with: app}}", False),
    ("{port: {at-least: 0}}", False),
    ("{port: {less-than: 99999}}", False),
    ("{ports: {within: 0-65535}}", False),
    ("{can_bind: {is: false}}", False),
    ("{can_bind: {is-not: false}}", True),
    ("{reserved-share: {at-least: 0}}", False),
    ("{unprivileged-start: {at-least: {sysctl: no.such.key}}}", False),
]


@pytest.mark.parametrize(("where", "holds"), UNKNOWN, ids=[where for where, _ in UNKNOWN])
def test_what_is_unknown_is_not_something_and_never_something(where: str, holds: bool) -> None:
    nothing = replace(listener(unit=None, can_bind=None, random=True), ports=PortSet())

    assert holds == bool(check(Host("web1", listeners=(nothing,)), [rule(where)]))


def test_all_of_where_must_hold_and_none_of_unless() -> None:
    both = rule("{protocol: {is: tcp}}", unless="{port: {is: 8080}, unit: {is: other.service}}")

    found = check(host(listener(8080), listener(8081), listener(8082, unit="other.service")), [both])

    assert [8081] == [finding.subject.port for finding in found]


def test_a_condition_on_overlapping_ports_narrows_the_finding_to_the_ports_that_overlap() -> None:
    narrowed = rule("{ports: {overlaps: {host: lendable-ports}}}", message="{ports}", fix="{reserve-ports: {ports: {fact: ports}}}")
    found = check(host(listener((32760, 32775)), settings={RESERVED: "32770"}), [narrowed])

    assert [(32768, 32769), (32771, 32775)] == [(f.subject.port, f.subject.end_port) for f in found]
    assert ["32768-32769", "32771-32775"] == [f.message for f in found]
    assert [ReservePorts(PortSet.of((32768, 32769))), ReservePorts(PortSet.of((32771, 32775)))] == [f.change for f in found]


def test_a_range_in_very_many_pieces_makes_few_findings() -> None:
    comb = ",".join(str(port) for port in range(32769, 60000, 2))

    found = check(host(listener((32768, 60000)), settings={RESERVED: comb}), [shipped("listener-in-ephemeral-range")])

    assert 16 == len(found)
    assert 60000 == found[-1].subject.end_port


# ── what a finding leans on ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_line_that_set_a_value_becomes_a_note_by_itself() -> None:
    found = one(host(listener(40000), settings={RANGE: "32768 60999"}), rule("{ports: {within: {host: ephemeral-ports}}}"))

    assert (Note(f"{RANGE} is set to 32768 60999 here", at(1, "/etc/sysctl.d/50.conf")),) == found.notes


def test_a_finding_that_leans_on_a_default_says_so() -> None:
    found = one(host(listener(40000)), rule("{ports: {within: {host: ephemeral-ports}}}"))

    assert (Note(f"no file sets {RANGE}, so the kernel's default applies: 32768 60999", at(1, "kernel.conf")),) == found.notes


def test_a_finding_is_no_surer_than_the_least_sure_thing_it_rests_on() -> None:
    by = rule("{ports: {within: {host: ephemeral-ports}}}")
    unsure = sysctl(RANGE, "32768 60999", confidence="likely")

    assert "certain" == one(host(listener(40000)), by).confidence
    assert "possible" == one(host(listener(40000, confidence="possible")), by).confidence
    assert "likely" == one(Host("web1", listeners=(listener(40000),), sysctls=(unsure,)), by).confidence
    assert "possible" == one(host(listener(40000)), rule("{port: {is: 40000}}", confidence="possible")).confidence
    assert "likely" == one(host(listener(40000), repository=True), by).confidence


def test_a_finding_about_a_unit_stands_on_the_line_that_decided() -> None:
    from portwright.facts import Setting, Unit

    path = "/etc/systemd/system/app.service"
    setting = Setting(at(4, path, 22), at(4, path), "Service", "AmbientCapabilities", "CAP_NET_BIND_SERVICE")
    unit = Unit("app.service", at(1, path), (path,), (setting,))
    powers = Privileges(user="app", uid0=False, ambient=frozenset({"CAP_NET_BIND_SERVICE"}), bounding=frozenset())

    found = one(host(units=(unit,), privileges={"app.service": powers}), shipped("ambient-capability-outside-bounding-set"))

    assert at(4, path, 22) == found.at
    assert Subject(unit="app.service") == found.subject


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_placeholders_are_replaced_once_and_values_are_data() -> None:
    found = one(host(listener(app="{unit}{app.__class__}%s")), rule("{port: {is: 8080}}", message="{app} of {unit} on {ports} {activates}"))

    assert "{unit}{app.__class__}%s of app.service on 8080 unknown" == found.message


def test_a_value_longer_than_a_page_is_cut_after_an_item() -> None:
    found = one(host(listener(app="x" * 100_000)), rule("{port: {is: 8080}}", message="{app}"))

    assert 4096 == len(found.message)
    assert found.message.endswith("x…")
    found = one(host(listener(app=",".join(["12345"] * 1000))), rule("{port: {is: 8080}}", message="{app}"))
    assert found.message.endswith(",12345…")


# ── joins ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_join_finds_the_other_fact_and_never_the_same_one() -> None:
    by = rule("{protocol: {is: tcp}}", with_="{listener: {unit: {is: {fact: unit}}, protocol: {is: udp}}}", message="{port} {with.port}")
    facts = [listener(80), listener(53, protocol="udp"), listener(81, unit="b.service"), listener(54, protocol="udp", unit="c.service")]

    assert ["80 53"] == [finding.message for finding in check(host(*facts), [by])]


def test_a_join_without_comparison_asks_whether_there_is_such_a_fact() -> None:
    by = rule("{key: {is: net.ipv4.tcp_tw_reuse}}", each="sysctl", with_="{outbound: {keepalive: {is: false}}}", message="{with.name}")
    checked = host(settings={"net.ipv4.tcp_tw_reuse": "0"})

    assert () == check(checked, [by])
    assert ["api"] == [f.message for f in check(replace(checked, outbounds=(outbound(),)), [by])]


def test_a_finding_names_a_few_rivals_of_many() -> None:
    crowd = [listener(unit=f"u{n}.service", at=at(n)) for n in range(1, 40)]

    found = check(host(*crowd), [shipped("port-claimed-twice")])

    assert 39 == len(found)
    assert {4} == {len(finding.notes) for finding in found}


def test_a_join_makes_a_finding_no_surer_than_the_other_fact() -> None:
    found = check(host(listener(), listener(unit="b.service", at=at(2), confidence="likely")), [shipped("port-claimed-twice")])

    assert ["likely", "likely"] == [finding.confidence for finding in found]


# ── predictions ─────────────────────────────────────────────────────────────────────────────────────────────────────

DENIED = listener(80, can_bind=False, error="EACCES", because="www-data lacks CAP_NET_BIND_SERVICE", because_at=at(9))


def test_a_prediction_needs_a_service_started_at_boot() -> None:
    by = rule("{port: {is: 80}}", predicts="EACCES")

    assert "EACCES" == one(host(DENIED), by).predicts
    assert None is one(host(replace(DENIED, starts="manual")), by).predicts
    assert None is one(host(replace(DENIED, starts=None)), by).predicts
    assert "EACCES" == one(host(replace(DENIED, starts=None), repository=True), by).predicts


def test_what_is_only_possible_predicts_nothing() -> None:
    assert None is one(host(replace(DENIED, confidence="possible")), rule("{port: {is: 80}}", predicts="EACCES")).predicts


def test_a_prediction_may_be_what_bind_answers() -> None:
    by = rule("{port: {is: 80}}", predicts="{fact: error}")

    assert "EACCES" == one(host(DENIED), by).predicts
    assert None is one(host(replace(DENIED, error="203/EXEC")), by).predicts


# ── fixes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_is_wished_for_where_its_operands_are_known() -> None:
    by = shipped("low-port-without-capability")
    web = host(DENIED, units=(), privileges={})
    found = one(web, by)

    assert None is found.change
    assert isinstance(found.manual, Manual)
    assert "www-data lacks" in found.manual.reason


CHANGES = [
    (ReservePorts(PortSet.of(80, 90)), "reserve 80,90 in net.ipv4.ip_local_reserved_ports"),
    (SetSysctl("net.core.somaxconn", "4096"), "set net.core.somaxconn to 4096"),
    (GrantCapability("a.service", "CAP_NET_BIND_SERVICE"), "grant CAP_NET_BIND_SERVICE to a.service"),
    (LimitCapabilities("a.service", ("CAP_A", "CAP_B")), "limit a.service to CAP_A, CAP_B"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_a_change_is_said_in_a_few_words(change: Any, words: str) -> None:
    assert words == change.in_words()


def test_a_fix_may_ask_for_review() -> None:
    by = rule("{port: {is: 80}}", fix="{limit-capabilities: {unit: {fact: unit}, capabilities: [CAP_CHOWN], safety: review}}")

    assert LimitCapabilities("app.service", ("CAP_CHOWN",), safety="review") == one(host(listener(80)), by).change


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(8)), st.permutations(range(len(SHIPPED))))
def test_the_order_of_facts_and_rules_does_not_matter(facts: list[int], rules: list[int]) -> None:
    listeners = [
        listener(40000 + n % 3, at=at(1 + n // 4, column=1 + n % 4), unit=f"u{n % 3}.service", reuse_address=bool(n % 2)) for n in range(8)
    ]
    plain = check(host(*listeners), SHIPPED)

    shuffled = check(host(*(listeners[n] for n in facts)), [SHIPPED[n] for n in rules])

    assert plain == shuffled


def test_the_same_finding_is_said_once() -> None:
    twice = rule("{port: {is: 8080}}")

    assert 1 == len(check(host(listener(), listener()), [twice]))


# ── rules whose deciding situation a tree cannot show ───────────────────────────────────────────────────────────────


def test_a_low_end_of_odd_parity_turns_the_likelihood_round() -> None:
    by = shipped("listener-in-ephemeral-range")

    assert ["high", "low"] == [f.likelihood for f in check(host(listener(40000), listener(40001)), [by])]
    odd = {RANGE: "32769 60999"}
    assert ["low", "high"] == [f.likelihood for f in check(host(listener(40000), listener(40001), settings=odd), [by])]


def test_lowering_the_start_of_unprivileged_ports_is_found_where_a_file_does_it() -> None:
    by = shipped("low-ports-open-to-everyone")

    assert [] == list(check(host(), [by]))
    assert [UNPRIVILEGED] == [f.subject.sysctl for f in check(host(settings={UNPRIVILEGED: "80"}), [by])]


def test_ports_a_later_list_drops_are_wished_for_again() -> None:
    overridden = assignment(RESERVED, "40000,50000", "overridden", 1, "/etc/sysctl.d/10.conf", "a later file sets it")
    kept = assignment(RESERVED, "50000", "applied", 1, "/etc/sysctl.d/20.conf")

    found = one(host(settings={RESERVED: "50000"}, assignments=(overridden, kept)), shipped("reserved-ports-overridden"))

    assert ReservePorts(PortSet.of(40000)) == found.change


# ── rules and hosts without end ─────────────────────────────────────────────────────────────────────────────────────

# Every pair is compared, and none passes.
QUADRATIC = "{listener: {protocol: {is: {fact: protocol}}, reuse_address: {is-not: {fact: reuse_address}}}}"


def test_a_join_of_all_with_all_is_stopped_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.rules.checking._MOST_OF_A_RULE", 10_000)
    crowd = host(*(listener(1 + n, at=at(n + 1)) for n in range(110)))

    found, stopped = evaluate(crowd, [rule("{protocol: {is: tcp}}", with_=QUADRATIC)])

    assert () == found
    assert ["the rule a-rule was stopped after 10,000 comparisons on one host, so its other findings are missing"] == [
        trouble.reason for trouble in stopped
    ]
    assert [rule("{protocol: {is: tcp}}").at] == [trouble.at for trouble in stopped]


def test_rules_that_cost_too_much_together_are_stopped_and_what_was_found_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.rules.checking._MOST_COMPARISONS", 30)
    crowd = host(*(listener(1 + n, at=at(n + 1)) for n in range(10)))
    some = rule("{port: {at-most: 3}}")

    found, stopped = evaluate(crowd, [some, rule("{port: {at-most: 0}, ports: {is: 1}}"), rule("{port: {at-most: 0}}"), some, some])

    assert 3 == len(found)
    assert [
        "the rule a-rule was stopped and 1 more were not begun after 30 comparisons on one host, so other findings are missing"
    ] == [trouble.reason for trouble in stopped]


def test_findings_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.rules.checking._MOST_SAID", 1 << 20)
    crowd = host(*(listener(1 + n, app="x" * 1000, at=at(n + 1)) for n in range(2000)))

    found, stopped = evaluate(crowd, [rule("{protocol: {is: tcp}}", message="{app}" * 20)])

    assert 45 < len(found) < 60
    assert [True] == ["after findings of 1 MiB on one host" in trouble.reason for trouble in stopped]


def test_a_comparison_with_a_long_list_of_ports_counts_as_much_as_the_list_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.rules.checking._MOST_OF_A_RULE", 100)
    crowd = host(*(listener(600 + n, at=at(n + 1)) for n in range(10)))
    comb = ",".join(str(port) for port in range(1, 512, 2))

    assert 1 == len(evaluate(crowd, [rule(f"{{ports: {{overlaps: '{comb}'}}}}")])[1])
    assert () == evaluate(crowd, [rule("{ports: {overlaps: '1,3,5'}}")])[1]


def test_ten_thousand_listeners_are_held_against_every_shipped_rule() -> None:
    crowd = host(*(listener(80, unit=f"u{n}.service", at=at(n + 1)) for n in range(10_000)))

    assert () == evaluate(crowd, SHIPPED)[1]
