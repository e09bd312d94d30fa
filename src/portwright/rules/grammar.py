"""rules/FAMILY/ID.yaml becomes a Rule; a mistake becomes a RuleError with its place and the nearest valid name."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import MISSING, fields
from portwright.changes import ChangeKind
from portwright.changes import kinds as change_kinds
from portwright.changes.edits import Edits
from portwright.facts import BIND_ERRORS, CONFIDENCES, BindError, Confidence, Likelihood, kinds
from portwright.finding import SEVERITIES, RuleMeta
from portwright.host.language.predicates import Operand as OperandType
from portwright.host.language.predicates import predicates
from portwright.host.language.vocabulary import host_names, names
from portwright.host.terms.registry import Kind, Term, Type
from portwright.numbers import is_digits
from portwright.ports import PortSet
from portwright.rules.marked import Items, Leaf, Node, Table, parse
from portwright.rules.rule import (
    ChangeTemplate,
    Condition,
    Given,
    Join,
    ManualStep,
    NoteTemplate,
    OfFact,
    OfHost,
    OfSysctl,
    Operand,
    Rule,
    Slot,
    Template,
    Together,
)
from portwright.source import RuleError, Span

REQUIRED = ("id", "title", "severity", "why", "references", "each", "where", "message")
OPTIONAL = ("unless", "with", "together", "confidence", "likelihood", "predicts", "notes", "fix", "bad", "good")

LIKELIHOODS: tuple[str, ...] = get_args(Likelihood)

# What somebody's rules may hold, so that thousands of them on thousands of facts stay a matter of seconds and megabytes.
_LONGEST_ID = 80
_LONGEST_LINE = 200
_LONGEST_MESSAGE = 1000
_LONGEST_WHY = 4000
_MOST_SLOTS = 20
_MOST_COMPARISONS = 64
_MOST_VALUES = 256
_MOST_NOTES = 8
_MOST_REFERENCES = 20
_MOST_FILES = 16

FAMILY = lazy_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ID = lazy_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SLOT = lazy_regex(r"\{([^{}]*)\}")
_KEY = lazy_regex(r"[a-zA-Z0-9_./-]{1,200}")
_SCHEME = lazy_regex(r"[A-Za-z][A-Za-z0-9+.-]*:[^ ]")

# What each part that a rule needs is for, said where it is missing.
_MEANING = {
    "id": "the name of its file without .yaml",
    "title": "one line for the catalogue",
    "severity": "high, medium, low or info",
    "why": "what goes wrong and why",
    "references": "a list of documents, such as [socket(7)]",
    "each": "the kind of fact it examines",
    "where": "the conditions that must hold",
    "message": "the message of a finding",
    "text": "the text of the note",
    "reason": "why it is not fixed automatically",
    "step": "what to do by hand",
}

# What other tools and people call the same thing.
_MEANT = {
    **dict.fromkeys(("=", "==", "eq", "equal", "equals"), "is"),
    **dict.fromkeys(("!=", "<>", "ne", "not", "isnt"), "is-not"),
    **dict.fromkeys((">=", "ge", "gte", "min"), "at-least"),
    **dict.fromkeys(("<=", "le", "lte", "max"), "at-most"),
    **dict.fromkeys((">", "gt", "above", "over"), "more-than"),
    **dict.fromkeys(("<", "lt", "below", "under"), "less-than"),
    **dict.fromkeys(("contains", "includes"), "has"),
    **dict.fromkeys(("one-of", "any-of"), "in"),
    **dict.fromkeys(("intersects", "collides"), "overlaps"),
    **dict.fromkeys(("when", "if", "match", "condition", "conditions"), "where"),
    **dict.fromkeys(("except", "exclude", "not"), "unless"),
    **dict.fromkeys(("for", "kind", "type", "on"), "each"),
    **dict.fromkeys(("join", "and", "together"), "with"),
    **dict.fromkeys(("name", "rule"), "id"),
    **dict.fromkeys(("summary", "description"), "title"),
    **dict.fromkeys(("level", "priority"), "severity"),
    **dict.fromkeys(("see", "links", "refs"), "references"),
    **dict.fromkeys(("critical", "error", "fatal", "severe"), "high"),
    **dict.fromkeys(("warning", "warn"), "medium"),
    **dict.fromkeys(("notice", "note", "style"), "info"),
}


def read(text: str, path: str, family: str = "") -> Rule:
    """The rule in one file's text. Its family is the folder's name if none is given, its id the file's."""
    return rule(parse(text, path), path, family)


