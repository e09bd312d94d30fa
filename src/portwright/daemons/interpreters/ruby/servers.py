"""Ruby's servers (Puma, Unicorn, rackup, Rails): flags, and configurations written in Ruby, become endpoints."""

from collections.abc import Mapping

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages, daemon
from portwright.daemons._engine.binding import Binder, Given, argument, default, halves, variable, without
from portwright.facts import Endpoint, Invocation
from portwright.formats import ruby
from portwright.source import Word
from portwright.system.processes.options import Options, cut
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_PUMA_VALUED = frozenset(
    (
        "-b", "--bind", "-p", "--port", "-C", "--config", "-e", "--environment", "-t", "--threads", "-w", "--workers", "-S", "--state",
        "--control-url", "--control-token", "--dir", "--pidfile", "--tag", "-I", "--include", "--preload", "-R", "--restart-cmd",
    )
) - {"--preload"}  # fmt: skip
_UNICORN_VALUED = frozenset(
    ("-l", "--listen", "-p", "--port", "-o", "--host", "-c", "--config-file", "-E", "--env", "-I", "-r", "-e", "-s", "-N")
) - {"-N"}
_RACKUP_VALUED = frozenset(
    ("-p", "--port", "-o", "--host", "-s", "--server", "-E", "--env", "-O", "--option", "-P", "--pid", "-I", "-r", "-e", "--builder")
)
_RAILS_VALUED = frozenset(("-p", "--port", "-b", "--binding", "-u", "--using", "-e", "--environment", "-P", "--pid", "-c", "--config"))
_LONGEST = 256
_LOOPBACK = ("127.0.0.1", "::1")
_PUMA = Binder("puma", words=("",))


