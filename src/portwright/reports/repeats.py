"""Findings of one rule that say the same of other services, ports and lines, gathered so that a report can say it once."""

from collections import Counter
from collections.abc import Iterable

from portwright._start.lazy_regex import lazy_regex
from portwright.finding import Finding
from portwright.reports.words import bound, spanning

_BETWEEN = lazy_regex(r"([\s(),;'\"=`]+)")


def gathered(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """Findings that differ only in whom, which port and which line they mean stand together; groups in the order of their first.

    The words of the first, with its service, address and ports exchanged for those of another, are the words of that other; so are
    those with another's address on the same port, which `against` tells.
    """
    ordered = list(findings)
    alike = Counter(_outside(finding) for finding in ordered)
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(ordered):
        outside = _outside(finding)
        key = (outside, _shape(finding)) if alike[outside] > 1 else number
        groups.setdefault(key, []).append(finding)
    return [tuple(group) for group in groups.values()]


def against(finding: Finding) -> tuple[str, ...]:
    """The other addresses on its port that a finding speaks of, such as a rival's."""
    if finding.subject.port is None:
        return ()
    words = (word.rstrip(":.") for word in _BETWEEN.split(finding.message))
    port, own = f":{spanning(finding.subject)}", bound(finding.subject)
    return tuple(dict.fromkeys(word for word in words if word.endswith(port) and word != own))


def _outside(finding: Finding) -> tuple[object, ...]:
    """What findings said together must share besides their words."""
    change = finding.change
    remedy = (type(change).__name__, change.safety, change.disruption) if change is not None else None
    located = tuple(note.at is None for note in finding.notes)
    return finding.card.id, finding.severity, finding.confidence, finding.likelihood, finding.predicts, remedy, located


def _shape(finding: Finding) -> tuple[str, ...]:
    """All that a finding says, a sign in place of each word that names its subject."""
    subject = finding.subject
    who = f"{subject.app} ({subject.unit})"
    stem = (subject.unit or "").partition(".")[0]
    ports = "" if subject.port is None else spanning(subject)
    signs = {bound(subject): "\0endpoint", ports: "\0port", subject.address: "\0address", subject.protocol: "\0protocol"}
    signs |= {stem: "\0stem", subject.unit: "\0unit", subject.app: "\0who" if subject.app == stem else "\0app"}
    signs |= {subject.sysctl: "\0sysctl"}

    def shape(text: str) -> str:
        parts = _BETWEEN.split(text.replace(who, "\0who") if subject.unit else text)
        for index in range(0, len(parts), 2):
            word = parts[index].rstrip(":.")
            if word and (sign := signs.get(word) or (ports and word.endswith(f":{ports}") and "\0against")):
                parts[index] = sign + parts[index][len(word) :]
        return "".join(parts)

    said = [finding.message, finding.likelihood_because, *(note.text for note in finding.notes)]
    if finding.change is not None:
        said.append(finding.summary or finding.change.in_words())
    if finding.manual is not None:
        said += (finding.manual.step, finding.manual.reason)
    return tuple(shape(text) for text in said)
