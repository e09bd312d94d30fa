"""A rule in words, for `portwright explain`, and all of them in a table."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import fill, indent

from portwright.changes import Change
from portwright.rules.grammar import change_kinds
from portwright.rules.rule import Given, Rule, Template, Wish
from portwright.values import MISSING, dataclass, fields

_WIDTH = 88

_WHAT_IT_DOES = {
    "reserve-ports": "adds the ports to net.ipv4.ip_local_reserved_ports, merged with what is reserved; enough ports must remain",
    "set-sysctl": "sets the kernel setting at boot and now",
    "grant-capability": "adds a drop-in that gives the unit the capability",
    "limit-capabilities": "adds a drop-in that leaves the unit only the capabilities it needs",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the catalogue. `fix` is a kind of change, "by hand", or empty."""

    id: str
    family: str
    severity: str
    title: str
    fix: str
    safety: str
    path: str


def catalogue(rules: Iterable[Rule]) -> tuple[Row, ...]:
    """Every rule in one line, by family and id."""
    rows = (
        Row(
            r.id,
            r.family,
            r.card.severity,
            r.card.title,
            _kind(r.wish) if r.wish else "by hand" if r.advice else "",
            _safety(r.wish),
            r.path,
        )
        for r in rules
    )
    return tuple(sorted(rows, key=lambda row: (row.family, row.id)))


def explain(rule: Rule, cases: Path | None = None) -> str:
    """What a rule means, why it matters, a bad and a good example, its fix and how safe that is; and its tested cases, if given."""
    card = rule.card
    parts = [
        f"{card.id}  ({card.family}, severity {card.severity})",
        fill(card.title, _WIDTH),
        "Why\n" + indent(fill(card.why, _WIDTH - 2), "  "),
    ]
    if rule.bad:
        parts.append("Bad\n" + _files(rule.bad))
    if rule.good:
        parts.append("Good\n" + _files(rule.good))
    parts.append("Fix\n" + indent(_fix(rule), "  "))
    if rule.confidence != "certain":
        parts.append(f"Confidence\n  at most {rule.confidence}")
    tested = _cases(rule, cases)
    if tested:
        parts.append("Tested\n" + indent(tested, "  "))
    parts.append(
        "To accept it, in a repository, on the line or the one above\n" + indent(f"# portwright: allow {card.id}: the reason", "  ")
    )
    parts.append("See\n" + indent("\n".join(card.references), "  "))
    return "\n\n".join(parts) + "\n"


def _files(files: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"  {name}\n{indent(text.rstrip(), '    ', lambda line: True)}" for name, text in files)


def _fix(rule: Rule) -> str:
    said: list[str] = []
    if rule.wish is not None:
        kind, safety, disruption = _kind(rule.wish), _safety(rule.wish), _default(rule.wish, "disruption")
        effect = {"none": "nothing has to be restarted"}.get(disruption, f"takes a {disruption} of the service")
        care = "safe to apply" if safety == "safe" else "to be reviewed by somebody who knows the service"
        said.append(fill(f"automatic ({kind}): {_WHAT_IT_DOES.get(kind, kind)}; {effect}; {care}", _WIDTH - 2))
    if rule.advice is not None:
        where = "by hand" if rule.wish is None else "by hand, where the automatic fix would not help"
        said.append(fill(f"{where}: {_outline(rule.advice.reason)}; {_outline(rule.advice.step)}", _WIDTH - 2))
    return "\n".join(said) or "none: it is for a person to judge"


def _outline(template: Template) -> str:
    return "".join(part if isinstance(part, str) else f"<{part.name.name}>" for part in template)


def _kind(wish: Wish) -> str:
    return next(name for name, change in change_kinds().items() if change is wish.change)


def _safety(wish: Wish | None) -> str:
    return "" if wish is None else _default(wish, "safety")


def _default(wish: Wish, name: str) -> str:
    for given, operand in wish.operands:
        if given == name and isinstance(operand, Given):
            return str(operand.value)
    change: type[Change] = wish.change
    return next((str(field.default) for field in fields(change) if field.name == name and field.default is not MISSING), "")


def _cases(rule: Rule, cases: Path | None) -> str:
    if cases is None:
        return ""
    lines = []
    for verdict in ("flags", "accepts"):
        folder = cases / rule.id / verdict
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        lines += [f"{verdict:7}  {name.replace('-', ' ')}" for name in names]
    return "\n".join(lines)
