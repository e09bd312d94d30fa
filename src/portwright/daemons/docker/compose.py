"""A Compose file: which ports of the host its services publish, as `docker compose up` reads it (compose-spec, 05-services.md)."""

import posixpath
from collections.abc import Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.daemons.docker import asked
from portwright.daemons.docker.published import endpoint as published_endpoint
from portwright.daemons.held import Held
from portwright.facts import ContainerLine, Endpoint, Invocation
from portwright.formats import yaml_nodes
from portwright.formats.nodes import Node
from portwright.source import Source, Word
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

_DEFAULTS = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OVERRIDES = ("compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml", "docker-compose.override.yml")
_WITH_VALUE = frozenset(
    ("-f", "--file", "-p", "--project-name", "--profile", "--project-directory", "--env-file", "--ansi", "--progress", "--parallel",
     "--context", "-c", "-H", "--host", "-l", "--log-level", "--podman-path", "--podman-args", "--pull", "-t", "--timeout", "--scale",
     "--wait-timeout", "--exit-code-from", "--attach", "--no-attach")
)  # fmt: skip
_STARTS = frozenset(("up", "create", "start", "restart"))
_VARIABLE = lazy_regex(r"\$(?:\$|\{(\w+)(:?[-+?]|(?=\}))|(\w+))")
_BRACE = lazy_regex(r"[{}]")
# Where a repository keeps no .env, for it holds secrets, one of these says what it is meant to hold.
_MODELS = (".env.example", ".env.sample", ".env.template", ".env.dist", ".env.default", "env.example", "example.env", "sample.env")
_MOST_FILES = 20
_EXPORTED = lazy_regex(r"(?m)^export[ \t]+(\w{1,100})[ \t]*[?:]{0,3}=[ \t]*([^\n\r]{0,500})")
_LONGEST_MAKEFILE = 1 << 18
_GUESSED = "a model of the project's .env says so, or the Makefile beside it"
# What lies there is the host's, whoever looks at it from a container, too.
_OF_THE_SYSTEM = frozenset(("", "boot", "dev", "etc", "lib", "proc", "run", "sys", "tmp", "usr", "var"))
_MOST_PORTS = 1000
_MOST_WORDS = 500
_IN_PLAIN_WORDS = lazy_regex(r"[^\n\"'\\|;&<>`]{1,2000}")
_DEEPEST = 8


@dataclass(frozen=True)
class _Project:
    """What the command line asks for: files, where they are looked for, variables, profiles, and the services it names.

    `guessed` are variables that only a model of the project's .env sets, or the Makefile beside it.
    """

    files: tuple[str, ...]
    directory: str
    variables: Mapping[str, str]
    env_file: str
    profiles: frozenset[str]
    services: tuple[str, ...]
    guessed: Mapping[str, str] = field(default_factory=dict)


def published(invocation: Invocation, words: tuple[Word, ...], app: str, files: Files) -> Iterator[Endpoint | ContainerLine]:
    """What the services that `up` starts publish, and what they ask for; `words` stand behind `compose`."""
    project = _project(invocation, words, files)
    if project is None:
        return
    at = words[0].at if words else invocation.at
    paths = project.files or tuple(_found(project.directory, files))
    documents = _Documents(files)
    services: dict[str, list[Node]] = {}
    for path in paths[:_MOST_FILES]:
        if files.kind(path) != "file" or files.read(path) is None:
            files.report_not_understood(at, f"the Compose file {path} is not there, so what it publishes is not known")
            return
        for service in documents.services(path).values():
            services.setdefault(service.key.text, []).extend(_with_extended(service, path, documents))
        for node in documents.read(path):
            if node.key.text == "include":
                files.report_not_understood(node.key.at, "what a Compose file includes is not read")
    if not paths:
        files.report_not_understood(at, f"no Compose file is in {project.directory}, so what is published is not known")
    found = (each for name in _started(services, project) for each in _of_service(name, services[name], project, app, files))
    yield from files.limited(found, _MOST_PORTS, "published ports", lambda endpoint: endpoint.at)


