"""The order of findings in reports that show the worst first."""

from portwright.finding import SEVERITIES, Finding


def worst_first(finding: Finding) -> tuple[object, ...]:
    """The key to sort findings of one host by: how bad, then where, then what."""
    return SEVERITIES.index(finding.severity), finding.at, finding.card.id, finding.message, finding.fingerprint
