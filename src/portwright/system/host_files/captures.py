"""What a copied tree cannot hold: the lists in `.portwright/`, each as the usual command prints it, become maps and sets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, TypeVar

from portwright._start.records import dataclass, field
from portwright.ip import ip_address
from portwright.numbers import decimal, is_digits
from portwright.source import Span, Word
from portwright.trees import Files

_FOLDER = "/.portwright"
_DPKG = "/var/lib/dpkg/status"
_MOST_TROUBLE = 20
_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_,")
_FLAGS = frozenset("eip+-=")
_IPV6 = frozenset("0123456789abcdef:.")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Address:
    """An address of an interface, without zone or prefix; `scope` as ip-address(8) says it (global, link, host, ...)."""

    interface: str
    family: Literal["inet", "inet6"]
    address: str
    prefix: int
    scope: str
    at: Span

    @property
    def scoped(self) -> str:
        """The address as bind() wants it: a link-local IPv6 one with its interface, `fe80::1%eth0`."""
        return f"{self.address}%{self.interface}" if self.family == "inet6" and self.scope == "link" else self.address


@dataclass(frozen=True)
class Captured:
    """What commands printed on the host. A list that is missing is None, and then nothing is known of it; one that is there is complete.

    `filecaps` maps a path to its capabilities (`cap_net_bind_service=ep`), `setuid` holds paths, `packages` maps a name to its version
    (empty and `packages_known` false without a list), `kernel` is `uname -r`, `systemd` the release that `systemctl --version` says,
    `sysctl` maps dotted keys to running values with single blanks, `cmdline` holds the words of /proc/cmdline, `selinux` is what
    `getenforce` says, in lower case.
    """

    filecaps: Mapping[str, str] | None = None
    setuid: frozenset[str] | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    packages_known: bool = False
    kernel: str | None = None
    systemd: str | None = None
    addresses: tuple[Address, ...] | None = None
    sysctl: Mapping[str, Word] | None = None
    cmdline: tuple[Word, ...] | None = None
    selinux: Word | None = None

    @property
    def no_ipv6(self) -> Span | None:
        """Where the kernel was told to go without IPv6 altogether (Documentation/networking/ipv6.rst), None where it was not."""
        return without_ipv6(self.cmdline or ())


def without_ipv6(cmdline: Iterable[Word]) -> Span | None:
    """The word of a kernel command line that leaves IPv6 out, None where the last one about it does not."""
    found = None
    for word in cmdline:
        if word.text.startswith("ipv6.disable="):
            found = word.at if word.text == "ipv6.disable=1" else None
    return found


def captured(files: Files) -> Captured:
    """Read the lists that are there; a line that is not in its command's form is told to `files.trouble` and left out."""
    filecaps = _list(files, "filecaps", "a path and its capabilities, as `getcap -r` prints them", _capabilities)
    setuid = _list(files, "setuid", "an absolute path", _path)
    packages = _list(files, "packages", "a package's name and version", _package)
    if packages is None:
        packages = _installed(files) or _of_report(files, _PACKAGES, _reported_package) or _of_insights(files)
    kernel = _list(files, "kernel", "a kernel release, as `uname -r` prints it", _release)
    if kernel is None:
        kernel = _of_report(files, _KERNEL, _uname)
    systemd = _list(files, "systemd", "a release of systemd, as `systemctl --version` prints it", _systemd)
    cmdline = _list(files, "cmdline", "a kernel command line, as /proc/cmdline has it", _words)
    if cmdline is None:
        cmdline = _of_report(files, ("/proc/cmdline",), _words)
    selinux = _list(files, "selinux", "a mode of SELinux, as `getenforce` prints it", _mode)
    if selinux is None:
        selinux = _of_report(files, _SELINUX, _mode)
    return Captured(
        filecaps=None if filecaps is None else dict(filecaps),
        setuid=None if setuid is None else frozenset(setuid),
        packages=dict(packages or ()),
        packages_known=packages is not None,
        kernel=kernel[0] if kernel else None,
        systemd=systemd[0] if systemd else None,
        addresses=addresses(files),
        sysctl=_running(files),
        cmdline=None if cmdline is None else tuple(cmdline),
        selinux=selinux[0] if selinux else None,
    )


