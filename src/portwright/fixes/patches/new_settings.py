"""Where nothing near a finding sets a kernel setting: a task, a script's line, an entry or a file, as the repository puts its own there."""

import re
from collections.abc import Iterator, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.daemons import recognition
from portwright.finding import Finding
from portwright.fixes.patches.new_resources import resource_places
from portwright.fixes.patches.place import Place, Texts, Wish
from portwright.fixes.patches.statements import TITLE, end_of_item
from portwright.fixes.patches.texts import NoPlaceError, TextEdit, after, before, count_of_lines, indentation
from portwright.fixes.patches.wishes import value_for
from portwright.repositories.not_read import is_manifest, is_script
from portwright.repositories.staging import role
from portwright.source import Source

FILE = "60-reserved-ports.conf"
ON_HOST = f"/etc/sysctl.d/{FILE}"

_HERE = lazy_regex(r"<<-?\s*[\\'\"]?([A-Za-z_][A-Za-z0-9_]*)['\"]?")
_TASK = lazy_regex(r"(\s*)- [\w.]+:")
_PLAY = lazy_regex(r"(?:- |  )hosts:")
_MODULE = lazy_regex(r"(?m)^[ \t]+(?:- )?((?:ansible\.posix\.)?sysctl):[ \t]*$")
_SOURCE = lazy_regex(r"\bsrc:|\bsrc=|with_|loop:|- ")
_NO_NAME = lazy_regex(r"[^A-Za-z0-9_.-]+")
_ENTRY = lazy_regex(r"(\s*)- path:")
_RUN = lazy_regex(r"[ \t]*runcmd:\s*$")
_OF_MACHINE = lazy_regex(r"[ \t]*[\w\"]+[ \t]*=[ \t]*(?:\w+\()*<<-?([A-Za-z_]\w*)[ \t]*\r?")
_OWN_FOLDER = frozenset(("systemd", "system", "units", "quadlet", "quadlets", "containers", "conf.d"))
_OF_VARIABLES = frozenset(("defaults", "vars", "group_vars", "host_vars"))
_MOST_LINES = 400
_SET_UP_ELSEWHERE = {
    ".nix": "a NixOS module",
    ".tf": "a Terraform configuration",
    ".hcl": "a Terraform configuration",
    ".pp": "a Puppet manifest",
    ".erb": "a template of Puppet or Chef",
    ".rb": "a Chef recipe",
    ".sls": "a Salt state",
}


@dataclass(frozen=True, slots=True)
class NewTask(Place):
    """A task for the setting, behind the task that puts the finding's file on the host."""

    path: str
    line: int
    key: str
    module: str

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        begin, depth, end = _task_around(source, self.line)
        value = value_for("", [change for _, change in wishes])
        on_host = _of_role(role(self.path))
        between = [""] if _is_spaced(source, begin, end) else []
        full = "ansible.builtin." if "ansible.builtin." in source.text else ""
        if self.module:
            lines = [
                f"- name: {TITLE}",
                f"  {self.module}:",
                f"    name: {self.key}",
                f'    value: "{value}"',
                f"    sysctl_file: {on_host}",
            ]
        else:
            lines = [
                f"- name: {TITLE}",
                f"  {full}copy:",
                "    content: |",
                f"      {self.key} = {value}",
                f"    dest: {on_host}",
                '    mode: "0644"',
                "  register: reserved_ports",
                *between,
                "- name: Have the kernel take it",
                f"  {full}command: sysctl -p {on_host}",
                "  when: reserved_ports is changed",
            ]
        return [after(source, end, [*between, *(f"{depth}{line}" if line else "" for line in lines)])]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"add a task that sets {self.key} to {value_for('', [change for _, change in wishes])}"


@dataclass(frozen=True, slots=True)
class NewScriptLines(Place):
    """Lines of a script before the command that writes or starts what the finding is about."""

    path: str
    line: int
    key: str
    top: int = 1

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        number = _command_around(source, self.line, self.top)
        depth = indentation(source.line(number))
        value = value_for("", [change for _, change in wishes])
        if re.match(r"\s*sudo\b", source.line(number)) or "| sudo tee" in source.line(number):
            lines = [
                f"echo '{self.key} = {value}' | sudo tee {ON_HOST} >/dev/null",
                f"sudo sysctl -p {ON_HOST}",
            ]
        else:
            lines = [f"echo '{self.key} = {value}' > {ON_HOST}", f"sysctl -p {ON_HOST}"]
        return [before(source, number, [f"{depth}{line}" for line in (f"# {TITLE}.", *lines)])]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"set {self.key} to {value_for('', [change for _, change in wishes])} before the command there"


