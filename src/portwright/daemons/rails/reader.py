"""`rails server`, which is a server of Rack with defaults of its own, becomes endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, variable
from portwright.daemons.rackup.reader import developing
from portwright.facts import Invocation
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(("-p", "--port", "-b", "--binding", "-u", "--using", "-e", "--environment", "-P", "--pid", "-c", "--config"))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`rails server`: port 3000 or $PORT on the loopback addresses in development, on 0.0.0.0 else (rails/commands/server)."""
    options = options_of(invocation.argv[1:], _VALUED)
    if not options.operands or options.operands[0].text not in ("server", "s"):
        return ()
    environment = options.last("-e", "--environment") or variable(invocation.environment, "RAILS_ENV", "RACK_ENV")
    binder = Binder("rails", confidence="likely")
    return developing(binder, options, environment, ("-b", "--binding"), ("-p", "--port"), 3000, ("PORT",), invocation, files)
