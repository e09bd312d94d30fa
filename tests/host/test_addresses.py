"""What the kernel answers to an address, whoever binds it; test_addresses_oracle holds the rows against it."""

from typing import Any

import pytest

from portwright.facts import Endpoint, Invocation, Privileges, Unit
from portwright.host.join.addresses import BindContext
from portwright.host.join.listener import listener, socket_listener
from portwright.ports import PortSet
from portwright.source import Span
from portwright.system.host_files.captures import Address
from tests.rules.facts import at, sysctl

# The interfaces of the oracle's namespace: (interface, address, prefix).
INTERFACES = [
    ("lo", "127.0.0.1", 8),
    ("lo", "::1", 128),
    ("lo", "10.0.0.1", 24),
    ("lo", "2001:db8:1::1", 64),
    ("d0", "10.5.0.1", 24),
    ("d0", "2001:db8:5::1", 64),
    ("d0", "fe80::77", 64),
    ("d1", "10.6.0.1", 31),
]
LISTED = tuple(Address(i, "inet6" if ":" in a else "inet", a, p, "global", at()) for i, a, p in INTERFACES)
SIX = "net.ipv6.conf.all.disable_ipv6"
CMDLINE = Span("/.portwright/cmdline", 1, 1, 1, 15)
ROOT = Privileges()
NOBODY = Privileges(user="nobody", uid0=False)

# (address, what the daemon asks for, kernel settings, what bind() answers)
ROWS: list[tuple[str, dict[str, Any], dict[str, str], str | None]] = [
    ("0.0.0.0", {}, {}, None),  # noqa: S104
    ("::", {"v6only": True}, {}, None),
    ("127.0.0.1", {}, {}, None),
    ("127.5.6.7", {}, {}, None),
    ("127.255.255.255", {}, {}, None),
    ("10.0.0.1", {}, {}, None),
    ("10.0.0.9", {}, {}, None),  # any address of a network on lo is local
    ("10.5.0.1", {}, {}, None),
    ("10.5.0.2", {}, {}, "EADDRNOTAVAIL"),
    ("10.5.0.255", {}, {}, None),  # the broadcast address
    ("10.5.0.0", {}, {}, "EADDRNOTAVAIL"),
    ("10.6.0.0", {}, {}, "EADDRNOTAVAIL"),  # RFC 3021: a /31 has no broadcast address
    ("255.255.255.255", {}, {}, None),
    ("224.0.0.5", {}, {}, None),
    ("10.99.0.5", {}, {}, "EADDRNOTAVAIL"),
    ("10.99.0.5", {"free_bind": True}, {}, None),
    ("10.99.0.5", {}, {"net.ipv4.ip_nonlocal_bind": "1"}, None),
    ("10.99.0.5", {}, {"net.ipv6.ip_nonlocal_bind": "1"}, "EADDRNOTAVAIL"),
    ("::1", {}, {}, None),
    ("::2", {}, {}, "EADDRNOTAVAIL"),
    ("2001:db8:1::1", {}, {}, None),
    ("2001:db8:1::2", {}, {}, "EADDRNOTAVAIL"),
    ("2001:db8:5::1", {}, {}, None),
    ("2001:db8::1", {}, {}, "EADDRNOTAVAIL"),
    ("2001:db8::1", {"free_bind": True}, {}, None),
    ("2001:db8::1", {}, {"net.ipv6.ip_nonlocal_bind": "1"}, None),
    ("2001:db8::1", {}, {"net.ipv4.ip_nonlocal_bind": "1"}, "EADDRNOTAVAIL"),
    ("::ffff:10.5.0.1", {"v6only": False}, {}, None),
    ("::ffff:10.99.0.5", {"v6only": False}, {}, "EADDRNOTAVAIL"),
    ("::ffff:10.99.0.5", {"v6only": False}, {"net.ipv4.ip_nonlocal_bind": "1"}, None),
    ("::ffff:10.5.0.1", {"v6only": True}, {}, "EINVAL"),
    ("::ffff:10.5.0.1", {}, {"net.ipv6.bindv6only": "1"}, "EINVAL"),
    ("fe80::77%d0", {}, {}, None),
    ("fe80::77", {"interface": "d0"}, {}, None),
    ("fe80::77", {}, {}, "EINVAL"),
    ("fe80::78", {"free_bind": True}, {}, "EINVAL"),
    ("0.0.0.0", {"interface": "d0"}, {}, None),  # noqa: S104
    ("0.0.0.0", {"interface": "nowhere0"}, {}, "ENODEV"),  # noqa: S104
    ("127.0.0.1", {"interface": "d0"}, {}, None),  # an IPv4 address counts whatever interface has it
    ("::1", {"interface": "d0"}, {}, "EADDRNOTAVAIL"),  # and ::1 on its own alone
    ("2001:db8:5::1", {"interface": "d0"}, {}, None),
    ("2001:db8:5::1", {"interface": "d1"}, {}, None),
]


