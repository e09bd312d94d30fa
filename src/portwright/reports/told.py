"""What reports with excerpts say of findings that are told together: the lines to show, the remarks, and where the others are."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from portwright.finding import Finding, HostResult, Note
from portwright.reports.escape import safe
from portwright.reports.excerpt import Mark, can_show, place
from portwright.reports.fixable import ALLOW_REVIEW, needs, why_not
from portwright.reports.repeats import against
from portwright.reports.style import Role
from portwright.reports.words import DISRUPTION, ERRORS, SAFETY, bound, how_likely
from portwright.source import Span
from portwright.system.sysctl.settle import defaults

Remark = tuple[str, str, Role]
"""A key, what is said under it, and what it is."""


def spots(
    finding: Finding, result: HostResult, said: Callable[[str], str], shown: Collection[Span] = ()
) -> tuple[dict[str, list[Mark]], list[Note]]:
    """(the places to show of a finding, by file, its own first; the notes that no place shows). Those of `shown` are not shown again."""
    marks = [Mark(finding.at, "^", finding.severity)]
    plain: list[Note] = []
    seen = set(shown)
    for note in finding.notes:
        if note.at is not None and is_default(note.at, result):
            plain.append(Note(note.text))  # it says itself that no file does
        elif note.at is None or note.at in seen or not can_show(note.at, result.sources):
            plain.append(note)
        else:
            marks.append(Mark(note.at, "-" if note.at != finding.at else "^", "note", said(note.text)))
            seen.add(note.at)
    files: dict[str, list[Mark]] = {}
    for mark in marks:
        files.setdefault(mark.at.path, []).append(mark)
    return files, plain


def is_default(at: Span, result: HostResult) -> bool:
    """Whether a place is not in a file of the host, but in the list of what the kernel has where no file says anything."""
    kernel = defaults()
    return at.path == kernel.path and result.sources.get(at.path) == kernel


def remarks(
    group: Sequence[Finding], notes: Iterable[Note], result: HostResult, said: Callable[[str], str], more: Iterable[Remark] = ()
) -> Iterator[Remark]:
    """How findings told together fail, how likely and how sure they are, their notes, `more` that is known, and what to do."""
    finding = group[0]
    if finding.predicts is not None:
        yield "will fail", f"{finding.predicts} ({ERRORS[finding.predicts]})", "bad"
    if finding.likelihood is not None:
        yield "likelihood", how_likely(finding), "strong"
    if finding.confidence != "certain":
        yield "confidence", finding.confidence, "strong"
    for note in notes:
        text = said(note.text)
        yield "note", text if note.at is None else f"{text} ({note.at})", "note"
    yield from more
    refused = why_not(finding, result) if finding.change is not None else ""
    if refused and finding.manual is None:
        # What `fix` will not plan is no offer: it is a person's step.
        yield "by hand", said(_fix(group)), "good"
        yield "not fixed automatically", refused, "strong"
    elif finding.change is not None and not refused:
        how = f"({SAFETY[finding.change.safety]}; {DISRUPTION[finding.change.disruption]})"
        if needs(finding) == ALLOW_REVIEW:
            how = f"{how[:-1]}; needs {ALLOW_REVIEW})"
        # Whether a patch does it is said by its proof, which is `fix`'s work: a report of a repository does not promise it.
        yield "patch" if result.repository else "fix", f"{said(_fix(group))} {how}", "good"
    if finding.manual is not None:
        yield "by hand", said(_for_all([each.manual.step for each in group if each.manual])), "good"
        yield "not fixed automatically", said(finding.manual.reason), "strong"


def apart(group: Sequence[Finding]) -> tuple[list[tuple[str, ...]], list[int]]:
    """(place, unit, port, rival and other notes of each of these findings, which of the five tell them apart)."""
    table = [tuple(map(safe, (place(each.at), _who(each), _where(each), _rival(each), _noted(each, group[0])))) for each in group]
    return table, [index for index in range(5) if len({row[index] for row in table}) > 1] or [0]


def _fix(group: Sequence[Finding]) -> str:
    """What mends all of a group: one change that does it all, else that of the first and that the others' are its like."""
    changes = [finding.change for finding in group if finding.change is not None]
    texts = [finding.summary or finding.change.in_words() for finding in group if finding.change is not None]
    whole = changes[0].together(changes[1:]) if len(changes) > 1 and texts == [change.in_words() for change in changes] else None
    return _for_all(texts) if whole is None else whole.in_words()


def _for_all(texts: Sequence[str]) -> str:
    """The first of several texts that differ in names only."""
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]}; the other{'s' if len(texts) > 2 else ''} in the same way"


def _who(finding: Finding) -> str:
    """The unit of a finding, with its daemon where the unit's name does not tell it."""
    unit, app = finding.subject.unit, finding.subject.app
    told = unit is None or app is None or app in unit or unit.endswith(".socket")
    return unit or app or "" if told else f"{unit} ({app})"


def _where(finding: Finding) -> str:
    """What of the host a finding is about: `tcp 127.0.0.1:8080`, or the name of a kernel setting."""
    subject = finding.subject
    if subject.port is None:
        return subject.sysctl or subject.address or ""
    return f"{subject.protocol or ''} {bound(subject)}".lstrip()


def _rival(finding: Finding) -> str:
    others = against(finding)
    return f"against {', '.join(others)}" if others else ""


def _noted(finding: Finding, first: Finding) -> str:
    """The places of a finding's notes that are not those of the first one's."""
    spots = [each.at for each, other in zip(finding.notes, first.notes, strict=True) if each.at is not None and each.at != other.at]
    said = (f"{at.line}:{at.column}" if at.path == finding.at.path else str(at) for at in dict.fromkeys(spots))
    return f"see {', '.join(said)}" if spots else ""