def of_file(path: str, app: str, files: Files) -> Iterator[Endpoint | ContainerLine]:
    """What the services of one file publish and ask for, as `docker compose up` beside it or `docker stack deploy` starts them.

    A service with a profile is started only where somebody asks for it, so that what it publishes is not open otherwise.
    """
    where = path.rpartition("/")[0]
    dotenv = f"{where}/.env"
    variables = _dotenv(dotenv, files)
    model = next((each for name in _MODELS if files.kind(each := f"{where}/{name}") == "file"), "") if not variables else ""
    profiles = frozenset(filter(None, variables.get("COMPOSE_PROFILES", "").split(",")))
    guessed = {**_exported(f"{where}/Makefile", files), **(_dotenv(model, files) if model else {})}
    project = _Project((path,), where, variables, dotenv, profiles, (), guessed)
    documents = _Documents(files)
    services = {name: _with_extended(service, path, documents) for name, service in documents.services(path).items()}
    found = (each for name, parts in services.items() for each in _as_asked(name, parts, project, app, files))
    yield from files.limited(found, _MOST_PORTS, "published ports", lambda endpoint: endpoint.at)


def _as_asked(name: str, parts: list[Node], project: _Project, app: str, files: Files) -> Iterator[Endpoint | ContainerLine]:
    """What a service says; of one that only a profile starts the ports alone, which are opened by hand."""
    if _is_asked_for(parts, project):
        yield from _of_service(name, parts, project, app, files)
        return
    why = f"only where the profile {', '.join(sorted(_profiles(parts)))} is asked for"
    for each in _of_service(name, parts, project, app, files):
        if isinstance(each, Endpoint):
            yield replace(each, by_hand=True, why=why)


def held(label: str, text: str) -> Iterator[Held]:
    """What services mount from beside the file, and what they are built by."""
    where = label.rpartition("/")[0]
    nodes, _ = yaml_nodes.parse(Source(label, text))
    for node in nodes:
        for child in node.children if node.key.text in ("configs", "services") else ():
            if node.key.text == "configs":
                named = (word.text for each in _children(child, "file") for word in each.words)
                yield from (Held(path, on_host=False) for name in named if (path := _here(where, name)))
                continue
            on_host = any(word.text == "host" for each in _children(child, "network_mode") for word in each.words)
            for each in _children(child, "volumes"):
                sources = [word.text for part in _children(each, "source") for word in part.words]
                for source in (*sources, *(word.text.partition(":")[0] for word in each.values)):
                    if source.startswith("/") and "$" not in source and source.split("/")[1] not in _OF_THE_SYSTEM:
                        yield Held(posixpath.normpath(source), on_host=on_host)
                    elif source.startswith(".") and (path := _here(where, source)):
                        yield Held(path, on_host=on_host)
            for each in _children(child, "build"):
                said = {part.key.text: part.values[0].text for part in each.children if part.values}
                context = said.get("context", each.values[0].text if each.values else ".")
                if "$" not in context and (file := _here(where, f"{context}/{said.get('dockerfile', 'Dockerfile')}")):
                    yield Held(file, on_host=on_host, builds=True, context=_here(where, context))


def _here(where: str, path: str) -> str:
    """A path from a folder of the repository, "" for one outside of it, and for the repository as a whole."""
    found = posixpath.normpath(posixpath.join(where, path))
    return "" if found.startswith(("..", "/")) or found == "." or "$" in path else found


