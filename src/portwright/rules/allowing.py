"""`# portwright: allow RULE: reason` beside a line accepts one rule's findings there; an allow that says no reason is no allow."""

from collections.abc import Iterable, Mapping
from re import MULTILINE

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.finding import Allowed, Finding
from portwright.source import Source, Span, Unreadable

_WORD = "portwright:"
_MOST_TOLD = 100  # comments of one file that allow nothing, as of what cannot be read
# A `;` or `//` begins a comment only where it begins the line (nginx ends its directives with one).
_COMMENT = lazy_regex(
    r"(?:#|^[ \t]*(?:;|//))[ \t]*portwright:[ \t]*([a-z-]+)(?:[ \t]+([A-Za-z0-9_-]{1,80}))?[ \t]*(?::[ \t]*([^\r\n]*))?", MULTILINE
)

# Words people know from other linters, which must not be taken for an allow that works.
_MEANT = frozenset({"allowed", "allows", "alow", "disable", "disabled", "ignore", "ignored", "nolint", "noqa", "skip", "suppress"})


@dataclass(frozen=True, slots=True)
class _Allow:
    rule: str
    at: Span
    reason: str


def allowed(
    findings: Iterable[Finding], sources: Mapping[str, Source], known: Iterable[str]
) -> tuple[tuple[Finding, ...], tuple[Allowed, ...], tuple[Unreadable, ...]]:
    """(findings that stay, findings that a comment accepts, comments that accept nothing and why).

    A comment counts on the finding's own line and on the line above it. `known` are the ids of all rules. Only a repository's own
    files may accept anything: on a host the caller does not ask.
    """
    ids = frozenset(known)
    comments: dict[tuple[str, str, int], _Allow] = {}
    troubles: list[Unreadable] = []
    for path in sorted(sources):
        wrong = 0
        for comment in _comments(sources[path]):
            if comment.reason and comment.rule in ids:
                comments[path, comment.rule, comment.at.line] = comment
                continue
            wrong += 1
            if wrong <= _MOST_TOLD:
                troubles.append(Unreadable(comment.at, _trouble(comment, ids)))
            elif wrong == _MOST_TOLD + 1:
                more = f"more than {_MOST_TOLD} comments in it have no effect; the others are not told"
                troubles.append(Unreadable(Span.whole(path), more))
    kept: list[Finding] = []
    accepted: list[Allowed] = []
    for finding in findings:
        at, rule = finding.at, finding.card.id
        found = comments.get((at.path, rule, at.line)) or comments.get((at.path, rule, at.line - 1))
        if found is None:
            kept.append(finding)
        else:
            accepted.append(Allowed(rule, at, found.reason))
    return tuple(kept), tuple(accepted), tuple(troubles)


def _comments(source: Source) -> Iterable[_Allow]:
    position = source.text.find(_WORD)
    while position >= 0:
        start = source.text.rfind("\n", 0, position) + 1
        end = source.text.find("\n", position)
        end = len(source.text) if end < 0 else end
        for found in _COMMENT.finditer(source.text, start, end):
            verb, rule, reason = found.group(1), found.group(2) or "", (found.group(3) or "").strip()
            if verb == "allow" or verb in _MEANT:
                yield _Allow(
                    rule if verb == "allow" else "", source.span(found.start(), found.start() + len(found.group().rstrip())), reason
                )
        position = source.text.find(_WORD, end)


def _trouble(comment: _Allow, ids: frozenset[str]) -> str:
    """Why a comment allows nothing."""
    if not comment.rule:
        return "this comment has no effect: write `portwright: allow RULE: reason`"
    if comment.rule not in ids:
        from portwright.rules.grammar import nearest

        return f"this comment has no effect: there is no rule {comment.rule}; {nearest(comment.rule, ids) if ids else 'none is loaded'}"
    return f"this comment has no effect without a reason: write `portwright: allow {comment.rule}: reason`"
