"""A finding: what is wrong, where, how sure, and what to do; complete when it is made."""

from collections.abc import Mapping
from typing import Literal

from portwright._start.records import dataclass, field
from portwright.changes import Change, Manual
from portwright.coverage import Coverage
from portwright.facts import BindError, Confidence, Likelihood, Subject, Sysctl
from portwright.source import Source, Span, Unreadable

Severity = Literal["high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "info")


@dataclass(frozen=True, slots=True)
class RuleMeta:
    """All that a report may know of a rule. `remapped` is the severity that a configuration gives it, None where it keeps its own."""

    id: str
    family: str
    title: str
    severity: Severity
    why: str
    references: tuple[str, ...] = ()
    remapped: Severity | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Another line that matters to a finding, in words; `at` is None where no line says it."""

    text: str
    at: Span | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong on one host. `likelihood_because` says in words why it will bite that often, empty where nothing is known."""

    card: RuleMeta
    message: str
    at: Span
    subject: Subject
    confidence: Confidence
    likelihood: Likelihood | None = None
    likelihood_because: str = ""
    notes: tuple[Note, ...] = ()
    predicts: BindError | None = None
    change: Change | None = None
    manual: Manual | None = None
    summary: str = ""

    @property
    def severity(self) -> Severity:
        """The rule's severity, or that of a configuration; lowered by one step where this will bite rarely (likelihood low)."""
        step = 1 if self.likelihood == "low" else 0
        return SEVERITIES[min(SEVERITIES.index(self.card.remapped or self.card.severity) + step, len(SEVERITIES) - 1)]

    @property
    def fingerprint(self) -> str:
        """The same for the same problem across unrelated edits: rule, file and subject count, line numbers and wording do not."""
        from hashlib import sha256

        s = self.subject
        parts = (self.card.id, self.at.path, s.unit, s.app, s.protocol, s.address, s.port, s.end_port, s.sysctl)
        return sha256("\0".join("" if p is None else str(p) for p in parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Replaced:
    """Lines of a repository's file, from `start` up to `end` (none where they are equal), and what a patch has there.

    `new`: there is no such file yet.
    """

    path: str
    start: int
    end: int
    text: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class Repair:
    """What a patch was seen to do for one finding: what it replaces, or the reason why it does nothing."""

    replaced: tuple[Replaced, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A finding that is accepted, with the reason its author gave: by a comment, or by the line of a configuration that is named."""

    rule: str
    at: Span
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a verdict was compared with, in words, and how many findings it has in common with that one, which are not counted.

    `foreseen`: the verdict is on what is not there yet. `unmatched`: entries of a baseline that nothing matches any more; `expired`: those
    that no longer count.
    """

    base: str
    not_counted: int
    foreseen: bool = False
    unmatched: int = 0
    expired: int = 0


@dataclass(frozen=True)
class HostResult:
    """What a check of one host or repository came to: all that a report of findings may know.

    `files_read` and `rules_checked` count what the verdict rests on; `sources` are the files that spans point into. `below` is where
    it lies, relative to the directory of the run ("" for that directory itself), None where it lies elsewhere.
    `is_file`: it is no repository but one file that its user named.
    `overridden` are the kernel settings of which some line says a value that is not in force.
    `coverage` is what the verdict says nothing of. `unread_init` says why nothing is known of what the host starts, "" where it is.
    `compared` says what the findings are new against, None where all of them are told.
    `config` is the configuration that was obeyed, as reports name it, "" for none.
    `unused` are comments that allow what is not found there, or that lie in a host, where none has an effect.
    `repairs` says of findings, by fingerprint, what a patch of the repository does for them, None where none was tried.
    """

    host: str
    files_read: int
    rules_checked: int
    findings: tuple[Finding, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    repository: bool = False
    is_file: bool = False
    checkout_prefix: str | None = None
    overridden: tuple[Sysctl, ...] = ()
    coverage: Coverage = Coverage()
    unread_init: str = ""
    compared: Compared | None = None
    repairs: Mapping[str, Repair] | None = None
    config: str = ""
    unused: tuple[Unreadable, ...] = ()

    def in_checkout(self, path: str) -> str | None:
        """A path of a span relative to the directory of the run, as reports beside a checkout's lines want it; None outside of it."""
        if self.checkout_prefix is None:
            return None
        return f"{self.checkout_prefix}/{path.lstrip('/')}" if self.checkout_prefix else path.lstrip("/")

    @property
    def paths(self) -> frozenset[str]:
        """Every file that a report of this result may name."""
        found = {note.at.path for finding in self.findings for note in finding.notes if note.at is not None}
        found |= {each.at.path for part in (self.findings, self.allowed, self.unreadable) for each in part}
        found |= {each.at.path for each in self.coverage.not_understood}
        return frozenset(found | {each.path for part in (self.coverage.left_out, self.coverage.not_read) for each in part})