@dataclass(frozen=True, slots=True)
class NewEntry(Place):
    """An entry of cloud-init's write_files, before the one that the finding is in."""

    path: str
    line: int
    key: str
    top: int = 1
    end: int | None = None

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        depth = indentation(source.line(self.line))
        value = value_for("", [change for _, change in wishes])
        lines = (f"- path: {ON_HOST}", "  content: |", f"    {self.key} = {value}")
        found = [before(source, self.line, [f"{depth}{line}" for line in lines])]
        for number in range(self.top, (self.end or count_of_lines(source)) + 1):
            if _RUN.match(source.line(number)) and source.line(number + 1).lstrip().startswith("- "):
                own = indentation(source.line(number + 1))
                found.append(after(source, number, [f"{own}- [sysctl, -p, {ON_HOST}]"]))
                break
        return found

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"have it write {ON_HOST} with {self.key} = {value_for('', [change for _, change in wishes])}"


@dataclass(frozen=True, slots=True)
class NewFile(Place):
    """A file of sysctl.d for all that lies in no role's folder."""

    path: str
    key: str
    line: int = 1

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        if texts.has(self.path):
            raise NoPlaceError(f"{self.path} is there already, and does not set {self.key}")
        value = value_for("", [change for _, change in wishes])
        named = sorted({finding.at.path for finding, _ in wishes})
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        head = f"# {TITLE}: {', '.join(named[:3])}{more}.\n# To be copied to {ON_HOST}.\n"
        return [TextEdit(self.path, 0, 0, f"{head}{self.key} = {value}\n")]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"a new file, to be copied to {ON_HOST}: {self.key} = {value_for('', [change for _, change in wishes])}"


@dataclass(frozen=True, slots=True)
class NewState(Place):
    """A state of Salt for the setting, at the end of the file that puts the finding's file on the host."""

    path: str
    key: str
    line: int

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        value = value_for("", [change for _, change in wishes])
        lines = ("", f"{self.key}:", "  sysctl.present:", f'    - value: "{value}"')
        return [after(texts.source(self.path), self.line, lines)]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"add a state that sets {self.key} to {value_for('', [change for _, change in wishes])}"


def new_places(finding: Finding, key: str, texts: Texts, refused: list[str]) -> Iterator[Place]:
    """The places where the setting may be made for the file that a finding is in; `refused` takes up why there is none."""
    path, number = finding.at.path, finding.at.line
    text = texts.text(path)
    if text.lstrip().startswith("#cloud-config"):
        source = texts.source(path)
        for each in range(number, 0, -1):
            if _ENTRY.match(source.line(each)):
                yield NewEntry(path, each, key)
                return
        refused.append(f"{path} has no list write_files around line {number}")
    elif is_script(path, text):
        yield NewScriptLines(path, _command_around(texts.source(path), number), key)
    elif (path.endswith((".yml", ".yaml")) and is_manifest(text)) or ("/templates/" in f"/{path}" and _is_chart(path, texts)):
        refused.append(f"{path} is run on nodes whose kernel settings nothing in the repository makes")
    elif not _OF_VARIABLES.isdisjoint(path.split("/")[:-1]):
        refused.append(f"{path} holds variables, and nothing beside them sets a kernel setting")
    elif role(path) or _is_task_file(path, text):
        yield from _tasks(path, number, key, texts, refused)
    elif (held := _held_text(path, number, texts)) is not None:
        yield _in_held_text(path, number, key, texts, held)
    elif resources := list(resource_places(path, number, key, texts)):
        yield from resources
    elif what := next((what for end, what in _SET_UP_ELSEWHERE.items() if path.endswith(end)), ""):
        refused.append(f"{path} is {what} in which nothing sets a kernel setting for this machine")
    else:
        yield from _tasks(path, number, key, texts, [])
        yield from _states(path, key, texts)
        yield NewFile(_beside(path, texts), key)


def _held_text(path: str, number: int, texts: Texts) -> tuple[int, int] | None:
    """(first, last) line of the here-document of Terraform that a line is in: what a machine is given at its first boot."""
    source = texts.source(path)
    for each in range(number - 1, max(number - _MOST_LINES, 0), -1) if path.endswith((".tf", ".hcl")) else ():
        opened = _OF_MACHINE.fullmatch(source.line(each))
        if opened is not None:
            last = count_of_lines(source)
            closed = next((at for at in range(each + 1, last + 1) if source.line(at).strip() == opened[1]), 0)
            return (each + 1, closed - 1) if closed > number else None
    return None


def _in_held_text(path: str, number: int, key: str, texts: Texts, held: tuple[int, int]) -> Place:
    """The place in such a text, which is a script or a cloud-config of its own."""
    source = texts.source(path)
    first = source.line(held[0]).strip()
    if first.startswith("#cloud-config"):
        for each in range(number, held[0], -1):
            if _ENTRY.match(source.line(each)):
                return NewEntry(path, each, key, *held)
        raise NoPlaceError(f"{path} has no list write_files around line {number}")
    if not first.startswith("#!"):
        raise NoPlaceError(f"{path}:{held[0]} begins a text that is no script and no cloud-config")
    return NewScriptLines(path, _command_around(source, number, held[0] + 1), key, held[0] + 1)


def _is_chart(path: str, texts: Texts) -> bool:
    parts = path.split("/")
    return any(texts.has("/".join((*parts[:depth], "Chart.yaml"))) for depth in range(len(parts)))


