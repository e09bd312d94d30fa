"""Markdown for people who read about rules: a page for each, an index of them, and the tables of words they are made of."""

import re
from collections.abc import Iterable, Iterator, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes import kinds as change_kinds
from portwright.facts import kinds
from portwright.host.language.meanings import TYPES, VERBS, meaning
from portwright.host.language.predicates import predicates
from portwright.host.language.vocabulary import host_names, names
from portwright.host.terms.registry import Type
from portwright.reports.words import counted
from portwright.rules.explaining import Comparison, Explanation, Row
from portwright.rules.grammar import change_operands

_MAN_PAGE = lazy_regex(r"([\w.@:+-]+)\(([0-9][a-z]*)\)")
_CODE = lazy_regex(r"`[^`]+`")
_MENTION = lazy_regex(r"(?<!\w)@(?=\w)")  # of a person, who would be told
_SPECIAL = lazy_regex(r"[\\\[\]*~|`]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Shown:
    """A tested case as a page shows it: the report of one that is flagged, or what an accepted one has `unlike` a flagged one."""

    name: str
    text: str
    unlike: str = ""


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a rule: those that are shown, and the names of the others."""

    flagged: tuple[Shown, ...] = ()
    more_flagged: tuple[str, ...] = ()
    accepted: tuple[Shown, ...] = ()
    more_accepted: tuple[str, ...] = ()


def page(explanation: Explanation, report: str, cases: Cases | None = None, *, index: str = "") -> str:
    """The page of a rule. `report` is what is said of its bad example, `index` the address of the list of rules."""
    return "\n".join(_page(explanation, report, cases or Cases(), index)) + "\n"


def index(rows: Sequence[Row]) -> str:
    """All rules by family, each with a link to its page beside this one."""
    lines = ["# Rules", "", f"{counted(len(rows), 'rule')}. `portwright explain RULE` shows the same in a terminal."]
    family = ""
    for row in rows:
        if row.family != family:
            family = row.family
            lines += ["", f"## {family}", "", "| rule | severity | what is wrong | fix |", "|---|---|---|---|"]
        fix = f"{row.fix} ({row.safety})" if row.safety else row.fix or "none"
        lines.append(f"| [{row.id}]({row.id}.md) | {row.severity} | {prose(row.title)} | {fix} |")
    return "\n".join(lines) + "\n"


def words() -> str:
    """The tables of what a rule may be made of: kinds of fact and their words, values of the host, comparisons, changes."""
    return "\n".join(_words()) + "\n"


def prose(text: str) -> str:
    """Text as Markdown that shows it and does nothing else; what stands between backticks stays code."""
    parts: list[str] = []
    position = 0
    for found in _CODE.finditer(text):
        parts += [_plain(text[position : found.start()]), found.group()]
        position = found.end()
    return "".join((*parts, _plain(text[position:])))


def fenced(text: str, language: str = "text") -> list[str]:
    """Text in a fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *text.rstrip("\n").split("\n"), fence]


