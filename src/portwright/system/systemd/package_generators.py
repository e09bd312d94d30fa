"""What the generators of packages make at each boot, for a tree that does not hold it: units, drop-ins and links from daemons' configs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from portwright._start.records import dataclass
from portwright.facts import Setting, Unit
from portwright.numbers import decimal
from portwright.source import Source, Span, Word
from portwright.system.systemd.unit_files import Link, is_unit_name
from portwright.trees import Files

if TYPE_CHECKING:
    from portwright.system.includes import Includes

_DIRECTORIES = ("/usr/lib/systemd/system-generators", "/lib/systemd/system-generators", "/usr/local/lib/systemd/system-generators")
_MASKING = ("/etc/systemd/system-generators", "/run/systemd/system-generators")
_OF_PACKAGES = _DIRECTORIES[:2]
_OWN = (*_MASKING, "/usr/local/lib/systemd/system-generators")
_MOST = 1000


@dataclass(frozen=True, slots=True)
class DropIn:
    """A drop-in that is made at boot: the name it is sorted by, the file it is made from, and what it says."""

    name: str
    made_from: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class Made:
    """What one generator makes: units, drop-ins by unit, and links by the unit that has them."""

    units: tuple[Unit, ...] = ()
    dropins: tuple[tuple[str, DropIn], ...] = ()
    links: tuple[tuple[str, Link], ...] = ()


def of_packages(files: Files, native: frozenset[str]) -> Iterator[Made]:
    """What each generator makes that is installed and known; `native` are the names that unit files or links stand for."""
    for name, generator in _GENERATORS.items():
        if _is_installed(name, files):
            yield generator(files, native)


def _is_installed(name: str, files: Files) -> bool:
    """systemd.generator(7): a link to /dev/null or an empty file of the name above it masks it."""
    for directory in _MASKING:
        path = f"{directory}/{name}"
        if files.kind(path) == "special" or (files.kind(path) == "file" and not files.head(path)):
            return False
    return any(files.kind(f"{directory}/{name}") == "file" for directory in _DIRECTORIES)


def of_nobody_known(files: Files) -> Iterator[str]:
    """The generators that an administrator installed: programs that make units before any is started, and nobody knows which."""
    for directory in _OWN:
        for name in files.names(directory):
            path = f"{directory}/{name}"
            if files.kind(path) == "file" and files.head(path) and files.resolve(path).rpartition("/")[0] not in _OF_PACKAGES:
                yield path


# ── ssh.socket of Ubuntu ────────────────────────────────────────────────────────────────────────────────────────────

_SSHD = "/etc/ssh/sshd_config"
_SSH_SOCKET = "ssh.socket"
_WILDCARDS = {"any": ("0.0.0.0", "[::]"), "inet": ("0.0.0.0",), "inet6": ("[::]",)}  # noqa: S104  compared with configs


def _ssh(files: Files, native: frozenset[str]) -> Made:
    """sshd-socket-generator of Ubuntu 22.10 and later: Port and ListenAddress of sshd_config become the addresses of ssh.socket.

    Where they say no more than the defaults, nothing is made. A Match block is not for listening.
    """
    if _SSH_SOCKET not in native or files.kind(_SSHD) != "file":
        return Made()
    from portwright.formats import words
    from portwright.system.includes import Includes

    reading = Includes(files, words.SSHD, "/etc/ssh", "sshd")
    said = _Ssh([], [], [])
    _read_sshd((_SSHD,), reading, said)
    if reading.broken or not (said.ports or said.addresses or said.family):
        return Made()
    family = said.family[0] if said.family else "any"
    ports = said.ports or [Word("22", (said.addresses or said.places)[0].at)]
    listen: list[Word] = []
    for port in ports if not said.addresses else ():
        listen += (Word(f"{address}:{port.text}", port.at) for address in _WILDCARDS.get(family, ()))
    for word in said.addresses:
        host, port_text = _host_and_port(word.text)
        if not host or (":" in host and family == "inet") or (":" not in host and family == "inet6"):
            continue
        shown = f"[{host}]" if ":" in host else host
        listen += (Word(f"{shown}:{port.text}", word.at) for port in ((Word(port_text, word.at),) if port_text else ports))
    if [word.text for word in listen] in ([], ["0.0.0.0:22", "[::]:22"]):
        return Made()
    first = Span.whole(files.tree.label(_SSHD))
    read = files.limited(listen, _MOST, "addresses", lambda word: word.at)
    settings = (Setting(first, first, "Socket", "ListenStream", ""), *(_listens(word) for word in read))
    return Made(dropins=((_SSH_SOCKET, DropIn("addresses.conf", first.path, settings)),))


@dataclass
class _Ssh:
    ports: list[Word]
    addresses: list[Word]
    places: list[Word]

    @property
    def family(self) -> list[str]:
        return [word.text.lower() for word in self.places]


def _read_sshd(chain: tuple[str, ...], reading: "Includes", said: _Ssh) -> None:
    for line in reading.lines(chain[-1]):
        keyword = line.keyword.text.lower()
        if keyword == "match":
            return
        if keyword == "include":
            for path in reading.included(line, chain):
                _read_sshd((*chain, path), reading, said)
        elif line.values and keyword == "port" and _is_port(line.values[0].text):
            said.ports.append(line.values[0])
        elif line.values and keyword == "listenaddress":
            said.addresses.append(line.values[0])
        elif line.values and keyword == "addressfamily":
            said.places.append(line.values[0])


def _is_port(text: str) -> bool:
    return bool(decimal(text, 65535))


def _host_and_port(text: str) -> tuple[str, str]:
    """ListenAddress of sshd_config(5): host, host:port, [v6]:port, a bare v6 address."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest[1:] if _is_port(rest[1:]) else ""
    if text.count(":") > 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port if _is_port(port) else ""


