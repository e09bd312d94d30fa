"""`# portwright: allow RULE: reason` accepts findings of a repository: on a line, a block or a file, in each format's own comments.

    # portwright: allow RULE, RULE: reason           on this line or the one below
    # portwright: allow-start RULE: reason           from here to `# portwright: allow-end`
    # portwright: allow-file RULE: reason            in this file
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from re import MULTILINE

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.finding import Allowed, Finding
from portwright.source import Source, Span, Unreadable

_WORD = "portwright:"
_MOST_TOLD = 100  # comments of one file that allow nothing, as of what cannot be read
_MOST_RULES = 50  # of one comment
# Besides `#`, a sign begins a comment only where a line begins or after a blank: `;` ends directives, `//` stands in addresses.
_COMMENT = lazy_regex(
    r"(\{#[-+]?|<!--|#|(?:^|(?<=[ \t]))(?:;|//|--|/\*{1,2}))[ \t]*portwright:[ \t]*([a-z-]+)"
    r"(?:[ \t]+([A-Za-z0-9_-]{1,80}(?:[ \t]*,[ \t]*[A-Za-z0-9_-]{1,80})*))?[ \t]*(?::[ \t]*([^\r\n]*))?",
    MULTILINE,
)
_CLOSED_BY = {"{#": ("-#}", "+#}", "#}"), "<!": ("-->",), "/*": ("*/",)}

# Words people know from other linters, which must not be taken for an allow that works.
_MEANT = frozenset({"allowed", "allows", "alow", "disable", "disabled", "ignore", "ignored", "nolint", "noqa", "skip", "suppress"})
_VERBS = frozenset({"allow", "allow-start", "allow-end", "allow-file"})


@dataclass(frozen=True, slots=True)
class _Comment:
    """What a comment of ours says; `verb` is "" where it is none of the words that have an effect."""

    verb: str
    rules: tuple[str, ...]
    at: Span
    reason: str


@dataclass(frozen=True, slots=True)
class _Allow:
    """One rule that a comment accepts, from a line to a line."""

    rule: str
    first: int
    last: int
    comment: _Comment


class _Allows:
    """What the comments of one file accept: by rule, in the order of their first lines."""

    def __init__(self) -> None:
        self._spans: dict[str, list[_Allow]] = {}
        self._starts: dict[str, list[int]] = {}
        self._lines: dict[tuple[str, int], _Allow] = {}
        self._files: dict[str, _Allow] = {}
        self.every: list[_Allow] = []

    def add(self, allow: _Allow) -> None:
        self.every.append(allow)
        match allow.comment.verb:
            case "allow":
                self._lines[allow.rule, allow.first] = allow
            case "allow-file":
                self._files[allow.rule] = allow
            case _:
                self._spans.setdefault(allow.rule, []).append(allow)
                self._starts.setdefault(allow.rule, []).append(allow.first)

    def of(self, rule: str, line: int) -> _Allow | None:
        """What accepts a rule's finding on a line: the nearest comment first."""
        near = self._lines.get((rule, line)) or self._lines.get((rule, line - 1))
        if near is not None:
            return near
        before = bisect_right(self._starts.get(rule, ()), line) - 1
        if before >= 0 and line <= self._spans[rule][before].last:
            return self._spans[rule][before]
        return self._files.get(rule)


def allowed(
    findings: Iterable[Finding], sources: Mapping[str, Source], known: Iterable[str], run: Collection[str] = ()
) -> tuple[tuple[Finding, ...], tuple[Allowed, ...], tuple[Unreadable, ...], tuple[Unreadable, ...]]:
    """(findings that stay, findings that a comment accepts, comments that can have no effect and why, comments that had none).

    `known` are the ids of all rules, `run` those that were held and all of whose findings are here. Only a repository's own files may
    accept anything: on a host the caller does not ask.
    """
    ids = frozenset(known)
    files: dict[str, _Allows] = {}
    troubles: list[Unreadable] = []
    for path in sorted(sources):
        if _WORD in sources[path].text:
            files[path] = allows = _Allows()
            told = _Told(path, troubles)
            for allow in _paired(_comments(sources[path]), ids, told):
                allows.add(allow)
    kept: list[Finding] = []
    accepted: list[Allowed] = []
    used: set[int] = set()
    for finding in findings:
        at, rule = finding.at, finding.card.id
        by = files[at.path].of(rule, at.line) if at.path in files else None
        if by is None:
            kept.append(finding)
        else:
            used.add(id(by))
            accepted.append(Allowed(rule, at, by.comment.reason))
    return tuple(kept), tuple(accepted), tuple(troubles), tuple(_unused(files.values(), used, frozenset(run)))


