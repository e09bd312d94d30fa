"""The daemons that are asked: their configs, lines they know, and what their own parser makes of a file."""

import ipaddress
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import crossplane  # type: ignore[import-untyped]

from tests.daemons.test_measured_classics import SCRIPT

Socket = tuple[str, str, int]
Sockets = frozenset[Socket]

_CONFIGS = Path(__file__).parent / "configs"
_ANY4, _ANY6 = "0.0.0.0", "::"  # noqa: S104  compared, never bound
_NETWORK = 'ip link set lo up; ip address add 10.9.9.9/32 dev lo; exec "$@"'


@dataclass(frozen=True)
class Peer:
    """One daemon and the name its config goes by.

    `ask` is what its parser says that a file binds, None where it rejects the file. Where it only writes the file anew, `normal` is the
    command for that; where it only `accepts` a file, the daemon is `run` and its sockets are looked at. `only`: the sockets compared.
    """

    programs: tuple[str, ...]
    command: str
    name: str
    ask: Callable[[Path], Sockets | None] | None = None
    accepts: tuple[str, ...] = ()
    normal: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    only: Callable[[Socket], bool] = lambda socket: True

    def configs(self, directory: Path) -> tuple[str, ...]:
        """What an operator might write; `{directory}` is where the config lies."""
        paths = sorted((_CONFIGS / self.folder).glob("*.conf"))
        return tuple(path.read_text("utf-8").replace("{directory}", str(directory)) for path in paths)

    @property
    def pool(self) -> tuple[str, ...]:
        """Lines that the daemon knows, some of which say where it listens."""
        return tuple((_CONFIGS / self.folder / "lines.txt").read_text("utf-8").removesuffix("\n").split("\n--\n"))

    @property
    def folder(self) -> str:
        return next(name for name, peer in PEERS.items() if peer is self)


def said(*command: str, errors: bool = False) -> str | None:
    """What a command writes in a network of its own, with its errors where they are asked for; None where it fails."""
    done = subprocess.run(
        ["unshare", "-n", "bash", "-c", _NETWORK, "peer", *command],
        capture_output=True, text=True, errors="replace", timeout=60, cwd="/",
    )  # fmt: skip
    return done.stdout + (done.stderr if errors else "") if done.returncode == 0 else None


def _place(text: str, port: int, everywhere: str = _ANY4) -> tuple[str, int]:
    """`80`, `1.2.3.4:80`, `[::1]:80`, `:80`, `*:80` as address and port."""
    host, colon, number = text.rpartition(":")
    if text.isdigit():
        return everywhere, int(text)
    if not colon or text.endswith("]"):
        host, number = text, str(port)
    host = host.strip("[]")
    return (everywhere if host in ("", "*") else host), int(number)


def running(*command: str, directory: Path) -> Sockets | None:
    """What a daemon has bound once that no longer changes; None where it has bound nothing."""
    done = subprocess.run(
        ["unshare", "-n", "bash", "-c", SCRIPT, "peer", *command],
        env={**os.environ, "TMPDIR": str(directory)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines()]
    places = [(row[0], *row[4].rpartition(":")[::2]) for row in rows]
    return frozenset((kind, "::" if host == "*" else host.strip("[]"), int(port)) for kind, host, port in places) or None


# ── nginx ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _nginx(path: Path) -> Sockets | None:
    if said("nginx", "-t", "-q", "-p", str(path.parent), "-c", str(path)) is None:
        return None
    parsed = crossplane.parse(str(path), combine=True)
    found: set[Socket] = set()
    alone: set[Socket] = set()  # an option of the socket gives it one of its own; else the wildcard of its port takes its connections
    for kind in (line for line in parsed["config"][0]["parsed"] if line["directive"] in ("http", "stream")):
        for server in (line for line in kind["block"] if line["directive"] == "server"):
            listens = [line["args"] for line in server["block"] if line["directive"] == "listen"]
            for first, *others in listens or [["80"]]:
                if not first.startswith("unix:"):
                    socket = ("udp" if "udp" in others else "tcp", *_place(first, 80))
                    found.add(socket)
                    if any(option.partition("=")[0] in ("bind", "backlog", "ipv6only", "reuseport", "deferred") for option in others):
                        alone.add(socket)
    taken = {socket for socket in found if (socket[0], _ANY6 if ":" in socket[1] else _ANY4, socket[2]) in found - {socket}}
    found -= taken - alone
    return frozenset(found)


# ── those that answer by setting ────────────────────────────────────────────────────────────────────────────────────


def _sshd(path: Path) -> Sockets | None:
    Path("/run/sshd").mkdir(exist_ok=True)
    key = path.parent / "key"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    text = said("/usr/sbin/sshd", "-T", "-f", str(path), "-h", str(key))
    if text is None:
        return None
    places = (line.split(" ", 1)[1] for line in text.splitlines() if line.startswith("listenaddress "))
    return frozenset(("tcp", *_place(place, 22)) for place in places)


def _postgres(path: Path) -> Sockets | None:
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))[-1]
    command = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(postgres), "-D", str(path.parent), "-C")
    port, hosts = said(*command, "port"), said(*command, "listen_addresses")
    if port is None or hosts is None:
        return None
    found: set[Socket] = set()
    for host in (host.strip().strip('"') for host in hosts.strip().split(",")):
        addresses = {"*": (_ANY4, _ANY6), "localhost": ("127.0.0.1", "::1"), "": ()}.get(host, (host,))
        found |= {("tcp", address, int(port)) for address in addresses}
    return frozenset(found)


