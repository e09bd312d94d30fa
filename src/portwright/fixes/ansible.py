"""A plan as an Ansible playbook: constant task text from playbooks/, every host-derived string in a vars file, never templated.

ansible-core is a program that portwright writes for and runs, never a module that it imports.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.changes.kind import Step, steps
from portwright.fixes.plan import FEWEST_PORTS, Plan

_NAME = lazy_regex(r"[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml")
_MACHINE_ID = lazy_regex(r"[0-9a-f]{32}")

BEGINNING = "---\n# A plan that portwright proved on a copy of this host's files."
"""How every playbook of a plan begins."""

_HEADER = (
    BEGINNING
    + """ The text of this playbook is the same for every host;
# what belongs to the host is in the vars file beside it, where no string is ever templated.
#   on the host:     ansible-playbook -i localhost, -c local {name}
#   from elsewhere:  ansible-playbook -i inventory -l HOST {name}
#   to preview:      add --check --diff
#   a part of it:    add --tags FAMILY, a family of rules: {families}
- name: {title}
  hosts: all
  gather_facts: false
  become: true
  vars_files:
    - {vars_name}
  tasks:
"""
)

_LOOK = """\
    - name: Look first, and stop before anything is touched where this is not what was analysed
      tags:
        - always
      block:
{tasks}
"""

_KEEP = """\
    - name: Keep what is there, so that it can be put back
      tags:
        - always
      block:
{tasks}
"""

_LABELS = """\
        - name: At last the labels of the files, so that a confined service may read them
          tags:
            - always
          block:
{tasks}"""

_APPLY = """\
    - name: Apply the plan, or put everything back
      block:
{tasks}
      rescue:
        - name: Put everything back, for a part of a plan is none
          tags:
            - always
          block:
{restore}
            - name: Fail, with everything as it was
              ansible.builtin.fail:
                msg: The plan could not be applied; files and kernel settings are what they were
"""

_PART = """\
{indent}- name: "{purpose}"
{indent}  tags:
{tags}
{indent}  block:
{tasks}"""


class PlaybookNameError(ValueError):
    """The playbook's file name is not one that can stand in a playbook."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a host holds before a plan: its planned paths and their folders (None: not there, b"": a folder), which of the files that the
    plan rests on are not there, which are links to what changes without a person, and the names of the *.conf in folders it rests on."""

    holds: Mapping[str, bytes | None] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    fleeting: frozenset[str] = frozenset()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Playbook:
    """What is written for a plan: file names and their text; `private` ones get mode 0600, and `folder` is made for some of them."""

    name: str
    files: Mapping[str, str]
    private: frozenset[str]
    folder: str = ""


def playbook(plan: Plan, name: str, templates: Mapping[str, str], before: Before, *, allow_restart: bool) -> Playbook:
    """The playbook NAME.yml of a plan, its vars file and its rollback; the same plan gives the same bytes.

    `templates` are the task files by stem. Raises PlaybookNameError for a file name outside `[A-Za-z0-9._-]`.
    """
    check_name(name)
    stem = name.rpartition(".")[0]
    vars_name, rollback_name = f"{stem}.vars.json", f"{stem}.rollback.yml"
    kinds = kinds_of(plan)
    families = ", ".join(sorted({family for kind in kinds for family in kind.families}))
    header = _HEADER.format(name=name, title="Apply a plan that portwright proved", vars_name=vars_name, families=families)
    back = _HEADER.format(name=rollback_name, title="Take back a plan of portwright", vars_name=vars_name, families="")
    back = "".join(line for line in back.splitlines(keepends=True) if "--tags" not in line)
    return Playbook(
        name,
        {
            name: f"{header}{applying(kinds, templates)}",
            vars_name: as_vars_file(values(plan, before, allow_restart)),
            rollback_name: f"{back}{restoring(templates)}",
        },
        frozenset({vars_name}),
    )


def check_name(name: str) -> None:
    """Raise PlaybookNameError for a file name that cannot stand in a playbook."""
    if not _NAME.fullmatch(name):
        raise PlaybookNameError(f"a playbook's name is letters, digits, dots, dashes and ends in .yml: {name!r}")


def kinds_of(plan: Plan) -> tuple[type[Step], ...]:
    """The kinds of a plan's steps, in their order: plans of the same kinds have the same tasks."""
    return tuple(dict.fromkeys(type(step) for step in plan.steps))


def restoring(templates: Mapping[str, str]) -> str:
    """The tasks of a play that takes a plan back."""
    return "\n".join(_indented(templates[stem], 4) for stem in ("identity", "restore"))