def without_effect(sources: Mapping[str, Source]) -> Iterator[Unreadable]:
    """The comments of ours in a host's files: nothing inside a host silences anything."""
    for path in sorted(sources):
        if _WORD in sources[path].text:
            for number, comment in enumerate(each for each in _comments(sources[path]) if each.verb):
                if number == _MOST_TOLD:
                    yield Unreadable(Span.whole(path), f"more than {_MOST_TOLD} comments in it have no effect; the others are not told")
                    break
                yield Unreadable(comment.at, "this comment has no effect on a host: nothing inside a host silences a finding")


def _unused(files: Iterable[_Allows], used: Collection[int], run: Collection[str]) -> Iterator[Unreadable]:
    for allows in files:
        idle = [allow for allow in allows.every if allow.rule in run and id(allow) not in used]
        for allow in idle[:_MOST_TOLD]:
            yield Unreadable(allow.comment.at, f"this comment allows {allow.rule}, which finds nothing there")
        if len(idle) > _MOST_TOLD:
            at = Span.whole(idle[0].comment.at.path)
            yield Unreadable(at, f"more than {_MOST_TOLD} comments in it allow what finds nothing; the others are not told")


class _Told:
    """The comments of one file that can have no effect, the first of them in words."""

    def __init__(self, path: str, troubles: list[Unreadable]) -> None:
        self._path, self._troubles, self._number = path, troubles, 0

    @property
    def is_full(self) -> bool:
        """Whether no more is told of this file."""
        return self._number >= _MOST_TOLD

    def __call__(self, comment: _Comment, reason: str) -> None:
        self._number += 1
        if self._number <= _MOST_TOLD:
            self._troubles.append(Unreadable(comment.at, f"this comment has no effect{reason}"))
        elif self._number == _MOST_TOLD + 1:
            more = f"more than {_MOST_TOLD} comments in it have no effect; the others are not told"
            self._troubles.append(Unreadable(Span.whole(self._path), more))


def _paired(comments: Iterable[_Comment], ids: frozenset[str], told: _Told) -> Iterator[_Allow]:
    """What the comments of a file accept, each block from its start to its end."""
    opened: dict[str, _Comment] = {}
    for comment in comments:
        if comment.verb == "allow-end":
            ending = comment.rules or tuple(opened)[-1:]
            if not ending or any(rule not in opened for rule in ending):
                told(comment, ": no allow-start before it is open" + (f" for {', '.join(comment.rules)}" if comment.rules else ""))
            # What one comment began, one that names no rule ends.
            begun = [rule for rule in opened if not comment.rules and ending and opened[rule] is opened[ending[0]]]
            for rule in begun or ending:
                if (start := opened.pop(rule, None)) is not None:
                    yield _Allow(rule, start.at.line, comment.at.line, start)
            continue
        if trouble := _trouble(comment, ids, is_told=not told.is_full):
            told(comment, trouble)
            continue
        for rule in comment.rules:
            if comment.verb != "allow-start":
                yield _Allow(rule, comment.at.line, comment.at.line, comment)
            elif rule in opened:
                told(comment, f": {rule} is allowed already since line {opened[rule].at.line}")
            else:
                opened[rule] = comment
    for rule, comment in opened.items():
        told(comment, f": no `portwright: allow-end` follows it for {rule}")


def _comments(source: Source) -> Iterator[_Comment]:
    position = source.text.find(_WORD)
    while position >= 0:
        start = source.text.rfind("\n", 0, position) + 1
        end = source.text.find("\n", position)
        end = len(source.text) if end < 0 else end
        for found in _COMMENT.finditer(source.text, start, end):
            sign, verb, rules = found.group(1), found.group(2), found.group(3) or ""
            if verb in _VERBS or verb in _MEANT:
                at = source.span(found.start(), found.start() + len(found.group().rstrip()))
                listed = tuple(dict.fromkeys(rule.strip() for rule in rules.split(",") if rule.strip()))
                yield _Comment(verb if verb in _VERBS else "", listed, at, _closed((found.group(4) or ""), sign[:2]).strip())
        position = source.text.find(_WORD, end)


def _closed(reason: str, sign: str) -> str:
    """A reason up to where its comment ends, where that is not the line's end."""
    ends = [place for mark in _CLOSED_BY.get(sign, ()) if (place := reason.find(mark)) >= 0]
    return reason[: min(ends)] if ends else reason


def _trouble(comment: _Comment, ids: frozenset[str], *, is_told: bool = True) -> str:
    """Why a comment allows nothing; "" where it does. The nearest name is looked for where somebody is told of it."""
    if not comment.verb or not comment.rules:
        return f": write `portwright: {comment.verb or 'allow'} RULE: reason`"
    if len(comment.rules) > _MOST_RULES:
        return f": it names more than {_MOST_RULES} rules"
    for rule in comment.rules:
        if rule not in ids:
            if not is_told:
                return f": there is no rule {rule}"
            from portwright.rules.grammar import nearest

            return f": there is no rule {rule}; {nearest(rule, ids) if ids else 'none is loaded'}"
    if not comment.reason:
        return f" without a reason: write `portwright: {comment.verb} {', '.join(comment.rules)}: reason`"
    return ""
