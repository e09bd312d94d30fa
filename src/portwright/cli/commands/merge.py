"""`portwright merge`: the stores of several parts of a fleet, reported as one."""

from __future__ import annotations

from portwright.cli.asked import asked_outputs
from portwright.cli.fleets import Accepting, read_allow_file, tell_fleet
from portwright.cli.judging import read_baseline
from portwright.cli.streams import Complaint

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    """The last runs of several stores, reported as one run."""
    from contextlib import ExitStack

    from portwright.fleet.shards import MergeError, merged
    from portwright.fleet.store import Store, StoreError
    from portwright.reports.registry import Checked, draws_ports

    outputs = asked_outputs(options)
    if not options.paths:
        raise Complaint("merge needs stores that audit --store wrote")
    entries = None if options.baseline is None else read_baseline(options.baseline)
    allow = read_allow_file(options)
    try:
        with ExitStack() as leaving:
            whole = merged([leaving.enter_context(Store(path, writable=False)) for path in dict.fromkeys(options.paths)])
            maps = whole.maps if any(draws_ports(form) for form, _ in outputs) else ()
            checked = Checked(whole.results, whole.cards, whole.version, maps, started=whole.started)
            return tell_fleet(checked, (), Accepting(entries, allow, whole.groups), outputs, options, whole.earlier)
    except (MergeError, StoreError) as error:
        raise Complaint(str(error)) from None
