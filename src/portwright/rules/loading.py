"""Folders of rule files become rules, or the first mistake in them."""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from portwright._start import compiled
from portwright.rules.rule import Rule
from portwright.shipped import folder
from portwright.source import RuleError, Span

if TYPE_CHECKING:
    from portwright.trees.directory import DirectoryTree

_MOST_RULES = 1000
_MOST_BYTES = 4 << 20  # of all files of a folder together
_MOST_NAMES = 100_000  # of all folders of a folder together


def load(directories: Iterable[str | os.PathLike[str]]) -> tuple[Rule, ...]:
    """Every rule of these folders, by family and id; raises RuleError at the first mistake.

    Rules that were not shipped are held against the JSON Schema, too (the shipped ones are in the tests).
    """
    rules: dict[str, Rule] = {}
    for directory in {os.path.realpath(each): os.fspath(each) for each in directories}.values():
        if not os.path.isdir(directory):
            raise RuleError(Span.whole(directory), "no such folder of rules")
        for found in _shipped(directory) if is_shipped(directory) else foreign(directory):
            twin = rules.get(found.id)
            if twin is not None:
                said = f"there is already a rule {found.id}: {twin.path}; no rule replaces another, so choose another id"
                raise RuleError(found.at, said)
            rules[found.id] = found
    return tuple(sorted(rules.values(), key=lambda each: (each.family, each.id)))


def is_shipped(directory: str | os.PathLike[str]) -> bool:
    """Whether these are the rules that portwright brings along."""
    return os.path.samefile(directory, folder("rules"))


@cache
def _shipped(directory: str) -> tuple[Rule, ...]:
    made = compiled.load("rules")
    return read_all(directory) if made is None else made.rules(directory)


def read_all(directory: str) -> tuple[Rule, ...]:
    """The rules of a folder of families as its files say them."""
    from pathlib import Path

    from portwright.rules.grammar import read

    return tuple(read(_decoded(path.read_bytes(), str(path)), str(path)) for path in sorted(Path(directory).glob("*/*.yaml")))


def foreign(directory: str) -> Iterator[Rule]:
    """Somebody's own rules: FAMILY/ID.yaml, or ID.yaml in the folder itself, whose name then is the family.

    The folder is read as a host is: a link leads nowhere outside it, and devices, pipes and sockets are not read.
    """
    from portwright.rules.grammar import read
    from portwright.rules.json_schema import validate

    found = False
    for path, family, text in _texts(directory):
        found = True
        try:
            made = read(text, path, family)
            validate(text, path)
        except RuleError as error:
            raise RuleError(error.at, error.reason if len(error.reason) <= 2000 else f"{error.reason[:1999]}…") from None
        yield made
    if not found:
        raise RuleError(Span.whole(directory), "no rule is in this folder: a rule is a file ID.yaml or FAMILY/ID.yaml in it")


def _texts(directory: str) -> Iterator[tuple[str, str, str]]:
    """(path, family, text) of each rule file."""
    from portwright.trees import ReadError
    from portwright.trees.directory import DirectoryTree

    left = _MOST_BYTES
    with DirectoryTree(directory) as tree:
        path = directory
        try:
            for number, (name, family) in enumerate(_names(tree, directory, os.path.basename(os.path.realpath(directory)))):
                path = f"{directory}{name}"
                if number == _MOST_RULES:
                    raise RuleError(Span.whole(directory), f"more than {_MOST_RULES} rules")
                data = tree.read(name)
                if data is None:
                    raise RuleError(Span.whole(path), f"a link to {tree.link(name)}, where this folder of rules has nothing")
                left -= len(data)
                if left < 0:
                    raise RuleError(Span.whole(path), f"more than {_MOST_BYTES >> 20} MiB of rules in one folder")
                yield path, family, _decoded(data, path)
        except ReadError as error:
            raise RuleError(Span.whole(f"{directory}{error.path}".rstrip("/")), error.reason) from None
        except OSError as error:
            raise RuleError(Span.whole(path), (error.strerror or str(error)).lower()) from None


def _names(tree: "DirectoryTree", where: str, own: str) -> Iterator[tuple[str, str]]:
    """(path in the folder, family) of each rule file; hidden names are none. `where` is the folder, `own` its family."""
    from portwright.rules.grammar import FAMILY

    names = [name for name in tree.names("/") if not name.startswith(".")]
    for name in names:
        if _is_yaml(name) and tree.kind(f"/{name}") != "directory":
            yield f"/{name}", own if FAMILY.fullmatch(own) else "own"
    left = _MOST_NAMES - len(names)
    for family in names:
        if tree.kind(f"/{family}") == "directory":
            inner = tree.names(f"/{family}")
            left -= 1 + len(inner)
            if left < 0:
                raise RuleError(Span.whole(f"{where}/{family}"), f"more than {_MOST_NAMES} names in a folder of rules and those in it")
            for name in inner:
                if _is_yaml(name) and not name.startswith(".") and tree.kind(f"/{family}/{name}") != "directory":
                    yield f"/{family}/{name}", family


def _is_yaml(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleError(Span(path, line, 1, line, 1), "not UTF-8") from error
