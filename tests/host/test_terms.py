"""Named values: what each works out, and what is unknown."""

from typing import Any

import pytest

from portwright.facts import Backlog, Confidence, Listener, Privileges, Setting, Sysctl, Unit, kinds
from portwright.host import Host
from portwright.host.language.vocabulary import host_names, names
from portwright.host.terms import assignment as assignment_terms
from portwright.host.terms import likelihood, power, queue
from portwright.host.terms import listener as listener_terms
from portwright.host.terms import outbound as outbound_terms
from portwright.host.terms import sysctl as sysctl_terms
from portwright.host.terms import unit as unit_terms
from portwright.host.terms.registry import Kind
from portwright.ports import PortSet
from portwright.source import Span
from portwright.system.systemd.capability_settings import merged
from tests.rules.facts import RANGE, RESERVED, UNPRIVILEGED, assignment, at, host, listener, outbound, sysctl

BIND = "CAP_NET_BIND_SERVICE"

# (name, settings, value)
OF_HOST: list[tuple[str, dict[str, str], Any]] = [
    ("ephemeral-ports", {}, PortSet.of((32768, 60999))),
    ("ephemeral-ports", {RANGE: "1024 65535"}, PortSet.of((1024, 65535))),
    ("ephemeral-ports", {RANGE: "what"}, None),
    ("ephemeral-ports", {RANGE: "5 4"}, None),
    ("reserved-ports", {}, PortSet()),
    ("reserved-ports", {RESERVED: "8080,9000-9010"}, PortSet.of(8080, (9000, 9010))),
    ("lendable-ports", {RANGE: "100 110", RESERVED: "90,105"}, PortSet.of((100, 104), (106, 110))),
    ("usable-ports", {}, 28232),
    ("usable-ports", {RANGE: "100 110", RESERVED: "90,105"}, 10),
    ("usable-ports", {RESERVED: "0-65535"}, 0),
    ("reserved-share", {}, 0),
    ("reserved-share", {RANGE: "100 109", RESERVED: "100-106,5"}, 70),
    ("connections-per-second", {}, 470),
    ("unprivileged-start", {UNPRIVILEGED: "80"}, 80),
    ("low-ports", {}, PortSet.of((1, 1023))),
    ("low-ports", {UNPRIVILEGED: "0"}, PortSet()),
    ("low-ports", {UNPRIVILEGED: "1"}, PortSet()),
    ("widened-range", {RANGE: "60000 61000"}, "32768 61000"),
    ("widened-range", {RANGE: "20000 30000"}, "20000 60999"),
    ("widened-range", {RANGE: "32768 60999"}, None),
    ("widened-range", {RANGE: "1024 65535"}, None),
]


@pytest.mark.parametrize(("name", "settings", "expected"), OF_HOST)
def test_a_value_of_the_host(name: str, settings: dict[str, str], expected: Any) -> None:
    word = host_names()[name]
    assert word.compute is not None
    assert expected == word.compute(host(settings=settings)).value


# (protocol, address, ports, range, likelihood): connect() takes the parity of the low end first
LIKELIHOODS = [
    ("tcp", "*", 40000, "32768 60999", "high"),
    ("tcp", "*", 40001, "32768 60999", "low"),
    ("tcp", "*", 40001, "32769 60999", "high"),
    ("tcp", "10.0.0.1", 40000, "32768 60999", "high"),
    ("tcp", "127.0.0.1", 40000, "32768 60999", "medium"),
    ("tcp", "127.0.0.2", 40001, "32768 60999", "low"),
    ("tcp", "::1", 40000, "32768 60999", "medium"),
    ("tcp", "*", (40001, 40002), "32768 60999", "high"),
    ("udp", "*", 40000, "32768 60999", "medium"),
    ("udp", "*", 40001, "32768 60999", "medium"),
    ("udp", "127.0.0.1", 40001, "32768 60999", "low"),
    ("tcp", "*", 8080, "32768 60999", None),
    ("tcp", "*", (32760, 32768), "32768 60999", "high"),
]


