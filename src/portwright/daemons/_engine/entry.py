"""An entry of the catalogue: plain data from YAML becomes what the reader works with, or a sentence that teaches.

The words are explained in entries/README.md.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from portwright._start.records import dataclass, field, replace
from portwright.facts import CONFIDENCES, Confidence, Protocol

Form = Literal["socket", "address", "at", "comma", "milter", "transport"]
Names = Literal["all", "first", "inet"]
Zero = Literal["off", "random"]
Take = Literal["last", "first", "every"]

WILDCARDS: Mapping[str, tuple[str, ...]] = {
    "dual": ("*",),
    "both": ("0.0.0.0", "::"),  # noqa: S104  compared, never bound
    "inet": ("0.0.0.0",),  # noqa: S104
    "inet6": ("::",),
    "loopback": ("127.0.0.1", "::1"),
    "loopback-inet": ("127.0.0.1",),
}
FORMATS = (
    "words", "words-equals", "plain", "ini", "assignments", "properties", "toml", "clauses", "knot", "named", "dovecot", "bacula",
    "gmond", "nats", "json", "lua", "lighttpd", "icinga", "libconfig", "xml", "tags", "yaml", "rainer", "perl",
)  # fmt: skip
_ANSWERS = {"yes": True, "no": False}


class CatalogueError(Exception):
    """A mistake in the catalogue: `place` is the file, the entry and the key."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value comes from: the first of `sources` that says it, else `default` (None: nowhere).

    `take` says which of several occurrences counts; `split` are characters between values; `word` is the one word of each occurrence
    that counts; `after` and `until` cut a value at some text; `plus` is added to a port; `off` are values that mean none, `unset` those
    that mean the default. `option`: the value is a command line, and what follows this option in it is meant.
    """

    sources: tuple[str, ...] = ()
    default: tuple[str, ...] | None = None
    take: Take = "last"
    split: str = ""
    word: int | None = None
    until: str = ""
    after: str = ""
    plus: int = 0
    off: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    option: str = ""


Conditions = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Socket:
    """Sockets that one daemon opens for one purpose."""

    protocols: tuple[Protocol, ...] = ("tcp",)
    listen: Slot | None = None
    port: Slot | None = None
    end_port: Slot | None = None
    backlog: Slot | None = None
    form: Form = "socket"
    schemes: tuple[tuple[str, str], ...] = ()
    any: tuple[str, ...] = ("", "*")
    wildcard: tuple[str, ...] = ("0.0.0.0",)  # noqa: S104
    zeros_are_dual: bool = False
    v6only: bool | None = None
    names: Names = "all"
    zero: Zero = "off"
    reuse_address: bool | Literal["tcp"] | None = None
    reuse_port: bool | None = False
    binds_as: str | None = None
    on_demand: bool = False
    random: bool = False
    each: str | None = None
    when: Conditions = ()
    unless: Conditions = ()
    versions: str = ""
    confidence: Confidence = "certain"
    why: str = ""
    optional: bool = False
    survives_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Connects:
    """Connections that one daemon makes again and again to `name`; `keeps` says whether it keeps them open, `why` what it does if not."""

    name: str
    keeps: Slot
    why: str


@dataclass(frozen=True, slots=True)
class Config:
    """Which files a daemon reads, in which grammar, and what includes others (directive to what is appended to its value).

    `under` names files whose settings stand in a section of a name that only the file's own name tells.
    """

    format: str
    named: Slot = Slot()
    paths: tuple[str, ...] = ()
    every: bool = False
    include: tuple[tuple[str, str], ...] = ()
    relative: str = ""
    drop_ins: tuple[str, ...] = ()
    directories: Slot = Slot()
    unless: Conditions = ()
    under: tuple[tuple[str, str], ...] = ()
    needed: bool = False
    once: bool = False


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A script that starts the daemon: the variables it reads, and the command line it makes of them."""

    path: str
    argv: tuple[str, ...]
    variables: tuple[str, ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()
    when: Conditions = ()
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """The setting that says how many connections a daemon takes, a descriptor each, and what becomes of it where it may not have them."""

    connections: Slot
    setting: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One daemon; `really` names another one whose program has the same name, and how it is told apart."""

    name: str
    programs: tuple[str, ...]
    sockets: tuple[Socket, ...]
    connects: tuple[Connects, ...] = ()
    config: Config | None = None
    wrappers: tuple[Wrapper, ...] = ()
    package: str = ""
    one_dash: bool = False
    activated: Literal["instead", "also"] = "also"
    when: Conditions = ()
    unless: Conditions = ()
    values: tuple[str, ...] = field(default=())
    variables: tuple[str, ...] = ()
    really: tuple[tuple[str, Conditions], ...] = ()
    files: Files | None = None


def entry(name: str, data: Mapping[str, Any], kinds: Mapping[str, Mapping[str, Any]], place: str) -> Entry:
    """The entry that plain data (all scalars are text) describes; `kinds` are what `like` may name. Raises CatalogueError."""
    here = f"{place}: {name}"
    given = _table(data, here)
    common = _common(given.pop("like", None), kinds, here)
    known = {
        "programs": _words, "package": _text, "one-dash": _answer, "activated": _one_of("instead", "also"), "when": _conditions,
        "unless": _conditions, "config": _config, "values": _words, "variables": _words, "really": _others, "files": _files,
    }  # fmt: skip
    given = {**{key: value for key, value in common.items() if key in known}, **given}
    common = {key: value for key, value in common.items() if key not in known}
    sockets = given.pop("sockets", None)
    wrappers = given.pop("wrappers", [])
    connects = given.pop("connects", [])
    fields = _fields(given, known, here)
    if not fields.get("programs"):
        raise CatalogueError(here, "`programs` says which programs start it; without one it is never read")
    if not isinstance(sockets, list):
        raise CatalogueError(f"{here}.sockets", "a list of what it binds (an empty one for a daemon that binds nothing)")
    if not isinstance(connects, list):
        raise CatalogueError(f"{here}.connects", "a list of what it connects to again and again")
    if not isinstance(wrappers, list):
        raise CatalogueError(f"{here}.wrappers", "a list of scripts that start it")
    return Entry(
        name=name,
        sockets=tuple(_socket({**common, **_table(each, f"{here}.sockets[{number}]")}, kinds, f"{here}.sockets[{number}]")
                      for number, each in enumerate(sockets)),
        connects=tuple(_connects(each, f"{here}.connects[{number}]") for number, each in enumerate(connects)),
        wrappers=tuple(_wrapper(each, f"{here}.wrappers[{number}]") for number, each in enumerate(wrappers)),
        **fields,
    )  # fmt: skip


def _common(like: Any, kinds: Mapping[str, Mapping[str, Any]], here: str) -> dict[str, Any]:
    if like is None:
        return {}
    if not isinstance(like, str) or like not in kinds:
        raise CatalogueError(f"{here}.like", f"{like!r} is none of the kinds: {', '.join(sorted(kinds))}")
    return dict(kinds[like])


def _socket(data: dict[str, Any], kinds: Mapping[str, Mapping[str, Any]], here: str) -> Socket:
    given = {**_common(data.get("like"), kinds, here), **data}
    given.pop("like", None)
    given.pop("one-dash", None)
    fields = _fields(
        given,
        {
            "protocols": _protocols, "listen": _slot, "port": _slot, "end-port": _slot, "backlog": _slot, "form": _one_of(*get_args(Form)),
            "schemes": _pairs, "any": _words, "wildcard": _wildcard, "zeros-are-dual": _answer, "v6only": _answer_or_unset,
            "names": _one_of(*get_args(Names)), "zero": _one_of(*get_args(Zero)), "reuse-address": _reuse, "reuse-port": _answer_or_unset,
            "binds-as": _text, "on-demand": _answer, "random": _answer, "each": _text, "when": _conditions, "unless": _conditions,
            "versions": _versions, "confidence": _one_of(*CONFIDENCES), "why": _text, "optional": _answer, "survives-conflict": _answer,
        },
        here,
    )  # fmt: skip
    made = Socket(**fields)
    if made.port is None and made.listen is None and not made.random:
        raise CatalogueError(here, "neither `port` nor `listen` nor `random`: nothing says what it binds")
    return replace(made, any=("", "*", *made.any))


def _connects(value: Any, here: str) -> Connects:
    fields = _fields(_table(value, here), {"name": _text, "keeps": _slot, "why": _text}, here)
    if len(fields) != len(("name", "keeps", "why")):
        raise CatalogueError(here, "a connection has a `name`, a setting that `keeps` it open, and a `why` for where it does not")
    return Connects(**fields)


def _config(value: Any, here: str) -> Config:
    given = _table(value, here)
    fields = _fields(
        given,
        {
            "format": _one_of(*FORMATS), "from": _slot_sources, "or": _words, "every": _answer, "include": _includes, "relative": _text,
            "drop-ins": _words, "directories": _slot_sources, "unless": _conditions, "needed": _answer, "under": _pairs,
            "once": _answer,
        },
        here,
    )  # fmt: skip
    if "format" not in fields:
        raise CatalogueError(here, "a config has a `format`")
    fields["named"] = fields.pop("from_", Slot())
    fields["paths"] = fields.pop("or_", ())
    return Config(**fields)


def _files(value: Any, here: str) -> Files:
    fields = _fields(_table(value, here), {"connections": _slot_sources, "setting": _text, "otherwise": _text}, here)
    if len(fields) != 3:
        raise CatalogueError(here, "files has `connections`, the `setting` as people know it, and what happens `otherwise`")
    return Files(**fields)


def _wrapper(value: Any, here: str) -> Wrapper:
    fields = _fields(
        _table(value, here),
        {"path": _text, "argv": _words, "variables": _words, "defaults": _pairs, "when": _conditions, "user": _text},
        here,
    )
    if "path" not in fields or not fields.get("argv"):
        raise CatalogueError(here, "a wrapper has a `path` and the `argv` it starts")
    return Wrapper(**fields)


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Piece = Callable[[Any, str], Any]


def _fields(given: Mapping[str, Any], known: Mapping[str, Piece], here: str) -> dict[str, Any]:
    found = {}
    for key, value in given.items():
        read = known.get(key)
        if read is None:
            raise CatalogueError(f"{here}.{key}", f"no such key; it may be one of: {', '.join(sorted(known))}")
        name = key.replace("-", "_")
        found[f"{name}_" if name in ("from", "or") else name] = read(value, f"{here}.{key}")
    return found


def _table(value: Any, here: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise CatalogueError(here, "a mapping of keys to values")
    return dict(value)


def _text(value: Any, here: str) -> str:
    if not isinstance(value, str) or not value:
        raise CatalogueError(here, "one text")
    return value


def _words(value: Any, here: str) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise CatalogueError(here, "one text or a list of them")
    return tuple(items)


def _answer(value: Any, here: str) -> bool:
    if value not in _ANSWERS:
        raise CatalogueError(here, f"yes or no, not {value!r}")
    return _ANSWERS[value]


def _answer_or_unset(value: Any, here: str) -> bool | None:
    return None if value == "unset" else _answer(value, here)


def _reuse(value: Any, here: str) -> bool | Literal["tcp"] | None:
    return "tcp" if value == "tcp" else _answer_or_unset(value, here)


def _one_of(*allowed: str) -> Piece:
    def read(value: Any, here: str) -> str:
        if value not in allowed:
            raise CatalogueError(here, f"{value!r} is none of: {', '.join(allowed)}")
        return str(value)

    return read


def _protocols(value: Any, here: str) -> tuple[str, ...]:
    found = _words(value, here)
    for each in found:
        _one_of(*get_args(Protocol))(each, here)
    return found


def _wildcard(value: Any, here: str) -> tuple[str, ...]:
    return WILDCARDS[_one_of(*WILDCARDS)(value, here)]


def _pairs(value: Any, here: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, _words(item, f"{here}.{key}")[0]) for key, item in _table(value, here).items())


def _includes(value: Any, here: str) -> tuple[tuple[str, str], ...]:
    return _pairs(value, here) if isinstance(value, dict) else tuple((key, "") for key in _words(value, here))


def _conditions(value: Any, here: str) -> Conditions:
    return tuple((key, _words(item, f"{here}.{key}")) for key, item in _table(value, here).items())


def _others(value: Any, here: str) -> tuple[tuple[str, Conditions], ...]:
    return tuple((name, _conditions(item, f"{here}.{name}")) for name, item in _table(value, here).items())


def _versions(value: Any, here: str) -> str:
    text = _text(value, here)
    if text[0] not in "<>" or not text[1:].strip("=")[:1].isdigit():
        raise CatalogueError(here, "a comparison such as `<2.0` or `>=2.0`")
    return text


def _slot_sources(value: Any, here: str) -> Slot:
    return Slot(sources=_words(value, here))


def _slot(value: Any, here: str) -> Slot:
    """A constant (53, or a list of them), or a mapping with `from` and `or`."""
    if not isinstance(value, dict):
        return Slot(default=_words(value, here))
    fields = _fields(
        _table(value, here),
        {
            "from": _words, "or": _words, "take": _one_of(*get_args(Take)), "split": _text, "word": _number, "until": _text, "after": _text,
            "plus": _number, "off": _words, "unset": _words, "option": _text,
        },
        here,
    )  # fmt: skip
    if "from_" not in fields:
        raise CatalogueError(here, "`from` says where the value is written; a constant is written without it")
    fields["sources"] = fields.pop("from_")
    fields["default"] = fields.pop("or_", None)
    return Slot(**fields)


def _number(value: Any, here: str) -> int:
    text = _text(value, here)
    if not text.removeprefix("-").isdigit():
        raise CatalogueError(here, f"a number, not {text!r}")
    return int(text)
