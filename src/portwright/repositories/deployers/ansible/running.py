"""Run playbooks and roles without a host: each task's condition, loop and module, with the variables that it would see."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from portwright import numbers
from portwright._start.records import dataclass, field, replace
from portwright.repositories.deployers.ansible.arguments import arguments, module_of
from portwright.repositories.deployers.ansible.effects import EFFECTS, has_effect, is_followed
from portwright.repositories.deployers.ansible.jinja import Asked
from portwright.repositories.deployers.ansible.layout import ROOT, Layout, normal
from portwright.repositories.deployers.ansible.pages import MachinePages
from portwright.repositories.deployers.ansible.task import Task
from portwright.repositories.deployers.ansible.unknown import OWN_NAME, UNKNOWN, Undecided, is_same, is_unknown
from portwright.repositories.deployers.ansible.values import Place, place_of
from portwright.repositories.deployers.ansible.variables import Layer, Variables, text_of
from portwright.system.spanned_text import UNKNOWN as MARK

MOST_TASKS = 20_000
"""Tasks of a repository that are run; what a loop repeats counts each time."""
_MOST_ITEMS = 1_000
_DEEPEST = 24
_OF_ROLES = frozenset(("role", "name", "when", "tags", "vars", "become", "become_user", "become_method"))
_UNDOING = frozenset(["remove", "removed", "uninstall", "delete", "destroy", "purge", "cleanup", "reset", "teardown", "stop", "rollback"])
"""Tags of tasks that take back what others set up: they run when they are asked for."""


class Enough(Exception):
    """More tasks than are followed."""


@dataclass
class Budget:
    """What is left of the work, and what was seen: `reached` are the files whose tasks were run, or left out by a known condition."""

    left: int = MOST_TASKS
    reached: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    by_name: set[str] = field(default_factory=set)
    not_followed: set[tuple[str, int]] = field(default_factory=set)
    not_put: dict[str, tuple[str, int]] = field(default_factory=dict)


@dataclass
class Machine:
    """A machine while a playbook runs: `base` are its variables of the inventory, `facts` what tasks set."""

    name: str
    base: tuple[Layer, ...]
    pages: MachinePages
    facts: dict[Any, Any] = field(default_factory=dict)
    included: dict[Any, Any] = field(default_factory=dict)
    magic: dict[Any, Any] = field(default_factory=dict)
    others: Mapping[str, Sequence[Layer]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """Where tasks stand: their file, the role they are of ("" for none), and the layers of variables around them, by precedence.

    `above` are those over facts (parameters), `inner` those of blocks and tasks, `role` those of the role's vars, `play` those of the play,
    `defaults` the lowest.
    """

    label: str
    folder: str
    role_name: str = ""
    above: tuple[Layer, ...] = ()
    inner: tuple[Layer, ...] = ()
    own: tuple[Layer, ...] = ()
    play: tuple[Layer, ...] = ()
    defaults: tuple[Layer, ...] = ()
    is_sure: bool = True
    depth: int = 0
    chain: tuple[str, ...] = ()


class Run:
    """One playbook, or one role, on one machine."""

    def __init__(self, layout: Layout, filling: Any, machine: Machine, budget: Budget, playbook: str) -> None:
        self.layout = layout
        self.filling = filling
        self.machine = machine
        self.budget = budget
        self.folder = playbook.rpartition("/")[0]
        self._cached: tuple[Where, Variables] | None = None
        self._of_roles: list[Layer] = []

    # ── plays and roles ─────────────────────────────────────────────────────────────────────────────────────────────

    def play(self, label: str, play: Mapping[Any, Any]) -> None:
        """What a play does."""
        layers: list[Layer] = []
        where = Where(label, self.folder)
        for each in _listed(play.get("vars_files")):
            layers.insert(0, self._file_of_variables(each, where))
        given = play.get("vars")
        layers += [each for each in _listed(given) if isinstance(each, dict)] if not isinstance(given, dict) else [given]
        asked = [each for each in _listed(play.get("vars_prompt")) if isinstance(each, dict) and "name" in each]
        prompts = {each["name"]: each.get("default", UNKNOWN) for each in asked}
        where = replace(where, play=tuple(layer for layer in (*layers, prompts) if layer))
        roles = [each for each in _listed(play.get("roles")) if isinstance(each, (str, dict))]
        self._of_roles = []
        for each in roles:
            folder = self._role_of(each, where)
            if folder is not None:
                # Unless it is forbidden, what a role of a play says is known to all of its tasks.
                self._of_roles += [self._layer(f"{folder}/vars/main"), self._layer(f"{folder}/defaults/main")]
        self.tasks(play.get("pre_tasks"), where)
        for each in roles:
            self._role_of_play(each, where)
        self.tasks(play.get("tasks"), where)
        self.tasks(play.get("post_tasks"), where)

    def _role_of(self, given: Any, where: Where) -> str | None:
        name = given if isinstance(given, str) else given.get("role", given.get("name"))
        said = text_of(self._variables(where).filled(name)) if name is not None else None
        return None if said is None or MARK in said else self.layout.role(said, where.folder)

    def _role_of_play(self, given: Any, where: Where) -> None:
        folder = self._role_of(given, where)
        if folder is None:
            return
        params: dict[Any, Any] = {}
        condition: Any = None
        if isinstance(given, dict):
            params = {key: value for key, value in given.items() if key not in _OF_ROLES}
            params |= given["vars"] if isinstance(given.get("vars"), dict) else {}
            condition = given.get("when")
        where = replace(where, above=(params, *where.above)) if params else where
        self.role(folder, where, decided=True if condition is None else self._variables(where).decide(condition))

    def role(self, folder: str, where: Where, tasks: str = "main", decided: Any = True, more: Mapping[str, str] | None = None) -> None:
        """What a role does: those that it depends on first."""
        self.budget.roles.add(folder)
        if where.depth > _DEEPEST:
            return
        files = more or {}
        own = self._layer(f"{folder}/vars/{files.get('vars', 'main')}")
        defaults = self._layer(f"{folder}/defaults/{files.get('defaults', 'main')}")
        inside = replace(
            where, label=f"{folder}/tasks/main.yml", folder=folder, role_name=folder.rpartition("/")[2], own=(own,) if own else (),
            defaults=(defaults, *where.defaults) if defaults else where.defaults, depth=where.depth + 1,
            is_sure=where.is_sure and decided is True,
        )  # fmt: skip
        if decided is not False:
            for label in self.layout.files_of(f"{folder}/meta/main"):
                meta = self.layout.document(label)
                for each in _listed(meta.get("dependencies")) if isinstance(meta, dict) else ():
                    if isinstance(each, (str, dict)):
                        self._role_of_play(each, replace(where, depth=where.depth + 1, is_sure=inside.is_sure))
                self._loaded(label)
        # Handlers only restart what the tasks have set up; they are taken into account with it.
        self.budget.reached.update(self.layout.files_of(f"{folder}/handlers/main"))
        name = tasks.removesuffix(".yml").removesuffix(".yaml")
        for label in list(self.layout.files_of(f"{folder}/tasks/{name}"))[:1]:
            self._task_file(label, inside, decided)

    def _task_file(self, label: str, where: Where, decided: Any) -> None:
        if decided is False:
            self._left_out(label, where, 0)
            return
        self.budget.reached.add(label)
        if where.depth > _DEEPEST or label in where.chain:
            return  # tasks that include themselves
        self.tasks(self.layout.document(label), replace(where, label=label, depth=where.depth + 1, chain=(*where.chain, label)))

    def _left_out(self, label: str, where: Where, depth: int) -> None:
        """A file of tasks that a condition leaves out, and those that it would include."""
        if label in self.budget.reached or depth > _DEEPEST:
            return
        self.budget.reached.add(label)
        for task in _listed(self.layout.document(label)):
            if not isinstance(task, dict):
                continue
            name, given = module_of(task)
            said = arguments(name, given, task.get("args"))
            self._not_put(name, said, replace(where, label=label), place_of(task) or Place(label, 1, 1, 1))
            if name in ("include_tasks", "import_tasks", "include"):
                file = said.get("file", said.get("_raw_params"))
                found = self.layout.found(str(file), (label.rpartition("/")[0], where.folder))
                if found is not None:
                    self._left_out(found, where, depth + 1)

    def _not_put(self, name: str, said: Mapping[str, Any], where: Where, at: Place) -> None:
        """A file that a task would put somewhere, but for its condition."""
        source = text_of(self._variables(where).filled(said.get("src"))) if name in ("template", "copy") else None
        if source is None or MARK in source:
            return
        files = self._files(where)
        part = "templates" if name == "template" else "files"
        found = self.layout.found(source, (*(f"{each}/{part}" for each in files), *files))
        if found is not None:
            self.budget.not_put.setdefault(found, (at.label, at.line))

    # ── tasks ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def tasks(self, tasks: Any, where: Where) -> None:
        """The tasks of a list, one after the other."""
        for task in _listed(tasks):
            if isinstance(task, dict):
                self._task(task, where)

    def _task(self, task: Mapping[Any, Any], where: Where) -> None:
        at = place_of(task) or Place(where.label, 1, 1, 1)
        tags = [tag for each in _listed(task.get("tags")) for tag in str(each).split(",")]
        if "never" in tags or (tags and all(tag.strip().lower() in _UNDOING for tag in tags)):
            return
        given = task.get("vars")
        if isinstance(given, dict) and given:
            where = replace(where, inner=(given, *where.inner))
        if any(part in task for part in ("block", "rescue", "always")):
            decided = self._decided(task, where)
            if decided is False:
                return
            inside = replace(where, is_sure=where.is_sure and decided is True)
            self.tasks(task.get("block"), inside)
            self.tasks(task.get("always"), inside)
            return
        name, module = module_of(dict(task))
        if not name:
            return
        if isinstance(task.get("register"), str) and str(task["register"]) not in self.machine.facts:
            self._set({str(task["register"]): UNKNOWN})
        if name not in _CONTROL and not has_effect(name, module):
            if not (name in EFFECTS or is_followed(name)):
                self._leave(at)
            return
        self.budget.left -= 1
        if self.budget.left < 0:
            raise Enough
        if self._is_elsewhere(task, where):
            return
        said = arguments(name, module, task.get("args"))
        known = True
        for each in self._items(task, where):
            if each is not where:
                self.budget.left -= 1
                if self.budget.left < 0:
                    raise Enough
            try:
                known &= self._turn(name, said, each, at, self._decided(task, each))
            except Undecided:
                known = False
        if not known:
            self._leave(at)

    def _leave(self, at: Place) -> None:
        """The lines of a task of which something is left unsaid."""
        self.budget.not_followed.update((at.label, number) for number in range(at.line, at.end_line + 1))

    def _turn(self, name: str, said: Mapping[str, Any], where: Where, at: Place, decided: Any) -> bool:
        if name in _CONTROL:
            # What is included is looked at even where it is left out: it then counts as seen.
            found: bool = _CONTROL[name](self, said, replace(where, is_sure=where.is_sure and decided is True), decided, at)
            return found
        if decided is False:
            self._not_put(name, said, where, at)
            return True
        return name not in EFFECTS or self._effect(name, said, where, at, decided)

    def _effect(self, name: str, said: Mapping[str, Any], where: Where, at: Place, decided: Any) -> bool:
        files = self._files(where)
        done = Task(
            at, said, self._variables(where), where.is_sure and decided is True,
            (*(f"{each}/templates" for each in files), *files), (*(f"{each}/files" for each in files), *files),
        )  # fmt: skip
        return EFFECTS[name](done, self.machine.pages, self.layout)

    def _files(self, where: Where) -> tuple[str, ...]:
        """Where the files of a task are looked for: its role, the folder of its file, that of the playbook."""
        beside = where.label.rpartition("/")[0]
        return tuple(dict.fromkeys((where.folder, beside, self.folder)))

    def _is_elsewhere(self, task: Mapping[Any, Any], where: Where) -> bool:
        """Whether a task runs on another machine than the one at hand."""
        to = task.get("delegate_to")
        if to is None:
            return False
        said = text_of(self._variables(where).filled(to))
        return said is not None and said != self.machine.name

    def _decided(self, task: Mapping[Any, Any], where: Where) -> Any:
        return self._variables(where).decide(task["when"]) if "when" in task else True

    def _variables(self, where: Where) -> Variables:
        if self._cached is not None and self._cached[0] is where:
            return self._cached[1]
        machine = self.machine
        magic = {
            "playbook_dir": ROOT + self.folder, "role_path": ROOT + where.folder, "role_name": where.role_name,
            "ansible_role_name": where.role_name, "inventory_dir": UNKNOWN, "inventory_hostname": OWN_NAME, **machine.magic,
        }  # fmt: skip
        layers = (
            *where.above, machine.facts, machine.included, *where.inner, *where.own, *where.play, *machine.base, *where.defaults,
            *self._of_roles, magic,
        )  # fmt: skip
        found = Variables(self.filling, [layer for layer in layers if layer])
        magic["hostvars"] = Asked(lambda host: self._of_host(host, found))
        self._cached = (where, found)
        return found

    def _of_host(self, host: Any, own: Variables) -> Any:
        """What `hostvars` has for a host: its variables of the inventory, for the one at hand all."""
        if host is OWN_NAME or (isinstance(host, str) and host == self.machine.magic.get("inventory_hostname")):
            return Asked(own.get)
        layers = self.machine.others.get(host) if isinstance(host, str) else None
        if layers is None:
            return UNKNOWN
        of_host = Variables(self.filling, layers)

        def ask(name: Any) -> Any:
            found = of_host.get(name) if isinstance(name, str) else UNKNOWN
            return UNKNOWN if is_unknown(found) else found  # its plays may say it

        return Asked(ask)

    def _set(self, facts: Mapping[Any, Any], included: bool = False) -> None:
        (self.machine.included if included else self.machine.facts).update(facts)
        self._cached = None

    # ── loops ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _items(self, task: Mapping[Any, Any], where: Where) -> Iterator[Where]:
        """Where each turn of a task's loop stands; once without a loop."""
        how = next((key for key in task if isinstance(key, str) and (key == "loop" or key.startswith("with_"))), None)
        if how is None:
            yield where
            return
        control = task.get("loop_control")
        control = control if isinstance(control, dict) else {}
        variable = str(control.get("loop_var", "item"))
        items = self._looped(how, task[how], where)
        if items is None:
            yield replace(where, inner=({variable: UNKNOWN}, *where.inner), is_sure=False)
            return
        if len(items) > _MOST_ITEMS:
            self.filling.say(place_of(task), f"its loop has more than {_MOST_ITEMS:,} items: of the rest nothing is said")
        for number, item in enumerate(items[:_MOST_ITEMS]):
            layer = {variable: item}
            if "index_var" in control:
                layer[str(control["index_var"])] = number
            yield replace(where, above=(layer, *where.above))

    def _looped(self, how: str, given: Any, where: Where) -> list[Any] | None:
        variables = self._variables(where)
        found = variables.filled(given)
        if how == "with_first_found":
            return self._first_found(found, where)
        if how == "with_fileglob":
            return self._globbed(found, where)
        if is_unknown(found) or (isinstance(found, str) and MARK in found):
            return None
        if how == "with_dict":
            if isinstance(found, list) and len(found) == 1:
                found = found[0]
            return [{"key": key, "value": value} for key, value in found.items()] if isinstance(found, dict) else None
        if how == "with_sequence":
            return _sequence(found)
        if not isinstance(found, list):
            return [found] if how != "loop" and found is not None else None
        if how in ("with_items", "with_flattened"):
            flat: list[Any] = []
            for each in found:
                if is_unknown(each):
                    return None
                flat += each if isinstance(each, list) else [each]
            return flat
        if how in ("with_nested", "with_cartesian", "with_together"):
            return _crossed(found, how)
        if how == "with_subelements":
            return _subelements(found)
        if how == "with_indexed_items":
            return [[number, each] for number, each in enumerate(found)]
        return found if how in ("loop", "with_list") else None

    def _first_found(self, found: Any, where: Where) -> list[Any] | None:
        """The first file that is there; None where it hangs on what is not known which one that is."""
        names: list[Any] = []
        paths: list[str] = []
        for each in _listed(found):
            if isinstance(each, dict):
                names += _listed(each.get("files"))
                paths += [str(path) for path in _listed(each.get("paths"))]
            else:
                names.append(each)
        folders = self._folders_of_includes(where)
        folders = (*(normal(f"{folder}/{path}") for path in paths for folder in folders), *folders)
        for name in names:
            said = text_of(name)
            if said is None or MARK in said:
                if said is not None and self.layout.matching(said, folders):
                    return [said]
                continue
            if self.layout.found(said, folders) is not None:
                return [name]
        return [] if names else None

    def _globbed(self, found: Any, where: Where) -> list[Any] | None:
        from fnmatch import fnmatchcase

        made: list[Any] = []
        for each in _listed(found):
            said = text_of(each)
            if said is None or MARK in said:
                return None
            folders = (*(f"{folder}/files" for folder in self._files(where)), *self._files(where))
            for folder in folders:
                wanted = normal(f"{folder}/{said}") if not said.startswith(ROOT) else normal(said.removeprefix(ROOT))
                top = wanted.rpartition("/")[0]
                beside = (label for label in self.layout.checkout.under(top) if label.rpartition("/")[0] == top)
                hits = [label for label in beside if fnmatchcase(label, wanted)]
                if hits:
                    made += [ROOT + label for label in sorted(hits)]
                    break
        return made

    # ── what includes, and what sets ────────────────────────────────────────────────────────────────────────────────

    def _folders_of_includes(self, where: Where) -> tuple[str, ...]:
        beside = where.label.rpartition("/")[0]
        inside = (f"{where.folder}/tasks", f"{where.folder}/vars") if where.role_name else ()
        return tuple(dict.fromkeys((beside, *inside, where.folder, f"{self.folder}/vars", self.folder)))

    def _include_tasks(self, said: Mapping[str, Any], where: Where, decided: Any, at: Place) -> bool:
        given = said.get("file", said.get("_raw_params"))
        name = text_of(self._variables(where).filled(given)) if given is not None else None
        if name is None:
            return False
        name = name.split(" ")[0] if MARK not in name else name
        folders = tuple(folder for folder in self._folders_of_includes(where) if not folder.endswith("/vars"))
        found = self.layout.found(name, folders)
        labels = [found] if found is not None else self.layout.matching(name, folders) if MARK in name else []
        inside = where if found is not None else replace(where, is_sure=False)
        for label in labels:
            self._task_file(label, inside, decided)
        return bool(labels) or decided is False

    def _include_role(self, said: Mapping[str, Any], where: Where, decided: Any, at: Place) -> bool:
        name = text_of(self._variables(where).filled(said.get("name", said.get("role"))))
        folder = None if name is None or MARK in name else self.layout.role(name, where.folder)
        if folder is None:
            return decided is False
        more: dict[str, str] = {}
        for key in ("vars", "defaults", "tasks"):
            text = text_of(self._variables(where).filled(said.get(f"{key}_from", "main")))
            more[key] = "main" if text is None or MARK in text else text.removesuffix(".yml").removesuffix(".yaml")
        # A role that a task includes sees the task's variables, over its own.
        inside = replace(where, above=(*where.inner[:1], *where.above), inner=where.inner[1:])
        self.role(folder, inside, more["tasks"], decided, more)
        return True

    def _include_vars(self, said: Mapping[str, Any], where: Where, decided: Any, at: Place) -> bool:
        if decided is False:
            return True
        given = said.get("file", said.get("_raw_params"))
        if given is None:
            folder = text_of(self._variables(where).filled(said.get("dir")))
            if folder is None or MARK in folder:
                return False
            for base in (where.folder, self.folder, where.label.rpartition("/")[0]):
                inside = normal(f"{base}/{folder}") if not folder.startswith(ROOT) else normal(folder.removeprefix(ROOT))
                labels = sorted(label for label in self.layout.checkout.under(inside) if label.endswith((".yml", ".yaml")))
                for label in labels:
                    self._set(self._variables_of(label), included=True)
                if labels:
                    return True
            return False
        found = self._file_of_variables(given, where)
        name = text_of(self._variables(where).filled(said.get("name")))
        if found and name:
            found = {name: dict(found)}
        if decided is not True or not where.is_sure:
            # What was said before, or is said otherwise, may be what counts.
            there = self._variables(where)
            old = {key: there.get(str(key)) for key in found}
            found = {key: value if is_unknown(old[key]) or is_same(old[key], value) else UNKNOWN for key, value in found.items()}
        self._set(found, included=True)
        return bool(found)

    def _set_fact(self, said: Mapping[str, Any], where: Where, decided: Any, at: Place) -> bool:
        if decided is False:
            return True
        variables = self._variables(where)
        made = {}
        for name, value in said.items():
            if name in ("cacheable", "_raw_params"):
                continue
            new = variables.filled(value)
            if decided is not True or not where.is_sure:
                # A list that is perhaps another one has most of its items in any case; a number has not.
                old = variables.get(name)
                new = old if isinstance(old, (list, dict)) else new if is_same(old, new) or isinstance(new, (list, dict)) else UNKNOWN
            made[name] = new
        self._set(made)
        return True

    def _ends(self, said: Mapping[str, Any], where: Where, decided: Any, at: Place) -> bool:
        return True

    def _file_of_variables(self, given: Any, where: Where) -> dict[Any, Any]:
        """The variables of a file, or of the first of several that is there; what all agree on, where it may be one of several."""
        for each in _listed(given):
            name = text_of(self._variables(where).filled(each))
            if name is None:
                continue
            folders = self._folders_of_includes(where)
            folders = (f"{where.folder}/vars", *folders) if where.role_name else folders
            found = self.layout.found(name, folders)
            if found is not None:
                self.budget.by_name.add(found)
                return self._variables_of(found)
            if MARK in name:
                # One that is read by its own name elsewhere is not one of those that hang on the machine.
                labels = [label for label in self.layout.matching(name, folders) if label not in self.budget.by_name]
                several = [self._variables_of(label) for label in labels if not label.endswith(("/main.yml", "/main.yaml"))]
                if several:
                    return _agreed(several)
        return {}

    def _variables_of(self, label: str) -> dict[Any, Any]:
        document = self.layout.document(label)
        self._loaded(label)
        return document if isinstance(document, dict) else {}

    def _layer(self, stem: str) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for label in self.layout.files_of(stem):
            found.update(self._variables_of(label))
        return found

    # ── what was seen ───────────────────────────────────────────────────────────────────────────────────────────────

    def _loaded(self, label: str) -> None:
        self.budget.loaded.add(label)


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _agreed(several: Iterable[Mapping[Any, Any]]) -> dict[Any, Any]:
    """What several files of variables say alike; a name of which they say different things, or not all, is unknown."""
    found: dict[Any, Any] = {}
    layers = list(several)
    for layer in layers:
        for key, value in layer.items():
            found[key] = value if key not in found or is_same(found[key], value) else UNKNOWN
    return {key: value if all(key in layer for layer in layers) else UNKNOWN for key, value in found.items()}


