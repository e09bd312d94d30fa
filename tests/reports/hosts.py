"""Hand-made inputs for reports: a host with findings of every kind, and a host with a crowded port space."""

from portwright._start.records import replace
from portwright.changes import GrantCapability, Manual, ReservePorts, SetSysctl
from portwright.coverage import Coverage, LeftOut, NotRead, NotUnderstood
from portwright.facts import (
    Assignment,
    FileLimit,
    Listener,
    Origin,
    Outbound,
    Overridden,
    Privileges,
    Protocol,
    Starts,
    Subject,
    Sysctl,
    Unit,
)
from portwright.finding import Allowed, Finding, HostResult, Note, RuleMeta, Severity
from portwright.host import Host
from portwright.ports import PortSet
from portwright.source import Source, Span, Unreadable

SITE = Source(
    "/etc/nginx/sites-enabled/shop",
    "# the shop\nserver {\n\tlisten 40000;\n\tlisten 0.0.0.0:40001 default_server;\n\tserver_name 例え.example;\n}\n",
)
SYSCTL = Source("/etc/sysctl.d/50-range.conf", "# room for the proxy\nnet.ipv4.ip_local_port_range = 32768 60999\n")
UNIT = Source(
    "/etc/systemd/system/intake.service",
    "[Unit]\nDescription=intake\n\n[Service]\nUser=intake\nExecStart=/opt/intake/bin/intake --listen 0.0.0.0:80 \\\n"
    + "".join(f"  --queue=/var/spool/intake/{name} \\\n" for name in ("one", "two", "three"))
    + "  --verbose\n",
)
SOURCES = {source.path: source for source in (SITE, SYSCTL, UNIT)}


def at(source: Source, text: str, nth: int = 0) -> Span:
    """The place of a text in a source: its first occurrence, or the one after so many others."""
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return source.span(start, start + len(text))


def card(id: str, severity: Severity = "high", family: str = "ephemeral") -> RuleMeta:
    return RuleMeta(
        id,
        family,
        f"title of {id}",
        severity,
        "The kernel may lend this port to an outgoing connection before the service binds it;\nthe service then fails to start.\n",
        ("https://docs.kernel.org/networking/ip-sysctl.html",),
    )


RANGE_NOTE = Note("the kernel lends ports from this range", at(SYSCTL, "32768 60999"))

IN_RANGE = Finding(
    card=card("listener-in-ephemeral-range"),
    message="nginx listens on 40000, which the kernel may hand to an outgoing connection",
    at=at(SITE, "40000"),
    subject=Subject("nginx.service", "nginx", "tcp", "*", 40000, 40000),
    confidence="certain",
    likelihood="high",
    likelihood_because="connect() assigns even ports first",
    notes=(RANGE_NOTE,),
    change=ReservePorts(PortSet.of(40000)),
    summary="reserve 40000 in net.ipv4.ip_local_reserved_ports",
)
ALSO_IN_RANGE = replace(
    IN_RANGE,
    message="nginx listens on 40001, which the kernel may hand to an outgoing connection",
    at=at(SITE, "0.0.0.0:40001"),
    subject=replace(IN_RANGE.subject, port=40001, end_port=40001, address="0.0.0.0"),  # noqa: S104  compared, never bound
    confidence="likely",
    likelihood="low",
    likelihood_because="connect() assigns odd ports only when half of the range is in use",
    notes=(RANGE_NOTE, Note("in this server", at(SITE, "server {")), Note("nothing reserves 40001")),
    change=ReservePorts(PortSet.of(40001)),
    summary="",
)
NO_CAPABILITY = Finding(
    card=card("low-port-without-capability", "medium", "privilege"),
    message="intake.service binds 80 as intake, who lacks CAP_NET_BIND_SERVICE",
    at=at(UNIT, "0.0.0.0:80"),
    subject=Subject("intake.service", "intake", "tcp", "0.0.0.0", 80, 80),  # noqa: S104
    confidence="certain",
    notes=(Note("runs as intake", at(UNIT, "intake", 1)), Note("this command", at(UNIT, UNIT.text[UNIT.text.index("/opt") :].rstrip()))),
    predicts="EACCES",
    change=GrantCapability("intake.service", "CAP_NET_BIND_SERVICE"),
    summary="give intake.service CAP_NET_BIND_SERVICE",
)
BY_HAND = Finding(
    card=card("listener-without-reuseaddr", "medium", "reuse"),
    message="intake binds 80 without SO_REUSEADDR",
    at=at(UNIT, "0.0.0.0:80"),
    subject=Subject("intake.service", "intake", "tcp", "0.0.0.0", 80, 80),  # noqa: S104
    confidence="possible",
    likelihood="medium",
    manual=Manual("the option is set in the program's own code", "set SO_REUSEADDR before bind()"),
)
OF_A_FILE = Finding(
    card=card("sysctl-loaders-disagree", "low", "sysctl"),
    message="the two loaders of sysctl files disagree about net.ipv4.tcp_tw_reuse",
    at=Span.whole("/etc/sysctl.conf"),
    subject=Subject(sysctl="net.ipv4.tcp_tw_reuse"),
    confidence="certain",
    change=SetSysctl("net.ipv4.tcp_tw_reuse", "2"),
    summary="set net.ipv4.tcp_tw_reuse = 2",
)