def addresses(files: Files) -> tuple[Address, ...] | None:
    """The addresses of the host's interfaces in the order of their list, None where nobody listed them."""
    found = _list(files, "addresses", "an address, as `ip -o addr` prints it", _address)
    if found is None:
        found = _of_report(files, _ADDRESSES, _address)
    if found is None:
        found = _of_blocks(files)
    return None if found is None else tuple(found)


class ProcSys(Mapping[str, Word]):
    """A captured or live /proc/sys: dotted key to running value, each file read when it is asked for.

    `folder` is the in-tree path of proc/sys. A dot within a name is written as `/` in the key, as sysctl(8) prints it.
    """

    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._folder = folder

    def __getitem__(self, key: str) -> Word:
        path = f"{self._folder}/{key.translate(_SWAPPED)}"
        source = self._files.read(path) if self._files.kind(path) == "file" else None
        if source is None:
            raise KeyError(key)
        return Word(" ".join(source.text.split()), source.span(0, len(source.text.rstrip("\n"))))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._files.kind(f"{self._folder}/{key.translate(_SWAPPED)}") == "file"

    def __iter__(self) -> Iterator[str]:
        todo = [""]
        while todo:
            place = todo.pop()
            kind = self._files.kind(f"{self._folder}{place}")
            if kind == "file":
                yield place[1:].translate(_SWAPPED)
            elif kind == "directory" and self._files.link(f"{self._folder}{place}") is None:
                todo.extend(f"{place}/{name}" for name in reversed(self._files.names(f"{self._folder}{place}")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


_SWAPPED = str.maketrans("./", "/.")


def _running(files: Files) -> Mapping[str, Word] | None:
    listed = _list(files, "sysctl", "key = value, as `sysctl -a` prints it", _setting)
    if listed is None:
        listed = _of_report(files, _SYSCTL, _setting)
    if listed is not None:
        running: dict[str, Word] = {}
        for key, value in listed:
            running.setdefault(key, value)  # a value of several lines is printed as several lines of its key
        return running
    for folder in (f"{_FOLDER}/proc/sys", "/proc/sys"):
        if files.kind(folder) == "directory":
            return ProcSys(files, folder)
    return None


def _installed(files: Files) -> list[tuple[str, str]] | None:
    """The packages that dpkg(1) has installed, None where there is no dpkg."""
    source = files.read(_DPKG) if files.kind(_DPKG) == "file" else None
    if source is None:
        return None
    found: list[tuple[str, str]] = []
    for paragraph in source.text.split("\n\n"):
        fields = {}
        for line in paragraph.split("\n"):
            key, colon, value = line.partition(": ")
            if colon and key in ("Package", "Status", "Version"):
                fields[key] = value.strip()
        if fields.get("Status", "").endswith(" installed") and "Package" in fields and "Version" in fields:
            found.append((fields["Package"], fields["Version"]))
    return found


def _list(files: Files, name: str, form: str, read: Callable[[str, Span], tuple[_T, ...] | None]) -> list[_T] | None:
    """What `read` takes from each line of a list, None where there is no such list; a line for which it says None is trouble."""
    path = f"{_FOLDER}/{name}"
    source = files.read(path) if files.kind(path) != "missing" else None
    if source is None:
        return None
    found: list[_T] = []
    odd = 0
    for number, text in enumerate(source.text.split("\n"), 1):
        if not text.strip():
            continue
        at = Span(source.path, number, 1, number, len(text) + 1)
        taken = read(text, at)
        if taken is not None:
            found += taken
            continue
        odd += 1
        if odd <= _MOST_TROUBLE:
            files.report_unreadable(at, f"not {form}")
    if odd > _MOST_TROUBLE:
        files.report_unreadable(Span.whole(source.path), f"{odd - _MOST_TROUBLE} more lines are not {form}")
    return found


def _of_report(files: Files, paths: tuple[str, ...], read: Callable[[str, Span], tuple[_T, ...] | None]) -> list[_T] | None:
    """The same of what sos(1) or a client of Insights kept of a command's output, None where it kept none.

    They add lines of their own, which are passed over.
    """
    for path in paths:
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None:
            continue
        found: list[_T] = []
        for number, text in enumerate(source.text.split("\n"), 1):
            if text.strip():
                found += read(text, Span(source.path, number, 1, number, len(text) + 1)) or ()
        return found
    return None


def _of_blocks(files: Files) -> list[Address] | None:
    """The addresses as `ip addr` prints them without -o: a line for each interface, and below it one for each of its addresses."""
    interface = ""

    def address(text: str, at: Span) -> tuple[Address, ...] | None:
        nonlocal interface
        words = text.split()
        if is_digits(words[0].removesuffix(":")) and len(words) > 1:
            interface = words[1].removesuffix(":")
            return ()
        return _address(f"1: {interface} {' '.join(words)}", at) if interface else None

    return _of_report(files, ("/insights_commands/ip_addr", "/sos_commands/networking/ip_-d_address"), address)


def _of_insights(files: Files) -> list[tuple[str, str]] | None:
    """The packages as a client of Insights asks rpm(8) for them: an object of JSON for each."""
    folder = "/insights_commands"
    name = next((name for name in files.names(folder) if name.startswith("rpm_-qa_--qf")), None)
    return None if name is None else _of_report(files, (f"{folder}/{name}",), _json_package)


_SYSCTL = ("/sos_commands/kernel/sysctl_-a", "/insights_commands/sysctl_-a")
_KERNEL = ("/sos_commands/kernel/uname_-a", "/uname", "/insights_commands/uname_-a")
_ADDRESSES = ("/sos_commands/networking/ip_-o_addr", "/ip_addr")
_PACKAGES = (
    "/sos_commands/dpkg/dpkg_-l", "/installed-debs", "/sos_commands/rpm/package-data", "/installed-rpms", "/insights_commands/dpkg_-l",
)  # fmt: skip
_SELINUX = ("/insights_commands/getenforce", "/sos_commands/selinux/sestatus", "/sos_commands/selinux/sestatus_-v")


# ── one line each: what it gives, () for nothing, None where it is in another form ──────────────────────────────────


def _capabilities(text: str, at: Span) -> tuple[tuple[str, str], ...] | None:
    """`/bin/ping cap_net_raw=ep`, before libcap 2.42 `/bin/ping = cap_net_raw+ep`; several clauses stand apart by blanks."""
    words = text.strip().split(" ")
    first = len(words)
    while first > 1 and (not words[first - 1] or _is_clause(words[first - 1])):
        first -= 1
    clauses = [word for word in words[first:] if word]
    if len(clauses) > 1 and clauses[0] == "=":  # alone it says: a set, and an empty one
        del clauses[0]
    return ((" ".join(words[:first]), " ".join(clauses)),) if clauses and words[0].startswith("/") else None


def _is_clause(text: str) -> bool:
    """cap_from_text(3): a list of names, an operator, flags; the list may be empty, which means all."""
    cut = min((at for at in map(text.find, "=+-") if at >= 0), default=-1)
    return cut >= 0 and _NAMES.issuperset(text[:cut]) and _FLAGS.issuperset(text[cut:])


def _path(text: str, at: Span) -> tuple[str, ...] | None:
    text = text.strip()
    return (text,) if text.startswith("/") else None


def _package(text: str, at: Span) -> tuple[tuple[str, str], ...] | None:
    """`nginx 1.22.1-9`; dpkg-query(1) adds `:amd64` to some names, and prints no version for a package that was removed."""
    words = text.split()
    if len(words) == 1 and text[-1] in " \t":
        return ()
    return ((words[0].partition(":")[0], words[1]),) if len(words) == 2 else None


def _release(text: str, at: Span) -> tuple[str, ...] | None:
    words = text.split()
    return tuple(words) if len(words) == 1 else None


def _systemd(text: str, at: Span) -> tuple[str, ...] | None:
    """`systemd 252 (252.39-1~deb12u1)`, or the release alone; the features below it (`+PAM -AUDIT`) say nothing here."""
    if text.startswith(("+", "-")):
        return ()
    words = text.removeprefix("systemd ").split()
    release = words[-1].strip("()") if words and len(words) < 3 else ""
    return (release,) if is_digits(release[:1]) else None


def _uname(text: str, at: Span) -> tuple[str, ...] | None:
    """The release of `uname -a`: Linux, the host's name, the release."""
    words = text.split()
    return (words[2],) if len(words) > 2 and words[0] == "Linux" else None


def _json_package(text: str, at: Span) -> tuple[tuple[str, str], ...] | None:
    import json  # few hosts are read from such a report

    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    fields = [said.get(key) for key in ("name", "version", "release")] if isinstance(said, dict) else []
    name, version, release = [field if isinstance(field, str) else "" for field in fields] or ["", "", ""]
    return ((name, f"{version}-{release}"),) if name and version else None


def _mode(text: str, at: Span) -> tuple[Word, ...] | None:
    """`Enforcing`, or of sestatus(8) `Current mode: enforcing` and `SELinux status: disabled`."""
    key, colon, value = text.partition(":")
    mode = (value if colon else key).strip().lower()
    asked = not colon or key.strip() in ("Current mode", "SELinux status")
    return (Word(mode, at),) if asked and mode in ("enforcing", "permissive", "disabled") else None


def _reported_package(text: str, at: Span) -> tuple[tuple[str, str], ...] | None:
    """A line of `dpkg -l` (`ii  nginx  1.22.1-9  amd64  ...`), or of `rpm -qa` (`nginx-1.20.1-9.el8.x86_64` and a date)."""
    words = text.split()
    if words[0] == "ii":
        return ((words[1].partition(":")[0], words[2]),) if len(words) > 2 else None
    name, dash, release = words[0].rpartition("-")
    name, other_dash, version = name.rpartition("-")
    return ((name, f"{version}-{release.rpartition('.')[0]}"),) if dash and other_dash and is_digits(version[:1]) else None


def _words(text: str, at: Span) -> tuple[Word, ...]:
    found = []
    position = 0
    for word in text.split():
        position = text.index(word, position)
        found.append(Word(word, Span(at.path, at.line, position + 1, at.line, position + len(word) + 1)))
        position += len(word)
    return tuple(found)


def _address(text: str, at: Span) -> tuple[Address, ...] | None:
    """`2: ens3    inet 10.0.0.7/24 brd 10.0.0.255 scope global ens3`, or `inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0`."""
    words = text.split()
    if len(words) < 4 or not words[0].endswith(":") or not is_digits(words[0][:-1]):
        return None
    interface, family = words[1].partition("@")[0], words[2]
    address, slash, length = words[3].partition("/")
    scope = words[words.index("scope") + 1 :][:1] if "scope" in words else []
    if family == "inet" and _is_ipv4(address):
        prefix = _length(length, 32) if slash else 32
        return None if prefix is None else (Address(interface, "inet", address, prefix, (scope or ["global"])[0], at),)
    if family == "inet6" and _is_ipv6(address):
        prefix = _length(length, 128) if slash else 128
        return None if prefix is None else (Address(interface, "inet6", address, prefix, (scope or ["global"])[0], at),)
    return None


def _setting(text: str, at: Span) -> tuple[tuple[str, Word], ...] | None:
    if text.startswith("sysctl: "):
        return ()  # "permission denied on key", where both outputs went into the list
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or " " in key or "\t" in key:
        return None
    start = len(text) - len(value.lstrip())
    end = max(start, len(text.rstrip()))
    return ((key, Word(" ".join(value.split()), Span(at.path, at.line, start + 1, at.line, end + 1))),)


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(_length(part, 255) is not None and (part == "0" or part[0] != "0") for part in parts)


def _is_ipv6(text: str) -> bool:
    # The letters first: ip_address() takes a scope, too, and its messages cost.
    if ":" not in text or not _IPV6.issuperset(text):
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _length(text: str, most: int) -> int | None:
    return decimal(text, most)
