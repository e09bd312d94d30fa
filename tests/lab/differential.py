"""What systemd says of every unit of a booted host, held against what portwright says from the same files: merged values must be equal."""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from portwright.facts import Unit
from portwright.system.host_files.capabilities import ALL, NAMES
from portwright.system.host_files.captures import captured
from portwright.system.sysctl.settle import boot_files
from portwright.system.systemd import environment
from portwright.system.systemd import socket_units as socket_unit
from portwright.system.systemd.activation import dependencies
from portwright.system.systemd.command_line import Command, commands
from portwright.system.systemd.privileges import unit_privileges
from portwright.system.systemd.units import Units, load
from portwright.trees import Files
from portwright.trees.directory import DirectoryTree
from tests.lab import machine

PACKAGES = (
    *machine.PACKAGES,
    "apache2", "avahi-daemon", "bind9", "chrony", "cron", "cups", "dnsmasq", "dovecot-imapd", "fail2ban", "freeradius", "haproxy",
    "isc-dhcp-server", "lighttpd", "mariadb-server", "memcached", "monit", "mosquitto", "munin-node", "nfs-kernel-server", "openbsd-inetd",
    "openvpn", "php8.2-fpm", "polkitd", "postfix", "postgresql", "prometheus-node-exporter", "redis-server", "rpcbind", "rsync", "samba",
    "slapd", "snmpd", "squid", "strongswan", "stubby", "supervisor", "systemd-container", "systemd-journal-remote", "systemd-resolved",
    "tftpd-hpa", "tinyproxy", "tor", "udev", "unbound", "uwsgi", "varnish", "vsftpd", "xymon-client",
)  # fmt: skip

_ETC, _USR = "/etc/systemd/system", "/usr/lib/systemd/system"
_ONCE = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true %n %i\n"
_WANTED = "\n[Install]\nWantedBy=multi-user.target\n"

# What no package ships: every kind of drop-in, alias, mask, template and reset.
UNITS = {
    f"{_ETC}/lab-a-b.service": f"{_ONCE}User=nobody\nEnvironment=A=1 'B=two words' C=%p\nAmbientCapabilities=CAP_NET_BIND_SERVICE{_WANTED}",
    f"{_ETC}/lab-a-b.service.d/50-own.conf": "[Service]\nEnvironment=A=2\nCapabilityBoundingSet=CAP_CHOWN\n",
    f"{_USR}/lab-a-b.service.d/10-vendor.conf": "[Service]\nEnvironment=A=3 D=4\nCapabilityBoundingSet=~CAP_SYS_ADMIN\n"
    "NoNewPrivileges=yes\n",
    f"{_ETC}/lab-.service.d/20-prefix.conf": "[Service]\nWorkingDirectory=/srv\nEnvironment=P=1\n",
    f"{_ETC}/lab-a-.service.d/20-prefix.conf": "[Service]\nWorkingDirectory=/tmp\n",
    f"{_ETC}/service.d/15-type.conf": "[Service]\nEnvironment=T=1\n",
    f"{_ETC}/lab-a-b.service.d/not-read.conf.off": "[Service]\nUser=root\n",
    f"{_ETC}/lab-t@.service": f"{_ONCE}User=%i{_WANTED}",
    f"{_ETC}/lab-t@.service.d/a.conf": "[Service]\nEnvironment=FROM=template I=%i\n",
    f"{_ETC}/lab-t@nobody.service.d/b.conf": "[Service]\nEnvironment=FROM=instance\nDynamicUser=no\n",
    f"{_ETC}/lab-reset.service": f"{_ONCE}User=nobody\nEnvironment=A=1\n{_WANTED}",
    f"{_ETC}/lab-reset.service.d/r.conf": "[Service]\nUser=\nEnvironment=\nPrivateNetwork=1\n"
    "ExecStart=\nExecStart=@/bin/true name \"a b\" ;  $A\n",
    f"{_ETC}/lab-alias.service": f"{_ONCE}{_WANTED}Alias=lab-other.service\nAlso=lab-also.service\n",
    f"{_ETC}/lab-also.service": f"{_ONCE}DynamicUser=yes{_WANTED}",
    f"{_ETC}/lab-other.service.d/o.conf": "[Service]\nEnvironment=BY=alias\n",
    f"{_ETC}/lab-masked.service.d/m.conf": "[Service]\nUser=root\n",
    f"{_ETC}/lab-typo.service": f"[Unit]\nUser=nobody\n{_ONCE}user=nobody\nPrivateUsers=yes{_WANTED}",
    f"{_ETC}/lab-never.service": f"[Unit]\nConditionPathExists=/etc/not-there\n{_ONCE}{_WANTED}",
    f"{_ETC}/lab-socket.socket": "[Socket]\nListenStream=7001\nListenDatagram=127.0.0.1:7002\nListenStream=[::1]:7003\n"
    "[Install]\nWantedBy=sockets.target\n",
    f"{_ETC}/lab-socket.socket.d/more.conf": "[Socket]\nListenStream=7004\nListenStream=0.0.0.0:7005\n",
    f"{_ETC}/lab-socket.service": "[Service]\nExecStart=/bin/cat\nPrivateNetwork=yes\n",
    f"{_ETC}/lab-moved.socket": "[Socket]\nListenStream=7011\nListenDatagram=7012\n\n[Install]\nWantedBy=sockets.target\n",
    f"{_ETC}/lab-moved.socket.d/reset.conf": "[Socket]\nListenStream=\nListenStream=7013\n",
    f"{_ETC}/lab-moved.service": "[Service]\nExecStart=/bin/cat\n",
    f"{_ETC}/lab-timer.timer": "[Timer]\nOnBootSec=1d\nUnit=lab-timed.service\n\n[Install]\nWantedBy=timers.target\n",
    f"{_ETC}/lab-timed.service": "[Service]\nExecStart=/bin/true\n",
    f"{_ETC}/lab-target.target": "[Unit]\nWants=lab-wanted.service\nRequires=lab-required.service\n"
    f"After=lab-required.service\n{_WANTED}",
    f"{_ETC}/lab-wanted.service": _ONCE,
    f"{_ETC}/lab-required.service": _ONCE,
    "/etc/init.d/lab-sysv": "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: lab-sysv\n# Required-Start: $network cron\n"
    "# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\nexit 0\n",
    # No clock answers in the lab, and some daemons stop slowly.
    "/etc/systemd/system/chrony-wait.service.d/lab.conf": "[Service]\nTimeoutStartSec=5s\n",
    "/etc/systemd/system.conf.d/lab.conf": "[Manager]\nDefaultTimeoutStartSec=20s\nDefaultTimeoutStopSec=5s\n",
    "/etc/sysctl.d/10-lab.conf": "net.ipv4.tcp_fin_timeout = 61\n",
    "/usr/lib/sysctl.d/90-lab.conf": "net.ipv4.tcp_fin_timeout = 62\n",
    "/etc/sysctl.d/50-default.conf": "",
}  # fmt: skip
_ENABLED = """lab-a-b.service lab-t@nobody.service lab-reset.service lab-alias.service lab-typo.service lab-never.service lab-socket.socket
    lab-moved.socket lab-timer.timer lab-target.target"""

