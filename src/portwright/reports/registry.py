"""Which reports there are: a format is a file of reports/formats/, which registers what it writes for each command."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from portwright._start.records import dataclass
from portwright.registry import member, members

if TYPE_CHECKING:
    from collections.abc import Collection

    from portwright.finding import HostResult, RuleMeta
    from portwright.fixes.fleet import HostPlan
    from portwright.fixes.patch import Patch
    from portwright.fixes.plan import Plan
    from portwright.fixes.verified import Verified
    from portwright.reports.cases import Outcome
    from portwright.reports.port_map import PortMap
    from portwright.reports.settings import Setting
    from portwright.reports.trend import Trend
    from portwright.rules import Rule
    from portwright.rules.explaining import Explanation
    from portwright.source import Unreadable

_FORMATS = "portwright.reports.formats"


@dataclass(frozen=True, slots=True)
class Look:
    """How a report is to look where it is shown to a reader.

    `files` say for each host where on this `machine` the files lie that the report names: places are links to them.
    """

    color: bool = False
    width: int = 80
    quiet: bool = False
    verbose: bool = False
    show_allowed: bool = False
    unicode: bool = True
    files: "Sequence[Mapping[str, str]]" = ()
    machine: str = ""


@dataclass(frozen=True)
class Checked:
    """What `check` came to: `cards` are those of all rules that were run, `version` is the tool's own.

    `maps` are the ports of each result, where a report draws them. `trend` says what differs from the run before, None where none is known.
    `started` is when the run began (UTC), "" where no report says so.
    `remarks` are entries of an allow file that have no effect.
    """

    results: "Sequence[HostResult]"
    cards: "Sequence[RuleMeta]"
    version: str
    maps: "Sequence[tuple[PortMap, ...]]" = ()
    trend: "Trend | None" = None
    started: str = ""
    remarks: "Sequence[Unreadable]" = ()


@dataclass(frozen=True)
class Planned:
    """What `fix` came to: a plan, the files that were written for it, playbook first, and an earlier plan's playbook that was removed.

    `diff`: what it changes in each file is to be shown. `verified` is what the daemons' commands said of the configs, None where they were
    not to be asked. `config` is the configuration that was obeyed, "" for none.
    """

    plan: "Plan"
    written: Sequence[str]
    removed: str = ""
    diff: bool = False
    verified: "Sequence[Verified] | None" = None
    config: str = ""


@dataclass(frozen=True)
class PlannedFleet:
    """What `fix` came to for several hosts: their plans, the files of the playbook (itself first), and an earlier one that was removed.

    `diff`: what is changed in each file is to be shown. `config` is the configuration that was obeyed, "" for none.
    """

    plans: "Sequence[HostPlan]"
    written: Sequence[str]
    removed: str = ""
    diff: bool = False
    config: str = ""


@dataclass(frozen=True)
class Patched:
    """What `fix` came to in a repository: a patch, and the file it was written to, "" where it was not.

    `diff`: it is to be shown. `config` is the configuration that was obeyed, "" for none.
    """

    patch: "Patch"
    written: str = ""
    diff: bool = False
    config: str = ""


@dataclass(frozen=True)
class Explained:
    """What `explain` says of a rule: it, what its bad example gives, and the names of the cases it flags and accepts."""

    explanation: "Explanation"
    bad: "HostResult | None"
    tested: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Tested:
    """What `rules --test` came to: each case, rules without any, what is no case; `kept` are those whose report was written anew."""

    outcomes: "Sequence[Outcome]"
    untested: "Sequence[Rule]"
    stray: "Sequence[Unreadable]"
    kept: "Collection[tuple[str, str]]"


@dataclass(frozen=True)
class Configured:
    """What `config` came to: each value with its origin, and the file that was taken, "" for none."""

    settings: "Sequence[Setting]"
    taken: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one format writes for one command.

    `is_shown`: to a reader, whose terminal may have colours and links, or ASCII only. `is_commands`: its lines are commands for the CI
    job in whose log they stand, as those of no other report may become. `offers_fixes`: a program may apply what it says of a fix.
    `draws_ports`: it has a picture of the ports, which a verdict alone does not tell.
    """

    write: Callable[[Any, Look], str]
    is_shown: bool = False
    is_commands: bool = False
    offers_fixes: bool = False
    draws_ports: bool = False


W = TypeVar("W", bound=Callable[[Any, Look], str])
_REPORTS: dict[tuple[str, str], Report] = {}


def report(
    command: str, *, is_shown: bool = False, is_commands: bool = False, offers_fixes: bool = False, draws_ports: bool = False
) -> Callable[[W], W]:
    """Register the decorated function as what the format that its module is named after writes for a command.

    It takes what the command came to (`check`, `audit`: Checked, `facts`: Hosts, `ports`: Hosts and their collisions, `fix`: Planned or
    Patched, `explain`: Explaineds, `rules`: Rules, `rules --test`: Tested, `apps`: Daemons, `config`: Configured) and how it is to look.
    """

    def register(write: W) -> W:
        _REPORTS[write.__module__.rpartition(".")[2], command] = Report(write, is_shown, is_commands, offers_fixes, draws_ports)
        return write

    return register


def find(form: str, command: str) -> Report | None:
    """What a format writes for a command; None where there is no such format or it has nothing to write."""
    if form not in members(_FORMATS):
        return None
    member(_FORMATS, form)
    return _REPORTS.get((form, command))


def offers_fixes(form: str) -> bool:
    """Whether a report of `check` in this format says of a repository's findings what a patch does, which then has to be proven."""
    found = find(form, "check")
    return found is not None and found.offers_fixes


def draws_ports(form: str) -> bool:
    """Whether a report of `check` in this format has a picture of the ports."""
    found = find(form, "check")
    return found is not None and found.draws_ports


def formats(command: str) -> tuple[str, ...]:
    """The formats of a command's report: text, which is the default, and the others by name."""
    found = (form for form in members(_FORMATS) if find(form, command) is not None)
    return tuple(sorted(found, key=lambda form: (form != "text", form)))