def _listens(word: Word) -> Setting:
    return Setting(word.at, word.at, "Socket", "ListenStream", word.text)


# ── sslh.socket ─────────────────────────────────────────────────────────────────────────────────────────────────────

_SSLH = ("/etc/sslh.cfg", "/etc/sslh/sslh.cfg")


def _sslh(files: Files, native: frozenset[str]) -> Made:
    """systemd-sslh-generator: each entry of `listen` in sslh.cfg becomes an address of sslh.socket, which sockets.target wants."""
    path = next((each for each in _SSLH if files.kind(each) == "file"), None)
    source = files.read(path) if path is not None else None
    if source is None or "sslh.socket" in native:
        return Made()
    at = Span.whole(source.path)
    listen = tuple(_listens(word) for word in files.limited(_sslh_listens(source), _MOST, "addresses", lambda word: word.at))
    if not listen:
        return Made()
    settings = (
        Setting(at, at, "Unit", "Before", "sslh.service"),
        Setting(at, at, "Socket", "FreeBind", "true"),
        *listen,
    )
    unit = Unit("sslh.socket", at, (at.path,), settings, "loaded", ("sslh.socket",))
    return Made(units=(unit,), links=(("sockets.target", Link("sslh.socket", "wants", source.path)),))


def _sslh_listens(source: Source) -> Iterator[Word]:
    """`host:port` of each group in `listen: ( { host: "a"; port: "b"; } );` of libconfig, at its port."""
    text = _without_remarks(source.text)
    start = text.find("listen")
    begin = text.find("(", start)
    end = text.find(")", begin)
    if start < 0 or begin < 0 or end < 0:
        return
    position = begin
    while True:
        left = text.find("{", position, end)
        right = text.find("}", left, end)
        if left < 0 or right < 0:
            return
        host, port = (_quoted(text, key, left, right) for key in ("host", "port"))
        if host is not None and port is not None:
            span = source.span(*port)
            yield Word(f"{text[host[0] : host[1]]}:{text[port[0] : port[1]]}", span)
        position = right + 1


def _without_remarks(text: str) -> str:
    """The text with blanks for the remarks to the end of a line, so that places stay."""
    lines = []
    for line in text.split("\n"):
        cut = min((at for at in (line.find("#"), line.find("//")) if at >= 0), default=len(line))
        lines.append(line[:cut] + " " * (len(line) - cut))
    return "\n".join(lines)


