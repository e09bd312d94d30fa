"""MySQL and MariaDB: option files in their order and the command line become the sockets of the server, its X protocol and Galera."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Backlog, Confidence, Endpoint, FileNeed, Invocation, Origin, weakest
from portwright.formats.mycnf import parse
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.system.includes import MOST_FILES, MOST_REPEATED
from portwright.trees import Files

_FILES = ("/etc/my.cnf", "/etc/mysql/my.cnf")
_DEEPEST = 10  # max_recursion_level in my_default.c
_MOST_ADDRESSES = 256
_PORT, _ADMIN_PORT, _X_PORT, _GALERA_PORT = 3306, 33062, 33060, 4567
_SAFE = ("mysqld_safe", "mariadbd-safe", "safe_mysqld")
_STARTS_NOTHING = ("--help", "--version", "--print-defaults", "--initialize", "--bootstrap", "--install", "--remove", "--validate-config")
_SHORT = {"P": "port", "u": "user"}
_TRUE = frozenset(("on", "true", "1"))
_NUMBER = lazy_regex(r"([0-9]{1,10})([kKmMgG]?)")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_VERSION = lazy_regex(r"(?:[0-9]+:)?([0-9]{1,3})\.([0-9]{1,3})")
_MARIADB = ("mariadb-server", "mariadb-server-core", "MariaDB-server", "mariadb-server-10", "mariadb-server-11")
_MYSQL = ("mysql-server", "mysql-server-core", "mysql-community-server", "percona-server-server", "percona-xtradb-cluster-server")
_Settings = dict[str, tuple[Word | None, Origin, Span]]
_Port = tuple[int, Span, Origin]


class _Open(Protocol):
    """Makes the endpoint of a port on a host."""

    def __call__(self, port: _Port, host: str, why: str = "", sure: Confidence = "certain") -> Endpoint: ...


@dataclass(frozen=True, slots=True)
class _Product:
    """Which server this is, as far as its name, its packages or the host's files tell, and its version (two numbers) if known."""

    mariadb: bool
    version: tuple[int, int] | None
    confidence: Confidence

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of option files it reads (`mariadbd --help --verbose`)."""
        number = ".".join(map(str, self.version)) if self.version else ""
        names_ = ("mysqld", "mariadb", "mariadbd") if self.mariadb else ("mysqld",)
        versions = tuple(f"{name}-{number}" for name in names_) if number else ()
        return (*names_, "server", *versions, *(("client-server", "galera") if self.mariadb else ()))


@dataclass
class _Reading:
    files: Files
    groups: frozenset[str]
    settings: _Settings = field(default_factory=dict)
    broken: bool = False
    count: int = 0
    repeated: int = 0
    seen: set[str] = field(default_factory=set)

    def refuse(self, at: Span, reason: str) -> None:
        self.broken = True
        self.files.report_unreadable(at, f"mysqld does not start: {reason}")

    def read_file(self, path: str, chain: tuple[str, ...] = ()) -> bool:
        """Take the options of a file, includes in their place; False where it is missing."""
        source = self.files.read(path)
        self.count += 1
        if source is None:
            return False
        self.repeated += len(source.text) if path in self.seen else 0
        self.seen.add(path)
        options, wrong = parse(source)
        for line in wrong:
            if chain:
                self.files.report_unreadable(line.at, line.reason)  # measured: a mistake in an included file does not stop the server
            else:
                self.refuse(line.at, line.reason)
        for option in options:
            if option.key.text in ("!include", "!includedir") and option.value is not None:
                for each in self._included(option.key.text, option.value.text):
                    over = self.count >= MOST_FILES or self.repeated > MOST_REPEATED
                    if over or each in (*chain, path) or len(chain) >= _DEEPEST:
                        self.files.report_unreadable(
                            option.value.at, "a file includes itself, or too many include each other: not followed"
                        )
                    else:
                        self.read_file(each, (*chain, path))
            elif option.group.lower() in self.groups:
                self.take(option.key.text, option.value, "directive", option.key.at if option.value is None else option.value.at)
        return True

    def take(self, key: str, value: Word | None, origin: Origin, at: Span) -> None:
        """Set an option: `-` and `_` are the same, as is the case; a unique beginning of a name will do (bind-addr)."""
        name = key.replace("-", "_").lower().removeprefix("loose_")
        if name.startswith("bind"):
            name = "bind_address"
        for prefix, word in (("disable_", "OFF"), ("enable_", "ON")):
            if name.startswith(prefix):
                name, value = name.removeprefix(prefix), Word(word, at)
        if name.startswith("skip_") and name != "skip_networking":
            name, value = name.removeprefix("skip_"), Word("OFF", at)
        self.settings[name] = (value, origin, at)

    def _included(self, key: str, path: str) -> tuple[str, ...]:
        if key == "!include":
            return (path,)
        return tuple(f"{path.rstrip('/')}/{name}" for name in self.files.names(path) if name.endswith(".cnf"))

    def text(self, name: str, default: str = "") -> str:
        value = self.settings.get(name, (None,))[0]
        return default if value is None else value.text

    def is_on(self, name: str, default: bool = False) -> bool:
        """A switch: alone it is on, any value but ON, TRUE and 1 turns it off."""
        if name not in self.settings:
            return default
        value = self.settings[name][0]
        return value is None or value.text.lower() in _TRUE


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What one option file says on its own: nothing where no line of a server's names a port or an address."""
    invocation = Invocation(None, (Word("mysqld", Span.whole(path)),), Span.whole(path))
    product = _product(invocation, files, packages)
    if "mariadb" in path:
        product = replace(product, mariadb=True)
    reading = _Reading(files, frozenset(("mysqld", "server", "mariadb", "mariadbd")))
    if not reading.read_file(path) or reading.broken or not {"port", "bind_address"} & reading.settings.keys():
        return ()
    return tuple(_endpoints(reading, product, invocation, None))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a MariaDB or MySQL server; it changes to its user before it binds (measured with MariaDB 10.11)."""
    arguments = invocation.argv[1:]
    if any(word.text.startswith(_STARTS_NOTHING) or word.text in ("-V", "-?") for word in arguments) or invocation.sockets:
        return ()
    product = _product(invocation, files, packages)
    safe = invocation.program in _SAFE
    groups = (*product.groups, *(("mysqld_safe", "mariadb_safe", "mariadbd-safe") if safe else ()))
    first = dict(word.text.partition("=")[::2] for word in arguments if word.text.startswith(("--defaults-", "--no-defaults")))
    suffix = first.get("--defaults-group-suffix", "")
    if "\ufffd" in suffix:
        return ()  # a template: only its instances have groups
    reading = _Reading(files, frozenset((*groups, *(group + suffix.lower() for group in groups))))
    if "--defaults-file" in first:
        path = first["--defaults-file"]
        if not reading.read_file(path):
            files.report_missing(invocation.at, f"mysql does not start: {path} is not there")
            reading.broken = True
    elif "--no-defaults" not in first:
        for path in (*_FILES, *filter(None, (first.get("--defaults-extra-file"),))):
            reading.read_file(path)
    _take_arguments(arguments, reading)
    if reading.broken:
        return ()
    user = reading.text("user", "mysql" if safe else "")
    if invocation.privileges.uid0 and not user:
        files.report_unreadable(invocation.at, "mysqld does not start: as root it needs a user to change to")
        return ()
    binds_as = user if invocation.privileges.uid0 and user != "root" else None
    # mysqld_safe is a shell script that sets the limit itself.
    return (*_endpoints(reading, product, invocation, binds_as), *(() if safe else _files(reading, product)))


def _files(reading: _Reading, product: _Product) -> Iterator[FileNeed]:
    """init_common_variables() in mysqld.cc: it asks for five descriptors a connection; where it may not have them, it keeps what it has.

    Measured with MariaDB 10.11: 1024 are left of 1024:16384 with max_connections = 5000, and only the tables' cache is made smaller.
    """
    value, _, at = reading.settings.get("max_connections", (None, "default", None))
    most = _plain_count(reading.text("open_files_limit")) or 0
    count = None if value is None else _plain_count(value.text)
    if count and at is not None:
        yield FileNeed(
            at=at,
            app="mariadb" if product.mariadb else "mysql",
            setting="max_connections",
            connections=count,
            files=count + 1,
            otherwise="it lowers max_connections, or fails to open tables and connections beyond it",
            raises="all or nothing",
            asks=max(5 * (count + 1), most),
            confidence=product.confidence,
        )


def _plain_count(text: str) -> int | None:
    return decimal(text.strip(), 999_999_999)


def _take_arguments(arguments: Iterable[Word], reading: _Reading) -> None:
    rest = iter(arguments)
    for word in rest:
        if word.text.startswith("--") and not word.text.startswith(("--defaults-", "--no-defaults")):
            name, equals, value = word.text[2:].partition("=")
            given = Word(value, word.at) if equals else None
            if not equals and name.replace("-", "_") in ("port", "bind_address", "user", "extra_port"):
                given = next(rest, None)
            reading.take(name, given, "argument", word.at)
        elif word.text[:1] == "-" and word.text[1:2] in _SHORT:
            given = Word(word.text[2:], word.at) if len(word.text) > 2 else next(rest, None)
            if given is not None:
                reading.take(_SHORT[word.text[1]], given, "argument", given.at)


def _product(invocation: Invocation, files: Files, packages: Packages) -> _Product:
    """MariaDB or MySQL: a package tells surely, then the program's name or what it links to, then MariaDB's folder of options."""
    for mariadb, known in ((True, _MARIADB), (False, _MYSQL)):
        for package, version in packages.items():
            if package.startswith(known):
                found = _VERSION.match(version)
                return _Product(mariadb, (decimal(found[1]) or 0, decimal(found[2]) or 0) if found else None, "certain")
    program = invocation.argv[0].text
    real = files.resolve(program) if program.startswith("/") else program
    if "mariadb" in program or "mariadb" in real:
        return _Product(True, None, "certain")
    if any(
        files.kind(path) != "missing"
        for path in ("/etc/mysql/mariadb.conf.d", "/etc/mysql/mariadb.cnf", "/etc/my.cnf.d/mariadb-server.cnf")
    ):
        return _Product(True, None, "likely")
    return _Product(False, None, "likely")


# ── what it binds ───────────────────────────────────────────────────────────────────────────────────────────────────


def _endpoints(reading: _Reading, product: _Product, invocation: Invocation, binds_as: str | None) -> Iterator[Endpoint]:
    def open_(port: _Port, host: str, why: str = "", sure: Confidence = "certain") -> Endpoint:
        # MariaDB: a socket for each family, and IP_FREEBIND on all of them. MySQL: `*` and `::` are one dual-stack socket.
        wild = host == "*" or (host == "::" and not product.mariadb)
        return Endpoint(
            at=port[1],
            app="mariadb" if product.mariadb else "mysql",
            protocol="tcp",
            address=host,
            ports=PortSet.of(port[0]),
            origin=port[2],
            reuse_address=True,
            v6only=False if wild else True if ":" in host else None,
            free_bind=product.mariadb and not why,
            binds_as=binds_as,
            confidence=weakest(sure, product.confidence),
            why=why,
            ipv4_fallback=host == "*",
            backlog=None if why else Backlog.asked(reading.settings.get("back_log", (None,))[0]),
        )

    default = _PORT
    where: tuple[Span, Origin] = (invocation.at, "default")
    if "MYSQL_TCP_PORT" in invocation.environment:
        word = invocation.environment["MYSQL_TCP_PORT"]
        default, where = _plain_number(word.text) or _PORT, (word.at, "environment")
    if "bind_address" in reading.settings and where[1] == "default":
        where = (reading.settings["bind_address"][2], "default")
    port = _port(reading, "port", default, where)
    if port is None:
        return
    if not reading.is_on("skip_networking"):
        ports = [port if port[0] else (default, *where)]
        extra = _port(reading, "extra_port", 0, where)
        if extra is not None and extra[0]:
            ports.append(extra)
        for number in ports:
            for host, sure in _hosts(reading, "bind_address", product):
                yield open_(number, host, sure=sure)
        yield from _others(reading, product, invocation.at, open_)
    yield from _galera(reading, product, where, open_)


def _others(reading: _Reading, product: _Product, started: Span, open_: _Open) -> Iterator[Endpoint]:
    """MySQL's administrative socket, where it has an address, and its X protocol, which is on from 8.0."""
    if product.mariadb:
        return
    if reading.text("admin_address"):
        port = _port(reading, "admin_port", _ADMIN_PORT, (reading.settings["admin_address"][2], "default"))
        for host, sure in _hosts(reading, "admin_address", product) if port is not None else ():
            yield open_(port or (_ADMIN_PORT, started, "default"), host, sure=sure)
    # What a repository starts may be of any version: without a line about it, nothing there says that there is such a socket.
    said = any(name.startswith("mysqlx") for name in reading.settings)
    old = product.version < (8, 0) if product.version is not None else reading.files.partial and not said
    # bind_address does not hold for it, nor does MYSQL_TCP_PORT.
    _, _, at = reading.settings.get("mysqlx_bind_address") or reading.settings.get("mysqlx") or (None, "default", started)
    x = _port(reading, "mysqlx_port", _X_PORT, (at, "default"))
    if not old and x is not None and reading.is_on("mysqlx", default=True):
        for host, sure in _hosts(reading, "mysqlx_bind_address", product):
            yield open_(x, host, sure=sure if product.version else "likely")


