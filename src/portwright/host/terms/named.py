"""Named values for rules: what takes more than one comparison to say is worked out here, with the lines it leaned on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from portwright.facts import Assignment, Confidence, FileLimit, Listener, Outbound, Privileges, Sysctl, Unit, weakest
from portwright.finding import Note
from portwright.host import Host, restarts
from portwright.host.join import conflict
from portwright.host.join.conflict import Claim, Turn
from portwright.host.join.privilege import effective_capabilities, gains_nothing
from portwright.host.terms.registry import Derived, fact_value, host_value
from portwright.ports import PortSet
from portwright.system.systemd.ignored_settings import Ignored, ignored

if TYPE_CHECKING:
    from portwright.system.systemd.exec_calls import ExecCall

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"

SOMAXCONN = "net.core.somaxconn"

BIND = "CAP_NET_BIND_SERVICE"

_SOMAXCONN = 4096  # SOMAXCONN since Linux 5.4
# listen(2) takes what is more than the limit for the limit: -1, INT_MAX and 65535 are how daemons and people ask for all there is.
_AS_LONG_AS_CAN_BE = 65535

_PORT_SETTING_KEYS = """
    net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports net.ipv4.ip_unprivileged_port_start
    net.ipv4.ip_autobind_reuse net.ipv4.ip_nonlocal_bind net.ipv6.ip_nonlocal_bind net.ipv6.bindv6only
    net.ipv4.tcp_tw_reuse net.ipv4.tcp_tw_reuse_delay net.ipv4.tcp_fin_timeout net.ipv4.tcp_timestamps
    net.ipv4.tcp_max_tw_buckets net.core.somaxconn sunrpc.min_resvport sunrpc.max_resvport
"""
_PORT_SETTINGS = frozenset(_PORT_SETTING_KEYS.split())
_PORT_SETTING_NAMES = frozenset(key.rpartition(".")[2] for key in _PORT_SETTINGS)

# A new network namespace starts from the kernel's own defaults, not from the host's sysctl.d (kernel-tested: net/ipv4/af_inet.c).
_PRIVATE_START = 1024

# Daemons that are started as root by design, for more than a port: they change user after binding, read keys, chroot, or serve
# every user's files. Bounding them to one capability breaks them.
_ROOT_BY_DESIGN_NAMES = """
    apache2 httpd nginx haproxy lighttpd varnishd squid caddy traefik envoy h2o hitch stunnel stunnel4 pound relayd
    sshd dropbear in.telnetd telnetd inetd xinetd vsftpd proftpd pure-ftpd rsync rsyncd atftpd in.tftpd tftpd
    named bind9 unbound dnsmasq nsd knotd kresd pdns_server pdns_recursor dnsdist systemd-resolved systemd
    postfix master exim exim4 sendmail smtpd opensmtpd dovecot cyrus cyrmaster courier imapd pop3d
    smbd nmbd samba winbindd slapd krb5kdc kadmind ns-slapd rpcbind rpc.mountd rpc.statd mountd statd nfsd ypserv
    dhcpd dhclient kea-dhcp4 radvd chronyd ntpd ptp4l timesyncd snmpd snmptrapd rsyslogd syslog-ng syslogd journald
    cupsd cups-browsed avahi-daemon dockerd containerd podman kubelet k3s kube-apiserver kube-proxy libvirtd glusterd
    freeradius radiusd openvpn charon charon-systemd starter pluto wg xl2tpd pppd tinc tincd asterisk corosync pacemakerd pcsd
    salt-master puppetserver webmin miniserv.pl cockpit-ws php-fpm uwsgi memcached mysqld mariadbd postgres tor saned
    bird bird6 frr lldpd openntpd sslh thttpd tinyproxy traffic_manager traffic_server xrdp supervisord monit docker rpc.nfsd
    bacula-fd bacula-sd kea-ctrl-agent kea-dhcp-ddns kea-dhcp6 charon-systemd keepalived netdata
    chrony cups samba-smbd samba-nmbd tftpd-hpa pdns pdns-recursor strongswan varnish trafficserver isc-dhcp-server ntpsec
    postgresql mysql rsyslog knot knot-resolver imapd-ssl pop3d-ssl courier-imapd courier-imapd-ssl courier-pop3d courier-pop3d-ssl
    perdition ganesha.nfsd nfs-ganesha danted sockd vpnserver softether-vpnserver rwhod innd rc.news inn2
