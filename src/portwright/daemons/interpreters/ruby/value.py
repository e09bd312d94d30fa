"""What a value written in Ruby stands for, as far as that is known without running it."""

from collections.abc import Mapping

from portwright.daemons._engine.binding import Given
from portwright.numbers import is_digits
from portwright.source import Word
from portwright.system.processes.options import cut
from portwright.system.spanned_text import UNKNOWN

_LONGEST = 256


def value(word: Word, environment: Mapping[str, Word]) -> Given | None:
    """What `3000`, `"text"`, `ENV["PORT"] || 3000`, `ENV.fetch("PORT", 3000)`, `ENV.fetch("PORT") { 3000 }` stand for; else None."""
    text = word.text
    if len(text) > _LONGEST:
        return None
    if text.endswith((".to_i", ".to_s")):
        return value(cut(word, 0, len(text) - 5), environment)
    for converter in ("Integer(", "String("):
        if text.startswith(converter) and text.endswith(")"):
            return value(cut(word, len(converter), len(text) - 1), environment)
    if text.startswith("(") and text.endswith(")"):
        return value(cut(word, 1, len(text) - 1), environment)
    if is_digits(text.replace("_", "")):
        return Given(text.replace("_", ""), word.at, "directive")
    if len(text) > 1 and text[0] in "\"'" and text.find(text[0], 1) == len(text) - 1:
        return _interpolated(word, environment)
    for opening, closing in (('ENV["', '"]'), ("ENV['", "']"), ('ENV.fetch("', '"'), ("ENV.fetch('", "'")):
        if text.startswith(opening):
            end = text.find(closing, len(opening))
            if end < 0:
                return None
            name, rest = text[len(opening) : end], cut(word, end + len(closing))
            if name in environment:
                found = environment[name]
                return None if UNKNOWN in found.text else Given(found.text, found.at, "environment")
            return _otherwise(rest, environment)
    return None


def _otherwise(rest: Word, environment: Mapping[str, Word]) -> Given | None:
    """The default behind an environment variable that is not set: `|| 3000`, `, 3000)`, `) { 3000 }`."""
    text = rest.text
    body = text.lstrip()
    start = len(text) - len(body)
    for opening, closing in (("||", ""), (",", ")"), (") {", "}"), ("){", "}")):
        if body.startswith(opening) and body.endswith(closing):
            inner = cut(rest, start + len(opening), len(text) - len(closing))
            left = len(inner.text) - len(inner.text.lstrip())
            return value(cut(inner, left, len(inner.text.rstrip())), environment)
    return None


def _interpolated(word: Word, environment: Mapping[str, Word]) -> Given | None:
    """A text between quotes, `#{...}` in double ones worked out."""
    inner = cut(word, 1, len(word.text) - 1)
    start = inner.text.find("#{") if word.text[0] == '"' else -1
    if start < 0:
        return Given(inner.text, inner.at, "directive")
    end = inner.text.find("}", start)
    known = value(cut(inner, start + 2, end), environment) if end > 0 else None
    rest = inner.text[end + 1 :]
    if known is None or "#{" in rest:
        return None
    return Given(inner.text[:start] + known.text + rest, known.at, known.origin)