def _galera(reading: _Reading, product: _Product, where: tuple[Span, Origin], open_: _Open) -> Iterator[Endpoint]:
    """Where Galera's group communication listens: gmcast.listen_addr, or base_port on all addresses (measured: IPv4 only)."""
    provider = reading.text("wsrep_provider").lower()
    if not reading.is_on("wsrep_on", default=not product.mariadb) or provider in ("", "none"):
        return
    options: dict[str, str] = {}
    for each in reading.text("wsrep_provider_options").split(";"):
        key, _, value = each.partition("=")
        options[key.strip()] = value.strip()
    listen = options.get("gmcast.listen_addr", "")
    host, number, at = "0.0.0.0", _plain_number(options.get("base_port", "")), reading.settings.get("wsrep_provider_options")  # noqa: S104
    if listen:
        host, number = _split(listen.partition("://")[2] or listen, number)
        host = "0.0.0.0" if host in ("", "*") else host  # noqa: S104
    elif not number and reading.text("wsrep_node_address"):
        number, at = _split(reading.text("wsrep_node_address"), None)[1], reading.settings["wsrep_node_address"]
    if number and at is not None:
        yield open_((number, at[2], at[1]), host, "Galera's group communication")
    else:
        yield open_((_GALERA_PORT, reading.settings["wsrep_provider"][2], "inferred"), host, "Galera's group communication")


