"""A Compose file: which ports of the host its services publish, as `docker compose up` reads it (compose-spec, 05-services.md)."""

from collections.abc import Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.daemons.docker.published import endpoint as published_endpoint
from portwright.facts import Endpoint, Invocation
from portwright.formats import yaml_nodes
from portwright.formats.nodes import Node
from portwright.source import Word
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_DEFAULTS = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OVERRIDES = ("compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml", "docker-compose.override.yml")
_WITH_VALUE = frozenset(
    ("-f", "--file", "-p", "--project-name", "--profile", "--project-directory", "--env-file", "--ansi", "--progress", "--parallel",
     "--context", "-c", "-H", "--host", "-l", "--log-level", "--podman-path", "--podman-args", "--pull", "-t", "--timeout", "--scale",
     "--wait-timeout", "--exit-code-from", "--attach", "--no-attach")
)  # fmt: skip
_STARTS = frozenset(("up", "create", "start", "restart"))
_VARIABLE = lazy_regex(r"\$(?:\$|\{(\w+)(?:(:?[-+?])([^{}]*))?\}|(\w+))")
_MOST_FILES = 20
_MOST_PORTS = 1000


@dataclass(frozen=True)
class _Project:
    """What the command line asks for: files, where they are looked for, variables, profiles, and the services it names."""

    files: tuple[str, ...]
    directory: str
    variables: Mapping[str, str]
    env_file: str
    profiles: frozenset[str]
    services: tuple[str, ...]


def published(invocation: Invocation, words: tuple[Word, ...], app: str, files: Files) -> Iterator[Endpoint]:
    """An endpoint for each published port of the services that `up` starts; `words` stand behind `compose`."""
    project = _project(invocation, words, files)
    if project is None:
        return
    at = words[0].at if words else invocation.at
    paths = project.files or tuple(_found(project.directory, files))
    services: dict[str, list[Node]] = {}
    for path in paths[:_MOST_FILES]:
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None:
            files.report_not_understood(at, f"the Compose file {path} is not there, so what it publishes is not known")
            return
        nodes, troubles = yaml_nodes.parse(source)
        for trouble in troubles:
            files.report_unreadable(trouble.at, trouble.reason)
        for node in nodes:
            if node.key.text == "services":
                for service in node.children:
                    services.setdefault(service.key.text, []).append(service)
            elif node.key.text == "include":
                files.report_not_understood(node.key.at, "what a Compose file includes is not read")
    if not paths:
        files.report_not_understood(at, f"no Compose file is in {project.directory}, so what is published is not known")
    found = [each for name in _started(services, project) for part in services[name] for each in _of_service(part, project, app, files)]
    yield from files.limited(found, _MOST_PORTS, "published ports", lambda endpoint: endpoint.at)


def of_file(path: str, app: str, files: Files) -> Iterator[Endpoint]:
    """An endpoint for each published port of the services that one file starts where no profile is asked for."""
    source = files.read(path)
    nodes, troubles = ((), ()) if source is None else yaml_nodes.parse(source)
    for trouble in troubles:
        files.report_unreadable(trouble.at, trouble.reason)
    where = path.rpartition("/")[0]
    project = _Project((path,), where, _dotenv(f"{where}/.env", files), f"{where}/.env", frozenset(), ())
    services = {service.key.text: [service] for node in nodes if node.key.text == "services" for service in node.children}
    found = [each for name in _started(services, project) for part in services[name] for each in _of_service(part, project, app, files)]
    yield from files.limited(found, _MOST_PORTS, "published ports", lambda endpoint: endpoint.at)


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


def _is_asked_for(parts: list[Node], project: _Project) -> bool:
    wanted = {word.text for part in parts for each in _children(part, "profiles") for word in each.words}
    return not wanted or bool(wanted & project.profiles) or "*" in project.profiles


def _children(node: Node, *keys: str) -> Iterator[Node]:
    return (child for child in node.children if child.key.text in keys)


def _of_service(service: Node, project: _Project, app: str, files: Files) -> Iterator[Endpoint]:
    if any(word.text == "host" for each in _children(service, "network_mode") for word in each.words):
        files.report_not_understood(service.key.at, f"{service.key.text} uses the host's network: what its image binds is not known")
        return
    for each in _children(service, "ports"):
        if each.children:
            long = {child.key.text: child.values[0] for child in each.children if child.values}
            if (port := long.get("published")) is not None and (inside := long.get("target")) is not None:
                host = f"{long['host_ip'].text}:" if "host_ip" in long else ""
                protocol = long["protocol"].text if "protocol" in long else "tcp"
                yield from _endpoints(Word(f"{host}{port.text}:{inside.text}/{protocol}", port.at), project, app, files)
        for word in each.values:
            yield from _endpoints(word, project, app, files)


def _endpoints(word: Word, project: _Project, app: str, files: Files) -> Iterator[Endpoint]:
    text = _expanded(word.text, project, files)
    if UNKNOWN in text:
        files.report_not_understood(word.at, f"the port depends on a variable that neither the unit nor {project.env_file} sets")
        return
    yield from (replace(each, origin="directive") for each in published_endpoint(Word(text, word.at), app, files))


def _expanded(text: str, project: _Project, files: Files) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-default}` put in; what nobody sets is unknown where the project's .env may have been left out."""
    found, position = "", 0
    for match in _VARIABLE.finditer(text):
        found += text[position : match.start()]
        position = match.end()
        name = match[1] or match[4]
        if name is None:
            found += "$"
            continue
        value = project.variables.get(name)
        operator, operand = match[2] or "", match[3] or ""
        full = value if value or not operator.startswith(":") else None
        if "+" in operator:
            found += operand if full is not None else ""
        elif full is not None:
            found += full
        elif "-" in operator:
            found += operand
        else:
            found += UNKNOWN
    return found + text[position:]