@pytest.mark.parametrize(("protocol", "address", "ports", "range_", "expected"), LIKELIHOODS)
def test_how_often_a_port_is_taken_follows_parity_protocol_and_reach(
    protocol: str, address: str, ports: Any, range_: str, expected: str | None
) -> None:
    found = likelihood.collision_likelihood(host(settings={RANGE: range_}), listener(ports, protocol=protocol, address=address))

    assert expected == found.value


EVEN = "connect() assigns even ports like 40000 first"

# (what listens, Restart= of its unit, why it bites that often)
REASONS: list[tuple[dict[str, Any], str | None, str]] = [
    ({}, None, f"any outgoing connection may be using it, and {EVEN}; it must be free at each start"),
    ({"address": "127.0.0.1"}, None, f"only a connection over loopback may be using it, and {EVEN}; it must be free at each start"),
    ({"address": "10.0.0.1"}, None, f"an outgoing connection from 10.0.0.1 may be using it, and {EVEN}; it must be free at each start"),
    (
        {"ports": 40001},
        None,
        "connect() assigns odd ports like 40001 only when half of the range is in use; it must be free at each start",
    ),
    (
        {"ports": (40000, 40009)},
        None,
        "any outgoing connection may be using one of them, and connect() assigns the even ones first; "
        "it must be free at each start",
    ),
    (
        {"protocol": "udp"},
        None,
        "the kernel picks UDP ports at random, and uses it only while a socket is open; it must be free at each start",
    ),
    (
        {},
        "always",
        f"any outgoing connection may be using it, and {EVEN}; "
        "it must be free at each start, and systemd restarts app.service automatically (Restart=always)",
    ),
    (
        {},
        "on-abort",
        f"any outgoing connection may be using it, and {EVEN}; it must be free at each start",
    ),
    (
        {"starts": "demand"},
        "always",
        f"any outgoing connection may be using it, and {EVEN}; each use binds a port again",
    ),
]


@pytest.mark.parametrize(("listens", "restart", "reason"), REASONS)
def test_why_a_port_is_taken_that_often_is_said(listens: dict[str, Any], restart: str | None, reason: str) -> None:
    settings = () if restart is None else (Setting(at(), at(), "Service", "Restart", restart),)
    unit = Unit("app.service", at(), ("/etc/systemd/system/app.service",), settings)

    assert reason == likelihood.collision_likelihood(host(units=(unit,)), listener(**{"ports": 40000, **listens})).because


def test_a_socket_unit_binds_before_anything_connects() -> None:
    unit = Unit("app.socket", at(), ("/etc/systemd/system/app.socket",), ())

    found = likelihood.collision_likelihood(host(units=(unit,)), listener(40000, unit="app.socket"))

    assert "low" == found.value
    assert found.because.endswith("systemd binds it at boot, before services connect anywhere, and keeps it while the service restarts")


def test_what_the_kernel_picks_has_no_likelihood() -> None:
    assert None is likelihood.collision_likelihood(host(), listener(40000, random=True)).value


SERVICE = Unit("app.service", at(), ("/etc/systemd/system/app.service",), (), names=("app.service",))


def root(app: str, *ports: int, sure: Confidence = "certain", **powers: Any) -> Any:
    """Whether root is needed for one low port only, and how sure that is."""
    listeners = [listener(port, app=app, at=at(port), bind_user="root", confidence=sure) for port in ports]
    privileged = Privileges(**{"because": (("no User= is set", at(3)),), **powers})
    found = power.needs_only_low_port(host(*listeners, units=(SERVICE,), privileges={"app.service": privileged}), listeners[0])
    return found.confidence if found.value else None


def test_root_for_one_low_port_is_likely_for_interpreters_and_possible_for_the_unknown() -> None:
    assert "likely" == root("python", 80)
    assert "likely" == root("python3.11", 80)
    assert "likely" == root("socat", 80, 8080)
    assert "possible" == root("our-server", 80, sure="possible")


def test_a_daemon_whose_configuration_was_understood_may_need_root_for_more() -> None:
    assert None is root("our-server", 80)


@pytest.mark.parametrize("app", ["nginx", "haproxy", "apache2", "sshd", "dnsmasq", "master"])
def test_daemons_that_are_root_by_design_need_more_than_a_port(app: str) -> None:
    assert None is root(app, 80)


