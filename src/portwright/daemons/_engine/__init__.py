"""Daemons that a description is enough for: which of their settings say where they listen; one YAML entry each in entries/.

A wheel carries them as a module of plain data. In a checkout a run loads only the file that holds the entry of a program it meets: which
programs there are is found by scanning the files' lines.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from os.path import dirname
from typing import TYPE_CHECKING, Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.daemons._engine.entry import CatalogueError, Entry, Wrapper, entry
from portwright.daemons._engine.settings import Settings, assigned, is_yes
from portwright.daemons._engine.sockets import endpoints
from portwright.facts import Endpoint, FileNeed, Invocation, Outbound
from portwright.shipped import compiled
from portwright.source import Span, Word
from portwright.system.spanned_text import SpannedText
from portwright.system.systemd.command_line import words
from portwright.trees import Files

if TYPE_CHECKING:
    from pathlib import Path

Packages = Mapping[str, str]
ENTRIES = f"{dirname(__file__)}/entries"
KINDS = "_kinds"
_ENTRY = lazy_regex(r"([A-Za-z0-9][-A-Za-z0-9._+]*):$")
_PROGRAMS = lazy_regex(r"  programs: \[(.+)\]$")
_PATH = lazy_regex(r"  - path: (/\S+)$")


def load(directory: str = ENTRIES) -> dict[str, dict[str, Any]]:
    """The catalogue as plain data: file name without its ending, to what the file holds, every scalar as text."""
    return {path.stem: load_file(path) for path in _paths(directory)}


def _paths(directory: str) -> "list[Path]":
    from pathlib import Path

    return sorted(Path(directory).glob("*.yaml"))


def load_file(path: "Path") -> dict[str, Any]:
    """One file of the catalogue as plain data. Raises CatalogueError where it is no mapping of names to entries."""
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        data = yaml.load(path.read_text(), Loader=loader)  # noqa: S506  BaseLoader makes nothing but text, lists and mappings
    except yaml.YAMLError as error:
        raise CatalogueError(path.name, f"not YAML: {error}") from None
    if not isinstance(data, dict):
        raise CatalogueError(path.name, "a mapping of daemons' names to what is known of them")
    return data


def source() -> str:
    """All of it as the source of a module: what a wheel carries. Each file is a function of its own, since a run asks for few of them."""
    parts = ['"""Made of the catalogue by the build (portwright.daemons._engine)."""', f"INDEX = {dict(_scanned())!r}"]
    every = load()
    parts += [f"def _{number}():\n    return {data!r}" for number, data in enumerate(every.values())]
    parts.append(f"FILES = {{{', '.join(f'{stem!r}: _{number}' for number, stem in enumerate(every))}}}")
    return "\n\n\n".join(parts) + "\n"


@lru_cache(maxsize=1)
def index() -> Mapping[str, tuple[str, str]]:
    """Programs, and paths of scripts that start daemons, to (file name without its ending, name of the entry)."""
    made = compiled("catalogue")
    return _scanned() if made is None else made.INDEX


def _scanned() -> Mapping[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for path in _paths(ENTRIES):
        name = ""
        for line in path.read_text().splitlines():
            if line[:1].isalnum() and (opening := _ENTRY.match(line)):
                name = opening[1]
            elif line.startswith("  programs: ") and (programs := _PROGRAMS.match(line)):
                found.update((program.strip(), (path.stem, name)) for program in programs[1].split(","))
            elif line.startswith("  - path: ") and (script := _PATH.match(line)):
                found[script[1]] = (path.stem, name)
    return found


@lru_cache(maxsize=256)
def known(file: str, name: str) -> Entry:
    """An entry by its file and name. Raises CatalogueError where it is none."""
    return entry(name, _file(file)[name], _file(KINDS), f"{file}.yaml")


@lru_cache(maxsize=64)
def _file(stem: str) -> dict[str, Any]:
    made = compiled("catalogue")
    if made is not None:
        return made.FILES[stem]()  # type: ignore[no-any-return]
    from pathlib import Path

    return load_file(Path(ENTRIES, f"{stem}.yaml"))


def every() -> tuple[Entry, ...]:
    """All entries, by name; reads every file."""
    return tuple(known(*where) for where in sorted(set(index().values()), key=lambda where: where[1]))


def named(name: str) -> Entry:
    """The entry of this name. Raises KeyError where there is none."""
    return known(*{where[1]: where for where in index().values()}[name])


def find(invocation: Invocation) -> Entry | None:
    """The entry for the program, or the script, that an invocation starts."""
    if not invocation.argv:
        return None
    where = index().get(invocation.argv[0].text) or index().get(invocation.program)
    if where is None:
        return None
    found = known(*where)
    for name, conditions in found.really:
        if Settings.of_options(found, invocation, conditions).holds(conditions, ()):
            return named(name)
    return found


def read(found: Entry, invocation: Invocation, files: Files, packages: Packages) -> tuple[Endpoint | Outbound | FileNeed, ...]:
    """What the daemon of an entry binds and connects to, and how many connections it takes, started so."""
    wrapper = next((each for each in found.wrappers if each.path == invocation.argv[0].text), None)
    if wrapper is not None:
        unwrapped = _unwrapped(wrapper, found, invocation, files)
        if unwrapped is None:
            return ()
        invocation = unwrapped
    elif invocation.argv[0].text.startswith("/etc/init.d/"):
        # A script whose commands could not be followed is known by its name; `start` is a word of its own, not of the daemon's.
        invocation = replace(invocation, argv=invocation.argv[:1])
    if invocation.sockets and found.activated == "instead":
        return ()
    settings = Settings(found, invocation, files)
    if not settings.holds(found.when, found.unless):
        return ()
    version = packages.get(found.package or found.name)
    return (
        *endpoints(found, settings, invocation.at, version),
        *_outbounds(found, settings, invocation.at, version),
        *_needs(found, settings),
    )


def _needs(found: Entry, settings: Settings) -> tuple[FileNeed, ...]:
    """The open files for the connections a setting lets in; nothing where nobody says a number."""
    said = None if found.files is None else settings.values(found.files.connections)
    word = said[-1][0] if said else None
    if found.files is None or word is None or not (word.text.isascii() and word.text.isdigit() and len(word.text) <= 9):
        return ()
    count = int(word.text)
    return (FileNeed(word.at, found.name, found.files.setting, count, count, found.files.otherwise),)


def fragment(found: Entry, path: str, files: Files, packages: Packages) -> tuple[Endpoint | Outbound, ...]:
    """What one config file of a daemon says on its own."""
    settings = Settings.alone(found, path, files)
    version = packages.get(found.package or found.name)
    said: tuple[Endpoint | Outbound, ...] = (
        *endpoints(found, settings, Span.whole(path), version, only_said=True),
        *_outbounds(found, settings, Span.whole(path), version, only_said=True),
    )
    return tuple(replace(each, confidence="likely") if each.confidence == "certain" else each for each in said)


def _outbounds(found: Entry, settings: Settings, at: Span, version: str | None, only_said: bool = False) -> Iterator[Outbound]:
    for each in found.connects:
        said = settings.values(each.keeps)
        if said is None and only_said:
            continue
        word = said[-1][0] if said else None
        if word is None and each.keeps.default is None:
            continue
        keeps = is_yes(word.text if word is not None else (each.keeps.default or ("",))[0])
        if keeps and each.keeps.default is None:
            continue  # it is allowed; whether it is done, no setting says
        yield Outbound(
            at=at if word is None else word.at,
            app=found.name,
            unit=None,
            name=each.name,
            keepalive=keeps,
            decided_at=None if word is None else word.at,
            version=version,
            why="" if keeps else each.why,
            confidence="likely" if settings.unsure else "certain",
        )


def _unwrapped(wrapper: Wrapper, found: Entry, invocation: Invocation, files: Files) -> Invocation | None:
    """The invocation that a script makes of its variables; None where it starts nothing."""
    variables = dict(invocation.environment)
    variables |= {name: Word(text, invocation.at) for name, text in wrapper.defaults if name not in variables}
    for path in wrapper.variables:
        source = files.read(path) if files.kind(path) == "file" else None
        if source is not None:
            variables |= assigned(source)
    argv: list[Word] = []
    for text in wrapper.argv:
        name, split = text.removesuffix("..."), text.endswith("...")
        if not name.startswith("$"):
            argv.append(Word(text, invocation.at))
        elif (value := variables.get(name[1:])) is not None and value.text:
            argv += [part.word() for part in words(SpannedText.of(value), relaxed=True)[0]] if split else [value]
    if not Settings.of_options(found, replace(invocation, environment=variables), wrapper.when).holds(wrapper.when, ()):
        return None
    return replace(invocation, argv=tuple(argv), environment=variables)
