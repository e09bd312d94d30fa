"""What a daemon says: an Invocation and the files it reads become Endpoints, Outbounds and FileNeeds; one room each daemon.

A room is a folder with a `descriptor.yaml` (README.md says what may stand in it), and a `reader.py` where a table cannot say it:
`read` for a daemon that is started, `read_fragment` for one config file of it, `shape` to tell it by its arguments. A run looks only
into the rooms of the programs it meets.
"""

from collections.abc import Iterable
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.daemons._engine.protocol import DaemonFact as DaemonFact
from portwright.daemons._engine.protocol import FragmentReader as FragmentReader
from portwright.daemons._engine.protocol import Packages as Packages
from portwright.daemons._engine.protocol import Reader as Reader
from portwright.daemons._engine.protocol import Shape as Shape
from portwright.facts import Endpoint, FileNeed, Invocation, Outbound, Traits, weakest
from portwright.shipped import BroughtError, brought
from portwright.source import Rewrite, Source, Span, Word
from portwright.system.processes.programs import script_head
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

if TYPE_CHECKING:
    from portwright.daemons._engine.descriptor import Apply, Config, Descriptor


@dataclass(frozen=True, slots=True)
class Daemon:
    """How one daemon is recognised and read.

    `programs` are base names of argv[0] (a trailing `*` matches any ending). `read` turns an Invocation into what the daemon says.
    `fragment` reads one config file on its own, by its in-tree path, as a repository has it: no Invocation, nothing includes it.
    `shape` tells it by its arguments where the program has another name, as a copied interpreter has. `descriptor` is what else is
    known of it.
    """

    name: str
    programs: tuple[str, ...]
    read: Reader
    fragment: FragmentReader | None
    shape: Shape | None
    descriptor: "Descriptor"

    @property
    def is_interpreter(self) -> bool:
        """Whether it runs whatever program it is given, so that one of which nothing is known may yet listen."""
        from portwright.daemons._engine import rooms

        return rooms.index().folders[self.name].startswith("interpreters/")


_PACKAGED = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/usr/share/", "/bin/", "/sbin/", "/lib/")
_LOADS = lazy_regex(r"^(?:from|import|require|require_relative|load|gem|use)\b|\brequire\(|\bimport\b")
_WORDS = lazy_regex(r"[a-z]{3,}")
_SHELL = lazy_regex(r"(?:^|[/ ])(?:[bd]?a|[mk]?k|z|c|tc|fi)?sh(?: |$)")


def edit_of(name: str, config: tuple[str, ...]) -> "tuple[tuple[str, ...], Apply]":
    """(the command that checks the config files of a daemon, how the daemon takes others); () where it has no such command."""
    from portwright.daemons._engine import rooms

    edit = rooms.room(name).edit
    check: list[str] = []
    for word in edit.validate:
        if word != "{}":
            check.append(word)
        elif not config:
            return (), edit.apply or "restart"
        else:
            # Of several, each has the option of the first.
            options = check[-1:] if check[-1:] and check[-1].startswith("-") else []
            check += [config[0], *(part for path in config[1:] for part in (*options, path))]
    return tuple(check), edit.apply or "restart"


def usual_configs(name: str) -> tuple[str, ...]:
    """Where the configs of a daemon usually lie; () for a daemon that nobody knows."""
    from portwright.daemons._engine import rooms

    config = rooms.room(name).config if name in rooms.index().folders else None
    return () if config is None else config.paths.all


def also_listens(name: str, source: Source, port: int) -> Iterable[Span]:
    """The places in a file of a daemon's config that mean a port it listens on, as the room says; () where one line says each."""
    found: Iterable[Span] = () if (module := _editing(name, "listen")) is None else module.also_listens(source, port)
    return found


def reuses(name: str, source: Source, at: Span) -> Rewrite | None:
    """What has to be said at the place of a listener so that it sets SO_REUSEADDR, as the room says; None where nothing does."""
    found: Rewrite | None = None if (module := _editing(name, "reuse")) is None else module.reuses(source, at)
    return found


