"""Run rules on their cases: the examples in the rule itself, and the small hosts and repositories in the text beside it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from portwright._start.records import dataclass, field
from portwright.audit.case_file import Case, CaseFile, parse
from portwright.audit.check import Selection, verdict_on
from portwright.audit.inputs import Input
from portwright.finding import HostResult
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.reports.cases import findings_text
from portwright.repositories.reading import read_repository
from portwright.rules import Rule, evaluate
from portwright.rules.grammar import nearest
from portwright.source import ParseError, Span, Unreadable
from portwright.trees import ReadError
from portwright.trees.directory import DirectoryTree
from portwright.trees.memory import MemoryTree
from portwright.trees.repository import RepositoryInMemory

Expectation = Literal["bad", "good", "flags", "accepts"]

SUFFIX = ".txt"

_MOST_CASES = 20_000
_MOST_NAMES = 200_000
_MOST_NAMED = 50

_FOLDERS = "cases are read from one text, {rule}.txt, not from folders: {how}"
_HOW = (
    "write each as `flags: NAME` or `accepts: NAME`, its files as /PATH (root/) or ./PATH (repo/) with their lines indented by "
    "four spaces, and let --accept write the report (docs/rule-format.md, Testing)"
)

# What a host has that an example need not say: the loopback interface, and nothing else that is known.
_ADDRESSES = {"/.portwright/addresses": "1: lo    inet 127.0.0.1/8 scope host lo\n"}


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    `name` is the situation, empty for an example; `path` is the case file, or the rule's, and `line` where the case begins there.
    `result` is what the rule found, `report` the same as it stands in a case file, and `expected` what is kept there, None where
    nothing is. `files` are those of the case. `problem` is empty where all is as it should be.
    """

    rule: Rule
    case: Expectation
    name: str
    path: str
    result: HostResult
    report: str
    line: int = 1
    expected: str | None = None
    files: Mapping[str, bytes | str] = field(default_factory=dict)
    problem: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the report may be kept in place of the one that is expected."""
        return self.case == "flags" and bool(self.report) and self.expected != self.report


@dataclass(frozen=True)
class Tested:
    """What became of all cases of a folder's rules; `stray` is what tests nothing: a mistake in a case file, cases of no rule."""

    rules: tuple[Rule, ...]
    outcomes: tuple[Outcome, ...]
    stray: tuple[Unreadable, ...]
    case_files: tuple[CaseFile, ...] = ()

    @property
    def untested(self) -> tuple[Rule, ...]:
        """The rules that have neither an example nor a case."""
        tested = {outcome.rule.id for outcome in self.outcomes}
        return tuple(rule for rule in self.rules if rule.id not in tested)

    def accepted(self) -> dict[str, str]:
        """The case files, by path, that are another text once each flagged case expects what is reported now."""
        new: dict[str, dict[str, str]] = {}
        for outcome in self.outcomes:
            if outcome.is_new:
                new.setdefault(outcome.path, {})[outcome.name] = outcome.report
        return {file.path: file.with_reports(new[file.path]) for file in self.case_files if file.path in new}