# (property, units, what only systemd says, why). A row that explains nothing goes.
DIFFERENCES = (
    ("After", "*.service", "systemd-journald.socket", "what a service logs goes there (exec_context_add_default_dependencies())"),
    ("After", "*.service", "systemd-tmpfiles-setup.service", "PrivateTmp= and the unit's own directories need it"),
    ("After", "*.timer", "time-set.target time-sync.target", "calendar timers wait for the clock (systemd.timer(5))"),
    ("After", "shutdown.target", "*", "every unit is stopped before shutdown.target, which is no start order"),
    ("After", "*.service", "systemd-remount-fs.service", "directories systemd makes for it need a root that can be written to"),
    ("starts", "nfs*.service", "False", "the lab's kernel has no nfsd, whose mount fails and takes along what requires it"),
    ("starts", "rpc*", "False", "the lab's kernel has no rpc_pipefs, whose mount fails and takes along what requires it"),
    ("NoNewPrivileges", "*.service", "yes", "DynamicUser= sets it; portwright keeps what is written apart from what follows"),
    ("User", "*.service", "*", "DynamicUser= without User= takes the unit's name; portwright names it where it binds"),
)  # fmt: skip

_PROPERTIES = """Id Names LoadState FragmentPath DropInPaths ConditionTimestampMonotonic User Group DynamicUser AmbientCapabilities
    CapabilityBoundingSet NoNewPrivileges PrivateNetwork PrivateUsers Environment ExecStart WorkingDirectory After Requires Wants Listen"""
_KINDS = ("service", "socket", "target", "timer", "path")
_YES = ("1", "yes", "y", "true", "t", "on")


@dataclass(frozen=True)
class Shown:
    """What systemctl shows of one unit: each property's values in order."""

    properties: dict[str, list[str]]

    def one(self, name: str) -> str:
        return self.properties.get(name, [""])[0]

    def words(self, name: str) -> frozenset[str]:
        return frozenset(self.one(name).split())


def shown(text: str) -> Iterator[Shown]:
    """The units in the output of systemctl show: blocks of Name=value apart by an empty line."""
    for block in text.split("\n\n"):
        properties: dict[str, list[str]] = {}
        for line in block.strip("\n").split("\n"):
            name, equals, value = line.partition("=")
            if equals:
                properties.setdefault(name, []).append(value)
        if properties:
            yield Shown(properties)


