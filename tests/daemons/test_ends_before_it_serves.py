"""Daemons that end before they serve anything, or that systemd takes for ended, for what their settings say or for a missing file."""

import pytest

from portwright.daemons import daemon_of
from portwright.facts import Endpoint
from portwright.host.reading import read_host
from portwright.trees.memory import MemoryTree
from tests.daemons.by_hand import host_of, invocation


def why_closed(command: str, tree: dict[str, str], packages: dict[str, str]) -> set[str]:
    started = invocation(command)
    known = daemon_of(started)
    assert known is not None
    found = [each for each in known.read(started, host_of(tree), packages) if isinstance(each, Endpoint)]
    assert found
    return {each.closed_by for each in found}


@pytest.mark.parametrize(
    ("config", "passwords", "expected"),
    [
        ("listener 1883\npassword_file /etc/mosquitto/passwd\n", {}, "its password file /etc/mosquitto/passwd is not there"),
        ("password_file /etc/mosquitto/passwd\nlistener 1883\n", {}, "its password file /etc/mosquitto/passwd is not there"),
        ("listener 1883\npassword_file /etc/mosquitto/passwd\n", {"/etc/mosquitto/passwd": "u:x\n"}, ""),
        ("listener 1883\n", {}, ""),
    ],
)
def test_mosquitto_ends_without_its_password_file(config: str, passwords: dict[str, str], expected: str) -> None:
    tree = {"/etc/mosquitto/mosquitto.conf": config, **passwords}

    assert {expected} == why_closed("/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf", tree, {"mosquitto": "2.0.21-1"})


@pytest.mark.parametrize(
    ("more", "version", "ends"),
    [
        ("", "2.6.14-1+deb13u3", True),
        ("", "2.7.0-1", False),
        ("ignore-unknown-option allow-deprecated-insecure-static-crypto\n", "2.6.14-1", False),
    ],
)
def test_openvpn_ends_where_it_does_not_know_an_option(more: str, version: str, ends: bool) -> None:
    config = f"{more}port 1195\nproto udp\nsecret k\nallow-deprecated-insecure-static-crypto\n"
    found = why_closed("/usr/sbin/openvpn --config /etc/openvpn/a.conf", {"/etc/openvpn/a.conf": config}, {"openvpn": version})

    assert ends == all("since 2.7" in each for each in found)


@pytest.mark.parametrize(
    ("listen", "ends"),
    [
        ("irc://192.0.2.9:6697", True),
        ("irc+insecure://192.0.2.9:6697", False),
        ("irc://localhost:6667", False),
        ("ircs://192.0.2.9", False),
    ],
)
def test_soju_ends_where_plain_irc_is_for_more_than_localhost(listen: str, ends: bool) -> None:
    found = why_closed("/usr/bin/soju", {"/etc/soju/config": f"listen ws+insecure://127.0.0.1:8088\nlisten {listen}\n"}, {})

    assert ends == all(found)


STUNNEL, HITCH = "/usr/bin/stunnel4 /etc/stunnel/a.conf", "/usr/sbin/hitch --config /etc/hitch/hitch.conf"


@pytest.mark.parametrize(
    ("command", "path", "config", "kind", "expected"),
    [
        (STUNNEL, "/etc/stunnel/a.conf", "[a]\naccept = 8443\nconnect = 80\n", "simple", "stunnel without `foreground = yes`"),
        (STUNNEL, "/etc/stunnel/a.conf", "foreground = yes\n[a]\naccept = 8443\nconnect = 80\n", "simple", ""),
        (STUNNEL, "/etc/stunnel/a.conf", "[a]\naccept = 8443\nconnect = 80\n", "forking", ""),
        (HITCH, "/etc/hitch/hitch.conf", 'frontend = "[*]:8443"\ndaemon = on\n', "exec", "hitch with `daemon = on`"),
        (HITCH, "/etc/hitch/hitch.conf", 'frontend = "[*]:8443"\ndaemon = off\n', "exec", ""),
    ],
)
def test_a_daemon_that_its_config_sends_to_the_background_is_taken_for_ended(
    command: str, path: str, config: str, kind: str, expected: str
) -> None:
    unit = f"[Service]\nType={kind}\nExecStart={command}\n[Install]\nWantedBy=multi-user.target\n"
    tree = {
        path: config,
        "/etc/systemd/system/a.service": unit,
        "/etc/systemd/system/multi-user.target.wants/a.service": "-> ../a.service",
        "/etc/hostname": "host1\n",
    }
    found = [each for each in read_host(MemoryTree(tree), "host1").listeners if each.unit == "a.service"]

    assert found
    assert {bool(expected)} == {each.error == "daemonized" for each in found}
    assert all(expected in each.because for each in found)
