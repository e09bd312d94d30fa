"""The keys of a descriptor (daemons/README.md): plain data from YAML becomes a value, or a sentence that teaches."""

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from portwright._start.records import replace
from portwright.daemons._engine import schema
from portwright.daemons._engine.descriptor import (
    FAMILIES,
    Apply,
    ByFamily,
    Conditions,
    Config,
    Connects,
    Descriptor,
    Dropped,
    Edit,
    EndsWhere,
    EndsWithout,
    Files,
    Form,
    InRepository,
    InUnit,
    Names,
    Server,
    Slot,
    Socket,
    Take,
    Wrapper,
    Zero,
)
from portwright.daemons._engine.schema import CatalogueError, Piece, below
from portwright.facts import CONFIDENCES, ClosesFirst, InheritedSockets, PortTaken, Protocol, Root, Traits
from portwright.numbers import is_digits

READER = "reader.py"
WILDCARDS: Mapping[str, tuple[str, ...]] = {
    "dual": ("*",),
    "both": ("0.0.0.0", "::"),  # noqa: S104  compared, never bound
    "inet": ("0.0.0.0",),  # noqa: S104
    "inet6": ("::",),
    "loopback": ("127.0.0.1", "::1"),
    "loopback-inet": ("127.0.0.1",),
}
FORMATS = (
    "words", "words-equals", "plain", "plain-if", "plain-listeners", "ini", "assignments", "properties", "toml", "clauses", "knot", "named",
    "dovecot", "bacula", "gmond", "nats", "json", "lua", "lighttpd", "icinga", "libconfig", "xml", "xml-properties", "tags", "yaml",
    "rainer", "perl", "httpd", "hcl", "words-macros", "assignments-macros", "vcl", "erlang",
    "defines",
)  # fmt: skip


def descriptor(name: str, data: Any, kinds: Mapping[str, Mapping[str, Any]], place: str) -> Descriptor:
    """The descriptor that plain data (all scalars are text) makes; `kinds` are what `like` may name. Raises CatalogueError."""
    given = schema.table(data, place)
    common = _common(given.pop("like", None), kinds, place)
    own = {key: value for key, value in common.items() if key in _KEYS}
    of_sockets = {key: value for key, value in common.items() if key not in _KEYS}

    def sockets(value: Any, here: str) -> tuple[Socket, ...]:
        listed = schema.items(value, here, "a list of what it binds (an empty one for a daemon that binds nothing)")
        return tuple(_socket({**of_sockets, **schema.table(each, at)}, kinds, at) for each, at in listed)

    found = Descriptor(name, **{"programs": (), **schema.fields({**own, **given}, {**_KEYS, "sockets": sockets}, place)})
    if not found.programs:
        raise CatalogueError(place, "`programs` says which programs start it; without one it is never read")
    if found.understands and not found.reader:
        raise CatalogueError(f"{place}: understands", "settings that a `reader` reads; those of `sockets` are known by themselves")
    said = [key for key in ("reader", "sockets", "server") if key in given]
    if len(said) != 1:
        raise CatalogueError(place, f"one of `sockets`, `server` and `reader` says what it binds, not {' and '.join(said) or 'none'}")
    if found.shape and not found.reader:
        raise CatalogueError(f"{place}: shape", "a shape is told by the module of a `reader`")
    return found


def _common(like: Any, kinds: Mapping[str, Mapping[str, Any]], here: str) -> dict[str, Any]:
    if like is None:
        return {}
    if not isinstance(like, str) or like not in kinds:
        raise CatalogueError(below(here, "like"), f"{like!r} is none of the kinds: {', '.join(sorted(kinds))}")
    return dict(kinds[like])


def _socket(data: dict[str, Any], kinds: Mapping[str, Mapping[str, Any]], here: str) -> Socket:
    given = {**_common(data.get("like"), kinds, here), **data}
    given.pop("like", None)
    given.pop("one-dash", None)
    made = Socket(**schema.fields(given, _OF_SOCKETS, here))
    if made.port is None and made.listen is None and not made.random:
        raise CatalogueError(here, "neither `port` nor `listen` nor `random`: nothing says what it binds")
    return replace(made, any=("", "*", *made.any))


