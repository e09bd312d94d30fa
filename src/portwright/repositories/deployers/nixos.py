"""NixOS modules: kernel settings, units, files below /etc, what containers publish, and the ports that services are given."""

from collections.abc import Iterator
from itertools import zip_longest

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.nix import Read, Script, Set, Value
from portwright.formats.parts import Bare, Items, Part, String
from portwright.numbers import decimal, is_digits
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import nixos_names
from portwright.repositories.deployers.literal import Names, joined, lines, remarks
from portwright.repositories.deployers.placed import LONGEST, MOST_LINES, Deployed, Line, Pages
from portwright.source import Source
from portwright.system.spanned_text import UNKNOWN

_SETTINGS = "/etc/sysctl.d/60-nixos.conf"
_PROGRAMS = "/run/current-system/sw"
_UNITS = "/etc/systemd/system"
_OF_A_MACHINE = ("configuration.nix", "hardware-configuration.nix")
_DEEPEST = 64
# What is no setting of the machine that the module is for.
_ASIDE = frozenset(("options", "containers", "nodes", "user", "home-manager", "microvm", "testScript"))
_PACKAGE = lazy_regex(
    r"(?:pkgs|unstable|pkgs-unstable|self|inputs)(?:\.[\w'-]+)+|(?:cfg|config\.[\w.-]+)\.(?:package|finalPackage)|[\w'-]*[pP](?:kg|ackage)"
)
_EXE = lazy_regex(r"(?:lib\.)?getExe'? \(?(?:pkgs\.)?(?:[\w'-]+\.)*([\w'-]+)\)?(?: \"([\w.+-]+)\")?")
_PORT = lazy_regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OWN = frozenset((
    "default", "ssl", "tls", "http", "https", "listen", "web", "webui", "ui", "bind", "metrics", "api", "ldap", "ldaps", "rpc", "grpc",
    "admin", "secure", "server",
    "console", "management", "health", "tcp", "app",
))  # fmt: skip
"""Words before `port` in the name of a port that a service opens itself."""
_LISTENS = frozenset((
    "listen", "listenAddress", "listen_address", "listen-address", "listenAddr", "listen_addr", "listen-addr", "listen-http",
    "listenOn",
    "bind", "bindAddress", "bind_address", "bind-address", "bindAddr", "bind_addr", "http_addr", "httpAddress", "http_address",
    "httpListen", "defaultListen",
))  # fmt: skip
_WITH_PORT = lazy_regex(r"(?:tcp://|https?://)?([\w.*-]*|\[[0-9a-fA-F:.]+\]):([0-9]{2,5})/?")
_ADDRESSES = ("host", "listenAddress", "bindAddress", "address", "Address", "bind", "listen", "http_addr")
# Below these a port is one of another service, or of another machine.
_OF_OTHERS = frozenset((
    "database", "db", "sql", "smtp", "mail", "mailer", "email", "ldap", "cache", "queue", "broker", "upstream", "remote", "relay",
    "proxy", "target", "peers", "peer", "client", "clients", "jails", "backend", "backends", "settings-remote", "redirect",
    "forward", "ssh", "firewall", "scrapeConfigs", "virtualHosts", "locations", "provision", "datasources", "environmentVariables",
))  # fmt: skip
_OF_PORTS = lazy_regex(r"(?i)port|listen|bind|addr|:\ufffd|-p[ =]|^\ufffd")
_CALLS = lazy_regex(r"(?!.*(?:Exec|port|listen|sysctl)).*\bsystemctl\b")
_PLAIN = lazy_regex(r"(?:(?:lib\.)?(?:builtins\.|strings\.)?to(?:String|Int) )?\(?([A-Za-z_][\w'-]*(?:\.[A-Za-z_][\w'-]*){0,12})\)?")
_DESCRIBES = lazy_regex(r"\s*(?:description|type|example|defaultText)\s*=|\s*(?>[\w.\"-]*[pP]ort)[\w\"-]*+\s*=\s*(?:true|false)\s*;")


