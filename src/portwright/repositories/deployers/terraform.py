"""Terraform and Packer: what a machine is given at its first boot and by provisioners, as far as the files say it literally.

A template or a script that lies in the repository is read at its own place; what the call of it fills in is looked up from there.
"""

from collections.abc import Iterable

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.hcl import Block, Pairs, Value
from portwright.formats.parts import Bare, Call, Items, String
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import first_boot, shell
from portwright.repositories.deployers.literal import lines, remarks, whole
from portwright.repositories.deployers.placed import LONGEST, MOST_LINES, Deployed, Line, Pages, is_path
from portwright.repositories.deployers.terraform_names import FILES, THROUGH, Folder, blocks_of, folder_of, known, text_of, values_of
from portwright.repositories.not_read import kind_by_name, kind_of
from portwright.source import Source
from portwright.system.spanned_text import UNKNOWN

_UNITS = "/etc/systemd/system"
_DEEPEST = 16
"""Names that stand for names."""

# The names of what a resource or a module gives to a machine.
_FIRST_BOOT = frozenset((
    "user_data", "user_data_base64", "user_data_raw", "userdata", "user-data", "custom_data", "startup_script", "startup-script",
    "metadata_startup_script", "cloud_init", "cloud_config", "cloudinit", "cloud-init", "extra_user_data", "pre_userdata",
    "post_userdata",
))  # fmt: skip
# Resources that run containers, of which other deployers' languages are inside.
_OTHERS = ("aws_ecs", "kubernetes_", "kubectl_", "helm_", "docker_", "nomad_", "local_file")
_ON_THE_WAY = ("/tmp/", "/home/", "/var/tmp/")  # noqa: S108 (on the machine that is built)
_MOVED = lazy_regex(
    r"^[ \t]*(?:sudo[ \t]+(?:-\w+[ \t]+)*)?(?:mv|cp|install)(?:[ \t]+-\S+(?:[ \t]+[0-7]{3,4})?)*"
    r"[ \t]+([^\s;&|-][^\s;&|]*)[ \t]+([^\s;&|]+)"
)


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the resources of a file give to their machines."""
    source = Source(label, text[:LONGEST])
    folder = folder_of(label.rpartition("/")[0], checkout)
    found: list[Pages] = []
    # What a file says besides (networks, firewalls, load balancers) is nothing on a host.
    understood = set(range(1, source.text.count("\n") + 2))
    blocks = sorted(blocks_of(label, source, folder), key=lambda block: block.at)
    for block, after in zip(blocks, (*blocks[1:], None), strict=False):
        machine = ".".join((block.kind, *block.labels)) if block.kind in ("resource", "data", "module") else ""
        pages = Pages(label, f"{machine} of {label}" if machine else "", cut=len(text) > LONGEST)
        given = _Machine(source, folder, checkout, pages)
        given.take(block)
        if block.labels[:1] and block.labels[0].startswith(_OTHERS):
            last = source.span(after.at, after.at).line if after is not None else source.text.count("\n") + 2
            given.looked.update(range(source.span(block.at, block.at).line, last))
        understood -= given.looked - pages.understood
        found.append(pages)
    files = tuple(file for pages in found for file in pages.deployed().files)
    return Deployed(files, frozenset(understood | remarks(text, ("#", "//"))), any(pages.cut for pages in found))


class _Machine:
    """One resource, or all that a build does."""

    def __init__(self, source: Source, folder: Folder, checkout: Checkout, pages: Pages) -> None:
        self.source = source
        self.folder = folder
        self.checkout = checkout
        self.pages = pages
        self.uploaded: dict[str, tuple[list[Line], str]] = {}
        self.looked: set[int] = set()
        """The lines of this file that say what a machine does, understood or not."""
        self.left = MOST_LINES

    def take(self, block: Block) -> None:
        kind = block.labels[0] if block.kind == "data" and block.labels else ""
        if kind == "template_file":
            return
        if kind == "ignition_file":
            self._ignition_file(block)
        elif kind == "ignition_systemd_unit":
            self._ignition_unit(block)
        elif kind in ("ct_config", "butane_config", "cloudinit_config", "template_cloudinit_config") and "content" in block.values:
            self._first_boot(block.values["content"])
        elif block.kind not in ("locals", "variable", "output", "terraform", "provider"):
            self._body(block, 0)

    def _body(self, block: Block, depth: int) -> None:
        for name, value in block.values.items():
            if name in _FIRST_BOOT or (block.kind == "part" and name == "content") or (block.kind == "source_raw" and name == "data"):
                self._first_boot(value)
            elif isinstance(value, Pairs):
                for key, each in value.pairs:
                    if key in _FIRST_BOOT:
                        self._first_boot(each)
        for inner in block.blocks:
            if inner.kind == "provisioner":
                self._provisioner(inner)
            elif depth < _DEEPEST:
                self._body(inner.blocks[0] if inner.kind == "dynamic" and inner.blocks else inner, depth + 1)

    def _first_boot(self, value: Value) -> None:
        script = self._lines(value, self.source, 0)
        if script:
            self._look(script)
            first_boot.write(script, self.pages, self.checkout)
        elif script is None and not self._is_elsewhere(value, 0):
            self.looked.add(self.source.span(value.at, value.at).line)

    def _look(self, script: Iterable[Line]) -> None:
        self.looked.update(line.number for line in script if line.source == self.source.path)

    def _is_elsewhere(self, value: Value, depth: int) -> bool:
        """Whether it is a file of the repository, or made of the blocks of another resource, which are read there."""
        if depth > _DEEPEST:
            return False
        if isinstance(value, Call) and value.name in THROUGH and value.arguments:
            return self._is_elsewhere(value.arguments[0], depth + 1)
        if isinstance(value, Call) and value.name in FILES and value.arguments:
            return self.checkout.beside(self.source.path, text_of(value.arguments[0], self.folder)) is not None
        if isinstance(value, String) and len(value.parts) == 1 and value.parts[0].filled:
            return self._is_elsewhere(Bare(value.parts[0].text, value.at), depth + 1)
        if isinstance(value, Bare) and value.text in self.folder.names:
            return self._is_elsewhere(self.folder.names[value.text][1], depth + 1)
        return isinstance(value, Bare) and value.text.startswith(("data.", "null"))

    def _provisioner(self, block: Block) -> None:
        kind = block.labels[0] if block.labels else ""
        if kind in ("remote-exec", "shell"):
            inline = block.values.get("inline")
            script = [line for each in _each(inline) for line in self._lines(each, self.source, 0) or ()]
            self._look(script)
            shell.write(script, self.pages, self.checkout)
            for line in script:
                self._moved(line)
        elif kind == "file":
            self._upload(block)

    def _upload(self, block: Block) -> None:
        """A file that is copied to the machine, from where a later command may move it to its place."""
        to = block.values.get("destination")
        path = text_of(to, self.folder) if to is not None else ""
        content, of = block.values.get("content"), ""
        script = self._lines(content, self.source, 0) if content is not None else None
        source = block.values.get("source")
        if script is None and source is not None:
            label = self.checkout.beside(self.source.path, text_of(source, self.folder))
            text = None if label is None else self.checkout.text(label)
            if label is not None and text is not None:
                of = label
                script = whole(label, text)
        if script and is_path(path):
            self.uploaded[path] = (script, of)
            if not path.startswith(_ON_THE_WAY):
                self.pages.write(path, script, of=of)

    def _moved(self, line: Line) -> None:
        found = _MOVED.match(line.text)
        if found is None or found[1] not in self.uploaded:
            return
        script, of = self.uploaded[found[1]]
        path = found[2] + found[1].rpartition("/")[2] if found[2].endswith("/") else found[2]
        if path.rpartition("/")[2] in ("system", "sysctl.d", "conf.d", "sites-enabled", "sites-available"):
            path = f"{path}/{found[1].rpartition('/')[2]}"
        self.pages.write(path, script, of=of)
        self.pages.understood.add(line.number)

    def _ignition_file(self, block: Block) -> None:
        path = text_of(block.values["path"], self.folder) if "path" in block.values else ""
        for inner in block.all("content"):
            script = self._lines(inner.values["content"], self.source, 0) if "content" in inner.values else None
            if script:
                self.pages.write(path, script)

    def _ignition_unit(self, block: Block) -> None:
        name = text_of(block.values["name"], self.folder) if "name" in block.values else ""
        if not name or "/" in name or UNKNOWN in name:
            return
        script = self._lines(block.values["content"], self.source, 0) if "content" in block.values else None
        if script:
            self.pages.write(f"{_UNITS}/{name}", script)
        for inner in block.all("dropin"):
            own = text_of(inner.values["name"], self.folder) if "name" in inner.values else ""
            script = self._lines(inner.values["content"], self.source, 0) if "content" in inner.values else None
            if script and own and "/" not in own:
                first_boot.drop_in_unit(name, own, script, self.pages)

    def _lines(self, value: Value, source: Source, depth: int) -> list[Line] | None:
        """A value as lines at their places; None where it is not known, or read on its own."""
        if depth > _DEEPEST:
            return None
        if isinstance(value, String):
            only = value.parts[0] if len(value.parts) == 1 and value.parts[0].filled else None
            if only is not None and only.text in self.folder.names:
                return self._lines(self.folder.names[only.text][1], self.folder.names[only.text][0], depth + 1)
            return lines(source, value.parts, value.indent, lambda expression: known(expression, self.folder))
        if isinstance(value, Bare):
            named = self.folder.names.get(value.text)
            return None if named is None else self._lines(named[1], named[0], depth + 1)
        if isinstance(value, Call) and value.name in THROUGH and value.arguments:
            return self._lines(value.arguments[0], source, depth + 1)
        if isinstance(value, Call) and value.name == "join" and len(value.arguments) == 2:
            unknown = Line(UNKNOWN, source.path, source.span(value.at, value.at).line)
            found: list[Line] = []
            for each in _each(value.arguments[1]):
                if self.left <= 0:
                    self.pages.cut = True
                    break
                found += self._lines(each, source, depth + 1) or [unknown]
            # A name that is joined more than once, of such names, holds as much again at each step.
            self.left -= 1 + len(found)
            return found
        if isinstance(value, Call) and value.name in FILES and value.arguments:
            return self._of_file(value, source)
        return None

    def _of_file(self, call: Call[Value], source: Source) -> list[Line] | None:
        """The lines of a file that nobody reads on its own, its blanks filled in."""
        path = text_of(call.arguments[0], self.folder)
        label = self.checkout.beside(source.path, path)
        text = None if label is None else self.checkout.text(label)
        if label is None or text is None:
            return None
        kind = kind_by_name(label)
        if kind is not None and kind_of(label, kind, text) is not None:
            return None
        script = whole(label, text)
        values = values_of(call, source, self.folder)
        return first_boot.filled(script, values.get) if call.name == "templatefile" else script


def _each(value: Value | None) -> tuple[Value, ...]:
    return value.values if isinstance(value, Items) else () if value is None else (value,)
