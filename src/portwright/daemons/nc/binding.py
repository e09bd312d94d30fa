"""What every netcat does with its words: -u speaks UDP, and an address may be left out."""

from portwright._start.records import replace
from portwright.daemons._engine.binding import Binder, argument, default
from portwright.facts import Endpoint, Invocation
from portwright.source import Word
from portwright.system.processes.options import Options
from portwright.trees import Files


def spoken(binder: Binder, options: Options) -> Binder:
    return replace(binder, protocol="udp") if options.has("-u", "--udp") else binder


def bound(binder: Binder, host: Word | None, port: Word, invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    return binder.bind(argument(host) if host is not None else default("", invocation.at), argument(port), files)