def run(rules: Iterable[Rule], folder: Path, selected: Iterable[Rule] | None = None) -> Tested:
    """Each rule run on its examples and on the cases in a folder: ID.txt or FAMILY/ID.txt.

    Only the `selected` rules are run; cases of the others are no strays.
    """
    every = tuple(rules)
    wanted = every if selected is None else tuple(selected)
    outcomes: dict[str, list[Outcome]] = {rule.id: list(examples(rule)) for rule in wanted}
    stray: list[Unreadable] = []
    files: list[CaseFile] = []
    known = {rule.id: rule for rule in every}
    left = _MOST_CASES
    with DirectoryTree(str(folder)) as tree:
        try:
            for at, name in _Walk(tree).case_files():
                rule = known.get(name)
                place = f"{folder}{at}"
                if not at.endswith(SUFFIX):
                    stray.append(Unreadable(Span.whole(place), _FOLDERS.format(rule=name, how=_HOW)))
                elif rule is None:
                    if _begins_with_a_case(tree, at):
                        ids = sorted(known)
                        said = f"no rule has these cases: there is no {name}.yaml; {nearest(name, ids) if ids else 'nor any other'}"
                        stray.append(Unreadable(Span.whole(place), said))
                elif rule.id in outcomes:
                    try:
                        file = _case_file(tree, at, place)
                    except (ParseError, ReadError) as error:
                        stray.append(Unreadable(error.at if isinstance(error, ParseError) else Span.whole(place), error.reason))
                        continue
                    files.append(file)
                    left -= len(file.cases)
                    if left < 0:
                        stray.append(Unreadable(Span.whole(place), f"more than {_MOST_CASES} cases; these and the others are left out"))
                        break
                    for case, lines in zip(file.cases, file.places, strict=True):
                        outcomes[rule.id].append(_outcome(rule, case, place, lines.first + 1))
        except (ReadError, OSError) as error:
            at, reason = (error.path, error.reason) if isinstance(error, ReadError) else ("", str(error))
            stray.append(Unreadable(Span.whole(f"{folder}{at}".rstrip("/")), reason))
    return Tested(wanted, tuple(outcome for each in outcomes.values() for outcome in each), tuple(dict.fromkeys(stray)), tuple(files))


def examples(rule: Rule) -> Iterator[Outcome]:
    """The bad example, which the rule must flag, and the good one, which it must accept.

    An example is read as a repository, where all that lies there counts as deployed. What a rule sees only on a host (its running
    kernel, its addresses) is shown by an example that is read as one, with its units enabled and no address but loopback.
    """
    as_host = False
    if rule.bad:
        result = example(rule, rule.bad, as_host=False)
        if not result.findings:
            result = example(rule, rule.bad, as_host=True)
            as_host = bool(result.findings)
        problem = "" if result.findings else _unseen("the bad example is not flagged", result)
        yield Outcome(rule, "bad", "", rule.path, result, findings_text(result.findings), problem=problem)
    if rule.good:
        results = [example(rule, rule.good, as_host=each) for each in ((True,) if as_host else (False, True))]
        result = next((result for result in results if result.findings), results[0])
        problem = "the good example is flagged" if result.findings else ""
        yield Outcome(rule, "good", "", rule.path, result, findings_text(result.findings), problem=problem)


def beside(rule: Rule) -> dict[str, tuple[str, ...]]:
    """The names of the cases that stand beside a rule, those it flags and those it accepts; shipped rules have theirs in the checkout."""
    folder = Path(rule.path).parent
    at = f"/{rule.id}{SUFFIX}"
    cases: tuple[Case, ...] = ()
    with DirectoryTree(str(folder)) as tree:
        try:
            if tree.kind(at) == "file":
                cases = _case_file(tree, at, f"{folder}{at}").cases
        except (ParseError, ReadError, OSError):
            cases = ()  # `rules --test` says what is wrong with it
    return {kind: tuple(case.name for case in cases if case.kind == kind)[:_MOST_NAMED] for kind in ("flags", "accepts")}


def example(rule: Rule, files: Iterable[tuple[str, str]], *, as_host: bool) -> HostResult:
    """What a rule finds in the files of an example, laid out as a repository or as a host."""
    laid = dict(files)
    read: tuple[Host, ...]
    if as_host:
        for path, text in tuple(laid.items()):
            for line in text.splitlines():
                if line.startswith("WantedBy="):
                    for target in line.removeprefix("WantedBy=").split():
                        laid[f"/etc/systemd/system/{target}.wants/{path.rpartition('/')[2]}"] = f"-> {path}"
        read = (read_host(MemoryTree({**_ADDRESSES, **laid}), "example"),)
    else:
        read = read_repository(MemoryTree(laid), "example")
    said = [evaluate(host, [rule]) for host in read]
    return HostResult(
        host="example",
        files_read=max((host.files_read for host in read), default=0),
        rules_checked=1,
        findings=tuple(dict.fromkeys(finding for findings, _ in said for finding in findings)),
        unreadable=tuple(dict.fromkeys((*(u for host in read for u in host.unreadable), *(u for _, stopped in said for u in stopped)))),
        sources={path: source for host in read for path, source in host.sources.items()},
        repository=not as_host,
    )