def _quoted(text: str, key: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the quoted value of a key lies between two places."""
    at = text.find(key, start, end)
    opening = text.find('"', at, end)
    closing = text.find('"', opening + 1, end)
    return None if at < 0 or opening < 0 or closing < 0 else (opening + 1, closing)


# ── instances: a link for each config ───────────────────────────────────────────────────────────────────────────────


def _postgresql(files: Files, native: frozenset[str]) -> Made:
    """Debian's postgresql-generator: postgresql.service wants an instance for each cluster whose start.conf says auto, or that has none."""
    return _instances(files, native, "postgresql.service", "postgresql@.service", _clusters(files))


def _clusters(files: Files) -> Iterator[tuple[str, str]]:
    root = "/etc/postgresql"
    for version in files.names(root):
        for cluster in files.names(f"{root}/{version}"):
            place = f"{root}/{version}/{cluster}"
            if files.kind(f"{place}/postgresql.conf") == "file" and _starts_by_itself(f"{place}/start.conf", files):
                yield f"{version}-{cluster}", f"{place}/postgresql.conf"


def _starts_by_itself(path: str, files: Files) -> bool:
    source = files.read(path) if files.kind(path) == "file" else None
    said = () if source is None else tuple(filter(None, (line.partition("#")[0].strip() for line in source.text.split("\n"))))
    return source is None or said == ("auto",)


def _openvpn(files: Files, native: frozenset[str]) -> Made:
    """Debian's openvpn-generator: AUTOSTART= of /etc/default/openvpn says for which of /etc/openvpn/*.conf there is an instance."""
    autostart = "all"
    path = "/etc/default/openvpn"
    source = files.read(path) if files.kind(path) == "file" else None
    for line in () if source is None else source.text.split("\n"):
        if line.startswith("AUTOSTART="):
            autostart = line[len("AUTOSTART=") :].strip().strip("\"'") or "all"
    if autostart == "none":
        return Made()
    there = [entry.removesuffix(".conf") for entry in files.names("/etc/openvpn") if entry.endswith(".conf")]
    chosen = there if autostart == "all" else [name for name in autostart.split() if name in there]
    return _instances(files, native, "openvpn.service", "openvpn@.service", ((name, f"/etc/openvpn/{name}.conf") for name in chosen))


def _tor(files: Files, native: frozenset[str]) -> Made:
    """Debian's tor-generator: tor.service wants the default instance, and one for each folder of /etc/tor/instances."""
    made: list[tuple[str, Link]] = []
    if files.kind("/etc/tor/torrc") == "file" and {"tor.service", "tor@default.service"} <= native:
        made.append(("tor.service", Link("tor@default.service", "wants", "/etc/tor/torrc")))
    root = "/etc/tor/instances"
    named = ((name, f"{root}/{name}/torrc") for name in files.names(root) if files.kind(f"{root}/{name}/torrc") == "file")
    return Made(links=(*made, *_instances(files, native, "tor.service", "tor@.service", named).links))


def _instances(files: Files, native: frozenset[str], by: str, template: str, named: Iterable[tuple[str, str]]) -> Made:
    """A link in `by`.wants for each name, with the config it is there for."""
    if not {by, template} <= native:
        return Made()
    prefix = template.removesuffix(".service")
    units = ((f"{prefix}{name}.service", path) for name, path in named)
    known = files.limited(units, _MOST, "instances", lambda unit: Span.whole(files.tree.label(unit[1])))
    return Made(links=tuple((by, Link(name, "wants", path)) for name, path in known if is_unit_name(name)))


_GENERATORS: Mapping[str, Callable[[Files, frozenset[str]], Made]] = {
    "openvpn-generator": _openvpn,
    "postgresql-generator": _postgresql,
    "sshd-socket-generator": _ssh,
    "systemd-sslh-generator": _sslh,
    "tor-generator": _tor,
}
