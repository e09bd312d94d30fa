"""A repository's playbooks and roles, run for each machine that its inventories and groups tell apart: what they put where."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from portwright._start.records import dataclass, field
from portwright.coverage import LeftOut
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.ansible.inventory import Inventory
from portwright.repositories.deployers.ansible.layout import Layout, is_playbook
from portwright.repositories.deployers.ansible.pages import MachinePages, matters
from portwright.repositories.deployers.ansible.running import Budget, Enough, Machine, Run, Where
from portwright.repositories.deployers.ansible.values import Place, place_of
from portwright.repositories.deployers.ansible.variables import Filling, Variables, text_of
from portwright.repositories.deployers.placed import Deployed, Line, Placed
from portwright.repositories.recognise import lies_aside
from portwright.source import Span, Unreadable
from portwright.system.spanned_text import UNKNOWN as MARK

_MOST_MACHINES = 16
"""Machines that playbooks are run for; those of which nothing says anything else count once."""
_MOST_PLAYBOOKS = 80
_LOCAL = ("localhost", "127.0.0.1")
_OF_CONNECTIONS = ("ansible_host", "ansible_port", "ansible_user", "ansible_ssh_host", "ansible_connection", "ansible_ssh_private_key_file")


@dataclass(frozen=True, slots=True)
class _Known:
    """A machine that is told apart: its name, its groups, and what is known of it, the highest first."""

    name: str
    groups: tuple[str, ...]
    layers: tuple[Mapping[Any, Any], ...]
    hosts: tuple[str, ...]
    is_real: bool


_NOBODY = _Known("no group", ("all",), (), (), False)


@dataclass
class _Written:
    """What a playbook wrote on a machine."""

    playbook: str
    machine: str
    pages: MachinePages


@dataclass
class Project:
    """What the Ansible of a repository does, by the file that does it."""

    files: dict[str, list[Placed]] = field(default_factory=dict)
    understood: dict[str, frozenset[int]] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)
    left_out: dict[str, list[LeftOut]] = field(default_factory=dict)

    def deployed(self, label: str) -> Deployed:
        """What a file does. What cannot be read in any file is told with the first that is asked for."""
        here, self.unreadable = tuple(self.unreadable), []
        files, left = tuple(self.files.get(label, ())), tuple(self.left_out.get(label, ()))
        return Deployed(files, self.understood.get(label, frozenset()), label in self.cut, here, left)


def project(checkout: Checkout) -> Project:
    """The Ansible of a repository, run."""
    return _Running(checkout).run()


class _Running:
    def __init__(self, checkout: Checkout) -> None:
        self.layout = Layout(checkout)
        self.budget = Budget()
        self.made = Project()
        self.filling = Filling(self._say)
        self.written: list[_Written] = []
        self._hosts: dict[str, tuple[Mapping[Any, Any], ...]] = {}
        self._said: set[tuple[str, str]] = set()

    def run(self) -> Project:
        imported = {label for playbook in self.layout.playbooks for label in self._imported(playbook)}
        starts = [label for label in self.layout.playbooks if label not in imported]
        try:
            for playbook in starts[_MOST_PLAYBOOKS:]:
                self._say(Place(playbook, 1, 1, 1), f"the repository has more than {_MOST_PLAYBOOKS} playbooks: this one is not run")
            for environment, inventory in self._environments(starts):
                for playbook in starts[:_MOST_PLAYBOOKS]:
                    self._playbook(playbook, environment, inventory)
            self._roles()
            self._rest()
        except Enough:
            first = starts[0] if starts else next(iter(self.budget.reached), "")
            self._say(Place(first, 1, 1, 1), "the repository has more tasks than are followed: of the rest nothing is said")
        for label in sorted(self.layout.refused & (self.budget.reached | self.budget.loaded)):
            self._say(Place(label, 1, 1, 1), "it is not YAML, or more than is read of a file: what it says is not known")
        self._collect()
        self._understand()
        return self.made

    # ── which machines ──────────────────────────────────────────────────────────────────────────────────────────────

    def _environments(self, playbooks: Iterable[str]) -> list[tuple[str, list[_Known]]]:
        """The machines by the inventory that has them; without one, those that plays and variables name."""
        found = [(folder, self._of_inventory(folder, each)) for folder, each in self.layout.inventories()]
        if found:
            several = len(found) > 1
            return [(folder if several else "", known) for folder, known in found][:6]
        names = dict.fromkeys(name for name in self.layout.group_vars if name != "all")
        for playbook in playbooks:
            for _, play in self._numbered(playbook):
                for name in self._names(play.get("hosts")):
                    names.setdefault(name)
        layers = self._vars_of("all", self.layout.group_vars, "")
        groups = self.layout.group_vars
        known = [_Known(name, ("all", name), (*self._vars_of(name, groups, ""), *layers), (), False) for name in [*names][:200]]
        known += [
            _Known(name, ("all", name), (*self._vars_of(name, self.layout.host_vars, ""), *layers), (name,), False)
            for name in list(self.layout.host_vars)[:200]
            if name not in names
        ]
        return [("", [_Known("", ("all",), tuple(layers), (), False), *known])]

    def _of_inventory(self, folder: str, inventory: Inventory) -> list[_Known]:
        found: dict[Any, _Known] = {}
        for host, groups in inventory.groups_of_hosts():
            own = inventory.hosts[host]
            files = self._vars_of(host, self.layout.host_vars, folder)
            said = {key: value for key, value in own.items() if key not in _OF_CONNECTIONS}
            signature = (tuple(groups), repr(sorted(((str(key), _brief(value)) for key, value in said.items()))), host if files else "")
            if signature in found:
                self._hosts[host] = (own, *found[signature].layers)
                continue
            layers: list[Mapping[Any, Any]] = [*files, own]
            for name in reversed(groups):
                layers += self._vars_of(name, self.layout.group_vars, folder)
            for name in reversed(groups):
                if name in inventory.groups and inventory.groups[name].variables:
                    layers.append(inventory.groups[name].variables)
            found[signature] = _Known(host, tuple(groups), tuple(layer for layer in layers if layer), (host,), True)
            self._hosts[host] = found[signature].layers
        self._inventory = inventory
        return list(found.values())

    def _vars_of(self, name: str, among: Mapping[str, list[str]], folder: str) -> list[Mapping[Any, Any]]:
        """The variables that files say of a group or a host: those beside an inventory count where they belong to that one."""
        made: list[Mapping[Any, Any]] = []
        for label in reversed(among.get(name, ())):
            above = label.partition("group_vars/")[0].partition("host_vars/")[0].rstrip("/")
            if folder and above and above != folder and not _holds(above, folder) and self._is_of_inventory(above):
                continue
            document = self.layout.document(label)
            self.budget.loaded.add(label)
            if isinstance(document, dict):
                made.append(document)
        return made

    def _is_of_inventory(self, folder: str) -> bool:
        return any(folder == other for other, _ in self._folders())

    def _folders(self) -> list[tuple[str, Inventory]]:
        if not hasattr(self, "_inventories"):
            self._inventories = self.layout.inventories()
        return self._inventories

    def _names(self, hosts: Any) -> Iterator[str]:
        """The names of groups and hosts in a play's pattern."""
        for each in hosts if isinstance(hosts, list) else [hosts]:
            text = text_of(Variables(self.filling, ()).filled(each)) if isinstance(each, str) else None
            for part in (text or "").replace(",", ":").split(":"):
                part = part.strip().partition("[")[0]
                if part and MARK not in part and part[0] not in "!&~" and "*" not in part and part not in ("all", *_LOCAL):
                    yield part

    # ── playbooks ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _imports(self, play: Mapping[Any, Any], label: str) -> str | None:
        name = play.get("import_playbook", play.get("ansible.builtin.import_playbook", play.get("include")))
        if not isinstance(name, str):
            return None
        text = text_of(Variables(self.filling, ()).filled(name.split(" ")[0])) or ""
        return self.layout.found(text, (label.rpartition("/")[0],))

    def _imported(self, label: str) -> Iterator[str]:
        document = self.layout.document(label)
        for play in document if is_playbook(document) else ():
            other = self._imports(play, label)
            if other is not None and other != label:
                yield other

    def _playbook(self, label: str, environment: str, machines: Iterable[_Known]) -> None:
        plays = list(self._numbered(label))
        own = {name for _, play in plays for name in self._names(play.get("hosts"))}
        is_for_all = any(self._is_meant(play, _NOBODY) for _, play in plays)
        run = 0
        for known in machines:
            if not known.is_real and known.name and known.name not in own and not is_for_all:
                continue
            mine = [(where, play) for where, play in plays if self._is_meant(play, known)]
            if mine and run >= _MOST_MACHINES:
                self._say(Place(label, 1, 1, 1), f"it is for more than {_MOST_MACHINES} machines: of the rest nothing is said")
                break
            run += bool(mine)
            if mine:
                self._on(label, self._called(label, environment, known), known, mine)
        # Groups that only a running inventory knows: each pattern is a machine.
        several = list(machines)
        others: dict[tuple[str, ...], list[tuple[str, Mapping[Any, Any]]]] = {}
        for where, play in plays:
            if not self._is_local(play) and not any(self._is_meant(play, known) for known in several):
                names = tuple(dict.fromkeys(self._names(play.get("hosts"))))
                if names:
                    others.setdefault(names, []).append((where, play))
        everywhere = self._vars_of("all", self.layout.group_vars, "")
        for names, mine in islice(others.items(), _MOST_MACHINES):
            layers = [layer for name in reversed(names) for layer in self._vars_of(name, self.layout.group_vars, "")]
            known = _Known(names[0], ("all", *names), (*layers, *everywhere), (), False)
            of_all = [each for each in plays if each in mine or self._is_meant(each[1], known)]
            self._on(label, self._called(label, environment, known), known, of_all)
        local = [(where, play) for where, play in plays if self._is_local(play)]
        if local:
            known = _Known("localhost", ("all",), (), ("localhost",), False)
            self._on(label, self._called(label, "", known), known, local)

    def _called(self, label: str, environment: str, known: _Known) -> str:
        """What a machine is called: a host by its name; where nothing lists the hosts, a group is another one in each playbook."""
        if not known.is_real:
            return f"{known.name or 'all'} in {label}" if known.name or len(self.layout.playbooks) > 1 else ""
        return f"{environment}/{known.name}" if environment else known.name

    def _numbered(self, label: str, depth: int = 0) -> Iterator[tuple[str, Mapping[Any, Any]]]:
        document = self.layout.document(label)
        for play in document if is_playbook(document) else ():
            other = self._imports(play, label)
            if other is None:
                yield label, play
            elif depth < 12:
                yield from self._numbered(other, depth + 1)

    def _is_local(self, play: Mapping[Any, Any]) -> bool:
        return str(play.get("hosts", "")).strip() in _LOCAL

    def _is_meant(self, play: Mapping[Any, Any], known: _Known) -> bool:
        """Whether a play is for a machine, or may be: a pattern that nobody can tell is for all."""
        hosts = play.get("hosts")
        parts: list[str] = []
        for each in hosts if isinstance(hosts, list) else [hosts]:
            text = text_of(Variables(self.filling, known.layers).filled(each)) if isinstance(each, str) else None
            if text is None or MARK in text:
                return known.is_real or not known.name
            parts += [part.strip() for part in text.replace(",", ":").split(":") if part.strip()]
        if any(part in _LOCAL for part in parts) and len(parts) == 1:
            return False
        meant = False
        for part in parts:
            mark, word = (part[0], part[1:]) if part[0] in "!&" else ("", part)
            word = word.partition("[")[0]
            is_in = word in ("all", "*") or word in known.groups or word in known.hosts or word == known.name or _globs(word, known)
            if mark == "!":
                meant = meant and not is_in
            elif mark == "&":
                meant = meant and is_in
            else:
                meant = meant or is_in
        return meant

    def _on(self, label: str, machine: str, known: _Known, plays: Iterable[tuple[str, Mapping[Any, Any]]]) -> None:
        pages = MachinePages(label, machine)
        magic: dict[Any, Any] = {"group_names": [name for name in known.groups if name != "all"]}
        if known.is_real and known.hosts:
            magic["inventory_hostname"] = known.hosts[0]
            magic["inventory_hostname_short"] = known.hosts[0].partition(".")[0]
        inventory = getattr(self, "_inventory", None)
        if inventory is not None:
            magic["groups"] = {name: list(inventory.members(name)) for name in ("all", *inventory.groups)}
        on = Machine(known.hosts[0] if known.hosts else known.name, known.layers, pages, magic=magic, others=self._hosts)
        run = Run(self.layout, self.filling, on, self.budget, label)
        for where, play in plays:
            self.budget.reached.add(where)
            run.folder = where.rpartition("/")[0]
            run.play(where, play)
        self.written.append(_Written(label, machine, pages))

    # ── roles and files of tasks that no play has ───────────────────────────────────────────────────────────────────

    def _roles(self) -> None:
        layers = self._vars_of("all", self.layout.group_vars, "")
        for folder in sorted(each for folders in self.layout.roles.values() for each in folders):
            main = next(iter(self.layout.files_of(f"{folder}/tasks/main" if folder else "tasks/main")), None)
            if folder in self.budget.roles or main is None or lies_aside(main) or main in self.budget.reached:
                continue
            # Where plays say which roles are together, one that none of them has is with no other.
            machine = f"role {folder}" if self.layout.playbooks else ""
            pages = MachinePages(main, machine)
            run = Run(self.layout, self.filling, Machine("", tuple(layers), pages), self.budget, main)
            run.folder = folder
            run.role(folder, Where(main, folder))
            self.written.append(_Written(main, machine, pages))

    def _rest(self) -> None:
        """Files of tasks that nothing includes by a name that is known."""
        for label in self.layout.checkout.labels:
            parts = label.split("/")
            if "tasks" not in parts[:-1] or not label.endswith((".yml", ".yaml")) or label in self.budget.reached or lies_aside(label):
                continue
            document = self.layout.document(label)
            if not isinstance(document, list) or is_playbook(document):
                continue
            at = len(parts) - 2 - parts[-2::-1].index("tasks")
            folder = "/".join(parts[:at])
            pages = MachinePages(label)
            run = Run(self.layout, self.filling, Machine("", (), pages), self.budget, label)
            run.folder = folder
            name = label.removeprefix(f"{folder}/tasks/" if folder else "tasks/")
            run.role(folder, Where(label, folder, is_sure=False), tasks=name)
            self.written.append(_Written(label, "", pages))

    # ── what comes of it ────────────────────────────────────────────────────────────────────────────────────────────

    def _collect(self) -> None:
        """The files of each machine. What several playbooks add to a file of one machine is there together."""
        of_playbooks: dict[str, list[_Written]] = {}
        for each in self.written:
            of_playbooks.setdefault(each.machine, []).append(each)
        wholes: dict[str, frozenset[tuple[str, tuple[Line, ...]]]] = {}
        made: dict[str, list[tuple[str, Placed]]] = {}
        for machine, several in of_playbooks.items():
            files = [each for each in self._of_machine(machine, several) if matters(each[1].path)]
            made[machine] = files
            wholes[machine] = frozenset((placed.path, placed.lines) for _, placed in files)
        kept: list[str] = []
        for machine in sorted(wholes, key=lambda machine: -len(wholes[machine])):
            # A machine on which nothing is written that is not on another one, too, says nothing more.
            if machine and any(wholes[machine] <= wholes[other] for other in kept if other):
                continue
            kept.append(machine)
        for machine in [each for each in made if each in set(kept)]:
            seen: set[tuple[str, tuple[Line, ...]]] = set()
            for label, placed in made[machine]:
                if (placed.path, placed.lines) not in seen:
                    seen.add((placed.path, placed.lines))
                    self.made.files.setdefault(label, []).append(placed)
        for label, (task, line) in self.budget.not_put.items():
            self.made.left_out.setdefault(task, []).append(LeftOut(label, f"the condition of the task at {task}:{line} is not met"))
        for each in self.written:
            if each.pages.cut:
                self.made.cut.add(each.playbook)

    def _of_machine(self, machine: str, several: Iterable[_Written]) -> Iterator[tuple[str, Placed]]:
        together: dict[str, list[tuple[str, list[Line], str, bool]]] = {}
        for each in several:
            for path, lines in each.pages.lines.items():
                if lines:
                    own = path
                    if not machine and path == "/etc/sysctl.conf" and path in each.pages.added:
                        # Roles that no play puts together do not want the same file of a machine.
                        own = f"/etc/sysctl.d/zz-{each.playbook.replace('/', '-')}.conf"
                    together.setdefault(own, []).append((each.playbook, lines, each.pages.of.get(path, ""), path in each.pages.added))
            for path, kept, of in each.pages.more:
                yield each.playbook, Placed(path, kept, machine, of)
        for path, versions in together.items():
            added = [version for version in versions if version[3]]
            if machine and added:
                lines = list(dict.fromkeys(line for version in added for line in version[1]))
                yield added[0][0], Placed(path, tuple(lines), machine)
                versions = [version for version in versions if not version[3]]
            for playbook, lines, of, _ in versions:
                yield playbook, Placed(path, tuple(lines), machine, of)

    def _understand(self) -> None:
        """Of what was gone through, all lines but those of tasks that were not followed."""
        spoken: dict[str, set[int]] = {}
        for each in self.written:
            for label, number in each.pages.spoken_for:
                spoken.setdefault(label, set()).add(number)
        left: dict[str, set[int]] = {}
        for label, number in self.budget.not_followed:
            left.setdefault(label, set()).add(number)
        for label in {*self.budget.reached, *self.budget.loaded}:
            text = self.layout.checkout.text(label)
            if text is not None:
                whole = set(range(1, text.count("\n") + 2)) - left.get(label, set())
                self.made.understood[label] = frozenset(whole | spoken.get(label, set()))

    def _say(self, at: Place | None, reason: str) -> None:
        if at is not None and (at.label, reason) not in self._said:
            self._said.add((at.label, reason))
            self.made.unreadable.append(Unreadable(Span(at.label, at.line, at.column, at.line, at.column), reason))


def _brief(value: Any) -> str:
    """What tells a variable of one host from that of another."""
    at = place_of(value)
    return str(at) if isinstance(value, (dict, list)) and at is not None else str(value)


def _holds(above: str, folder: str) -> bool:
    return folder.startswith(f"{above}/") or not above


def _globs(word: str, known: _Known) -> bool:
    from fnmatch import fnmatchcase

    return "*" in word and any(fnmatchcase(name, word) for name in (*known.groups, *known.hosts))
