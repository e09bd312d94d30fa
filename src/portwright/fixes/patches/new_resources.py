"""A kernel setting in a recipe of Chef or a manifest of Puppet that sets none: a resource beside the one that puts the file on the host."""

from collections.abc import Iterator, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.fixes.patches.place import Place, Texts, Wish
from portwright.fixes.patches.statements import TITLE
from portwright.fixes.patches.texts import NoPlaceError, TextEdit, after, before, count_of_lines
from portwright.fixes.patches.wishes import value_for

_NO_NAME = lazy_regex(r"[^A-Za-z0-9_-]+")
_BLOCK = lazy_regex(r"(?:class|define|node)\b")
_HELD = ("/templates/", "/files/")


@dataclass(frozen=True, slots=True)
class NewResource(Place):
    """A resource `sysctl` at the end of a recipe of Chef."""

    path: str
    line: int
    key: str

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        last = next((each for each in range(count_of_lines(source), 0, -1) if source.line(each).strip()), 1)
        value = value_for("", [change for _, change in wishes])
        return [after(source, last, ("", f"# {TITLE}.", f"sysctl '{self.key}' do", f"  value '{value}'", "end"))]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"add a resource that sets {self.key} to {value_for('', [change for _, change in wishes])}"


@dataclass(frozen=True, slots=True)
class NewFileResource(Place):
    """A file of sysctl.d in a class of Puppet, and the command by which the kernel takes it: Puppet itself has no type for settings."""

    path: str
    line: int
    key: str
    name: str

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        value = value_for("", [change for _, change in wishes])
        on_host = f"/etc/sysctl.d/60-{self.name}.conf"
        lines = (
            "",
            f"  # {TITLE}.",
            f"  file {{ '{on_host}':",
            "    ensure  => file,",
            f'    content => "{self.key} = {value}\\n",',
            f"    notify  => Exec['{self.name}'],",
            "  }",
            f"  exec {{ '{self.name}':",
            f"    command     => '/sbin/sysctl -p {on_host}',",
            "    refreshonly => true,",
            "  }",
        )
        return [before(source, self.line, lines)]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"add a file that sets {self.key} to {value_for('', [change for _, change in wishes])}"


def resource_places(path: str, number: int, key: str, texts: Texts) -> Iterator[Place]:
    """A place in the recipe or the class that a line is in, or that puts a file on the host."""
    if path.endswith(".rb") and "/recipes/" in f"/{path}":
        yield NewResource(path, number, key)
    elif path.endswith(".pp"):
        yield from _in_class(path, number, key, texts)
    else:
        for label, line in _naming(path, texts):
            if label.endswith(".rb"):
                yield NewResource(label, line, key)
            else:
                yield from _in_class(label, line, key, texts)


def _naming(path: str, texts: Texts) -> Iterator[tuple[str, int]]:
    """The recipes and manifests of a cookbook or module that name one of its files, each with the line."""
    top = next((f"/{path}".partition(held)[0].lstrip("/") for held in _HELD if held in f"/{path}"), None)
    if top is None:
        return
    beside = f"{top}/" if top else ""
    name = path.rpartition("/")[2]
    for label in sorted(label for label in texts.labels if label.startswith((f"{beside}recipes/", f"{beside}manifests/"))):
        lines = texts.text(label).split("\n") if label.endswith((".rb", ".pp")) and name in texts.text(label) else ()
        number = next((number for number, line in enumerate(lines, 1) if name in line), 0)
        if number:
            yield label, number


def _in_class(path: str, number: int, key: str, texts: Texts) -> Iterator[Place]:
    """Before the end of the class around a line, where it ends in a line of its own."""
    lines = texts.text(path).split("\n")
    opened = next((each for each in range(min(number, len(lines)), 0, -1) if _BLOCK.match(lines[each - 1])), 0)
    closed = next((each for each in range(number, len(lines) + 1) if lines[each - 1].rstrip() == "}"), 0)
    if not opened or not closed or any(_BLOCK.match(line) for line in lines[opened:closed]):
        raise NoPlaceError(f"{path}:{number} is in no class whose end can be told")
    module = path.partition("/manifests/")[0].rpartition("/")[2] if "/manifests/" in path else ""
    stem = path.rpartition("/")[2].removesuffix(".pp")
    yield NewFileResource(path, closed, key, _NO_NAME.sub("-", "-".join(part for part in ("reserved-ports", module, stem) if part)))
