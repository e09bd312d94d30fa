"""uWSGI: sockets named on its command line, in UWSGI_ variables and in ini files become endpoints."""

from collections.abc import Iterator, Mapping

from portwright._start.records import dataclass, field, replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, Given, halves
from portwright.facts import Backlog, Endpoint, Invocation, Origin
from portwright.formats import sections
from portwright.source import Word
from portwright.system.processes.options import cut
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.system.systemd import environment
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

# Options that open a TCP socket where their value has a colon, and a Unix socket where it has none.
_SOCKETS = (
    "fastcgi-socket", "fastcgi-nph-socket", "fastrouter", "http", "http11-socket", "http-router", "http-socket", "http-socket-modifier1",
    "https", "https2", "https-socket", "puwsgi-socket", "raw-socket", "rawrouter", "scgi-nph-socket", "scgi-socket", "socket",
    "sslrouter", "stats", "stats-server", "suwsgi-socket", "upd-socket", "uwsgi-socket", "uwsgi-frame-socket",
)  # fmt: skip
_SHORT = {"-s": "socket", "-l": "listen"}
_BACKLOG = 100
_INCLUDES = ("ini", "include", "inherit", "config")
_OTHER_CONFIGS = ("yaml", "yml", "xml", "json", "sqlite3", "ldap")
_VALUED = frozenset(
    (
        *(f"--{name}" for name in (*_SOCKETS, *_INCLUDES, *_OTHER_CONFIGS)), "-s", "-y", "-x", "-j", "-w", "-H", "-M", "-p", "-t", "-l",
        "--chdir", "--module", "--wsgi-file", "--plugin", "--plugins", "--processes", "--workers", "--threads", "--set", "--uid",
        "--gid", "--listen", "--master-fifo", "--pidfile", "--daemonize", "--logto", "--home", "--virtualenv", "--callable", "--mount",
        "--env", "--pythonpath",
    )
) - {"-M"}  # fmt: skip
_SCRIPT = "/etc/init.d/uwsgi"
_DEFAULTS, _INHERITED, _APPS = "/etc/default/uwsgi", "/usr/share/uwsgi/conf/default.ini", "/etc/uwsgi/apps-enabled/*.ini"
_DEEPEST = 8
_MOST_FILES = 64


