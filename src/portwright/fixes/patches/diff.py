"""A patch as git has it: what `git apply` takes, to the byte."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass

_CONTEXT = 3
_PLAIN = lazy_regex(r"[ !#-\[\]-~]+")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of a file (from 1, `end` exclusive; none where start == end) and the text that is there instead."""

    path: str
    start: int
    end: int
    text: str


def patch(before: Mapping[str, str | None], after: Mapping[str, str]) -> bytes:
    """The unified diff of these files; None: not there before."""
    found = "".join("".join(_of_file(path, before.get(path), after[path])) for path in sorted(after) if before.get(path) != after[path])
    return found.encode("utf-8", "surrogateescape")


def hunks(path: str, before: str | None, after: str) -> Iterator[Hunk]:
    """What is exchanged in a file, line by line."""
    old, new = lines_of(before or ""), lines_of(after)
    for tag, begin, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Hunk(path, begin + 1, end + 1, "".join(new[first:last]))


def lines_of(text: str) -> list[str]:
    """The lines with their ends: a form feed or a lone carriage return ends none, for git."""
    parts = text.split("\n")
    last = parts.pop()
    return [*(f"{part}\n" for part in parts), *([last] if last else [])]


def _of_file(path: str, before: str | None, after: str) -> Iterator[str]:
    old, new = lines_of(before or ""), lines_of(after)
    yield f"diff --git {_name('a/', path)} {_name('b/', path)}\n"
    if before is None:
        yield "new file mode 100644\n--- /dev/null\n"
    else:
        yield f"--- {_name('a/', path, ends=True)}\n"
    yield f"+++ {_name('b/', path, ends=True)}\n"
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        yield f"@@ -{_range(group[0][1], group[-1][2])} +{_range(group[0][3], group[-1][4])} @@\n"
        for tag, begin, end, first, last in group:
            if tag == "equal":
                yield from _marked(" ", old[begin:end])
            else:
                yield from _marked("-", old[begin:end])
                yield from _marked("+", new[first:last])


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _range(begin: int, end: int) -> str:
    length = end - begin
    return f"{begin + 1 if length else begin}" + ("" if length == 1 else f",{length}")


def _name(prefix: str, path: str, *, ends: bool = False) -> str:
    """A name as git quotes it; one with a blank is followed by a tab, so that it is not cut there."""
    if _PLAIN.fullmatch(path):
        return f"{prefix}{path}" + ("\t" if ends and " " in path else "")
    told = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}" for byte in path.encode("utf-8", "surrogateescape")
    )
    return f'"{prefix}{told}"'
