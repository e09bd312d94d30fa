"""JSON, version 1: findings, facts and the port space for programs; schemas/json-v1.schema.json describes every field.

Each field is written out on purpose; unknown is null, never left out. The text is ASCII: JSON's own escapes stand for other characters.
A byte that was no UTF-8 stands as the six characters `\\udc80`, because strict readers refuse a lone surrogate.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from portwright._start.lazy_regex import lazy_regex
from portwright.changes import Change
from portwright.changes.kind import name_of
from portwright.coverage import Coverage
from portwright.facts import Assignment, FileLimit, Listener, Outbound, Overridden, Privileges, Subject, Sysctl, Unit
from portwright.finding import SEVERITIES, Allowed, Compared, Finding, HostResult
from portwright.host import Host
from portwright.reports.fixable import needs, why_not
from portwright.reports.secrets import hide, hide_at, hide_value
from portwright.reports.space import Collisions, Space, rows
from portwright.source import Source, Span, Unreadable
from portwright.system.spanned_text import UNKNOWN

if TYPE_CHECKING:
    from portwright.reports.registry import Checked

_VERSION = 1
_SURROGATE = lazy_regex("[\ud800-\udfff]")

_Object = dict[str, Any]


def check(results: Sequence[HostResult], version: str) -> str:
    """The findings of any number of hosts; `version` is the tool's own."""
    return _text(_checked(results, version))


def audit(checked: "Checked") -> str:
    """The same with what the hosts have in common, what differs from the run before, and entries of an allow file without effect."""
    from portwright.reports import trend
    from portwright.reports.fleet import document

    differs = None if checked.trend is None else trend.document(checked.trend)
    together = {**document(checked.results), "trend": differs, "unused_allows": _unreadable(checked.remarks)}
    return _text({**_checked(checked.results, checked.version), "fleet": together})


def lines(results: Sequence[HostResult]) -> Iterator[str]:
    """The same in lines: an object for each finding, each that is allowed and each gap, host by host, and the summary at the end."""
    hosts = sorted(results, key=lambda result: result.host)
    for result in hosts:
        said = _result(result)
        beside = {name: said[name] for name in ("allowed", "unused_allows", "unreadable")}
        parts = {"finding": said["findings"], **beside, **said["coverage"]}
        for name, values in parts.items():
            yield from (_line({"version": _VERSION, "host": result.host, name: value}) for value in values)
    yield _line({"version": _VERSION, "summary": _summary(hosts)})


def _checked(results: Sequence[HostResult], version: str) -> dict[str, object]:
    hosts = sorted(results, key=lambda result: result.host)
    return {
        "version": _VERSION,
        "tool": {"name": "portwright", "version": version},
        "config": next((result.config for result in hosts if result.config), None),
        "hosts": [_result(result) for result in hosts],
        "summary": _summary(hosts),
    }


def _summary(hosts: Sequence[HostResult]) -> _Object:
    findings = [finding for result in hosts for finding in result.findings]
    return {
        "hosts": len(hosts),
        "findings": {severity: sum(1 for finding in findings if finding.severity == severity) for severity in SEVERITIES},
        "allowed": sum(len(result.allowed) for result in hosts),
        "unreadable": sum(len(result.unreadable) for result in hosts),
        "not_understood": sum(len(result.coverage.not_understood) for result in hosts),
        "left_out": sum(len(result.coverage.left_out) for result in hosts),
        "not_read": sum(len(result.coverage.not_read) for result in hosts),
    }


def facts(hosts: Iterable[Host]) -> str:
    """What was read and what is in force on any number of hosts, without judging."""
    return _text({"version": _VERSION, "hosts": [_facts(host) for host in sorted(hosts, key=lambda host: host.name)]})


def ports(hosts: Iterable[tuple[Host, Collisions]]) -> str:
    """The port space of any number of hosts, each with the pairs of listeners that want the same port."""
    return _text({"version": _VERSION, "hosts": [_space(*each) for each in sorted(hosts, key=lambda each: each[0].name)]})


def result_rows(result: HostResult) -> _Object:
    """What a check says of one host, for whoever keeps it."""
    return _readable_object(_result(result))