def rule(node: Node, path: str, family: str = "") -> Rule:
    """The rule that a file's one document is; `path` and `family` as for `read`."""
    if not isinstance(node, Table):
        raise RuleError(node.at, "a rule is a mapping: id, title, severity, why, ...")
    return _Reader(path, family or Path(path).parent.name, node).rule()


def change_operands(change: type[Any]) -> dict[str, tuple[Type, tuple[str, ...], bool]]:
    """(type, the only texts possible, whether it must be given) of each field of a change, by name."""
    hints = get_type_hints(change)
    found: dict[str, tuple[Type, tuple[str, ...], bool]] = {}
    for field in fields(change):
        choices = tuple(str(choice) for choice in get_args(hints[field.name]))
        kinds: dict[object, Type] = {str: "text", PortSet: "ports", tuple[str, ...]: "words", Edits: "edits"}
        kinds |= {Span: "place", Span | None: "place"}
        kind = kinds.get(hints[field.name], "text")
        found[field.name] = (kind, choices if kind == "text" else (), field.default is MISSING)
    return found


def nearest(word: str, known: Iterable[str]) -> str:
    """What to say after a word nobody knows: the nearest known one, else all of them."""
    from difflib import get_close_matches

    known = sorted(known)
    word = word[:100]
    meant = _MEANT.get(word.lower(), word.lower())
    if meant in known:
        return f"did you mean {meant}?"
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