def endpoint(address: str, port: int = 8080, **asked: Any) -> Endpoint:
    return Endpoint(at(), "app", "tcp", address, PortSet.of(port), "directive", **asked)


def context(settings: dict[str, str] | None = None, **known: Any) -> BindContext:
    return BindContext({key: sysctl(key, value) for key, value in (settings or {}).items()}, **{"addresses": LISTED, **known})


def started(privileges: Privileges = ROOT) -> Invocation:
    return Invocation("app.service", (), at(), privileges=privileges, starts="boot")


def answer(asked: Endpoint, bind_context: BindContext, privileges: Privileges = ROOT) -> tuple[Any, Any, Any]:
    found = listener(asked, started(privileges), bind_context)
    assert found is not None
    return found.can_bind, found.error, found.confidence


@pytest.mark.parametrize(("address", "asked", "settings", "error"), ROWS)
def test_the_kernel_takes_an_address_or_says_why_not(
    address: str, asked: dict[str, Any], settings: dict[str, str], error: str | None
) -> None:
    assert (error is None, error) == answer(endpoint(address, **asked), context(settings))[:2]


@pytest.mark.parametrize(
    ("address", "privileges", "error"),
    [
        ("10.99.0.5", NOBODY, "EADDRNOTAVAIL"),  # measured: IPv4 looks for the address first
        ("2001:db8::1", NOBODY, "EACCES"),  # and IPv6 for the capability
        ("::ffff:10.99.0.5", NOBODY, "EACCES"),
        ("10.5.0.1", NOBODY, "EACCES"),
        ("10.99.0.5", Privileges(fails="217/USER"), "217/USER"),
        ("10.99.0.5", Privileges(denied_call="EPERM"), "EPERM"),
    ],
)
def test_of_two_errors_the_first_is_said(address: str, privileges: Privileges, error: str) -> None:
    assert (False, error) == answer(endpoint(address, 80, v6only=False if ":" in address else None), context(), privileges)[:2]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.99.0.5", (True, None, "likely")),
        ("2001:db8::1", (True, None, "likely")),
        ("127.0.0.1", (True, None, "certain")),
        ("::1", (True, None, "certain")),
        ("*", (True, None, "certain")),
    ],
)
def test_where_nobody_listed_addresses_nothing_is_missing_and_less_is_sure(address: str, expected: tuple[Any, Any, Any]) -> None:
    assert expected == answer(endpoint(address), context(addresses=None))


def test_what_is_refused_whoever_has_the_address_is_sure_without_a_list() -> None:
    assert (False, "EINVAL", "certain") == answer(endpoint("fe80::77"), context(addresses=None))


def test_an_ipv4_address_within_ipv6_is_written_with_dots() -> None:
    found = listener(endpoint("::ffff:a05:1", v6only=False), started(), context())

    assert found is not None
    assert "::ffff:10.5.0.1" == found.address


def test_a_name_that_no_file_resolves_is_possible_at_most() -> None:
    assert (True, None, "possible") == answer(endpoint("db.example.net"), context())


def test_a_list_without_the_loopback_interface_says_nothing_of_it() -> None:
    only = context(addresses=LISTED[4:5])

    assert (True, None, "certain") == answer(endpoint("127.0.0.1"), only)
    assert (True, None, "certain") == answer(endpoint("::1"), only)
    assert (False, "EADDRNOTAVAIL", "certain") == answer(endpoint("10.0.0.1"), only)


def test_an_address_that_network_configuration_names_may_come() -> None:
    floating = context(configured=lambda address: address == "10.99.0.5")

    assert (None, None, "certain") == answer(endpoint("10.99.0.5"), floating)
    assert (False, "EACCES", "certain") == answer(endpoint("10.99.0.5", 80), floating, NOBODY)


