"""The plans of many hosts as one playbook: a play for the hosts with steps of the same kinds, from one of them up to all."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from portwright._start.records import dataclass, replace
from portwright.changes.kind import Disruption, Safety, Step
from portwright.finding import Finding
from portwright.fixes.ansible import Before, Playbook, applying, as_vars_file, check_name, kinds_of, restoring, values
from portwright.fixes.plan import Plan, Unplanned
from portwright.source import Unreadable

NOTHING = "nothing"
"""The kinds of a plan without steps: every machine that was analysed has a plan, so that one that was not is told from it."""

BEGINNING = "---\n# Plans that portwright proved on copies of these hosts' files."

_HEADER = (
    BEGINNING
    + """ The text of this playbook is the same for every fleet
# with plans of these kinds; what belongs to a host is in a vars file of its own in {folder}/, where no string is ever templated.
#   to apply:    ansible-playbook -i INVENTORY {name}
#   to preview:  add --check --diff
#   to one host: add --limit HOST
"""
)

_FIND = """\
- name: Find the plan of each machine
  hosts: all
  gather_facts: false
  tags:
    - always
  vars_files:
    - {vars_name}
  tasks:
{tasks}
"""

_APPLY = """\
- name: "Apply the plans that portwright proved, on one host, then on a quarter of them, then on all: {about}"
  hosts: portwright_{kinds}
  gather_facts: false
  become: true
  serial:
    - 1
    - 25%
    - 100%
  max_fail_percentage: 0
  vars_files:
    - {vars_name}
  tasks:
{tasks}
"""

_TAKE_BACK = """\
- name: Take back the plans of portwright
  hosts: all:!portwright_{nothing}
  gather_facts: false
  become: true
  vars_files:
    - {vars_name}
  tasks:
{tasks}"""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step as a report says it."""

    path: str
    words: str
    safety: Safety
    disruption: Disruption
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What is kept of one host's plan: a fleet's plans are thousands, and the text of a host's files is not needed for the playbook.

    `kinds` are the step kinds in order. `variables` are those of its tasks, none where nothing is planned; `reason` says why then.
    `changes` maps each written path to its text before (None: no file) and after.
    """

    host: str
    identity: str
    kinds: tuple[type[Step], ...] = ()
    variables: Mapping[str, object] | None = None
    steps: tuple[PlannedStep, ...] = ()
    fixed: tuple[Finding, ...] = ()
    unplanned: tuple[Unplanned, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    not_understood: int = 0
    is_read: bool = True
    is_full: bool = True
    reason: str = ""
    changes: Mapping[str, tuple[str | None, str]] | None = None


def host_plan(plan: Plan, before: Before, *, allow_restart: bool) -> HostPlan:
    """What a fleet's playbook and report need of one host's plan."""
    host = plan.host
    sources = host.sources
    return HostPlan(
        host=host.name,
        identity=host.identity,
        kinds=kinds_of(plan),
        variables=values(plan, before, allow_restart) if plan.steps else None,
        steps=tuple(PlannedStep(each.path, each.in_words(), each.safety, each.disruption, tuple(each.because)) for each in plan.steps),
        fixed=plan.fixed,
        unplanned=plan.unplanned,
        unreadable=host.unreadable,
        not_understood=len(host.coverage.not_understood),
        is_read=bool(host.files_read),
        is_full=host.coverage.is_full,
        reason=plan.reason,
        changes={path: (sources[path].text if path in sources else None, text) for path, text in sorted(plan.edits.items())},
    )


def told_apart(plans: Sequence[HostPlan]) -> tuple[HostPlan, ...]:
    """The plans with none for machines that cannot be told apart: which of two plans such a machine would get, nobody could say."""
    claimed: dict[str, list[str]] = {}
    for plan in plans:
        claimed.setdefault(plan.identity, []).append(plan.host)
    return tuple(_without_steps(plan, claimed[plan.identity]) if len(claimed[plan.identity]) > 1 else plan for plan in plans)


def _without_steps(plan: HostPlan, hosts: Sequence[str]) -> HostPlan:
    others = [host for host in hosts if host != plan.host] or hosts[1:]
    reason = f"{others[0]} has the same identity (/etc/machine-id, else /etc/hostname), so that no playbook can tell the two apart"
    left = tuple(Unplanned(finding, reason, "give each machine an identity of its own: systemd-machine-id-setup") for finding in plan.fixed)
    empty = replace(plan, kinds=(), variables=None, steps=(), fixed=(), changes={})
    return replace(empty, unplanned=(*left, *plan.unplanned), reason=reason)


def fleet_playbook(plans: Sequence[HostPlan], name: str, templates: Mapping[str, str]) -> Playbook:
    """The playbook NAME.yml of a fleet's plans, its rollback, and a vars file for each host; the same plans give the same bytes.

    `templates` are the task files by stem. Raises PlaybookNameError as `playbook` does.
    """
    check_name(name)
    stem = name.rpartition(".")[0]
    folder, vars_name, rollback_name = f"{stem}.vars", f"{stem}.vars.json", f"{stem}.rollback.yml"
    own = {_digest(plan.identity): {**(plan.variables or {}), "portwright_kinds": _word(plan.kinds)} for plan in plans}
    run = sha256("".join(f"{digest}\n{as_vars_file(own[digest])}" for digest in sorted(own)).encode("utf-8", "strict")).hexdigest()
    find = _FIND.format(vars_name=vars_name, tasks=_tasks(templates["plan_of_machine"]))
    plays = "\n".join(_play(kinds, vars_name, templates) for kinds in sorted({plan.kinds for plan in plans if plan.kinds}, key=_word))
    back = _TAKE_BACK.format(nothing=NOTHING, vars_name=vars_name, tasks=restoring(templates))
    files = {
        name: f"{_HEADER.format(folder=folder, name=name)}{find}\n{plays}".rstrip("\n") + "\n",
        rollback_name: f"{_HEADER.format(folder=folder, name=rollback_name)}{find}\n{back}".rstrip("\n") + "\n",
        vars_name: as_vars_file({"portwright_plans": folder, "portwright_run": run}),
    }
    of_hosts = {f"{folder}/{digest}.json": as_vars_file({**given, "portwright_run_of_plan": run}) for digest, given in sorted(own.items())}
    return Playbook(name, {**files, **of_hosts}, frozenset({vars_name, *of_hosts}), folder)


def _play(kinds: Sequence[type[Step]], vars_name: str, templates: Mapping[str, str]) -> str:
    about = ", ".join(kind.about for kind in kinds)
    return _APPLY.format(about=about, kinds=_word(kinds), vars_name=vars_name, tasks=applying(kinds, templates))


def _digest(identity: str) -> str:
    return sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()


def _word(kinds: Sequence[type[Step]]) -> str:
    """The kinds in the name of a group of Ansible's inventory."""
    return "_".join(kind.tasks for kind in kinds) or NOTHING


def _tasks(text: str) -> str:
    lines = text.removeprefix("---\n").splitlines()
    return "".join(f"    {line}\n" if line else "\n" for line in lines)
