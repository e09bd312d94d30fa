"""What a repository would lay over a host: its files at their places, with the links that enable what they configure."""

from collections.abc import Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.coverage import Coverage, LeftOut
from portwright.daemons import recognition
from portwright.repositories.deployers.placed import Line
from portwright.repositories.gathering import LOOSE, gather
from portwright.repositories.staging import StagedFile, blank_lines, enabling_links, stage
from portwright.source import Source, Unreadable
from portwright.trees import Tree

_WANTED = lazy_regex(r"(?m)^(WantedBy|RequiredBy)[ \t]*=[ \t]*([\w@.\\: -]+)")
_FOLDERS = {"WantedBy": "wants", "RequiredBy": "requires"}


@dataclass(frozen=True, slots=True)
class Laid:
    """One host that a repository describes: what is written where, how reports show it, and the lines of placed files by their labels.

    `blank` are the lines in which something is not known. `name` is its first file.
    """

    name: str
    edits: Mapping[str, bytes]
    links: Mapping[str, str]
    labels: Mapping[str, str]
    lines: Mapping[str, tuple[Line, ...]]
    blank: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Deployment:
    """All hosts that repositories describe; `coverage` and `unreadable` are what is not known of them, `sources` where they are written."""

    layouts: tuple[Laid, ...]
    sources: Mapping[str, Source]
    coverage: Coverage
    unreadable: tuple[Unreadable, ...]


def laid(tree: Tree, explicit: bool, most: int, ignored: Mapping[str, str]) -> Deployment:
    """What a repository lays over a host, at most `most` times. A template with blanks and a file without a place are left out."""
    found = gather(tree, explicit, ignored)
    placed = tuple(file for file in found.placed if not _why_not(file))
    left = [LeftOut(file.origin, reason) for file in found.placed if (reason := _why_not(file))]
    layouts = stage(placed)
    left += [LeftOut(layout[0].origin, f"the files describe more than {most} hosts") for layout in layouts[most : most + 1]]
    coverage = Coverage.union((found.coverage, Coverage(left_out=tuple(left))))
    return Deployment(tuple(map(_laid, layouts[:most])), found.sources, coverage, found.unreadable)


def _why_not(file: StagedFile) -> str:
    """Why a file is not laid over a host, "" where it is."""
    if file.inside:
        return "it is inside of a container with a network of its own"
    if file.place.startswith(LOOSE):
        return "a host has no known place for it"
    return "what fills it in is not known" if file.what.unfilled else ""


def _laid(layout: tuple[StagedFile, ...]) -> Laid:
    kinds = sorted({file.what.kind for file in layout if recognition.is_daemon(file.what.kind)})
    links = enabling_links(kinds, [file.place for file in layout])
    for file in layout:
        if file.what.kind == "unit":
            links |= _wanting(file)
    return Laid(
        layout[0].origin,
        {file.place: file.data for file in layout},
        links,
        {file.place: file.label for file in layout},
        {file.label: file.lines for file in layout if file.lines},
        frozenset((file.label, line) for file in layout for line in blank_lines(file.data)),
    )


def _wanting(file: StagedFile) -> dict[str, str]:
    """The links that `systemctl enable` would make of a unit's [Install] section."""
    name = file.place.rpartition("/")[2]
    if name.rpartition(".")[0].endswith("@"):
        return {}  # no instance of it is named
    found = {}
    for setting, targets in _WANTED.findall(file.data.decode("utf-8", "surrogateescape")):
        for target in targets.split():
            found[f"/etc/systemd/system/{target}.{_FOLDERS[setting]}/{name}"] = file.place
    return found