class _Walk:
    """What may be case files in a folder and the folders in it, by name; there is an end to how many names it looks at."""

    def __init__(self, tree: DirectoryTree) -> None:
        self._tree = tree
        self._left = _MOST_NAMES

    def case_files(self) -> Iterator[tuple[str, str]]:
        """(path, id of the rule) of every text, and of every folder that holds cases as they were once written."""
        for top in self._entries(""):
            yield from self._one(top)
            if self._tree.kind(top) == "directory" and not self._holds_cases(top):
                for inner in self._entries(top):
                    yield from self._one(inner)

    def _one(self, path: str) -> Iterator[tuple[str, str]]:
        name = path.rpartition("/")[2]
        if self._tree.kind(path) == "directory":
            if self._holds_cases(path):
                yield path, name
        elif name.endswith(SUFFIX):
            yield path, name.removesuffix(SUFFIX)

    def _entries(self, folder: str) -> list[str]:
        names = [f"{folder}/{name}" for name in self._tree.names(folder or "/") if not name.startswith(".")]
        self._left -= 1 + len(names)
        if self._left < 0:
            raise ReadError(folder, f"more than {_MOST_NAMES} names in a folder of cases and those in it")
        return names

    def _holds_cases(self, folder: str) -> bool:
        return any(self._tree.kind(f"{folder}/{kind}") == "directory" for kind in ("flags", "accepts"))


def _case_file(tree: DirectoryTree, at: str, path: str) -> CaseFile:
    parts = at.split("/")
    # What is read here may be written anew by --accept, and must be this very file.
    if any(tree.link("/".join(parts[: end + 1])) is not None for end in range(1, len(parts))):
        raise ReadError(at, "a link: a case file lies where it is named")
    if tree.kind(at) != "file":
        raise ReadError(at, "a case file is a file")
    return parse(tree.read(at) or b"", path)


def _begins_with_a_case(tree: DirectoryTree, at: str) -> bool:
    """Whether a text that belongs to no rule was meant for one, as a README is not."""
    if tree.kind(at) != "file":
        return False
    lines = (tree.head(at) or b"").split(b"\n")
    first = next((line for line in lines if line.strip() and not line.startswith(b"#")), b"")
    return first.startswith((b"flags:", b"accepts:"))


def _outcome(rule: Rule, case: Case, path: str, line: int) -> Outcome:
    laid = {file: content if isinstance(content, bytes) else f"-> {content}" for file, content in case.files.items()}
    given = Input("repository" if case.repository else "host", case.name, case.name, path)
    if case.repository:
        hosts = read_repository(RepositoryInMemory(laid), case.name)
    else:
        hosts = (read_host(MemoryTree(laid), case.name, case.name),)
    result = verdict_on(hosts, given, (rule,), Selection(), frozenset((rule.id,)))
    report = findings_text(result.findings)
    problem = ""
    if case.kind == "flags" and not result.findings:
        problem = _unseen("nothing is flagged", result)
    elif case.kind == "flags" and case.report is not None and case.report != report:
        problem = "the report is not the one that is kept"
    elif case.kind == "accepts" and result.findings:
        problem = "it is flagged"
    return Outcome(rule, case.kind, case.name, path, result, report, line, case.report, case.files, problem)


def _unseen(problem: str, result: HostResult) -> str:
    """A problem, and what could not be read, which may be why."""
    troubles = [f"{trouble.at}: {trouble.reason}" for trouble in result.unreadable[:4]]
    return "; ".join((problem, *(f"could not be read: {trouble}" for trouble in troubles)))
