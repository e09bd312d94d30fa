"""The `portwright` command: arguments in, reports and exit codes out; it computes nothing itself."""

from __future__ import annotations

import os
import sys

from portwright import __version__
from portwright._start import process

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import ExitStack
    from datetime import date
    from pathlib import Path
    from typing import Any, NoReturn, TypeVar

    from portwright.audit.allow_file import AllowFile
    from portwright.audit.baseline import Entry
    from portwright.audit.check import Selection
    from portwright.audit.executor import Answer
    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.cli.configured import Settled
    from portwright.facts import Confidence
    from portwright.finding import HostResult, RuleMeta, Severity
    from portwright.fixes.policy import FixPolicy
    from portwright.fleet.store import Store
    from portwright.host import Host
    from portwright.ports import PortSet
    from portwright.reports.port_map import PortMap
    from portwright.reports.registry import Checked, Look
    from portwright.reports.trend import Earlier
    from portwright.rules import Rule
    from portwright.source import Unreadable

    T = TypeVar("T")

CLEAN, FINDINGS, USAGE, INCOMPLETE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 70, 130

_STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


class Complaint(Exception):
    """What the user asked for cannot be done; the message is the one line they get, the exit code is 2."""


def run() -> NoReturn:
    """The process of one command, from `sys.argv` to its end."""
    process.run(main)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 clean, 1 findings, 2 usage, 3 incomplete, 70 an error of our own, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in words or os.environ.get("PORTWRIGHT_DEBUG", "0") not in ("", "0")
    try:
        if debug:
            _log_decisions()
        if words[:1] == ["--version"]:
            _print(f"portwright {__version__}\n".encode())
            sys.exit(CLEAN)
        from portwright.cli.arguments import HelpWanted, UsageError, read

        if not words:
            from portwright.cli.arguments import FIRST_STEPS

            _show(FIRST_STEPS)
            return USAGE
        try:
            options = read(words)
        except HelpWanted as wanted:
            _print(str(wanted).encode("utf-8", "surrogateescape"))
            sys.exit(CLEAN)
        except UsageError as error:
            raise Complaint(str(error)) from None
        if options.command in _READING:
            _know_all_daemons()
        if options.command in _CONFIGURED:
            _settle(options)
        return _COMMANDS[options.command](options)
    except Complaint as complaint:
        _say(f"portwright: {complaint}")
        return USAGE
    except KeyboardInterrupt:
        _say("portwright: interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  whatever it is, it is our bug, and 1 means findings
        from portwright.audit.mistake import line, trace

        if debug:
            _show(trace(error))
        _say(f"portwright: {line(error, debug=debug)}")
        return INTERNAL


def _log_decisions() -> None:
    from portwright._start import debug_log
    from portwright.cli.terminal import in_a_log
    from portwright.reports.escape import safe
    from portwright.reports.secrets import hide_in_line

    if sys.stderr is not None:
        debug_log.enable(lambda line: in_a_log(safe(hide_in_line(line))))


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check(options: Options) -> int:
    from functools import partial

    from portwright.audit.check import verdict
    from portwright.reports.registry import Checked, offers_fixes

    outputs = _outputs(options)
    rules, known, selection = _rules(options)
    inputs = _inputs(options)
    work: Callable[[Input], HostResult] = partial(verdict, rules=rules, selection=selection, known=known, rate=options.rate)
    if (options.baseline or options.write_baseline) and (options.changed_since is not None or options.onto):
        raise Complaint("a baseline, --changed-since and --onto each say what is new against what: give one of them")
    if any(each.kind != "host" for each in inputs) and any(offers_fixes(form) for form, _ in outputs):
        from portwright.audit.patching import verdict_and_patch

        work = partial(verdict_and_patch, rules=rules, selection=selection, known=known, rate=options.rate)
    if options.changed_since is not None or options.onto:
        inputs, work = _comparing(inputs, rules, selection, known, options)
    entries = None if options.baseline is None else _baseline(options.baseline)
    results, maps, sound = _judged(inputs, options, work, rules, outputs)
    results = _accepted(results, entries, options)
    checked = Checked(results, tuple(rule.card for rule in rules), __version__, maps)
    _report("check", checked, outputs, options, [(given, result.paths) for given, result in zip(inputs, results, strict=True)])
    return _verdict(results, rules, options) if sound else INTERNAL


def _judged(
    inputs: Sequence[Input],
    options: Options,
    work: Callable[[Input], HostResult],
    rules: tuple[Rule, ...],
    outputs: Sequence[tuple[str, str | None]],
) -> tuple[list[HostResult], list[tuple[PortMap, ...]], bool]:
    """The verdict on each input, their ports where a report draws them, and whether each came to its end without an error of our own."""
    from portwright.audit.check import unfinished
    from portwright.reports.registry import draws_ports

    if not any(draws_ports(form) for form, _ in outputs):
        results, sound = _each(inputs, options, work, lambda given, reason: unfinished(given, rules, reason))
        return results, [], sound
    from portwright.audit.drawing import ports_of

    both, sound = _each(
        inputs,
        options,
        lambda given: (work(given), ports_of(given, options.rate)),
        lambda given, reason: (unfinished(given, rules, reason), ()),
    )
    return [result for result, _ in both], [maps for _, maps in both], sound


def _baseline(path: str, *, may_be_new: bool = False) -> tuple[Entry, ...]:
    """The entries of a baseline's file."""
    from portwright.audit.baseline import LARGEST, BaselineError, read

    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        if may_be_new:
            return ()
        raise Complaint(f"{path}: no such file; --write-baseline {path} writes it") from None
    except OSError as error:
        raise Complaint(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if len(data) > LARGEST:
        raise Complaint(f"{path}: more than {LARGEST >> 20} MiB is no baseline")
    try:
        return read(data.decode("utf-8", "surrogateescape"))
    except BaselineError as error:
        raise Complaint(f"{path}: {error}") from None


def _accepted(results: list[HostResult], entries: tuple[Entry, ...] | None, options: Options) -> list[HostResult]:
    """The results without what a baseline accepts; with --write-baseline, that is all there is."""
    if options.write_baseline is None and entries is None:
        return results
    from datetime import UTC, datetime

    from portwright.audit.baseline import read, without, written

    name, today = options.baseline, datetime.now(UTC).date()
    if options.write_baseline is not None:
        name = options.write_baseline
        text = written(results, entries if entries is not None else _baseline(name, may_be_new=True), today)
        _keep({name: text}, options.paths)
        entries = read(text)
    return without(results, entries or (), name, today)


def _audit(options: Options) -> int:
    from contextlib import ExitStack
    from functools import partial

    from portwright.audit.check import verdict
    from portwright.reports.registry import Checked

    if options.store is not None:
        return _audit_stored(options)
    outputs = _outputs(options)
    rules, known, selection = _rules(options)
    started = _now() if any(form == "prometheus" for form, _ in outputs) else ""
    allow = _allow_file(options)
    with ExitStack() as leaving:
        inputs, groups, _ = _shard(*_fleet(options, leaving), options)
        work: Callable[[Input], HostResult] = partial(verdict, rules=rules, selection=selection, known=known, rate=options.rate)
        entries = None if options.baseline is None else _baseline(options.baseline)
        results, maps, sound = _judged(inputs, options, work, rules, outputs)
        checked = Checked(results, tuple(rule.card for rule in rules), __version__, maps, started=started)
        verdict_on_all = _tell_fleet(checked, inputs, _Accepting(entries, allow, groups), outputs, options)
    return verdict_on_all if sound else INTERNAL


def _audit_stored(options: Options) -> int:
    """Audit with a store: hosts into it, and from it what is reported; without hosts its last run as it was."""
    from contextlib import ExitStack

    from portwright.fleet.store import Store, StoreError

    outputs = _outputs(options)
    entries = None if options.baseline is None else _baseline(options.baseline)
    allow = _allow_file(options)
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
            verdict_on_all = _tell_fleet(found, inputs, _Accepting(entries, allow, groups), outputs, options, earlier)
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
    from portwright.fleet.question import Question
    from portwright.fleet.store import Store
    from portwright.fleet.stored import examined

    rules, known, selection = _rules(options)
    try:
        make_private(options.store, options.paths)
    except OutputError as error:
        raise Complaint(str(error)) from None
    store = leaving.enter_context(Store(options.store, writable=True))
    question = Question(rules, selection, known, options.rate, tuple(options.rules))
    how = {"jobs": options.jobs, "debug": debug_log.ENABLED, "positions": positions}
    run, answers = examined(inputs, question, store, _now(), __version__, **how)
    store.keep_groups(run, groups)
    sound = _tell_mistakes(answers)
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


def _tell_fleet(
    checked: Checked,
    inputs: Sequence[Input],
    accepting: _Accepting,
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
    results = _accepted(results, accepting.entries, options)
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
    _report("check" if options.host else "audit", replace(checked, results=shown, maps=maps, remarks=remarks), outputs, options, named)
    return _verdict(results, checked.cards, options)


def _shard(
    inputs: tuple[Input, ...], groups: Mapping[str, Sequence[str]], options: Options
) -> tuple[tuple[Input, ...], Mapping[str, Sequence[str]], tuple[int, ...]]:
    """The hosts of one part of a fleet with their positions in it, or all."""
    if options.shard is None:
        return inputs, groups, ()
    from portwright.fleet.shards import in_shard

    positions = in_shard(inputs, options.shard)
    return tuple(inputs[number] for number in positions), groups, positions


def _merge(options: Options) -> int:
    """The last runs of several stores, reported as one run."""
    from contextlib import ExitStack

    from portwright.fleet.shards import MergeError, merged
    from portwright.fleet.store import Store, StoreError
    from portwright.reports.registry import Checked, draws_ports

    outputs = _outputs(options)
    if not options.paths:
        raise Complaint("merge needs stores that audit --store wrote")
    entries = None if options.baseline is None else _baseline(options.baseline)
    allow = _allow_file(options)
    try:
        with ExitStack() as leaving:
            whole = merged([leaving.enter_context(Store(path, writable=False)) for path in dict.fromkeys(options.paths)])
            maps = whole.maps if any(draws_ports(form) for form, _ in outputs) else ()
            checked = Checked(whole.results, whole.cards, whole.version, maps, started=whole.started)
            return _tell_fleet(checked, (), _Accepting(entries, allow, whole.groups), outputs, options, whole.earlier)
    except (MergeError, StoreError) as error:
        raise Complaint(str(error)) from None


class _Accepting:
    """What of a fleet is not counted: the entries of a baseline, an allow file, and the inventory's groups that it may name."""

    def __init__(self, entries: tuple[Entry, ...] | None, allow: AllowFile | None, groups: Mapping[str, Sequence[str]]) -> None:
        self.entries, self.allow, self.groups = entries, allow, groups


def _allow_file(options: Options) -> AllowFile | None:
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


def _fleet(options: Options, leaving: ExitStack) -> tuple[tuple[Input, ...], Mapping[str, Sequence[str]]]:
    """The hosts to audit, and which are in which group: those that are given, or those that an inventory names and Ansible collects."""
    if not options.inventory:
        _refuse_what_is_for_an_inventory(options)
        if not options.paths:
            raise Complaint("audit needs snapshots, or -i INVENTORY")
        return _hosts(options), {}
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


def _hosts(options: Options) -> tuple[Input, ...]:
    found = _inputs(options)
    other = next((given for given in found if given.kind != "host" and not given.unavailable_reason), None)
    if other is not None:
        raise Complaint(f"{other.path} is no host; {options.command} is for hosts, check for repositories and files")
    return found


def _suggest_port(options: Options) -> int:
    from portwright.audit.check import listening, read, unread
    from portwright.reports.free_ports import suggestion

    outputs = _outputs(options)
    if not options.paths:
        raise Complaint("suggest-port needs hosts: their directories or archives")
    inputs = _hosts(options)
    answers, sound = _each(inputs, options, read, lambda given, reason: (unread(given, reason),))
    hosts = [(host, listening(given)) for given, found in zip(inputs, answers, strict=True) for host in found]
    found = suggestion(hosts, options.protocol, options.near, options.count)
    _report("suggest-port", found, outputs, options)
    if not sound:
        return INTERNAL
    if len(found.suggested) < options.count:
        return FINDINGS
    return INCOMPLETE if _is_incomplete([host for host, _ in hosts], options) else CLEAN


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


def _comparing(
    inputs: tuple[Input, ...], rules: tuple[Rule, ...], selection: Selection, known: frozenset[str], options: Options
) -> tuple[tuple[Input, ...], Callable[[Input], HostResult]]:
    """What is looked at, and how, where only what is new is to be told."""
    from portwright.audit.comparing import Question, deployment, refusal, verdict_onto, verdict_since
    from portwright.audit.inputs import InputError
    from portwright.audit.inputs import inputs as found
    from portwright.trees.revision import RevisionError, revision

    question = Question(rules, selection, known, options.rate)
    if options.onto:
        if options.changed_since is not None:
            raise Complaint("--onto and --changed-since are two questions: ask one of them")
        try:
            hosts = found(options.onto)
        except InputError as error:
            raise Complaint(str(error)) from None
        reason = refusal(inputs, hosts)
        if reason:
            raise Complaint(reason)
        deployed = deployment(inputs)
        return hosts, lambda given: verdict_onto(given, question, deployed)
    revisions = {}
    for given in inputs:
        if given.kind != "repository":
            raise Complaint(f"{given.path}: --changed-since is for the directory of a checkout")
        try:
            revisions[given.path] = revision(given.path, options.changed_since)
        except RevisionError as error:
            raise Complaint(f"{given.path}: {options.changed_since}: {error}") from None
    return inputs, lambda given: verdict_since(given, question, revisions[given.path])


def _verdict(results: Sequence[HostResult], rules: Sequence[Rule | RuleMeta], options: Options) -> int:
    from portwright.finding import SEVERITIES

    fail_on = options.fail_on or "low"
    if fail_on != "never" and not options.exit_zero:
        failing: tuple[Severity, ...] = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        if any(finding.severity in failing for result in results for finding in result.findings):
            return FINDINGS
    return INCOMPLETE if not rules or _is_incomplete(results, options) else CLEAN


def _is_incomplete(results: Sequence[HostResult | Host], options: Options) -> bool:
    """Whether an answer rests on less than all there is to read, as far as its user wants to know."""
    return not results or any(
        not result.files_read
        or (bool(result.unreadable) and not options.accept_unreadable)
        or (options.strict and not result.coverage.is_full)
        for result in results
    )


def _files(named: Iterable[tuple[Input, Iterable[str]]], options: Options, output: str | None) -> list[dict[str, str]]:
    """Where the files lie that a report names of each input; nothing where its places will be no links."""
    from portwright.cli import terminal

    if not terminal.links(options.color, output):
        return []
    from portwright.audit.check import located

    return [located(given, paths) for given, paths in named]


def _facts(options: Options) -> int:
    from portwright.audit.check import read, unread

    outputs = _outputs(options)
    inputs = _inputs(options)
    answers, sound = _each(inputs, options, read, lambda given, reason: (unread(given, reason),))
    each = [(given, host) for given, hosts in zip(inputs, answers, strict=True) for host in hosts]
    hosts = [host for _, host in each]
    _report("facts", hosts, outputs, options, [(given, host.sources) for given, host in each])
    return INTERNAL if not sound else INCOMPLETE if _is_incomplete(hosts, options) else CLEAN


def _ports(options: Options) -> int:
    from portwright.audit.check import read, unread
    from portwright.host.join.conflict import collisions

    outputs = _outputs(options)
    inputs = _inputs(options)
    answers, sound = _each(
        inputs,
        options,
        lambda given: tuple(collisions(host) for host in read(given, options.rate)),
        lambda given, reason: ((unread(given, reason), ()),),
    )
    each = [(given, host) for given, found in zip(inputs, answers, strict=True) for host, _ in found]
    _report("ports", [one for found in answers for one in found], outputs, options, [(given, host.sources) for given, host in each])
    return INTERNAL if not sound else INCOMPLETE if _is_incomplete([host for _, host in each], options) else CLEAN


def _fix(options: Options) -> int:
    from portwright.audit.check import before, planned
    from portwright.fixes.ansible import PlaybookNameError, playbook, templates
    from portwright.reports.registry import Planned
    from portwright.shipped import playbooks_directory

    rules, known, selection = _rules(options)
    inputs = _inputs(options)
    if len(inputs) > 1:
        return _fix_fleet(inputs, rules, known, selection, options)
    given = inputs[0]
    if options.apply and given.path != "/":
        raise Complaint("--apply changes this machine, so the host to read must be /")
    if given.kind != "host":
        return _patch(given, rules, known, selection, options)
    if options.patch is not None:
        raise Complaint("--patch changes a repository's files; a host gets a playbook: -o NAME.yml")
    if options.apply and not options.output:
        raise Complaint("--apply needs -o NAME.yml: the playbook it runs, which you can read and undo")
    if options.apply and os.geteuid() != 0:
        raise Complaint("--apply changes this machine, which only root may: run portwright as root")
    others = _others(options)
    elsewhere = _taken_on(others)
    made = planned(given, rules, selection, known, _policy(options), options.rate, elsewhere)
    checked = None
    if options.verify:
        from portwright.audit.verifying import verified

        checked = verified(given, made)
    is_refused = any(each.outcome == "refused" for each in checked or ())
    written: tuple[str, ...] = ()
    removed = ""
    if not made.steps and options.output:
        from portwright.cli.outputs import remove
        from portwright.fixes.ansible import BEGINNING

        removed = options.output if remove(options.output, BEGINNING.encode("utf-8", "strict"), options.paths) else ""
    if made.steps and options.output and not is_refused:
        folder, name = os.path.split(options.output)
        try:
            book = playbook(made, name, templates(playbooks_directory()), before(given, made), allow_restart=options.allow_restart)
        except PlaybookNameError as error:
            raise Complaint(str(error)) from None
        files_of_plan = {os.path.join(folder, file): content for file, content in book.files.items()}
        _keep(files_of_plan, options.paths, {os.path.join(folder, file) for file in book.private})
        written = tuple(files_of_plan)
    told = Planned(made, written, removed, options.diff, checked, selection.config)
    _report("fix", told, [("text", None)], options, [(given, made.host.sources)])
    applied = _apply(book.files) if options.apply and written else CLEAN
    if made.unplanned or applied != CLEAN or is_refused:
        return CLEAN if options.exit_zero and applied == CLEAN and not is_refused else FINDINGS
    return INCOMPLETE if not rules or _is_incomplete([made.host, *others], options) else CLEAN


def _others(options: Options) -> list[Host]:
    """The hosts on which a port that a service moves to has to be free, too."""
    from portwright.audit.check import read
    from portwright.audit.inputs import InputError
    from portwright.audit.inputs import inputs as found

    try:
        named = found(options.free_on) if options.free_on else ()
    except InputError as error:
        raise Complaint(str(error)) from None
    hosts = [host for given in named for host in read(given)]
    unread = next((host.name for host in hosts if host.repository or not host.files_read), None)
    if unread is not None:
        raise Complaint(f"--free-on {unread}: no host was read there, so which of its ports are free is not known")
    return hosts


def _taken_on(hosts: Sequence[Host]) -> PortSet:
    """The ports that are not free on all of these hosts, by TCP and by UDP."""
    from portwright.ports import PortSet
    from portwright.reports.free_ports import ALL, suggestion

    if not hosts:
        return PortSet()
    free = (suggestion([(host, ()) for host in hosts], protocol, 1, 1).free for protocol in ("tcp", "udp"))
    tcp, udp = free
    return ALL.minus(tcp.intersection(udp))


def _fix_fleet(inputs: Sequence[Input], rules: tuple[Rule, ...], known: frozenset[str], selection: Selection, options: Options) -> int:
    """One playbook for many hosts."""
    from portwright.audit.fleet import host_plan, not_planned
    from portwright.fixes.ansible import PlaybookNameError, templates
    from portwright.fixes.fleet import BEGINNING, fleet_playbook, told_apart
    from portwright.reports.registry import PlannedFleet
    from portwright.shipped import playbooks_directory

    if any(given.kind != "host" for given in inputs):
        raise Complaint("fix plans for hosts, together, or for one repository")
    if options.apply:
        raise Complaint("--apply changes this machine, so the host to read must be /, alone")
    if options.patch is not None:
        raise Complaint("--patch changes a repository's files; hosts get a playbook: -o NAME.yml")
    if options.verify:
        raise Complaint("--verify has one host's configs checked on this machine: name one host")
    policy, restart = _policy(options), bool(options.allow_restart)
    others = _others(options)
    elsewhere = _taken_on(others)
    found, sound = _each(
        inputs,
        options,
        lambda given: host_plan(given, rules, selection, known, policy, options.rate, elsewhere, allow_restart=restart),
        not_planned,
    )
    plans = told_apart(found)
    written: tuple[str, ...] = ()
    removed = ""
    if options.output and any(plan.steps for plan in plans):
        folder, name = os.path.split(options.output)
        try:
            book = fleet_playbook(plans, name, templates(playbooks_directory()))
        except PlaybookNameError as error:
            raise Complaint(str(error)) from None
        files_of_plan = {os.path.join(folder, file): content for file, content in book.files.items()}
        own = os.path.join(folder, book.folder)
        _keep(files_of_plan, options.paths, {os.path.join(folder, file) for file in book.private}, own)
        written = tuple(file for file in files_of_plan if not file.startswith(f"{own}/"))
    elif options.output:
        from portwright.cli.outputs import remove

        removed = options.output if remove(options.output, BEGINNING.encode("utf-8", "strict"), options.paths) else ""
    _report("fix", PlannedFleet(plans, written, removed, options.diff, selection.config), [("text", None)], options)
    if not sound:
        return INTERNAL
    if any(plan.unplanned for plan in plans):
        return CLEAN if options.exit_zero else FINDINGS
    blind = (bool(others) and _is_incomplete(others, options)) or any(
        not plan.is_read or (bool(plan.unreadable) and not options.accept_unreadable) or (options.strict and not plan.is_full)
        for plan in plans
    )
    return INCOMPLETE if not rules or blind else CLEAN


def _policy(options: Options) -> FixPolicy:
    from portwright.fixes.policy import FixPolicy

    if options.safe_only and options.allow_review:
        raise Complaint("--safe-only plans what needs no review, and --allow-review what does: leave out one of them")
    return FixPolicy(options.allow_review, options.max_disruption)


def _patch(given: Input, rules: tuple[Rule, ...], known: frozenset[str], selection: Selection, options: Options) -> int:
    """A patch for a repository's own files, or for one file of it."""
    from portwright.audit.patching import patched
    from portwright.fixes.patches.diff import patch
    from portwright.reports.registry import Patched
    from portwright.reports.secrets import hide_in_source

    if options.verify or options.free_on:
        raise Complaint(f"{'--verify' if options.verify else '--free-on'} is for a host's plan, and this is a repository")
    if options.patch is not None and given.content is not None:
        raise Complaint("a patch is for files, and what was given came on standard input")
    made = patched(given, rules, selection, known, _policy(options), options.rate)
    text, secrets = patch(made.before, made.after, hide_in_source)
    if secrets and options.patch is not None:
        more = f" and {len(secrets) - 1} more" if len(secrets) > 1 else ""
        _say(f"portwright: a line of the patch holds a secret, as the file does: {secrets[0]}{more}")
    if options.patch in _STANDARD_OUTPUT:
        _print(text)
    else:
        written = options.patch if options.patch is not None and made.after else ""
        if written:
            _keep({written: text}, options.paths)
        _report("fix", Patched(made, written, options.diff, selection.config), [("text", None)], options, [(given, made.seen.paths)])
    if made.unplanned:
        return CLEAN if options.exit_zero else FINDINGS
    return INCOMPLETE if not rules or _is_incomplete([made.seen.result], options) else CLEAN


def _apply(plan: Mapping[str, str | bytes]) -> int:
    """Run a plan, whose first file is the playbook, on this machine, with the ansible-playbook that was installed with portwright if
    there is one.

    Ansible obeys the ansible.cfg of the directory it is run in, and loads variables and plugins that lie beside a playbook: where it
    runs there is nothing but a copy of the plan.
    """
    import subprocess
    from tempfile import TemporaryDirectory

    beside = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    program = os.path.abspath(beside) if os.access(beside, os.X_OK) else "ansible-playbook"
    own = os.environ.get("ANSIBLE_CONFIG")
    environment = {**os.environ, "ANSIBLE_CONFIG": os.path.abspath(own)} if own else None
    with TemporaryDirectory(prefix="portwright-") as folder:
        for name, content in plan.items():
            with open(os.path.join(folder, name), "xb") as file:
                file.write(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
        words = ["-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", next(iter(plan))]
        try:
            ran = subprocess.run([program, *words], check=False, cwd=folder, env=environment)  # noqa: S603
        except OSError as error:
            hint = "; pip install 'portwright[ansible]' installs it" if isinstance(error, FileNotFoundError) else ""
            raise Complaint(f"cannot run ansible-playbook: {error.strerror}{hint}") from None
    return CLEAN if ran.returncode == 0 else FINDINGS


def _snapshot(options: Options) -> int:
    from portwright.cli.outputs import Output, OutputError, write
    from portwright.fleet.crossed_out import crossed_out
    from portwright.fleet.snapshot import SnapshotError, form, held, packed, taken
    from portwright.trees import ReadError

    how = form(options.output or "")
    if not how:
        raise Complaint("snapshot needs -o FILE, a .tar.gz or .tar.zst")
    try:
        data = packed(crossed_out(taken()), how)
        write([Output(options.output, data, private=True)])
        files, left_out = held(options.output)
    except (SnapshotError, OutputError) as error:
        raise Complaint(str(error)) from None
    except ReadError as error:
        raise Complaint(f"{options.output}: {error.reason}") from None
    if not options.quiet:
        _tell_snapshot(options, files, len(data), left_out)
    return INCOMPLETE if left_out else CLEAN


def _tell_snapshot(options: Options, files: int, size: int, left_out: Sequence[tuple[str, str]]) -> None:
    from portwright.reports.escape import safe
    from portwright.reports.words import counted

    lines = [f"{safe(options.output)}: {counted(files, 'file')}, {-(-size // 1024)} KiB, to be read by its owner only"]
    if os.geteuid() != 0:
        lines.append("this was not run as root: what others may not read is not in it")
    if options.verbose:
        lines += [f"not in it: {safe(path)}: {safe(reason)}" for path, reason in left_out]
    elif left_out:
        lines.append(f"{counted(len(left_out), 'thing')} could not be taken (-v lists them)")
    _write(None, "".join(f"{line}\n" for line in lines))


def _explain(options: Options) -> int:
    from portwright.audit.cases import beside, examples
    from portwright.reports.registry import Explained
    from portwright.rules.explaining import alike, explain

    outputs = _outputs(options)
    rules, _, _ = _rules(options)
    found = [rule for rule in rules if options.rule in (rule.id, rule.family)]
    if not found:
        near = alike(options.rule, {name for rule in rules for name in (rule.id, rule.family)})
        hint = f"did you mean {', '.join(near[:-1])}{' or ' if near[1:] else ''}{near[-1]}?" if near else "portwright rules lists them"
        raise Complaint(f"there is no rule or family named {options.rule!r}; {hint}")
    bad = {rule.id: next((each.result for each in examples(rule) if each.case == "bad"), None) for rule in found}
    explained = [Explained(explain(rule), bad[rule.id], beside(rule)) for rule in found]
    _report("explain", explained, outputs, options)
    return CLEAN


def _catalogue(options: Options) -> int:
    if options.test is not None:
        return _test(options)
    for name in ("cases", "accept"):
        if getattr(options, name):
            raise Complaint(f"--{name} goes with --test DIR")

    rules, _, _ = _rules(options)
    _report("rules", rules, _outputs(options), options)
    return CLEAN


def _test(options: Options) -> int:
    """Exit 0: every case is as it should be; 1: one is not; 2: a mistake in a rule, or nothing to test."""
    from pathlib import Path

    from portwright.audit.cases import run
    from portwright.reports.registry import Tested
    from portwright.rules.loading import is_shipped

    outputs = _outputs(options)
    folder = Path(options.test)
    selected, every, _ = _loaded(options, [folder])
    where = Path(options.cases or options.test)
    if not where.is_dir():
        raise Complaint(f"{where}: no such folder of cases")
    own = [rule for rule in every if is_shipped(folder) or rule.path.startswith(f"{folder}/")]
    found = run(own, where, [rule for rule in own if rule in selected])
    kept: set[tuple[str, str]] = set()
    if options.accept:
        for path, text in found.accepted().items():
            _keep({path: text}, (str(folder), str(where)))
        kept = {(outcome.path, outcome.name) for outcome in found.outcomes if outcome.is_new}
    _report("rules --test", Tested(found.outcomes, found.untested, found.stray, kept), outputs, options)
    if any(outcome.problem and (outcome.path, outcome.name) not in kept for outcome in found.outcomes):
        return FINDINGS
    return USAGE if not found.outcomes or found.stray else CLEAN


def _apps(options: Options) -> int:
    from portwright.daemons import daemons

    _report("apps", daemons(), _outputs(options), options)
    return CLEAN


def _config(options: Options) -> int:
    from portwright.cli.configured import ConfigurationError, settled
    from portwright.reports.registry import Configured

    outputs = _outputs(options)
    if len(options.paths) > 1:
        raise Complaint("config is for one directory")
    start = options.paths[0] if options.paths else "."
    if not os.path.isdir(start):
        raise Complaint(f"{start}: no such directory")
    try:
        found = settled(options, _root(start))
    except ConfigurationError as error:
        raise Complaint(str(error)) from None
    _obey(options, found)
    _rules(options)  # whose mistakes are told here, too
    _report("config", Configured(found.settings, found.path), outputs, options)
    return CLEAN


def _lsp(options: Options) -> int:
    from portwright.audit.check import Selection
    from portwright.cli.arguments import Options as Given
    from portwright.lsp import Asked, AskedError

    try:
        from portwright.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("pygls", "lsprotocol"):
            raise Complaint("lsp needs pygls, which is not installed: pip install 'portwright[lsp]'") from None
        raise

    def asking(place: str) -> Asked:
        if not os.path.lexists(place):  # what is new in an editor, and nowhere in its workspace
            return Asked((), (), frozenset(), Selection())
        # As if it were called there: each folder has its own configuration.
        here = Given(**{**options.__dict__, "paths": [place], "settled": None})
        try:
            _settle(here, place if os.path.isdir(place) else os.path.dirname(place))
            rules, known, selection = _rules(here)
            return Asked(_inputs(here), rules, known, selection, here.rate)
        except Complaint as complaint:
            raise AskedError(str(complaint)) from None

    serve(asking)
    return CLEAN


def _completion(options: Options) -> int:
    from portwright.cli.completion import script

    _print(script(options.shell).encode("utf-8", "strict"))
    return CLEAN


_COMMANDS: dict[str, Callable[[Options], int]] = {
    "check": _check,
    "facts": _facts,
    "fix": _fix,
    "audit": _audit,
    "merge": _merge,
    "snapshot": _snapshot,
    "suggest-port": _suggest_port,
    "explain": _explain,
    "rules": _catalogue,
    "apps": _apps,
    "config": _config,
    "lsp": _lsp,
    "completion": _completion,
    "ports": _ports,
}


# ── rules and inputs ───────────────────────────────────────────────────────────────────────────────────────────────────


def _rules(options: Options) -> tuple[tuple[Rule, ...], frozenset[str], Selection]:
    """(the selected rules, the ids of all rules, the selection)."""
    selected, every, selection = _loaded(options, _paths(options.rules))
    return selected, frozenset(rule.card.id for rule in every), selection


def _paths(names: Sequence[str]) -> list[Path]:
    if not names:
        return []
    from pathlib import Path

    return [Path(name) for name in names]


def _loaded(options: Options, folders: Sequence[Path]) -> tuple[tuple[Rule, ...], tuple[Rule, ...], Selection]:
    """(the selected rules, all rules, the selection) of those that are shipped and those of some folders."""
    from portwright.audit.check import Selection, SelectionError
    from portwright.rules import load
    from portwright.shipped import BroughtError, brought, folder
    from portwright.source import RuleError

    settled: Settled | None = getattr(options, "settled", None)
    least: Confidence = options.min_confidence or "possible"
    selection = Selection(_split(options.select), _split(options.ignore), _split(options.extend_select), least)
    if settled is not None:
        from portwright._start.records import replace

        selection = replace(selection, severities=settled.severities, path_rules=settled.path_rules, config=settled.path)
    try:
        every = load([folder("rules"), *brought("rules"), *folders])
        return selection.of(every), every, selection
    except (RuleError, SelectionError, BroughtError) as error:
        raise Complaint(str(error)) from None
    except OSError as error:
        raise Complaint(f"cannot read rules from {error.filename}: {error.strerror}") from None


def _split(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for word in words for part in word.split(",") if part)


def _inputs(options: Options) -> tuple[Input, ...]:
    from portwright.audit.inputs import InputError, inputs

    try:
        found = inputs(
            options.paths or ["."],
            stdin_name=getattr(options, "stdin_filename", None),
            taken_as=getattr(options, "as", None),
            exclude=getattr(options, "exclude", ()),
        )
    except InputError as error:
        raise Complaint(str(error)) from None
    settled: Settled | None = getattr(options, "settled", None)
    return found if settled is None else tuple(map(settled.told, found))


_CONFIGURED = ("check", "facts", "ports", "fix", "audit")
_READING = (*_CONFIGURED, "apps", "explain", "rules", "suggest-port", "lsp")


def _know_all_daemons() -> None:
    """Complain of rooms that others bring before anything is read; where nobody brings one, nothing is imported for it."""
    from portwright.shipped import BroughtError, brought

    try:
        if brought("daemons"):
            from portwright.daemons import know_those_brought

            know_those_brought()
    except BroughtError as error:
        raise Complaint(str(error)) from None


_VERSION_CONTROL = (".git", ".hg", ".svn", ".bzr")


def _settle(options: Options, start: str = ".") -> None:
    """Complete the options with what a configuration and a profile say; where there is neither, nothing is imported for them."""
    root = _root(start)
    # A directory that is no repository is not somebody's place to speak about what lies elsewhere.
    own = _is_top(root) or all(path == "-" or _lies_in(path, root) for path in options.paths or ["."])
    if not (options.config or options.profile or (own and _has_settings(root))):
        return
    from portwright.cli.configured import ConfigurationError, settled

    try:
        found = settled(options, root if own else "")
    except ConfigurationError as error:
        raise Complaint(str(error)) from None
    _obey(options, found)


def _is_top(folder: str) -> bool:
    """Whether a directory is the root of a repository."""
    return any(os.path.lexists(os.path.join(folder, name)) for name in _VERSION_CONTROL)


def _lies_in(path: str, root: str) -> bool:
    real, top = os.path.realpath(path), os.path.realpath(root)
    return real == top or real.startswith(f"{top.rstrip('/')}/")


def _obey(options: Options, found: Settled) -> None:
    """Set the options to what was settled."""
    given: dict[str, object] = {name: list(found.values(name.replace("_", "-"))) for name in ("select", "ignore", "extend_select", "rules")}
    given |= {name: found.value(name.replace("_", "-")) for name in ("fail_on", "min_confidence", "rate")}
    options.__dict__.update(given, settled=found)


def _has_settings(root: str) -> bool:
    """Whether a directory has a configuration, as far as a look tells: a project's file is read only for a table of ours."""
    if os.path.lexists(os.path.join(root, "portwright.toml")):
        return True
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(os.path.join(root, "pyproject.toml"), flags)
    except OSError:
        return False
    try:
        return b"tool.portwright" in os.read(descriptor, 1 << 20)
    except OSError:  # a directory, or nothing behind a pipe
        return False
    finally:
        os.close(descriptor)


def _root(start: str) -> str:
    """The root of the repository that a directory lies in, that itself where it lies in none."""
    here = first = os.path.abspath(start)
    while True:
        if _is_top(here):
            return here
        above = os.path.dirname(here)
        if above == here:
            return first
        here = above


def _each(
    inputs: Sequence[Input], options: Options, work: Callable[[Input], T], otherwise: Callable[[Input, str], T]
) -> tuple[list[T], bool]:
    """What work makes of every input, in the order given, and whether each came to its end without an error of our own."""
    from portwright._start import debug_log
    from portwright.audit.executor import Executor

    answers = Executor(work, otherwise, debug=debug_log.ENABLED).each(inputs, getattr(options, "jobs", 1))
    return [answer.value for answer in answers], _tell_mistakes(answers)


def _tell_mistakes(answers: Sequence[Answer[Any]]) -> bool:
    """Say which errors of our own there were; whether there was none."""
    mistakes: dict[str, int] = {}
    for answer in answers:
        if answer.mistake:
            mistakes[answer.mistake] = mistakes.get(answer.mistake, 0) + 1
            if answer.traceback:
                _show(answer.traceback)
    for mistake, times in mistakes.items():
        _say(f"portwright: {mistake}" + (f" ({times} hosts or repositories)" if times > 1 else ""))
    return not mistakes


# ── where output goes ───────────────────────────────────────────────────────────────────────────────────────────────


def _outputs(options: Options) -> list[tuple[str, str | None]]:
    """(format, file) pairs: the first --format goes to the first --output, and so on; one at most goes to standard output."""
    formats: list[str] = options.format or ["text"]
    outputs: list[str | None] = [None if output in _STANDARD_OUTPUT else output for output in options.output]
    if len(outputs) > len(formats):
        raise Complaint("there are more --output than --format: each output needs its format")
    pairs = list(zip(formats, [*outputs, *[None] * (len(formats) - len(outputs))], strict=True))
    if sum(output is None for _, output in pairs) > 1:
        raise Complaint("only one report can go to standard output: give the others an --output each")
    return pairs


def _report(
    command: str,
    given: object,
    outputs: Iterable[tuple[str, str | None]],
    options: Options,
    named: Sequence[tuple[Input, Iterable[str]]] = (),
) -> None:
    """Write what a command came to in each format; `named` are the inputs with the paths that a report of each may name."""
    from portwright.cli import terminal
    from portwright.reports.registry import find

    for form, output in outputs:
        report = find(form, command)
        if report is None:
            raise Complaint(f"{command} has no report in the format {form}")
        text = report.write(given, _look(options, output, named, is_shown=report.is_shown))
        if report.is_shown and terminal.is_terminal(output) and not terminal.unicode(output):
            from portwright.reports.escape import in_ascii

            text = in_ascii(text)
        _write(output, text, getattr(options, "paths", ()), commands=report.is_commands)


def _look(options: Options, output: str | None, named: Sequence[tuple[Input, Iterable[str]]], *, is_shown: bool) -> Look:
    """How a report is to look; only where it is shown to a reader is a terminal asked."""
    from portwright.cli import terminal
    from portwright.reports.registry import Look

    amount = {"quiet": options.quiet, "verbose": options.verbose, "show_allowed": getattr(options, "show_allowed", False)}
    if not is_shown:
        return Look(width=terminal.width(output), **amount)
    return Look(
        color=terminal.color(options.color, output),
        width=terminal.width(output),
        unicode=terminal.unicode(output),
        files=_files(named, options, output),
        machine=os.uname().nodename,
        **amount,
    )


def _write(output: str | None, text: str, foreign: Sequence[str] = (), *, commands: bool = False) -> None:
    """Write a report: to standard output, or to a file that is replaced whole or not at all.

    Where its lines are no `commands` for the CI job whose log this is, none of them becomes one.
    """
    if not commands and (output is None or output.startswith(("/dev/", "/proc/"))):
        from portwright.cli import terminal

        text = terminal.in_a_log(text)
    if output is None:
        _print(text.encode("utf-8", "backslashreplace"))
    else:
        _keep({output: text}, foreign)


def _keep(files: Mapping[str, str | bytes], foreign: Sequence[str], private: Collection[str] = (), folder: str = "") -> None:
    """Write files, all or none, into a `folder` of the owner's own if one is named. `foreign` are the inputs, in which others may have
    laid links."""
    from portwright.cli.outputs import Output, OutputError, make_folder, write

    try:
        if folder:
            make_folder(folder, foreign)
        data = ((path, text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")) for path, text in files.items())
        write([Output(path, each, path in private) for path, each in data], foreign)
    except OutputError as error:
        raise Complaint(str(error)) from None


def _print(data: bytes) -> None:
    if sys.stdout is None:
        raise Complaint("cannot write to standard output: closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer goes nowhere, else Python complains of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever read the report may have had enough of it; the verdict stands all the same.
        if not isinstance(error, BrokenPipeError):
            raise Complaint(f"cannot write to standard output: {error.strerror}") from None


def _say(line: str) -> None:
    """One line on standard error; what came from outside cannot play with the terminal."""
    from portwright.reports.escape import safe

    _show(" ".join(safe(line).split("\n")) + "\n")


def _show(text: str) -> None:
    """Lines on standard error that can be shown as they are; where nobody can be told, the exit code still tells it."""
    from contextlib import suppress

    from portwright.cli import terminal

    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(terminal.in_a_log(text))