def _unbound(path: Path) -> Sockets | None:
    if said("unbound-checkconf", str(path)) is None:
        return None

    def values(setting: str) -> list[str]:
        return (said("unbound-checkconf", "-o", setting, str(path)) or "").split()

    protocols = [kind for kind in ("tcp", "udp") if values(f"do-{kind}") == ["yes"]]
    families = [4 for _ in "x" if values("do-ip4") == ["yes"]] + [6 for _ in "x" if values("do-ip6") == ["yes"]]
    port = values("port")[0]
    found: set[Socket] = set()
    for place in values("interface") or ["127.0.0.1", "::1"]:
        host, at, number = place.partition("@")
        if (6 if ":" in host else 4) in families:
            address = {"::0": _ANY6, "0::0": _ANY6}.get(host, host)
            found |= {(protocol, address, int(number if at else port)) for protocol in protocols}
    return frozenset(found)


def _exim(path: Path) -> Sockets | None:
    text = said("exim4", "-C", str(path), "-bP", "daemon_smtp_ports", "local_interfaces", "disable_ipv6")
    if text is None or "error" in text.lower():
        return None
    values = dict(re.findall(r"^(\w+) = ?(.*)$", text, re.MULTILINE))
    ports = _list_of_exim(values.get("daemon_smtp_ports", "smtp"))
    found: set[Socket] = set()
    for interface in _list_of_exim(values.get("local_interfaces", "")) or [_ANY4, "::0"]:
        own = re.fullmatch(r"\[(.+)\](?::|\.)([0-9]+)", interface) or re.fullmatch(r"([0-9]+(?:\.[0-9]+){3})\.([0-9]+)", interface)
        address = (own[1] if own else interface).strip("[]")
        if not _is_address(address):
            return None  # nor does it print what it makes of this
        if ":" in address and values.get("disable_ipv6") is None and re.search(r"^disable_ipv6$", text, re.MULTILINE):
            continue
        for port in [own[2]] if own else ports:
            if port != "smtp" and not port.isdigit():
                return None  # -bP only prints it; the daemon ends with it
            found.add(("tcp", _ANY6 if address == "::0" else address, 25 if port == "smtp" else int(port)))
    return frozenset(found)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _list_of_exim(text: str) -> list[str]:
    separator = ":"
    if text.startswith("<") and len(text) > 1:
        separator, text = text[1], text[2:]
    parts = re.split(rf"(?<!{re.escape(separator)}){re.escape(separator)}(?!{re.escape(separator)})", text)
    return [part.strip().replace(separator * 2, separator) for part in parts if part.strip()]


def _squid(path: Path) -> Sockets | None:
    # It names lines of a branch that is not taken, too: none of these is among the lines that are put in.
    text = said("squid", "-k", "parse", "-f", str(path), errors=True)
    if text is None or "FATAL" in text or "ERROR" in text:
        return None
    places = re.findall(r"Processing: https?_port\s+(\S+)", text)
    return frozenset(("tcp", *_place(place, 3128, _ANY6)) for place in places)


def _caddy(path: Path) -> Sockets | None:
    done = subprocess.run(["caddy", "adapt", "--config", str(path), "--adapter", "caddyfile"], capture_output=True, text=True, timeout=60)
    text = path.read_text("utf-8")
    if done.returncode or text.count("{") != text.count("}"):
        return None  # a brace too many makes an address of what follows, which nobody means
    servers = json.loads(done.stdout)["apps"].get("http", {}).get("servers", {}) if '"apps"' in done.stdout else {}
    return frozenset(("tcp", *_place(place, 443, _ANY6)) for server in servers.values() for place in server["listen"])


PEERS: dict[str, Peer] = {
    "nginx": Peer(("nginx",), "/usr/sbin/nginx -c {config}", "nginx.conf", ask=_nginx),
    "sshd": Peer(("/usr/sbin/sshd", "ssh-keygen"), "/usr/sbin/sshd -D -f {config}", "sshd_config", ask=_sshd),
    "postgres": Peer(
        ("setpriv", "/usr/lib/postgresql"), "/usr/lib/postgresql/15/bin/postgres -D {directory}", "postgresql.conf", ask=_postgres
    ),
    "unbound": Peer(("unbound-checkconf",), "/usr/sbin/unbound -d -c {config}", "unbound.conf", ask=_unbound),
    "exim": Peer(("exim4",), "/usr/sbin/exim4 -bd -C {config}", "exim4.conf", ask=_exim, only=lambda socket: socket[2] != 0),
    "squid": Peer(("squid",), "/usr/sbin/squid -N -f {config}", "squid.conf", ask=_squid, only=lambda socket: socket[0] == "tcp"),
    "caddy": Peer(
        ("caddy",),
        "/usr/bin/caddy run --config {config} --adapter caddyfile",
        "Caddyfile",
        ask=_caddy,
        only=lambda socket: socket[2] not in (0, 80, 443, 2019),
    ),
    "named": Peer(("named-checkconf",), "/usr/sbin/named -g -c {config}", "named.conf", normal=("named-checkconf", "-p", "{config}")),
    "dovecot": Peer(("doveconf",), "/usr/sbin/dovecot -F -c {config}", "dovecot.conf", normal=("doveconf", "-n", "-c", "{config}")),
    "haproxy": Peer(
        ("haproxy",),
        "/usr/sbin/haproxy -db -L a -f {config}",
        "haproxy.cfg",
        accepts=("haproxy", "-c", "-L", "a", "-f", "{config}"),
        run=("haproxy", "-db", "-L", "a", "-f", "{config}"),
    ),
    "apache": Peer(
        ("apache2",),
        "/usr/sbin/apache2 -X -f {config}",
        "apache2.conf",
        accepts=("apache2", "-t", "-f", "{config}"),
        run=("apache2", "-X", "-f", "{config}"),
    ),
}
