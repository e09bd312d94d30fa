"""SARIF 2.1.0 (OASIS, errata 01): findings for code scanning and for whatever else collects verdicts.

One run holds every host. What lies below the directory of the run has paths relative to that, which is `%SRCROOT%`; a host elsewhere
has a base of its own (`HOST-web1`), of which no address is said: only its reader knows where the copy lies.

Text from a host can neither make links nor take placeholders.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from portwright._start.lazy_regex import lazy_regex
from portwright.finding import SEVERITIES, Allowed, Finding, HostResult, Repair, Replaced, RuleMeta, Severity
from portwright.reports.escape import safe
from portwright.reports.words import counted, cut_off, judged, no_verdict, obeyed, told_uncovered, what_to_do
from portwright.source import Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# GitHub refuses a file with more results in a run, or more locations at a result.
MOST_RESULTS = 25_000
MOST_RELATED = 100
MOST_TEXT = 10_000

_LEVELS: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "note", "info": "note"}
# GitHub's own words for how much a rule that is about no vulnerability matters.
_MATTERS = {"error": "error", "warning": "warning", "note": "recommendation"}

# What surrogateescape cannot turn back into a byte.
_NO_BYTE = lazy_regex("[\ud800-\udc7f\udd00-\udfff]")
_LINK = lazy_regex(r"https?://[A-Za-z0-9_.~:/?#@!$&'()*+,;=%-]{1,2000}")

_Object = dict[str, Any]


def check(results: Sequence[HostResult], cards: Iterable[RuleMeta], version: str) -> str:
    """The findings of any number of hosts, the worst first; `cards` are those of all rules checked, `version` is the tool's own."""
    hosts = sorted(results, key=lambda result: result.host)
    rules = {card.id: card for card in (*cards, *(finding.card for result in hosts for finding in result.findings))}
    index = {id_: place for place, id_ in enumerate(sorted(rules))}
    alone = sum(1 for result in hosts if result.repository) == 1
    based = [(result, _base(result, alone)) for result in hosts]
    found = [
        _result(finding, index, result, base)
        for result, base, finding in sorted(
            ((result, base, finding) for result, base in based for finding in result.findings), key=lambda each: _worst_first(*each)
        )
    ]
    found += [
        _accepted(allowed, rules, index, result, base)
        for result, base in based
        for allowed in sorted(result.allowed, key=lambda each: (each.at, each.rule, each.reason))
    ]
    driver = {
        "name": "portwright",
        "version": safe(version),
        "rules": [_rule(rules[id_]) for id_ in index],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(based, len(found))],
        "originalUriBaseIds": {base: _root(base, result) for result, base in based},
        "columnKind": "unicodeCodePoints",
        "results": found[:MOST_RESULTS],
        "properties": {"hosts": [{"host": safe(result.host), "repository": result.repository} for result in hosts]},
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    # DEL is the one control that JSON lets through; it can stand in strings only.
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n"


def _worst_first(result: HostResult, base: str, finding: Finding) -> tuple[object, ...]:
    return SEVERITIES.index(finding.severity), result.host, base, finding.at, finding.card.id, finding.message, finding.fingerprint


# ── rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rule(card: RuleMeta) -> _Object:
    why = " ".join(card.why.split())
    accept = f"# portwright: allow {card.id}: the reason"
    level = _LEVELS[card.severity]
    text = f"{why}\n\nTo accept it in a repository, write on the line or the one above:\n  {accept}\n\nSee {', '.join(card.references)}"
    references = "".join(f"- {_linked(reference)}\n" for reference in card.references)
    markdown = f"{why}\n\nTo accept it in a repository, write on the line or the one above:\n\n```\n{accept}\n```\n\n{references}"
    rule: _Object = {
        "id": safe(card.id),
        "shortDescription": {"text": _prose(card.title)},
        "fullDescription": {"text": _prose(why)},
        "help": {"text": _lines(text), "markdown": _lines(markdown)},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": [safe(card.family)], "problem.severity": _MATTERS[level], "severity": card.severity},
    }
    page = next((reference for reference in card.references if _is_link(reference)), None)
    return rule if page is None else {**rule, "helpUri": page}


def _is_link(reference: str) -> bool:
    return _LINK.fullmatch(reference) is not None


def _linked(reference: str) -> str:
    return f"<{reference}>" if _is_link(reference) else reference


# ── results ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _result(finding: Finding, index: dict[str, int], result: HostResult, base: str) -> _Object:
    placed = [(note.text, note.at) for note in finding.notes if note.at is not None]
    said = [finding.message, *judged(finding)]
    said += [f"note: {note.text}" for note in finding.notes if note.at is None]
    if len(placed) > MOST_RELATED:
        said.append(f"{counted(len(placed) - MOST_RELATED, 'more line')} are not listed")
    said.append(what_to_do(finding))
    written: _Object = {
        "ruleId": safe(finding.card.id),
        "ruleIndex": index[finding.card.id],
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(_prose(line) for line in said if line)},
        "locations": [{"physicalLocation": _physical(finding.at, result, base)}],
        "partialFingerprints": {"portwright/v1": finding.fingerprint},
        "suppressions": [],
        "properties": {
            "host": safe(result.host),
            "severity": finding.severity,
            "rule_severity": finding.card.severity,
            "confidence": finding.confidence,
            "likelihood": finding.likelihood,
            "predicts": finding.predicts,
            "unit": None if finding.subject.unit is None else safe(finding.subject.unit),
        },
    }
    if placed:
        written["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(at, result, base), "message": {"text": _prose(text)}}
            for number, (text, at) in enumerate(placed[:MOST_RELATED], 1)
        ]
    repair = None if result.repairs is None else result.repairs.get(finding.fingerprint)
    if repair is not None and repair.replaced and finding.change is not None:
        written["fixes"] = [_fix(finding, repair, result, base)]
    return written