@daemon("puma", "puma")
def puma(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """Every -b and -p of a Puma, else what its configuration binds, else 0.0.0.0:9292.

    The configuration is that of -C, else config/puma/ENVIRONMENT.rb, else config/puma.rb in the working directory. `localhost` is a
    socket on each loopback address. What systemd hands it takes the place of binds to the same address.
    """
    if invocation.sockets:
        return ()
    options = options_of(invocation.argv[1:], _PUMA_VALUED)
    directory = options.last("--dir")
    base = directory.text if directory is not None else invocation.directory
    found = [endpoint for word in options.all("-b", "--bind") for endpoint in _address(argument(word), _PUMA, files)]
    port = options.last("-p", "--port")
    if port is not None:
        found += _PUMA.bind(default("", invocation.at), argument(port), files)
    if not options.has("-b", "--bind", "-p", "--port"):
        configured = _puma_config(options, base, invocation, files)
        found += _PUMA.bind(default("", invocation.at), default(9292, invocation.at), files) if configured is None else configured
    control = options.last("--control-url")
    if control is not None and control.text != "auto":
        found += _address(argument(control), _PUMA, files)
    return tuple(found)


def _puma_config(options: Options, base: str, invocation: Invocation, files: Files) -> list[Endpoint] | None:
    """What `port` and `bind` of the configuration say; None where it says neither or is not there."""
    named = options.last("-C", "--config")
    if named is not None and named.text == "-":
        return None
    environment = options.last("-e", "--environment") or variable(invocation.environment, "APP_ENV", "RACK_ENV", "RAILS_ENV")
    candidates = (
        [named.text] if named is not None else [f"config/puma/{environment.text if environment else 'development'}.rb", "config/puma.rb"]
    )
    for candidate in candidates:
        path = candidate if candidate.startswith("/") else f"{base.rstrip('/')}/{candidate}"
        source = files.read(path) if UNKNOWN not in path and files.kind(path) == "file" else None
        if source is None:
            continue
        found: list[Endpoint] = []
        said = ruby.calls(source, frozenset(("port", "bind")))
        for call in said:
            given = value(call.arguments[0], invocation.environment) if call.arguments else None
            if given is None:
                files.report_unreadable(call.name.at, f"what {call.name.text} stands for is not known")
            elif call.name.text == "bind":
                found += _address(given, _PUMA, files)
            else:
                host = value(call.arguments[1], invocation.environment) if len(call.arguments) > 1 else None
                found += _PUMA.bind(host or default("", given.at), given, files)
        return [replace(endpoint, confidence="likely") for endpoint in found] if said else None
    return None


def _address(given: Given, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    """`tcp://address:port` or `ssl://address:port?options`; a Unix socket is none."""
    word = without(Word(given.text, given.at), "tcp://", "ssl://")
    if word.text == given.text:
        return ()
    end = min((at for at in (word.text.find(char) for char in "?/") if at >= 0), default=len(word.text))
    host, port = halves(cut(word, 0, end))
    if port is None:
        return ()
    here = Given(port.text, port.at, given.origin)
    if host.text == "localhost":
        return tuple(e for own in _LOOPBACK for e in replace(binder, v6only=True).bind(Given(own, host.at, given.origin), here, files))
    return binder.bind(Given(host.text, host.at, given.origin), here, files)


@daemon("unicorn", "unicorn", "unicorn_rails")
def unicorn(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """Every -l of a Unicorn and every `listen` of its configuration, else -o and -p, else 0.0.0.0:8080."""
    options = options_of(invocation.argv[1:], _UNICORN_VALUED)
    binder = Binder("unicorn")
    listens = [argument(word) for word in options.all("-l", "--listen")]
    config = options.last("-c", "--config-file")
    if config is not None and UNKNOWN not in config.text:
        path = invocation.path(config.text)
        source = files.read(path) if files.kind(path) == "file" else None
        for call in ruby.calls(source, frozenset(("listen",))) if source is not None else ():
            given = value(call.arguments[0], invocation.environment) if call.arguments else None
            if given is None:
                files.report_unreadable(call.name.at, "what listen stands for is not known")
            else:
                listens.append(given)
    host, port = options.last("-o", "--host"), options.last("-p", "--port")
    if listens and host is None and port is None:
        return tuple(endpoint for given in listens for endpoint in _listen(given, binder, files))
    at = invocation.at
    here = argument(host) if host is not None else default("", at)
    more = tuple(endpoint for given in listens for endpoint in _listen(given, binder, files))
    return (*binder.bind(here, argument(port) if port is not None else default(8080, at), files), *more)


def _listen(given: Given, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    word = without(Word(given.text, given.at), "tcp://")
    if word.text.isdigit():
        return binder.bind(default("", given.at), given, files)
    host, port = halves(word)
    if port is None or "/" in word.text:
        return ()
    return binder.bind(Given(host.text, host.at, given.origin), Given(port.text, port.at, given.origin), files)


@daemon("rackup", "rackup")
def rackup(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """rackup: port 9292 on the loopback addresses in development, on 0.0.0.0 else (rack/server.rb)."""
    options = options_of(invocation.argv[1:], _RACKUP_VALUED)
    environment = options.last("-E", "--env") or variable(invocation.environment, "RACK_ENV")
    binder = Binder("rackup", words=("", "*"))
    return _developing(binder, options, environment, ("-o", "--host"), ("-p", "--port"), 9292, (), invocation, files)


@daemon("rails", "rails")
def rails(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`rails server`: port 3000 or $PORT on the loopback addresses in development, on 0.0.0.0 else (rails/commands/server)."""
    options = options_of(invocation.argv[1:], _RAILS_VALUED)
    if not options.operands or options.operands[0].text not in ("server", "s"):
        return ()
    environment = options.last("-e", "--environment") or variable(invocation.environment, "RAILS_ENV", "RACK_ENV")
    binder = Binder("rails", confidence="likely")
    return _developing(binder, options, environment, ("-b", "--binding"), ("-p", "--port"), 3000, ("PORT",), invocation, files)


def _developing(
    binder: Binder,
    options: Options,
    environment: Word | Given | None,
    hosts: tuple[str, ...],
    ports: tuple[str, ...],
    builtin: int,
    variables: tuple[str, ...],
    invocation: Invocation,
    files: Files,
) -> tuple[Endpoint, ...]:
    word, host_word = options.last(*ports), options.last(*hosts)
    port = argument(word) if word is not None else variable(invocation.environment, *variables) or default(builtin, invocation.at)
    host = argument(host_word) if host_word is not None else None
    if host is None and variables:
        host = variable(invocation.environment, "BINDING")
    developing = environment is None or environment.text == "development"
    if (host is None and developing) or (host is not None and host.text == "localhost"):
        place = host or default("localhost", invocation.at)
        both = replace(binder, v6only=True)
        return tuple(e for own in _LOOPBACK for e in both.bind(replace(place, text=own), port, files))
    return binder.bind(host or default("0.0.0.0", invocation.at), port, files)  # noqa: S104


def value(word: Word, environment: Mapping[str, Word]) -> Given | None:
    """What `3000`, `"text"`, `ENV["PORT"] || 3000`, `ENV.fetch("PORT", 3000)`, `ENV.fetch("PORT") { 3000 }` stand for; else None."""
    text = word.text
    if len(text) > _LONGEST:
        return None
    if text.endswith((".to_i", ".to_s")):
        return value(cut(word, 0, len(text) - 5), environment)
    for converter in ("Integer(", "String("):
        if text.startswith(converter) and text.endswith(")"):
            return value(cut(word, len(converter), len(text) - 1), environment)
    if text.startswith("(") and text.endswith(")"):
        return value(cut(word, 1, len(text) - 1), environment)
    if text.isascii() and text.replace("_", "").isdigit():
        return Given(text.replace("_", ""), word.at, "directive")
    if len(text) > 1 and text[0] in "\"'" and text.find(text[0], 1) == len(text) - 1:
        return _interpolated(word, environment)
    for opening, closing in (('ENV["', '"]'), ("ENV['", "']"), ('ENV.fetch("', '"'), ("ENV.fetch('", "'")):
        if text.startswith(opening):
            end = text.find(closing, len(opening))
            if end < 0:
                return None
            name, rest = text[len(opening) : end], cut(word, end + len(closing))
            if name in environment:
                found = environment[name]
                return None if UNKNOWN in found.text else Given(found.text, found.at, "environment")
            return _otherwise(rest, environment)
    return None


def _otherwise(rest: Word, environment: Mapping[str, Word]) -> Given | None:
    """The default behind an environment variable that is not set: `|| 3000`, `, 3000)`, `) { 3000 }`."""
    text = rest.text
    body = text.lstrip()
    start = len(text) - len(body)
    for opening, closing in (("||", ""), (",", ")"), (") {", "}"), ("){", "}")):
        if body.startswith(opening) and body.endswith(closing):
            inner = cut(rest, start + len(opening), len(text) - len(closing))
            left = len(inner.text) - len(inner.text.lstrip())
            return value(cut(inner, left, len(inner.text.rstrip())), environment)
    return None


def _interpolated(word: Word, environment: Mapping[str, Word]) -> Given | None:
    """A text between quotes, `#{...}` in double ones worked out."""
    inner = cut(word, 1, len(word.text) - 1)
    start = inner.text.find("#{") if word.text[0] == '"' else -1
    if start < 0:
        return Given(inner.text, inner.at, "directive")
    end = inner.text.find("}", start)
    known = value(cut(inner, start + 2, end), environment) if end > 0 else None
    rest = inner.text[end + 1 :]
    if known is None or "#{" in rest:
        return None
    return Given(inner.text[:start] + known.text + rest, known.at, known.origin)