"""
_ROOT_BY_DESIGN = frozenset(_ROOT_BY_DESIGN_NAMES.split())

# Interpreters and relays whose service is the program they run: nothing in them needs root but the port.
_ONLY_A_PORT_NAMES = """
    python http.server socketserver node nodejs socat ncat nc java ruby php perl deno bun
    gunicorn uvicorn hypercorn waitress-serve flask daphne granian puma thin webfsd darkhttpd
"""
_ONLY_A_PORT = frozenset(_ONLY_A_PORT_NAMES.split())


_MOST_NAMED = 6  # capabilities in a sentence
_FILES_BESIDES = 128  # logs, listeners and libraries, which every daemon has open besides its connections


def evidence_for(sysctl: Sysctl) -> Note:
    """The note that says which line set a kernel setting, or that none did."""
    if sysctl.is_default:
        return Note(f"no file sets {sysctl.key}, so the kernel's default holds: {sysctl.boot or 'empty'}", sysctl.at)
    return Note(f"{sysctl.key} is set to {sysctl.boot or 'nothing'} here", sysctl.at)


def _pair(text: str) -> tuple[int, int] | None:
    parts = text.split()
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 5 for part in parts):
        return None
    low, high = int(parts[0]), int(parts[1])
    return (low, high) if 0 < low <= high <= 65535 else None


def _number(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else None


# ── of the host ─────────────────────────────────────────────────────────────────────────────────────────────────────


def ephemeral_ends(host: Host) -> tuple[int, int] | None:
    """The two ends of net.ipv4.ip_local_port_range at boot; None where they are not known."""
    sysctl = host.sysctl(RANGE)
    return _pair(sysctl.boot) if sysctl else None


@host_value("ephemeral-ports")
def ephemeral_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel picks from for outgoing connections: net.ipv4.ip_local_port_range at boot."""
    sysctl, ends = host.sysctl(RANGE), ephemeral_ends(host)
    if sysctl is None or ends is None:
        return Derived(None)
    return Derived(PortSet.of(ends), (evidence_for(sysctl),), sysctl.confidence)


@host_value("reserved-ports")
def reserved_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel never picks by itself: net.ipv4.ip_local_reserved_ports at boot."""
    sysctl = host.sysctl(RESERVED)
    if sysctl is None:
        return Derived(PortSet())
    try:
        ports = PortSet.parse(sysctl.boot)
    except ValueError:
        return Derived(None)
    # That nobody reserves anything is the usual case and no line to point to.
    return Derived(ports, () if sysctl.is_default else (evidence_for(sysctl),), sysctl.confidence)


@host_value("lendable-ports")
def lendable_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel may lend to an outgoing connection: the ephemeral range without the reserved ports."""
    return _lendable(host)


@host_value("usable-ports")
def usable_ports(host: Host) -> Derived[int | None]:
    """How many ports the kernel may lend: the size of the ephemeral range minus the reserved ports in it."""
    lendable = _lendable(host)
    return Derived(None if lendable.value is None else len(lendable.value), lendable.evidence, lendable.confidence)


@host_value("reserved-share")
def reserved_share(host: Host) -> Derived[int | None]:
    """How much of the ephemeral range is reserved, in whole percent."""
    ephemeral, reserved = ephemeral_ports(host), reserved_ports(host)
    if ephemeral.value is None or reserved.value is None:
        return Derived(None)
    share = 100 * len(ephemeral.value.intersection(reserved.value)) // len(ephemeral.value)
    return Derived(share, (*reserved.evidence, *ephemeral.evidence), ephemeral.confidence)


