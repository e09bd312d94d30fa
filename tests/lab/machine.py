"""A Debian host that really boots: built once with mmdebstrap, copied for each run, started with systemd-nspawn, reached over ssh."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")

PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "iproute2", "procps", "socat", "openssh-server", "tar", "util-linux",
            "libcap2-bin", "nginx-light")  # fmt: skip
SUITE = os.environ.get("PORTWRIGHT_LAB_SUITE", "bookworm")

_NO_COLOR = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}


def base(packages: Sequence[str] = PACKAGES, suite: str = SUITE) -> Path:
    """The directory of a freshly installed Debian, built when it is not there yet ($PORTWRIGHT_LAB, else below the user's cache)."""
    cache = os.environ.get("PORTWRIGHT_LAB")
    if not cache:
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "portwright-lab")
    recipe = sha256(" ".join([suite, *packages]).encode()).hexdigest()[:12]
    built = Path(cache, f"{suite}-{recipe}")
    if not built.is_dir():
        Path(cache).mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix="part.", dir=cache))
        # apt's proxies and trust are this machine's own: mmdebstrap reads its /etc/apt.
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", suite, str(part / "root")]
        try:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            (part / "root").rename(built)
        finally:
            shutil.rmtree(part)
    return built


class Machine:
    """One host in a directory; on while it is booted. It has an interface `host0` whose other end is on this machine."""

    def __init__(self, root: Path, name: str, number: int) -> None:
        self.root = root
        self.name = name
        self.address = f"198.18.{number % 256}.2"  # RFC 2544: addresses for test labs
        self._outside = f"198.18.{number % 256}.1"
        self._label = f"pwlab{number}"
        self._link = f"ve-{self._label}"[:15]
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self.write({
            "/etc/hostname": f"{name}\n",
            "/etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n",
            "/etc/systemd/network/10-host0.network": f"[Match]\nName=host0\n[Network]\nAddress={self.address}/30\n",
            "/etc/machine-id": "uninitialized\n",
        })  # fmt: skip
        self.chroot("systemctl", "enable", "--quiet", "systemd-networkd.service", "ssh.service")

    def write(self, files: Mapping[str, str]) -> None:
        """Put files on the host; text that starts with `#!` becomes a program."""
        for path, text in files.items():
            place = self.place(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            place.chmod(0o755 if text.startswith("#!") else 0o644)

    def place(self, path: str) -> Path:
        """Where a path of the host lies on this machine. A link of the host leads to a file of the host, never to one of this machine."""
        command = ["chroot", str(self.root), "realpath", "--canonicalize-missing", "--", path]
        real = subprocess.run(command, check=True, env=_NO_COLOR, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout
        return self.root / real.rstrip("\n").lstrip("/")

    def chroot(self, *command: str) -> None:
        subprocess.run(["chroot", str(self.root), *command], check=True, env=_NO_COLOR, stdin=subprocess.DEVNULL)

    def boot(self) -> None:
        """Start it and wait until systemd says that the boot is over, well or not."""
        groups = list(_cgroups(self._label))

        def enter() -> None:
            os.setsid()
            for group in groups:
                (group / "cgroup.procs").write_text(str(os.getpid()))

        with open(self.root.parent / f"{self.name}.console", "ab") as console:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "-D", str(self.root), "-M", self._label, "--network-veth", "--register=no", "--keep-unit",
                 "--capability=all", "--resolv-conf=off", "--timezone=off", f"--hostname={self.name}", "-b"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=enter,
            )  # fmt: skip
        self._leader = _wait(f"the leader of {self.name}", self._find_leader)
        for command in (["addr", "add", f"{self._outside}/30", "dev", self._link], ["link", "set", self._link, "up"]):
            subprocess.run(["ip", *command], check=True)
        _wait(f"the boot of {self.name}", lambda: self.run("systemctl is-system-running").stdout.strip() in ("running", "degraded"))
        _wait(f"ssh of {self.name}", lambda: ":22" in self.run("ss -Hltn").stdout)

    def off(self) -> None:
        """Power it off, by force if it must be."""
        if self._nspawn is None:
            return
        self.run("systemctl poweroff")
        for ending in (signal.SIGTERM, signal.SIGKILL, None):
            try:
                self._nspawn.wait(40)
                break
            except subprocess.TimeoutExpired:
                if ending is not None:
                    self._nspawn.send_signal(ending)
        self._nspawn = None
        for group in _cgroups(self._label):
            for below in sorted((path for path, _, _ in os.walk(group)), reverse=True):
                with contextlib.suppress(OSError):
                    os.rmdir(below)

    def live(self, path: str) -> Path:
        """A path as the booted host sees it, what lives in its memory included."""
        return Path(f"/proc/{self._leader}/root", path.lstrip("/"))

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run a shell script on the booted host; standard error goes with the output."""
        return subprocess.run(self._inside(["sh", "-c", script]), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, env=_NO_COLOR, errors="replace", timeout=120, check=False)  # fmt: skip

    def start(self, command: Sequence[str]) -> "subprocess.Popen[str]":
        """Start a command on the booted host and leave it running, with pipes to it and from it."""
        return subprocess.Popen(self._inside(command), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_NO_COLOR)

    def _inside(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", "-t", str(self._leader), "-a", "--", *command]

    def _find_leader(self) -> int:
        """The container's PID 1: the child of nspawn that is PID 1 in a namespace of its own."""
        assert self._nspawn is not None
        if self._nspawn.poll() is not None:
            raise SystemExit(f"systemd-nspawn ended with {self._nspawn.returncode}: see {self.root.parent}/{self.name}.console")
        for child in Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{child}/status").read_text()
                if "\nName:\tsystemd\n" in f"\n{status}" and "\t1\n" in status.partition("NSpid:")[2].partition("\n")[0] + "\n":
                    return int(child)
        return 0


@contextlib.contextmanager
def machine(name: str, packages: Sequence[str] = PACKAGES, suite: str = SUITE, number: int = 0) -> Iterator[Machine]:
    """A host of its own in a copy of the base, switched off and removed in the end; of several each has its `number`."""
    where = Path(tempfile.mkdtemp(prefix="portwright-lab."))
    subprocess.run(["cp", "-a", "--reflink=auto", str(base(packages, suite)), str(where / name)], check=True)
    host = Machine(where / name, name, os.getpid() + number)
    try:
        yield host
    finally:
        host.off()
        shutil.rmtree(where)


def _cgroups(label: str) -> Iterator[Path]:
    """A group of its own for the container in each hierarchy that systemd knows; two containers in one would mix their units."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            group = Path(place, label)
            group.mkdir(exist_ok=True)
            yield group


def _wait(what: str, look: Callable[[], _T]) -> _T:
    """The first answer that is not empty."""
    deadline = time.monotonic() + 180  # a boot takes 15 s, and many times that where others keep the machine busy
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise SystemExit(f"waited in vain for {what}")