# ── portwright's side ───────────────────────────────────────────────────────────────────────────────────────────────


class Ours:
    """The same properties from the files alone."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.units: Units = load(files)
        self._captured = captured(files)

    def of(self, name: str) -> Unit | None:
        return self.units.get(name)

    def text(self, unit: Unit, key: str) -> str:
        found = unit.value("Service", key)
        return "" if found is None else self.units.expand(found.value, unit)

    def flag(self, unit: Unit, key: str) -> str:
        return "yes" if self.text(unit, key).lower() in _YES else "no"

    def capabilities(self, unit: Unit) -> tuple[frozenset[str], frozenset[str]]:
        """(ambient, bounding)"""
        privileges = unit_privileges(unit, frozenset(), "/bin/true", self.files, self._captured, partial(self.units.expand, unit=unit))
        return privileges.ambient, ALL if privileges.bounding is None else privileges.bounding

    def environment(self, unit: Unit) -> frozenset[str]:
        """Environment= alone: systemctl does not show what files add."""
        plain = Unit(unit.name, unit.at, unit.files, tuple(s for s in unit.settings if s.key == "Environment"))
        found = environment.environment(plain, Files(self.files.tree), partial(self.units.expand, unit=unit))
        return frozenset(f"{name}={word.text}" for name, word in found.variables.items())

    def commands(self, unit: Unit) -> list[str]:
        expand = partial(self.units.expand, unit=unit)
        found = [each for setting in unit.each("Service", "ExecStart") for each in commands(setting, expand) if isinstance(each, Command)]
        return [" ".join(word.text for word in each.argv) for each in found]

    def pulls(self, unit: Unit, key: str) -> frozenset[str]:
        return frozenset(self._primary(name) for name, _ in dependencies(unit, key, self.units.expand))

    def _primary(self, name: str) -> str:
        known = self.units.get(name)
        return name if known is None else known.name

    def after(self, unit: Unit) -> frozenset[str]:
        return frozenset(self.units.after(unit.name))

    def sockets(self, unit: Unit) -> frozenset[str]:
        found = socket_unit.read(unit, self.units, Files(self.files.tree))
        kinds = {"tcp": "Stream", "udp": "Datagram"}
        return frozenset(f"{_address(each.address)}:{each.ports} ({kinds[each.protocol]})" for each in found)


def _address(address: str) -> str:
    return "[::]" if address == "*" else f"[{address}]" if ":" in address else address


# ── the comparison ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, order=True)
class Difference:
    """One property of one unit that the two see differently."""

    property: str
    unit: str
    theirs: str
    ours: str


def compare(theirs: Iterable[Shown], ours: Ours) -> Iterator[Difference]:
    """Every difference over all loaded units that files make."""
    theirs = list(theirs)
    loaded = frozenset(name for unit in theirs for name in unit.words("Names"))
    for unit in theirs:
        name = unit.one("Id")
        if name.rpartition(".")[2] not in _KINDS:
            continue
        known = ours.of(name)
        state = {"loaded": "loaded", "masked": "masked", "not-found": "missing"}.get(unit.one("LoadState"), unit.one("LoadState"))
        own = "missing" if known is None or known.name != name else known.state
        if state != own:
            yield Difference("LoadState", name, unit.one("LoadState"), own)
        if known is None or state != "loaded" or own != "loaded":
            continue
        for key, a, b in _values(unit, known, ours, loaded):
            if a != b:
                yield Difference(key, name, _only(a, b), _only(b, a))


def _only(these: object, those: object) -> str:
    if isinstance(these, frozenset) and isinstance(those, frozenset):
        return " ".join(sorted(these - those)) or "-"
    return str(these)


def _values(unit: Shown, known: Unit, ours: Ours, loaded: frozenset[str]) -> Iterator[tuple[str, object, object]]:
    """(property, systemd's value, ours) of one loaded unit."""
    text: Callable[[str], str] = unit.one
    yield "Names", unit.words("Names"), frozenset(known.names)
    yield "FragmentPath", _place(text("FragmentPath")), _place(known.files[0]) if known.at.path == known.files[0] else ""
    yield "DropInPaths", [_place(path) for path in text("DropInPaths").split()], [_place(path) for path in known.files[1:]]
    yield "Wants", unit.words("Wants") & ours.pulls(known, "Wants"), ours.pulls(known, "Wants")
    yield "Requires", unit.words("Requires") & ours.pulls(known, "Requires"), ours.pulls(known, "Requires")
    yield (
        "After",
        frozenset(other for other in unit.words("After") if other.endswith(_KINDS)),
        frozenset(other for other in ours.after(known) & loaded if other.endswith(_KINDS)),
    )
    tried = text("ConditionTimestampMonotonic") not in ("", "0")
    boots = known.starts == "boot" or (known.starts == "never" and bool(known.started_by))
    # A timer that counts from boot may go off after the lab has looked.
    later = known.starts == "demand" or all(other.endswith(".timer") for other in known.started_by or ("",))
    yield "starts", tried, tried if later else boots
    if known.kind == "socket":
        listens = (listen for listen in unit.properties.get("Listen", ()) if ":" in listen)
        yield "Listen", frozenset(each for each in listens if not each.startswith(("/", "@", "vsock"))), ours.sockets(known)
    if known.kind != "service":
        return
    for key in ("User", "Group"):
        if key == "User" or text("DynamicUser") == "no":
            yield key, text(key), ours.text(known, key)
    for key in ("DynamicUser", "NoNewPrivileges", "PrivateNetwork", "PrivateUsers"):
        yield key, text(key), ours.flag(known, key)
    ambient, bounding = ours.capabilities(known)
    yield "AmbientCapabilities", frozenset(text("AmbientCapabilities").upper().split()) & frozenset(NAMES), ambient
    yield "CapabilityBoundingSet", frozenset(text("CapabilityBoundingSet").upper().split()) & frozenset(NAMES), bounding
    yield "Environment", frozenset(shlex.split(text("Environment"))), ours.environment(known)
    yield "ExecStart", [_argv(each) for each in unit.properties.get("ExecStart", ())], ours.commands(known)
    yield "WorkingDirectory", text("WorkingDirectory").lstrip("!"), ours.text(known, "WorkingDirectory").removeprefix("-")


def _argv(text: str) -> str:
    return text.partition("argv[]=")[2].partition(" ; ignore_errors=")[0]


def _place(path: str) -> str:
    return f"/usr{path}" if path.startswith("/lib/") else path


def explained(found: Difference) -> list[tuple[str, str, str, str]]:
    """The rows of the table that explain a difference together, word for word; none where a word is left."""
    rows = [row for row in DIFFERENCES if row[0] == found.property and fnmatchcase(found.unit, row[1])]
    used = []
    for word in found.theirs.split():
        row = next((row for row in rows if any(fnmatchcase(word, glob) for glob in row[2].split())), None)
        if row is None:
            return []
        used.append(row)
    return used if found.ours in ("-", "no", "", "True") else []


# ── the host ────────────────────────────────────────────────────────────────────────────────────────────────────────


def keep_run(root: Path, live: Path) -> None:
    """Copy what generators made, which lives in memory on the booted host, to where a capture of the host has it."""
    for name in ("generator", "generator.early", "generator.late", "transient", "system", "system.control"):
        if (live / name).is_dir():
            shutil.copytree(live / name, root / "run/systemd" / name, symlinks=True, dirs_exist_ok=True)


def main() -> int:
    smoke = "--smoke" in sys.argv[1:]
    with machine.machine("many", machine.PACKAGES if smoke else PACKAGES) as host:
        host.write(UNITS)
        host.chroot("systemctl", "mask", "--quiet", "lab-masked.service")
        host.chroot("systemctl", "enable", "--quiet", *_ENABLED.split())
        host.chroot("update-rc.d", "lab-sysv", "defaults")
        host.boot()
        host.run("systemctl cat lab-masked.service lab-timed.service >/dev/null; systemctl daemon-reload")
        said = host.run(f"systemctl show --all -p {','.join(_PROPERTIES.split())} '*'").stdout
        config = host.run("systemd-analyze cat-config sysctl.d").stdout
        live = host.live("/run/systemd")
        keep_run(host.root, live)
        with DirectoryTree(str(host.root)) as tree:
            ours = Ours(Files(tree))
            theirs = list(shown(said))
            differences = sorted(compare(theirs, ours))
            order = [line.removeprefix("# ") for line in config.split("\n") if line.startswith("# /") and line.endswith(".conf")]
            read = list(boot_files(ours.files))
    print(f"{len(theirs)} units, {len(differences)} differences")
    wrong = [each for each in differences if not explained(each)]
    for each in wrong:
        print(f"{each.unit} {each.property}\n    systemd    {each.theirs}\n    portwright {each.ours}")
    # A small host lacks what some rows are about.
    stale = [] if smoke else [row for row in DIFFERENCES if row not in [each for found in differences for each in explained(found)]]
    for row in stale:
        print(f"explains nothing: {row[0]} of {row[1]}: {row[3]}")
    if [_place(path) for path in order] != [_place(path) for path in read]:
        print(f"sysctl.d is read in another order:\n    systemd    {order}\n    portwright {read}")
        return 1
    return 1 if wrong or stale else 0


if __name__ == "__main__":
    sys.exit(main())
