"""Lines of a config written anew: words replaced, lines put in beside others, with the indentation and the line ends of the file."""

from portwright.source import Rewrite, Source, Span, Word


def replaced(source: Source, at: Span, text: str) -> Rewrite:
    """What stands at a place says something else."""
    start, end = source.stretch(at)
    return Rewrite(at, text, source.text[start:end])


def before(source: Source, offset: int, text: str) -> Rewrite:
    """A line before what begins at an offset, indented as that is; on the same line where that does not begin its line."""
    return Rewrite(source.span(offset, offset), _broken(source, offset, text) + _break(source, offset))


def after(source: Source, end: int, text: str, like: int) -> Rewrite:
    """A line after what ends at an offset, indented as what begins at `like` is; a comment behind it stays behind it."""
    line_end = source.text.find("\n", end)
    line_end = len(source.text) if line_end < 0 else line_end
    rest = source.text[end:line_end].rstrip("\r")
    if rest.strip() and not rest.strip().startswith("#"):
        return Rewrite(source.span(end, end), f" {text}")
    end += len(rest)
    lines = _broken(source, like, text)
    return Rewrite(source.span(end, end), (_break(source, like) if _indentation(source, like) is not None else " ") + lines)


def _broken(source: Source, offset: int, text: str) -> str:
    return text.replace("\n", _break(source, offset))


def _break(source: Source, offset: int) -> str:
    """A new line as the file has them, and the indentation of what begins at an offset; a blank where that does not begin its line."""
    indentation = _indentation(source, offset)
    if indentation is None:
        return " "
    stop = source.text.find("\n", offset)
    return ("\r\n" if stop > 0 and source.text[stop - 1] == "\r" else "\n") + indentation


def _indentation(source: Source, offset: int) -> str | None:
    start = source.text.rfind("\n", 0, offset) + 1
    blank = source.text[start:offset]
    return blank if not blank.strip(" \t") else None


def last_of(word: Word, text: str, now: str) -> Rewrite:
    """A word whose end says something else: a value behind its name."""
    at = word.at
    return Rewrite(Span(at.path, at.end_line, at.end_column - len(now), at.end_line, at.end_column), text, now)