def facts_rows(host: Host) -> _Object:
    """What is in force on one host, for whoever keeps it."""
    return _readable_object(_facts(host))


# ── check ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _result(result: HostResult) -> _Object:
    return {
        "host": result.host,
        "repository": result.repository,
        "files_read": result.files_read,
        "rules_checked": result.rules_checked,
        "findings": [_finding(finding, result) for finding in sorted(result.findings, key=_place_of_finding)],
        "allowed": [_allowed(each) for each in sorted(result.allowed, key=lambda each: (each.at, each.rule, each.reason))],
        "unused_allows": _unreadable(result.unused),
        "unreadable": _unreadable(result.unreadable),
        "coverage": _coverage(result.coverage),
        "compared": None if result.compared is None else _compared(result.compared),
    }


def _place_of_finding(finding: Finding) -> tuple[Span, str, str, str]:
    return finding.at, finding.card.id, finding.message, finding.fingerprint


def _finding(finding: Finding, result: HostResult) -> _Object:
    refused = why_not(finding, result)
    return {
        "rule": finding.card.id,
        "severity": finding.severity,
        "rule_severity": finding.card.severity,
        "confidence": finding.confidence,
        "likelihood": finding.likelihood,
        "likelihood_because": finding.likelihood_because or None,
        "message": finding.message,
        "at": _at(finding.at),
        "subject": _subject(finding.subject),
        "notes": [{"text": note.text, "at": _at(note.at)} for note in finding.notes],
        "predicts": finding.predicts,
        "fix": None if finding.change is None or refused else _fix(finding.change, finding, result),
        "manual": _manual(finding, refused),
        "fingerprint": finding.fingerprint,
    }


def _subject(subject: Subject) -> _Object:
    return {
        "unit": subject.unit,
        "app": subject.app,
        "protocol": subject.protocol,
        "address": None if subject.address is None else hide(subject.address),
        "port": subject.port,
        "end_port": subject.end_port,
        "sysctl": subject.sysctl,
    }


def _manual(finding: Finding, refused: str) -> _Object | None:
    """The step of a person: the one that the rule gives, or to make the change that `portwright fix` will not plan here."""
    if finding.manual is not None:
        return {"reason": finding.manual.reason, "step": finding.manual.step}
    if finding.change is None or not refused:
        return None
    return {"reason": refused, "step": finding.summary or finding.change.in_words()}


def _fix(change: Change, finding: Finding, result: HostResult) -> _Object:
    repair = None if result.repairs is None else result.repairs.get(finding.fingerprint)
    return {
        "changes": [_change(change)],
        "safety": change.safety,
        "disruption": change.disruption,
        "summary": finding.summary or change.in_words(),
        "needs": needs(finding),
        "edits": None
        if repair is None
        else [{"path": each.path, "line": each.start, "end_line": each.end, "text": each.text} for each in repair.replaced],
    }


def _change(change: Change) -> _Object:
    return {"kind": name_of(change), **change.written()}


def _allowed(allowed: Allowed) -> _Object:
    return {"rule": allowed.rule, "at": _at(allowed.at), "reason": allowed.reason, "by": allowed.by or None}


# ── facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _compared(compared: Compared) -> _Object:
    return {
        "base": compared.base,
        "not_counted": compared.not_counted,
        "unmatched": compared.unmatched,
        "expired": compared.expired,
    }


def _facts(host: Host) -> _Object:
    return {
        "host": host.name,
        "repository": host.repository,
        "machine": host.machine or None,
        "machine_because": host.machine_because or None,
        "files_read": host.files_read,
        "listeners": [_listener(listener) for listener in rows(host.listeners)],
        "sysctls": [_sysctl(sysctl, host.sources) for sysctl in sorted(host.sysctls, key=lambda sysctl: sysctl.key)],
        "assignments": [_assignment(each, host.sources) for each in sorted(host.assignments, key=lambda each: (each.at, each.key))],
        "units": [_unit(unit, host.privileges.get(unit.name)) for unit in sorted(host.units, key=lambda unit: unit.name)],
        "outbounds": [_outbound(outbound) for outbound in sorted(host.outbounds, key=lambda each: (each.at, each.app, each.name))],
        "file_limits": [_file_limit(limit) for limit in sorted(host.file_limits, key=lambda each: (each.at, each.app, each.unit or ""))],
        "ephemeral": _ephemeral(Space(host)),
        "unreadable": _unreadable(host.unreadable),
        "coverage": _coverage(host.coverage),
    }


