"""Puma: its flags, and a configuration written in Ruby, become endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, Given, argument, default, halves, variable, without
from portwright.daemons.interpreters.ruby.value import value
from portwright.facts import Endpoint, Invocation
from portwright.formats import ruby
from portwright.source import Word
from portwright.system.processes.options import Options, cut
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_VALUED = frozenset(
    (
        "-b", "--bind", "-p", "--port", "-C", "--config", "-e", "--environment", "-t", "--threads", "-w", "--workers", "-S", "--state",
        "--control-url", "--control-token", "--dir", "--pidfile", "--tag", "-I", "--include", "--preload", "-R", "--restart-cmd",
    )
) - {"--preload"}  # fmt: skip
_LOOPBACK = ("127.0.0.1", "::1")
_PUMA = Binder("puma", words=("",))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """Every -b and -p of a Puma, else what its configuration binds, else 0.0.0.0:9292.

    The configuration is that of -C, else config/puma/ENVIRONMENT.rb, else config/puma.rb in the working directory. `localhost` is a
    socket on each loopback address. What systemd hands it takes the place of binds to the same address.
    """
    if invocation.sockets:
        return ()
    options = options_of(invocation.argv[1:], _VALUED)
    directory = options.last("--dir")
    base = directory.text if directory is not None else invocation.directory
    found = [endpoint for word in options.all("-b", "--bind") for endpoint in _address(argument(word), _PUMA, files)]
    port = options.last("-p", "--port")
    if port is not None:
        found += _PUMA.bind(default("", invocation.at), argument(port), files)
    if not options.has("-b", "--bind", "-p", "--port"):
        configured = _configured(options, base, invocation, files)
        found += _PUMA.bind(default("", invocation.at), default(9292, invocation.at), files) if configured is None else configured
    control = options.last("--control-url")
    if control is not None and control.text != "auto":
        found += _address(argument(control), _PUMA, files)
    return tuple(found)


def _configured(options: Options, base: str, invocation: Invocation, files: Files) -> list[Endpoint] | None:
    """What `port`, `bind` and `activate_control_app` of the configuration say; None where it says none of the first two."""
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
        said = ruby.calls(source, frozenset(("port", "bind", "activate_control_app")))
        for call in said:
            given = value(call.arguments[0], invocation.environment) if call.arguments else None
            if given is None and call.name.text == "activate_control_app":
                continue  # "auto" is a port of the kernel's choice
            if given is None:
                files.report_unreadable(call.name.at, f"what {call.name.text} stands for cannot be determined")
            elif call.name.text in ("bind", "activate_control_app"):
                found += _address(given, _PUMA, files)
            else:
                host = value(call.arguments[1], invocation.environment) if len(call.arguments) > 1 else None
                found += _PUMA.bind(host or default("", given.at), given, files)
        likely = [replace(endpoint, confidence="likely") for endpoint in found]
        return likely if any(call.name.text != "activate_control_app" for call in said) else None
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