def option_for_port(name: str, old: int, new: int) -> str:
    """What is put behind the command of a daemon whose port is built in for it to have another one, "" where no one option is known."""
    from portwright.daemons._engine import rooms

    found: set[str] = set()
    for socket in rooms.room(name).sockets if name in rooms.index().folders else ():
        for slot in (socket.port, socket.listen):
            said = slot.default if slot is not None else None
            if slot is None or said is None or len(said) != 1 or said[0].rpartition(":")[2] != str(old):
                continue
            option = slot.sources[0] if slot.sources and slot.sources[0].startswith("-") else ""
            is_plain = not (slot.split or slot.until or slot.after or slot.plus or slot.option or slot.following or slot.pattern)
            value = f"{said[0].rpartition(':')[0]}:{new}" if ":" in said[0] else str(new)
            found.add(f" {option}{'=' if option.startswith('--') else ' '}{value}" if option and is_plain and slot.word is None else "")
    return found.pop() if len(found) == 1 else ""


def _editing(name: str, what: Literal["listen", "reuse"]) -> Any:
    from portwright.daemons._engine import rooms

    if name not in rooms.index().folders or not (module := getattr(rooms.room(name).edit, what)):
        return None
    folder = rooms.index().folders[name].replace("/", ".")
    return import_module(f"portwright.daemons.{folder}.{module.removesuffix('.py')}")


def know_those_brought() -> None:
    """Read the rooms that other distributions bring, where any does. Raises BroughtError for the first mistake in them."""
    if brought("daemons"):
        from portwright.daemons._engine import rooms
        from portwright.daemons._engine.schema import CatalogueError

        try:
            rooms.index()
        except CatalogueError as error:
            raise BroughtError(str(error)) from None


@cache
def daemons() -> tuple[Daemon, ...]:
    """Every known daemon, by name."""
    from portwright.daemons._engine import rooms

    return tuple(known(name) for name in rooms.index().folders)


def daemon_of(invocation: Invocation) -> Daemon | None:
    """The daemon an Invocation starts: an exact program name before a pattern before a shape, None where nobody knows it."""
    from portwright.daemons._engine import rooms

    if invocation.argv and invocation.argv[0].text.startswith("/etc/cron."):
        return None  # the jobs of a package bear its name
    name = (invocation.argv and rooms.daemon_of(invocation.argv[0].text)) or rooms.daemon_of(invocation.program)
    if name is not None:
        found = known(name)
        if found.descriptor.really:
            from portwright.daemons._engine.reading import is_really

            return found if (other := is_really(found.descriptor, invocation)) is None else known(other)
        return found
    shaped = (known(name) for name, marks in rooms.index().shaped if any(_bears(invocation, mark) for mark in marks))
    return next((each for each in shaped if each.shape is not None and each.shape(invocation)), None)


def _bears(invocation: Invocation, mark: str) -> bool:
    """Whether a command has this argument, this option of one letter in any cluster, or a variable of this name (`*` ends a beginning)."""
    if mark.endswith("*"):
        return any(name.startswith(mark[:-1]) for name in invocation.environment)
    if mark[0] == "-" and len(mark) == 2:
        return any(word.text[:1] == "-" and word.text[1:2] != "-" and mark[1] in word.text for word in invocation.argv)
    return mark in invocation.environment or any(word.text == mark for word in invocation.argv)


