"""portwright.toml: what a repository, or whoever runs a check, asks of it once and for all; each value with the line that says it.

A repository's own file may silence, as its comments may, and change severities; it names no rules to load and no file to read, so that
a change somebody proposes can neither bring conditions of its own nor reach outside. Who names a file with --config vouches for it.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from portwright._start.records import dataclass, field
from portwright.facts import CONFIDENCES
from portwright.finding import SEVERITIES, Severity
from portwright.numbers import decimal
from portwright.trees.ignoring import Pattern, decided, patterns

NAME, PROJECT = "portwright.toml", "pyproject.toml"
_TABLE = "tool.portwright"
_LARGEST = 256 << 10
_MOST_DOTS = 500  # in a line: tomllib takes the square of the parts of a key
_MOST_ENTRIES = 1_000
_RELEASE = re.compile(r"[0-9][0-9A-Za-z.+~_-]{0,99}")
_LONGEST_NAME = 200
_NO_PART_OF_A_NAME = str.maketrans("", "", " \t\"'")

Value = str | int | tuple[str, ...] | None


class ConfigurationError(Exception):
    """A mistake in a configuration; the message names its place."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value and what says it: `portwright.toml:3`, `profile proxy`, an option."""

    value: Value
    origin: str


@dataclass(frozen=True, slots=True)
class Remap:
    """The severity of a rule, or of a family's rules, and why it is another one here."""

    word: str
    severity: Severity
    reason: str
    origin: str


@dataclass(frozen=True, slots=True)
class PerPath:
    """Rules or families whose findings are not counted in the files that the patterns name, and why."""

    paths: tuple[Pattern, ...]
    written: tuple[str, ...]
    ignore: tuple[str, ...]
    reason: str
    origin: str

    def covers(self, path: str, rule: str, family: str) -> bool:
        """Whether it is about a rule's findings in a file, by its path from the directory of the configuration."""
        if rule not in self.ignore and family not in self.ignore:
            return False
        parts = path.split("/")
        # A pattern that names a folder means what lies in it.
        return any(decided(parts[:length], length < len(parts), self.paths) for length in range(1, len(parts) + 1))


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one file says. `path` is how reports name it, `folder` where its patterns begin."""

    path: str = ""
    folder: str = ""
    values: Mapping[str, Said] = field(default_factory=dict)
    severities: tuple[Remap, ...] = ()
    per_path: tuple[PerPath, ...] = ()


# ── where it lies ───────────────────────────────────────────────────────────────────────────────────────────────────


def found(root: str) -> Configuration | None:
    """The configuration at the root of the repository one stands in; None where it has none, or where that lies in a host's files.

    What lies in a host is not obeyed, whoever put it there: not in its root, not in a copy of it, not in a repository below.
    """
    for name in (NAME, PROJECT):
        path = os.path.join(root, name)
        if not os.path.lexists(path):
            continue
        shown = os.path.relpath(path)
        try:
            text = _text(path, shown, is_named=False)
        except ConfigurationError:
            if name == PROJECT:
                continue  # it is other tools' file, and nothing says that it is meant for this one
            raise
        if name == PROJECT and _TABLE not in text:
            continue
        if _in_a_host(root):
            return None
        said = read(text, shown, root, is_named=False)
        if said is not None:
            return said
    return None


def named(path: str) -> Configuration:
    """The configuration that --config names."""
    said = read(_text(path, path, is_named=True), path, os.path.dirname(os.path.abspath(path)), is_named=True)
    if said is None:
        raise ConfigurationError(f"{path}: it has no table [{_TABLE}]")
    return said


def profile(name: str, folder: str) -> Configuration:
    """What a profile says, of those that ship with portwright in this folder."""
    names = sorted(each.removesuffix(".toml") for each in os.listdir(folder) if each.endswith(".toml"))
    if name not in names:
        raise ConfigurationError(f"there is no profile {name!r}; {_nearest(name, names)}")
    path = os.path.join(folder, f"{name}.toml")
    made = read(_text(path, path, is_named=True), f"profile {name}", folder, is_named=True, numbered=False)
    assert made is not None  # noqa: S101  it is no pyproject.toml
    return made


def _in_a_host(root: str) -> bool:
    """Whether a directory is, or lies in, what is laid out as a host; the root of this machine holds everything and does not count."""
    from portwright.audit.inputs import is_etc, is_host
    from portwright.trees import ReadError
    from portwright.trees.directory import DirectoryTree

    here = os.path.abspath(root)
    if here == "/":
        return True
    while here != "/":
        above = os.path.dirname(here)
        try:
            with DirectoryTree(here) as tree:
                if is_host(tree) or is_etc(tree, "/"):
                    return True
        except ReadError:
            pass  # what cannot be looked into is no host to anybody
        here = above
    return False


def _text(path: str, shown: str, *, is_named: bool) -> str:
    """The text of a regular file, which messages call `shown`; one that was found is not reached through a link."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if is_named else os.O_NOFOLLOW)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigurationError(f"{shown}: this is no regular file")
            data = file.read(_LARGEST + 1)
    except OSError as error:
        said = (error.strerror or "it cannot be read").lower()
        if not is_named and os.path.islink(path):
            said = "a configuration that nobody named is reached through no link"
        raise ConfigurationError(f"{shown}: {said}") from None
    if len(data) > _LARGEST:
        raise ConfigurationError(f"{shown}: larger than {_LARGEST >> 10} KiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{shown}: it is not UTF-8") from None


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────


