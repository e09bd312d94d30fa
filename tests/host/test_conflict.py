"""Who collides with whom as the kernel compares two sockets, and which of them comes too late.

test_conflict_oracle holds the rows against the kernel.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.facts import Setting, Traits, Unit
from portwright.host.join.conflict import (
    Claim,
    claim,
    collide,
    collisions,
    comes_up,
    filed_under,
    not_after,
    sought_under,
    turn,
    weighed,
)
from portwright.host.terms.listener import error_when_late
from portwright.ports import PortSet
from tests.rules.facts import at, host, listener

ANY4, ANY6 = "0.0.0.0", "::"  # noqa: S104


def made(**changed: Any) -> Claim:
    found = claim(host(), listener(changed.pop("ports", 8080), **changed))
    assert found is not None
    return found


# (one address, v6only, the other, v6only, whether they collide)
ADDRESSES = [
    (ANY4, None, ANY4, None, True),
    (ANY4, None, "127.0.0.1", None, True),
    ("127.0.0.1", None, "127.0.0.1", None, True),
    ("127.0.0.1", None, "10.0.0.1", None, False),
    (ANY4, None, ANY6, True, False),
    (ANY4, None, ANY6, False, True),
    (ANY4, None, "*", False, True),
    ("10.0.0.1", None, "*", False, True),
    ("10.0.0.1", None, ANY6, True, False),
    ("10.0.0.1", None, "::1", True, False),
    (ANY6, True, "::1", False, True),
    (ANY6, True, ANY6, True, True),
    ("*", False, "::1", False, True),
    ("::1", False, "::1", True, True),
    ("::1", False, "fe80::1", False, False),
    ("::ffff:10.0.0.1", False, "10.0.0.1", None, True),
    ("::ffff:10.0.0.1", False, ANY4, None, True),
    ("fe80::1%eth0", False, "fe80::1%eth1", False, False),
    ("fe80::1%eth0", False, "fe80::1%eth0", False, True),
    ("fe80::1%eth0", False, "*", False, True),
    ("fe80::1%eth0", False, ANY4, None, False),
    ("::1", False, ANY4, None, False),
    ("::1", False, "127.0.0.1", None, False),
    ("::ffff:0.0.0.0", False, ANY4, None, True),
    ("::ffff:10.0.0.1", False, ANY6, True, False),
    ("0:0:0:0:0:0:0:1", False, "::1", False, True),
]


@pytest.mark.parametrize(("one", "only", "other", "other_only", "expected"), ADDRESSES)
def test_addresses_meet_as_the_kernel_compares_them(one: str, only: Any, other: str, other_only: Any, expected: bool) -> None:
    first, second = made(address=one, v6only=only), made(address=other, v6only=other_only, unit="b.service")

    assert expected == collide(first, second)
    assert expected == collide(second, first)


# (what both share, what the second changes, whether they collide)
OPTIONS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"reuse_address": True}, {}, True),
    ({"reuse_port": True}, {}, False),
    ({"reuse_port": True}, {"bind_user": "other"}, True),
    ({"reuse_port": True}, {"bind_user": None}, False),
    ({"reuse_port": True}, {"reuse_port": False}, True),
    ({"reuse_port": None}, {}, False),
    ({"reuse_port": None}, {"reuse_port": False}, True),
    ({"protocol": "udp", "reuse_address": True}, {"bind_user": "other"}, False),
    ({"protocol": "udp", "reuse_address": True}, {"reuse_address": False}, True),
    ({"protocol": "udp", "reuse_address": None}, {"reuse_address": True}, False),
    ({"protocol": "udp", "reuse_address": False, "reuse_port": True}, {}, False),
    ({"protocol": "udp", "reuse_address": False}, {"protocol": "tcp"}, False),
    ({"interface": "eth0"}, {"interface": "eth1"}, False),
    ({"interface": "eth0"}, {"interface": None}, True),
    ({"interface": "eth0"}, {"address": "127.0.0.1"}, True),
    ({"interface": "eth0"}, {"address": "127.0.0.1", "interface": "eth1"}, False),
    ({"interface": "eth0"}, {"address": "*", "v6only": False}, True),
    ({"interface": "eth0"}, {"address": "*", "v6only": False, "interface": "eth1"}, False),
    ({"interface": "eth0", "protocol": "udp", "reuse_address": False}, {"interface": "eth1"}, False),
    ({"interface": "eth0", "protocol": "udp", "reuse_address": False}, {"interface": None}, True),
    ({}, {"ports": (8000, 8100)}, True),
    ({"ports": (8050, 8060)}, {"ports": (8060, 8070)}, True),
    ({"ports": (8050, 8060)}, {"ports": (8061, 8070)}, False),
    ({"protocol": "udp", "reuse_address": False}, {"ports": (8000, 8100)}, True),
    ({}, {"ports": 8081}, False),
    ({"private_network": True}, {}, False),
    ({}, {"private_network": True}, False),
    ({"machine": "roles/a"}, {"machine": "roles/b"}, False),
    ({"machine": "roles/a"}, {}, True),
]


@pytest.mark.parametrize(("shared", "changed", "expected"), OPTIONS)
def test_options_share_a_port_only_as_the_kernel_lets_them(shared: dict[str, Any], changed: dict[str, Any], expected: bool) -> None:
    first, second = made(**shared), made(**{**shared, "unit": "b.service", **changed})

    assert expected == collide(first, second)
    assert expected == collide(second, first)


def test_a_socket_handed_to_its_service_is_one_socket() -> None:
    evaluate, service = made(unit="app.socket", activates="app.service"), made(unit="app.service")

    assert not collide(evaluate, service)
    assert collide(evaluate, made(unit="other.service"))


def unit(name: str, section: str, key: str, value: str) -> Unit:
    return Unit(name, at(), (), (Setting(at(), at(), section, key, value),), starts="boot")


@pytest.mark.parametrize(
    ("said", "other"),
    [
        (unit("app.service", "Service", "Sockets", "in.socket x.socket"), "in.socket"),
        (unit("app.service", "Unit", "Conflicts", "b.service"), "b.service"),
    ],
)
def test_units_that_share_a_socket_or_never_run_at_once_do_not_collide(said: Unit, other: str) -> None:
    one, two = listener(), listener(unit=other, at=at(2))
    third = listener(unit="c.service", at=at(3))
    known = host(one, two, third, units=(said, Unit(other, at(), (), ()), Unit("c.service", at(), (), ())))

    assert ((one, third), (two, third)) == collisions(known)[1]


@pytest.mark.parametrize(
    ("app", "confidence", "starts", "expected"),
    [
        ("nginx", "certain", "boot", False),
        ("nginx", "certain", "demand", True),
        ("nginx", "likely", "boot", True),
        ("sshd", "certain", "boot", True),
    ],
)
def test_a_daemon_that_gives_up_as_a_whole_does_not_come_up(app: str, confidence: Any, starts: Any, expected: bool) -> None:
    good = listener(app=app)
    bad = listener(80, app=app, can_bind=False, error="EACCES", confidence=confidence, starts=starts, at=at(2))
    rival = listener(unit="b.service", at=at(3))
    known = host(good, bad, rival)

    assert [expected, False, True] == [comes_up(known, each) for each in (good, bad, rival)]
    assert (((good, rival),) if expected else ()) == collisions(known)[1]


@pytest.mark.parametrize(("kind", "collide"), [("oneshot", False), ("simple", True)])
def test_commands_that_run_one_after_another_do_not_collide(kind: str, collide: bool) -> None:
    one, two = listener(at=at(1)), listener(at=at(2))

    assert (((one, two),) if collide else ()) == collisions(host(one, two, units=(unit("app.service", "Service", "Type", kind),)))[1]


@pytest.mark.parametrize(("other", "meets"), [("127.0.0.53", False), ("127.0.0.1", True), ("192.0.2.1", True), (ANY4, True)])
def test_what_is_bound_interface_by_interface_leaves_the_stub_of_the_resolver_alone(other: str, meets: bool) -> None:
    each = made(address=ANY4, of_interfaces=True)

    assert (meets, meets) == (collide(each, made(address=other)), collide(made(address=other), each))


def test_a_scope_ties_a_socket_whatever_it_was_tied_to_before() -> None:
    scoped = made(address="fe80::1%eth0", v6only=False, interface="eth1")

    assert "eth0" == scoped.scope


def test_what_the_kernel_picks_claims_nothing() -> None:
    assert None is claim(host(), listener(random=True))
    assert None is claim(host(), listener(address="no address"))


def test_the_unit_ordered_last_comes_after_the_other() -> None:
    first, last = listener(unit="a.service"), listener(unit="b.service", at=at(2))
    ordered = host(first, last, order={"b.service": frozenset({"a.service"})})

    assert not_after(turn(ordered, first), turn(ordered, last))
    assert not not_after(turn(ordered, last), turn(ordered, first))


def test_units_that_nothing_orders_may_each_lose() -> None:
    first, last = listener(unit="a.service"), listener(unit="b.service", at=at(2))

    assert not_after(turn(host(), first), turn(host(), last))
    assert not_after(turn(host(), last), turn(host(), first))


def test_lines_of_one_unit_bind_in_their_order() -> None:
    first, last = listener(at=at(1)), listener(at=at(2))

    assert not_after(turn(host(), first), turn(host(), last))
    assert not not_after(turn(host(), last), turn(host(), first))


addresses = st.sampled_from(["*", ANY4, "127.0.0.1", "10.0.0.1", "::1", "fe80::1"])
ranges = st.tuples(st.integers(1, 3000), st.integers(0, 3000)).map(lambda pair: PortSet.of((pair[0], pair[0] + pair[1])))
claims = st.builds(Claim, protocol=st.sampled_from(["tcp", "udp"]), address=addresses, ports=ranges, reuse_port=st.booleans())


@given(claims, claims)
def test_claims_that_collide_are_found_under_a_common_key(one: Claim, other: Claim) -> None:
    assert collide(one, other) == collide(other, one)
    if collide(one, other):
        assert set(filed_under(one)) & set(sought_under(other))
        assert set(filed_under(other)) & set(sought_under(one))


@pytest.mark.parametrize(("survives_conflict", "expected"), [(False, "EADDRINUSE"), (True, None)])
def test_a_service_that_runs_on_without_its_socket_does_not_fail(survives_conflict: bool, expected: str | None) -> None:
    late = listener(survives_conflict=survives_conflict)

    assert expected == error_when_late(host(late), late).value


def test_what_a_service_binds_beside_a_port_it_may_lose_is_likely_if_it_gives_up_then() -> None:
    gives_up = Traits(port_taken="exits")
    beside = listener(443, unit="web.service", app="web", traits=gives_up)
    wanted = listener(80, unit="web.service", app="web", traits=gives_up)
    rival = listener(80, unit="other.service", app="other")

    found = weighed(host(listeners=(beside, wanted, rival))).listeners

    assert ["likely", "certain", "certain"] == [each.confidence for each in found]
    assert found[0].why.endswith("other.service wants tcp 80 too, and web gives up where it is taken")


def test_a_service_that_goes_on_without_a_port_keeps_the_others() -> None:
    goes_on = Traits(port_taken="survives")
    ours = tuple(listener(port, unit="web.service", app="web", traits=goes_on) for port in (443, 80))

    found = weighed(host(listeners=(*ours, listener(80, unit="other.service", app="other")))).listeners

    assert ["certain"] * 3 == [each.confidence for each in found]
