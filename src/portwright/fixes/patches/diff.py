"""A patch as git has it: what `git apply` takes, to the byte."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.source import Source

_CONTEXT = 3
_Group = list[tuple[str, int, int, int, int]]
_Groups = list[_Group]
_PLAIN = lazy_regex(r"[ !#-\[\]-~]+")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of a file (from 1, `end` exclusive; none where start == end) and the text that is there instead."""

    path: str
    start: int
    end: int
    text: str


def patch(before: Mapping[str, str | None], after: Mapping[str, str], shown: Callable[[Source, int], str]) -> tuple[bytes, tuple[str, ...]]:
    """The unified diff of these files (None: not there before), and the lines of it that hold a secret, as `path:line`.

    `shown` is a line without its secrets. Around a change no line that holds one is given as context, but where git needs one line:
    without any below a change it looks for the change at the end of the file.
    """
    text, told = "", list[str]()
    for path in _changed(before, after):
        old = Source(path, before.get(path) or "")

        def holds(index: int, old: Source = old) -> bool:
            return shown(old, index + 1) != old.line(index + 1)

        def groups(found: _Groups, holds: Callable[[int], bool] = holds) -> _Groups:
            return [part for group in found for part in _without(group, holds)]

        for group in groups(_grouped(before.get(path), after[path])):
            told += [f"{path}:{index + 1}" for index in range(group[0][1], group[-1][2]) if holds(index)]
        text += "".join(_of_file(path, before.get(path), after[path], groups))
    return text.encode("utf-8", "surrogateescape"), tuple(told)


def as_shown(before: Mapping[str, str | None], after: Mapping[str, str], shown: Callable[[Source, int], str]) -> str:
    """The unified diff of these files as a report shows it: each line as `shown` gives it."""

    def lines(path: str, text: str) -> list[str]:
        source = Source(path, text)
        return [shown(source, number) + ("\n" if line.endswith("\n") else "") for number, line in enumerate(lines_of(text), 1)]

    return "".join("".join(_of_file(path, before.get(path), after[path], lambda found: found, lines)) for path in _changed(before, after))


def _changed(before: Mapping[str, str | None], after: Mapping[str, str]) -> list[str]:
    return [path for path in sorted(after) if before.get(path) != after[path]]


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


def _grouped(before: str | None, after: str) -> _Groups:
    """What is exchanged and what stands around it, as difflib gives it."""
    return list(SequenceMatcher(None, lines_of(before or ""), lines_of(after), autojunk=False).get_grouped_opcodes(_CONTEXT))


def _without(group: _Group, holds: Callable[[int], bool]) -> _Groups:
    """A group whose lines of context hold no secret, as far as git lets them be left out; it falls apart where they stand in between."""
    parts: _Groups = [[]]
    for number, (tag, begin, end, first, last) in enumerate(group):
        secret = [index for index in range(begin, end) if holds(index)] if tag == "equal" else []
        if not secret:
            parts[-1].append((tag, begin, end, first, last))
            continue
        if number:
            stop = max(secret[0], begin + 1)
            parts[-1].append((tag, begin, stop, first, first + stop - begin))
        if number < len(group) - 1:
            start = secret[-1] + 1
            parts.append([(tag, start, end, first + start - begin, last)] if start < end else [])
    return [part for part in parts if any(tag != "equal" for tag, *_ in part)]


def _of_file(
    path: str,
    before: str | None,
    after: str,
    groups: Callable[[_Groups], _Groups],
    lines: Callable[[str, str], list[str]] = lambda path, text: lines_of(text),
) -> Iterator[str]:
    old, new = lines(path, before or ""), lines(path, after)
    yield f"diff --git {_name('a/', path)} {_name('b/', path)}\n"
    if before is None:
        yield "new file mode 100644\n--- /dev/null\n"
    else:
        yield f"--- {_name('a/', path, ends=True)}\n"
    yield f"+++ {_name('b/', path, ends=True)}\n"
    for group in groups(_grouped(before, after)):
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