def read(text: str, path: str, folder: str, *, is_named: bool, numbered: bool = True) -> Configuration | None:
    """What a file says; None for a pyproject.toml that says nothing of portwright. Raises ConfigurationError."""
    import tomllib

    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise ConfigurationError(f"{path}:{number}: more than {_MOST_DOTS} dots in one line")
    try:
        document: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path}: it is no TOML: {error}") from None
    prefix = ""
    if os.path.basename(path) == PROJECT:
        tool = document.get("tool")
        document, prefix = tool.get("portwright") if isinstance(tool, dict) else None, f"{_TABLE}."
        if document is None:
            return None
    return _Reader(path, _lines(text, prefix) if numbered else None, is_named).configuration(document, folder)


def _lines(text: str, prefix: str) -> dict[str, int]:
    """The first line of each key by its whole name, `severity.fin-timeout-as-time-wait-cure`; entries of a list of tables by number."""
    found: dict[str, int] = {}
    table, entries = "", dict[str, int]()
    for number, line in enumerate(text.split("\n"), 1):
        beginning = line.lstrip()[:_LONGEST_NAME]
        if beginning.startswith("["):
            table = beginning.lstrip("[").partition("]")[0].translate(_NO_PART_OF_A_NAME)
            if beginning.startswith("[["):
                entries[table] = entries.get(table, -1) + 1
                table = f"{table}.{entries[table]}"
            found.setdefault(table, number)
        elif "=" in beginning:
            name = beginning.partition("=")[0].translate(_NO_PART_OF_A_NAME)
            found.setdefault(f"{table}.{name}" if table else name, number)
    return {name.removeprefix(prefix): number for name, number in found.items() if name.startswith(prefix)}