def _connects(value: Any, here: str) -> tuple[Connects, ...]:
    found = []
    for each, at in schema.items(value, here, "a list of what it connects to again and again"):
        fields = schema.fields(schema.table(each, at), _OF_CONNECTIONS, at)
        if len({"keeps", "to", "bound"} & set(fields)) != 1 or "why" not in fields or ("name" in fields) == ("to" in fields):
            raise CatalogueError(
                at, "a connection has a `why`, and where it leads `to`, or a `name` and a setting that `keeps` it or is `bound`"
            )
        found.append(Connects(**fields))
    return tuple(found)


def _formats(value: Any, here: str) -> str:
    """One grammar, or a list of those it may be written in."""
    known = schema.one_of(*FORMATS)
    return " ".join(known(each, here) for each in schema.words(value, here))


def _config(value: Any, here: str) -> Config:
    fields = schema.fields(
        schema.table(value, here),
        {
            "format": _formats, "from": _named, "paths": _by_family, "every": schema.answer, "include": _includes,
            "relative": schema.text, "drop-ins": schema.words, "directories": _slot_sources, "directory": _slot_sources,
            "unless": _conditions, "needed": schema.answer, "under": schema.pairs, "once": schema.answer, "optional": schema.answer,
            "when-missing": schema.one_of(*CONFIDENCES),
            "passes-over": schema.patterns, "usual-drop-ins": schema.words, "unread": schema.words,
        },
        here,
    )  # fmt: skip
    fields["named"] = fields.pop("from_", Slot())
    return Config(**fields)


def _server(value: Any, here: str) -> Server:
    fields = schema.fields(
        schema.table(value, here),
        {
            "host": _slot, "port": _slot, "queue": schema.number, "speaks": schema.text, "names": schema.one_of(*get_args(Names)),
            "wildcard": _wildcard, "any": schema.words, "v6only": schema.answer_or_unset, "confidence": schema.one_of(*CONFIDENCES),
            **dict.fromkeys(
                ("listen", "needs", "elsewhere", "single", "ipv4", "ipv6", "count", "backlog", "application"), schema.words
            ),
        },
        here,
    )  # fmt: skip
    if "host" not in fields or fields["host"].default is None:
        raise CatalogueError(here, "a server has a `host` with the address it binds where nothing is said (`or`)")
    return Server(**fields)


def _files(value: Any, here: str) -> Files:
    known: dict[str, Piece] = {"connections": _slot_sources, "setting": schema.text, "otherwise": schema.text}
    fields = schema.fields(schema.table(value, here), known, here)
    if len(fields) != 3:
        raise CatalogueError(here, "files has `connections`, the `setting` as people know it, and what happens `otherwise`")
    return Files(**fields)


def _ends_without(value: Any, here: str) -> EndsWithout:
    fields = schema.fields(schema.table(value, here), {"from": _slot_sources, "paths": _by_family, "what": schema.text}, here)
    if not {"from_", "what"} <= set(fields):
        raise CatalogueError(here, "a file without which it ends has the settings that name it (`from`), and `what` it is")
    return EndsWithout(fields["from_"], fields.get("paths", ByFamily()), fields["what"])


def _ends_where(value: Any, here: str) -> tuple[EndsWhere, ...]:
    known: dict[str, Piece] = {
        "why": schema.text, "when": _conditions, "unless": _conditions, "versions": _versions, "handed-none": schema.answer,
    }  # fmt: skip
    found = []
    for each, at in schema.items(value, here, "a list of settings with what they do"):
        fields = schema.fields(schema.table(each, at), known, at)
        if not fields.get("why") or not (fields.get("when") or fields.get("unless")):
            raise CatalogueError(at, "the settings are said by `when` or `unless`, and what they do by `why`")
        found.append(EndsWhere(**fields))
    return tuple(found)


def _dropped(value: Any, here: str) -> tuple[Dropped, ...]:
    found = []
    for each, at in schema.items(value, here, "a list of settings with the versions that end at them"):
        fields = schema.fields(schema.table(each, at), {"settings": schema.words, "versions": _versions}, at)
        if len(fields) != 2:
            raise CatalogueError(at, "`settings` are the names, and `versions` those that end at them")
        found.append(Dropped(**fields))
    return tuple(found)


def _in_unit(value: Any, here: str) -> InUnit:
    known: dict[str, Piece] = {"program": schema.text, "arguments": schema.words, "user": schema.text}
    return InUnit(**schema.fields(schema.table(value, here), known, here))


