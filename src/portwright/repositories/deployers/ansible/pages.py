"""The files of one machine while a playbook runs: written whole, by lines, by blocks and by options, each line with its place."""

import re
from collections.abc import Iterable, Sequence

from portwright._start.records import dataclass, field
from portwright.repositories.deployers.ansible.filters import longest_for
from portwright.repositories.deployers.placed import Line, Pages, settled

_MOST_FILES = 2_000
"""Files that a playbook may put on one machine."""


@dataclass
class MachinePages(Pages):
    """`more` are files that a task writes only perhaps, where another one perhaps wrote them before: each on a machine of its own.

    `added` are the paths of files of which only lines are known that a task adds. `folders` are folders that a task makes.
    """

    most: int = _MOST_FILES
    more: list[tuple[str, tuple[Line, ...], str]] = field(default_factory=list)
    added: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    blocks: dict[tuple[str, str], list[Line]] = field(default_factory=dict)
    spoken_for: set[tuple[str, int]] = field(default_factory=set)

    def write(self, path: str, lines: Iterable[Line], append: bool = False, of: str = "") -> None:
        """As in Pages; it is kept in mind which files are known only by what is added to them."""
        path = settled(path)
        if not append:
            self.added.discard(path)
        elif path not in self.lines:
            self.added.add(path)
        super().write(path, lines, append, of)

    def whole(self, path: str, lines: Sequence[Line], of: str, is_sure: bool) -> None:
        """A file as a whole. Where it is not sure that it is written, and neither was what is there, both may be."""
        path = settled(path)
        there = self.lines.get(path)
        if there and not is_sure and path in self.perhaps and there != list(lines) and len(self.more) < 200:
            self.more.append((path, tuple(there), self.of.get(path, "")))
        self.write(path, lines, of=of)
        if is_sure:
            self.perhaps.discard(path)
        else:
            self.perhaps.add(path)

    def line(self, path: str, line: Line, regexp: str | None, search: str | None) -> None:
        """A line that takes the place of the last one that matches, else is added."""
        path = settled(path)
        kept = self.lines.get(path, [])
        at = _last(kept, regexp, search)
        if at is not None:
            kept[at] = line
        elif all(each.text != line.text for each in kept):
            self.write(path, [line], append=True)

    def without(self, path: str, regexp: str | None, text: str | None) -> None:
        """A file without the lines that match."""
        kept = self.lines.get(settled(path))
        if kept is None:
            return
        found = _pattern(regexp)
        wanted = (text or "").rstrip()
        kept[:] = [each for each in kept if not (each.text.rstrip() == wanted if found is None else found.search(each.text))]

    def block(self, path: str, lines: list[Line], marker: str) -> None:
        """A block of lines, in place of the one with the same marker."""
        path = settled(path)
        kept = self.lines.get(path)
        old = self.blocks.get((path, marker))
        if kept is not None and old:
            first = next((at for at, each in enumerate(kept) if each is old[0]), None)
            if first is not None:
                kept[first : first + len(old)] = lines
                self.blocks[path, marker] = lines
                return
        self.blocks[path, marker] = lines
        self.write(path, lines, append=True)

    def option(self, path: str, section: str, header: Line, line: Line, name: str) -> None:
        """An option of a section of an INI file."""
        path = settled(path)
        kept = self.lines.get(path, [])
        start = 0
        if section:
            found = next((at for at, each in enumerate(kept) if each.text.strip() == f"[{section}]"), None)
            if found is None:
                self.write(path, [header, line], append=True)
                return
            start = found + 1
        end = next((at for at in range(start, len(kept)) if kept[at].text.lstrip().startswith("[")), len(kept))
        for at in range(start, end):
            if kept[at].text.partition("=")[0].strip() == name:
                kept[at] = line
                return
        if path not in self.lines:
            self.write(path, [line], append=True)
        else:
            kept.insert(end, line)

    def replaced(self, path: str, regexp: str, by: str, line: Line) -> bool:
        """What of a file's lines matches, replaced; whether the file is known at all."""
        kept = self.lines.get(settled(path))
        found = _pattern(regexp)
        if kept is None or found is None or settled(path) in self.added:
            return False
        for at, each in enumerate(kept):
            new, many = found.compiled.subn(by, each.text) if len(each.text) <= found.longest else ("", 0)
            if many:
                kept[at] = Line(new.split("\n")[0], line.source, line.number, line.shift)
        return True

    def remove(self, path: str) -> None:
        """A file or a folder that is gone."""
        path = settled(path)
        for each in [each for each in self.lines if each == path or each.startswith(path.rstrip("/") + "/")]:
            del self.lines[each]
            self.of.pop(each, None)


_ELSEWHERE = (
    *("/etc/yum.repos.d/", "/etc/yum/", "/etc/dnf/", "/etc/apt/", "/etc/logrotate.d/", "/etc/profile.d/", "/etc/sudoers", "/etc/motd"),
    *("/etc/ssl/", "/etc/pki/", "/etc/bash", "/etc/zsh", "/etc/vim", "/etc/nanorc", "/etc/pam.d/", "/var/cache/", "/etc/cron.hourly/"),
)
_ENDINGS = (".html", ".htm", ".repo", ".list", ".pem", ".crt", ".key", ".pub", ".md", ".css", ".png", ".svg", ".xsl", ".sql")


def matters(path: str) -> bool:
    """Whether a file on a host may say something that is read here."""
    return not path.startswith(_ELSEWHERE) and not path.endswith(_ENDINGS) and "/.ssh/" not in path and "/.bash" not in path


class _Careful:
    """A pattern that is looked for in as much of a line as takes little time."""

    def __init__(self, regexp: str) -> None:
        self.longest = longest_for(regexp)
        self.compiled = re.compile(regexp if self.longest else "")  # to compile one may take long, too

    def search(self, text: str) -> bool:
        return self.compiled.search(text[: self.longest]) is not None


def _pattern(regexp: str | None) -> _Careful | None:
    if not regexp:
        return None
    try:
        found = _Careful(regexp)
    except (ValueError, re.error, RecursionError, OverflowError):
        return None
    return found if found.longest else None


def _last(kept: Sequence[Line], regexp: str | None, search: str | None) -> int | None:
    found = _pattern(regexp)
    for at in range(len(kept) - 1, -1, -1):
        text = kept[at].text
        if (found is not None and found.search(text)) or (search and search in text):
            return at
    return None