@cache
def known(name: str) -> Daemon:
    """The daemon of this name. Raises KeyError where there is none."""
    from portwright.daemons._engine import rooms

    found = rooms.room(name)
    shape: Shape | None = None
    alone: FragmentReader | None
    if found.reader:
        module = import_module(f"{__name__}.{rooms.index().folders[name].replace('/', '.')}.reader")
        read: Reader = module.read
        alone = getattr(module, "read_fragment", None)
        if found.config is not None:
            alone = alone or partial(_read_as_started, found, read)
        shape = module.shape if found.shape else None
    elif found.server is not None:
        from portwright.daemons._engine import servers

        read, alone = partial(servers.read, found, found.server), None
    else:
        from portwright.daemons._engine import reading

        read = partial(reading.read, found)
        alone = partial(reading.read_fragment, found) if found.config is not None and found.config.format else None
    if found.options_of:
        read = partial(_read_with_options, found, read)
    read = partial(_read_with_doubt, found, read)
    if found.traits == Traits():
        return Daemon(name, found.programs, read, alone, shape, found)
    traits = found.traits

    def traited(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
        return tuple(_with_traits(fact, traits) for fact in read(invocation, files, packages))

    def alone_traited(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
        return tuple(_with_traits(fact, traits) for fact in alone(path, files, packages)) if alone is not None else ()

    return Daemon(name, found.programs, traited, None if alone is None else alone_traited, shape, found)


def _read_with_options(
    found: "Descriptor", read: Reader, invocation: Invocation, files: Files, packages: Packages
) -> tuple[DaemonFact, ...]:
    """What a room says, and what its interpreter does by the options that the start script hands on to it."""
    said = read(invocation, files, packages)
    if not said or "." in invocation.program.removesuffix(".sh"):
        return said  # it does not start, or the interpreter itself is what was started
    from portwright.daemons._engine import rooms
    from portwright.daemons._engine.handed_on import handed_on

    own: list[DaemonFact] = []
    for name, sources in found.options_of:
        started = replace(invocation, argv=(Word(name, invocation.at), *handed_on(sources, invocation, files, found.variables)))
        module = import_module(f"{__name__}.{rooms.index().folders[name].replace('/', '.')}.reader")
        own += [replace(fact, app=found.name) for fact in module.of_options(started, files)]
    return (*said, *own)


def _read_with_doubt(
    found: "Descriptor", read: Reader, invocation: Invocation, files: Files, packages: Packages
) -> tuple[DaemonFact, ...]:
    """What a room says; a default that is built in is no surer than that no file which is there, or may be there, says otherwise."""
    said, watch = files.watched(lambda: read(invocation, files, packages))
    if watch.troubles:
        # What it cannot read either may end it, or say more than is known.
        said = tuple(replace(fact, confidence=weakest(fact.confidence, "likely")) if isinstance(fact, Endpoint) else fact for fact in said)
    if any(isinstance(fact, Endpoint) and fact.confidence == "certain" for fact in said):
        from portwright.daemons._engine.lacking import unless_lacking

        said = unless_lacking(said, found, invocation, files, watch)
    if found.dropped:
        from portwright.daemons._engine.dropped import unless_dropped

        said = unless_dropped(said, found, files, packages, watch)
    is_whole = not any(UNKNOWN in word.text for word in invocation.argv)
    if is_whole and not any(_is_sure_default(fact, invocation) for fact in said):
        return said
    if found.reader and found.config is not None and (missing := _missing_config(found.config, invocation, files)):
        said = tuple(_doubted(fact, found.config, missing) for fact in said)
    from portwright.daemons._engine.doubt import doubted

    return doubted(said, found, invocation, files, watch)


def _is_sure_default(fact: DaemonFact, invocation: Invocation) -> bool:
    if not isinstance(fact, Endpoint) or fact.confidence != "certain":
        return False
    return fact.origin == "default" or (fact.origin == "inferred" and fact.at == invocation.at)


def _doubted(fact: DaemonFact, config: "Config", missing: str) -> DaemonFact:
    if not isinstance(fact, Endpoint) or fact.origin != "default":
        return fact
    why = fact.why or f"built-in default; {missing}, which may override it, was not found"
    return replace(fact, confidence=weakest(fact.confidence, config.when_missing), why=why)


def _missing_config(config: "Config", invocation: Invocation, files: Files) -> str:
    """The config that a daemon looks for first where none of those it may read is there, "" where one is, or is named."""
    from portwright.system.host_files.distribution import family
    from portwright.trees.glob import expand

    paths = config.paths.of(family(files))
    named = (word.text.rpartition("=")[2] for word in invocation.argv[1:])
    if not paths or any(files.kind(invocation.path(word)) == "file" for word in named if "/" in word or "." in word):
        return ""
    return "" if any(expand(path, files, tells=False) if "*" in path else files.kind(path) != "missing" for path in paths) else paths[0]


def _with_traits(fact: DaemonFact, traits: Traits) -> DaemonFact:
    """A fact with what is known of its daemon in general, where its reader says nothing of that itself."""
    if not isinstance(fact, Endpoint | Outbound):
        return fact
    return replace(fact, traits=fact.traits.or_else(traits))


def _read_as_started(found: "Descriptor", read: Reader, path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What one config file says on its own, of a daemon whose reader wants a command: that of a start without arguments."""
    at = Span.whole(files.tree.label(path))
    said = read(Invocation(None, (Word(found.programs[0], at),), at), files, packages)
    label = files.tree.label(path)
    return tuple(
        replace(fact, confidence=weakest(fact.confidence, "likely")) if isinstance(fact, Endpoint) else fact
        for fact in said
        if fact.at.path == label and not isinstance(fact, FileNeed) and not (isinstance(fact, Endpoint) and fact.origin == "default")
    )


def fragment_reader(name: str) -> FragmentReader | None:
    """What reads one config file of the daemon of this name on its own, if anything does."""
    from portwright.daemons._engine import rooms

    return known(name).fragment if name in rooms.index().folders else None


def read_as(invocation: Invocation, files: Files) -> tuple[Invocation, Daemon | None]:
    """How an Invocation is to be read, and by the reader of which daemon: None where nobody knows it.

    A script that merely goes by a daemon's name is read as the script it is.
    """
    found = daemon_of(invocation)
    if found is not None and not bears_its_name(invocation, found, files):
        return invocation, found
    invocation = interpreted(invocation, files, known=found is not None)
    return invocation, daemon_of(invocation)


def bears_its_name(invocation: Invocation, found: Daemon, files: Files, interpreter: str = "") -> bool:
    """Whether a program of a daemon's name is a script, for another interpreter than the shell, that has nothing of the daemon in it.

    Many daemons are scripts that speak of themselves, or are started by one that loads them: gunicorn's imports gunicorn. Outside of
    where packages install, only what a Python, Ruby or Node script loads counts. Shell scripts wrap the daemons whose names they bear.
    `interpreter` runs it, whatever its first line says.
    """
    name = invocation.argv[0].text if invocation.argv else ""
    path = invocation.path(name) if "/" in name or (interpreter and name) else ""
    if not path or path.startswith("/etc/init.d/") or "\ufffd" in path:
        return False
    real = files.resolve(path)
    head = interpreter or " ".join(script_head(real, files) or ())
    if not head or _SHELL.search(head):
        return False
    source = files.read(real) if files.kind(real) == "file" else None
    if source is None:
        return False
    lines = [line.strip() for line in source.text.lower().split("\n")]
    if path.startswith(_PACKAGED) or "perl" in head:
        text = "\n".join(line for line in lines if not line.startswith("#"))
    else:
        text = "\n".join(line for line in lines if _LOADS.search(line))
    words = {word for name in (found.name, invocation.program) for word in _WORDS.findall(name.lower())}
    return not any(word in text or (word.endswith("d") and len(word) > 3 and word[:-1] in text) for word in words)


def interpreted(invocation: Invocation, files: Files, known: bool = False) -> Invocation:
    """The Invocation of the interpreter where a `#!` script is started that no daemon is known by; any other as it is.

    A program of somebody's own that is given a script is taken for its interpreter under another name: a copy of it with a capability.
    `known`: some daemon is known by its name, and it is not that one.
    """
    if not invocation.argv or not invocation.argv[0].text.startswith("/") or (not known and daemon_of(invocation) is not None):
        return invocation
    head = script_head(files.resolve(invocation.argv[0].text), files)
    if head is None:
        if len(invocation.argv) > 1 and not invocation.argv[0].text.startswith(_PACKAGED):
            from portwright.daemons._engine import rooms

            ending = invocation.argv[1].text.rpartition(".")[2]
            interpreter = rooms.index().endings.get(ending)
            if interpreter is not None and files.kind(invocation.argv[1].text) == "file":
                return replace(invocation, argv=(Word(interpreter, invocation.argv[0].at), *invocation.argv[1:]))
        return invocation
    # `#!/usr/bin/env -S node --flag`: env(1) splits what follows.
    words = [word for word in (head[0], *head[1].split()) if word != "-S"]
    if words[0].endswith("/env"):
        words = words[1:]
    at = invocation.argv[0].at
    return replace(invocation, argv=(*(Word(word, at) for word in words), *invocation.argv)) if words else invocation