def _listener(listener: Listener) -> _Object:
    return {
        "app": listener.app,
        "unit": listener.unit,
        "activates": listener.activates,
        "protocol": listener.protocol,
        "address": listener.address,
        "port": None if listener.random else listener.port,
        "end_port": None if listener.random else listener.end_port,
        "origin": listener.origin,
        "starts": listener.starts,
        "why": listener.why,
        "random": listener.random,
        "private_network": listener.private_network,
        "bind_user": listener.bind_user,
        "can_bind": False if listener.closed_by else listener.can_bind,
        "error": listener.error,
        "because": listener.closed_by or listener.because,
        "because_at": _at(listener.because_at),
        "reuse_address": listener.reuse_address,
        "reuse_port": listener.reuse_port,
        "v6only": listener.v6only,
        "free_bind": listener.free_bind,
        "interface": listener.interface,
        "backlog": None if listener.backlog is None else listener.backlog.length,
        "backlog_at": None if listener.backlog is None else _at(listener.backlog.at),
        "confidence": listener.confidence,
        "at": _at(listener.at),
    }


def _sysctl(each: Sysctl, sources: Mapping[str, Source]) -> _Object:
    sysctl = each.after_boot()
    return {
        "key": sysctl.key,
        "value": _known(hide_value(sysctl.key, sysctl.boot, sysctl.at, sources)),
        "at": _at(sysctl.at),
        "boot": _known(hide_value(sysctl.key, sysctl.boot, sysctl.at, sources)),
        "reload": _known(hide_value(sysctl.key, sysctl.reload, sysctl.reload_at, sources)),
        "reload_at": _at(sysctl.reload_at),
        "running": None if sysctl.running is None else hide_value(sysctl.key, sysctl.running),
        "lost": [_lost(sysctl.key, overridden, sources) for overridden in sysctl.overridden],
        "later": [_lost(sysctl.key, value, sources) for value in sysctl.later],
        "is_default": sysctl.is_default,
        "confidence": sysctl.confidence,
    }


def _known(value: str) -> str | None:
    """None for a value of which something is not known."""
    return None if UNKNOWN in value else value


def _lost(key: str, overridden: Overridden, sources: Mapping[str, Source]) -> _Object:
    value = _known(hide_value(key, overridden.value, overridden.at, sources))
    return {"value": value, "at": _at(overridden.at), "reason": overridden.reason}


def _assignment(assignment: Assignment, sources: Mapping[str, Source]) -> _Object:
    return {
        "key": hide_at(assignment.key, assignment.at, sources),
        "value": _known(hide_value(assignment.key, assignment.value, assignment.at, sources)),
        "at": _at(assignment.at),
        "fate": assignment.outcome,
        "reason": assignment.reason,
    }


def _unit(unit: Unit, privileges: Privileges | None) -> _Object:
    bounding = None if privileges is None or privileges.bounding is None else sorted(privileges.bounding)
    return {
        "unit": unit.name,
        "state": unit.state,
        "starts": unit.starts,
        "why": unit.why,
        "user": None if privileges is None else privileges.user,
        "ambient": None if privileges is None else sorted(privileges.ambient),
        "bounding": bounding,
        "files": list(unit.files),
    }


def _outbound(outbound: Outbound) -> _Object:
    return {
        "app": outbound.app,
        "unit": outbound.unit,
        "name": hide(outbound.name),
        "keepalive": outbound.keepalive,
        "decided_at": _at(outbound.decided_at),
        "asked_at": _at(outbound.asked_at),
        "servers": outbound.servers,
        "loopback": outbound.loopback,
        "source_address": outbound.source_address,
        "source_ports": outbound.source_ports,
        "opened_for": outbound.opened_for,
        "bound_at": _at(outbound.bound_at),
        "starts": outbound.starts,
        "why": outbound.why,
        "confidence": outbound.confidence,
        "at": _at(outbound.at),
    }