@host_value("unprivileged-start")
def unprivileged_start(host: Host) -> Derived[int | None]:
    """The first port that needs no privilege: net.ipv4.ip_unprivileged_port_start at boot."""
    sysctl = host.sysctl(UNPRIVILEGED)
    if sysctl is None:
        return Derived(None)
    return Derived(_number(sysctl.boot), (evidence_for(sysctl),), sysctl.confidence)


@host_value("low-ports")
def low_ports(host: Host) -> Derived[PortSet | None]:
    """The ports that need CAP_NET_BIND_SERVICE: those below the first unprivileged one."""
    start = unprivileged_start(host)
    if start.value is None or not 0 <= start.value <= 65535:
        return Derived(None)
    return Derived(PortSet.of((1, start.value - 1)) if start.value > 1 else PortSet(), start.evidence, start.confidence)


@host_value("wanted-somaxconn")
def wanted_somaxconn(host: Host) -> Derived[str | None]:
    """The longest accept queue a service of the host asks for by a number, at least what the kernel's own limit is."""
    asked = (wanted_queue(host, listener).value for listener in host.listeners if listener_deployed(host, listener).value)
    return Derived(str(max(_SOMAXCONN, *(length for length in asked if length is not None), 0)))


def _lendable(host: Host) -> Derived[PortSet | None]:
    ephemeral, reserved = ephemeral_ports(host), reserved_ports(host)
    if ephemeral.value is None or reserved.value is None:
        return Derived(None)
    return Derived(ephemeral.value.minus(reserved.value), (*ephemeral.evidence, *reserved.evidence), ephemeral.confidence)


# ── of a listener ───────────────────────────────────────────────────────────────────────────────────────────────────


@fact_value("listener", "deployed")
def listener_deployed(host: Host, listener: Listener) -> Derived[bool]:
    """Whether it is opened at boot; in a repository, where nothing says what is enabled, everything counts as deployed."""
    return Derived(listener.starts == "boot" or (host.repository and listener.starts is None))


@fact_value("listener", "who")
def who(host: Host, listener: Listener) -> Derived[str]:
    """The service as an operator would name it: its daemon, with the unit where the name does not already say so."""
    unit = listener.unit
    return Derived(listener.app if unit is None or unit.partition(".")[0] == listener.app else f"{listener.app} ({unit})")


@fact_value("listener", "socket")
def socket(host: Host, listener: Listener) -> Derived[str]:
    """Protocol, address and ports in one: `tcp 127.0.0.1:8080`."""
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return Derived(f"{listener.protocol} {address}:{listener.ports if listener.ports else 'random'}")


@fact_value("listener", "scope")
def scope(host: Host, listener: Listener) -> Derived[Literal["wildcard", "loopback", "specific"]]:
    """Who can reach it: every address, this host alone, or one address."""
    return Derived(scope_of(listener))


@fact_value("listener", "claim")
def claim(host: Host, listener: Listener) -> Derived[Claim | None]:
    """Protocol, address and ports as the kernel compares them when a second socket wants the same port."""
    return Derived(conflict.claim(host, listener))


@fact_value("listener", "comes-up")
def comes_up(host: Host, listener: Listener) -> Derived[bool]:
    """Whether its service may come up as far as its sockets go: many daemons give up where one of theirs cannot be bound."""
    return Derived(conflict.comes_up(host, listener))


@fact_value("listener", "error-when-late")
def error_when_late(host: Host, listener: Listener) -> Derived[Literal["EADDRINUSE"] | None]:
    """What the service fails with where another socket has the port; unknown where it fails otherwise before, or runs on without it."""
    return Derived("EADDRINUSE" if conflict.comes_up(host, listener) and not listener.survives_conflict else None)


@fact_value("listener", "turn")
def turn(host: Host, listener: Listener) -> Derived[Turn]:
    """When it binds: after the units ordered before its own, and after the earlier lines of its own."""
    return Derived(conflict.turn(host, listener))


