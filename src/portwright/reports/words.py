"""The words that reports share: counts, what an error means, what a change does."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from portwright.changes import Disruption, Safety
from portwright.coverage import Coverage, NotUnderstood
from portwright.facts import BindError, Listener, Subject
from portwright.finding import Allowed, Compared, Finding, HostResult
from portwright.numbers import is_digits
from portwright.reports.escape import safe
from portwright.source import Span

_MOST_LISTED = 5
ERRORS: dict[BindError, str] = {
    "EACCES": "permission denied",
    "EADDRINUSE": "address already in use",
    "EADDRNOTAVAIL": "cannot assign requested address",
    "EINVAL": "invalid argument",
}
SAFETY: dict[Safety, str] = {"safe": "safe", "review": "review first"}
DISRUPTION: dict[Disruption, str] = {
    "none": "nothing is restarted",
    "reload": "reloads the service",
    "restart": "restarts the service",
    "reboot": "needs a reboot",
}


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 finding`, `2 findings`, `2 addresses`."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"


def first_few(names: Sequence[str], most: int = _MOST_LISTED) -> str:
    """The first of some names, safe to show, and how many more there are."""
    shown = ", ".join(map(safe, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def service(listener: Listener) -> str:
    """Who listens, safe to show: the unit, with whom it hands the socket to, or the daemon where the unit's name does not tell it."""
    if listener.unit is None:
        return safe(listener.app)
    if listener.activates is not None:
        return f"{safe(listener.unit)} for {safe(listener.activates)}"
    return safe(listener.unit) if listener.app in listener.unit else f"{safe(listener.unit)} ({safe(listener.app)})"


def spanning(subject: Subject) -> str:
    """The ports of a subject, from the lowest to the highest."""
    return f"{subject.port}" if subject.port == subject.end_port else f"{subject.port}-{subject.end_port}"


def bound(subject: Subject) -> str:
    """Address and ports of a subject, as messages write them: `[::1]:8080`."""
    address = subject.address or "*"
    return f"{f'[{address}]' if ':' in address else address}:{spanning(subject)}"


def how_likely(finding: Finding) -> str:
    """The likelihood of a finding and its reason; empty where it does not apply."""
    if finding.likelihood is None:
        return ""
    return f"{finding.likelihood}: {finding.likelihood_because}" if finding.likelihood_because else finding.likelihood


def what_to_do(finding: Finding) -> str:
    """The fix of a finding or its manual step, as one line of what came from the host; empty where it has neither."""
    if finding.change is not None:
        what = finding.summary or finding.change.in_words()
        return f"fix: {what} ({SAFETY[finding.change.safety]}; {DISRUPTION[finding.change.disruption]})"
    return "" if finding.manual is None else f"by hand: {finding.manual.step}"


def described(finding: Finding, whose: str = "") -> list[str]:
    """All that a report without excerpts says of a finding, in lines: what, how it fails, how likely, how sure, its notes, what to do."""
    notes = (f"note: {note.text}" if note.at is None else f"note: {note.text} ({note.at})" for note in finding.notes)
    return [f"{whose}{finding.message}", *judged(finding), *notes, what_to_do(finding)]


def judged(finding: Finding) -> list[str]:
    """How what is found fails, how likely that is, and how sure the finding: a line each, as far as there is something to say."""
    said: list[str] = []
    if finding.predicts is not None:
        said.append(f"will fail: {finding.predicts} ({ERRORS[finding.predicts]})")
    if finding.likelihood is not None:
        said.append(f"likelihood: {how_likely(finding)}")
    if finding.confidence != "certain":
        said.append(f"confidence: {finding.confidence}")
    return said


def accepted_by(results: Sequence[HostResult]) -> str:
    """How many findings are accepted, and by what: `2 allowed by comments, 1 by portwright.toml`; "" for none."""
    every = [each for result in results for each in result.allowed]
    comments = sum(1 for each in every if not each.by)
    others = Counter(_file_of(each.by) for each in every if each.by)
    parts = [f"{comments} by comments"] if comments else []
    parts += [f"{number} by {safe(name)}" for name, number in sorted(others.items())]
    return f"{' and '.join(parts)}".replace(" by ", " allowed by ", 1)


