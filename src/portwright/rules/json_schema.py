"""The JSON Schema of a rule file, made from the same words the loader knows; for editors, and as a second opinion on users' rules."""

from collections.abc import Iterable
from functools import cache
from typing import Any, get_args

from portwright.changes import kinds as change_kinds
from portwright.facts import BIND_ERRORS, CONFIDENCES, kinds
from portwright.finding import SEVERITIES
from portwright.host.language.meanings import meaning
from portwright.host.language.predicates import Operand as OperandType
from portwright.host.language.predicates import predicates
from portwright.host.language.vocabulary import host_names, names
from portwright.host.terms.registry import Kind, Type
from portwright.rules.grammar import OPTIONAL, REQUIRED, change_operands
from portwright.rules.marked import Items, Node, Table, parse, plain
from portwright.source import RuleError

Schema = dict[str, Any]

_TYPES: tuple[Type, ...] = get_args(Type)
_TEXT: Schema = {"type": "string", "minLength": 1, "pattern": r"\S"}
_REFERENCE: Schema = {"type": "string", "minLength": 1, "pattern": r"^(https?://|(?![A-Za-z][A-Za-z0-9+.-]*:[^ ]))"}
_SCALAR: Schema = {"type": ["string", "integer", "boolean"]}


def schema() -> Schema:
    """JSON Schema (draft 2020-12) of rules/FAMILY/ID.yaml."""
    properties: Schema = {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "description": "what is wrong; the name of the file"},
        "title": {**_TEXT, "description": "one line for a catalogue"},
        "severity": {"enum": list(SEVERITIES), "description": "how bad it is when it happens"},
        "why": {**_TEXT, "description": "what goes wrong and why, for a reader who does not know the problem"},
        "references": {"type": "array", "items": _REFERENCE, "minItems": 1},
        "each": {"enum": list(kinds()), "description": "the kind of fact that is examined"},
        "where": {"description": "all of this must hold"},
        "unless": {"description": "none of this may hold"},
        "with": {
            "description": "another fact must exist for which all of this holds; {fact: name} means the first one",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {kind: {"$ref": f"#/$defs/{kind}"} for kind in kinds()},
        },
        "together": {
            "description": "findings in which these words are the same are one; `also` is the note at the line of each further fact",
            "type": "object",
            "properties": {"same": {"type": "array", "items": _TEXT, "minItems": 1}, "also": _TEXT},
            "required": ["same", "also"],
            "additionalProperties": False,
        },
        "message": {**_TEXT, "description": "{name} is replaced by a word of the fact, {with.name} by one of the other fact"},
        "confidence": {"enum": list(CONFIDENCES), "description": "no finding of this rule has a higher confidence"},
        "likelihood": _reference(("fact",)),
        "predicts": {"anyOf": [{"enum": list(BIND_ERRORS)}, _reference(("fact",))]},
        "notes": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "properties": {"text": _TEXT, "at": _TEXT}, "required": ["text"], "additionalProperties": False},
        },
        "fix": _fix(),
        "bad": {"$ref": "#/$defs/example"},
        "good": {"$ref": "#/$defs/example"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a rule of portwright",
        "type": "object",
        "properties": {key: properties[key] for key in (*REQUIRED, *OPTIONAL)},
        "required": list(REQUIRED),
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"each": {"const": kind}}, "required": ["each"]},
                "then": {"properties": {"where": {"$ref": f"#/$defs/{kind}"}, "unless": {"$ref": f"#/$defs/{kind}"}}},
            }
            for kind in kinds()
        ],
        "$defs": {
            **{kind: _conditions(kind) for kind in kinds()},
            **{f"of-{left}": _comparisons(left) for left in _TYPES if predicates(left)},
            "host-value": {"enum": sorted(host_names())},
            "example": {"type": "object", "minProperties": 1, "patternProperties": {"^/": _TEXT}, "additionalProperties": False},
        },
    }


def validate(text: str, path: str) -> None:
    """Hold a rule's text against the schema; raises RuleError at the place of the first difference."""
    node = parse(text, path)
    errors = sorted(
        _validator().iter_errors(plain(node)),
        key=lambda error: ([str(part) for part in error.absolute_path], error.message),
    )
    if errors:
        at = _find(node, errors[0].absolute_path)
        raise RuleError(at.at, f"against the schema of rules: {errors[0].message[:300]}")


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


def _conditions(kind: Kind) -> Schema:
    found: Schema = {}
    for word, name in names(kind).items():
        if predicates(name.type):
            comparisons: Schema = _comparisons(name.type, name.choices) if name.choices else {"$ref": f"#/$defs/of-{name.type}"}
            found[word] = {"description": meaning(kind, name), **comparisons}
    return {"type": "object", "properties": found, "additionalProperties": False, "minProperties": 1}


def _comparisons(left: Type, choices: tuple[str, ...] = ()) -> Schema:
    verbs = {verb: _operand(predicate.right, choices) for verb, predicate in predicates(left).items()}
    return {"type": "object", "properties": verbs, "additionalProperties": False, "minProperties": 1}


def _operand(wanted: OperandType, choices: tuple[str, ...]) -> Schema:
    references = _reference(("sysctl", "host", "fact") if wanted in ("text", "number", "ports") else ("host", "fact"))
    if wanted in ("claim", "turn", "place", "edits"):
        return _reference(("fact",))
    if wanted in ("texts", "numbers", "words"):
        item: Schema = {"type": "integer"} if wanted == "numbers" else ({"enum": list(choices)} if choices else _SCALAR)
        return {"anyOf": [{"type": "array", "items": item, "minItems": 1}, item, references]}
    literals: dict[OperandType, Schema] = {
        "text": {"enum": list(choices)} if choices else _SCALAR,
        "flag": {"type": "boolean"},
        "number": {"type": "integer"},
        "ports": {"type": ["string", "integer"]},
    }
    return {"anyOf": [literals[wanted], references]}


def _reference(sources: Iterable[str]) -> Schema:
    kinds: dict[str, Schema] = {"sysctl": _TEXT, "host": {"$ref": "#/$defs/host-value"}, "fact": _TEXT}
    return {
        "type": "object",
        "properties": {source: kinds[source] for source in sources},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _fix() -> Schema:
    changes: Schema = {}
    for word, kind in change_kinds().items():
        takes = change_operands(kind.change)
        changes[word] = {
            "type": "object",
            "description": (kind.change.__doc__ or "").strip(),
            "properties": {name: _operand(wanted, choices) for name, (wanted, choices, _) in takes.items()},
            "required": [name for name, (_, _, needed) in takes.items() if needed],
            "additionalProperties": False,
        }
    manual: Schema = {
        "type": "object",
        "properties": {"reason": _TEXT, "step": _TEXT},
        "required": ["reason", "step"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {**changes, "manual": manual},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _find(node: Node, path: Iterable[object]) -> Node:
    for part in path:
        if isinstance(node, Table):
            node = node.entries[str(part)]
        elif isinstance(node, Items) and isinstance(part, int):
            node = node.items[part]
    return node