@fact_value("listener", "restart-budget")
def restart_budget(host: Host, listener: Listener) -> Derived[float | None]:
    """For how many seconds systemd starts the failing service again before it gives up; unknown where it never does or none fails."""
    unit = host.unit(listener.unit)
    found = restarts.budget(unit) if unit is not None and unit.kind == "service" and not listener.survives_conflict else None
    if found is None:
        return Derived(None)
    evidence = [Note(f"systemd starts it again (Restart={found.restart.value})", found.restart.at)]
    for key, value, default in (
        ("RestartSec", found.pause, "100ms"),
        ("StartLimitIntervalSec", found.interval, "10s"),
        ("StartLimitBurst", found.burst, "5"),
    ):
        if value is not None:
            evidence.append(Note(f"{key}={value.value} is set here", value.at))
        else:
            evidence.append(Note(f"no file sets {key}=, so systemd's default holds: {default}"))
    return Derived(found.seconds, tuple(evidence))


@fact_value("listener", "kill-mode")
def kill_mode(host: Host, listener: Listener) -> Derived[str | None]:
    """What systemd stops when it stops the service: KillMode= of its unit, control-group where nobody sets it."""
    unit = host.unit(listener.unit)
    if unit is None or unit.kind != "service":
        return Derived(None)
    found = unit.value("Service", "KillMode")
    if found is None:
        return Derived("control-group")
    # Whether it has forked anything by then, no file says.
    return Derived(found.value, (Note(f"KillMode={found.value} is set here", found.at),), "likely")


@fact_value("listener", "wanted-queue")
def wanted_queue(host: Host, listener: Listener) -> Derived[int | None]:
    """How long an accept queue it asks for; unknown where nobody says a number, or one that means as long as the kernel lets it be.

    Where a file lowers net.core.somaxconn, what is built into a daemon counts, too: it is what its makers found fitting.
    """
    asked, limit = listener.backlog, host.sysctl(SOMAXCONN)
    if asked is None or limit is None or asked.length >= _AS_LONG_AS_CAN_BE:
        return Derived(None)
    if asked.at is not None:
        return Derived(asked.length, (Note(f"it asks for {asked.length} here", asked.at),) if asked.at.line != listener.at.line else ())
    lowered = not limit.is_default and (_number(limit.boot) or 0) < _SOMAXCONN
    note = Note(f"no line says how many connections may wait, so what is built in holds: {asked.length}")
    return Derived(asked.length if lowered else None, (note,))


@fact_value("listener", "queue-limit")
def queue_limit(host: Host, listener: Listener) -> Derived[int | None]:
    """How many connections the kernel lets wait on one socket at most: net.core.somaxconn; unknown in a network namespace of its own."""
    sysctl = host.sysctl(SOMAXCONN)
    if sysctl is None or listener.private_network:
        return Derived(None)
    # Who asks for a longer queue has often raised the limit, too, and where a repository does that need not be a file that is read.
    elsewhere = host.repository and sysctl.is_default
    return Derived(
        _number(sysctl.boot), (evidence_for(sysctl),), weakest(sysctl.confidence, "possible") if elsewhere else sysctl.confidence
    )


@fact_value("listener", "grantable-unit")
def grantable_unit(host: Host, listener: Listener) -> Derived[str | None]:
    """The unit that binds once it is given CAP_NET_BIND_SERVICE; unknown where the capability would not help.

    It does not help a root unit (its bounding set is the cause), in a private user namespace (the capability counts only inside),
    nor for a program with file capabilities (they clear the ambient ones, capabilities(7)).
    """
    found = _privileges(host, listener)
    if found is None or found.uid0 or found.private_users or found.noroot or found.fails or found.denied_call:
        return Derived(None)
    if found.file_permitted or found.file_inheritable or found.setuid_root:
        return Derived(None)
    return Derived(listener.unit)