class _Reader:
    """One document, to be read key by key: a mistake names the line and the nearest word there is."""

    def __init__(self, path: str, lines: Mapping[str, int] | None, is_named: bool) -> None:
        self._path, self._lines, self._is_named = path, lines, is_named

    def configuration(self, document: Any, folder: str) -> Configuration:
        if not isinstance(document, dict):
            raise self._mistake("", "it is no table")
        values: dict[str, Said] = {}
        severities: tuple[Remap, ...] = ()
        per_path: tuple[PerPath, ...] = ()
        for key, value in document.items():
            if key == "severity":
                severities = self._severities(value)
            elif key == "per-path":
                per_path = self._per_path(value)
            elif key == "facts":
                values |= self._facts(value)
            elif key in _VALUES:
                if key == "rules" and not self._is_named:
                    said = "a repository's own file names no rules to load: give it with --config, or the folder with --rules"
                    raise self._mistake(key, said)
                values[key] = Said(_VALUES[key](value, partial(self._mistake, key)), self._origin(key))
            else:
                raise self._mistake(key, f"there is no setting {key!r}; {_nearest(key, KEYS)}")
        return Configuration(self._path, folder, values, severities, per_path)

    def _severities(self, value: Any) -> tuple[Remap, ...]:
        return tuple(self._remap(word, said) for word, said in self._table("severity", value).items())

    def _remap(self, word: str, said: Any) -> Remap:
        key = f"severity.{word}"
        known = self._table(key, said)
        severity, reason = known.get("is"), known.get("reason")
        if severity not in SEVERITIES or not isinstance(reason, str) or not reason.strip() or len(known) > 2:
            raise self._mistake(key, f'write it as {{is = "low", reason = "why"}}; is: {", ".join(SEVERITIES)}')
        return Remap(word, severity, reason.strip(), self._origin(key))

    def _per_path(self, value: Any) -> tuple[PerPath, ...]:
        if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
            raise self._mistake("per-path", f"it is no list of at most {_MOST_ENTRIES} tables: begin each with [[per-path]]")
        return tuple(self._one_path(f"per-path.{number}", each) for number, each in enumerate(value))

    def _one_path(self, key: str, said: Any) -> PerPath:
        known = self._table(key, said)
        for name in known:
            if name not in ("paths", "ignore", "reason"):
                raise self._mistake(f"{key}.{name}", f"there is no {name!r} here; {_nearest(name, ('paths', 'ignore', 'reason'))}")
        reason = known.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise self._mistake(key, 'it has no reason: add reason = "why"')
        paths, ignore = (_texts(known.get(name), partial(self._mistake, f"{key}.{name}")) for name in ("paths", "ignore"))
        if not (paths and ignore):
            raise self._mistake(key, "it needs paths and ignore, each a list of texts")
        return PerPath(patterns(paths), paths, ignore, reason.strip(), self._origin(key))

    def _facts(self, value: Any) -> dict[str, Said]:
        found = {}
        for name, said in self._table("facts", value).items():
            if name not in _FACTS:
                raise self._mistake(f"facts.{name}", f"there is no fact {name!r}; {_nearest(name, _FACTS)}")
            key = f"facts.{name}"
            found[name] = Said(_FACTS[name](said, partial(self._mistake, key)), self._origin(key))
        return found

    def _table(self, key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > _MOST_ENTRIES:
            raise self._mistake(key, f"it is no table of at most {_MOST_ENTRIES} entries")
        return value

    def _origin(self, key: str) -> str:
        if self._lines is None:
            return self._path
        while key and key not in self._lines:
            key = key.rpartition(".")[0]
        return f"{self._path}:{self._lines[key]}" if key else self._path

    def _mistake(self, key: str, said: str) -> ConfigurationError:
        return ConfigurationError(f"{self._origin(key)}: {f'{key}: ' if key else ''}{said}")


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(word[:100], names, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"there is {', '.join(names)}"


_Refuse = Callable[[str], ConfigurationError]


def _texts(value: Any, refuse: _Refuse) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ENTRIES or not all(isinstance(each, str) and each for each in value):
        raise refuse(f"it is no list of at most {_MOST_ENTRIES} texts")
    return tuple(value)


def _one_of(choices: Sequence[str]) -> Callable[[Any, _Refuse], str]:
    def read(value: Any, refuse: _Refuse) -> str:
        if value not in choices or not isinstance(value, str):
            raise refuse(f"it is none of {', '.join(choices)}")
        return value

    return read


def _word(value: Any, refuse: _Refuse) -> str:
    if not isinstance(value, str) or not value:
        raise refuse("it is no text")
    return value


def _release(value: Any, refuse: _Refuse) -> str:
    if not isinstance(value, str) or not _RELEASE.fullmatch(value):
        raise refuse('it is no release, such as "6.1"')
    return value


def _count(value: Any, refuse: _Refuse) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not decimal(str(value), 9_999_999):
        raise refuse("it is no number from 1 to 9999999")
    return value


_VALUES: Mapping[str, Callable[[Any, _Refuse], Value]] = {
    "profile": _word,
    "select": _texts,
    "ignore": _texts,
    "extend-select": _texts,
    "rules": _texts,
    "exclude": _texts,
    "fail-on": _one_of((*SEVERITIES, "never")),
    "min-confidence": _one_of(CONFIDENCES),
}
_FACTS: Mapping[str, Callable[[Any, _Refuse], Value]] = {"rate": _count, "kernel": _release, "systemd": _release}
KEYS = (*_VALUES, "severity", "per-path", "facts")