WEB1 = HostResult(
    host="web1",
    files_read=214,
    rules_checked=18,
    findings=(OF_A_FILE, BY_HAND, NO_CAPABILITY, ALSO_IN_RANGE, IN_RANGE),
    allowed=(Allowed("root-for-one-low-port", at(UNIT, "User"), "the intake opens a raw socket too"),),
    unreadable=(
        Unreadable(Span.whole("/etc/haproxy/haproxy.cfg"), "permission denied"),
        Unreadable(at(UNIT, "Description"), "unterminated quote"),
    ),
    sources=SOURCES,
)
COVERAGE = Coverage(
    not_understood=(
        NotUnderstood("app.service", "/opt/app/bin/app", Span("/etc/systemd/system/app.service", 2, 11, 2, 27), "nobody knows it"),
    ),
    left_out=(LeftOut("docs/app.service", "it lies in docs/, which contains documentation"),),
    not_read=(NotRead("Vagrantfile", "vagrant", "its text mentions ports, and Vagrantfiles are not read"),),
)
CLEAN = HostResult(host="web2", files_read=1, rules_checked=18)
EMPTY = HostResult(host="web0", files_read=0, rules_checked=18)


# ── a host of facts ─────────────────────────────────────────────────────────────────────────────────────────────────

_KERNEL = "built-in kernel defaults"


def listener(
    app: str,
    ports: tuple[int, int] | int | None,
    unit: str | None = None,
    protocol: Protocol = "tcp",
    address: str = "*",
    *,
    user: str | None = "root",
    starts: Starts | None = "boot",
    can_bind: bool | None = True,
    origin: Origin = "directive",
) -> Listener:
    """A listener said at line 5 of its daemon's file."""
    return Listener(
        at=Span(f"/etc/{app}/{app}.conf", 5, 10, 5, 15),
        app=app,
        unit=unit or f"{app}.service",
        protocol=protocol,
        address=address,
        ports=PortSet() if ports is None else PortSet.of(ports),
        origin=origin,
        starts=starts,
        random=ports is None,
        bind_user=user,
        can_bind=can_bind,
        reuse_address=True,
    )


def sysctl(key: str, value: str, path: str = _KERNEL, **more: str) -> Sysctl:
    """A kernel setting said at line 3 of a file; a default where no file is named."""
    place = Span(path, 3, len(key) + 4, 3, len(key) + 4 + len(value))
    return Sysctl(place, key, value, more.get("reload", value), place, running=more.get("running"), is_default=path == _KERNEL)


POSTGRES = listener("postgres", 5432, "postgresql@15-main.service", user="postgres")
POOLER = listener("pgbouncer", 5432, address="127.0.0.1", user="pgbouncer")
COLLISIONS = ((POSTGRES, POOLER),)