def _plain(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MENTION.sub("&#64;", _SPECIAL.sub(lambda found: f"\\{found.group()}", text))


# ── the page of a rule ──────────────────────────────────────────────────────────────────────────────────────────────


def _page(explanation: Explanation, report: str, cases: Cases, index: str) -> Iterator[str]:
    rule = explanation.rule
    family = f"[{rule.family}]({index}#{rule.family})" if index else rule.family
    yield from (f"# {rule.id}", "", f"{_sentence(rule.card.title)}", "", f"Severity **{rule.card.severity}**, family {family}.")
    yield from ("", "## Why it matters", "", prose(rule.card.why))
    yield from ("", "## What it looks at", "")
    yield f"Each {explanation.each} ({prose(kinds()[explanation.each].says)}) for which all of this holds:"
    yield from _comparisons(explanation.where)
    if explanation.unless:
        yield from ("", "and none of this:")
        yield from _comparisons(explanation.unless)
    if explanation.other is not None:
        another = "another" if explanation.other == explanation.each else "an" if explanation.other[0] in "ao" else "a"
        yield from ("", f"and for which there is {another} {explanation.other} with:")
        yield from _comparisons(explanation.joined)
    if rule.bad:
        yield from ("", "## Bad")
        yield from _files(rule.bad)
    if report:
        yield from ("", "portwright reports:", "", *fenced(report))
    else:
        yield from ("", "## What it reports", "", _sentence(explanation.says))
    if rule.good:
        yield from ("", "## Good")
        yield from _files(rule.good)
    yield from ("", "## Confidence", "", f"- **Confidence**: {prose(explanation.sure)}.")
    if explanation.likelihood:
        yield f"- **Likelihood**: {prose(explanation.likelihood)}."
    if explanation.predicts:
        yield f"- **Prediction**: {prose(explanation.predicts)}."
    yield from ("", "## Fix", "")
    for remedy in explanation.remedies:
        kind = f"Automatically, by `{remedy.kind}`" if remedy.safe else _capital(remedy.kind)
        yield f"- **{kind}**: {prose(remedy.what)}."
        yield from (f"  {_sentence(part)}" for part in (remedy.safe, remedy.why) if part)
    if not explanation.remedies:
        yield "None: a person has to decide."
    yield from ("", "## How to accept it", "", "In a repository, by a comment on the line or the one above:", "")
    yield from fenced(explanation.accept)
    yield from _cases(cases)
    yield from ("", "## See", "", *(f"- {_linked(reference)}" for reference in rule.card.references))


def _comparisons(comparisons: Iterable[Comparison]) -> Iterator[str]:
    yield ""
    for comparison in comparisons:
        yield f"- `{comparison.written.replace('`', ' ')}`: {prose(comparison.means)}"


def _files(files: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in files:
        yield from ("", f"`{name.replace('`', ' ')}`", "", *fenced(text))


def _cases(cases: Cases) -> Iterator[str]:
    if cases.flagged:
        yield from ("", "## Tested: it flags")
        for shown in cases.flagged:
            yield from ("", f"**{_spelled(shown.name)}**", "", *fenced(shown.text))
        yield from _others(cases.more_flagged)
    if cases.accepted:
        yield from ("", "## Tested: it accepts")
        for shown in cases.accepted:
            unlike = f", unlike *{_spelled(shown.unlike)}*" if shown.unlike else ""
            yield from ("", f"**{_spelled(shown.name)}**{unlike}", "", *fenced(shown.text, "diff"))
        yield from _others(cases.more_accepted)


def _others(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield from ("", f"And: {'; '.join(_spelled(name) for name in names)}.")


def _spelled(name: str) -> str:
    return prose(name.replace("-", " "))


def _sentence(text: str) -> str:
    return f"{_capital(prose(text))}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _linked(reference: str) -> str:
    if reference.startswith(("https://", "http://")):
        address = reference.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
        return f"<{address}>"
    found = _MAN_PAGE.fullmatch(reference)
    return f"[{prose(reference)}](https://manpages.debian.org/{found.group(1)}.{found.group(2)})" if found else prose(reference)


# ── what rules are made of ──────────────────────────────────────────────────────────────────────────────────────────


def _words() -> Iterator[str]:
    host = host_names()
    for kind, known in kinds().items():
        yield from (f"### Words of `{kind}`", "", f"{_capital(prose(known.says))}.", "", "| word | type | meaning |", "|---|---|---|")
        for word, name in names(kind).items():
            if word not in host:
                choices = f": {', '.join(f'`{choice}`' for choice in name.choices)}" if name.choices else ""
                yield f"| `{word}` | {name.type}{choices} | {_cell(meaning(kind, name))} |"
        yield ""
    yield from ("### Values of the host", "", "They may stand in every condition, and as `{host: name}`.", "")
    yield from ("| name | type | meaning |", "|---|---|---|")
    for word, name in host.items():
        yield f"| `{word}` | {name.type} | {_cell(name.meaning)} |"
    yield from ("", "### Comparisons", "", "| type | comparison | its operand | holds where the value ... |", "|---|---|---|---|")
    types: tuple[Type, ...] = ("text", "flag", "number", "ports", "words", "claim", "turn")
    for left in types:
        for verb, predicate in predicates(left).items():
            operand = {"texts": "a list of texts", "numbers": "a list of numbers"}.get(predicate.right, str(predicate.right))
            yield f"| {left} | `{verb}` | {operand} | {prose(VERBS[verb])} |"
    yield from ("", "Types: " + "; ".join(f"*{name}* is {prose(said)}" for name, said in TYPES.items()) + ".")
    yield from ("", "### Changes", "", "| change | what it does | operands |", "|---|---|---|")
    for word, wished in change_kinds().items():
        operands = [
            f"`{name}` ({type_ if not choices else ', '.join(choices)}{'' if needed else ', optional'})"
            for name, (type_, choices, needed) in change_operands(wished.change).items()
        ]
        yield f"| `{word}` | {_cell((wished.change.__doc__ or '').strip())} | {', '.join(operands)} |"


def _cell(text: str) -> str:
    text = " ".join(text.split())
    return _capital(prose(text if text.endswith("...") else text.rstrip(".")))