@fact_value("listener", "needs-only-low-port")
def needs_only_low_port(host: Host, listener: Listener) -> Derived[bool]:
    """Whether its unit runs as root, with more than CAP_NET_BIND_SERVICE, and needs root for nothing but this one low port.

    Certain knowledge of what a program needs is not to be had from files: interpreters and relays are likely to need nothing else,
    an unknown program possibly; daemons that start as root by design are left alone.
    """
    found = _privileges(host, listener)
    if found is None or not found.uid0 or found.noroot or found.private_users or listener.unit is None:
        return Derived(False)
    if found.bounding is not None and found.bounding <= {BIND}:
        return Derived(False)
    low = low_ports(host).value if not listener.private_network else PortSet.of((1, _PRIVATE_START - 1))
    if low is None or not listener.ports or listener.ports.minus(low):
        return Derived(False)
    others = (other.ports.intersection(low) for other in host.listeners_of(listener.unit))
    if len(listener.ports.union(*others)) != 1:
        return Derived(False)
    known = _knows_what_it_needs(listener)
    if known is None:
        return Derived(False)
    evidence = tuple(Note(text, at) for text, at in found.because) or (Note("no User= is set, so the unit runs as root"),)
    return Derived(True, evidence, known)


@fact_value("listener", "held-capabilities")
def held_capabilities(host: Host, listener: Listener) -> Derived[str | None]:
    """What its unit may do as it is started, in words."""
    found = _privileges(host, listener)
    if found is None:
        return Derived(None)
    held = found.bounding if found.uid0 else found.ambient
    if held is None:
        return Derived("every capability")
    if len(held) > _MOST_NAMED:
        return Derived(f"{len(held)} capabilities")
    return Derived(", ".join(sorted(held)) or "no capability")


def _privileges(host: Host, listener: Listener) -> Privileges | None:
    unit = host.unit(listener.unit)
    return None if unit is None else host.privileges.get(unit.name)


def scope_of(listener: Listener) -> Literal["wildcard", "loopback", "specific"]:
    """Whether an address is every one, this host's own, or one of many."""
    address = listener.address.removeprefix("::ffff:")
    if address in ("*", "0.0.0.0", "::"):  # noqa: S104  compared, never bound
        return "wildcard"
    return "loopback" if address.startswith("127.") or address == "::1" else "specific"


def _knows_what_it_needs(listener: Listener) -> Confidence | None:
    """How sure it is that a program needs root for nothing but its port, None where it may well need more.

    A daemon whose configuration was understood is a product of its own: unless it is known to need no more, it is left alone.
    """
    program = listener.app
    if program in _ROOT_BY_DESIGN:
        return None
    if program in _ONLY_A_PORT or program.rstrip("0123456789.") in _ONLY_A_PORT:
        return "likely"
    return "possible" if listener.confidence == "possible" else None


# ── of a kernel setting ─────────────────────────────────────────────────────────────────────────────────────────────


@fact_value("sysctl", "number")
def number(host: Host, sysctl: Sysctl) -> Derived[int | None]:
    """The value at boot as a number; unknown where it is none."""
    return Derived(_number(sysctl.boot))


@fact_value("sysctl", "one-parity")
def one_parity(host: Host, sysctl: Sysctl) -> Derived[bool | None]:
    """Whether the two ends of the ephemeral range are both even or both odd; unknown for any other key."""
    ends = _pair(sysctl.boot) if sysctl.key == RANGE else None
    return Derived(None if ends is None else ends[0] < ends[1] and ends[0] % 2 == ends[1] % 2)


@fact_value("sysctl", "loaders-disagree")
def loaders_disagree(host: Host, sysctl: Sysctl) -> Derived[bool]:
    """Whether boot and `sysctl --system` leave different values, with the lines that lost and why."""
    if sysctl.boot == sysctl.reload:
        return Derived(False)
    overridden = [each for each in sysctl.overridden if each.at not in (sysctl.at, sysctl.reload_at)]
    notes = (Note(f"{each.value or 'an empty value'} is not in force: {each.reason}", each.at) for each in overridden[:_MOST_NAMED])
    return Derived(True, tuple(notes))