@dataclass
class _Reading:
    """The configuration of one uWSGI: what is set so far, the sockets found, the files read."""

    invocation: Invocation
    files: Files
    values: dict[str, str] = field(default_factory=dict)
    sockets: list[tuple[str, Given]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    reuse_port: bool = False
    listen: Word | None = None


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """Every TCP socket of a uWSGI; an address without a port is a Unix socket's path (uwsgi-docs, Options)."""
    if invocation.argv[0].text == _SCRIPT:
        return _of_script(invocation, files)
    reading = _Reading(invocation, files)
    options = options_of(invocation.argv[1:], _VALUED)
    for name, value in options.given:
        _set(reading, _SHORT.get(name, name.removeprefix("--")), value, "argument", 0)
    for word in options.operands:
        if word.text.partition(":")[0].endswith((".ini", ".yaml", ".yml", ".xml", ".json")):
            _set(reading, word.text.partition(":")[0].rpartition(".")[2], word, "argument", 0)
    for variable, word in sorted(invocation.environment.items()):
        if variable.startswith("UWSGI_"):
            _set(reading, variable.removeprefix("UWSGI_").lower().replace("_", "-"), word, "environment", 0)
    binder = replace(Binder("uwsgi", words=("",)), reuse_port=reading.reuse_port, backlog=Backlog.asked(reading.listen, _BACKLOG))
    return tuple(dict.fromkeys(endpoint for _, given in reading.sockets for endpoint in _bound(given, binder, files)))


def _of_script(invocation: Invocation, files: Files) -> tuple[DaemonFact, ...]:
    """What Debian's init script starts: a uWSGI for each file in apps-enabled, with the packaged settings below its own."""
    settings = files.read(_DEFAULTS) if files.kind(_DEFAULTS) == "file" else None
    variables = {} if settings is None else {name.text: value for name, value in environment.parse(settings).assignments}
    on = variables.get("RUN_AT_STARTUP")
    if (on is not None and on.text == "no") or "start" not in [word.text for word in invocation.argv[1:]]:
        return ()
    inherited = variables.get("INHERITED_CONFIG") or Word(_INHERITED, invocation.at)
    found: list[DaemonFact] = []
    try:
        apps = expand(_APPS, files)
    except TooMany:
        files.report_unreadable(invocation.at, "too many files match")
        return ()
    for path in files.limited(apps, _MOST_FILES, "applications of uwsgi", lambda _: invocation.at):
        if files.kind(path) == "file":
            program, option, app = (Word(text, invocation.at) for text in ("uwsgi", "--ini", path))
            found += read(replace(invocation, argv=(program, option, inherited, option, app)), files, {})
    return tuple(dict.fromkeys(found))


def _bound(given: Given, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    """`address:port`, perhaps with `,certificate,key` behind; `=0` is a shared socket."""
    word = Word(given.text, given.at)
    comma = word.text.find(",")
    host, port = halves(word if comma < 0 else cut(word, 0, comma))
    if port is None or word.text.startswith(("=", "/", "@", "fd://")):
        return ()
    return binder.bind(Given(host.text, given.at, given.origin), Given(port.text, port.at, given.origin), files)


def _set(reading: _Reading, key: str, value: Word | None, origin: Origin, depth: int) -> None:
    if key == "reuse-port":
        reading.reuse_port = value is None or value.text.lower() not in ("false", "0", "no", "off")
    if value is None:
        return
    if key == "listen":
        reading.listen = value
    if key in ("set", "set-placeholder", "set-ph"):
        name, _, text = value.text.partition("=")
        reading.values[name] = text
    reading.values.setdefault(key, value.text)
    if key in _SOCKETS:
        reading.sockets.append((key, Given(value.text, value.at, origin)))
    elif key in _OTHER_CONFIGS:
        reading.files.report_unreadable(value.at, "a configuration of uwsgi that is no ini file is not read")
    elif key in _INCLUDES:
        for name, word in _settings(reading, value, depth):
            _set(reading, name, word, "directive", depth + 1)


def _settings(reading: _Reading, named: Word, depth: int) -> Iterator[tuple[str, Word | None]]:
    """The settings of one section of an ini file, `path[:section]`, with `%(name)` and `$(VARIABLE)` replaced."""
    path, colon, section = named.text.partition(":")
    path = reading.invocation.path(path)
    if UNKNOWN in path:
        reading.files.report_unreadable(named.at, "its expansion cannot be determined")
        return
    if depth > _DEEPEST or len(reading.read) > _MOST_FILES:
        reading.files.report_unreadable(named.at, "configurations nested too deep are not followed")
        return
    reading.read.append(path)
    source = reading.files.read(path) if reading.files.kind(path) == "file" else None
    if source is None:
        return
    nodes, troubles = sections.parse(source)
    for trouble in troubles:
        reading.files.report_unreadable(trouble.at, trouble.reason)
    for node in nodes:
        if node.key.text != (section if colon else "uwsgi"):
            continue
        for child in node.children:
            value = child.values[0] if child.values else None
            name = child.key.text.strip()
            yield name, value if value is None else Word(_expanded(value.text, reading.values, reading.invocation.environment), value.at)


def _expanded(text: str, values: Mapping[str, str], environment: Mapping[str, Word]) -> str:
    """uwsgi-docs, Configuration: `%(name)` is an earlier setting, `$(NAME)` an environment variable, `%n` and its like are magic."""
    found: list[str] = []
    at = 0
    while at < len(text):
        close = text.find(")", at + 2) if text.startswith(("%(", "$("), at) else -1
        if close >= 0:
            name = text[at + 2 : close]
            word = environment.get(name)
            known = values.get(name) if text[at] == "%" else word.text if word is not None else ""
            found.append(UNKNOWN if known is None else known)
            at = close + 1
        elif text[at] == "%" and at + 1 < len(text) and text[at + 1].isalpha():
            found.append(UNKNOWN)
            at += 2
        else:
            found.append("%" if text.startswith("%%", at) else text[at])
            at += 2 if text.startswith("%%", at) else 1
        if len(found) > 4096:
            return UNKNOWN
    return "".join(found)