@pytest.mark.parametrize(
    ("ports", "powers"),
    [
        ((8080,), {}),
        ((80, 443), {}),
        ((80,), {"uid0": False, "user": "app"}),
        ((80,), {"bounding": frozenset({BIND})}),
        ((80,), {"bounding": frozenset()}),
        ((80,), {"noroot": True}),
        ((80,), {"private_users": True}),
    ],
)
def test_root_is_left_alone_where_it_is_needed_or_not_had(ports: tuple[int, ...], powers: dict[str, Any]) -> None:
    assert None is root("python", *ports, **powers)


def test_a_relay_that_keeps_more_than_the_port_needs_is_meant() -> None:
    assert "likely" == root("socat", 443, bounding=frozenset({BIND, "CAP_SYS_ADMIN"}))


# (powers, whether the capability would help)
GRANTS = [
    ({"user": "app", "uid0": False}, True),
    ({"user": "app", "uid0": False, "bounding": frozenset()}, True),
    ({"uid0": True, "bounding": frozenset()}, True),
    ({"uid0": True}, False),
    ({"uid0": True, "bounding": frozenset({BIND})}, False),
    ({"user": "app", "uid0": False, "private_users": True}, False),
    ({"user": "app", "uid0": False, "file_permitted": frozenset({BIND})}, False),
    ({"user": "app", "uid0": False, "file_inheritable": frozenset({BIND})}, False),
    ({"user": "app", "uid0": False, "fails": "217/USER"}, False),
]


@pytest.mark.parametrize(("powers", "helps"), GRANTS)
def test_a_capability_is_granted_only_where_it_helps(powers: dict[str, Any], helps: bool) -> None:
    asked = host(units=(SERVICE,), privileges={"app.service": Privileges(**powers)})

    assert ("app.service" if helps else None) == power.grantable_unit(asked, listener(80)).value


def test_a_needless_capability_is_one_given_by_name_to_a_unit_with_high_ports_only() -> None:
    line = Setting(at(5), at(5), "Service", "AmbientCapabilities", BIND)
    unit = Unit("app.service", at(), ("/etc/app.conf",), (line,), names=("app.service",))
    powers = {"app.service": Privileges(user="app", uid0=False, ambient=frozenset({BIND}))}

    assert unit_terms.needless_bind_capability(host(listener(8080), units=(unit,), privileges=powers), unit).value
    assert not unit_terms.needless_bind_capability(host(listener(80), units=(unit,), privileges=powers), unit).value
    assert not unit_terms.needless_bind_capability(host(units=(unit,), privileges=powers), unit).value
    assert not unit_terms.needless_bind_capability(host(listener(8080), listener(80), units=(unit,), privileges=powers), unit).value
    assert not unit_terms.needless_bind_capability(host(listener(8080), units=(unit,)), unit).value


def test_in_a_repository_everything_counts_as_deployed() -> None:
    nobody_says = listener(starts=None)

    assert listener_terms.listener_deployed(host(), listener()).value
    assert not listener_terms.listener_deployed(host(), nobody_says).value
    assert listener_terms.listener_deployed(host(repository=True), nobody_says).value
    assert not listener_terms.listener_deployed(host(repository=True), listener(starts="demand")).value
    assert outbound_terms.outbound_deployed(host(), outbound()).value
    assert not outbound_terms.outbound_deployed(host(), outbound(starts="manual")).value


def test_ports_are_lost_only_from_a_list_of_reserved_ports() -> None:
    asked = host(settings={RESERVED: "50000"})

    assert PortSet.of(40000) == assignment_terms.lost_ports(asked, assignment(RESERVED, "40000,50000", "overridden")).value
    assert None is assignment_terms.lost_ports(asked, assignment(RANGE, "40000 50000", "overridden")).value
    assert None is assignment_terms.lost_ports(asked, assignment(RESERVED, "40000, 50000", "rejected")).value


