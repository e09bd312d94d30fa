"""PostgreSQL: its files and command line, or the cluster that Debian's pg_ctlcluster starts, become its sockets."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Confidence, Endpoint, Invocation, Origin
from portwright.formats import shell
from portwright.formats.postgresql import Setting, parse
from portwright.numbers import based, fraction
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.system.includes import MOST_FILES, MOST_REPEATED
from portwright.trees import Files

_PORT = 5432
_MOST_ADDRESSES = 64  # MAXLISTEN
_DEEPEST = 10  # CONF_FILE_MAX_DEPTH
_CLUSTERS = "/etc/postgresql"
_FLAGS = {"p": "port", "h": "listen_addresses", "i": "listen_addresses", "D": "data_directory"}
_WITH_ARGUMENT = "BbcCdDfhkNOprSstTvWx"  # postmaster.c, getopt()
_STARTS_NOTHING = ("--version", "--help", "--describe-config", "--single", "--boot", "--check", "-V", "-?", "-C", "--fork")
_NUMBER = lazy_regex(r"\+?(?:0x([0-9a-fA-F]{1,6})|(0[0-7]{0,8})|([0-9]{1,6}(?:\.[0-9]{0,9})?))")
_Settings = dict[str, tuple[Word, Origin]]


@dataclass
class _Reading:
    """What was read so far: the last word on each setting, and whether PostgreSQL refuses to start with it."""

    files: Files
    settings: _Settings = field(default_factory=dict)
    broken: bool = False
    count: int = 0
    repeated: int = 0
    seen: set[str] = field(default_factory=set)

    def refuse(self, at: Span, reason: str) -> None:
        self.broken = True
        self.files.report_unreadable(at, f"postgresql does not start: {reason}")

    def read_file(self, path: str, chain: tuple[str, ...] = ()) -> bool:
        """Take a file's settings, includes in their place; False where it is missing."""
        source = self.files.read(path)
        self.count += 1
        if source is None:
            return False
        self.repeated += len(source.text) if path in self.seen else 0
        self.seen.add(path)
        settings, wrong = parse(source)
        for line in wrong:
            self.refuse(line.at, line.reason)
        for setting in settings:
            name = setting.name.text.lower()
            if name in ("include", "include_if_exists", "include_dir"):
                for each in self._included(name, setting, path):
                    if each in (*chain, path) or len(chain) >= _DEEPEST:
                        self.refuse(setting.value.at, f"a file includes itself: {' includes '.join((*chain, path, each))}")
                    elif self.count >= MOST_FILES or self.repeated > MOST_REPEATED:
                        self.files.report_unreadable(setting.value.at, "too many files, or one too often: the rest is not read")
                    elif not self.read_file(each, (*chain, path)) and name == "include" and not self.files.partial:
                        self.refuse(setting.value.at, f"{each} is not there")
            else:
                self.settings[name] = (setting.value, "directive")
        return True

    def _included(self, name: str, setting: Setting, path: str) -> tuple[str, ...]:
        """The paths an include line leads to; they start from the directory of the file it stands in."""
        text = setting.value.text
        target = text if text.startswith("/") else f"{path.rpartition('/')[0]}/{text}"
        if name != "include_dir":
            return (target,)
        # Debian's is empty at first, and what copies a tree leaves empty directories out: one that is missing is no mistake.
        return tuple(f"{target.rstrip('/')}/{each}" for each in self.files.names(target) if each.endswith(".conf") and each[0] != ".")


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What one config says on its own: nothing where no line names a port or an address."""
    reading = _Reading(files)
    if not reading.read_file(path) or reading.broken or not {"port", "listen_addresses"} & reading.settings.keys():
        return ()
    return _endpoints(reading, Span.whole(path), None, "certain")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a PostgreSQL server, started as such, by pg_ctl, or as a cluster of Debian's."""
    reading = _Reading(files)
    arguments: tuple[Word, ...] | None = invocation.argv[1:]
    binds_as: str | None = None
    config: Word | None = None
    if invocation.program == "pg_ctlcluster":
        cluster = _cluster(invocation)
        if cluster is None:
            return ()
        config, arguments = cluster
        # pg_ctlcluster becomes the cluster's owner first (PgCommon.pm, change_ugid).
        binds_as = "postgres" if invocation.privileges.uid0 else None
        if files.kind(config.text) == "missing":
            files.report_missing(config.at, f"postgresql does not start: {config.text} is not there")
            return ()
    elif invocation.program == "pg_ctl":
        arguments = _of_pg_ctl(invocation.argv[1:])
    given = _options(arguments) if arguments is not None else None
    if given is None:
        return ()
    confidence = _settle(reading, given, config, invocation)
    if reading.broken:
        return ()
    return _endpoints(reading, invocation.at, binds_as, confidence)