class _Reader:
    """One rule file being read; the only state is what `each` and `with` name."""

    def __init__(self, path: str, family: str, table: Table) -> None:
        self._path = path
        self._family = family
        self._table = table

    def rule(self) -> Rule:
        table = self._table
        self._keys(table, "a rule", (*REQUIRED, *OPTIONAL), REQUIRED)
        entries = table.entries
        file = Path(self._path)
        rule_id = self._line(entries["id"], "id")
        if not _ID.fullmatch(rule_id):
            raise RuleError(entries["id"].at, f"an id is lower-case words joined by single dashes, not {_short(rule_id)!r}")
        if len(rule_id) > _LONGEST_ID:
            raise RuleError(entries["id"].at, f"an id of more than {_LONGEST_ID} characters")
        if not FAMILY.fullmatch(self._family):
            raise RuleError(
                entries["id"].at, f"a family is the name of the folder, of letters, digits, dots and dashes, not {_short(self._family)!r}"
            )
        if rule_id != file.stem:
            raise RuleError(entries["id"].at, f"the id is {rule_id}, the file is named {file.name}: they must be the same")
        self.each = self._choice(entries["each"], "each", tuple(kinds()))
        self.joined: Kind | None = None
        where = self._conditions(entries["where"], "where", self.each)
        unless = self._conditions(entries["unless"], "unless", self.each) if "unless" in entries else ()
        join = self._join(entries["with"]) if "with" in entries else None
        wish, advice = self._fix(entries["fix"]) if "fix" in entries else (None, None)
        card = RuleMeta(
            id=rule_id,
            family=self._family,
            title=self._line(entries["title"], "title"),
            severity=cast(Any, self._choice(entries["severity"], "severity", SEVERITIES)),
            why=" ".join(self._words(entries["why"], "why", _LONGEST_WHY).split()),
            references=tuple(self._reference_to(item) for item in self._items(entries["references"], "references", _MOST_REFERENCES)),
        )
        return Rule(
            card=card,
            path=self._path,
            at=entries["id"].at,
            each=self.each,
            where=where,
            unless=unless,
            join=join,
            message=self._template(entries["message"], "message"),
            remarks=tuple(self._remark(item) for item in self._items(entries["notes"], "notes", _MOST_NOTES)) if "notes" in entries else (),
            together=self._together(entries["together"]) if "together" in entries else None,
            confidence=self._confidence(),
            likelihood=self._likelihood(),
            predicts=self._predicts(),
            wish=wish,
            advice=advice,
            bad=self._example("bad"),
            good=self._example("good"),
        )

    # ── conditions ──

    def _conditions(self, node: Node, key: str, kind: Kind) -> tuple[Condition, ...]:
        table = self._mapping(node, key)
        known = names(kind)
        found: list[Condition] = []
        for word, comparison in table.entries.items():
            name = known.get(word)
            if name is None:
                raise RuleError(table.keys[word], f"{_a(kind)} has no {_short(word)}; {_elsewhere(word, kind) or nearest(word, known)}")
            takes = predicates(name.type)
            if not takes:
                raise RuleError(table.keys[word], f"{word} is {_a(name.type)}, which conditions cannot test")
            if not isinstance(comparison, Table):
                example = next(iter(takes)) if "is" not in takes else "is"
                raise RuleError(comparison.at, f"{word} needs a comparison, such as {{{example}: ...}}")
            if not comparison.entries:
                raise RuleError(comparison.at, f"{word} needs a comparison: {', '.join(takes)}")
            for verb, operand in comparison.entries.items():
                predicate = takes.get(verb)
                if predicate is None:
                    said = f"{word} ({name.type}) cannot be compared with {_short(verb)}; {_verb(verb, takes)}"
                    raise RuleError(comparison.keys[verb], said)
                found.append(Condition(name, predicate, self._operand(operand, verb, predicate.right, word, name.choices)))
        if not found:
            raise RuleError(table.at, f"{key} is empty")
        if len(found) > _MOST_COMPARISONS:
            raise RuleError(table.at, f"{key} makes {len(found)} comparisons, and {_MOST_COMPARISONS} are the most")
        return tuple(found)

    def _operand(self, node: Node, verb: str, wanted: OperandType, word: str, choices: tuple[str, ...]) -> Operand:
        if isinstance(node, Table):
            return self._reference(node, verb, wanted)
        if wanted in ("texts", "numbers", "words"):
            items = node.items if isinstance(node, Items) else (node,)
            each: Type = "number" if wanted == "numbers" else "text"
            if not items:
                raise RuleError(node.at, f"{verb} wants at least one value")
            if len(items) > _MOST_VALUES:
                raise RuleError(node.at, f"{verb} has {len(items)} values, and {_MOST_VALUES} are the most")
            return Given(tuple(self._literal(item, verb, each, word, choices) for item in items))
        if wanted in ("claim", "turn", "place", "edits"):
            raise RuleError(node.at, f"{verb} wants {_a(wanted)} of another fact, as {{fact: {wanted}}}")
        return Given(self._literal(node, verb, cast(Type, wanted), word, choices))

    def _reference(self, node: Table, verb: str, wanted: OperandType) -> Operand:
        self._keys(node, "an operand", ("sysctl", "host", "fact"), ())
        if len(node.entries) != 1:
            raise RuleError(node.at, "an operand is one of {sysctl: key}, {host: name}, {fact: field}")
        ((source, leaf),) = node.entries.items()
        word = self._line(leaf, source)
        if source == "sysctl":
            if not _KEY.fullmatch(word):
                raise RuleError(leaf.at, f"not a kernel setting: {_short(word)!r}; write it as /proc/sys has it, with dots")
            if wanted not in ("text", "number", "ports"):
                raise RuleError(leaf.at, f"{verb} wants {_a(wanted)}, and a kernel setting is text, a number or ports")
            return OfSysctl(word.replace("/", "."), cast(Type, wanted))
        known = host_names() if source == "host" else names(self.each)
        name = known.get(word)
        if name is None:
            raise RuleError(leaf.at, f"{'a host' if source == 'host' else _a(self.each)} has no {_short(word)}; {nearest(word, known)}")
        if name.type != wanted:
            fitting = [each for each, found in known.items() if found.type == wanted]
            raise RuleError(leaf.at, f"{verb} wants {_a(wanted)}, and {word} is {_a(name.type)}{_such_as(fitting)}")
        return OfHost(name) if source == "host" else OfFact(name)

    def _literal(self, node: Node, verb: str, wanted: Type, word: str, choices: tuple[str, ...]) -> object:
        if not isinstance(node, Leaf) or node.value is None:
            raise RuleError(node.at, f"{verb} wants {_a(wanted)}")
        if wanted == "text":
            if choices and node.text not in choices:
                raise RuleError(node.at, f"{word} is never {_short(node.text)}; {_choices(node.text, choices)}")
            return node.text
        if wanted == "flag" and isinstance(node.value, bool):
            return node.value
        if wanted == "number" and isinstance(node.value, int) and not isinstance(node.value, bool):
            return node.value
        if wanted == "ports":
            try:
                ports = PortSet.parse(node.text)
            except ValueError as error:
                raise RuleError(node.at, f"{error}; write ports as the kernel does: 80,8000-8010") from error
            if len(ports.ranges) > _MOST_VALUES:
                raise RuleError(node.at, f"{verb} has {len(ports.ranges)} ranges of ports, and {_MOST_VALUES} are the most")
            return ports
        example = {"flag": "true or false", "number": "a number"}.get(wanted, _a(wanted))
        if (wanted == "flag" and node.text in ("true", "false")) or (wanted == "number" and is_digits(node.text)):
            example += " without quotes"
        raise RuleError(node.at, f"{verb} wants {example}, not {_short(node.text)}")

    def _join(self, node: Node) -> Join:
        table = self._mapping(node, "with")
        if len(table.entries) != 1:
            raise RuleError(table.at, "with names one kind of fact")
        ((word, inner),) = table.entries.items()
        if word not in kinds():
            raise RuleError(table.keys[word], f"there is no kind of fact {_short(word)}; {nearest(word, kinds())}")
        self.joined = word
        conditions = self._conditions(inner, "with", self.joined)
        alone = tuple(condition for condition in conditions if not isinstance(condition.operand, OfFact))
        pairs = tuple(condition for condition in conditions if isinstance(condition.operand, OfFact))
        if pairs and not any(condition.predicate.filed for condition in pairs):
            raise RuleError(
                inner.at, "a join that compares two facts needs one comparison that pairs them: is or overlaps with {fact: ...}"
            )
        return Join(self.joined, alone, pairs)

    # ── the message of a finding ──

    def _template(self, node: Node, key: str) -> Template:
        text = " ".join(self._words(node, key, _LONGEST_MESSAGE).split())
        parts: list[str | Slot] = []
        position = 0
        for found in _SLOT.finditer(text):
            parts.append(self._plain(text[position : found.start()], node))
            parts.append(self._slot(found.group(1), node.at, places=False))
            position = found.end()
            if len(parts) > 2 * _MOST_SLOTS:
                raise RuleError(node.at, f"{key} has more than {_MOST_SLOTS} placeholders")
        parts.append(self._plain(text[position:], node))
        return tuple(part for part in parts if part != "")

    def _plain(self, text: str, node: Node) -> str:
        if "{" in text or "}" in text:
            raise RuleError(node.at, "a brace that is not part of a placeholder: write {name}, where name is a word of the fact")
        return text

    def _slot(self, word: str, at: Span, places: bool) -> Slot:
        joined = word.startswith("with.")
        if joined and self.joined is None:
            raise RuleError(at, f"{{{_short(word)}}}: this rule has no with")
        kind = self.joined if joined and self.joined else self.each
        known = {name: found for name, found in names(kind).items() if (found.type == "place" if places else _printable(found))}
        name = known.get(word.removeprefix("with."))
        if name is None:
            what = "place" if places else "word"
            raise RuleError(at, f"{{{_short(word)}}}: {_a(kind)} has no such {what}; {nearest(word.removeprefix('with.'), known)}")
        return Slot(name, joined)

    def _remark(self, node: Node) -> NoteTemplate:
        table = self._mapping(node, "a note")
        self._keys(table, "a note", ("text", "at"), ("text",))
        at = self._slot(self._line(table.entries["at"], "at"), table.entries["at"].at, places=True) if "at" in table.entries else None
        return NoteTemplate(self._template(table.entries["text"], "text"), at)

    def _together(self, node: Node) -> Together:
        table = self._mapping(node, "together")
        self._keys(table, "together", ("same", "also"), ("same", "also"))
        items = self._items(table.entries["same"], "same", _MOST_SLOTS)
        return Together(
            tuple(self._slot(self._line(item, "same"), item.at, places=False) for item in items),
            self._template(table.entries["also"], "also"),
        )

    def _confidence(self) -> Confidence:
        node = self._table.entries.get("confidence")
        return "certain" if node is None else cast(Confidence, self._choice(node, "confidence", CONFIDENCES))

    def _likelihood(self) -> Term | None:
        node = self._table.entries.get("likelihood")
        return None if node is None else self._of_fact(node, "likelihood", LIKELIHOODS)

    def _predicts(self) -> BindError | Term | None:
        node = self._table.entries.get("predicts")
        if node is None:
            return None
        if isinstance(node, Leaf):
            return cast(BindError, self._choice(node, "predicts", BIND_ERRORS))
        return self._of_fact(node, "predicts", BIND_ERRORS)

    def _of_fact(self, node: Node, key: str, choices: tuple[str, ...]) -> Term:
        if not isinstance(node, Table):
            raise RuleError(node.at, f"{key} wants {{fact: name}}")
        operand = self._reference(node, key, "text")
        # What bind() answers has no list of values, for a unit may fail otherwise before; only a bind error is then predicted.
        fits = {word for word, name in names(self.each).items() if name.choices and set(name.choices) <= set(choices)}
        fits |= {"error"} if choices == BIND_ERRORS and "error" in names(self.each) else set()
        if not isinstance(operand, OfFact) or operand.name.name not in fits:
            known = f"; fitting: {', '.join(sorted(fits))}" if fits else f", and {_a(self.each)} has none"
            raise RuleError(node.at, f"{key} wants a value of the fact that is one of {', '.join(choices)}{known}")
        return operand.name

    # ── what to do ──

    def _fix(self, node: Node) -> tuple[ChangeTemplate | None, ManualStep | None]:
        table = self._mapping(node, "fix")
        kinds = change_kinds()
        self._keys(table, "a fix", (*kinds, "manual"), ())
        wished = [word for word in table.entries if word in kinds]
        if not table.entries:
            raise RuleError(table.at, "fix is empty")
        advice = self._advice(table.entries["manual"]) if "manual" in table.entries else None
        wish: ChangeTemplate | None = None
        for word in reversed(wished):
            wish = self._wish(kinds[word], table.entries[word], word, wish)
        return wish, advice

    def _wish(self, kind: ChangeKind[Any], node: Node, word: str, otherwise: ChangeTemplate | None) -> ChangeTemplate:
        table = self._mapping(node, word)
        takes = change_operands(kind.change)
        self._keys(table, word, tuple(takes), tuple(name for name, (_, _, needed) in takes.items() if needed), kind.operands)
        operands: dict[str, Operand] = {}
        for name, inner in table.entries.items():
            wanted, choices, _ = takes[name]
            operands[name] = self._operand(inner, name, wanted, name, choices)
        self._permit(kind, {name: operand.value for name, operand in operands.items() if isinstance(operand, Given)}, table)
        return ChangeTemplate(kind.change, tuple(operands.items()), otherwise)

    def _permit(self, kind: ChangeKind[Any], given: dict[str, Any], table: Table) -> None:
        """What rules may ask of a host is for each kind of change to say."""
        for name, (what, known) in kind.names.items():
            words = given.get(name, ())
            unknown = next((word for word in (words if isinstance(words, tuple) else (words,)) if word not in known), None)
            if unknown is not None:
                raise RuleError(table.entries[name].at, f"there is no {what} {_short(unknown)}; {nearest(unknown, known)}")
        misuse = kind.misuse(given)
        if misuse is not None:
            raise RuleError(table.entries[misuse[0]].at if misuse[0] else table.at, misuse[1])

    def _advice(self, node: Node) -> ManualStep:
        table = self._mapping(node, "manual")
        self._keys(table, "manual", ("reason", "step"), ("reason", "step"))
        return ManualStep(self._template(table.entries["reason"], "reason"), self._template(table.entries["step"], "step"))

    def _example(self, key: str) -> tuple[tuple[str, str], ...]:
        if key not in self._table.entries:
            return ()
        table = self._mapping(self._table.entries[key], key)
        if not table.entries:
            raise RuleError(table.at, f"{key} is empty: an example is at least one file")
        if len(table.entries) > _MOST_FILES:
            raise RuleError(table.at, f"{key} has {len(table.entries)} files, and {_MOST_FILES} are the most")
        for name, at in table.keys.items():
            parts = name.split("/")
            if parts[0] or {"", ".", ".."} & set(parts[1:]) or not name.isprintable():
                raise RuleError(at, f"an example is a file by its path on the host, not {_short(name)}; write /etc/app.conf")
        return tuple((name, self._words(inner, name)) for name, inner in table.entries.items())

    # ── pieces ──

    def _keys(
        self, table: Table, what: str, known: tuple[str, ...], needed: tuple[str, ...], meanings: Mapping[str, str] = _MEANING
    ) -> None:
        for word, at in table.keys.items():
            if word not in known:
                raise RuleError(at, f"{what} has no {_short(word)}; {nearest(word, known)}")
        for word in needed:
            if word not in table.entries:
                raise RuleError(table.at, f"{what} lacks {word}: {meanings[word]}")

    def _mapping(self, node: Node, what: str) -> Table:
        if not isinstance(node, Table):
            raise RuleError(node.at, f"{what} must be a mapping{_EXAMPLES.get(what, '')}")
        return node

    def _items(self, node: Node, what: str, most: int) -> tuple[Node, ...]:
        if not isinstance(node, Items) or not node.items:
            raise RuleError(node.at, f"{what} must be a list with at least one item{_EXAMPLES.get(what, '')}")
        if len(node.items) > most:
            raise RuleError(node.at, f"{what} has {len(node.items)} items, and {most} are the most")
        return node.items

    def _words(self, node: Node, what: str, most: int | None = None) -> str:
        if isinstance(node, Table):
            raise RuleError(node.at, f"{what} must be text: quote it where it begins with a brace")
        if not isinstance(node, Leaf) or not node.text.strip():
            raise RuleError(node.at, f"{what} must be text")
        if most is not None and len(node.text) > most:
            raise RuleError(node.at, f"{what} is longer than {most} characters")
        return node.text

    def _line(self, node: Node, what: str, most: int | None = _LONGEST_LINE) -> str:
        text = self._words(node, what, most).strip()
        if "\n" in text:
            raise RuleError(node.at, f"{what} must be one line")
        return text

    def _reference_to(self, node: Node) -> str:
        text = self._line(node, "a reference")
        if _SCHEME.match(text) and not text.startswith(("https://", "http://")):
            raise RuleError(node.at, f"a reference is a document, such as socket(7), or an https:// address, not {_short(text)}")
        return text

    def _choice(self, node: Node, what: str, choices: tuple[str, ...]) -> str:
        text = self._line(node, what)
        if text not in choices:
            raise RuleError(node.at, f"{what} is never {_short(text)}; {_choices(text, choices)}")
        return text


