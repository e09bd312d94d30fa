"""What sshd binds: Port times ListenAddress. Every table row was tried with OpenSSH 9.2p1 in a network namespace."""

import pytest

from portwright.daemons.sshd import reader as sshd
from portwright.facts import Endpoint
from portwright.facts.listen_line import ListenLine
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

CONFIG = "/etc/ssh/sshd_config"
HOSTS = {"/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n", "/etc/services": "ssh 22/tcp\nhttp 80/tcp www\n"}


@pytest.mark.parametrize(
    ("config", "arguments", "expected"),
    [
        ("", "", ["tcp 0.0.0.0 22", "tcp :: 22 v6only"]),
        ("Port 22\nPort 50022", "", ["tcp 0.0.0.0 22", "tcp 0.0.0.0 50022", "tcp :: 22 v6only", "tcp :: 50022 v6only"]),
        ("Port 22\nListenAddress 127.0.0.1\nPort 23", "", ["tcp 127.0.0.1 22", "tcp 127.0.0.1 23"]),
        ("Port 2201\nListenAddress 127.0.0.1:3333\nListenAddress ::1", "", ["tcp 127.0.0.1 3333", "tcp ::1 2201"]),
        ("ListenAddress [::1]:3333\nListenAddress ::\nListenAddress 0.0.0.0", "", ["tcp 0.0.0.0 22", "tcp :: 22 v6only", "tcp ::1 3333"]),
        ("ListenAddress [::1]", "", ["tcp ::1 22"]),
        ("ListenAddress localhost:44", "", ["tcp 127.0.0.1 44", "tcp ::1 44"]),
        ("ListenAddress *:44", "", ["tcp 127.0.0.1 44", "tcp ::1 44"]),
        ("AddressFamily inet", "", ["tcp 0.0.0.0 22"]),
        ("AddressFamily inet6\nAddressFamily inet", "", ["tcp :: 22 v6only"]),
        ("", " -4", ["tcp 0.0.0.0 22"]),
        ("Port http", "", ["tcp 0.0.0.0 80", "tcp :: 80 v6only"]),
        ("port 08022", "", ["tcp 0.0.0.0 8022", "tcp :: 8022 v6only"]),
        ("Port 2201", " -p 4444 -p4445 -4", ["tcp 0.0.0.0 4444", "tcp 0.0.0.0 4445"]),
        ("Port 1\nListenAddress 127.0.0.1\nListenAddress 127.0.0.1:77", " -Dp 4444", ["tcp 127.0.0.1 4444", "tcp 127.0.0.1 77"]),
        ("Port 2201\nAddressFamily inet", " -o Port=4444", ["tcp 0.0.0.0 2201", "tcp 0.0.0.0 4444"]),
        ("ListenAddress ::1", " -o ListenAddress=127.0.0.1:88", ["tcp 127.0.0.1 88", "tcp ::1 22"]),
        ("Match all\nPort 2202\nAddressFamily inet", "", ["tcp 0.0.0.0 2202"]),
        ("Port 1\nMatch User x\nX11Forwarding no\nMatch all\nPort 2\nAddressFamily inet", "", ["tcp 0.0.0.0 1", "tcp 0.0.0.0 2"]),
        ("Port 22", " -i", []),
        ("Port 22", " -t", []),
    ],
)
def test_sshd_binds(config: str, arguments: str, expected: list[str]) -> None:
    files = host_of({CONFIG: config, **HOSTS})

    assert expected == brief(sshd.read(invocation("/usr/sbin/sshd" + arguments), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("Port 0", "sshd does not start: not a port"),
        ("Port 22O1", "sshd does not start: not a port"),
        ("Port 2201#x", "sshd does not start: not a port"),
        ("Port 2201 2202", "sshd does not start: Port takes one port"),
        ("Port", "sshd does not start: Port has no value"),
        ('Port "22', "sshd does not start: a quote is not closed"),
        ("ListenAddress 127.0.0.1:0", "sshd does not start: not a port"),
        ("Match User x\nPort 22", "sshd does not start: Port is not allowed in a Match block"),
        ("AddressFamily ipv4", "sshd does not start: AddressFamily takes any, inet or inet6"),
    ],
)
def test_what_sshd_refuses_is_told_and_nothing_is_bound(config: str, reason: str) -> None:
    files = host_of({CONFIG: config})

    assert () == sshd.read(invocation("/usr/sbin/sshd -D"), files, {})
    assert [reason] == [trouble.reason for trouble in files.unreadable]


def test_the_line_that_names_the_port_is_the_place_and_a_default_has_the_command() -> None:
    files = host_of({CONFIG: "ListenAddress 127.0.0.1\nPort 2201\nListenAddress [::1]:3333\n"})
    places = {endpoint.at for endpoint in sshd.read(invocation("/usr/sbin/sshd"), files, {})}
    default = sshd.read(invocation("/usr/sbin/sshd -D"), host_of({CONFIG: ""}), {})

    assert {Span(CONFIG, 2, 6, 2, 10), Span(CONFIG, 3, 15, 3, 25)} == places
    assert {Span("/etc/systemd/system/app.service", 7, 11, 7, 28)} == {endpoint.at for endpoint in default}