def _settle(reading: _Reading, given: _Settings, config: Word | None, invocation: Invocation) -> Confidence:
    """Read the files, then postgresql.auto.conf of the data directory, and put what the command line says on top."""
    environment = invocation.environment
    data = given["data_directory"][0].text if "data_directory" in given else environment["PGDATA"].text if "PGDATA" in environment else ""
    confidence: Confidence = "certain"
    if "PGPORT" in environment:
        reading.settings["port"] = (environment["PGPORT"], "environment")
    if config is None and "config_file" in given:
        config = given["config_file"][0]
    path = config.text if config is not None else f"{data}/postgresql.conf"
    if "\ufffd" in path or not path.startswith("/") or not reading.read_file(path):
        if "@." not in (invocation.unit or ""):
            reading.files.report_missing(invocation.at, f"postgresql reads {path}, which is not there")
        confidence = "possible"
    if "data_directory" in reading.settings:
        data = reading.settings["data_directory"][0].text
    if data.startswith("/"):
        reading.read_file(f"{data}/postgresql.auto.conf")
    reading.settings.update(given)
    return confidence


# ── starting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cluster(invocation: Invocation) -> tuple[Word, tuple[Word, ...]] | None:
    """The config of `pg_ctlcluster [options] version-cluster start` and the options for postgres; None for other actions."""
    words: list[Word] = []
    options: list[Word] = []
    rest = iter(invocation.argv[1:])
    for word in rest:
        name, equals, value = word.text.partition("=")
        if name in ("-o", "--options"):
            given = Word(value, word.at) if equals else next(rest, None)
            options += _split(given) if given is not None else ()
        elif name in ("-m", "--mode", "--bindir"):
            if not equals:
                next(rest, None)
        elif word.text == "--":
            break
        elif not word.text.startswith("-"):
            words.append(word)
    match words:
        case [Word(text=text), action] if "-" in text:
            version, _, name = text.partition("-")
        case [Word(text=version), Word(text=name), action]:
            pass
        case _:
            return None
    if action.text not in ("start", "restart") or "\ufffd" in version + name:
        return None
    return Word(f"{_CLUSTERS}/{version}/{name}/postgresql.conf", words[0].at), tuple(options)