class _Documents:
    """The Compose files that one command or one file refers to, each parsed once."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._read: dict[str, tuple[Node, ...]] = {}
        self._services: dict[str, dict[str, Node]] = {}

    def read(self, path: str) -> tuple[Node, ...]:
        """The top-level keys of a file; nothing where it is none, or no YAML."""
        if path not in self._read:
            source = self.files.read(path)
            nodes, troubles = ((), ()) if source is None else yaml_nodes.parse(source)
            for trouble in troubles:
                self.files.report_unreadable(trouble.at, trouble.reason)
            self._read[path] = nodes
        return self._read[path]

    def services(self, path: str) -> dict[str, Node]:
        """The services of a file by their names."""
        if path not in self._services:
            nodes = self.read(path)
            every = [child for node in nodes if node.key.text == "services" for child in node.children]
            if not any(node.key.text in ("services", "version") for node in nodes):
                every = [_of_first_version(node) for node in nodes if any(True for _ in _children(node, "image", "build", "extends"))]
            self._services[path] = {child.key.text: child for child in every}
        return self._services[path]


def _of_first_version(service: Node) -> Node:
    """A service of a file of version 1, which has them at its top level, as later ones have it: `net` was renamed, and ends with 1.29."""
    named = (replace(each, key=Word("network_mode", each.key.at)) if each.key.text == "net" else each for each in service.children)
    return replace(service, children=tuple(named))


def _with_extended(service: Node, path: str, documents: _Documents, deep: int = 0) -> list[Node]:
    """A service with what it extends before it, of the same file or another one (compose-spec, 05-services.md, `extends`)."""
    files = documents.files
    for each in _children(service, "extends"):
        said = {child.key.text: child.values[0].text for child in each.children if child.values}
        name = said.get("service") or (each.values[0].text if each.values else "")
        there = said.get("file", "")
        other = posixpath.normpath(posixpath.join(path.rpartition("/")[0], there)) if there else path
        if deep >= _DEEPEST:
            files.report_limit(each.key.at, _DEEPEST, "services that extend one another")
            break
        if not name or "$" in there:
            break
        if there and files.kind(other) != "file":
            files.report_not_understood(each.key.at, f"{service.key.text} extends a service of {there}, which is not there")
            break
        child = documents.services(other).get(name)
        if child is not None and child is not service:
            return [*_with_extended(child, other, documents, deep + 1), service]
    return [service]


def _project(invocation: Invocation, words: tuple[Word, ...], files: Files) -> _Project | None:
    """What stands before and behind `up`; None where nothing is started."""
    named: list[str] = []
    profiles: set[str] = set()
    directory = env_file = ""
    verb = ""
    services: list[str] = []
    todo = list(reversed(words))
    while todo:
        text = todo.pop().text
        name, equals, value = text.partition("=")
        if text.startswith("-"):
            if name in _WITH_VALUE and not equals and todo:
                value = todo.pop().text
            if name in ("-f", "--file") and not verb:
                named.append(invocation.path(value))
            elif name == "--project-directory":
                directory = invocation.path(value)
            elif name == "--env-file":
                env_file = invocation.path(value)
            elif name == "--profile":
                profiles.add(value)
        elif not verb:
            verb = text
        else:
            services.append(text)
    if verb not in _STARTS:
        return None
    given = invocation.environment.get("COMPOSE_FILE")
    if not named and given is not None:
        named = [invocation.path(each) for each in given.text.split(":") if each]
    if (more := invocation.environment.get("COMPOSE_PROFILES")) is not None:
        profiles |= set(more.text.split(","))
    where = directory or (named[0].rpartition("/")[0] if named else invocation.directory)
    own = {name: word.text for name, word in invocation.environment.items()}
    dotenv = env_file or f"{where}/.env"
    return _Project(tuple(named), where, {**_dotenv(dotenv, files), **own}, dotenv, frozenset(profiles), tuple(services))


def _found(directory: str, files: Files) -> Iterator[str]:
    """The file that is read where none is named, and what overrides it: in this directory or the nearest one above."""
    while directory.startswith("/"):
        names = [name for name in _DEFAULTS if files.kind(f"{directory}/{name}") == "file"]
        if names:
            yield f"{directory}/{names[0]}"
            yield from (f"{directory}/{name}" for name in _OVERRIDES if files.kind(f"{directory}/{name}") == "file")
            return
        if directory.count("/") < 2:
            return
        directory = directory.rpartition("/")[0]


def _dotenv(path: str, files: Files) -> dict[str, str]:
    source = files.read(path) if files.kind(path) == "file" else None
    found: dict[str, str] = {}
    for line in () if source is None else source.text.split("\n"):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            value = value.strip()
            found[name.strip()] = value[1:-1] if value[:1] in ("'", '"') and value[-1:] == value[:1] else value.partition(" #")[0].strip()
    return found


def _exported(path: str, files: Files) -> dict[str, str]:
    """The variables that a Makefile gives to all that it runs, as far as they are literal."""
    source = files.read(path) if files.kind(path) == "file" else None
    found = _EXPORTED.findall(source.text[:_LONGEST_MAKEFILE]) if source is not None else ()
    return {name: value.partition(" #")[0].strip() for name, value in found if "$" not in value}


def _started(services: Mapping[str, list[Node]], project: _Project) -> list[str]:
    """The services that are named and what they depend on; without names all whose profile is asked for."""
    if not project.services:
        return [name for name, parts in services.items() if _is_asked_for(parts, project)]
    todo, found = list(reversed(project.services)), dict[str, None]()
    while todo:
        name = todo.pop()
        if name in services and name not in found:
            found[name] = None
            for part in services[name]:
                for each in _children(part, "depends_on", "links"):
                    todo += (word.text.partition(":")[0] for word in each.words)
                    todo += (child.key.text for child in each.children)
    return list(found)


def _profiles(parts: list[Node]) -> set[str]:
    return {word.text for part in parts for each in _children(part, "profiles") for word in each.words}


def _is_asked_for(parts: list[Node], project: _Project) -> bool:
    wanted = _profiles(parts)
    return not wanted or bool(wanted & project.profiles) or "*" in project.profiles


def _children(node: Node, *keys: str) -> Iterator[Node]:
    return (child for child in node.children if child.key.text in keys)


def _last(parts: list[Node], key: str) -> Word | None:
    """What the last of the parts that says it says."""
    return next((each.words[-1] for part in reversed(parts) for each in _children(part, key) if each.words), None)


def _of_service(name: str, parts: list[Node], project: _Project, app: str, files: Files) -> list[Endpoint | ContainerLine]:
    network = _last(parts, "network_mode")
    on_host = network is not None and network.text == "host"
    container = f"service {name}"
    found: list[Endpoint | ContainerLine] = [*asked.settings(_settings(parts, project), container, app, on_host=on_host)]
    if on_host and network is not None:
        files.report_not_understood(network.at, f"{name} uses the host's network: what its image binds is not known")
        user = _last(parts, "user")
        user = None if user is None else Word(_expanded(user.text, project)[0], user.at)
        added = [word for part in parts for each in _children(part, "cap_add") for word in each.words]
        vain = asked.discarded((Word(_expanded(each.text, project)[0], each.at) for each in _ports(parts)), container)
        return [*found, *asked.powerless(container, app, user, added), *vain, *_of_its_program(parts, project)]
    for word in _ports(parts):
        found += _endpoints(word, project, app, files)
    return found


def _ports(parts: list[Node]) -> Iterator[Word]:
    """What each of `ports` says, in its short form, whichever it is written in."""
    for each in (child for part in parts for child in _children(part, "ports")):
        if each.children:
            long = {child.key.text: child.values[0] for child in each.children if child.values}
            if (port := long.get("published")) is not None and (inside := long.get("target")) is not None:
                host = f"{long['host_ip'].text}:" if "host_ip" in long else ""
                protocol = long["protocol"].text if "protocol" in long else "tcp"
                yield Word(f"{host}{port.text}:{inside.text}/{protocol}", port.at)
        yield from each.values


def _of_its_program(parts: list[Node], project: _Project) -> Iterator[Endpoint]:
    """What the program of a container on the host's network says of itself on its command line; its files are its image's."""
    image = _last(parts, "image")
    program = "" if image is None else image.text.rpartition("/")[2].partition("@")[0].partition(":")[0]
    argv = [*_command(parts, "entrypoint", project), *_command(parts, "command", project)]
    if image is not None and program and not any(True for part in parts for _ in _children(part, "entrypoint")):
        argv.insert(0, Word(program, image.at))
    if not argv or "$" in argv[0].text or UNKNOWN in argv[0].text:
        return
    from portwright.daemons._engine import reading, rooms

    if rooms.daemon_of(argv[0].text) is None:
        argv[0] = Word(argv[0].text.replace("-", "_"), argv[0].at)  # images have no underscores in their names
    invocation = Invocation(None, tuple(argv), argv[0].at, {})
    name = rooms.daemon_of(invocation.program)
    if name is None or not rooms.room(name).sockets:
        return
    for fact in reading.read(rooms.room(name), invocation, Files(MemoryTree({}), partial=True), {}):
        if isinstance(fact, Endpoint) and fact.origin == "argument" and UNKNOWN not in fact.address:
            yield replace(fact, confidence="likely")


def _command(parts: list[Node], key: str, project: _Project) -> list[Word]:
    """The words of a command, be it a list or a line without quotes."""
    said = next((each for part in reversed(parts) for each in _children(part, key)), None)
    if said is None:
        return []
    words = list(said.values)
    if len(words) == 1 and " " in words[0].text:
        if not _IN_PLAIN_WORDS.fullmatch(words[0].text):
            return []
        words = [Word(text, words[0].at) for text in words[0].text.split()]
    return [Word(_expanded(word.text, project)[0], word.at) for word in words[:_MOST_WORDS]]


def _settings(parts: list[Node], project: _Project) -> Iterator[tuple[Word, Word]]:
    """The (key, value) of each of `sysctls`, a mapping or a list of `key=value`."""
    for each in (child for part in parts for child in _children(part, "sysctls")):
        for child in each.children:
            if child.values:
                yield child.key, Word(_expanded(child.values[0].text, project)[0], child.values[0].at)
        for word in each.values:
            pair = asked.pair(Word(_expanded(word.text, project)[0], word.at))
            if pair is not None:
                yield pair


def _endpoints(word: Word, project: _Project, app: str, files: Files) -> Iterator[Endpoint]:
    text, sure = _expanded(word.text, project)
    if UNKNOWN in text:
        files.report_not_understood(word.at, f"the port depends on a variable that neither the unit nor {project.env_file} sets")
        return
    for each in published_endpoint(Word(text, word.at), app, files):
        found = replace(each, origin="directive")
        yield found if sure else replace(found, confidence="possible", why=_GUESSED)


def _expanded(text: str, project: _Project, deep: int = 0) -> tuple[str, bool]:
    """`$NAME`, `${NAME}`, `${NAME:-default}` put in; what nobody sets is unknown, and what is only guessed is not sure."""
    found, position, sure = "", 0, True
    while (match := _VARIABLE.search(text, position)) is not None:
        found += text[position : match.start()]
        position = match.end()
        name = match[1] or match[3]
        if name is None:
            found += "$"
            continue
        operator, operand = match[2] or "", ""
        if match[1] is not None:
            end = _closing(text, position)
            operand, position = text[position:end], end + 1
        value = project.variables.get(name)
        if value is None and (value := project.guessed.get(name)) is not None:
            sure = False
        full = value if value or not operator.startswith(":") else None
        if "+" in operator:
            chosen = operand if full is not None else ""
        elif full is not None:
            found += full
            continue
        else:
            chosen = operand if "-" in operator else UNKNOWN
        if "$" in chosen and deep < _DEEPEST:
            chosen, is_sure = _expanded(chosen, project, deep + 1)
            sure = sure and is_sure
        found += UNKNOWN if "$" in chosen and deep >= _DEEPEST else chosen
    return found + text[position:], sure


def _closing(text: str, position: int) -> int:
    """Where the brace is closed that was opened before a position; the text's end where none closes it."""
    depth = 1
    for brace in _BRACE.finditer(text, position):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(text)
