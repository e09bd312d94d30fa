"""Rules become the source of a module that makes the very same rules: what a wheel carries, so that a run reads and judges no YAML.

The module's `rules(folder)` is nothing but the constructors of `rule` with everything resolved: words and comparisons are looked up by
name, once each.
"""

from collections.abc import Iterable

from portwright._start.compiled import Writer
from portwright.facts import kinds
from portwright.host.language.predicates import Predicate
from portwright.host.language.vocabulary import worked_out
from portwright.host.terms.registry import Term
from portwright.rules.rule import Rule

_HEAD = '''"""Made of rules/ by the build (portwright.rules.compiling)."""

{changes}from portwright.finding import RuleMeta
from portwright.host.language.predicates import predicate_of
from portwright.host.language.vocabulary import worked_out
from portwright.host.terms.registry import Term
from portwright.ports import PortSet
from portwright.rules.rule import ManualStep, Condition, Given, Join, OfFact, OfHost, OfSysctl, NoteTemplate, Rule, Slot
from portwright.rules.rule import ChangeTemplate, Together
from portwright.source import Span


def rules(folder):
'''


def source(rules: Iterable[Rule], folder: str) -> str:
    """The module for the rules of a folder."""
    written = _Writer(folder)
    made = [written.rule(rule) for rule in rules]
    changes = "".join(f"from {each.__module__} import {each.__name__}\n" for each in sorted(written.changes, key=str))
    return _HEAD.replace("{changes}", changes) + "".join(f"    {line}\n" for line in (*written.shared.values(), "return (", *made, ")"))


class _Writer(Writer):
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = ""
        self._variables: dict[Term | Predicate, str] = {}
        self.shared: dict[str, str] = {}
        self.changes: set[type] = set()

    def rule(self, rule: Rule) -> str:
        self._path = rule.path
        return f"{self.code(rule)},"

    def own(self, value: object) -> str | None:
        if isinstance(value, str) and value == self._path:
            return f"folder + {value.removeprefix(self._folder)!r}"
        if isinstance(value, type):
            self.changes.add(value)
        return self._shared(value) if isinstance(value, Term | Predicate) else None

    def _shared(self, value: Term | Predicate) -> str:
        if value not in self._variables:
            variable = self._variables[value] = f"v{len(self._variables)}"
            made = self._name(value) if isinstance(value, Term) else f"predicate_of({value.name!r}, {value.left!r})"
            self.shared[variable] = f"{variable} = {made}"
        return self._variables[value]

    def _name(self, name: Term) -> str:
        kept = f"{name.name!r}, {name.type!r}, {name.meaning!r}, {name.choices!r}"
        if name.compute is None:
            return f"Term({kept}, {name.field!r})"
        of = None if name.of_host else next(kind for kind in kinds() if _works_out(name, kind))
        return f"Term({kept}, None, worked_out({of!r}, {name.name!r}), {name.of_host})"


def _works_out(name: Term, kind: str) -> bool:
    try:
        return worked_out(kind, name.name) is name.compute
    except KeyError:
        return False