def _wrappers(value: Any, here: str) -> tuple[Wrapper, ...]:
    known: dict[str, Piece] = {
        "path": schema.text, "argv": schema.words, "variables": schema.words, "defaults": schema.pairs, "when": _conditions,
        "user": schema.text,
    }  # fmt: skip
    found = []
    for each, at in schema.items(value, here, "a list of scripts that start it"):
        fields = schema.fields(schema.table(each, at), known, at)
        if "path" not in fields or not fields.get("argv"):
            raise CatalogueError(at, "a wrapper has a `path` and the `argv` it starts")
        found.append(Wrapper(**fields))
    return tuple(found)


def _in_repository(value: Any, here: str) -> InRepository:
    known: dict[str, Piece] = {
        "names": schema.words, "under": schema.words, "suffixes": schema.words, "folders": schema.pairs, "text": schema.words,
        "recogniser": _module, "words": schema.words, "place": schema.text, "places": schema.words, "siblings": schema.answer,
        "apart": schema.answer, "beside": schema.answer, "kinds": schema.words,
        "enables": schema.pairs, "filled-by": schema.one_of("envsubst"), "own-braces": schema.answer,
    }  # fmt: skip
    return InRepository(**schema.fields(schema.table(value, here), known, here))


def _traits(value: Any, here: str) -> Traits:
    known: dict[str, Piece] = {
        "root": schema.one_of(*get_args(Root)), "port-taken": schema.one_of(*get_args(PortTaken)),
        "inherited-sockets": schema.one_of(*get_args(InheritedSockets)), "closes-first": schema.one_of(*get_args(ClosesFirst)),
        "confined-by": schema.words, "labelled": schema.words,
        "rootless": schema.answer, "static": schema.answer, "loads-from-origin": schema.answer,
        "workers-hold": schema.answer, "gives-way": schema.text, "takes-socket": schema.text,
        "detaches": schema.answer,
        "logs-in": schema.answer,
        "foreground": schema.words, "background": schema.words, "tells-nobody": schema.words,
        "awaits-address": schema.answer, "lists-interfaces": schema.answer,
    }  # fmt: skip
    return Traits(**schema.fields(schema.table(value, here), known, here))


def _edit(value: Any, here: str) -> Edit:
    known: dict[str, Piece] = {"validate": schema.words, "apply": schema.one_of(*get_args(Apply)), "listen": _module, "reuse": _module}
    return Edit(**schema.fields(schema.table(value, here), known, here))


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _by_family(value: Any, here: str) -> ByFamily:
    """Words by family; without families they hold for all of them."""
    if not isinstance(value, dict):
        return ByFamily(any=schema.words(value, here))
    return ByFamily(**schema.fields(schema.table(value, here), dict.fromkeys(("any", *FAMILIES), schema.words), here))


def _module(value: Any, here: str) -> str:
    """The name of a Python file that stands in the room."""
    name = schema.text(value, here)
    if not name.endswith(".py") or not name[:-3].isidentifier():
        raise CatalogueError(here, f"a Python file in the room, not {name!r}")
    return name


def _reuse(value: Any, here: str) -> bool | Literal["tcp"] | None:
    return "tcp" if value == "tcp" else schema.answer_or_unset(value, here)


def _protocols(value: Any, here: str) -> tuple[str, ...]:
    found = schema.words(value, here)
    for each in found:
        schema.one_of(*get_args(Protocol))(each, here)
    return found


def _wildcard(value: Any, here: str) -> tuple[str, ...]:
    return WILDCARDS[schema.one_of(*WILDCARDS)(value, here)]


def _includes(value: Any, here: str) -> tuple[tuple[str, str], ...]:
    return schema.pairs(value, here) if isinstance(value, dict) else tuple((key, "") for key in schema.words(value, here))


def _conditions(value: Any, here: str) -> Conditions:
    return tuple((key, schema.words(item, below(here, key))) for key, item in schema.table(value, here).items())


def _others(value: Any, here: str) -> tuple[tuple[str, Conditions], ...]:
    return tuple((name, _conditions(item, below(here, name))) for name, item in schema.table(value, here).items())


def _options_of(value: Any, here: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, schema.words(item, below(here, name))) for name, item in schema.table(value, here).items())


def _slots(value: Any, here: str) -> tuple[Slot, ...]:
    return tuple(_slot(each, at) for each, at in schema.items(value, here, "a list of settings"))


