"""`portwright audit`: what is wrong with a fleet, collected or given, and what a store keeps of it."""

from __future__ import annotations

import os

from portwright import __version__
from portwright.cli.asked import asked_hosts, asked_outputs, asked_rules
from portwright.cli.fleets import Accepting, read_allow_file, tell_fleet
from portwright.cli.judging import judged, read_baseline, tell_mistakes
from portwright.cli.streams import INTERNAL, Complaint

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack

    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.cli.configured import Settled
    from portwright.finding import HostResult
    from portwright.fleet.store import Store
    from portwright.reports.registry import Checked
    from portwright.reports.trend import Earlier


def run(options: Options) -> int:
    from contextlib import ExitStack
    from functools import partial

    from portwright.audit.check import verdict
    from portwright.reports.registry import Checked

    if options.store is not None:
        return _run_with_store(options)
    outputs = asked_outputs(options)
    rules, known, selection = asked_rules(options)
    started = _now() if any(form == "prometheus" for form, _ in outputs) else ""
    allow = read_allow_file(options)
    with ExitStack() as leaving:
        inputs, groups, _ = _shard(*_fleet(options, leaving), options)
        work: Callable[[Input], HostResult] = partial(verdict, rules=rules, selection=selection, known=known, rate=options.rate)
        entries = None if options.baseline is None else read_baseline(options.baseline)
        results, maps, sound = judged(inputs, options, work, rules, outputs)
        checked = Checked(results, tuple(rule.card for rule in rules), __version__, maps, started=started)
        verdict_on_all = tell_fleet(checked, inputs, Accepting(entries, allow, groups), outputs, options)
    return verdict_on_all if sound else INTERNAL


def _run_with_store(options: Options) -> int:
    """Audit with a store: hosts into it, and from it what is reported; without hosts its last run as it was."""
    from contextlib import ExitStack

    from portwright.fleet.store import Store, StoreError

    outputs = asked_outputs(options)
    entries = None if options.baseline is None else read_baseline(options.baseline)
    allow = read_allow_file(options)
    sound = True
    inputs: tuple[Input, ...] = ()
    try:
        with ExitStack() as leaving:
            if not options.paths and not options.inventory:
                _refuse_what_is_for_hosts(options)
                store = leaving.enter_context(Store(options.store, writable=False))
            else:
                inputs, groups, positions = _shard(*_fleet(options, leaving), options)
                store, sound = _into_store(inputs, positions, groups, options, leaving)
            found, earlier, groups = _of_store(store, [form for form, _ in outputs])
            verdict_on_all = tell_fleet(found, inputs, Accepting(entries, allow, groups), outputs, options, earlier)
    except StoreError as error:
        raise Complaint(str(error)) from None
    return verdict_on_all if sound else INTERNAL


def _refuse_what_is_for_hosts(options: Options) -> None:
    _refuse_what_is_for_an_inventory(options)
    asked = ("select", "ignore", "extend_select", "rules", "min_confidence", "rate", "shard")
    settled: Settled | None = getattr(options, "settled", None)
    for name in asked:
        if getattr(options, name) and settled is None:
            raise Complaint(f"--{name.replace('_', '-')} is for hosts, and the last run of {options.store} is reported as it was")


def _into_store(
    inputs: Sequence[Input], positions: Sequence[int], groups: Mapping[str, Sequence[str]], options: Options, leaving: ExitStack
) -> tuple[Store, bool]:
    """A store that holds a new run with these hosts, and whether each came to its end without an error of our own."""
    from portwright._start import debug_log
    from portwright.cli.outputs import OutputError, make_private
    from portwright.cli.progress import Progress
    from portwright.fleet.question import Question
    from portwright.fleet.store import Store
    from portwright.fleet.stored import examined

    rules, known, selection = asked_rules(options)
    try:
        make_private(options.store, options.paths)
    except OutputError as error:
        raise Complaint(str(error)) from None
    store = leaving.enter_context(Store(options.store, writable=True))
    question = Question(rules, selection, known, options.rate, tuple(options.rules))
    with Progress(len(inputs), quiet=options.quiet) as progress:
        how = {"jobs": options.jobs, "debug": debug_log.ENABLED, "positions": positions, "kept": progress.say}
        run, answers = examined(inputs, question, store, _now(), __version__, **how)
    store.keep_groups(run, groups)
    sound = tell_mistakes(answers)
    store.finish(run, _now())
    return store, sound