@pytest.mark.parametrize(
    ("key", "path", "expected"),
    [
        ("net.ipv4/ip_local_reserved_ports", "/etc/sysctl.d/50.conf", True),
        ("Net.IPv4.IP_Local_Port_Range", "/etc/sysctl.d/50.conf", True),
        ("net.ipv6.ip_local_port_range", "/etc/sysctl.d/50.conf", True),
        ("net.ipv4.ip_local_port_range", "/etc/sysctl.d/50-ports", True),
        ("net.ipv4.ip_local_port_range", "/etc/sysctl.d/50.conf", False),
        ("net.ipv4.ip_local_port_range", "/etc/sysctl.d/50.conf.bak", False),
        ("net.ipv4/tcp_rmem", "/etc/sysctl.d/50.conf", False),
        ("kernel.sysrq", "/etc/sysctl.d/50-sysrq", False),
    ],
)
def test_a_line_about_ports_that_misses_is_known_from_its_key_or_its_file(key: str, path: str, expected: bool) -> None:
    assert expected == assignment_terms.misses_port_setting(host(), assignment(key, "1", "ignored", path=path)).value


def test_a_setting_has_drifted_where_the_running_value_is_known_and_another() -> None:
    assert sysctl_terms.drifted(host(), sysctl(RANGE, "1 2", running="3 4")).value
    assert not sysctl_terms.drifted(host(), sysctl(RANGE, "1 2", running="1 2")).value
    assert not sysctl_terms.drifted(host(), sysctl(RANGE, "1 2")).value


def test_a_service_is_named_as_an_operator_would() -> None:
    assert "nginx" == listener_terms.who(host(), listener(app="nginx", unit="nginx.service")).value
    assert "python (web.service)" == listener_terms.who(host(), listener(app="python", unit="web.service")).value
    assert "nginx" == listener_terms.who(host(), listener(app="nginx", unit=None)).value
    assert "tcp [::1]:80" == listener_terms.socket(host(), listener(80, address="::1")).value


@pytest.mark.parametrize("kind", kinds())
def test_every_word_of_a_rule_has_a_meaning(kind: Kind) -> None:
    assert [] == [name for name, word in names(kind).items() if not word.meaning]


@pytest.mark.parametrize("kind", kinds())
def test_no_named_value_hides_a_field(kind: Kind) -> None:
    assert [] == [name for name, word in names(kind).items() if word.compute is not None and hasattr(kinds()[kind].fact, name)]


def unit_with(*lines: tuple[str, str], name: str = "app.service") -> Unit:
    settings = tuple(Setting(at(n), at(n), "Service", key, value) for n, (key, value) in enumerate(lines, 2))
    return Unit(name, at(), ("/etc/systemd/system/app.service",), settings, names=(name,))


# (lines, bounding set, how many capabilities are held because of a `~`)
INVERTED = [
    (["~CAP_SYS_ADMIN"], None, 40),
    (["~CAP_SYS_ADMIN"], {BIND}, 1),
    (["CAP_CHOWN", "~CAP_SYS_ADMIN"], None, None),
    ([BIND], None, None),
    ([], None, None),
]


@pytest.mark.parametrize(("lines", "bounding", "expected"), INVERTED)
def test_capabilities_are_inverted_by_a_first_line_with_a_tilde(lines: list[str], bounding: set[str] | None, expected: int | None) -> None:
    unit = unit_with(*(("AmbientCapabilities", line) for line in lines))
    privileges = Privileges(
        user="app",
        uid0=False,
        ambient=merged(unit.settings, "AmbientCapabilities", frozenset()),
        bounding=None if bounding is None else frozenset(bounding),
    )
    found = unit_terms.inverted_capabilities(host(units=(unit,), privileges={unit.name: privileges}), unit).value

    assert expected == (None if found is None else len(found))


def test_root_holds_every_capability_whatever_is_inverted() -> None:
    unit = unit_with(("AmbientCapabilities", "~CAP_CHOWN"))

    assert None is unit_terms.inverted_capabilities(host(units=(unit,), privileges={unit.name: Privileges()}), unit).value


