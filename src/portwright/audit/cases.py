"""Hold rules against their cases: the examples in the rule itself, and the small hosts and repositories kept beside it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from portwright._start.records import dataclass
from portwright.audit.check import Selection, verdict
from portwright.audit.inputs import Input
from portwright.finding import HostResult
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.reports.cases import findings_text
from portwright.repositories.staging import read_repository
from portwright.rules import Rule, evaluate
from portwright.rules.grammar import nearest
from portwright.source import Span, Unreadable
from portwright.trees import ReadError
from portwright.trees.directory import DirectoryTree
from portwright.trees.memory import MemoryTree

Expectation = Literal["bad", "good", "flags", "accepts"]

EXPECTED = "expected.txt"

_MOST_CASES = 20_000
_MOST_FOLDERS = 200_000
_MOST_NAMED = 50
_MOST_EXPECTED = 1 << 20

# What a host has that an example need not say: the loopback interface, and nothing else that is known.
_ADDRESSES = {"/.portwright/addresses": "1: lo    inet 127.0.0.1/8 scope host lo\n"}


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    `name` is the situation's folder, empty for an example; `path` is that folder, or the rule's file. `result` is what the rule found,
    `report` the same as expected.txt has it, and `expected` what is kept there, None where nothing is. `problem` is empty where all is
    as it should be.
    """

    rule: Rule
    case: Expectation
    name: str
    path: str
    result: HostResult
    report: str
    expected: str | None = None
    problem: str = ""

    @property
    def expected_path(self) -> str:
        """Where a new report may be kept; empty where none is."""
        return f"{self.path}/{EXPECTED}" if self.case == "flags" and self.report and self.expected != self.report else ""


@dataclass(frozen=True)
class Tested:
    """What became of all cases of a folder's rules; `stray` are case folders that test nothing."""

    rules: tuple[Rule, ...]
    outcomes: tuple[Outcome, ...]
    stray: tuple[Unreadable, ...]

    @property
    def untested(self) -> tuple[Rule, ...]:
        """The rules that have neither an example nor a case."""
        tested = {outcome.rule.id for outcome in self.outcomes}
        return tuple(rule for rule in self.rules if rule.id not in tested)


