"""A plan as an Ansible playbook: constant task text from playbooks/, every host-derived string in a vars file, never templated.

ansible-core is a program that portwright writes for and runs, never a module that it imports.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from portwright.host import Host
from portwright.plan import FEWEST_PORTS, RANGE, RESERVED, SYSCTL_FILE, UNPRIVILEGED, DropInStep, Plan, SysctlStep

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml")
_MACHINE_ID = re.compile(r"[0-9a-f]{32}")

# sysctl values go through argv, never into the text of the script.
_WRITE = 'while [ $# -gt 0 ]; do if [ -e "$1" ]; then printf "%s\\n" "$2" > "$1"; fi; shift 2; done'

_HEADER = """\
---
# A plan that portwright proved on a copy of this host's files. The text of this playbook is the same for every host;
# what belongs to the host is in the vars file beside it, where no string is ever templated.
#   on the host:     ansible-playbook -i localhost, -c local {name}
#   from elsewhere:  ansible-playbook -i inventory -l HOST {name}
#   to look first:   add --check --diff
- name: {title}
  hosts: all
  gather_facts: false
  become: true
  vars_files:
    - {vars_name}
  tasks:
"""


class PlaybookNameError(ValueError):
    """The playbook's file name is not one that can stand in a playbook."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """What is written for a plan: file names and their text; `private` ones get mode 0600."""

    name: str
    files: Mapping[str, str]
    private: frozenset[str]


def playbook(plan: Plan, name: str, templates: Mapping[str, str], before: Mapping[str, bytes | None], *, allow_restart: bool) -> Playbook:
    """The playbook NAME.yml of a plan, its vars file and its rollback; the same plan gives the same bytes.

    `templates` are the task files by stem (identity, sysctl, drop_in, handlers, rollback); `before` is what the planned paths hold
    now, None where they do not exist. Raises PlaybookNameError for a file name outside `[A-Za-z0-9._-]`.
    """
    if not _NAME.fullmatch(name):
        raise PlaybookNameError(f"a playbook's name is letters, digits, dots, dashes and ends in .yml: {name!r}")
    stem = name.rpartition(".")[0]
    vars_name, rollback_name = f"{stem}.vars.json", f"{stem}.rollback.yml"
    kinds = ["identity"]
    if any(isinstance(step, SysctlStep) for step in plan.steps):
        kinds.append("sysctl")
    if any(isinstance(step, DropInStep) for step in plan.steps):
        kinds.append("drop_in")
    tasks = "\n".join(_indented(templates[kind]) for kind in kinds)
    handlers = f"\n  handlers:\n{_indented(templates['handlers'])}" if "drop_in" in kinds else ""
    rollback_handlers = "\n  handlers:\n" + _indented(templates["handlers"].partition("\n- name: Restart units")[0] + "\n")
    header = _HEADER.format(name=name, title="Apply a plan that portwright proved", vars_name=vars_name)
    back = _HEADER.format(name=rollback_name, title="Take back a plan of portwright", vars_name=vars_name)
    return Playbook(
        name,
        {
            name: header + tasks + handlers,
            vars_name: json.dumps(_vars(plan, before, allow_restart), indent=2, sort_keys=True) + "\n",
            rollback_name: back + _indented(templates["rollback"]) + rollback_handlers,
        },
        frozenset({vars_name}),
    )


def templates(folder: Path) -> dict[str, str]:
    """The constant task files of a playbooks/ folder by stem."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yml"))}


def _indented(tasks: str) -> str:
    lines = tasks.removeprefix("---\n").splitlines()
    return "".join(f"    {line}\n" if line else "\n" for line in lines)


def _vars(plan: Plan, before: Mapping[str, bytes | None], allow_restart: bool) -> dict[str, object]:
    host = plan.host
    settings = [step for step in plan.steps if isinstance(step, SysctlStep)]
    drop_ins = [step for step in plan.steps if isinstance(step, DropInStep)]
    by_machine_id = bool(_MACHINE_ID.fullmatch(host.identity))
    files = sorted(plan.edits)
    run = sha256(json.dumps([host.identity, sorted(plan.edits.items())]).encode()).hexdigest()[:12]
    backup = f"/var/backups/portwright/{run}"
    values: dict[str, object] = {
        "portwright_identity": host.identity,
        "portwright_identity_file": "/etc/machine-id" if by_machine_id else "/etc/hostname",
        "portwright_allow_restart": allow_restart,
        "portwright_backup": backup,
        "portwright_files": [
            {
                "path": path,
                "before": _digest(before.get(path)),
                "after": _digest(plan.edits[path].encode()),
                "backup": f"{backup}/{number}.tar",
            }
            for number, path in enumerate(files)
        ],
        "portwright_sysctls": [
            {"key": step.key, "proc": _proc(step.key), "value": step.value, "was": step.was} for step in settings
        ],
        "portwright_sysctl_file": {"path": SYSCTL_FILE, "content": plan.edits.get(SYSCTL_FILE, "")},
        "portwright_sysctls_trial": ["unshare", "--net", "sh", "-ec", _WRITE, "sh", *_trial(host, settings)],
        "portwright_sysctls_restore": ["sh", "-ec", _WRITE, "sh", *(w for s in reversed(settings) for w in (_proc(s.key), s.was))],
        "portwright_ports_left": plan.usable if plan.usable is not None else FEWEST_PORTS,
        "portwright_fewest_ports": FEWEST_PORTS,
        "portwright_drop_ins": [
            {
                "unit": step.unit,
                "directory": step.path.rpartition("/")[0],
                "directory_is_new": before.get(step.path.rpartition("/")[0]) is None,
                "path": step.path,
                "content": plan.edits[step.path],
            }
            for step in drop_ins
        ],
    }
    return {key: _unsafe(value) for key, value in values.items()}


def _trial(host: Host, settings: list[SysctlStep]) -> list[str]:
    """(path, value) pairs in writing order: a new network namespace has the kernel's defaults, so what the host has comes first."""
    wanted = {step.key: step.value for step in settings}
    for key in (UNPRIVILEGED, RANGE, RESERVED):
        sysctl = host.sysctl(key)
        if sysctl is not None:
            wanted.setdefault(key, sysctl.boot)
    first = [key for key in (UNPRIVILEGED, RANGE, RESERVED) if key in wanted]
    ordered = [*first, *(key for key in wanted if key not in first)]
    return [word for key in ordered for word in (_proc(key), wanted[key])]


def _proc(key: str) -> str:
    return "/proc/sys/" + key.replace(".", "/")


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
