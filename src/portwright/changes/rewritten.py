"""Files with stretches of them written anew, every other character as it was; whose a file is, and whether it is edited at all."""

from collections.abc import Iterable

from portwright.changes.kind import MANAGED, ContradictionError, Host
from portwright.source import Rewrite, Source

_OF_PACKAGES = ("/usr/lib/", "/usr/share/", "/lib/", "/usr/libexec/")


def rewritten(source: Source, rewrites: Iterable[Rewrite]) -> str:
    """A file's text with these stretches of it written anew, every other character as it was.

    Raises ContradictionError where two of them are about the same stretch, or one is not what it was when it was read.
    """
    text = source.text
    placed = sorted((*source.stretch(each.at), each.text, each) for each in set(rewrites))
    parts: list[str] = []
    done = 0
    last: Rewrite | None = None
    for start, end, new, each in placed:
        if last is not None and start < done:
            raise ContradictionError(f"two changes are about {each.at}: to write {last.text.strip()!r} and {new.strip()!r} there")
        if text[start:end] != each.was:
            raise ContradictionError(f"{each.at} is {text[start:end]!r} where it was read as {each.was!r}, so it is not edited")
        if not new and start < end:
            start, end = _whole_line(text, start, end)
            start = max(start, done)
        parts += (text[done:start], new)
        done, last = end, each
    return "".join((*parts, text[done:]))


def _whole_line(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch with the rest of its lines where nothing else is on them, else the blanks before it."""
    first = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop + 1
    if not text[first:start].strip() and not text[end:stop].strip():
        return first, stop
    return start, end


def source_of(host: Host, path: str, real: str) -> Source:
    """A file as it was read. Raises ContradictionError where it is not the operator's own to edit."""
    source = host.sources.get(path)
    if source is None:
        raise ContradictionError(f"{path} was not read, so it is not edited")
    if real.startswith(_OF_PACKAGES):
        raise ContradictionError(f"{path} lies in {real}, which belongs to a package: copy it to /etc first")
    if managed := MANAGED.search(source.text):
        raise ContradictionError(f"{path} says {managed[0]!r}: change the line where it comes from")
    return source
