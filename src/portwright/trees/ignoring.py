"""Patterns of gitignore(5): which paths they leave out, in time linear in pattern and path, for a repository is anybody's."""

from collections.abc import Callable, Iterable, Sequence

from portwright._start.records import dataclass

_WILD = frozenset("*?[\\")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: what it says of a path that it matches, by the path's parts below the directory it is relative to.

    `parts` are its own; `**` stands for any number of them. `anywhere`: without a slash within, it is held against the last part alone.
    """

    parts: tuple[str, ...]
    anywhere: bool
    directories_only: bool
    ignores: bool

    @property
    def weight(self) -> int:
        """How many steps it may take for each character of a path, 0 where it has too few stars to matter."""
        text = "/".join(self.parts)
        return len(text) if text.count("*") > 3 else 0

    def matches(self, path: Sequence[str], is_directory: bool) -> bool:
        """Whether this is a path that the pattern means itself; what is below it is not asked for where a walk ends at it."""
        if self.directories_only and not is_directory:
            return False
        return _is_like(path[-1], self.parts[0]) if self.anywhere else _are_like(path, self.parts)


def patterns(lines: Iterable[str]) -> tuple[Pattern, ...]:
    """The patterns of a .gitignore; blank lines, remarks and what names nothing are none."""
    return tuple(each for each in map(_pattern, lines) if each is not None)


def decided(path: Sequence[str], is_directory: bool, among: Sequence[Pattern]) -> bool | None:
    """Whether the patterns leave a path out: what the last that matches says, None where none does."""
    return next((each.ignores for each in reversed(among) if each.matches(path, is_directory)), None)


def _pattern(line: str) -> Pattern | None:
    line = _without_blanks(line.rstrip("\r\n"))
    if not line or line.startswith("#"):
        return None
    ignores = not line.startswith("!")
    line = line if ignores else line[1:]
    directories_only = line.endswith("/")
    line = line.removesuffix("/")
    anywhere = "/" not in line
    parts = tuple(line.removeprefix("/").split("/"))
    # Nothing has a name between two slashes.
    return Pattern(parts, anywhere, directories_only, ignores) if all(parts) else None


def _without_blanks(line: str) -> str:
    """Blanks at the end do not count, but for one behind a backslash."""
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    return line


def _are_like(path: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the parts of a path are these; a last `**` stands for one part at least."""
    if wanted[-1] == "**" and len(wanted) > 1:
        wanted = (*wanted[:-1], "**", "*")
    return _match(path, wanted, "**", _is_like)


def _is_like(name: str, pattern: str) -> bool:
    """Whether a name is like a pattern of fnmatch(3)."""
    if _WILD.isdisjoint(pattern):
        return name == pattern
    if pattern.startswith("*") and _WILD.isdisjoint(pattern[1:]):
        return name.endswith(pattern[1:])
    pieces = _pieces(pattern)
    return pieces is not None and _match(name, pieces, "*", _is_character)


def _match(have: Sequence[str], wanted: Sequence[str], star: str, is_one: Callable[[str, str], bool]) -> bool:
    """Whether a sequence is like another in which `star` stands for any number of items: the last star alone need ever be taken back."""
    at = next_wanted = 0
    after_star = resume = -1
    while at < len(have):
        if next_wanted < len(wanted) and wanted[next_wanted] == star:
            after_star = next_wanted = next_wanted + 1
            resume = at
        elif next_wanted < len(wanted) and is_one(have[at], wanted[next_wanted]):
            at, next_wanted = at + 1, next_wanted + 1
        elif after_star >= 0:
            resume += 1
            at, next_wanted = resume, after_star
        else:
            return False
    return all(each == star for each in wanted[next_wanted:])


def _pieces(pattern: str) -> tuple[str, ...] | None:
    """A pattern taken apart: `*`, `?`, `[...]` and `\\c` for each character that stands for itself; None for one that matches nothing."""
    found: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "[":
            end = pattern.find("]", at + (3 if pattern[at + 1 : at + 2] in ("!", "^") else 2))
            if end < 0:
                return None
            found.append(pattern[at : end + 1])
            at = end
        elif letter == "\\":
            at += 1
            if at == len(pattern):
                return None
            found.append(f"\\{pattern[at]}")
        elif letter == "*":
            if found[-1:] != ["*"]:
                found.append("*")
        else:
            found.append("?" if letter == "?" else f"\\{letter}")
        at += 1
    return tuple(found)


def _is_character(letter: str, piece: str) -> bool:
    if piece[0] == "\\":
        return letter == piece[1]
    if piece == "?":
        return True
    negated = piece[1] in "!^"
    inside = piece[2:-1] if negated else piece[1:-1]
    return _is_among(letter, inside) is not negated


def _is_among(letter: str, inside: str) -> bool:
    at = 0
    while at < len(inside):
        first = inside[at]
        if first == "\\" and at + 1 < len(inside):
            at += 1
            first = inside[at]
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            if first <= letter <= inside[at + 2]:
                return True
            at += 3
            continue
        if letter == first:
            return True
        at += 1
    return False