# (kernel settings, address, what bind() answers where nobody listed addresses)
DISABLED: list[tuple[dict[str, str], str, str | None]] = [
    ({SIX: "1"}, "::", None),
    ({SIX: "1"}, "::1", "EADDRNOTAVAIL"),
    ({SIX: "1"}, "2001:db8:5::1", "EADDRNOTAVAIL"),
    ({SIX: "1"}, "::ffff:10.5.0.1", None),
    ({"net.ipv6.conf.lo.disable_ipv6": "1"}, "::1", "EADDRNOTAVAIL"),
    ({"net.ipv6.conf.lo.disable_ipv6": "1"}, "2001:db8:5::1", None),
    ({"net.ipv6.conf.default.disable_ipv6": "1"}, "::1", None),
    ({SIX: "1", "net.ipv6.conf.lo.disable_ipv6": "0"}, "::1", None),
    ({SIX: "1", "net.ipv6.conf.lo.disable_ipv6": "0"}, "2001:db8:5::1", "EADDRNOTAVAIL"),
    ({SIX: "1", "net.ipv6.ip_nonlocal_bind": "1"}, "::1", None),
]


@pytest.mark.parametrize(("settings", "address", "error"), DISABLED)
def test_disabled_ipv6_takes_addresses_away_and_no_wildcard(settings: dict[str, str], address: str, error: str | None) -> None:
    assert (error is None, error) == answer(endpoint(address, v6only=False), context(settings, addresses=None))[:2]


def test_an_interface_with_ipv6_of_its_own_may_have_any_address() -> None:
    settings = {SIX: "1", "net.ipv6.conf.eth0.disable_ipv6": "0"}

    assert (True, None) == answer(endpoint("2001:db8:5::1"), context(settings, addresses=None))[:2]


@pytest.mark.parametrize(
    ("asked", "expected", "address"),
    [
        (endpoint("*"), (True, None, "likely"), "0.0.0.0"),  # noqa: S104
        (endpoint("*", ipv4_fallback=True), (True, None, "certain"), "0.0.0.0"),  # noqa: S104
        (endpoint("::", v6only=True), (False, "EAFNOSUPPORT", "certain"), "::"),
        (endpoint("::1"), (False, "EAFNOSUPPORT", "certain"), "::1"),
        (endpoint("10.5.0.1"), (True, None, "certain"), "10.5.0.1"),
    ],
)
def test_a_kernel_without_ipv6_has_no_such_sockets(asked: Endpoint, expected: tuple[Any, Any, Any], address: str) -> None:
    found = listener(asked, started(), context(no_ipv6=CMDLINE))

    assert found is not None
    assert (address, *expected) == (found.address, found.can_bind, found.error, found.confidence)
    assert (CMDLINE if found.can_bind is False else None) == found.because_at


@pytest.mark.parametrize("bind_context", [context(), context(no_ipv6=CMDLINE)])
def test_an_optional_address_that_is_not_there_is_no_listener(bind_context: BindContext) -> None:
    assert None is listener(endpoint("2001:db8::1", optional=True), started(), bind_context)
    assert None is not listener(endpoint("10.5.0.1", optional=True), started(), bind_context)


@pytest.mark.parametrize(
    ("why", "address", "expected"),
    [
        ("PrivateNetwork=yes", "127.0.0.1", (True, None, "certain")),
        ("PrivateNetwork=yes", "::1", (True, None, "certain")),
        ("PrivateNetwork=yes", "10.5.0.1", (False, "EADDRNOTAVAIL", "likely")),
        ("PrivateNetwork=yes", "2001:db8:5::1", (False, "EADDRNOTAVAIL", "likely")),
        ("NetworkNamespacePath=/run/netns/blue", "10.99.0.5", (True, None, "certain")),
    ],
)
def test_a_network_of_its_own_has_the_loopback_interface_alone(why: str, address: str, expected: tuple[Any, Any, Any]) -> None:
    privileges = Privileges(private_network=True, because=((why, at()),))

    assert expected == answer(endpoint(address), context(), privileges)


def test_a_network_of_its_own_has_the_kernels_own_bindv6only() -> None:
    own = listener(endpoint("::"), started(Privileges(private_network=True)), context({"net.ipv6.bindv6only": "1"}))
    hosts = listener(endpoint("::"), started(), context({"net.ipv6.bindv6only": "1"}))

    assert own is not None
    assert hosts is not None
    assert (("*", False), ("::", True)) == ((own.address, own.v6only), (hosts.address, hosts.v6only))


def test_pid_1_meets_the_same_answers() -> None:
    unit = Unit("app.socket", at(), (), (), starts="boot")
    found = [socket_listener(endpoint(a), unit, "app.service", context()) for a in ("10.5.0.1", "10.99.0.5", "fe80::77")]

    assert [(True, None), (False, "EADDRNOTAVAIL"), (False, "EINVAL")] == [(each.can_bind, each.error) for each in found]