@fact_value("sysctl", "drifted")
def drifted(host: Host, sysctl: Sysctl) -> Derived[bool]:
    """Whether the running kernel is known to have another value than its files give it."""
    return Derived(sysctl.running is not None and sysctl.running != sysctl.boot)


@fact_value("sysctl", "is-port-setting")
def is_port_setting(host: Host, sysctl: Sysctl) -> Derived[bool]:
    """Whether the key is one that decides about ports, addresses or connections."""
    return Derived(sysctl.key in _PORT_SETTINGS)


@fact_value("assignment", "misses-port-setting")
def misses_port_setting(host: Host, assignment: Assignment) -> Derived[bool]:
    """Whether a line means to set something about ports and cannot: its key is misspelt, or its file has no ending at all.

    A file that another one replaces or masks, or that was put aside under another ending (.bak, .disabled), is left out on purpose.
    """
    if assignment.key in _PORT_SETTINGS:
        return Derived("." not in assignment.at.path.rpartition("/")[2])
    return Derived(assignment.key.replace("/", ".").lower().rpartition(".")[2] in _PORT_SETTING_NAMES)


@fact_value("assignment", "loses-to-a-package")
def loses_to_a_package(host: Host, assignment: Assignment) -> Derived[bool]:
    """Whether the line about ports that counts in a file of /etc is replaced by a file outside /etc, with another value.

    Between files of /etc the later one is how a host's settings are overridden on purpose.
    """
    key, at = assignment.key, assignment.at
    sysctl = host.sysctl(key)
    if sysctl is None or key not in _PORT_SETTINGS or not at.path.startswith("/etc/") or sysctl.at.path.startswith("/etc/"):
        return Derived(False)
    last = not any(each.key == key and each.at.path == at.path and each.at > at for each in host.assignments)
    other = last and sysctl.boot.split() != assignment.value.split()
    return Derived(other, (evidence_for(sysctl),) if other else (), sysctl.confidence)


@fact_value("assignment", "lost-ports")
def lost_ports(host: Host, assignment: Assignment) -> Derived[PortSet | None]:
    """The ports that a line of ip_local_reserved_ports lists and that are not reserved at boot; unknown for any other key."""
    reserved = reserved_ports(host)
    if assignment.key != RESERVED or reserved.value is None:
        return Derived(None)
    try:
        wanted = PortSet.parse(assignment.value)
    except ValueError:
        return Derived(None)
    return Derived(wanted.minus(reserved.value), reserved.evidence, reserved.confidence)


# ── of a unit ───────────────────────────────────────────────────────────────────────────────────────────────────────


@fact_value("unit", "excluded-capabilities")
def excluded_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The capabilities AmbientCapabilities= asks for and CapabilityBoundingSet= leaves out: systemd drops them without a word."""
    found = host.privileges.get(unit.name)
    if found is None or found.uid0 or found.bounding is None:
        return Derived(None)
    evidence = [Note(f"AmbientCapabilities={s.value}", s.at) for s in unit.each("Service", "AmbientCapabilities")]
    evidence += [Note(f"CapabilityBoundingSet={s.value}", s.at) for s in unit.each("Service", "CapabilityBoundingSet")]
    return Derived(found.ambient - found.bounding, tuple(evidence))


@fact_value("unit", "inverted-capabilities")
def inverted_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The capabilities a non-root unit holds because AmbientCapabilities= starts with `~`: all but those it names."""
    found = host.privileges.get(unit.name)
    lines = unit.each("Service", "AmbientCapabilities")
    if found is None or found.uid0 or not lines or not lines[0].value.startswith("~"):
        return Derived(None)
    held = found.ambient if found.bounding is None else found.ambient & found.bounding
    return Derived(held, (Note(f"AmbientCapabilities={lines[0].value}", lines[0].at),))