@dataclass(frozen=True, slots=True)
class _Setting:
    """A value with the names that lead to it, and where the last of them stands.

    `names` are those from an option of NixOS on, `whole` those before them, too.
    """

    names: tuple[str, ...]
    value: Value
    at: int
    whole: tuple[str, ...]


@dataclass
class _Unit:
    """The settings of one unit of `systemd.services` or `systemd.sockets`."""

    sections: dict[str, list[Line]] = field(default_factory=dict)
    runs: bool = False

    def add(self, section: str, more: list[Line]) -> None:
        self.sections.setdefault(section, []).extend(more)

    def lines(self) -> Iterator[Line]:
        for section, inside in sorted(self.sections.items(), key=lambda each: ("Unit", "Service", "Socket", "Install").index(each[0])):
            if inside:
                yield Line(f"[{section}]", inside[0].source, inside[0].number)
                yield from inside


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What a module puts on the machines that import it."""
    source = Source(label, text[:LONGEST])
    read = nixos_names.read(label, text, checkout)
    pages = Pages(label, _machine(label, checkout), cut=len(text) > LONGEST or read.cut)
    rows = enumerate(text.split("\n"), 1)
    pages.understood |= remarks(text) | {number for number, row in rows if _says_nothing(row)}
    # What `let` names counts where the name is used.
    pages.understood |= {source.span(value.at, value.at).line for value in read.names.values() if nixos_names.literal(value) is not None}
    for begun, end in read.options:
        pages.understood.update(range(source.span(begun, begun).line, source.span(end, end).line + 1))
    _Module(source, read, pages, checkout).take()
    return pages.deployed()


def _machine(label: str, checkout: Checkout) -> str:
    """The nearest folder with the hardware of one machine in it, "" where a module is for any."""
    folder = label.rpartition("/")[0]
    while folder:
        if any(checkout.has(f"{folder}/{name}") for name in _OF_A_MACHINE):
            return folder
        folder = folder.rpartition("/")[0]
    return ""


def _is_port(name: str) -> bool:
    """Whether the last of an option's names says that it is a port of the service's own: `port`, `http_port`, `APP_WEB_PORT`."""
    *above, last = [word.lower() for word in _PORT.findall(name)] or [""]
    return last in ("port", "ports") and all(word in _OWN for word in above[len(above) > 1 :])


def _port_of(value: Value) -> Value:
    """What a set has as its port; any other value is itself."""
    if isinstance(value, Set):
        return next((inside for names, inside, _ in value.pairs if names == ("port",)), value)
    return value


def _is_of_container(names: tuple[str, ...]) -> bool:
    return names[:3] == ("virtualisation", "oci-containers", "containers") and len(names) == 5


def _says_nothing(row: str) -> bool:
    """Whether a line sets nothing: what starts is said by units, whoever calls systemctl."""
    return _is_import(row) or _DESCRIBES.match(row) is not None or _CALLS.match(row) is not None


def _is_import(row: str) -> bool:
    """Whether a line only names other modules: `./sysctl.nix`, whose names speak of what is said there."""
    words = row.replace("[", " ").replace("]", " ").replace(";", " ").split()
    return all(word.startswith(("./", "../")) for word in words if word not in ("imports", "="))


class _Module:
    def __init__(self, source: Source, read: Read, pages: Pages, checkout: Checkout) -> None:
        self.source = source
        self.read = read
        self.pages = pages
        self.checkout = checkout
        self.units: dict[str, _Unit] = {}
        self.guesses: dict[str, list[_Guess]] = {}
        self.names = Names()
        asked = (value.text for value in read.names.values() if isinstance(value, Bare) and "." in value.text)
        self.asked = tuple(".".join((*nixos_names.shared(tuple(text.split("."))), "")) for text in asked)
        self.scripts: set[str] = set()
        self.left = MOST_LINES

    def take(self) -> None:
        """Everything that the module says, then the units that start something."""
        found = list(self._settings(self.read.value, (), 0))
        groups: dict[tuple[str, ...], list[_Setting]] = {}
        for each in found:
            names = each.names
            if names[:3] == ("boot", "kernel", "sysctl") and len(names) > 3:
                self._kernel(".".join(names[3:]), each)
            elif names[:2] == ("environment", "etc") and len(names) == 4:
                self._file(names[2], names[3], each)
            elif names[:2] in (("systemd", "services"), ("systemd", "sockets")) and len(names) > 3:
                self._unit(names[1][:-1], names[2], names[3:], each)
            elif _is_of_container(names):
                groups.setdefault(names[:4], []).append(each)
            elif names[-1] == "publishPorts" and len(names) > 1:
                name = next((name for name in names[-2::-1] if name != "containerConfig"), "container")
                groups.setdefault(("virtualisation", "quadlet", "containers", name), []).append(each)
            elif names[:1] == ("services",) and len(names) > 2:
                groups.setdefault(_service(names), []).append(each)
            elif self._is_used(each) or names[:2] == ("networking", "firewall") or names[:1] == ("programs",):
                self._understood(each)
        for of, inside in groups.items():
            if of[0] == "virtualisation":
                self._container(of[3], inside)
            else:
                self._service(of, inside)
        for name, guesses in self.guesses.items():
            self._start(name, guesses)
        for name, unit in self.units.items():
            service = self.units.get(name.removesuffix(".socket") + ".service")
            if unit.runs or (name.endswith(".socket") and service is not None and service.runs):
                self.pages.write(f"{_UNITS}/{name}", unit.lines())

    def _is_used(self, setting: _Setting) -> bool:
        """Whether this is a setting of the repository's own that others ask for by its name, so that what it does is read there."""
        path = ".".join(nixos_names.shared(setting.whole))
        return nixos_names.literal(setting.value) is not None and f"{path}.".startswith(self.asked)

    def _settings(self, value: Value, above: tuple[str, ...], depth: int, whole: tuple[str, ...] = ()) -> Iterator[_Setting]:
        """The settings of a module, and of those inside of another structure, as flakes have them."""
        if not isinstance(value, Set) or depth > _DEEPEST:
            return
        for names, inside, at in value.pairs:
            # What a name stands for is looked through at each of its places, and may have names in it.
            self.left -= 1
            if self.left <= 0:
                self.pages.cut = True
                return
            path = (*above, *names)
            start = next((i for i, name in enumerate(path) if name in _TOP), 0) if not above or above[0] not in _TOP else 0
            path = path[start:]
            if not _ASIDE.isdisjoint(names) and path[0] != "virtualisation":
                continue
            if path[:3] == ("boot", "kernel", "sysctl"):
                self.pages.understood.add(self.source.span(at, at).line)
            inside = self._resolved(inside)
            if isinstance(inside, Set):
                yield from self._settings(inside, path, depth + 1, (*whole, *names))
            else:
                yield _Setting(path, inside, at, (*whole, *names))

    def _resolved(self, value: Value) -> Value:
        if isinstance(value, Bare) and value.text in self.read.names:
            found = self.read.names[value.text]
            if not isinstance(found, Bare) or is_digits(found.text):
                return found
        if isinstance(value, Bare) and value.text and not is_digits(value.text) and value.text[0] not in "./<~":
            text = self._named(value.text)
            if text is not None:
                return Bare(text, value.at) if is_digits(text) else String((Part(text, value.at, exact=False),), value.at)
        return value

    def _named(self, name: str) -> str | None:
        """What a dotted name stands for in this repository."""
        found = self.names.text(name, lambda: nixos_names.resolved(name, self.read, self.checkout) or UNKNOWN)
        return None if found == UNKNOWN else found

    def _fill(self, expression: str) -> str | None:
        """What stands in a blank: a name that `let` gives a value, or the folder of a package's programs."""
        named = _PLAIN.fullmatch(expression)
        value = self.read.names.get(named[1]) if named is not None else None
        if isinstance(value, String):
            return None if any(part.filled for part in value.parts) else "".join(part.text for part in value.parts)
        if isinstance(value, Bare) and is_digits(value.text):
            return value.text
        if isinstance(value, Script):
            return self._script(value)
        if named is not None and (text := self._named(named[1])) is not None:
            return text
        if value is None and _PACKAGE.fullmatch(expression):
            return _PROGRAMS
        exe = _EXE.fullmatch(expression)
        if exe is not None and exe[2] is None and isinstance(script := self.read.names.get(exe[1]), Script):
            return self._script(script)
        return None if exe is None else f"{_PROGRAMS}/bin/{exe[2] or exe[1]}"

    def _text(self, value: Value) -> str:
        """A value in one line, U+FFFD where it is not known."""
        value = self._resolved(value)
        if isinstance(value, String):
            return joined(_with_programs(value.parts), self._fill)
        if isinstance(value, Script):
            return self._script(value)
        if isinstance(value, Bare):
            return {"true": "1", "false": "0"}.get(value.text) or (value.text if is_digits(value.text) else UNKNOWN)
        return UNKNOWN

    def _place(self, value: Value, setting: _Setting) -> tuple[int, int]:
        """(line, column) of what a reviewer looks for: the text of a string, else the name of what is set."""
        at = value.at if not isinstance(value, String) or not value.parts else value.parts[0].at
        span = self.source.span(at, at)
        name = self.source.span(setting.at, setting.at)
        return (span.line, span.column) if span.line >= name.line else (name.line, name.column)

    def _understood(self, setting: _Setting) -> None:
        self.pages.understood.add(self.source.span(setting.at, setting.at).line)

    def _kernel(self, key: str, setting: _Setting) -> None:
        if UNKNOWN in key or (isinstance(setting.value, Bare) and setting.value.text == "null"):
            return
        said = f"{key} = {self._text(setting.value)}".replace("\n", " ")
        at = self.source.span(setting.at, setting.at)
        line, shift = at.line, at.column - 1 + (self.source.text[setting.at : setting.at + 1] == '"')
        self.pages.write(_SETTINGS, [Line(said, self.source.path, line, shift)], append=True)

    def _file(self, name: str, what: str, setting: _Setting) -> None:
        if what == "text" and isinstance(setting.value, String):
            self.pages.write(f"/etc/{name}", lines(self.source, setting.value.parts, setting.value.indent, self._fill))
        elif what == "source" and isinstance(setting.value, Bare) and setting.value.text.startswith(("./", "../")):
            label = self.checkout.beside(self.source.path, setting.value.text)
            text = None if label is None else self.checkout.text(label)
            if label is not None and text is not None:
                self.pages.write(f"/etc/{name}", [Line(each, label, n) for n, each in enumerate(text.split("\n"), 1)], of=label)

    def _unit(self, kind: str, name: str, names: tuple[str, ...], setting: _Setting) -> None:
        """A setting of a unit as its line of the unit's file."""
        unit = self.units.setdefault(f"{name}.{kind}", _Unit())
        if UNKNOWN in name or "/" in name:
            return
        section = {"serviceConfig": "Service", "socketConfig": "Socket", "unitConfig": "Unit"}.get(names[0])
        if section is not None and len(names) == 2:
            unit.add(section, self._said(names[1], setting))
            unit.runs |= names[1] == "ExecStart"
        elif names[0] == "environment" and len(names) == 2:
            line, column = self._place(setting.value, setting)
            said = f'Environment="{names[1]}={self._text(setting.value)}"'.replace("\n", " ")
            unit.add("Service", [Line(said, self.source.path, line, column - 1 - len(f'Environment="{names[1]}='))])
        elif names == ("script",) and isinstance(setting.value, String):
            path = f"/nix/store/unit-script-{name}-start/bin/{name}-start"
            inside = lines(self.source, setting.value.parts, setting.value.indent, self._fill)
            line = self.source.span(setting.at, setting.at).line
            self.pages.write(path, [Line("#!/bin/sh", self.source.path, line), *inside])
            unit.add("Service", [Line(f"ExecStart={path}", self.source.path, line)])
            unit.runs = True
        elif names == ("wantedBy",):
            unit.add("Install", self._said("WantedBy", setting))
        elif names == ("listenStreams",):
            unit.add("Socket", self._said("ListenStream", setting))
            unit.runs = False

    def _script(self, script: Script) -> str:
        """The path at which a script lies in the store; it is written there."""
        name = script.name if script.name and "/" not in script.name and UNKNOWN not in script.name else "script"
        path = f"/nix/store/{script.at}-{name}/bin/{name}"
        if path not in self.scripts:
            self.scripts.add(path)
            line = self.source.span(script.at, script.at).line
            inside = lines(self.source, _with_programs(script.text.parts), script.text.indent, self._fill)
            self.pages.write(path, [Line("#!/bin/sh", self.source.path, line), *inside])
        return path

    def _said(self, key: str, setting: _Setting) -> list[Line]:
        """`KEY=value`, once for each of a list."""
        value = self._resolved(setting.value)
        found = []
        for each in value.values if isinstance(value, Items) else (value,):
            line, column = self._place(each, setting)
            text = self._text(each)
            if isinstance(each, Bare) and each.text in ("true", "false"):
                text = each.text
            if "\n" in text:
                text = text.strip().replace("\\\n", " ").replace("\n", " ")
            found.append(Line(f"{key}={text}", self.source.path, line, column - 1 - len(key) - 1))
            # A blank that names a file or a device says nothing of ports.
            if not _OF_PORTS.search(text):
                self.pages.understood.add(line)
        if found and all(line.number in self.pages.understood or UNKNOWN not in line.text for line in found):
            self._understood(setting)
        return found

    def _container(self, name: str, settings: list[_Setting]) -> None:
        """What a container publishes: a Compose file that says the same, one line for each port."""
        ports = next((each for each in settings if each.names[-1] in ("ports", "publishPorts")), None)
        value = self._resolved(ports.value) if ports is not None else None
        if ports is None or not isinstance(value, Items) or not value.values or UNKNOWN in name or ":" in name:
            return
        first = self.source.span(ports.at, ports.at).line
        said = [Line(text, self.source.path, first) for text in ("services:", f'  "{name}":', "    image: unknown", "    ports:")]
        for each in value.values:
            line, column = self._place(each, ports)
            text = self._text(each)
            if '"' not in text and "\n" not in text and UNKNOWN not in text:
                said.append(Line(f'    - "{text}"', self.source.path, line, column - 1 - 7))
        self.pages.write(f"/etc/containers/{name}/compose.yaml", said)

    def _service(self, of: tuple[str, ...], settings: list[_Setting]) -> None:
        """The ports of a service whose own module writes its unit: what starts is known by the name of the option alone."""
        own = {each.names[len(of) :]: each for each in settings}
        enabled = own.get(("enable",))
        if enabled is not None and isinstance(enabled.value, Bare) and enabled.value.text == "false":
            return
        for names, setting in own.items():
            if not _OF_OTHERS.isdisjoint(names):
                self._understood(setting)
            elif not names or UNKNOWN in "".join(setting.names):
                continue
            elif _is_port(names[-1]) or names[-1] in _LISTENS:
                self._ports(of, own, names, setting)

    def _ports(self, of: tuple[str, ...], own: dict[tuple[str, ...], _Setting], names: tuple[str, ...], setting: _Setting) -> None:
        value = self._resolved(setting.value)
        if isinstance(value, Items):
            # Sockets as sets: `listen = [ { addr = "0.0.0.0"; port = 8080; } ]`.
            value = Items(tuple(_port_of(each) for each in value.values), value.at)
        host = next((own[(*names[:-1], key)] for key in _ADDRESSES if (*names[:-1], key) in own and key != names[-1]), None)
        for each in value.values if isinstance(value, Items) else (value,):
            said = self._text(each)
            address, port = ("" if host is None else self._text(host.value)), said
            if (pair := _WITH_PORT.fullmatch(said)) is not None:
                address, port = pair[1], pair[2]
            elif not (_is_port(names[-1]) or isinstance(value, Items)):
                continue
            # With which rights a service binds a low port is not known.
            if is_digits(port) and 1024 <= (decimal(port) or 0) < 65536:
                line, column = self._place(each, setting)
                column += pair.start(2) if pair is not None and isinstance(each, String) else 0
                option = ".".join(name for name in of if name.replace("-", "").replace("_", "").isalnum())
                unit = _unit(of, names, own)
                address = address if address.replace(".", "").isalnum() else ""
                self.guesses.setdefault(unit or option, []).append(_Guess(option, address, port, line, column))

    def _start(self, name: str, guesses: list["_Guess"]) -> None:
        """The unit of a service as its own module may write it, with the settings that this one adds."""
        path = f"{name}.service"
        unit = self.units.get(path)
        if unit is not None and unit.runs:
            path, unit = f"{guesses[0].option}.service", None
        hosts = {each.address for each in guesses}
        start = f"ExecStart={_PROGRAMS}/bin/{guesses[0].option} " + (f"--host {host} " if len(hosts) == 1 and (host := min(hosts)) else "")
        said: list[Line] = []
        for count, each in enumerate(guesses, 1):
            is_apart = len(hosts) > 1 and each.address
            begun = ("" if said else start) + (f"--listen {each.address}:" if is_apart else "--port ")
            shift = each.column - 1 - len(begun) + (len(each.address) + 1 if is_apart else 0)
            goes_on = " \\" if count < len(guesses) else ""
            said.append(Line(f"{begun}{each.port}{goes_on}", self.source.path, each.line, shift))
        more = () if unit is None else unit.sections.get("Service", ())
        self.pages.write(f"{_UNITS}/{path}", [Line("[Service]", self.source.path, said[0].number), *more, *said])