def applying(kinds: Sequence[type[Step]], templates: Mapping[str, str]) -> str:
    """The tasks and handlers of a play that applies plans of these kinds."""

    def tasks(indent: int, *stems: str) -> str:
        return "\n".join(_indented(templates[stem], indent) for stem in stems)

    def part(indent: int, kind: type[Step], stem: str, purpose: str) -> str:
        tags = "\n".join(f"{' ' * indent}    - {family}" for family in kind.families)
        return _PART.format(indent=" " * indent, purpose=purpose, tags=tags, tasks=tasks(indent + 4, stem))

    analysed = "\n".join(
        (
            _LOOK.format(tasks=tasks(8, "identity", "analysed")),
            *(part(4, kind, f"{kind.tasks}_analysed", f"Look at what comes of it: {kind.about}") for kind in kinds),
            _KEEP.format(tasks=tasks(8, "backup")),
        )
    )
    parts = (part(8, kind, kind.tasks, f"{'Then' if number else 'First'} {kind.about}: {kind.why}") for number, kind in enumerate(kinds))
    labels = _LABELS.format(tasks=tasks(12, "labels"))
    applied = _APPLY.format(tasks="\n".join((*parts, labels)), restore=tasks(12, "restore"))
    handlers = "\n  handlers:\n" + tasks(4, "handlers") if any(kind.has_handlers for kind in kinds) else ""
    return f"{analysed}\n{applied}{handlers}"


def templates(folder: Path) -> dict[str, str]:
    """The constant task files of a playbooks/ folder by stem; what is a playbook by itself is none."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yml"))}
    return {stem: text for stem, text in found.items() if "\n  hosts:" not in text}


def _indented(tasks: str, by: int) -> str:
    lines = tasks.removeprefix("---\n").splitlines()
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in lines)


# ── the vars file ───────────────────────────────────────────────────────────────────────────────────────────────────


def as_vars_file(given: Mapping[str, object]) -> str:
    """Variables as Ansible reads them, each string as it is and never templated."""
    return json.dumps({key: _unsafe(value) for key, value in given.items()}, indent=2, sort_keys=True) + "\n"


def values(plan: Plan, before: Before, allow_restart: bool) -> dict[str, object]:
    """The variables of a plan's tasks."""
    host = plan.host
    by_machine_id = bool(_MACHINE_ID.fullmatch(host.identity))
    run = sha256(json.dumps([host.identity, sorted(plan.edits.items())]).encode()).hexdigest()[:12]
    backup = f"/var/backups/portwright/{run}"
    own: dict[str, set[str]] = {}
    for path in plan.edits:
        folder, _, name = path.rpartition("/")
        own.setdefault(folder, set()).add(name)
    found: dict[str, object] = {
        "portwright_identity": host.identity,
        "portwright_identity_file": "/etc/machine-id" if by_machine_id else "/etc/hostname",
        "portwright_allow_restart": allow_restart,
        "portwright_backup": backup,
        "portwright_files": [
            {
                "path": path,
                "before": _digest(before.holds.get(path)),
                "after": _digest(plan.edits[path].encode("utf-8", "strict")),
                "backup": f"{backup}/{number}.tar",
            }
            for number, path in enumerate(sorted(plan.edits))
        ],
        "portwright_new_folders": sorted(folder for folder in own if folder in before.holds and before.holds[folder] is None),
        "portwright_read": [{"path": path, "before": digest} for path, digest in _read(plan, before)],
        "portwright_listed": [
            {"path": path, "names": sorted({*before.names[path]} - own.get(path, set())), "own": sorted(own.get(path, ()))}
            for path in sorted(before.names)
        ],
        "portwright_ports_left": plan.usable if plan.usable is not None else FEWEST_PORTS,
        "portwright_fewest_ports": FEWEST_PORTS if plan.usable is None else min(FEWEST_PORTS, plan.usable),
    }
    for kind in steps():
        found |= kind.variables(host, [step for step in plan.steps if isinstance(step, kind)], plan.edits, before.holds)
    return found


def _read(plan: Plan, before: Before) -> Iterator[tuple[str, str]]:
    """The files whose lines decided what the plan changes, with the hash of what was read; a file that was not there may not be there."""
    for path in sorted(plan.rests_on() - plan.edits.keys() - before.fleeting):
        if plan.host.real_path(path) in plan.edits:
            continue
        source = plan.host.sources.get(path)
        if source is not None:
            yield path, _digest(source.text.encode("utf-8", "surrogateescape"))
        elif path in before.lacks:
            yield path, _digest(None)


def _digest(content: bytes | None) -> str:
    return "absent" if content is None else sha256(content).hexdigest()


def _unsafe(value: object) -> object:
    """Every string wrapped so that Ansible keeps it a string, byte for byte, and never templates it."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, list):
        return [_unsafe(item) for item in value]
    if isinstance(value, dict):
        return {key: _unsafe(item) for key, item in value.items()}
    return value
