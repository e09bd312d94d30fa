"""A certificate that is not there may end its daemon, and a user who is not there surely does, in every room."""

import pytest

from portwright.daemons import daemon_of
from portwright.facts import Endpoint
from tests.daemons.by_hand import host_of, invocation

HAPROXY = "/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg"
OPENVPN = "/usr/sbin/openvpn --cd /etc/openvpn --config /etc/openvpn/a.conf"
TLS = "frontend a\n  bind :443 ssl crt /etc/haproxy/tls/site.pem\n"
HITCH = 'frontend = "[*]:8444"\nbackend = "[127.0.0.1]:6086"\npem-file = "/etc/hitch/site.pem"\nuser = "_hitch"\n'
NAMED = "/usr/sbin/named -f"
NO_DNSSEC = "options { listen-on { 127.0.0.1; };\n dnssec-enable yes;\n};\n"
ACCOUNTS = "root:x:0:0::/root:/bin/sh\n"


def said(command: str, tree: dict[str, str], packages: dict[str, str] | None = None) -> list[Endpoint]:
    started = invocation(command)
    known = daemon_of(started)
    assert known is not None
    found = [each for each in known.read(started, host_of(tree), packages or {}) if isinstance(each, Endpoint)]
    assert found
    return found


@pytest.mark.parametrize(
    ("command", "tree", "confidence"),
    [
        (HAPROXY, {"/etc/haproxy/haproxy.cfg": TLS}, "likely"),
        (HAPROXY, {"/etc/haproxy/haproxy.cfg": TLS, "/etc/haproxy/tls/site.pem": "x"}, "certain"),
        (HAPROXY, {"/etc/haproxy/haproxy.cfg": "# crt /etc/haproxy/x.pem\nfrontend a\n  bind :80\n"}, "certain"),
        # What a copy leaves out as a secret, or as what another tool keeps, says nothing.
        (HAPROXY, {"/etc/haproxy/haproxy.cfg": TLS.replace("/etc/haproxy/tls", "/etc/ssl/own")}, "certain"),
        # Beside the config, or in the working directory.
        (OPENVPN, {"/etc/openvpn/a.conf": "port 1195\nca ca.crt\n"}, "likely"),
        (OPENVPN, {"/etc/openvpn/a.conf": "port 1195\nca ca.crt\n", "/etc/openvpn/ca.crt": "x"}, "certain"),
        ("/usr/bin/gunicorn -b 127.0.0.1:8003 --certfile=/etc/api/api.pem app", {"/etc/api/x": ""}, "likely"),
        # sshd goes on with the keys it has.
        ("/usr/sbin/sshd -D", {"/etc/ssh/sshd_config": "Port 22\nHostKey /etc/ssh/host.key\n"}, "certain"),
    ],
)  # fmt: skip
def test_a_certificate_that_is_not_there_makes_it_likely_at_most(command: str, tree: dict[str, str], confidence: str) -> None:
    assert {confidence} == {each.confidence for each in said(command, tree)}


@pytest.mark.parametrize(
    ("accounts", "closed"),
    [(ACCOUNTS, "the user _hitch, whom it changes to, is not there"), (f"{ACCOUNTS}_hitch:x:9:9::/:/bin/false\n", "")],
)
def test_a_user_that_is_not_there_ends_it(accounts: str, closed: str) -> None:
    tree = {"/etc/hitch/hitch.conf": HITCH, "/etc/hitch/site.pem": "x", "/etc/passwd": accounts}

    assert {closed} == {each.closed_by for each in said("/usr/sbin/hitch --config /etc/hitch/hitch.conf", tree)}


@pytest.mark.parametrize(
    ("command", "path", "text", "package", "version", "closed"),
    [
        (HAPROXY, "/etc/haproxy/haproxy.cfg", "global\n  nbproc 2\nfrontend a\n  bind :80\n", "haproxy", "3.0.11-1", True),
        (HAPROXY, "/etc/haproxy/haproxy.cfg", "global\n  nbproc 2\nfrontend a\n  bind :80\n", "haproxy", "2.2.9-2", False),
        (HAPROXY, "/etc/haproxy/haproxy.cfg", "global\n  # nbproc 2\nfrontend a\n  bind :80\n", "haproxy", "3.0.11-1", False),
        (NAMED, "/etc/bind/named.conf", NO_DNSSEC, "bind9", "1:9.20.30-1", True),
        (NAMED, "/etc/bind/named.conf", NO_DNSSEC.replace("\n ", "\n/*\n ").replace("\n}", "\n*/\n}"), "bind9", "1:9.20.30-1", False),
        ("/usr/sbin/knotd", "/etc/knot/knot.conf", "server:\n  listen: 127.0.0.1@53\n  max-conn-idle: 10\n", "knot", "3.4.6-1", True),
    ],
)  # fmt: skip
def test_a_setting_that_the_version_no_longer_knows_ends_it(
    command: str, path: str, text: str, package: str, version: str, closed: bool
) -> None:
    assert {closed} == {"no longer knows" in each.closed_by for each in said(command, {path: text}, {package: version})}


@pytest.mark.parametrize(
    ("folder", "closed", "confidence"),
    [({}, False, "likely"), ({"/etc/unbound/own.hints": "x"}, False, "certain"), ({"/etc/unbound/other": ""}, True, "certain")],
)
def test_a_file_that_it_ends_without_may_be_where_a_copy_does_not_reach(folder: dict[str, str], closed: bool, confidence: str) -> None:
    hints = "/etc/unbound/own.hints" if folder else "/var/lib/unbound/root.hints"
    tree = {"/etc/unbound/unbound.conf": f"server:\n  interface: 127.0.0.1\n  root-hints: {hints}\n", **folder}
    found = said("/usr/sbin/unbound -d", tree)

    assert {(closed, confidence)} == {(each.closed_by != "", each.confidence) for each in found}