def _beside(path: str, texts: Texts) -> str:
    """A new file of sysctl.d near another one: below the same etc, in the folder that holds such files, else beside it."""
    above, found, _ = f"/{path}".partition("/etc/")
    if found:
        return f"{above}/etc/sysctl.d/{FILE}".lstrip("/")
    parts = path.split("/")[:-1]
    while parts and (parts[-1] in _OWN_FOLDER or recognition.is_daemon(parts[-1])):
        parts.pop()
    return "/".join((*parts, "sysctl.d", FILE))


def _of_role(path: str) -> str:
    """The file that a role writes: two roles may come to one machine."""
    name = _NO_NAME.sub("-", path.rpartition("/")[2])
    return f"/etc/sysctl.d/60-{name}-ports.conf" if name else ON_HOST


# ── Ansible ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_task_file(path: str, text: str) -> bool:
    return path.endswith((".yml", ".yaml")) and ("/tasks/" in f"/{path}" or re.search(r"(?m)^[ \t]*(- )?(hosts|tasks):", text) is not None)


def _tasks(path: str, number: int, key: str, texts: Texts, refused: list[str]) -> Iterator[Place]:
    """A task behind the one that puts a file on the host, or in which the line itself stands."""
    module = texts.once("module", lambda: _module(texts))
    if _is_task_file(path, texts.text(path)):
        yield NewTask(path, _task_around(texts.source(path), number)[0], key, module)
        return
    own, name = role(path), path.rpartition("/")[2]
    names = {name, name.removesuffix(".j2")}
    near = [
        label
        for label in texts.labels
        if _may_be_tasks(label) and (label.startswith(f"{own}/tasks/") if own else "/roles/" not in f"/{label}")
    ]
    for label in sorted(near, key=lambda label: (not label.startswith(path.split("/")[0]), label)):
        source = texts.source(label)
        if not any(each in source.text for each in names):
            continue
        for line in range(1, min(count_of_lines(source), _MOST_LINES) + 1):
            words = re.findall(r"[^\s\"'/=:,{}\[\]]+", source.line(line))
            if not names.isdisjoint(words) and _SOURCE.search(source.line(line)):
                try:
                    yield NewTask(label, _task_around(source, line)[0], key, module)
                except NoPlaceError:
                    continue
                return
    refused.append(f"no task of {own or 'the repository'} that puts {path} on a host was found, so a task has no place beside it")


def _module(texts: Texts) -> str:
    """The module by which some task of the repository sets kernel settings, "" where none does."""
    for label in texts.labels:
        text = texts.text(label) if _may_be_tasks(label) else ""
        found = _MODULE.search(text) if "sysctl:" in text else None
        if found is not None:
            return found[1]
    return ""


def _states(path: str, key: str, texts: Texts) -> Iterator[Place]:
    """A state in the file of Salt that names a file as its source."""
    name = path.rpartition("/")[2]
    for label in sorted(label for label in texts.labels if label.endswith(".sls")):
        source = texts.source(label)
        if "salt://" in source.text and any(f"salt://{end}" in source.text for end in _endings(path)) and name in source.text:
            last = next((each for each in range(count_of_lines(source), 0, -1) if source.line(each).strip()), 1)
            yield NewState(label, key, last)
            return


def _endings(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[begin:]) for begin in range(len(parts))]


def _may_be_tasks(label: str) -> bool:
    return label.endswith((".yml", ".yaml"))


def _task_around(source: Source, number: int) -> tuple[int, str, int]:
    """(first line, indentation, last line) of the task that a line is in, of a block of tasks the whole."""
    around: list[tuple[int, str, int]] = []
    depth = len(indentation(source.line(number))) + 1
    for each in range(number, max(number - _MOST_LINES, 0), -1):
        line = source.line(each)
        found = _TASK.match(line)
        if found is not None and len(found[1]) < depth:
            depth = len(found[1])
            around.append((each, found[1], end_of_item(source, each, depth, _MOST_LINES)))
    around = [each for each in around if each[2] >= number]
    if around and any(_PLAY.match(source.line(each)) for each in range(around[-1][0], around[-1][2] + 1)):
        around.pop()
    if not around:
        raise NoPlaceError(f"{source.path}:{number} is in no task that has an end of its own")
    return around[-1]


def _is_spaced(source: Source, begin: int, end: int) -> bool:
    """Whether tasks are set apart by an empty line."""
    return not source.line(end + 1).strip() if end < count_of_lines(source) else begin > 1 and not source.line(begin - 1).strip()


# ── scripts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _command_around(source: Source, number: int, top: int = 1) -> int:
    """The first line of the command of a script that a line is in, be it in its here-document; the script begins at a line."""
    for each in range(number, max(number - _MOST_LINES, top - 1), -1):
        found = _HERE.search(source.line(each))
        if found is None or each == number:
            continue
        closing = next((at for at in range(each + 1, each + _MOST_LINES) if source.line(at).strip() == found[1]), 0)
        if closing > number or closing == number:
            number = each
        break
    while number > top and source.line(number - 1).rstrip().endswith("\\"):
        number -= 1
    return number