def run(rules: Iterable[Rule], folder: Path, selected: Iterable[Rule] | None = None) -> Tested:
    """Each rule held against its examples and against the cases in a folder: ID/ or FAMILY/ID/, {flags,accepts}/SITUATION/{root,repo}/.

    Only the `selected` rules are held; cases of the others are no strays.
    """
    every = tuple(rules)
    wanted = every if selected is None else tuple(selected)
    outcomes: dict[str, list[Outcome]] = {rule.id: list(examples(rule)) for rule in wanted}
    stray: list[Unreadable] = []
    known = {rule.id: rule for rule in every}
    with DirectoryTree(str(folder)) as tree:
        try:
            for number, (name, case, at) in enumerate(_Walk(tree).cases()):
                if number == _MOST_CASES:
                    stray.append(Unreadable(Span.whole(str(folder)), f"more than {_MOST_CASES} cases; the others are left out"))
                    break
                rule = known.get(name)
                if rule is None:
                    ids = sorted(known)
                    said = f"these are cases of no rule: there is no {name}.yaml; {nearest(name, ids) if ids else 'nor any other'}"
                    stray.append(Unreadable(Span.whole(f"{folder}{at.partition(f'/{name}/')[0]}/{name}"), said))
                elif rule.id in outcomes:
                    made = _held(tree, str(folder), rule, case, at)
                    outcomes[rule.id].append(made) if isinstance(made, Outcome) else stray.append(made)
        except (ReadError, OSError) as error:
            at, reason = (error.path, error.reason) if isinstance(error, ReadError) else ("", str(error))
            stray.append(Unreadable(Span.whole(f"{folder}{at}".rstrip("/")), reason))
    return Tested(wanted, tuple(outcome for each in outcomes.values() for outcome in each), tuple(dict.fromkeys(stray)))


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
    """The names of the cases that lie beside a rule, those it flags and those it accepts; shipped rules have theirs in the checkout."""
    folder = Path(rule.path).parent
    found: dict[str, tuple[str, ...]] = {"flags": (), "accepts": ()}
    with DirectoryTree(str(folder)) as tree:
        try:
            for case in found:
                at = f"/{rule.id}/{case}"
                names = (name for name in tree.names(at) if tree.kind(f"{at}/{name}") == "directory")
                found[case] = tuple(islice(names, _MOST_NAMED))
        except (ReadError, OSError):
            return found
    return found


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
    """The case folders below a folder, by name; there is an end to how many it looks into."""

    def __init__(self, tree: DirectoryTree) -> None:
        self._tree = tree
        self._left = _MOST_FOLDERS

    def cases(self) -> Iterator[tuple[str, Expectation, str]]:
        """(rule, flags or accepts, folder of the situation) of every case."""
        for top in self._folders(""):
            if self._is_of_a_rule(top):
                yield from self._situations(top)
            else:
                for inner in self._folders(top):
                    if self._is_of_a_rule(inner):
                        yield from self._situations(inner)

    def _situations(self, folder: str) -> Iterator[tuple[str, Expectation, str]]:
        cases: tuple[Expectation, ...] = ("flags", "accepts")
        for case in cases:
            for situation in self._folders(f"{folder}/{case}"):
                yield folder.rpartition("/")[2], case, situation

    def _folders(self, folder: str) -> list[str]:
        names = [f"{folder}/{name}" for name in self._tree.names(folder or "/") if not name.startswith(".")]
        self._left -= 1 + len(names)
        if self._left < 0:
            raise ReadError(folder, f"more than {_MOST_FOLDERS} names in a folder of cases and those in it")
        return [name for name in names if self._tree.kind(name) == "directory"]

    def _is_of_a_rule(self, folder: str) -> bool:
        return any(self._tree.kind(f"{folder}/{case}") == "directory" for case in ("flags", "accepts"))


def _held(tree: DirectoryTree, folder: str, rule: Rule, case: Expectation, at: str) -> Outcome | Unreadable:
    place = Span.whole(f"{folder}{at}")
    laid = [kind for kind in ("root", "repo") if tree.kind(f"{at}/{kind}") == "directory"]
    if len(laid) != 1:
        return Unreadable(place, "a case holds either root/, the files of a host, or repo/, those of a repository")
    whole = f"{at}/{laid[0]}"
    parts = whole.split("/")
    # Where a link leads is resolved inside the folder; a case that is opened on its own must not lead elsewhere.
    if any(tree.link("/".join(parts[: end + 1])) is not None for end in range(1, len(parts))):
        return Unreadable(place, "a link: a case holds its own files")
    name = at.rpartition("/")[2]
    given = Input("host" if laid[0] == "root" else "repository", name, name, f"{folder}{whole}")
    result = verdict(given, (rule,), Selection(), frozenset((rule.id,)))
    report = findings_text(result.findings)
    kept = tree.read(f"{at}/{EXPECTED}") if case == "flags" else None
    expected = None if kept is None else kept[:_MOST_EXPECTED].decode("utf-8", "backslashreplace")
    problem = ""
    if case == "flags" and not result.findings:
        problem = _unseen("nothing is flagged", result)
    elif case == "flags" and expected is not None and expected != report:
        problem = f"the report is not the one kept in {EXPECTED}"
    elif case == "accepts" and result.findings:
        problem = "it is flagged"
    return Outcome(rule, case, name, f"{folder}{at}", result, report, expected, problem)


def _unseen(problem: str, result: HostResult) -> str:
    """A problem, and what could not be read, which may be why."""
    troubles = [f"{trouble.at}: {trouble.reason}" for trouble in result.unreadable[:4]]
    return "; ".join((problem, *(f"could not be read: {trouble}" for trouble in troubles)))
