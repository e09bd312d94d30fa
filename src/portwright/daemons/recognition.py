"""Whose config a file of a repository is, and where on a host it goes: the rooms say how theirs are told."""

import re
from functools import cache
from importlib import import_module
from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine import rooms
from portwright.daemons._engine.candidate import LOOKED_THROUGH, Candidate, Likeness
from portwright.daemons._engine.descriptor import Descriptor, InRepository

_WORD = lazy_regex(r"[^-_]+")


def is_daemon(name: str) -> bool:
    """Whether a daemon is called so."""
    return name in rooms.index().folders


def named_so(folders: tuple[str, ...], name: str) -> bool:
    """Whether some daemon's config goes by this name, or lies at a place that ends so."""
    index = rooms.index()
    return name in index.names or (bool(folders) and f"{folders[-1]}/{name}" in index.under)


def worth_a_look(folders: tuple[str, ...], name: str) -> bool:
    """Whether a file's path alone could be that of some daemon's config; `name` is without what templates and copies add."""
    index = rooms.index()
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and suffix in index.suffixes:
        return True
    return name in index.suffixes or (not (dot and stem) and _has_word(name)) or (bool(folders) and _has_word(folders[-1]))


def named(file: Candidate) -> str | None:
    """The daemon whose config goes by this name, or lies at a place that ends so; its text must not speak against it."""
    index = rooms.index()
    name = index.names.get(file.name)
    if name is None and file.folders:
        name = index.under.get(f"{file.parent}/{file.name}")
        if name is not None and not _may_say(name, file.text):
            return None
    return name if name is not None and file.text.strip() else None


def of_kind(kind: str) -> str | None:
    """The daemon whose room reads files of this kind on their own, None where no room does."""
    return rooms.index().kinds.get(kind)


def has_own_name(name: str) -> bool:
    """Whether only one daemon's config goes by this name."""
    return name in rooms.index().names


def told(file: Candidate) -> tuple[str, Likeness] | None:
    """The daemon whose room takes a file for a config of its own, and what it is told by; a piece only where nobody is surer.

    Rooms that the name of the file speaks of are asked first, and the others only where none of those is sure.
    """
    recognisers = rooms.index().recognisers
    spoken_of = [name for name in recognisers if name in file.lower_name]
    piece = None
    for name in (*spoken_of, *(name for name in recognisers if name not in spoken_of)):
        likeness = _module(name).recognise(file)
        if likeness == "piece":
            piece = piece or name
        elif likeness is not None:
            return name, likeness
    return None if piece is None else (piece, "piece")


def place(name: str, file: Candidate) -> str | None:
    """Where on a host a config of this daemon goes, None where nobody can tell."""
    found = rooms.room(name)
    said = found.in_repository
    if said.recogniser and hasattr(module := _module(name), "place"):
        placed: str | None = module.place(file)
        return placed
    for folder, there in said.folders:
        if file.parent == folder:
            return f"{there}/{file.name}"
    known = [path for path in _paths(found) if path.rpartition("/")[2] == file.name]
    if known:
        return known[0]
    if said.place:
        return said.place.replace("{}", file.name)
    # Its main config under another name; what only its folder tells may be a piece of it.
    return next(iter(_paths(found)), None) if file.name in said.names else None


def is_place(name: str, path: str) -> bool:
    """Whether a path of a host is one where this daemon looks for its config."""
    return any(part in path for part in rooms.room(name).in_repository.places or ("/",))


def spelt_out(name: str, file_name: str) -> str | None:
    """The place that a file's own name spells out (`etc_nginx_conf.d_app.conf`), None where it spells none of this daemon's."""
    found = rooms.room(name)
    folders = {there for _, there in found.in_repository.folders} | {path.rpartition("/")[0] for path in _paths(found)}
    if found.in_repository.place:
        folders.add(found.in_repository.place.rpartition("/")[0])
    for folder in sorted(folders, key=len, reverse=True):
        flat = folder.lstrip("/").replace("/", "_") + "_"
        if file_name.startswith(flat):
            return f"{folder}/{file_name.removeprefix(flat)}"
    return None


def is_main(path: str, name: str) -> bool:
    """Whether a path is, by its name, that of a whole config of this daemon, and not of a piece that another file includes."""
    base = path.rpartition("/")[2]
    return is_daemon(name) and any(each.rpartition("/")[2] == base for each in _paths(rooms.room(name)))


def traits_in_repository(name: str) -> InRepository:
    """What else is known of this daemon's configs in a repository."""
    return rooms.room(name).in_repository if is_daemon(name) else InRepository()


def main_path(name: str) -> str:
    """Where on a host this daemon looks for its main config first."""
    return _paths(rooms.room(name))[0]


def _paths(found: Descriptor) -> tuple[str, ...]:
    paths = found.config.paths.all if found.config is not None else ()
    return tuple(path for path in paths if path.startswith("/") and not {"*", "{"} & set(path))


def _has_word(name: str) -> bool:
    return not set(rooms.index().words).isdisjoint(_WORD.findall(name))


def _may_say(name: str, text: str) -> bool:
    patterns = rooms.room(name).in_repository.text
    return not patterns or any(_pattern(pattern).search(text, 0, LOOKED_THROUGH) for pattern in patterns)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.MULTILINE)


@cache
def _module(name: str) -> Any:
    folder = rooms.index().folders[name].replace("/", ".")
    return import_module(f"portwright.daemons.{folder}.{rooms.room(name).in_repository.recogniser.removesuffix('.py')}")