def _file_of(place: str) -> str:
    """The file that a line is in: a configuration, an allow file."""
    file, _, line = place.rpartition(":")
    return file if is_digits(line) else place


def obeyed(results: Iterable[HostResult]) -> str:
    """Which configuration was obeyed: `settings of portwright.toml`; "" for none."""
    return next((f"settings of {safe(result.config)}" for result in results if result.config), "")


def accepted_in_words(allowed: Allowed) -> str:
    """What accepts a finding, and why."""
    return f"{allowed.rule}: {allowed.reason} ({allowed.by})" if allowed.by else f"{allowed.rule}: {allowed.reason}"


def no_verdict(result: HostResult) -> str:
    """Why a host without findings is not thereby a sound one; empty where the verdict stands on something."""
    if not result.files_read:
        return "result: inconclusive (nothing was read)"
    return "" if result.rules_checked else "result: inconclusive (no rule was run)"


def compared_with(base: str, each: Sequence[Compared]) -> Iterator[str]:
    """What some verdicts were compared with, and what came of it."""
    old, left, expired = (sum(values) for values in zip(*((one.not_counted, one.unmatched, one.expired) for one in each), strict=True))
    yield f"compared with {safe(base)}, {counted(old, 'finding')} of which {'is' if old == 1 else 'are'} not counted"
    if left:
        yield f"{counted(left, 'entry', 'entries')} of {safe(base)} {'matches' if left == 1 else 'match'} nothing any more"
    if expired:
        yield f"{counted(expired, 'entry', 'entries')} of {safe(base)} {'has' if expired == 1 else 'have'} expired"


def uncovered(results: Iterable[HostResult]) -> str:
    """What some results do not cover, in numbers: `2 programs not understood, 1 file not read`; empty where they cover all."""
    coverages = [result.coverage for result in results]
    parts = (
        (sum(len(each.not_understood) for each in coverages), "program", "not understood"),
        (sum(len(each.left_out) for each in coverages), "file", "left out"),
        (sum(len(each.not_read) for each in coverages), "file", "not read"),
    )
    return ", ".join(f"{counted(number, noun)} {what}" for number, noun, what in parts if number)


def told_uncovered(coverage: Coverage) -> Iterator[tuple[str, Span]]:
    """Each thing that is not covered in one line, and its place."""
    for each in coverage.not_understood:
        yield f"not understood: {who_starts(each)}: {each.reason}", each.at
    for left in coverage.left_out:
        yield f"left out: {left.reason}", Span.whole(left.path)
    for unread in coverage.not_read:
        yield f"not read ({unread.kind}): {unread.reason}", Span.whole(unread.path)


def lists_uncovered(coverage: Coverage, verbose: bool) -> Iterator[tuple[str, list[tuple[Span, str]], int]]:
    """What is not covered as lists of (place, words) under a title, and how many more there are; what was left out only if `verbose`."""
    parts = (
        ("not understood", [(each.at, f"{who_starts(each)}: {each.reason}") for each in coverage.not_understood]),
        ("left out", [(Span.whole(each.path), each.reason) for each in coverage.left_out if verbose]),
        ("not read", [(Span.whole(each.path), f"{each.kind}: {each.reason}") for each in coverage.not_read]),
    )
    for title, listed in parts:
        if listed:
            shown = listed if verbose else listed[:_MOST_LISTED]
            yield title, shown, len(listed) - len(shown)


def who_starts(each: NotUnderstood) -> str:
    """A program that was not understood, with the unit that starts it."""
    return each.program if each.unit is None else f"{each.unit} starts {each.program}"


def cut_off(text: str, most: int) -> str:
    """The text, or its first `most` characters and how many are left out."""
    return text if len(text) <= most else f"{text[:most]}... ({counted(len(text) - most, 'more character')})"
