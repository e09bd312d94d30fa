"""Programs known never to listen on an IP address: `never_listening.yaml`, scanned as text, since reading YAML costs a run too much."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from os.path import dirname, join
from re import MULTILINE, compile

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.trees import Files

PATH = join(dirname(__file__), "never_listening.yaml")

# Where packages install programs and start scripts; /usr/local and /opt hold somebody's own, whatever its name.
_PACKAGED = lazy_regex(r"/(?:(?:usr/)?(?:s?bin|lib(?:32|64)?|libexec|share)|etc/(?:alternatives|init\.d))/.+")
_PART = lazy_regex(
    r"^- why: (?P<why>.+)$|^  (?P<key>programs|unless-files): \[(?P<list>[^]]*)\]$|^  unless-text: '(?P<text>.+)'$", MULTILINE
)


@dataclass(frozen=True, slots=True)
class Group:
    """Programs that never listen for the same reason, unless a line of some config file says otherwise."""

    why: str
    unless_files: tuple[str, ...] = ()
    unless_text: str = ""


def never_listens(program: str, files: Files) -> bool:
    """Whether the program at a path is one that never listens on an IP address as this host configures it."""
    if not _PACKAGED.fullmatch(program):
        return False
    group = programs().get(program.rpartition("/")[2])
    if group is None or (group.unless_text and _says(group, files)):
        return False
    # A link may lead from a name that is known to what no package installed.
    real = files.resolve(program)
    return real == program or _PACKAGED.fullmatch(real) is not None


@lru_cache(maxsize=1)
def programs() -> Mapping[str, Group]:
    """The group that each program is in, by its base name."""
    return {name: group for names, group in _groups() for name in names}


def _groups() -> Iterator[tuple[tuple[str, ...], Group]]:
    with open(PATH, encoding="utf-8") as file:
        parts = list(_PART.finditer(file.read()))
    starts = [index for index, part in enumerate(parts) if part["why"]]
    for start, end in zip(starts, [*starts[1:], len(parts)], strict=True):
        lists = {part["key"]: tuple(word.strip(' "\n') for word in part["list"].split(",")) for part in parts[start:end] if part["key"]}
        text = next((part["text"] for part in parts[start:end] if part["text"]), "")
        yield lists["programs"], Group(parts[start]["why"], lists.get("unless-files", ()), text)


def _says(group: Group, files: Files) -> bool:
    pattern = compile(group.unless_text, MULTILINE)
    for path in group.unless_files:
        folder, _, name = path.rpartition("/")
        paths = [f"{folder}/{each}" for each in files.names(folder)] if name == "*" else [path]
        for each in paths:
            source = files.read(each) if files.kind(each) == "file" else None
            if source is not None and pattern.search(source.text):
                return True
    return False