_EXAMPLES = {
    "references": ", such as [socket(7)]",
    "notes": ", such as [{text: ..., at: at}]",
    "where": ", such as {starts: {is: boot}}",
    "unless": ", such as {random: {is: true}}",
    "with": ", such as {outbound: {keepalive: {is: false}}}",
    "a note": ", such as {text: ..., at: at}",
    "fix": ", such as {reserve-ports: {ports: {fact: ports}}} or {manual: {reason: ..., step: ...}}",
    "manual": " with reason and step",
    "bad": " of paths and texts, such as /etc/app.conf: ...",
    "good": " of paths and texts, such as /etc/app.conf: ...",
}


def _short(word: str) -> str:
    return word if len(word) <= 60 else f"{word[:59]}…"


def _choices(word: str, choices: tuple[str, ...]) -> str:
    """What to say after a value that is none of a few: the nearest, and all of them in their order."""
    close = nearest(word, choices)
    return f"{close} known: {', '.join(choices)}" if close.startswith("did") else f"known: {', '.join(choices)}"


def _verb(word: str, takes: Iterable[str]) -> str:
    if word in ("matches", "regex", "regexp", "glob", "like"):
        return f"rules have no patterns; known: {', '.join(takes)}"
    return nearest(word, takes)


def _elsewhere(word: str, kind: Kind) -> str:
    """Whose word it is, if another kind of fact has it."""
    others = [other for other in kinds() if other != kind and word in names(other)]
    return f"{' and '.join(_a(other) for other in others)} has it" if others else ""


def _such_as(fitting: list[str]) -> str:
    return f"; fitting: {', '.join(fitting)}" if fitting else ""


def _printable(name: Term) -> bool:
    return name.type not in ("place", "claim", "turn", "edits")


def _a(word: str) -> str:
    if word in ("text", "ports", "words", "texts", "numbers"):
        return {"texts": "a list of texts", "numbers": "a list of numbers"}.get(word, word)
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
