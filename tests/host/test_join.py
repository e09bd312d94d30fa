"""An endpoint meets its unit: as whom it is bound, whether it may, and when."""

from portwright.facts import Endpoint, Invocation, Listener, Privileges
from portwright.host.join.addresses import BindContext
from portwright.host.join.listener import listener
from portwright.ports import PortSet
from portwright.source import Span, Word

AT = Span("/etc/app.conf", 1, 1, 1, 3)
SVC = Privileges(user="svc", uid0=False)


def _endpoint(port: int = 80, **more: object) -> Endpoint:
    given: dict[str, object] = {"address": "0.0.0.0", **more}  # noqa: S104
    return Endpoint(AT, "app", "tcp", str(given.pop("address")), PortSet.of(port), "directive", **given)  # type: ignore[arg-type]


def _joined(endpoint: Endpoint, privileges: Privileges | None = None) -> Listener:
    command = Invocation("app.service", (Word("/usr/bin/app", AT),), AT, privileges=privileges or Privileges(), starts="boot")
    found = listener(endpoint, command, BindContext({}))
    assert found is not None
    return found


def test_root_binds_a_low_port() -> None:
    found = _joined(_endpoint())

    assert ("root", True, None) == (found.bind_user, found.can_bind, found.error)


def test_a_user_without_the_capability_does_not() -> None:
    found = _joined(_endpoint(), SVC)

    assert ("svc", False, "EACCES") == (found.bind_user, found.can_bind, found.error)


def test_a_daemon_that_changes_user_before_it_binds_has_lost_its_capabilities() -> None:
    found = _joined(_endpoint(binds_as="memcache"))

    assert ("memcache", False, "EACCES") == (found.bind_user, found.can_bind, found.error)


def test_the_same_daemon_binds_a_high_port() -> None:
    assert _joined(_endpoint(11211, binds_as="memcache")).can_bind is True


def test_root_binds_for_a_service_of_somebody_else() -> None:
    found = _joined(_endpoint(binds_as="root"), SVC)

    assert ("root", True) == (found.bind_user, found.can_bind)


def test_a_port_that_is_bound_while_in_use_starts_on_demand() -> None:
    assert "demand" == _joined(_endpoint(50000, on_demand=True)).starts


def test_a_config_that_nobody_starts_says_nothing_of_users() -> None:
    found = listener(_endpoint(), None, BindContext({}))

    assert found is not None
    assert (None, None, None) == (found.starts, found.bind_user, found.can_bind)


def test_a_wildcard_of_ipv6_is_dual_stack_unless_it_asks_for_more() -> None:
    assert ["*", "*", "::"] == [_joined(_endpoint(8080, address="::", v6only=only)).address for only in (None, False, True)]


def test_a_dynamic_user_is_named_after_its_unit() -> None:
    assert "app" == _joined(_endpoint(8080), Privileges(user="dynamic", uid0=False, dynamic=True)).bind_user