def _file_limit(limit: FileLimit) -> _Object:
    return {
        "app": limit.app,
        "unit": limit.unit,
        "setting": limit.setting,
        "connections": limit.connections,
        "needed": limit.needed,
        "limit": limit.limit,
        "decided": limit.decided,
        "decided_at": _at(limit.decided_at),
        "starts": limit.starts,
        "why": limit.why,
        "confidence": limit.confidence,
        "at": _at(limit.at),
    }


def _ephemeral(space: Space) -> _Object:
    return {
        "low": space.low,
        "high": space.high,
        "reserved": space.reserved_text,
        "usable": None if space.usable is None else len(space.usable),
    }


# ── ports ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _space(host: Host, collisions: Collisions) -> _Object:
    space = Space(host, collisions)
    capacity = space.capacity
    return {
        "host": host.name,
        "repository": host.repository,
        "machine": host.machine or None,
        "machine_because": host.machine_because or None,
        "zones": [{"name": zone.name, "low": zone.low, "high": zone.high} for zone in space.zones],
        "ephemeral": {**_ephemeral(space), "at": _at(space.range_at), "reserved_at": _at(space.reserved_at)},
        "listeners": [{**_listener(listener), "marks": list(space.marks(listener))} for listener in rows(host.listeners)],
        "collisions": [
            {"protocol": one.protocol, "ports": str(one.ports.intersection(other.ports)), "listeners": [_party(one), _party(other)]}
            for one, other in space.collisions
        ],
        "capacity": None
        if capacity is None
        else {
            "usable": capacity.usable,
            "slower_from": capacity.slower_from,
            "connections_per_second": capacity.per_second,
            "slower_from_per_second": capacity.slower_from_per_second,
            "tw_reuse": capacity.tw_reuse,
            "connections_per_second_reusing": capacity.per_second_reusing,
            "most_time_waits": capacity.most_time_waits,
            "expected_rate": host.expected_rate,
            "expected_ports": None if host.expected_rate is None else capacity.pace().needs(host.expected_rate),
        },
        "unreadable": _unreadable(host.unreadable),
    }


def _party(listener: Listener) -> _Object:
    return {
        "app": listener.app,
        "unit": listener.unit,
        "address": listener.address,
        "port": listener.port,
        "end_port": listener.end_port,
        "at": _at(listener.at),
    }


# ── common ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _at(at: Span | None) -> _Object | None:
    if at is None:
        return None
    return {"path": at.path, "line": at.line, "column": at.column, "end_line": at.end_line, "end_column": at.end_column}


def _unreadable(troubles: Iterable[Unreadable]) -> list[_Object]:
    return [{"at": _at(trouble.at), "reason": trouble.reason} for trouble in sorted(troubles)]


def _coverage(coverage: Coverage) -> _Object:
    return {
        "not_understood": [
            {"unit": each.unit, "program": hide(each.program), "at": _at(each.at), "reason": each.reason}
            for each in coverage.not_understood
        ],
        "left_out": [{"path": each.path, "reason": each.reason} for each in coverage.left_out],
        "not_read": [{"path": each.path, "kind": each.kind, "reason": each.reason} for each in coverage.not_read],
    }


def _text(document: _Object) -> str:
    return f"{_plain(json.dumps(_readable(document), indent=2))}\n"


def _line(document: _Object) -> str:
    return f"{_plain(json.dumps(_readable(document), separators=(',', ':')))}\n"


def _plain(written: str) -> str:
    # DEL is the one control that JSON lets through; it can stand in strings only.
    return written.replace("\x7f", "\\u007f")


# The fields that quote what a host's files say.
_PROSE = frozenset({"because", "likelihood_because", "message", "reason", "step", "summary", "text", "why"})


def _readable_object(document: _Object) -> _Object:
    found: _Object = _readable(document)
    return found


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", value)
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, dict):
        return {key: _readable(hide(item) if key in _PROSE and isinstance(item, str) else item) for key, item in value.items()}
    return value
