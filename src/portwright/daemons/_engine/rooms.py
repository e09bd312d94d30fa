"""The rooms: one folder each daemon, and the descriptor in it; which program, or script, leads to which.

A wheel carries the descriptors as a module of plain data (`source`). In a checkout a run loads only those of the programs it meets: which
programs there are is found by scanning the files' lines.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from os import scandir
from os.path import dirname
from typing import Any

from portwright._start import compiled
from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, fields, replace
from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.keys import descriptor
from portwright.daemons._engine.schema import CatalogueError
from portwright.shipped import brought

DAEMONS = dirname(dirname(__file__))
FILE = "descriptor.yaml"
TEXTS = "compiled_rooms"  # the file beside the module `catalogue` of a wheel
_KINDS = f"{dirname(__file__)}/kinds.yaml"
_SHELVES = ("", "interpreters/")  # where rooms stand
_PROGRAMS = lazy_regex(r"programs: \[(.+)\]$")
_SHAPE = lazy_regex(r"shape: \[(.+)\]$")
_ENDINGS = lazy_regex(r"endings: \[(.+)\]$")
_UNITS = lazy_regex(r"units: \[(.+)\]$")
_PATH = lazy_regex(r"- path: (/\S+)$")
_LISTED = lazy_regex(r"  (names|under|suffixes|words|kinds): \[(.+)\]$")


@dataclass(frozen=True, slots=True)
class Index:
    """What a run knows of all rooms before it looks into one.

    `folders` are the rooms by the name of their daemon, below daemons/. `programs` are the names of programs, and the paths of scripts,
    with the daemon they start; `patterns` the beginnings of programs' names. `shaped` are daemons that their reader also tells by their
    arguments, and what an Invocation must have that it is asked. `names` and `under` are the file names, and ends of paths, that one
    daemon's config goes by in a repository; `suffixes` and `words` make a file there worth a look; `recognisers` are daemons whose room
    tells their configs by what they say. `endings` are those of scripts' names, with the interpreter that runs them.
    `kinds` are kinds of a repository's files, told by more than their names, with the daemon whose room reads them.
    """

    folders: Mapping[str, str]
    programs: Mapping[str, str]
    patterns: tuple[tuple[str, str], ...]
    shaped: tuple[tuple[str, tuple[str, ...]], ...]
    names: Mapping[str, str]
    under: Mapping[str, str]
    suffixes: tuple[str, ...]
    words: tuple[str, ...]
    recognisers: tuple[str, ...]
    endings: Mapping[str, str]
    kinds: Mapping[str, str]


@lru_cache(maxsize=1)
def index() -> Index:
    """The index of all rooms. Raises CatalogueError and BroughtError for what others bring."""
    made = compiled.load("catalogue")
    found = scanned(DAEMONS) if made is None else Index(*made.INDEX)
    return _with_others(found) if brought("daemons") else found


@lru_cache(maxsize=4096)
def daemon_of(program: str) -> str | None:
    """The name of the daemon that a program of this name, or a script of this path, starts; None where nobody knows it."""
    found = index()
    return found.programs.get(program) or next((name for start, name in found.patterns if program.startswith(start)), None)


def of_unit(unit: str) -> str | None:
    """The name of the daemon that a package's unit of this name starts; None where nobody knows it."""
    return _units().get(unit)


@lru_cache(maxsize=1)
def _units() -> dict[str, str]:
    """The units that packages install, with their daemons; few hosts ask."""
    made = compiled.load("catalogue")
    own = units_of(DAEMONS) if made is None else _of_text(made.UNITS)
    return {**{unit: name for name, _, room in _others() for unit in room.units}, **own} if brought("daemons") else own


@lru_cache(maxsize=1)
def _others() -> tuple[tuple[str, str, Descriptor], ...]:
    """The rooms that other distributions bring."""
    from portwright.daemons._engine.brought import rooms

    return tuple(each for folder in brought("daemons") for each in rooms(folder, load, _kinds(), FILE))


def _with_others(own: Index) -> Index:
    """The index with the rooms that others bring, of which none takes the place of another."""
    folders, programs, patterns = dict(own.folders), dict(own.programs), dict(own.patterns)
    names, under = dict(own.names), dict(own.under)
    for name, folder, room in _others():
        place = f"{folder}/{FILE}"
        plain = [program for program in room.programs if not program.endswith("*")]
        starts = [program[:-1] for program in room.programs if program.endswith("*")]
        _claim(folders, [name], folder, "daemon", place)
        _claim(programs, plain, name, "program", place)
        _claim(patterns, starts, name, "program", place)
        _claim(names, room.in_repository.names, name, "file", place)
        _claim(under, room.in_repository.under, name, "file", place)
    return replace(
        own,
        folders=dict(sorted(folders.items())),
        programs=programs,
        patterns=tuple(sorted(patterns.items())),
        names=names,
        under=under,
    )


def _claim(taken: dict[str, str], words: Iterable[str], by: str, what: str, place: str) -> None:
    for word in words:
        if word in taken:
            owner = taken[word].rpartition("/")[2]
            raise CatalogueError(place, f"the {what} {word} is known already, of {owner}; no room replaces another")
        taken[word] = by


def units_of(daemons: str) -> dict[str, str]:
    """The units that the rooms below a folder name; of two rooms that name one, the room of its name has it."""
    found: dict[str, str] = {}
    for folder, text in sorted(_descriptors(daemons)):
        name = folder.rpartition("/")[2].replace("_", "-")
        for line in text.splitlines():
            for unit in said[1].split(",") if (said := _UNITS.match(line)) else ():
                bare = unit.strip().strip("'")
                if bare not in found or bare.rpartition(".")[0] == name:
                    found[bare] = name
    return dict(sorted(found.items()))


