"""How a repository is laid out for Ansible: its playbooks and roles, where their files and variables lie, and its inventories."""

from collections.abc import Iterable, Iterator
from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.ansible import inventory
from portwright.repositories.deployers.ansible.inventory import Inventory
from portwright.repositories.deployers.ansible.values import REFUSED, load
from portwright.repositories.recognise import lies_aside
from portwright.system.spanned_text import UNKNOWN as MARK

_YAML = (".yml", ".yaml")
_PLAY = lazy_regex(r"(?m)^(?:- |  )(?:hosts|import_playbook|ansible\.builtin\.import_playbook|include)[ \t]*:")
_PARTS = frozenset(("tasks", "defaults", "vars", "meta", "handlers", "templates", "files"))
_INVENTORIES = ("hosts", "inventory", "inventories", "production", "staging", "prod", "stage", "stg", "dev", "development", "environments")
ROOT = "/.checkout/"
"""Where the repository lies for `playbook_dir`, `role_path` and the like."""


class Layout:
    """The files of a repository as Ansible finds them."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self._labels = frozenset(checkout.labels)
        self._documents: dict[str, Any] = {}
        self.refused: set[str] = set()
        self.roles: dict[str, list[str]] = {}
        self.group_vars: dict[str, list[str]] = {}
        self.host_vars: dict[str, list[str]] = {}
        found: dict[str, None] = {}
        for label in checkout.labels:
            parts = label.split("/")
            for at, part in enumerate(parts[:-1]):
                is_among = at >= 2 and parts[at - 2] == "roles" and part in _PARTS
                if is_among or (part == "tasks" and at == len(parts) - 2 and parts[-1] in ("main.yml", "main.yaml")):
                    found["/".join(parts[:at])] = None
                if part in ("group_vars", "host_vars"):
                    kept = self.group_vars if part == "group_vars" else self.host_vars
                    name = parts[at + 1].rpartition(".")[0] if at == len(parts) - 2 and "." in parts[-1] else parts[at + 1]
                    if parts[-1].endswith((*_YAML, ".json")) or "." not in parts[-1]:
                        kept.setdefault(name, []).append(label)
        for role in found:
            self.roles.setdefault(role.rpartition("/")[2], []).append(role)
        self.playbooks = [label for label in checkout.labels if self._may_be_playbook(label) and is_playbook(self.document(label))]

    def document(self, label: str) -> Any:
        """A YAML file of the repository; None where it is none."""
        if label not in self._documents:
            text = self.checkout.text(label)
            found = None if text is None else load(label, text)
            if found is REFUSED:
                self.refused.add(label)
            self._documents[label] = None if found is REFUSED else found
        return self._documents[label]

    def has(self, label: str) -> bool:
        """Whether there is such a file."""
        return label in self._labels

    def role(self, name: str, near: str) -> str | None:
        """The folder of a role that a play or a role in the folder `near` names."""
        name = name.strip().rstrip("/")
        if "/" in name:
            inside = normal(f"{near}/{name}" if not name.startswith(ROOT) else name.removeprefix(ROOT))
            if any(inside in folders for folders in self.roles.values()):
                return inside
            name = name.rpartition("/")[2]
        names = (name, name.rpartition(".")[2]) if "." in name else (name, f"ansible-role-{name}", f"ansible-{name}")
        for each in names:
            folders = self.roles.get(each, ())
            if folders:
                return max(folders, key=lambda folder: (_common(folder, near), -folder.count("/")))
        return None

    def files_of(self, stem: str) -> Iterator[str]:
        """The YAML files that a role's `vars/main` is: one, or those of a folder of this name."""
        stem = stem.lstrip("/")
        for ending in _YAML:
            if self.has(stem + ending):
                yield stem + ending
                return
        yield from sorted(label for label in self.checkout.under(stem) if label.endswith(_YAML))

    def found(self, name: str, folders: Iterable[str]) -> str | None:
        """The file that a task means by a path: the first folder that has it counts."""
        if name.startswith(ROOT):
            inside = normal(name.removeprefix(ROOT))
            return inside if self.has(inside) else None
        if name.startswith("/") or not name:
            return None
        return next((inside for folder in folders if self.has(inside := normal(f"{folder}/{name}"))), None)

    def matching(self, name: str, folders: Iterable[str]) -> list[str]:
        """The files that a path with something unknown in it may mean."""
        before, _, after = name.partition(MARK)
        after = after.rpartition(MARK)[2]
        if name.startswith(("/", MARK)) and not after.strip("./"):
            return []
        if not after.endswith(_YAML) and not before:
            return []
        for folder in folders:
            start = normal(f"{folder}/{before}x")[:-1]
            inside = start.rpartition("/")[0]
            slashes = start.count("/") + name[len(before) :].count("/")
            named = (label for label in self.checkout.under(inside) if label.startswith(start) and label.endswith(after))
            hits = [label for label in named if len(label) > len(start) + len(after) and label.count("/") == slashes]
            if hits:
                return sorted(hits)[:20]
        return []

    def inventories(self) -> list[tuple[str, Inventory]]:
        """The inventories by their folders."""
        found: dict[str, Inventory] = {}
        for label in self.checkout.labels:
            folder, _, name = label.rpartition("/")
            parts = folder.split("/")
            stem, _, ending = name.partition(".")
            is_among = any(part.lower() in _INVENTORIES for part in parts) and not _PARTS & set(parts)
            if "group_vars" in parts or "host_vars" in parts or "roles" in parts or lies_aside(label):
                continue
            if not (is_among or stem.lower() in _INVENTORIES or ending == "ini"):
                continue
            if ending in ("yml", "yaml"):
                if not inventory.looks_like_yaml(self.document(label)):
                    continue
            elif ending not in ("", "ini", "cfg", "txt") or (ending == "cfg" and stem == "ansible"):
                continue
            text = self.checkout.text(label)
            if text is None or "\0" in text or text.startswith("#!"):
                continue
            if ending not in ("yml", "yaml") and not inventory.is_inventory(label, text):
                continue
            inventory.read(label, text, found.setdefault(folder, Inventory()))
        return [(folder, each) for folder, each in sorted(found.items()) if each.hosts]

    def _may_be_playbook(self, label: str) -> bool:
        if not label.endswith(_YAML) or not _PARTS.isdisjoint(label.split("/")[:-1]) or lies_aside(label):
            return False
        text = self.checkout.text(label)
        return text is not None and _PLAY.search(text) is not None


def is_playbook(document: Any) -> bool:
    """Whether a YAML document is a list of plays."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(play, dict) for play in document)
        and any("hosts" in play or "import_playbook" in play or "ansible.builtin.import_playbook" in play for play in document)
    )


def normal(path: str) -> str:
    """A path inside the repository without `.` and `..`."""
    found: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if found:
                found.pop()
        elif part not in ("", "."):
            found.append(part)
    return "/".join(found)


def _common(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count
