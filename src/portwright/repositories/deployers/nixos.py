"""NixOS modules: kernel settings, units, files below /etc, what containers publish, and the ports that services are given."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.nix import Read, Set, Value, parse
from portwright.formats.parts import Bare, Items, String
from portwright.numbers import decimal, is_digits
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.literal import joined, lines, remarks
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
_PORTS = frozenset(("port", "ports", "http_port", "httpPort", "http-port", "listenPort", "webPort", "defaultListen"))
_ADDRESSES = ("host", "listenAddress", "bindAddress", "address", "bind", "listen", "http_addr")
# Below these a port is one of another service, or of another machine.
_OF_OTHERS = frozenset((
    "database", "db", "sql", "smtp", "mail", "mailer", "email", "ldap", "cache", "queue", "broker", "upstream", "remote", "relay",
    "proxy", "target", "peers", "peer", "client", "clients", "jails", "backend", "backends", "settings-remote", "redirect",
    "forward", "ssh", "firewall", "scrapeConfigs", "virtualHosts", "locations",
))  # fmt: skip
_PLAIN = lazy_regex(r"(?:(?:builtins\.)?toString )?\(?([A-Za-z_][\w'-]*)\)?")


@dataclass(frozen=True, slots=True)
class _Setting:
    """A value with the names that lead to it, and where the last of them stands."""

    names: tuple[str, ...]
    value: Value
    at: int


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
    read = parse(source)
    pages = Pages(label, _machine(label, checkout), cut=len(text) > LONGEST or read.cut)
    pages.understood |= remarks(text) | {number for number, row in enumerate(text.split("\n"), 1) if _is_import(row)}
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


def _port_of(value: Value) -> Value:
    """What a set has as its port; any other value is itself."""
    if isinstance(value, Set):
        return next((inside for names, inside, _ in value.pairs if names == ("port",)), value)
    return value


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
            elif names[:3] == ("virtualisation", "oci-containers", "containers") and len(names) == 5:
                groups.setdefault(names[:4], []).append(each)
            elif names[:1] == ("services",) and len(names) > 2:
                groups.setdefault(_service(names), []).append(each)
            elif names[:2] == ("networking", "firewall"):
                self._understood(each)
        for of, inside in groups.items():
            if of[0] == "virtualisation":
                self._container(of[3], inside)
            else:
                self._service(of, inside)
        for name, unit in self.units.items():
            service = self.units.get(name.removesuffix(".socket") + ".service")
            if unit.runs or (name.endswith(".socket") and service is not None and service.runs):
                self.pages.write(f"{_UNITS}/{name}", unit.lines())

    def _settings(self, value: Value, above: tuple[str, ...], depth: int) -> Iterator[_Setting]:
        """The settings of a module, and of those inside of another structure, as flakes have them."""
        if not isinstance(value, Set) or depth > _DEEPEST:
            return
        for names, inside, at in value.pairs:
            # What a name stands for is looked through at each of its places, and may have names in it.
            self.left -= 1
            if self.left <= 0:
                self.pages.cut = True
                return
            if not _ASIDE.isdisjoint(names):
                continue
            path = (*above, *names)
            start = next((i for i, name in enumerate(path) if name in _TOP), 0) if not above or above[0] not in _TOP else 0
            path = path[start:]
            if path[:3] == ("boot", "kernel", "sysctl"):
                self.pages.understood.add(self.source.span(at, at).line)
            inside = self._resolved(inside)
            if isinstance(inside, Set):
                yield from self._settings(inside, path, depth + 1)
            else:
                yield _Setting(path, inside, at)

    def _resolved(self, value: Value) -> Value:
        if isinstance(value, Bare) and value.text in self.read.names:
            found = self.read.names[value.text]
            return found if not isinstance(found, Bare) or is_digits(found.text) else value
        return value

    def _fill(self, expression: str) -> str | None:
        """What stands in a blank: a name that `let` gives a value, or the folder of a package's programs."""
        named = _PLAIN.fullmatch(expression)
        value = self.read.names.get(named[1]) if named is not None else None
        if isinstance(value, String):
            return None if any(part.filled for part in value.parts) else "".join(part.text for part in value.parts)
        if isinstance(value, Bare) and is_digits(value.text):
            return value.text
        if value is None and _PACKAGE.fullmatch(expression):
            return _PROGRAMS
        exe = _EXE.fullmatch(expression)
        return None if exe is None else f"{_PROGRAMS}/bin/{exe[2] or exe[1]}"

    def _text(self, value: Value) -> str:
        """A value in one line, U+FFFD where it is not known."""
        value = self._resolved(value)
        if isinstance(value, String):
            return joined(value.parts, self._fill)
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
        return found

    def _container(self, name: str, settings: list[_Setting]) -> None:
        """What a container publishes: a Compose file that says the same, one line for each port."""
        ports = next((each for each in settings if each.names[-1] == "ports"), None)
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
            if not names or names[-1] not in _PORTS or not _OF_OTHERS.isdisjoint(names) or UNKNOWN in "".join(setting.names):
                continue
            value = self._resolved(setting.value)
            if isinstance(value, Items):
                # Sockets as sets: `listen = [ { addr = "0.0.0.0"; port = 8080; } ]`.
                value = Items(tuple(_port_of(each) for each in value.values), value.at)
            for count, each in enumerate(value.values if isinstance(value, Items) else (value,)):
                port = self._text(each)
                # With which rights a service binds a low port is not known.
                if is_digits(port) and 1024 <= (decimal(port) or 0) < 65536:
                    self._guess(setting, names, own, each, port, f"-{count + 1}" if count else "")

    def _guess(
        self, setting: _Setting, names: tuple[str, ...], own: dict[tuple[str, ...], _Setting], each: Value, port: str, number: str
    ) -> None:
        line, column = self._place(each, setting)
        host = next((own[(*names[:-1], key)] for key in _ADDRESSES if (*names[:-1], key) in own), None)
        address = "" if host is None else self._text(host.value)
        option = ".".join(name for name in setting.names[:-1] if name.replace("-", "").replace("_", "").isalnum())
        begun = (
            f"ExecStart={_PROGRAMS}/bin/{option} "
            + (f"--host {address} " if address and address.replace(".", "").isalnum() else "")
            + "--port "
        )
        said = [Line("[Service]", self.source.path, line), Line(begun + port, self.source.path, line, column - 1 - len(begun))]
        self.pages.write(f"{_UNITS}/{option}{number}.service", said)


_TOP = frozenset(("boot", "environment", "systemd", "virtualisation", "services", "networking"))


def _service(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that say which service a setting is of: where there are several of a kind, each has its own `enable`."""
    return names[:4] if names[2:3] in (("exporters",), ("servers",), ("instances",)) else names[:2]