def test_children_are_stopped_with_the_service_unless_its_unit_says_otherwise() -> None:
    silent, says = unit_with(), unit_with(("KillMode", "process"))

    assert "control-group" == listener_terms.kill_mode(host(units=(silent,)), listener()).value
    assert "process" == listener_terms.kill_mode(host(units=(says,)), listener()).value
    assert None is listener_terms.kill_mode(host(), listener()).value
    assert None is listener_terms.kill_mode(host(units=(unit_with(name="app.socket"),)), listener(unit="app.socket")).value


@pytest.mark.parametrize(
    ("range_", "expected"),
    [("20000 60000", True), ("20001 60001", True), ("20000 60001", False), ("32768 60999", False), ("60000 60000", False), ("what", None)],
)
def test_the_ends_of_the_range_may_share_their_parity(range_: str, expected: bool | None) -> None:
    assert expected == sysctl_terms.one_parity(host(), sysctl(RANGE, range_)).value


def test_only_the_range_has_a_parity() -> None:
    assert None is sysctl_terms.one_parity(host(), sysctl("net.ipv4.tcp_rmem", "4096 8192")).value


# (command, whether it kills what has a port)
KILLS = [
    ("/usr/bin/fuser -k 8080/tcp", True),
    ("/usr/bin/fuser -TERM -sk 8080/udp", True),
    ("/usr/bin/fuser --kill -n tcp 8080", True),
    ("/bin/sh -c 'fuser -k $PORT/tcp'", True),
    ("/usr/bin/fuser -v 8080/tcp", False),
    ("/usr/bin/fuser -KILL 8080/tcp", False),
    ("/usr/bin/fuser -k /run/lock", False),
    ("/bin/sh -c 'lsof -ti:8080 | xargs -r kill'", True),
    ("/bin/sh -c 'kill -9 $(lsof -t -i :8080) || true'", True),
    ("/bin/sh -c 'kill `lsof -ti tcp:8080`'", True),
    ("/bin/sh -c 'lsof -ti:8080 -sTCP:LISTEN | xargs kill'", False),
    ("/bin/sh -c 'lsof -t /run/lock | xargs kill'", False),
    ("/bin/sh -c 'lsof -ti:8080'", False),
    ("/bin/kill $MAINPID", False),
]


@pytest.mark.parametrize(("command", "kills"), KILLS)
def test_what_has_a_port_is_killed_by_fuser_with_k_and_by_kill_of_what_lsof_lists(command: str, kills: bool) -> None:
    assert kills == bool(unit_terms.port_kills(host(), unit_with(("ExecStartPre", command))).value)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"/sbin/sysctl -w {RESERVED}=8080", (RESERVED,)),
        ("/sbin/sysctl -q net/ipv4/tcp_tw_reuse=1", ("net.ipv4.tcp_tw_reuse",)),
        (f"/bin/sh -c 'sysctl -w {RANGE}=\"1024 65535\" && true'", (RANGE,)),
        (f"/sbin/sysctl {RESERVED}", ()),
        ("/sbin/sysctl -w net.ipv4.ip_forward=1", ()),
        (f"/bin/echo sysctl {RESERVED}=8080", ()),
    ],
)
def test_settings_about_ports_are_written_by_sysctl_with_a_value(command: str, expected: tuple[str, ...]) -> None:
    assert expected == unit_terms.port_settings_written(host(), unit_with(("ExecStartPre", command))).value


@pytest.mark.parametrize(
    ("repository", "is_default", "expected"),
    [(False, True, "certain"), (False, False, "certain"), (True, True, "possible"), (True, False, "certain")],
)
def test_a_limit_that_no_file_of_a_repository_sets_may_be_set_elsewhere(repository: bool, is_default: bool, expected: Confidence) -> None:
    place = Span("/etc/sysctl.d/a.conf", 1, 1, 1, 2)
    somaxconn = Sysctl(place, "net.core.somaxconn", "4096", "4096", place, is_default=is_default)
    opened = Listener(place, "nginx", None, "tcp", "*", PortSet.of(80), "directive", backlog=Backlog(8192, place))

    found = queue.queue_limit(Host("h", repository=repository, sysctls=(somaxconn,), listeners=(opened,)), opened)

    assert (4096, expected) == (found.value, found.confidence)