def _fix(finding: Finding, repair: Repair, result: HostResult, base: str) -> _Object:
    """What a patch of the repository replaces, by files; a file that is not there yet is one without content."""
    by_path: dict[str, list[Replaced]] = {}
    for each in repair.replaced:
        by_path.setdefault(each.path, []).append(each)
    return {
        "description": {"text": _prose(finding.summary or ("" if finding.change is None else finding.change.in_words()))},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": _relative(result.in_checkout(path) or path), "uriBaseId": base},
                "replacements": [
                    {
                        "deletedRegion": {"startLine": each.start, "startColumn": 1, "endLine": each.end, "endColumn": 1},
                        "insertedContent": {"text": each.text},
                    }
                    for each in own
                ],
            }
            for path, own in by_path.items()
        ],
    }


def _accepted(allowed: Allowed, rules: dict[str, RuleMeta], index: dict[str, int], result: HostResult, base: str) -> _Object:
    card = rules.get(allowed.rule)
    written: _Object = {
        "ruleId": safe(allowed.rule),
        "level": "warning" if card is None else _LEVELS[card.severity],
        "message": {"text": _prose(allowed.rule if card is None else card.title)},
        "locations": [{"physicalLocation": _physical(allowed.at, result, base)}],
        "suppressions": [{"kind": "external" if allowed.by else "inSource", "status": "accepted", "justification": _plain(allowed.reason)}],
    }
    return written if card is None else {**written, "ruleIndex": index[allowed.rule]}


# ── what the verdict rests on ───────────────────────────────────────────────────────────────────────────────────────


def _invocation(based: Sequence[tuple[HostResult, str]], found: int) -> _Object:
    missing: list[_Object] = [
        {
            "level": "warning",
            "message": {"text": _prose(f"could not be read: {trouble.reason}")},
            "locations": [{"physicalLocation": _physical(trouble.at, result, base)}],
        }
        for result, base in based
        for trouble in sorted(result.unreadable)
    ]
    blind = [f"{result.host}: {no_verdict(result)}" for result, _ in based if no_verdict(result)]
    if not based:
        blind.append("nothing was read: no host, repository or file was found")
    missing += [{"level": "error", "message": {"text": _prose(text)}} for text in blind]
    complete = not missing
    missing += [_uncovered(text, _physical(at, result, base)) for result, base in based for text, at in told_uncovered(result.coverage)]
    missing += [_uncovered(each.reason, _physical(each.at, result, base)) for result, base in based for each in result.unused]
    if taken := obeyed([result for result, _ in based]):
        missing.append({"level": "note", "message": {"text": _prose(taken)}})
    if found > MOST_RESULTS:
        text = f"{counted(found - MOST_RESULTS, 'more result')} left out: this report holds {MOST_RESULTS} at most, the worst first"
        missing.append({"level": "warning", "message": {"text": text}})
    return {"executionSuccessful": complete, "toolExecutionNotifications": missing}


def _uncovered(text: str, where: _Object) -> _Object:
    return {"level": "note", "message": {"text": _prose(text)}, "locations": [{"physicalLocation": where}]}


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _base(result: HostResult, alone: bool) -> str:
    if result.checkout_prefix is not None:
        return "%SRCROOT%"
    if not result.repository:
        return f"HOST-{_encoded(result.host)}"
    return "%SRCROOT%" if alone else f"REPOSITORY-{_encoded(result.host)}"


def _root(base: str, result: HostResult) -> _Object:
    if base == "%SRCROOT%" and result.checkout_prefix is not None:
        return {"description": {"text": "the directory portwright was run in"}}
    what = "the repository" if result.repository else "the root of the host"
    return {"description": {"text": _prose(f"{what} {result.host}")}}


def _physical(at: Span, result: HostResult, base: str) -> _Object:
    return {
        "artifactLocation": {"uri": _relative(result.in_checkout(at.path) or at.path), "uriBaseId": base},
        "region": {"startLine": at.line, "startColumn": at.column, "endLine": at.end_line, "endColumn": at.end_column},
    }


def _relative(path: str) -> str:
    """A path as a relative reference that cannot leave its base: no scheme, no authority, no step upwards, bytes as they are on disk."""
    return "/".join(_encoded(name) for name in path.split("/") if name not in ("", ".", "..")) or "."


def _encoded(name: str) -> str:
    return quote(_NO_BYTE.sub("\ufffd", name).encode("utf-8", "surrogateescape"), safe="")


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _prose(text: str) -> str:
    """One line of a message: `](` would make a link (SARIF 3.11.6), single braces a placeholder (3.11.5)."""
    return _plain(text).replace("](", "] (").replace("{", "{{").replace("}", "}}")


def _lines(text: str) -> str:
    return "\n".join(_prose(line) if line else "" for line in text.split("\n"))


def _plain(text: str) -> str:
    return cut_off(safe(text), MOST_TEXT)
