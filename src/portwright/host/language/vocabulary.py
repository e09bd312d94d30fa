"""The words a rule may use: the fields of a fact and the named values of facts and hosts, each with the type of what it holds."""

from collections.abc import Callable
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from portwright._start.records import fields
from portwright.changes.edits import Edits
from portwright.facts import kinds
from portwright.host.join.conflict import Claim, Turn
from portwright.host.terms.registry import OF_FACTS, OF_HOST, Derived, Kind, Term, Type
from portwright.ports import PortSet
from portwright.registry import member, members
from portwright.source import Span

# Each registers its terms when it is imported.
for _module in members("portwright.host.terms"):
    member("portwright.host.terms", _module)

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
    Edits: "edits",
}


@cache
def host_names() -> dict[str, Term]:
    """Every value of a host, by name."""
    return {name: _declared(name, work_out, of_host=True) for name, work_out in sorted(OF_HOST.items())}


@cache
def names(kind: Kind) -> dict[str, Term]:
    """Every word that may stand in a condition on this kind of fact: its fields, its named values, and those of its host."""
    found = dict(host_names())
    found.update({name: _declared(name, work_out) for (of, name), work_out in OF_FACTS.items() if of == kind})
    fact = kinds()[kind].fact
    hints = get_type_hints(fact)
    for name in (field.name for field in fields(fact)):
        kept = _type(hints[name])
        if kept:
            found[name] = Term(name, kept[0], f"the field {name} of a {kind}", kept[1], field=name)
    for name, attribute in vars(fact).items():
        getter = attribute.fget if isinstance(attribute, property) else attribute.func if isinstance(attribute, cached_property) else None
        if getter and not name.startswith("_"):
            kept = _type(get_type_hints(getter)["return"])
            if kept:
                found[name] = Term(name, kept[0], _meaning(getter), kept[1], field=name)
    return dict(sorted(found.items()))


def worked_out(kind: Kind | None, name: str) -> Callable[..., Derived[Any]]:
    """The function that works out a named value of a kind of fact, or of the host (None)."""
    return OF_HOST[name] if kind is None else OF_FACTS[kind, name]


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
