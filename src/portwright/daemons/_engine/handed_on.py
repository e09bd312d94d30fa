"""Options that a start script hands on to the interpreter it runs: the words of variables, and of files with one to a line."""

import re
from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.settings import assigned
from portwright.facts import Invocation
from portwright.source import Word
from portwright.system.spanned_text import SpannedText
from portwright.system.words import words
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

_OPTION = lazy_regex(r"^[ \t]*(?:[0-9]+(?:-[0-9]*)?:)?(?P<option>-[^\s#](?:[^\n]*[^ \t\r\n])?)[ \t\r]*$", re.MULTILINE)
"""A line of an options file; `8-13:` names the versions that it is for (jvm.options of Elasticsearch)."""


def handed_on(sources: tuple[str, ...], invocation: Invocation, files: Files, scripts: tuple[str, ...]) -> Iterator[Word]:
    """The words, in the order of their sources: `$NAME`, also as one of the `scripts` that are sourced sets it, or globs of files."""
    variables = dict(invocation.environment)
    for path in scripts:
        script = files.read(path) if files.kind(path) == "file" else None
        if script is not None:
            variables |= assigned(script)
    for source in sources:
        if source.startswith("$"):
            value = variables.get(source[1:])
            if value is not None and value.text:
                yield from (part.word() for part in words(SpannedText.of(value), relaxed=True)[0])
            continue
        try:
            paths = expand(source, files)
        except TooMany:
            continue
        for path in paths:
            read = files.read(path) if files.kind(path) == "file" else None
            if read is not None:
                for found in _OPTION.finditer(read.text):
                    yield Word(found["option"], read.span(*found.span("option")))