DB1 = Host(
    name="db1",
    listeners=(
        POOLER,
        POSTGRES,
        listener("sshd", 22, "ssh.service"),
        listener("nginx", 443),
        listener("nginx", 40000),
        listener("nginx", 41000),
        replace(
            listener("intake", 80, user="intake", can_bind=False, origin="argument"),
            error="EACCES",
            because="intake lacks CAP_NET_BIND_SERVICE",
            because_at=Span("/etc/systemd/system/intake.service", 5, 6, 5, 12),
        ),
        listener("systemd-resolved", 53, protocol="udp", address="127.0.0.53", user="systemd-resolve", origin="default"),
        listener("redis", 6379, "redis-server.service", user="redis"),
        replace(listener("cupsd", 631, "cups.socket", origin="socket-unit"), activates="cups.service"),
        listener("haproxy", (20000, 25000), user="root"),
        listener("java", 8443, "tomcat10.service", user="tomcat", starts="manual"),
        listener("turnserver", (49152, 65535), "coturn.service", "udp", user="turnserver", starts="demand"),
        listener("rpc.statd", None, "rpc-statd.service", "udp", address="0.0.0.0", user="statd"),  # noqa: S104
        replace(listener("vault", 40100, user=None), private_network=True, confidence="likely"),
        listener("rsync", 873, starts="never"),
    ),
    sysctls=(
        sysctl("net.ipv4.ip_local_port_range", "32768 60999", "/etc/sysctl.d/50-range.conf", reload="1024 65535", running="32768 60999"),
        replace(
            sysctl("net.ipv4.ip_local_reserved_ports", "41000,50000-51000", "/etc/sysctl.d/60-reserved.conf"),
            overridden=(Overridden("8080", Span("/etc/sysctl.d/10-old.conf", 1, 36, 1, 40), "a later file replaces it"),),
        ),
        sysctl("net.ipv4.ip_unprivileged_port_start", "1024"),
        sysctl("net.ipv4.tcp_tw_reuse", "2"),
        sysctl("kernel.printk", "4 4 1 7", "/etc/sysctl.d/10-console.conf"),
    ),
    assignments=(
        Assignment(Span("/etc/sysctl.d/99-x.conf", 2, 1, 2, 9), "net.ipv4.ip_local_port_range", "60999-32768", "rejected", "EINVAL"),
        Assignment(Span("/etc/sysctl.d/50-range.conf", 3, 1, 3, 9), "net.ipv4.ip_local_port_range", "32768 60999", "applied"),
    ),
    units=(
        Unit(
            "intake.service",
            Span.whole("/etc/systemd/system/intake.service"),
            ("/etc/systemd/system/intake.service", "/etc/systemd/system/intake.service.d/user.conf"),
            (),
            starts="boot",
            why="enabled by multi-user.target",
        ),
        Unit("cron.service", Span.whole("/lib/systemd/system/cron.service"), ("/lib/systemd/system/cron.service",), (), starts="boot"),
    ),
    outbounds=(Outbound(Span("/etc/nginx/nginx.conf", 9, 3, 9, 20), "nginx", "nginx.service", "upstream app", False, servers=2),),
    file_limits=(
        FileLimit(
            Span("/etc/nginx/nginx.conf", 3, 24, 3, 28),
            "nginx",
            "nginx.service",
            "worker_connections",
            4096,
            4096,
            2048,
            "LimitNOFILE=2048",
            Span("/etc/systemd/system/nginx.service.d/files.conf", 2, 13, 2, 17),
            "clients wait",
            starts="boot",
        ),
    ),
    unreadable=(Unreadable(Span.whole("/etc/redis/redis.conf"), "permission denied"),),
    files_read=96,
    privileges={
        "intake.service": Privileges(
            user="intake", uid0=False, ambient=frozenset({"CAP_SETUID", "CAP_CHOWN"}), bounding=frozenset({"CAP_SETUID", "CAP_CHOWN"})
        )
    },
)