def _without(value: Any, here: str) -> tuple[tuple[str, Conditions], ...]:
    found = _others(value, here)
    for name, _ in found:
        schema.one_of("tcp", "udp", "inet", "inet6")(name, below(here, name))
    return found


def _versions(value: Any, here: str) -> str:
    text = schema.text(value, here)
    if text[0] not in "<>" or not is_digits(text[1:].strip("=")[:1]):
        raise CatalogueError(here, "a comparison such as `<2.0` or `>=2.0`")
    return text


def _pattern(value: Any, here: str) -> str:
    text = schema.text(value, here)
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise CatalogueError(here, f"a regular expression: {error}") from None
    if groups != 1:
        raise CatalogueError(here, "a regular expression with one group, which is the value")
    return text


def _named(value: Any, here: str) -> Slot:
    """Sources, or a mapping with `from` and what separates several files in one value."""
    return _slot(value, here) if isinstance(value, dict) else _slot_sources(value, here)


def _slot_sources(value: Any, here: str) -> Slot:
    return Slot(sources=schema.words(value, here))


def _slot(value: Any, here: str) -> Slot:
    """A constant (53, or a list of them), or a mapping with `from` and `or`."""
    if not isinstance(value, dict):
        return Slot(default=schema.words(value, here))
    fields = schema.fields(
        schema.table(value, here),
        {
            "from": schema.words, "or": schema.words, "take": schema.one_of(*get_args(Take)), "split": schema.text,
            "word": schema.number, "until": schema.text, "after": schema.text, "plus": schema.number, "off": schema.words,
            "unset": schema.words, "option": schema.text, "following": schema.text, "pattern": _pattern, "joined": schema.answer,
        },
        here,
    )  # fmt: skip
    if "from_" not in fields:
        raise CatalogueError(here, "`from` says where the value is written; a constant is written without it")
    fields["sources"] = fields.pop("from_")
    fields["default"] = fields.pop("or_", None)
    return Slot(**fields)


_KEYS: Mapping[str, Piece] = {
    "programs": schema.words, "endings": schema.words, "package": schema.text, "one-dash": schema.answer,
    "activated": schema.one_of("instead", "also"),
    "when": _conditions, "unless": _conditions, "config": _config, "values": schema.words, "variables": schema.words, "really": _others,
    "options-of": _options_of,
    "files": _files, "ends-without": _ends_without, "ends-where": _ends_where, "missing-file": schema.one_of("survives"),
    "changes-to": _slot_sources, "dropped": _dropped,
    "background-where": _ends_where, "node-ports": _slot, "pods": _slot, "in-unit": _in_unit,
    "reader": schema.one_of(READER), "shape": schema.words, "server": _server, "connects": _connects,
    "wrappers": _wrappers, "packages": _by_family, "units": schema.words, "environment": _by_family, "in-repository": _in_repository,
    "traits": _traits, "edit": _edit, "source": schema.text, "understands": schema.patterns,
    "attached": schema.words,
}  # fmt: skip
_OF_CONNECTIONS: Mapping[str, Piece] = {
    "name": schema.text, "keeps": _slot, "why": schema.text, "to": _slot, "bound": _slot, "anew": _slot, "each": schema.text,
    "when": _conditions, "unless": _conditions, "versions": _versions,
}  # fmt: skip
_OF_SOCKETS: Mapping[str, Piece] = {
    "protocols": _protocols, "listen": _slot, "port": _slot, "end-port": _slot, "backlog": _slot, "excepting": _slot, "other-than": _slots,
    "form": schema.one_of(*get_args(Form)), "schemes": schema.pairs, "any": schema.words, "wildcard": _wildcard,
    "zeros-are-dual": schema.answer, "v6only": schema.answer_or_unset, "names": schema.one_of(*get_args(Names)),
    "zero": schema.one_of(*get_args(Zero)), "reuse-address": _reuse, "reuse-port": schema.answer_or_unset, "binds-as": schema.text,
    "on-demand": schema.answer, "random": schema.answer, "each": schema.text, "when": _conditions, "unless": _conditions,
    "without": _without, "versions": _versions, "confidence": schema.one_of(*CONFIDENCES), "why": schema.text, "optional": schema.answer,
    "survives-conflict": schema.answer, "free-bind": _conditions, "lists-interfaces": _conditions,
}  # fmt: skip