def _split(text: str, default: int | None) -> tuple[str, int | None]:
    """Host and port of `host:port` or `[v6]:port`."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, _plain_number(rest.removeprefix(":")) or default
    host, _, port = text.partition(":")
    return host, _plain_number(port) or default


def _hosts(reading: _Reading, key: str, product: _Product) -> Iterator[tuple[str, Confidence]]:
    """(address, how sure) of a list of addresses; the wildcard is both families, in two sockets or in one."""
    parts = reading.text(key, "*").split(",", _MOST_ADDRESSES)
    if len(parts) > _MOST_ADDRESSES:
        reading.files.report_unreadable(reading.settings[key][2], f"more than {_MOST_ADDRESSES} addresses: the rest is left out")
    for part in parts[:_MOST_ADDRESSES]:
        name = part.strip()
        if "/" in name:
            continue  # MySQL 8: an address in another network namespace
        if name == "*" or (name == "::" and not product.mariadb):
            yield from ((address, "certain") for address in (("0.0.0.0", "::") if product.mariadb else ("*",)))  # noqa: S104
            continue
        known = names.addresses(name, reading.files)
        yield from ((address, "certain") for address in known)
        if not known and name:
            yield name, "possible"
        elif not name:
            reading.refuse(reading.settings[key][2], f"{key} is empty")


def _port(reading: _Reading, name: str, default: int, where: tuple[Span, Origin]) -> _Port | None:
    """A port with its place; None, and told, for a value that stops the server. What is too high becomes 65535 (measured)."""
    if name not in reading.settings:
        return default, *where
    value, origin, at = reading.settings[name]
    found = _NUMBER.fullmatch(value.text.strip()) if value is not None else None
    if found is None:
        reading.refuse(at, f"{name} takes a number")
        return None
    return min((decimal(found[1]) or 0) * _UNITS[found[2].lower()], 65535), at, origin


def _plain_number(text: str) -> int | None:
    return decimal(text.strip(), 65535) or None
