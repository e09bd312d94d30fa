"""A file that other files of a repository put on a host: each of its lines knows the line that a reviewer sees."""

import re
from collections.abc import Iterable

from portwright._start.records import dataclass, field
from portwright.coverage import LeftOut, NotRead
from portwright.source import Unreadable, Word
from portwright.system.spanned_text import UNKNOWN

LONGEST = 1 << 18
"""Characters of a source that are looked through."""
MOST = 200
"""Files that one source may put on a host."""
MOST_LINES = 20_000
"""Lines that one source may put into a file; what a loop repeats counts each time."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a placed file, and where it was written: line `number` of the file `source` of the repository.

    `shift` is how many columns further right it stands there. What a variable fills in has the place of the line it is put into, and so
    has what stands behind it, as near as the line goes. `sure` is false where what decides whether the line is written is not known.
    """

    text: str
    source: str
    number: int
    shift: int = 0
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """A file at its path on a host.

    `machine` is whom it is for, where the source says so: a host or a group; files of two machines never meet. `of` is the file of the
    repository that it is made of as a whole, a template or a copied file, which then is at no other place. `alone`: nothing that the
    repository has for other machines, or for none in particular, is on this one.
    """

    path: str
    lines: tuple[Line, ...]
    machine: str = ""
    of: str = ""
    alone: bool = False

    @property
    def text(self) -> str:
        """What the file holds."""
        return "".join(f"{line.text}\n" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What one source does to a host: the files it puts there.

    `understood` are the lines of the source, besides those that stand in files, of which nothing is left unsaid: what they do is of no
    matter here, or was taken into account. `cut`: its text, or what it writes, is longer than what is looked through. `unreadable` is what
    else of it is not read, and why. `left_out` are files of the repository that it would put on a host, but for a condition. `not_read` are
    files that it gives to programs on a host which are not asked what they make of it.
    """

    files: tuple[Placed, ...] = ()
    understood: frozenset[int] = frozenset()
    cut: bool = False
    unreadable: tuple[Unreadable, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    not_read: tuple[NotRead, ...] = ()


def together(parts: Iterable[Deployed], understood: Iterable[int], cut: bool) -> Deployed:
    """What several parts of one source do."""
    parts = tuple(parts)
    files = tuple(file for part in parts for file in part.files)
    told = frozenset((*understood, *(number for part in parts for number in part.understood)))
    return Deployed(files, told, cut or any(part.cut for part in parts))


@dataclass
class Pages:
    """The files that one source writes, as they grow line by line: `most` of them.

    `label` is the source, `machine` whom it is for.
    """

    label: str
    machine: str = ""
    lines: dict[str, list[Line]] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    understood: set[int] = field(default_factory=set)
    cut: bool = False
    most: int = MOST

    def write(self, path: str, lines: Iterable[Line], append: bool = False, of: str = "") -> None:
        """Put lines into a file; without `append` what the file had before is gone. `of` as in Placed."""
        if not is_path(path):
            return
        if len(self.lines) >= self.most and path not in self.lines:
            self.cut = True
            return
        kept = self.lines.setdefault(path, [])
        if not append:
            kept.clear()
            self.of.pop(path, None)
        if of:
            self.of[path] = of
        for line in lines:
            if len(kept) >= MOST_LINES:
                self.cut = True
                return
            kept.append(line)

    def say(self, path: str, number: int, column: int, text: str, append: bool = False) -> None:
        """Put a text into a file that begins at a column of one line of the source, whatever lines it has."""
        self.write(path, [Line(each, self.label, number, column - 1) for each in text.split("\n")], append)

    @property
    def _settings(self) -> str:
        return f"/etc/sysctl.d/zz-{self.label.replace('/', '-')}.conf"

    def is_settings(self, path: str) -> bool:
        """Whether this is the file of what the source sets itself."""
        return path == self._settings

    def set(self, number: int, column: int, key: str, value: str, source: str = "") -> None:
        """Put a kernel setting, which the line of the source makes, into a file of sysctl.d that is read last."""
        self.write(self._settings, [Line(f"{key} = {value}".replace("\n", " "), source or self.label, number, column - 1)], append=True)

    def deployed(self) -> Deployed:
        """The files as they stand at the end."""
        files = (Placed(path, tuple(lines), self.machine, self.of.get(path, "")) for path, lines in self.lines.items() if lines)
        return Deployed(tuple(files), frozenset(self.understood), self.cut)


def is_path(path: str) -> bool:
    """Whether this is a whole path on a host, of which nothing is unknown."""
    return path.startswith("/") and UNKNOWN not in path and "/../" not in path and not path.endswith("/") and "\n" not in path


def settled(path: str) -> str:
    """A path as a host has it: /lib is a link to /usr/lib (file-hierarchy(7)), and doubled slashes are one."""
    path = re.sub("/{2,}", "/", path)
    return f"/usr{path}" if path.startswith("/lib/") else path


def block(word: Word, outer: list[str]) -> list[Line]:
    """The lines of a text that a YAML scalar holds; those of a literal block have places of their own."""
    at = word.at
    if not outer[at.line - 1][at.column - 1 :].startswith("|"):
        return [Line(each, at.path, at.line, at.column - 1) for each in word.text.removesuffix("\n").split("\n")]
    found = []
    last = at.end_line if at.end_column > 1 else at.end_line - 1
    inside = outer[at.line : min(last, len(outer))]
    depth = min((len(line) - len(line.lstrip(" ")) for line in inside if line.strip()), default=0)
    for number, line in enumerate(inside, at.line + 1):
        found.append(Line(line[depth:].rstrip("\r"), at.path, number, depth))
    return found