@fact_value("unit", "void-file-capabilities")
def void_file_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The file capabilities of its program that it never gets, because its unit switches privileges gained by executing a file off.

    Where it cannot bind a port for the lack of one, that is told of the port. CAP_NET_BIND_SERVICE is no loss to a service whose
    ports are known and need none.
    """
    found = host.privileges.get(unit.name)
    if found is None or found.uid0 or not found.no_new_privileges or found.fails or found.private_users:
        return Derived(None)
    opened = host.listeners_of(unit.name)
    overridden = found.file_permitted - (effective_capabilities(found) or frozenset()) - ({BIND} if opened else set())
    if not overridden or any(listener.error == "EACCES" for listener in opened):
        return Derived(None)
    name, at = gains_nothing(found)
    return Derived(
        overridden, (Note(f"{name} is set here", at), Note(f"the file of its program has {', '.join(sorted(found.file_permitted))}"))
    )


@fact_value("unit", "what-switches-them-off")
def what_switches_them_off(host: Host, unit: Unit) -> Derived[str | None]:
    """The setting that keeps its program from gaining privileges by executing a file: NoNewPrivileges= or what implies it."""
    found = host.privileges.get(unit.name)
    return Derived(None if found is None or not found.no_new_privileges else gains_nothing(found)[0])


@fact_value("unit", "barred-capabilities")
def barred_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The file capabilities of its program that its bounding set leaves out, so that the kernel refuses to execute it."""
    found = host.privileges.get(unit.name)
    if found is None or found.fails != "203/EXEC" or found.bounding is None:
        return Derived(None)
    lines = [Note(text, at) for text, at in found.because if at.path in unit.files and not text.startswith(("User=", "DynamicUser="))]
    owned = Note(f"the file of its program has {', '.join(sorted(found.file_permitted))}")
    return Derived(found.file_permitted - found.bounding, (*lines, owned))


@fact_value("unit", "needless-bind-capability")
def needless_bind_capability(host: Host, unit: Unit) -> Derived[bool]:
    """Whether a non-root unit is given CAP_NET_BIND_SERVICE by name although every port it is known to open needs no privilege."""
    found = host.privileges.get(unit.name)
    low = low_ports(host)
    if found is None or found.uid0 or BIND not in found.ambient or low.value is None:
        return Derived(False)
    opened = host.listeners_of(unit.name)
    if not opened or any(listener.random or listener.ports.overlaps(low.value) for listener in opened):
        return Derived(False)
    lines = [s for s in unit.each("Service", "AmbientCapabilities") if BIND in s.value.upper()]
    evidence = tuple(Note(f"AmbientCapabilities={s.value}", s.at) for s in lines)
    ports = tuple(Note(f"it listens on {listener.ports}", listener.at) for listener in opened[:4])
    # What a program opens beyond the files that were read is not known.
    return Derived(bool(evidence), (*evidence, *ports, *low.evidence), "likely")