def _of_store(store: Store, forms: Sequence[str]) -> tuple[Checked, Earlier | None, Mapping[str, Sequence[str]]]:
    """What the last run of a store came to, the run before it, and which of its hosts are in which group."""
    from portwright.reports.registry import Checked, draws_ports

    run = store.last()
    if run is None:
        raise Complaint(f"{store.path}: no run in it came to its end; audit SNAPSHOTS --store {store.path} makes one")
    cards = {card.id: card for card in run.cards}
    drawn = any(map(draws_ports, forms))
    results, maps = [], []
    for number in store.hosts(run.number):
        result, own = store.result(number, cards)
        results.append(result)
        maps.append(own if drawn else ())
    checked = Checked(results, run.cards, run.version, maps if drawn else (), started=run.started)
    return checked, store.earlier(run), store.groups(run.number)


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shard(
    inputs: tuple[Input, ...], groups: Mapping[str, Sequence[str]], options: Options
) -> tuple[tuple[Input, ...], Mapping[str, Sequence[str]], tuple[int, ...]]:
    """The hosts of one part of a fleet with their positions in it, or all."""
    if options.shard is None:
        return inputs, groups, ()
    from portwright.fleet.shards import in_shard

    positions = in_shard(inputs, options.shard)
    return tuple(inputs[number] for number in positions), groups, positions


def _fleet(options: Options, leaving: ExitStack) -> tuple[tuple[Input, ...], Mapping[str, Sequence[str]]]:
    """The hosts to audit, and which are in which group: those that are given, or those that an inventory names and Ansible collects."""
    if not options.inventory:
        _refuse_what_is_for_an_inventory(options)
        if not options.paths:
            raise Complaint("audit needs snapshots, or -i INVENTORY")
        return asked_hosts(options), {}
    if options.shard is not None:
        raise Complaint("--shard is for hosts that were collected: give their folder in place of -i INVENTORY")
    if options.paths:
        raise Complaint("audit reads snapshots or collects an inventory (-i), not both in one run")
    from tempfile import TemporaryDirectory

    from portwright.fleet.collect import CollectError, collected

    kept: str = options.snapshots and _folder_of_snapshots(options.snapshots)
    into = kept or leaving.enter_context(TemporaryDirectory(prefix="portwright-"))
    try:
        asked = collected(options.inventory, into, limit=options.limit or "", forks=options.forks, become=options.become)
    except CollectError as error:
        raise Complaint(str(error)) from None
    return asked.inputs, asked.groups


def _refuse_what_is_for_an_inventory(options: Options) -> None:
    for name in ("limit", "forks", "become", "snapshots"):
        if getattr(options, name):
            raise Complaint(f"--{name} goes with -i INVENTORY")


def _folder_of_snapshots(path: str) -> str:
    """An empty folder that is its owner's alone, made where it is not there."""
    from portwright.cli.outputs import OutputError, make_folder

    try:
        make_folder(path.rstrip("/") or path)
        status = os.lstat(path)
        if os.path.islink(path.rstrip("/")) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise Complaint(f"{path}: snapshots go to a folder that is yours alone (chmod 700), and no link")
        if os.listdir(path):
            raise Complaint(f"{path}: this folder is not empty")
    except OutputError as error:
        raise Complaint(str(error)) from None
    except OSError as error:
        raise Complaint(f"cannot write to {path}: {error.strerror}") from None
    return os.path.abspath(path)
