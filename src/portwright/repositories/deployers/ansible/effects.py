"""What the modules of Ansible do to a host: the files that they write, and the kernel settings that they make."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from portwright.repositories.deployers import shell
from portwright.repositories.deployers.ansible import containers
from portwright.repositories.deployers.ansible.layout import Layout
from portwright.repositories.deployers.ansible.pages import MachinePages, matters
from portwright.repositories.deployers.ansible.task import Task
from portwright.repositories.deployers.ansible.values import Place, place_of
from portwright.repositories.deployers.ansible.variables import is_true, text_of
from portwright.repositories.deployers.placed import Line, is_path
from portwright.repositories.recognise import recognise, without_blanks_to_fill
from portwright.system.spanned_text import UNKNOWN as MARK

_MOST_OF_A_FOLDER = 200
_FOLDERS = frozenset(
    (
        *("/etc", "/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system", "/etc/default", "/etc/sysconfig"),
        *("/etc/security", "/etc/ssh", "/etc/init.d", "/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/opt", "/root"),
        "/etc/containers/systemd",
    )
)
"""Folders that every host has."""


Effect = Callable[[Task, MachinePages, Layout], bool]
"""Whether all that a task does is known, or of no matter here."""


def _sysctl(task: Task, pages: MachinePages, layout: Layout) -> bool:
    key, value = task.value("name", "key"), task.value("value", "val")
    path = task.text("sysctl_file") or "/etc/sysctl.conf"
    name = text_of(key)
    if not name or MARK in name or "\n" in name:
        return False
    if task.text("state") == "absent":
        if is_path(path):
            pages.without(path, rf"^\s*{_escaped(name)}\s*=", None)
        return True
    said = text_of(value)
    if said is None or not is_path(path):
        return said is None and value is not None
    if isinstance(value, bool):
        said = "1" if value else "0"  # as the module takes it
    said = said.strip()
    number, shift, source = _where(task, key, value, len(name) + 3)
    line = Line(f"{name.strip()} = {said}".replace("\n", " "), source, number, shift, task.is_sure)
    pages.line(path, line, rf"^\s*{_escaped(name.strip())}\s*=", None)
    return MARK not in said


def _where(task: Task, key: object, value: object, offset: int) -> tuple[int, int, str]:
    """The line that decides a setting: where its value is written, or its key where only that comes from a list."""
    own, keys = place_of(value), place_of(key)
    given = (place_of(task.raw("name", "key")), place_of(task.raw("value", "val")))
    if own is not None and own not in given:
        return own.line, own.column - 1 - offset + bool(own.style), own.label
    if keys is not None and keys not in given:
        return keys.line, keys.column - 1 + bool(keys.style), keys.label
    if own is not None:
        return own.line, own.column - 1 - offset + bool(own.style), own.label
    raw = place_of(task.raw("value", "val")) or keys or task.at
    return raw.line, raw.column - 1, raw.label


def _escaped(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_ " else f"\\{letter}" for letter in text)


def _template(task: Task, pages: MachinePages, layout: Layout) -> bool:
    source, path = task.text("src"), task.text("dest", "path")
    label = None if source is None else layout.found(source, task.templates)
    if path is None or label is None:
        return False
    text = layout.checkout.text(label)
    path = _inside(path, label, text or "", pages)
    if text is None or "\0" in text or not is_path(path):
        return False
    if not matters(path):
        return True
    options = {name: task.variables.filled(task.given[name]) for name in task.given if name.endswith(("_string", "_blocks"))}
    beside = (label.rpartition("/")[0], *task.templates)
    filled = task.variables.lines(text, Place(label, 1, 1, 1), options, _hangs_together(path), lambda name: _included(name, beside, layout))
    if filled is None:
        # What cannot be filled in says what is literal in it; a unit of which something is missing is left to its own name.
        known = text if _hangs_together(path) else without_blanks_to_fill(text)
        lines = [Line(each, label, number, sure=False) for number, each in enumerate(known.removesuffix("\n").split("\n"), 1)]
    else:
        lines = [
            Line(each.text.rstrip("\r"), (each.included and layout.found(each.included, beside)) or label, each.number, sure=each.is_sure)
            for each in filled
        ]
    pages.whole(path, lines, label, task.is_sure)
    return True


def _copy(task: Task, pages: MachinePages, layout: Layout) -> bool:
    path = task.text("dest", "path")
    if path is None:
        return False
    if "content" in task.given:
        lines = written(task.given["content"], task)
        if lines is None or not is_path(path):
            return False
        pages.whole(path, lines, "", task.is_sure)
        return True
    source = task.text("src")
    if source is None or is_true(task.value("remote_src")):
        return False
    label = layout.found(source, task.files)
    if label is not None:
        return _copied(label, _inside(path, label, layout.checkout.text(label) or "", pages), pages, layout, task.is_sure)
    # A folder: what is in it, with a slash behind it, else the folder itself.
    folder = next((inside for each in task.files if (inside := _folder(f"{each}/{source}", layout)) is not None), None)
    if folder is None or not is_path(path.rstrip("/") or "/x"):
        return False
    top = folder if source.endswith("/") else folder.rpartition("/")[0]
    known = True
    for label in list(layout.checkout.under(folder))[:_MOST_OF_A_FOLDER]:
        known &= _copied(label, f"{path.rstrip('/')}/{label.removeprefix(top).lstrip('/')}", pages, layout, task.is_sure)
    return known


def _folder(path: str, layout: Layout) -> str | None:
    from portwright.repositories.deployers.ansible.layout import normal

    inside = normal(path)
    return inside if inside and next(iter(layout.checkout.under(inside)), None) is not None else None


def _copied(label: str, path: str, pages: MachinePages, layout: Layout, is_sure: bool) -> bool:
    text = layout.checkout.text(label)
    if text is None or "\0" in text or not is_path(path):
        return text is not None and "\0" in text
    lines = [Line(each.rstrip("\r"), label, number) for number, each in enumerate(text.removesuffix("\n").split("\n"), 1)]
    pages.whole(path, lines, label, is_sure)
    return True


def _inside(path: str, label: str, text: str, pages: MachinePages) -> str:
    """Where a file goes that is put at a path which may be a folder."""
    name = label.rpartition("/")[2]
    last = path.rstrip("/").rpartition("/")[2]
    is_folder = path.endswith("/") or path in _FOLDERS or path in pages.folders
    if is_folder or (last.endswith(".d") and not name.removesuffix(".j2").endswith(".d")):
        return f"{path.rstrip('/')}/{name}"
    # A folder that comes with a program: what lies there under its own name is a config.
    inside = f"{path}/{name}"
    if "." not in last and "." in name.removesuffix(".j2") and _is_config(inside, text) and not _is_config(path, text):
        return inside
    return path


def _included(name: str, folders: tuple[str, ...], layout: Layout) -> str | None:
    label = layout.found(name, folders)
    return None if label is None else layout.checkout.text(label)


def _hangs_together(path: str) -> bool:
    """Whether each line of a file there may change what another one means: of units, of settings, of scripts."""
    return "/systemd/" in path or path.startswith(("/etc/default/", "/etc/sysconfig/", "/etc/sysctl")) or path.endswith(".sh")


def _is_config(path: str, text: str) -> bool:
    what = recognise(path.lstrip("/"), text, True)
    return what is not None and what.host_path == path


def _lineinfile(task: Task, pages: MachinePages, layout: Layout) -> bool:
    path = task.text("path", "dest", "destfile", "name")
    if path is None or not is_path(path):
        return False
    regexp, search = task.text("regexp", "regex"), task.text("search_string")
    if task.text("state") == "absent":
        if regexp is None or MARK not in regexp:
            pages.without(path, regexp, task.text("line") or search)
        return True
    value = task.value("line", "value")
    said = text_of(value)
    if said is None or is_true(task.value("backrefs")):
        return False
    at = place_of(value) or place_of(task.raw("line", "value")) or task.at
    known = regexp if regexp is None or MARK not in regexp else None
    for step, each in enumerate(said.split("\n")):
        pages.line(path, _line(each, at, step, True), None if step else known, None if step else search)
    return True


def _blockinfile(task: Task, pages: MachinePages, layout: Layout) -> bool:
    path = task.text("path", "dest", "destfile", "name")
    if path is None or not is_path(path):
        return False
    marker = task.text("marker") or ""
    lines = [] if task.text("state") == "absent" else written(task.raw("block", "content") or "", task)
    if lines is None:
        return False
    pages.block(path, lines, marker)
    return True


def _ini_file(task: Task, pages: MachinePages, layout: Layout) -> bool:
    path, section, name = task.text("path", "dest"), task.text("section") or "", task.text("option")
    if path is None or not is_path(path) or MARK in section or not name or MARK in name:
        return False
    if task.text("state") == "absent":
        pages.without(path, rf"^\s*{_escaped(name)}\s*=", None)
        return True
    values = task.value("values")
    value = task.value("value") if not isinstance(values, list) else values
    between = "=" if is_true(task.value("no_extra_spaces")) else " = "
    header = place_of(task.raw("section")) or task.at
    for each in value if isinstance(value, list) else [value]:
        said = text_of(each)
        if said is None:
            continue
        at = place_of(each) or place_of(task.raw("value")) or task.at
        shift = at.column - 1 - len(name) - len(between) + bool(at.style)
        line = Line(f"{name}{between}{said}".replace("\n", " "), at.label, at.line, shift)
        pages.option(path, section, Line(f"[{section}]", header.label, header.line, header.column - 2), line, name)
    return True


def _replace(task: Task, pages: MachinePages, layout: Layout) -> bool:
    path, regexp, by = task.text("path", "dest", "destfile", "name"), task.text("regexp", "regex"), task.text("replace") or ""
    if path is None or not is_path(path) or regexp is None or MARK in regexp:
        return False
    at = place_of(task.raw("replace")) or task.at
    try:
        return pages.replaced(path, regexp, by, Line("", at.label, at.line, at.column - 1))
    except (re.error, LookupError, ValueError):
        return False


def _file(task: Task, pages: MachinePages, layout: Layout) -> bool:
    path, state = task.text("path", "dest", "name"), task.text("state")
    if path is None or MARK in path:
        return True
    if state == "directory":
        pages.folders.add(path.rstrip("/"))
    elif state == "absent" and is_path(path.rstrip("/")) and path.count("/") > 1:
        pages.remove(path.rstrip("/"))
    return True


def _command(task: Task, pages: MachinePages, layout: Layout) -> bool:
    raw = task.raw("_raw_params", "cmd")
    if raw is None:
        argv = task.value("argv")
        if not isinstance(argv, list):
            return True
        script = [Line(" ".join(text_of(each) or MARK for each in argv), task.at.label, task.at.line)]
    elif isinstance(raw, str) and not any(word in raw for word in (*_MATTER, "{{ item", "{{item")):
        return True  # whatever it is filled in with, it sets up nothing
    else:
        found = written(raw, task)
        if found is None:
            return False
        script = found
    return _run(script, task.at.label, pages, layout)


def _script(task: Task, pages: MachinePages, layout: Layout) -> bool:
    said = task.text("_raw_params", "cmd")
    label = None if said is None else layout.found(said.split(" ")[0], task.files)
    text = None if label is None else layout.checkout.text(label)
    if label is None or text is None:
        return False
    return _run([Line(each, label, number) for number, each in enumerate(text[: 1 << 16].split("\n"), 1)], label, pages, layout)


def _run(script: Sequence[Line], label: str, pages: MachinePages, layout: Layout) -> bool:
    """What a command writes. It is looked through, as a script of its own would be."""
    outer, pages.label = pages.label, label
    known, pages.understood = pages.understood, set()
    before = len(pages.lines)
    try:
        shell.write(script, pages, layout.checkout)
    finally:
        pages.spoken_for.update((label, number) for number in pages.understood)
        pages.label, pages.understood = outer, known
    return before < len(pages.lines) or not any(word in line.text for line in script for word in _MATTER)


_MATTER = ("sysctl", "systemctl", "setcap", "docker ", "podman ", "/etc/", "/proc/sys/", "/systemd/", "ip_local_port", "useradd")


def written(raw: Any, task: Task) -> list[Line] | None:
    """The lines of a text that a task holds, each at its place; None where it is no text."""
    filled = task.variables.filled(raw)
    at, own = place_of(filled), place_of(raw)
    if isinstance(raw, str) and own is not None and "{" in raw and (at is None or at == own):
        lines = task.variables.lines(str(raw), own, {})
        if lines is not None:
            return [_line(each.text, own, each.number - 1, each.is_sure) for each in lines]
    if isinstance(filled, (dict, list)):
        return None
    text = text_of(filled)
    if text is None:
        return None
    at = at or own or task.at
    return [_line(each, at, step, True) for step, each in enumerate(text.removesuffix("\n").split("\n"))]


def _line(text: str, at: Place, step: int, is_sure: bool) -> Line:
    if at.style in ("|", ">"):
        return Line(text, at.label, min(at.line + 1 + step, at.end_line), at.indent, sure=is_sure)
    return Line(text, at.label, min(at.line + step, at.end_line), at.column - 1 + bool(at.style), sure=is_sure)


EFFECTS: dict[str, Effect] = {
    "blockinfile": _blockinfile,
    "command": _command,
    "copy": _copy,
    "docker_container": containers.docker_container,
    "file": _file,
    "ini_file": _ini_file,
    "lineinfile": _lineinfile,
    "podman_container": containers.podman_container,
    "raw": _command,
    "replace": _replace,
    "script": _script,
    "shell": _command,
    "sysctl": _sysctl,
    "template": _template,
}
def has_effect(module: str, given: Any) -> bool:
    """Whether a task may do something that is read here: of commands those that name what sets something up."""
    if module not in ("command", "shell", "raw"):
        return module in EFFECTS
    said = given if isinstance(given, str) else " ".join(map(str, given.values())) if isinstance(given, dict) else ""
    return any(word in said for word in (*_MATTER, "{{ item", "{{item"))


_OF_NO_MATTER = frozenset(
    (
        *("add_host", "apk", "apt", "apt_key", "apt_repository", "archive", "assert", "async_status", "at", "authorized_key", "aur"),
        *("cron", "cronvar", "deb822_repository", "debconf", "debug", "dnf", "dpkg_selections", "expect", "fail", "fetch", "filesystem"),
        *("find", "firewalld", "gather_facts", "gem", "get_url", "getent", "git", "group", "group_by", "hostname", "htpasswd", "iptables"),
        *("kernel_blacklist", "known_hosts", "locale_gen", "lvg", "lvol", "make", "modprobe", "mount", "npm", "openssh_keypair", "package"),
        *("package_facts", "pacman", "pam_limits", "parted", "pause", "ping", "pip", "reboot", "rpm_key", "sefcontext", "selinux"),
        *("seport", "service", "service_facts", "set_stats", "setup", "slurp", "snap", "ssh_config", "stat", "sudoers", "systemd"),
        *("systemd_service", "tempfile", "timezone", "ufw", "unarchive", "uri", "user", "wait_for", "wait_for_connection", "xattr", "yum"),
        *("yum_repository", "zypper", "zypper_repository", "alternatives", "capabilities", "import_playbook"),
        *("flush_handlers", "seboolean", "validate_argument_spec"),
    )
)
"""Modules that write no config, or nothing that is read here, though they may start or install what has one."""


_OF_SERVICES = (
    *("amazon.aws.", "azure.azcollection.", "community.aws.", "community.crypto.", "google.cloud.", "grafana.grafana.", "openstack.cloud."),
)
_OF_DATABASES = frozenset(
    f"{database}_{what}"
    for database in ("mongodb", "mysql", "postgresql", "proxysql", "rabbitmq")
    for what in ("db", "ext", "info", "membership", "owner", "ping", "privs", "query", "role", "schema", "script", "user", "vhost")
)
"""Modules that ask a service that runs already, on whatever port."""


def is_followed(module: str) -> bool:
    """Whether all that a module may do is of no matter here, where it has no effect above."""
    return module in _OF_NO_MATTER or module.rpartition(".")[2] in _OF_DATABASES or module.startswith(_OF_SERVICES)