@fact_value("unit", "ignored-lines")
def ignored_lines(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The lines meant to decide about ports or power that systemd does not read: misspelt, or in the wrong section."""
    found = _ignored(unit)
    return Derived(tuple(each.reason for each in found), tuple(Note(_ignored_note(unit, each), each.setting.key_at) for each in found))


@fact_value("unit", "ignored-line")
def ignored_line(host: Host, unit: Unit) -> Derived[str | None]:
    """The first line of a unit that was meant to decide about ports or power and that systemd does not read, and why."""
    found = _ignored(unit)
    if not found:
        return Derived(None)
    more = len(found) - 1
    return Derived(found[0].reason + (f", and {more} more such line{'s' if more > 1 else ''}" if more else ""))


@fact_value("unit", "port-kills")
def port_kills(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The Exec lines that kill whatever process has a port: `fuser -k 8080/tcp`, `kill $(lsof -t -i:8080)`."""
    calls = _calls(unit, "fuser", "lsof")
    killing = {call.line.at for call in calls if call.program == "kill" or (call.program == "xargs" and "kill" in call.words)}
    return _lines(call for call in calls if _is_killing_fuser(call) or (call.line.at in killing and _asks_lsof(call)))


@fact_value("unit", "port-settings-written")
def port_settings_written(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The kernel settings about ports that the Exec lines of a unit set with sysctl(8)."""
    found: dict[str, Note] = {}
    for call in _calls(unit, "sysctl"):
        for word in call.words[1:] if call.program == "sysctl" else ():
            key = word.partition("=")[0].replace("/", ".")
            if "=" in word and key in _PORT_SETTINGS:
                found.setdefault(key, Note(f"{call.line.key}= sets {key} here", call.at))
    return Derived(tuple(found), tuple(found.values()))


def _calls(unit: Unit, *names: str) -> tuple["ExecCall", ...]:
    """The commands of the Exec lines that hold one of these names; few units do, and for the others no shell is read."""
    if not any(unit.says(name) for name in names):
        return ()
    from portwright.system.systemd.exec_calls import exec_calls

    return exec_calls(unit, *names)


def _lines(calls: Iterable["ExecCall"]) -> Derived[tuple[str, ...]]:
    found = {call.line.at: Note(f"{call.line.key}={call.line.value}", call.at) for call in calls}
    return Derived(tuple(note.text for note in found.values()), tuple(found.values()))


def _is_killing_fuser(call: "ExecCall") -> bool:
    """Signals are named in capitals, so a small k among the options is -k; a port has its protocol behind it or before all (-n)."""
    options = [word for word in call.words[1:] if word.startswith("-")]
    kills = any(word == "--kill" or (not word.startswith("--") and "k" in word) for word in options)
    a_port = any(word in ("tcp", "udp") or word.endswith(("/tcp", "/udp")) for word in call.words[1:])
    return call.program == "fuser" and kills and a_port


def _asks_lsof(call: "ExecCall") -> bool:
    """Whether it lists processes by port, connected ones too, not only listeners (-sTCP:LISTEN); in `$( )`, too, which is one word."""
    text = " ".join(call.words)
    by_port = "lsof" in text and ("-i" in text or "-ti" in text)
    return by_port and (call.program == "lsof" or "$(" in text or "`" in text) and "LISTEN" not in text


def _ignored(unit: Unit) -> tuple[Ignored, ...]:
    return ignored(unit) if unit.kind in ("service", "socket") else ()


def _ignored_note(unit: Unit, line: Ignored) -> str:
    written = f"{line.setting.key}={line.setting.value}"
    if line.key == "User" and unit.kind == "service" and unit.value("Service", "User") is None:
        return f"{written} is not read, so the service runs as root"
    return f"{written} is not read"


# ── of what connects ────────────────────────────────────────────────────────────────────────────────────────────────


@fact_value("outbound", "deployed")
def outbound_deployed(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether its daemon runs from boot; in a repository, where nothing says what is enabled, everything counts as deployed."""
    return Derived(outbound.starts == "boot" or (host.repository and outbound.starts is None))


# ── of open files ───────────────────────────────────────────────────────────────────────────────────────────────────


@fact_value("file-limit", "deployed")
def file_limit_deployed(host: Host, limit: FileLimit) -> Derived[bool]:
    """Whether its daemon runs from boot; in a repository, where nothing says what is enabled, everything counts as deployed."""
    return Derived(limit.starts == "boot" or (host.repository and limit.starts is None))


@fact_value("file-limit", "raising-it")
def raising_it(host: Host, limit: FileLimit) -> Derived[str]:
    """What raises its limit: the daemon's own setting where that one decides, LimitNOFILE= of its unit otherwise."""
    enough = (limit.needed + _FILES_BESIDES) // 1024 * 1024 + 1024
    if limit.own is not None:
        return Derived(f"raise {limit.own} to {enough} or more")
    return Derived(f"set LimitNOFILE={enough} or more for {limit.unit} in a drop-in")


@fact_value("file-limit", "limit-in-force")
def limit_in_force(host: Host, limit: FileLimit) -> Derived[int | None]:
    """How many files it may open in the end, with the line that decides; unknown where it may have as many as it asks for."""
    return Derived(limit.limit, (Note(f"{limit.decided}: {limit.limit}" if limit.decided_at is None else limit.decided, limit.decided_at),))
