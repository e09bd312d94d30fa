"""Ruby source, read and never run: the servers a script opens by name, `TCPServer.new("127.0.0.1", 3000)` and its like."""

from itertools import pairwise

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.binding import BOTH, Binder, Given, default, variable
from portwright.daemons.interpreters.ruby.value import value
from portwright.daemons.interpreters.scripts import fits
from portwright.facts import Endpoint, Invocation
from portwright.formats import ruby
from portwright.numbers import is_digits
from portwright.source import Source, Word
from portwright.system.processes.options import cut
from portwright.trees import Files

_MOST_SOCKETS = 64
_OPENS = lazy_regex(r"(?<![\w:])(TCPServer|WEBrick::HTTPServer|HTTPServer)\.(?:new|open)\b")
_SETS = frozenset(("set",))


def opened(source: Source, started: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """The sockets a script opens with TCPServer, WEBrick or Sinatra, as *likely*; a value that takes running it says nothing.

    Measured with Ruby 3.1: all of them set SO_REUSEADDR; TCPServer without an address binds 0.0.0.0, WEBrick both families.
    """
    if not fits(source, files):
        return ()
    found: list[Endpoint] = []
    for match in _OPENS.finditer(source.text):
        line = source.text.rfind("\n", 0, match.start()) + 1
        if "#" in source.text[line : match.start()]:
            continue
        if len(found) >= _MOST_SOCKETS:
            files.report_limit(source.span(match.start(), match.end()), _MOST_SOCKETS, "sockets in one script")
            break
        arguments = ruby.arguments(source, match.end())
        if match[1] == "TCPServer":
            found += _tcp_server(arguments, started, files)
        else:
            found += _webrick(arguments, started, files)
    if not found and any(line in source.text for line in ("require 'sinatra'", 'require "sinatra"')):
        found += _sinatra(source, started, files)
    return tuple(dict.fromkeys(found))


def _tcp_server(arguments: tuple[Word, ...], started: Invocation, files: Files) -> tuple[Endpoint, ...]:
    known = [value(word, started.environment) for word in arguments]
    if not 1 <= len(known) <= 2 or known[-1] is None or known[0] is None:
        return ()
    port = known[-1]
    host = known[0] if len(known) == 2 else default("", port.at)
    if not is_digits(port.text):
        return ()
    return Binder(started.program, words=("",), confidence="likely").bind(host, port, files)


def _webrick(arguments: tuple[Word, ...], started: Invocation, files: Files) -> tuple[Endpoint, ...]:
    options = {}
    for word in arguments:
        key, arrow, _ = word.text.partition("=>")
        if not arrow:
            key, arrow, _ = word.text.partition(":")
        inner = cut(word, len(key) + len(arrow), len(word.text))
        options[key.strip().strip(":'\"")] = cut(inner, len(inner.text) - len(inner.text.lstrip()), len(inner.text))
    port = value(options["Port"], started.environment) if "Port" in options else None
    host = value(options["BindAddress"], started.environment) if "BindAddress" in options else None
    if port is None or not is_digits(port.text) or ("BindAddress" in options and host is None):
        return ()
    binder = Binder(started.program, every=True, wildcard=BOTH, v6only=True, confidence="likely")
    return binder.bind(host or default("", port.at), port, files)


def _sinatra(source: Source, started: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """`set :port, 4000` and `set :bind, "0.0.0.0"`; the options -p and -o of the script; else port 4567, of localhost in development."""
    said: dict[str, Given] = {}
    for call in ruby.calls(source, _SETS):
        if len(call.arguments) == 2 and call.arguments[0].text in (":port", ":bind"):
            known = value(call.arguments[1], started.environment)
            if known is None:
                return ()
            said[call.arguments[0].text[1:]] = known
    words = started.argv[1:]
    for word, following in pairwise(words):
        if word.text in ("-p", "-o"):
            said["port" if word.text == "-p" else "bind"] = Given(following.text, following.at, "argument")
    port = said.get("port", default(4567, started.at))
    if not is_digits(port.text):
        return ()
    environment = variable(started.environment, "APP_ENV", "RACK_ENV")
    developing = environment is None or environment.text == "development"
    host = said.get("bind", default("localhost" if developing else "0.0.0.0", started.at))  # noqa: S104
    return Binder(started.program, every=True, v6only=True, confidence="likely").bind(host, port, files)