@dataclass(frozen=True, slots=True)
class _Guess:
    """A port that a service is given, its address where one is said, and where the port stands."""

    option: str
    address: str
    port: str
    line: int
    column: int


_TOP = frozenset(("boot", "environment", "systemd", "virtualisation", "services", "networking"))


def _service(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that say which service a setting is of: where there are several of a kind, each has its own `enable`."""
    return names[:4] if names[2:3] in (("exporters",), ("servers",), ("instances",)) else names[:2]


_OTHERWISE = {
    "avahi": "avahi-daemon", "deluge": "deluged", "hydra": "hydra-server", "immich": "immich-server", "karakeep": "karakeep-web",
    "mastodon": "mastodon-web", "openssh": "sshd", "paperless": "paperless-web", "resolved": "systemd-resolved", "samba": "samba-smbd",
    "tailscale": "tailscaled",
}  # fmt: skip
"""Options whose units are called otherwise (nixpkgs, nixos/modules/services)."""


def _unit(of: tuple[str, ...], names: tuple[str, ...], own: dict[tuple[str, ...], _Setting]) -> str:
    """The unit, without its suffix, that NixOS makes of an option; "" where that cannot be told."""
    name = _OTHERWISE.get(of[1], of[1])
    if len(of) == 4:
        said = f"{of[1]}-{of[3]}-exporter" if of[2] == "exporters" else f"{name}-{of[3]}" if of[3] else name
    elif len(names) > 1 and (names[0], "enable") in own:
        said = names[0]
    else:
        said = name
    return said if said.replace("-", "").replace("_", "").replace(".", "").isalnum() else ""


def _with_programs(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of a string; whatever package a program is of, it is called as it stands behind its folder."""
    return tuple(
        Part(_PROGRAMS, part.at, exact=False)
        if part.filled and part.text and after.text.startswith(("/bin/", "/sbin/")) and not _IS_NAME.fullmatch(part.text)
        else part
        for part, after in zip_longest(parts, parts[1:], fillvalue=Part("", 0))
    )


_IS_NAME = lazy_regex(r"[A-Za-z_][\w'-]*")