def test_every_socket_of_sshd_may_be_bound_again_at_once() -> None:
    said = sshd.read(invocation("/usr/sbin/sshd"), host_of({CONFIG: ""}), {})

    assert [True, True] == [getattr(endpoint, "reuse_address", None) for endpoint in said]


def test_includes_are_read_where_they_stand_and_a_match_block_ends_with_its_file() -> None:
    files = host_of(
        {
            CONFIG: "Include sshd_config.d/*.conf\nPort 1\nAddressFamily inet\n",
            "/etc/ssh/sshd_config.d/a.conf": "Port 2\nMatch User x\nX11Forwarding no\n",
            "/etc/ssh/sshd_config.d/b.conf": "Port 3\n",
            "/etc/ssh/sshd_config.d/.hidden.conf": "Port 4\n",
            "/etc/ssh/sshd_config.d/c": "Port 5\n",
        }
    )

    assert ["tcp 0.0.0.0 1", "tcp 0.0.0.0 2", "tcp 0.0.0.0 3"] == brief(sshd.read(invocation("/usr/sbin/sshd"), files, {}))
    assert () == files.unreadable


def test_a_config_that_includes_itself_is_read_once_and_told() -> None:
    files = host_of({CONFIG: "Include /etc/ssh/*_config\nPort 1\nAddressFamily inet\n"})

    assert ["tcp 0.0.0.0 1"] == brief(sshd.read(invocation("/usr/sbin/sshd"), files, {}))
    assert [f"a file includes itself: {CONFIG} includes {CONFIG}"] == [trouble.reason for trouble in files.unreadable]


def test_sshd_binds_nothing_where_systemd_hands_it_the_socket() -> None:
    files = host_of({CONFIG: "Port 22\n"})

    (overruled,) = sshd.read(invocation("/usr/sbin/sshd -D", sockets=("ssh.socket",)), files, {})
    assert isinstance(overruled, ListenLine)
    assert ("overruled", "Port 22", f"{CONFIG}:1:6") == (overruled.outcome, overruled.says, str(overruled.at))


def test_another_config_is_found_from_the_working_directory() -> None:
    files = host_of({"/srv/sshd": "Port 7\nAddressFamily inet\n"})

    assert ["tcp 0.0.0.0 7"] == brief(sshd.read(invocation("/usr/sbin/sshd -Df sshd", directory="/srv"), files, {}))


@pytest.mark.parametrize(("own", "expected"), [({}, 2022), ({CONFIG: "Port 2023\n"}, 2023)])
def test_the_vendors_config_below_usr_is_read_where_etc_has_none(own: dict[str, str], expected: int) -> None:
    vendor = {"/usr/etc/ssh/sshd_config": "AddressFamily inet\nInclude sshd_config.d/*.conf\n"}
    files = host_of({**vendor, "/etc/ssh/sshd_config.d/a.conf": "Port 2022\n", **own})

    assert f"tcp 0.0.0.0 {expected}" == brief(sshd.read(invocation("/usr/sbin/sshd"), files, {}))[0]
    assert () == files.unreadable


def test_a_missing_config_is_told_and_the_default_is_a_guess() -> None:
    files = host_of({})
    said = sshd.read(invocation("/usr/sbin/sshd"), files, {})

    assert {"possible"} == {getattr(endpoint, "confidence", None) for endpoint in said}
    assert [f"sshd reads {CONFIG}, which is not there"] == [trouble.reason for trouble in files.unreadable]


def test_a_fragment_says_what_it_names_and_nothing_else() -> None:
    files = host_of({"/deploy/sshd_config": "Port 2222\nAddressFamily inet\n", "/deploy/hardening.conf": "PermitRootLogin no\n"})

    assert ["tcp 0.0.0.0 2222"] == brief(sshd.read_fragment("/deploy/sshd_config", files, {}))
    assert () == sshd.read_fragment("/deploy/hardening.conf", files, {})


def test_a_thousand_addresses_times_two_hundred_ports_stay_bounded() -> None:
    ports = "".join(f"Port {port}\n" for port in range(1, 201))
    config = ports + "".join(f"ListenAddress 10.0.{n // 250}.{n % 250}\n" for n in range(1000))
    files = host_of({CONFIG: config})

    assert 10_300 > len(sshd.read(invocation("/usr/sbin/sshd"), files, {}))
    assert ["more than 10000 sockets: the rest is left out"] == [trouble.reason for trouble in files.unreadable]


@pytest.mark.parametrize(("version", "ends"), [("1:9.2p1-2+deb12u7", True), ("1:10.0p1-7", False), (None, False)])
def test_a_subsystem_that_is_defined_twice_ends_an_older_sshd(version: str | None, ends: bool) -> None:
    """Measured: 9.2p1 says "Subsystem 'sftp' already defined" and exits with 255, 10.0p2 takes the first."""
    files = host_of({CONFIG: "Port 2022\nSubsystem sftp internal-sftp\nSubsystem sftp /usr/lib/openssh/sftp-server\n"})

    found = sshd.read(invocation("/usr/sbin/sshd -D"), files, {} if version is None else {"openssh-server": version})

    assert found
    assert {ends} == {isinstance(each, Endpoint) and each.closed_by != "" for each in found}
    assert {3 if ends else None} == {each.closed_at and each.closed_at.line for each in found if isinstance(each, Endpoint)}
