"""The words a rule may use: the fields of a fact and the named values of facts and hosts, each with the type of what it holds."""

from collections.abc import Callable
from functools import cache, wraps
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from portwright._start.records import dataclass, fields
from portwright.facts import Assignment, Call, Confidence, FileLimit, Listener, Outbound, Sysctl, Unit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.join.conflict import Claim, Turn
from portwright.ports import PortSet
from portwright.source import Span

T = TypeVar("T")
Kind = Literal["listener", "sysctl", "assignment", "unit", "outbound", "file-limit", "call"]
Type = Literal["text", "flag", "number", "ports", "words", "claim", "turn", "place"]

KINDS: dict[Kind, type[Listener] | type[Sysctl] | type[Assignment] | type[Unit] | type[Outbound] | type[FileLimit] | type[Call]] = {
    "listener": Listener,
    "sysctl": Sysctl,
    "assignment": Assignment,
    "unit": Unit,
    "outbound": Outbound,
    "file-limit": FileLimit,
    "call": Call,
}

_TYPES: dict[object, Type] = {
    str: "text",
    bool: "flag",
    int: "number",
    float: "number",
    PortSet: "ports",
    tuple[str, ...]: "words",
    frozenset[str]: "words",
    Claim: "claim",
    Turn: "turn",
    Span: "place",
}


@dataclass(frozen=True, slots=True)
class Derived(Generic[T]):
    """A value worked out for a rule, the lines it leaned on, and how sure it is; None is unknown.

    `because` says a likelihood's reason in words.
    """

    value: T
    evidence: tuple[Note, ...] = ()
    confidence: Confidence = "certain"
    because: str = ""


F = TypeVar("F", bound=Callable[..., Derived[Any]])


@dataclass(frozen=True, slots=True)
class Term:
    """One word: what it holds (`choices` where only some texts are possible) and where it comes from.

    `field` is the attribute of the fact it is read from. Where it is None, `compute` works the value out from the host and the
    fact, or from the host alone (`of_host`), so that one answer serves the whole host.
    """

    name: str
    type: Type
    meaning: str
    choices: tuple[str, ...] = ()
    field: str | None = None
    compute: Callable[..., Derived[Any]] | None = None
    of_host: bool = False


_HOST: dict[str, Callable[..., Derived[Any]]] = {}
_FACTS: dict[tuple[Kind, str], Callable[..., Derived[Any]]] = {}


def host_value(name: str) -> Callable[[Callable[[Host], Derived[T]]], Callable[[Host], Derived[T]]]:
    """Register a value of the whole host, worked out once; its type is the one its function declares, its meaning the docstring."""

    def register(work_out: Callable[[Host], Derived[T]]) -> Callable[[Host], Derived[T]]:
        _HOST[name] = answer = wraps(work_out)(lambda host: host.once(work_out))
        return answer

    return register


def fact_value(kind: Kind, name: str) -> Callable[[F], F]:
    """Register a value of one kind of fact; its type is the one its function declares, its meaning the docstring."""

    def register(work_out: F) -> F:
        _FACTS[kind, name] = work_out
        return work_out

    return register


@cache
def host_names() -> dict[str, Term]:
    """Every value of a host, by name."""
    _know_all()
    return {name: _declared(name, work_out, of_host=True) for name, work_out in sorted(_HOST.items())}


@cache
def names(kind: Kind) -> dict[str, Term]:
    """Every word that may stand in a condition on this kind of fact: its fields, its named values, and those of its host."""
    found = dict(host_names())
    found.update({name: _declared(name, work_out) for (of, name), work_out in _FACTS.items() if of == kind})
    fact = KINDS[kind]
    hints = get_type_hints(fact)
    for name in (field.name for field in fields(fact)):
        kept = _type(hints[name])
        if kept:
            found[name] = Term(name, kept[0], f"the field {name} of a {kind}", kept[1], field=name)
    for name, member in vars(fact).items():
        if isinstance(member, property) and member.fget:
            kept = _type(get_type_hints(member.fget)["return"])
            if kept:
                found[name] = Term(name, kept[0], _meaning(member.fget), kept[1], field=name)
    return dict(sorted(found.items()))


def worked_out(kind: Kind | None, name: str) -> Callable[..., Derived[Any]]:
    """The function that works out a named value of a kind of fact, or of the host (None)."""
    _know_all()
    return _HOST[name] if kind is None else _FACTS[kind, name]


def _know_all() -> None:
    # Registration is a decorator in these modules; importing them is all it takes, and they import this one.
    from portwright.host.terms import exhaustion, likelihood, named, nfs  # noqa: F401


def _declared(name: str, work_out: Callable[..., Derived[Any]], of_host: bool = False) -> Term:
    declared = get_args(get_type_hints(work_out)["return"])[0]
    found = _type(declared)
    if found is None:
        raise TypeError(f"no rule can compare a {declared}")
    return Term(name, found[0], _meaning(work_out), found[1], compute=work_out, of_host=of_host)


def _type(declared: object) -> tuple[Type, tuple[str, ...]] | None:
    """(type, the only texts possible) of an annotation, None for what no rule can look at."""
    if get_origin(declared) in (Union, UnionType):
        inner = [part for part in get_args(declared) if part is not NoneType]
        if len(inner) != 1:
            return None
        declared = inner[0]
    if get_origin(declared) is Literal:
        return "text", tuple(str(choice) for choice in get_args(declared))
    found = _TYPES.get(declared)
    return None if found is None else (found, ())


def _meaning(work_out: Callable[..., Any]) -> str:
    return " ".join((work_out.__doc__ or "").split("\n\n")[0].split())