def _sequence(found: Any) -> list[Any] | None:
    text = found[0] if isinstance(found, list) and len(found) == 1 else found
    words = dict(part.partition("=")[::2] for part in text.split()) if isinstance(text, str) else {}
    said = (words.get("start", "1"), words.get("end", words.get("count", "")), words.get("stride", "1"))
    first, last, stride = (numbers.decimal(each) for each in said)
    form = words.get("format", "%d")
    if first is None or last is None or not stride or form.count("%") != 1 or len(form) > 40 or last - first > _MOST_ITEMS:
        return None
    try:
        return [form % each for each in range(first, last + 1, stride)]
    except (TypeError, ValueError):
        return None


def _crossed(lists: Sequence[Any], how: str) -> list[Any] | None:
    from itertools import islice, product, zip_longest

    whole = [each if isinstance(each, list) else [each] for each in lists]
    if any(is_unknown(each) for each in lists):
        return None
    made = zip_longest(*whole) if how == "with_together" else product(*whole)
    return [list(each) for each in islice(made, _MOST_ITEMS)]


def _subelements(found: Sequence[Any]) -> list[Any] | None:
    if len(found) < 2 or not isinstance(found[1], str):
        return None
    outer = found[0].values() if isinstance(found[0], dict) else found[0]
    if is_unknown(outer):
        return None
    made = []
    for each in outer:
        inner: Any = each
        for part in found[1].split("."):
            inner = inner.get(part) if isinstance(inner, dict) else None
        made += [[each, one] for one in inner] if isinstance(inner, list) else []
    return made


_CONTROL: dict[str, Any] = {
    "import_role": Run._include_role,
    "import_tasks": Run._include_tasks,
    "include": Run._include_tasks,
    "include_role": Run._include_role,
    "include_tasks": Run._include_tasks,
    "include_vars": Run._include_vars,
    "meta": Run._ends,
    "set_fact": Run._set_fact,
}
