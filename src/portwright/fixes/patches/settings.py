"""A kernel setting in a repository: its own line, else the statement of another setting beside it, else a new file or task."""

from collections.abc import Iterator, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes import Change
from portwright.facts import Assignment, Sysctl
from portwright.facts.sysctl import RANGE, RESERVED
from portwright.finding import Finding
from portwright.fixes.patches.new_settings import new_places
from portwright.fixes.patches.place import Hosts, Place, Texts, Wish
from portwright.fixes.patches.statements import another
from portwright.fixes.patches.texts import NoPlaceError, TextEdit, value_edit
from portwright.fixes.patches.wishes import key_of, value_for
from portwright.host import Host
from portwright.repositories.staging import role
from portwright.source import Span
from portwright.system.spanned_text import UNKNOWN

_MOST_WAYS = 3
_OF_ANSIBLE = frozenset(("tasks", "handlers", "defaults", "vars", "group_vars", "host_vars", "templates", "files", "playbooks"))
_NAMED = lazy_regex(r"[ \t]*[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?[ \t]*:")
_WORD = lazy_regex(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class OwnLine(Place):
    """The line from which a kernel setting has its value: it gets another one."""

    path: str
    line: int
    column: int
    key: str
    was: str

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        _assert_own_variable(texts, self.path, source.line(self.line), self.key)
        return [value_edit(source, self.line, self.column, self.was, value_for(self.was, [change for _, change in wishes]))]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        value = value_for(self.was, [change for _, change in wishes])
        return f"set {self.key} to {value} (was {self.was or 'empty'})"


@dataclass(frozen=True, slots=True)
class Beside(Place):
    """The statement of another kernel setting: beside it stands the same one for the setting that is wished for."""

    path: str
    line: int
    column: int
    like: str
    value: str
    key: str

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        at = Span(self.path, self.line, self.column, self.line, self.column)
        value = value_for("", [change for _, change in wishes])
        # What is to be lent no more is taken out before more is lent.
        return [another(texts.source(self.path), at, self.like, self.value, (self.key, value), first=self.like == RANGE)]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"set {self.key} to {value_for('', [change for _, change in wishes])}, as {self.like} is set there"


def places(hosts: Hosts, finding: Finding, change: Change, texts: Texts) -> Iterator[tuple[Place, ...]]:
    """The ways to give the hosts that show a finding the kernel setting it wishes for, the nearest first."""
    key = key_of(change)
    own: dict[Place, None] = {}
    without: list[Host] = []
    for host in hosts:
        sysctl = host.sysctl(key)
        lines = () if sysctl is None else tuple(line for line in _lines(host, sysctl) if _is_for(host, line.path, finding, texts))
        own |= dict.fromkeys(lines)
        if not lines:
            without.append(host)
    if not without:
        yield tuple(own)
        return
    refused: list[str] = []
    for way in _beside(without, finding, key, texts):
        yield (*own, *way)
    for new in new_places(finding, key, texts, refused):
        yield (*own, new)
    if refused:
        raise NoPlaceError(refused[0])


def _is_for(host: Host, path: str, finding: Finding, texts: Texts) -> bool:
    """Whether a line that decides on a machine is one that a finding's file may lean on: another role's need not be there."""
    own = role(path)
    named = bool(host.machine) and _is_of_ansible(path, texts) and _is_of_ansible(finding.at.path, texts)
    return not own or own == role(finding.at.path) or named


def _lines(host: Host, sysctl: Sysctl) -> Iterator[Place]:
    last = sysctl.after_boot()
    for value, at in ((last.boot, last.at), (sysctl.boot, sysctl.at), (sysctl.reload, sysctl.reload_at)):
        if at.path in host.sources and _is_of_the_repository(at):
            if UNKNOWN in value:
                raise NoPlaceError(f"{at} sets {sysctl.key} to a value that is filled in where it is deployed")
            yield OwnLine(at.path, at.line, at.column, sysctl.key, value)
    # A line that the kernel refuses sets nothing, and is still where the setting is made.
    for each in host.assignments:
        if each.key == sysctl.key and each.outcome == "rejected" and each.value and _is_of_the_repository(each.at):
            yield OwnLine(each.at.path, each.at.line, each.at.column, each.key, each.value)


def _is_of_the_repository(at: Span) -> bool:
    return at.path != "kernel.conf" and not at.path.startswith("/")


def _beside(hosts: Hosts, finding: Finding, key: str, texts: Texts) -> Iterator[tuple[Place, ...]]:
    ways: list[list[Place]] = [[] for _ in range(_MOST_WAYS)]
    for host in hosts:
        near = sorted(
            ((rank, each) for each in host.assignments if (rank := _nearness(host, each, finding, texts)) is not None),
            key=lambda ranked: (*ranked[0], ranked[1].at),
        )
        if not near:
            return
        for number, way in enumerate(ways):
            _, each = near[min(number, len(near) - 1)]
            place = Beside(*_said_in_values(each, texts), each.key, each.value or "", key)
            if place not in way:
                way.append(place)
    yield from dict.fromkeys(tuple(way) for way in ways)


def _said_in_values(each: Assignment, texts: Texts) -> tuple[str, int, int]:
    """Where a setting's statement is: of one that a chart's template goes through in a loop, the line of its values."""
    at = each.at
    folder, below, _ = f"/{at.path}".partition("/templates/")
    values = f"{folder}/values.yaml".lstrip("/")
    forms = (each.key, each.key.replace(".", "/"))
    if not below or not texts.has(values) or any(form in texts.source(at.path).line(at.line) for form in forms):
        return at.path, at.line, at.column
    lines = [number for number, line in enumerate(texts.text(values).split("\n"), 1) if any(form in line for form in forms)]
    return (values, lines[0], 1) if len(lines) == 1 else (at.path, at.line, at.column)


def _nearness(host: Host, each: Assignment, finding: Finding, texts: Texts) -> tuple[int, int] | None:
    """How far a setting's line is from a finding, None where nothing says that one machine has both."""
    if each.outcome != "applied" or not each.value or UNKNOWN in each.value or each.key == RESERVED or not _is_of_the_repository(each.at):
        return None
    kin = 0 if each.key == RANGE else 1 if each.key.startswith("net.") else 2
    path = each.at.path
    if path == finding.at.path:
        return 0, kin
    if role(path) and role(path) == role(finding.at.path):
        return 1, kin
    if host.machine and _is_of_ansible(path, texts) and _is_of_ansible(finding.at.path, texts):
        return 2, kin
    if host.machine.startswith("nodes of ") and path.rpartition("/")[0] == finding.at.path.rpartition("/")[0]:
        return 2, kin
    line = texts.text(path).split("\n")[each.at.line - 1 : each.at.line]
    if path.endswith(".conf") and line and line[0].lstrip(" \t-").startswith((each.key, each.key.replace(".", "/"))):
        return 3, kin
    return None


def _is_of_ansible(path: str, texts: Texts) -> bool:
    if role(path) or not _OF_ANSIBLE.isdisjoint(path.split("/")[:-1]):
        return True
    text = texts.text(path)
    return path.endswith((".yml", ".yaml")) and ("hosts:" in text or "ansible." in text)


def _assert_own_variable(texts: Texts, path: str, line: str, key: str) -> None:
    """A variable that gives a setting its value is changed only where it gives nothing else a value."""
    named = _NAMED.match(line)
    if named is None or not path.endswith((".yml", ".yaml")) or named[1] in ("value", "name", "key") or key in line:
        return
    for label in texts.labels:
        text = texts.text(label) if named[1] in texts.text(label) else ""
        lines = text.split("\n")
        for number, other in enumerate(lines, 1):
            if named[1] not in _WORD.findall(other):
                continue
            own = _NAMED.match(other)
            if own is not None and own[1] == named[1]:
                continue
            around = lines[max(number - 6, 0) : number + 5]
            if not any(key in each or key.replace(".", "/") in each for each in around):
                raise NoPlaceError(f"{label}:{number} uses the variable {named[1]}, too, so its value is not changed for {key}")
