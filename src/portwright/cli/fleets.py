"""What the commands for fleets share: an allow file, the hosts that are shown, the report."""

from __future__ import annotations

from portwright.cli.judging import exit_code, without_accepted
from portwright.cli.streams import Complaint
from portwright.cli.telling import tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portwright.audit.allow_file import AllowFile
    from portwright.audit.baseline import Entry
    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.reports.registry import Checked
    from portwright.reports.trend import Earlier
    from portwright.source import Unreadable


def tell_fleet(
    checked: Checked,
    inputs: Sequence[Input],
    accepting: Accepting,
    outputs: Sequence[tuple[str, str | None]],
    options: Options,
    earlier: Earlier | None = None,
) -> int:
    """Report on a fleet, or on some of its hosts; the exit code is that of all."""
    from portwright._start.records import replace

    found = checked.results
    results = list(found)
    remarks: tuple[Unreadable, ...] = ()
    if accepting.allow is not None:
        from portwright.audit.allow_file import allowed

        run = {word for card in checked.cards for word in (card.id, card.family)}
        results, remarks = allowed(found, accepting.allow, accepting.groups, run, _today())
    results = without_accepted(results, accepting.entries, options)
    for name in options.host:
        if all(result.host != name for result in results):
            raise Complaint(f"there is no host named {name!r}")
    shown = [result for result in results if result.host in options.host] if options.host else results
    maps = [own for own, result in zip(checked.maps, results, strict=True) if result in shown] if checked.maps else checked.maps
    if earlier is not None and not options.host:
        from portwright.reports.trend import trend

        checked = replace(checked, trend=trend(found, results, earlier))
    named: list[tuple[Input, frozenset[str]]] = []
    if options.host and inputs:
        named = [(given, result.paths) for given, result in zip(inputs, results, strict=True) if result in shown]
    tell("check" if options.host else "audit", replace(checked, results=shown, maps=maps, remarks=remarks), outputs, options, named)
    return exit_code(results, checked.cards, options)


class Accepting:
    """What of a fleet is not counted: the entries of a baseline, an allow file, and the inventory's groups that it may name."""

    def __init__(self, entries: tuple[Entry, ...] | None, allow: AllowFile | None, groups: Mapping[str, Sequence[str]]) -> None:
        self.entries, self.allow, self.groups = entries, allow, groups


def read_allow_file(options: Options) -> AllowFile | None:
    if options.allow is None:
        return None
    from portwright.audit.allow_file import LARGEST, read
    from portwright.source import RuleError

    try:
        with open(options.allow, "rb") as file:
            data = file.read(LARGEST + 1)
        return read(data.decode("utf-8"), options.allow)
    except OSError as error:
        raise Complaint(f"{options.allow}: {(error.strerror or 'cannot be read').lower()}") from None
    except UnicodeDecodeError:
        raise Complaint(f"{options.allow}: it is not UTF-8") from None
    except RuleError as error:
        raise Complaint(str(error)) from None


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()
