"""Ansible's inventories, INI and YAML: hosts, the groups they are in, and the variables that both are given."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from portwright import numbers
from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.repositories.deployers.ansible.values import Place, Text, Whole, load

_MOST_HOSTS = 5_000
_MOST_RANGES = 8
"""Ranges in one name."""
_DEEPEST = 64
"""Groups inside one another, as far as they are told apart by how far up they are."""
_RANGE = lazy_regex(r"\[(\w{1,6}):(\w{1,6})(?::([0-9]{1,4}))?\]")
_SECTION = lazy_regex(r"\[([^\[\]:]+)(?::(vars|children))?\]\s*(?:[#;].*)?")
_WHOLE = lazy_regex(r"-?(?:0|[1-9][0-9]{0,17})")


@dataclass
class Group:
    """A group: what it is given, and which groups are in it."""

    variables: dict[str, Any] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    hosts: dict[str, None] = field(default_factory=dict)


@dataclass
class Inventory:
    """The hosts of one or several inventory files."""

    groups: dict[str, Group] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def group(self, name: str) -> Group:
        """A group by its name, made where it is new."""
        return self.groups.setdefault(name, Group())

    def members(self, name: str) -> dict[str, None]:
        """The hosts of a group and of those in it."""
        if name == "all":
            return dict.fromkeys(self.hosts)
        found: dict[str, None] = {}
        todo, seen = [name], set()
        while todo:
            each = todo.pop()
            if each in seen or each not in self.groups:
                continue
            seen.add(each)
            found.update(self.groups[each].hosts)
            todo += self.groups[each].children
        return found

    def groups_of_hosts(self) -> Iterator[tuple[str, list[str]]]:
        """Each host with its groups, those further up first, `all` before them; as Ansible orders what they say."""
        above: dict[str, list[str]] = {}
        own: dict[str, list[str]] = {}
        for name, group in self.groups.items():
            for child in group.children:
                above.setdefault(child, []).append(name)
            for host in group.hosts:
                own.setdefault(host, []).append(name)
        depths: dict[str, int] = {}
        known: dict[tuple[str, ...], list[str]] = {}
        for host in self.hosts:
            direct = tuple(own.get(host, ()))
            if direct not in known:
                found = _and_above(direct, above)
                for name in found:
                    if name not in depths:
                        depths[name] = _depth(name, above)
                known[direct] = ["all", *(name for name in sorted(found, key=lambda name: (depths[name], name)) if name != "all")]
            yield host, known[direct]


def _and_above(names: Sequence[str], above: Mapping[str, Sequence[str]]) -> set[str]:
    """Groups and those that they are in."""
    todo, seen = [*names], set()
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            todo += above.get(each, ())
    return seen


def _depth(name: str, above: Mapping[str, Sequence[str]]) -> int:
    """How far a group is from the top."""
    deep, level, seen = 0, {name}, {name}
    while level and deep < _DEEPEST:
        level = {parent for each in level for parent in above.get(each, ())} - seen
        seen |= level
        deep += bool(level)
    return deep


def is_inventory(label: str, text: str) -> bool:
    """Whether an INI file lists hosts, by what it is called and what it says."""
    name = label.rpartition("/")[2].lower()
    stem = name.partition(".")[0]
    return stem in ("hosts", "inventory", "production", "staging", "inventories") or "/inventor" in f"/{label}" or "ansible_host=" in text


def read(label: str, text: str, into: Inventory) -> None:
    """Take in an inventory file."""
    if label.rpartition(".")[2] in ("yml", "yaml"):
        document = load(label, text)
        if isinstance(document, dict):
            for name, body in document.items():
                _yaml_group(str(name), body, into, 0)
    else:
        _ini(label, text, into)


def looks_like_yaml(document: Any) -> bool:
    """Whether a YAML document is an inventory: groups with hosts, children or variables."""
    if not isinstance(document, dict) or not document:
        return False
    bodies = [body for body in document.values() if body is not None]
    return bool(bodies) and all(
        isinstance(body, dict) and body and set(body) <= {"hosts", "children", "vars"} and not isinstance(body.get("hosts"), (str, list))
        for body in bodies
    )


def _yaml_group(name: str, body: Any, into: Inventory, depth: int) -> None:
    if not isinstance(body, dict) or depth > 20:
        return
    group = into.group(name)
    hosts = body.get("hosts")
    for host, own in hosts.items() if isinstance(hosts, dict) else ():
        for each in _expanded(str(host)):
            if len(into.hosts) >= _MOST_HOSTS:
                return
            into.hosts.setdefault(each, {}).update(own if isinstance(own, dict) else {})
            group.hosts[each] = None
    if isinstance(body.get("vars"), dict):
        group.variables.update(body["vars"])
    children = body.get("children")
    for child, inner in children.items() if isinstance(children, dict) else ():
        if name != "all":
            group.children.append(str(child))
        into.group(str(child))
        _yaml_group(str(child), inner, into, depth + 1)


def _ini(label: str, text: str, into: Inventory) -> None:
    group, kind = "ungrouped", ""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        section = _SECTION.fullmatch(line)
        if section is not None:
            group, kind = section[1].strip(), section[2] or ""
            into.group(group)
        elif kind == "vars":
            key, found, value = line.partition("=")
            if found:
                into.group(group).variables[key.strip()] = _value(label, number, value.partition(" #")[0].strip())
        elif kind == "children":
            child = line.split()[0]
            into.group(group).children.append(child)
            into.group(child)
        else:
            words = _words(line)
            own = {
                key: _value(label, number, value) for key, found, value in (word.partition("=") for word in words[1:]) if found
            }
            for host in _expanded(words[0]) if words else ():
                if len(into.hosts) >= _MOST_HOSTS:
                    return
                into.hosts.setdefault(host, {}).update(own)
                into.group(group).hosts[host] = None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def _value(label: str, number: int, text: str) -> Any:
    """A value as Ansible reads it there: a number or a truth where it is a literal of Python, else a text."""
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        text = text[1:-1]
    elif text in ("True", "False"):
        return text == "True"
    at = Place(label, number, 1, number)
    number_here = numbers.signed(text) if _WHOLE.fullmatch(text) else None
    made: Text | Whole = Text(text) if number_here is None else Whole(number_here)
    made.at = at
    if isinstance(made, Text):
        made.is_safe = False
    return made


def _expanded(name: str) -> list[str]:
    """The hosts that a name with ranges stands for: `web[01:03]`."""
    ranges = list(islice(_RANGE.finditer(name), _MOST_RANGES + 1))
    if not ranges:
        return [name.rpartition(":")[0] if name.count(":") == 1 and numbers.is_digits(name.rpartition(":")[2]) else name]
    if len(ranges) > _MOST_RANGES:
        return [name]
    parts: list[Sequence[str]] = []
    done = 0
    for found in ranges:
        parts += [[name[done : found.start()]], _range(found[1], found[2], numbers.decimal(found[3] or "1") or 1) or [found[0]]]
        done = found.end()
    return ["".join(words) for words in islice(product(*parts, [name[done:]]), _MOST_HOSTS)]


def _range(first: str, last: str, step: int) -> list[str]:
    """The numbers or letters from one to another one; none where that is no range."""
    start, end = numbers.decimal(first), numbers.decimal(last)
    if start is not None and end is not None:
        many = range(start, min(end, start + _MOST_HOSTS) + 1, step)
        return [str(each).zfill(len(first)) if first[0] == "0" else str(each) for each in many]
    return [chr(each) for each in range(ord(first), ord(last) + 1)] if len(first) == len(last) == 1 else []
