"""A daemon that ends because one of its sockets cannot be bound has none of the others open."""

from portwright.facts import Traits
from portwright.host.join.giving_up import without_given_up
from tests.rules.facts import at, host, listener

ENDS = Traits(port_taken="exits")
WEB = {"unit": "web.service", "app": "web", "traits": ENDS}


def test_who_comes_after_the_service_that_has_its_port_has_no_other_port_either() -> None:
    ours = [listener(80, at=at(1), **WEB), listener(443, at=at(2), **WEB)]
    rival = listener(80, unit="other.service", app="other")

    found = without_given_up(host(listeners=(*ours, rival), order={"web.service": frozenset({"other.service"})})).listeners

    # Who gets the contested port itself is never said.
    assert ["", "web ends, as other.service has tcp 0.0.0.0:80", ""] == [each.closed_by for each in found]


def test_where_nothing_orders_the_two_it_is_a_race() -> None:
    ours = [listener(80, at=at(1), **WEB), listener(443, at=at(2), **WEB)]

    found = without_given_up(host(listeners=(*ours, listener(80, unit="other.service", app="other")))).listeners

    assert [""] * 3 == [each.closed_by for each in found]


def test_who_ends_itself_keeps_nobody_from_a_port() -> None:
    ours = [listener(80, at=at(1), **WEB), listener(443, at=at(2), **WEB)]
    other = {"unit": "other.service", "app": "other", "traits": ENDS}
    rivals = [listener(80, **other), listener(8080, at=at(3), can_bind=False, error="EADDRNOTAVAIL", **other)]
    order = {"web.service": frozenset({"other.service"})}

    found = without_given_up(host(listeners=(*ours, *rivals), order=order)).listeners

    assert ["", ""] == [each.closed_by for each in found if each.unit == "web.service"]
    assert all(each.closed_by for each in found if each.unit == "other.service" and each.can_bind is not False)


def test_a_socket_unit_that_names_one_port_twice_holds_none() -> None:
    held = {"unit": "held.socket", "activates": "held.service", "app": "systemd", "origin": "socket-unit"}

    found = without_given_up(host(listeners=(listener(90, at=at(1), **held), listener(90, at=at(2), **held)))).listeners

    assert all("has tcp 0.0.0.0:90" in each.closed_by for each in found)


def test_a_daemon_that_goes_on_keeps_its_other_sockets() -> None:
    goes_on = {"unit": "web.service", "app": "web", "traits": Traits(port_taken="survives")}
    ours = [listener(80, at=at(1), **goes_on), listener(443, at=at(2), **goes_on)]
    rival = listener(80, unit="other.service", app="other")

    found = without_given_up(host(listeners=(*ours, rival), order={"web.service": frozenset({"other.service"})})).listeners

    assert [""] * 3 == [each.closed_by for each in found]