def _of_pg_ctl(argv: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """What pg_ctl starts postgres with: -D, and the words of every -o; None for other actions than start and restart."""
    found: list[Word] = []
    starts = False
    rest = iter(argv)
    for word in rest:
        name, equals, value = word.text.partition("=")
        if word.text in ("start", "restart"):
            starts = True
        elif name in ("--pgdata", "--options", "--log", "--mode", "--timeout") or (word.text[:2] in ("-D", "-o", "-l", "-m", "-t", "-p")):
            if name.startswith("--"):
                given = Word(value, word.at) if equals else next(rest, None)
                kind = {"--pgdata": "D", "--options": "o"}.get(name, "")
            else:
                given = Word(word.text[2:], word.at) if len(word.text) > 2 else next(rest, None)
                kind = word.text[1]
            if given is not None and kind == "D":
                found += (Word("-D", word.at), given)
            elif given is not None and kind == "o":
                found += _split(given)
    return tuple(found) if starts else None


def _split(word: Word) -> tuple[Word, ...]:
    """The words of shell text in one argument; each stands where the argument does."""
    arguments = [each for command in shell.parse(word.text).commands[:1] for each in command.words]
    texts = ("".join(part.text if isinstance(part, shell.Text) else "\ufffd" for part in each.parts) for each in arguments)
    return tuple(Word(text, word.at) for text in texts)


def _options(argv: tuple[Word, ...]) -> _Settings | None:
    """The settings of a command line, by name; None for a command that prints, checks or serves one user."""
    found: _Settings = {}
    rest = iter(argv)
    for word in rest:
        text = word.text
        if text.startswith(_STARTS_NOTHING):
            return None
        if text.startswith("--"):
            name, _, value = text[2:].partition("=")
            found[name.replace("-", "_").lower()] = (Word(value, word.at), "argument")
            continue
        if not text.startswith("-") or len(text) < 2:
            continue
        letter = text[1]
        if letter == "i":
            found["listen_addresses"] = (Word("*", word.at), "argument")
        if letter not in _WITH_ARGUMENT:
            continue
        given = Word(text[2:], word.at) if len(text) > 2 else next(rest, None)
        if given is None:
            return None
        if letter == "c":
            name, _, value = given.text.partition("=")
            found[name.replace("-", "_").lower()] = (Word(value.strip("'\""), given.at), "argument")
        elif letter in _FLAGS:
            found[_FLAGS[letter]] = (given, "argument")
    return found


# ── what it binds ───────────────────────────────────────────────────────────────────────────────────────────────────


def _endpoints(reading: _Reading, at: Span, binds_as: str | None, confidence: Confidence) -> tuple[DaemonFact, ...]:
    port, port_at = _PORT, at
    origin: Origin = "default"
    if "port" in reading.settings:
        word, origin = reading.settings["port"]
        number = _number(word.text)
        if number is None or not 1 <= number <= 65535:
            reading.refuse(word.at, f"port takes a number from 1 to 65535, not {word.text}")
            return ()
        port, port_at = number, word.at
    elif "listen_addresses" in reading.settings:
        port_at = reading.settings["listen_addresses"][0].at
    addresses = _addresses(reading)
    said = reading.settings["listen_addresses"][0].text if "listen_addresses" in reading.settings else ""
    written = {part.strip().strip('"') for part in said.split(",")}
    return tuple(
        Endpoint(
            at=port_at,
            app="postgresql",
            protocol="tcp",
            address=address,
            ports=PortSet.of(port),
            origin=origin,
            reuse_address=True,  # pqcomm.c, StreamServerPort(): SO_REUSEADDR, and IPV6_V6ONLY on every IPv6 socket
            v6only=True if ":" in address else None,
            binds_as=binds_as,
            confidence=confidence if sure else "possible",
            # It goes on while one of them can be bound; one that is written and that the host lacks is logged as an error.
            optional=len(addresses) > 1 and not is_written,
            survives_conflict=len(addresses) > 1 and is_written,
        )
        for address, sure in addresses.items()
        for is_written in (address in written,)
    )


def _addresses(reading: _Reading) -> dict[str, bool]:
    """Each address, and whether that is sure; what a socket before it covers already is left out: PostgreSQL goes on without it."""
    text = reading.settings["listen_addresses"][0].text if "listen_addresses" in reading.settings else "localhost"
    found: dict[str, bool] = {}
    families: set[bool] = set()
    wildcards: set[bool] = set()
    for part in text.split(","):
        name = part.strip().strip('"')
        known = ("0.0.0.0", "::") if name == "*" else names.addresses(name, reading.files)  # noqa: S104
        for address in known or ((name,) if name else ()):
            six = ":" in address
            wild = address in ("0.0.0.0", "::")  # noqa: S104
            if address in found or six in wildcards or (wild and six in families):
                continue
            if len(found) >= _MOST_ADDRESSES:
                reading.files.report_unreadable(
                    reading.settings["listen_addresses"][0].at, f"more than {_MOST_ADDRESSES} addresses: the rest is left out"
                )
                return found
            found[address] = bool(known)
            families.add(six)
            wildcards |= {six} if wild else set()
    return found


def _number(text: str) -> int | None:
    """A number as parse_int() in guc.c takes it: strtol(3) with any base, or a fraction, rounded; None for anything else."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    if found[1] is not None:
        return based(found[1], 16)
    return based(found[2], 8) if found[2] is not None else round(fraction(found[3]) or 0)
