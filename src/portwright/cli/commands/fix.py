"""`portwright fix`: a proven playbook for hosts, a patch for a repository."""

from __future__ import annotations

import os
import sys

from portwright.cli.asked import STANDARD_OUTPUT, asked_inputs, asked_rules
from portwright.cli.judging import is_incomplete, work_on_each
from portwright.cli.streams import CLEAN, FINDINGS, INCOMPLETE, INTERNAL, Complaint, print_bytes, say
from portwright.cli.telling import keep, tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portwright.audit.check import Selection
    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.fixes.policy import FixPolicy
    from portwright.host import Host
    from portwright.ports import PortSet
    from portwright.rules import Rule


def run(options: Options) -> int:
    from portwright.audit.check import before, planned
    from portwright.fixes.ansible import PlaybookNameError, playbook, templates
    from portwright.reports.registry import Planned
    from portwright.shipped import playbooks_directory

    rules, known, selection = asked_rules(options)
    inputs = asked_inputs(options)
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
        keep(files_of_plan, options.paths, {os.path.join(folder, file) for file in book.private})
        written = tuple(files_of_plan)
    told = Planned(made, written, removed, options.diff, checked, selection.config)
    tell("fix", told, [("text", None)], options, [(given, made.host.sources)])
    applied = _apply(book.files) if options.apply and written else CLEAN
    if made.unplanned or applied != CLEAN or is_refused:
        return CLEAN if options.exit_zero and applied == CLEAN and not is_refused else FINDINGS
    return INCOMPLETE if not rules or is_incomplete([made.host, *others], options) else CLEAN


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
    found, sound = work_on_each(
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
        keep(files_of_plan, options.paths, {os.path.join(folder, file) for file in book.private}, own)
        written = tuple(file for file in files_of_plan if not file.startswith(f"{own}/"))
    elif options.output:
        from portwright.cli.outputs import remove

        removed = options.output if remove(options.output, BEGINNING.encode("utf-8", "strict"), options.paths) else ""
    tell("fix", PlannedFleet(plans, written, removed, options.diff, selection.config), [("text", None)], options)
    if not sound:
        return INTERNAL
    if any(plan.unplanned for plan in plans):
        return CLEAN if options.exit_zero else FINDINGS
    blind = (bool(others) and is_incomplete(others, options)) or any(
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
        say(f"portwright: a line of the patch holds a secret, as the file does: {secrets[0]}{more}")
    if options.patch in STANDARD_OUTPUT:
        print_bytes(text)
    else:
        written = options.patch if options.patch is not None and made.after else ""
        if written:
            keep({written: text}, options.paths)
        tell("fix", Patched(made, written, options.diff, selection.config), [("text", None)], options, [(given, made.seen.paths)])
    if made.unplanned:
        return CLEAN if options.exit_zero else FINDINGS
    return INCOMPLETE if not rules or is_incomplete([made.seen.result], options) else CLEAN


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
