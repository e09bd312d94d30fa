"""What of socat's address has to be said so that its socket sets SO_REUSEADDR."""

from portwright._start.lazy_regex import lazy_regex
from portwright.source import Rewrite, Source, Span

# Quotes and escapes of the address could end behind what is read as it.
_PLAIN = lazy_regex(r"[A-Za-z0-9-]+:[^\"'\\!\s]+")


def reuses(source: Source, at: Span) -> Rewrite | None:
    """An option more for the address that stands at a place, None where that is not plain."""
    start, end = source.stretch(at)
    if _PLAIN.fullmatch(source.text[start:end]) is None:
        return None
    return Rewrite(source.span(end, end), ",reuseaddr")
