"""What Ansible's modules for containers ask the host for (community.docker, containers.podman), as Compose would."""

from collections.abc import Iterator
from typing import Any

from portwright.repositories.deployers.ansible.filters import OMIT
from portwright.repositories.deployers.ansible.layout import Layout
from portwright.repositories.deployers.ansible.pages import MachinePages
from portwright.repositories.deployers.ansible.task import Task
from portwright.repositories.deployers.ansible.values import place_of
from portwright.repositories.deployers.ansible.variables import text_of
from portwright.repositories.deployers.container_lines import Asked, is_told, lines, path_of, port, setting
from portwright.repositories.deployers.placed import Line
from portwright.system.spanned_text import UNKNOWN as MARK

_MOST = 200
"""Ports or settings of one container that are read."""
_NOT_RUNNING = frozenset(("absent", "stopped", "present", "created"))


def docker_container(task: Task, pages: MachinePages, layout: Layout) -> bool:
    """What a container of Docker that is to run publishes and sets."""
    return _container("docker", task, pages)


def podman_container(task: Task, pages: MachinePages, layout: Layout) -> bool:
    """What a container of Podman that is to run publishes and sets."""
    return _container("podman", task, pages)


def _container(runtime: str, task: Task, pages: MachinePages) -> bool:
    if task.text("state") in _NOT_RUNNING:
        return True
    networks = task.value("network_mode", "network", "net")
    network = networks[0] if isinstance(networks, list) and len(networks) == 1 else networks
    ports = list(_each(task, port, "published_ports", "publish", "published", "ports"))
    settings = list(_each(task, setting, "sysctls", "sysctl"))
    if len(ports) > _MOST or len(settings) > _MOST:
        pages.cut = True
    name = text_of(task.value("name")) or "container"
    at = Line("", task.at.label, task.at.line, task.at.column - 1, task.is_sure)
    image = "" if task.value("entrypoint") else text_of(task.value("image")) or ""
    command = list(_each(task, str, "command"))
    said = lines(name, at, network == "host", ports[:_MOST], settings[:_MOST], image, command)
    if said:
        pages.write(path_of(runtime, f"{task.at.label}-{task.at.line}-{len(pages.lines)}"), said)
    return MARK not in (text_of(network) or "") and is_told((*ports, *settings))


def _each(task: Task, reads: Any, *names: str) -> Iterator[Asked]:
    """What an argument lists: a list, a mapping of settings, or a text with commas; `all` and its like name no port."""
    value = task.value(*names)
    said: list[tuple[object, object]]
    if isinstance(value, dict):
        said = [(f"{text_of(key)}={text_of(each)}", each) for key, each in value.items()]
    elif isinstance(value, str) and "," in value:
        said = [(each.strip(), value) for each in str(value).split(",")]
    else:
        said = [(each, each) for each in (value if isinstance(value, list) else [] if value is None else [value])]
    for each, where in said:
        text = text_of(each)
        if each is OMIT or text in ("all", "ALL", ""):
            continue
        own = place_of(where)
        at = own or place_of(task.raw(*names)) or task.at
        known = "" if text is None else reads(text)
        yield Asked(known, at.label, at.line, at.column - 1 + (own is not None and bool(own.style) and not isinstance(value, dict)))