def folder_of(program: str) -> str:
    """The folder, below daemons/, of the room of a program; "" where it has none."""
    name = daemon_of(program)
    return "" if name is None else index().folders[name]


@lru_cache(maxsize=512)
def room(name: str) -> Descriptor:
    """The descriptor of a daemon. Raises KeyError where no room is called so, and CatalogueError where it is none."""
    return descriptor(name, _data(name), _kinds(), f"{index().folders[name]}/{FILE}")


def every() -> tuple[Descriptor, ...]:
    """All descriptors, by name; reads every file."""
    return tuple(room(name) for name in index().folders)


def source() -> tuple[str, bytes]:
    """All of it as a wheel carries it: the source of a module, and the file of the rooms' data beside it.

    In the file each room is the text of its data, and the module says where: of hundreds a run reads few.
    """
    places: dict[str, tuple[int, int]] = {}
    texts = b""
    found = scanned(DAEMONS)
    for name, folder in found.folders.items():
        text = repr(load(f"{DAEMONS}/{folder}/{FILE}")).encode("utf-8", "strict")
        places[name] = len(texts), len(text)
        texts += text
    module = (
        '"""Made of the rooms by the build (portwright.daemons._engine.rooms)."""',
        f"INDEX = ({', '.join(repr(getattr(found, field.name)) for field in fields(Index))})",
        f"UNITS = {repr(units_of(DAEMONS))!r}",
        f"KINDS = {repr(load(_KINDS))!r}",
        f"PLACES = {places!r}",
        "",
    )
    return "\n".join(module), texts


def load(path: str) -> dict[str, Any]:
    """A file of plain data, every scalar as text. Raises CatalogueError where it is no mapping."""
    import yaml

    place = path.removeprefix(f"{DAEMONS}/")
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        with open(path, encoding="utf-8") as file:
            data = yaml.load(file, Loader=loader)  # noqa: S506  BaseLoader makes nothing but text, lists and mappings
    except yaml.YAMLError as error:
        raise CatalogueError(place, f"not YAML: {error}") from None
    if not isinstance(data, dict):
        raise CatalogueError(place, "a mapping of keys to what is known of the daemon")
    return data


def scanned(daemons: str) -> Index:
    """The index of the rooms below a folder, by the lines of their descriptors that say it."""
    folders: dict[str, str] = {}
    claims: list[tuple[str, str]] = []
    distinguishing: list[tuple[str, str]] = []  # those of rooms that tell others with the same program apart
    shaped: list[tuple[str, tuple[str, ...]]] = []
    listed: dict[str, dict[str, str]] = {"names": {}, "under": {}, "suffixes": {}, "words": {}, "kinds": {}}
    recognisers: list[str] = []
    endings: dict[str, str] = {}
    for folder, text in sorted(_descriptors(daemons)):
        name = folder.rpartition("/")[2].replace("_", "-")
        folders[name] = folder
        own: list[tuple[str, str]] = []
        tells_apart = False
        for line in text.splitlines():
            if line.startswith("programs: ") and (programs := _PROGRAMS.match(line)):
                own += ((program.strip(), name) for program in programs[1].split(","))
            elif line.startswith("- path: ") and (script := _PATH.match(line)):
                own.append((script[1], name))
            elif line.startswith("really:"):
                tells_apart = True
            elif line.startswith("shape: ") and (marks := _SHAPE.match(line)):
                shaped.append((name, tuple(mark.strip() for mark in marks[1].split(","))))
            elif line.startswith("  ") and (said := _LISTED.match(line)):
                listed[said[1]].update((item.strip().strip("'"), name) for item in said[2].split(","))
            elif line.startswith("endings: ") and (said := _ENDINGS.match(line)):
                endings.update((ending.strip(), name) for ending in said[1].split(","))
            elif line.startswith("  recogniser: "):
                recognisers.append(name)
        (distinguishing if tells_apart else claims).extend(own)
    every = [*claims, *distinguishing]
    return Index(
        dict(sorted(folders.items())),
        {program: name for program, name in every if not program.endswith("*")},
        tuple(sorted((program[:-1], name) for program, name in every if program.endswith("*"))),
        tuple(sorted(shaped)),
        listed["names"],
        listed["under"],
        tuple(sorted(listed["suffixes"])),
        tuple(sorted(listed["words"])),
        tuple(sorted(recognisers)),
        endings,
        listed["kinds"],
    )


def _descriptors(daemons: str) -> Iterator[tuple[str, str]]:
    """The folder of each room and the text of its descriptor."""
    for shelf in _SHELVES:
        for entry in scandir(f"{daemons}/{shelf}"):
            try:
                with open(f"{daemons}/{shelf}{entry.name}/{FILE}", encoding="utf-8") as file:
                    yield f"{shelf}{entry.name}", file.read()
            except (FileNotFoundError, NotADirectoryError):
                continue


def _data(name: str) -> dict[str, Any]:
    folder = index().folders[name]
    made = compiled.load("catalogue")
    if made is None or folder.startswith("/"):
        return load(os.path.join(DAEMONS, folder, FILE))
    start, length = made.PLACES[name]
    with open(f"{dirname(made.__file__)}/{TEXTS}", "rb", buffering=0) as file:
        file.seek(start)
        return _of_text(file.read(length).decode("utf-8"))


@lru_cache(maxsize=1)
def _kinds() -> dict[str, Any]:
    made = compiled.load("catalogue")
    return load(_KINDS) if made is None else _of_text(made.KINDS)


def _of_text(text: str) -> dict[str, Any]:
    """The data that its own text in the module of the build stands for."""
    return eval(text, {"__builtins__": {}})  # type: ignore[no-any-return]  # noqa: S307  a literal that `source` wrote
