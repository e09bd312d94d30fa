"""An allow file: findings of a fleet that are accepted, by rule and host, each with a reason; what in it has no effect is told.

allow:
- rule: listener-in-ephemeral-range      # or a family
  host: web*                             # or a list; without host and group on every host
  group: proxies                         # a group of the inventory, or of `groups:` in this file
  unit: app.service                      # where the finding is about a unit
  port: 40000-40010                      # where all its ports are among these
  reason: moves in January, OPS-123
  expires: 2027-01-31                    # the last day on which it counts
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase

from portwright._start.records import dataclass, replace
from portwright.finding import Allowed, Finding, HostResult
from portwright.ports import PortSet
from portwright.rules.marked import Items, Leaf, Node, Table, parse
from portwright.source import RuleError, Span, Unreadable

LARGEST = 1 << 20
"""Bytes of an allow file."""
_MOST = 5_000
_MOST_IN_A_LIST = 1_000
_LONGEST = 300
_KEYS = ("rule", "host", "group", "unit", "port", "reason", "expires")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one entry accepts; an empty tuple asks for nothing. `reason` is "" where none is given."""

    at: Span
    rule: str
    hosts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    ports: PortSet | None = None
    reason: str = ""
    expires: date | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is one that this accepts, wherever it is."""
        of = finding.subject
        if self.rule not in (finding.card.id, finding.card.family):
            return False
        if self.units and not any(fnmatchcase(of.unit or "", pattern) for pattern in self.units):
            return False
        if self.ports is None:
            return True
        if of.port is None:
            return False
        return not PortSet.of((of.port, of.end_port or of.port)).minus(self.ports)

    def is_on(self, host: str, groups: Collection[str]) -> bool:
        """Whether this is about a host that is in these groups."""
        if not self.hosts and not self.groups:
            return True
        by_name = any(fnmatchcase(host, pattern) for pattern in self.hosts)
        return by_name or any(fnmatchcase(group, pattern) for group in groups for pattern in self.groups)


@dataclass(frozen=True, slots=True)
class AllowFile:
    """What a file accepts, and the groups that it names itself, each with the patterns of its hosts."""

    entries: tuple[Entry, ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()


def read(text: str, path: str) -> AllowFile:
    """What an allow file says; raises RuleError at the first mistake."""
    document = parse(text, path, "an allow file", LARGEST)
    if not isinstance(document, Table):
        raise RuleError(document.at, "an allow file is a mapping with `allow:`, a list of entries")
    for key in document.entries:
        if key not in ("allow", "groups"):
            raise RuleError(document.keys[key], f"there is no {key[:60]!r} in an allow file: it has allow and groups")
    listed = document.entries.get("allow")
    if listed is None:
        raise RuleError(document.at, "it has no `allow:`, a list of entries")
    entries = () if isinstance(listed, Leaf) and listed.value is None else tuple(map(_entry, _items(listed, _MOST, "entries")))
    return AllowFile(entries, _groups(document.entries.get("groups")))


def _groups(node: Node | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if node is None:
        return ()
    if not isinstance(node, Table) or len(node.entries) > _MOST_IN_A_LIST:
        raise RuleError(node.at, f"groups are a mapping of at most {_MOST_IN_A_LIST} names, each with the patterns of its hosts")
    return tuple((name, _texts(patterns)) for name, patterns in node.entries.items())


def _entry(node: Node) -> Entry:
    if not isinstance(node, Table):
        raise RuleError(node.at, "an entry is a mapping with rule and reason")
    for key in node.entries:
        if key not in _KEYS:
            raise RuleError(node.keys[key], f"an entry has no {key[:60]!r}: it has {', '.join(_KEYS)}")
    rule = node.entries.get("rule")
    if rule is None:
        raise RuleError(node.at, "this entry names no rule")
    given = {name: _texts(node.entries[name]) for name in ("host", "group", "unit") if name in node.entries}
    reason = node.entries.get("reason")
    return Entry(
        Span(node.at.path, node.at.line, node.at.column, node.at.line, node.at.column),
        _text(rule),
        given.get("host", ()),
        given.get("group", ()),
        given.get("unit", ()),
        _ports(node.entries["port"]) if "port" in node.entries else None,
        "" if reason is None or (isinstance(reason, Leaf) and not reason.text.strip()) else _text(reason),
        _day(node.entries["expires"]) if "expires" in node.entries else None,
    )


def _items(node: Node, most: int, what: str) -> tuple[Node, ...]:
    if not isinstance(node, Items) or len(node.items) > most:
        raise RuleError(node.at, f"a list of at most {most:,} {what} is wanted here")
    return node.items


def _texts(node: Node) -> tuple[str, ...]:
    found = (_text(node),) if isinstance(node, Leaf) else tuple(map(_text, _items(node, _MOST_IN_A_LIST, "texts")))
    if not found:
        raise RuleError(node.at, "this list is empty")
    return found


def _text(node: Node) -> str:
    if not isinstance(node, Leaf) or not node.text.strip() or len(node.text) > _LONGEST:
        raise RuleError(node.at, f"a text of at most {_LONGEST} characters is wanted here")
    return node.text.strip()


def _ports(node: Node) -> PortSet:
    try:
        found = PortSet.parse(",".join(_texts(node)))
    except ValueError:
        found = PortSet()
    if not found:
        raise RuleError(node.at, "a port is wanted here, or several: 8080, 40000-40010")
    return found


def _day(node: Node) -> date:
    try:
        return date.fromisoformat(_text(node))
    except ValueError:
        raise RuleError(node.at, "a day is wanted here, such as 2027-01-31") from None


# ── what it does ────────────────────────────────────────────────────────────────────────────────────────────────────


def allowed(
    results: Sequence[HostResult],
    file: AllowFile,
    groups: Mapping[str, Iterable[str]],
    run: Collection[str],
    today: date,
) -> tuple[list[HostResult], tuple[Unreadable, ...]]:
    """The results without what is accepted, and what of the file has no effect. `groups` are the inventory's, `run` are the rules and
    families that were run, of which alone it can be said that nothing was found."""
    members: dict[str, set[str]] = {}
    for group, hosts in groups.items():
        for host in hosts:
            members.setdefault(host, set()).add(group)
    live = [entry for entry in file.entries if entry.reason and (entry.expires is None or entry.expires >= today)]
    used: set[Span] = set()
    kept = [_without(result, live, _groups_of(result.host, members, file), used) for result in results]
    return kept, tuple(_remarks(file.entries, used, run, today))


def _groups_of(host: str, members: Mapping[str, set[str]], file: AllowFile) -> set[str]:
    own = {group for group, patterns in file.groups if any(fnmatchcase(host, pattern) for pattern in patterns)}
    return own | members.get(host, set())


def _without(result: HostResult, live: Sequence[Entry], groups: set[str], used: set[Span]) -> HostResult:
    near = [entry for entry in live if entry.is_on(result.host, groups)] if result.findings else []
    if not near:
        return result
    kept: list[Finding] = []
    accepted: list[Allowed] = []
    for finding in result.findings:
        by = [entry for entry in near if entry.covers(finding)]
        used.update(entry.at for entry in by)
        if by:
            accepted.append(Allowed(finding.card.id, finding.at, by[0].reason, f"{by[0].at.path}:{by[0].at.line}"))
        else:
            kept.append(finding)
    return replace(result, findings=tuple(kept), allowed=(*result.allowed, *accepted)) if accepted else result


def _remarks(entries: Iterable[Entry], used: Collection[Span], run: Collection[str], today: date) -> Iterable[Unreadable]:
    for entry in entries:
        if not entry.reason:
            yield Unreadable(entry.at, f"this entry for {entry.rule} gives no reason, so it allows nothing")
        elif entry.expires is not None and entry.expires < today:
            yield Unreadable(entry.at, f"this entry for {entry.rule} expired on {entry.expires.isoformat()}, so it allows nothing")
        elif entry.at not in used and entry.rule in run:
            yield Unreadable(entry.at, f"no finding of {entry.rule} is what this entry allows")
        elif entry.rule not in run:
            yield Unreadable(entry.at, f"no rule or family {entry.rule} was run, so this entry allows nothing")
