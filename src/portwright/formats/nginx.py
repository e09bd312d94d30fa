"""nginx's configuration grammar (ngx_conf_read_token): a file becomes a tree of directives that know where they stood."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.source import Source, Span, Unreadable, Word

DEEPEST = 100
"""Blocks nested deeper are not read; nginx's own directives nest ten deep at most, location and if blocks a little more."""
_MOST_WRONG = 100

# A word is unquoted up to a blank, `;` or `{`: quotes and `#` in its middle are plain, a backslash takes the next character along, `${`
# is no block. Every repetition is possessive: no input makes these patterns go back over what they have read. A `{{ ... }}` counts as
# part of a word and a `{% ... %}` as blank, so that a template of a config can be read for what it says plainly; in nginx itself both
# are errors.
_TEMPLATE = r"\{\{[^{}\n]*+\}\}"
_BLANK = r"(?:[ \t\r\n]++|\#[^\n]*+|\{%[^{%\n]*+%\})*+"
_UNQUOTED = rf"""(?:[^ \t\r\n;{{}}\#"'\\$]|\\.|\$\{{*+|{_TEMPLATE})(?:[^ \t\r\n;{{\\$]++|\\.|\$\{{*+|{_TEMPLATE})*+"""
_QUOTED = r""""(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+'"""
_WORD = rf"""(?:{_UNQUOTED}|(?:{_QUOTED})(?=[ \t\r\n;{{)]))"""

_ITEM = lazy_regex(rf"{_BLANK}(?:(\}})|({_WORD})((?:{_BLANK}{_WORD})*+){_BLANK}(;|\{{(?![{{%])))", re.DOTALL)
# The same where nothing but plain words and blanks stands before the terminator, as nearly everywhere, in a third of the time.
_PLAIN = r"""[^ \t\r\n;{}\#"'\\]++"""
_PLAIN_ITEM = lazy_regex(rf"[ \t\r\n]*+(?:(\}})|({_PLAIN})((?:[ \t\r\n]++{_PLAIN})*+)[ \t\r\n]*+(;|(?<!\$)\{{(?![{{%])))")
_SKIP = lazy_regex(_BLANK, re.DOTALL)
_ONE = lazy_regex(rf"{_UNQUOTED}|{_QUOTED}", re.DOTALL)
_EACH = lazy_regex(rf"\#[^\n]*+|\{{%[^{{%\n]*+%\}}|({_UNQUOTED}|{_QUOTED})", re.DOTALL)
_ESCAPE = lazy_regex(r"\\([\"'\\trn])")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}

# Lua's strings, comments and long brackets may hold braces (OpenResty's ngx_http_lua_lex.c).
_LUA = lazy_regex(r"""(?:--)?\[(=*+)\[|--[^\n]*+|"(?:[^"\\\n]++|\\.)*+"?|'(?:[^'\\\n]++|\\.)*+'?|[{}]""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: `name args;` or `name args { block }`. `start` and `end` are offsets of its words, terminator excluded.

    `block` is None where there is none; a `*_by_lua_block` has an empty one, its Lua is not read.
    """

    source: Source
    name: str
    start: int
    end: int
    block: tuple["Directive", ...] | None = None

    @property
    def inside(self) -> tuple["Directive", ...]:
        """The directives of its block, none where it has none."""
        return self.block or ()

    @property
    def at(self) -> Span:
        """The span from the name to the last argument."""
        return self.source.span(self.start, self.end)

    @property
    def words(self) -> tuple[Word, ...]:
        """The name and the arguments, unquoted and unescaped, each with the place it was written at (quotes included)."""
        text, source = self.source.text, self.source
        found = (match for match in _EACH.finditer(text, self.start, self.end) if match[1] is not None)
        return tuple(Word(_plain(match[1]), source.span(match.start(1), match.end(1))) for match in found)

    @property
    def args(self) -> tuple[Word, ...]:
        """The arguments, unquoted and unescaped."""
        return self.words[1:]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's directives in order, and where its text is not what nginx would accept.

    `size` counts the directives of all its blocks, `depth` says how deep they nest: 0 where there is no block.
    """

    directives: tuple[Directive, ...]
    unreadable: tuple[Unreadable, ...] = ()
    size: int = 0
    depth: int = 0


@dataclass(slots=True)
class _Open:
    """A block whose closing brace has not come yet."""

    name: str
    start: int
    end: int
    inside: list[Directive]


def parse(source: Source) -> Document:
    """Read a whole file. What nginx would reject is said with its place, and reading goes on after it."""
    text = source.text
    wrong: list[Unreadable] = []
    inside: list[Directive] = []
    open_blocks: list[_Open] = []
    too_deep = position = size = depth = 0
    match_plain, match_any, skip = _PLAIN_ITEM.match, _ITEM.match, _SKIP.match
    while True:
        item = match_plain(text, position)
        if item is None and (comments := skip(text, position).end()) > position:  # type: ignore[union-attr]  # matches the empty text too
            item = match_plain(text, comments)
        if item is not None:
            closing, name, _, terminator = item.groups()
            if terminator == ";" and not too_deep:
                inside.append(Directive(source, name, item.start(2), item.end(3)))
                position = item.end()
                continue
            start, end, position = item.start(2), item.end(3), item.end()
        elif (item := match_any(text, position)) is not None:
            closing, word, _, terminator = item.groups()
            name = _plain(word) if word else ""
            start, end, position = item.start(2), item.end(3), item.end()
        else:
            broken = _broken(source, position, wrong)
            if broken is None:
                break
            closing, start, end, terminator, position = broken
            name = "" if start == end else _plain(_ONE.match(text, start)[0])  # type: ignore[index]  # a word starts there
        if closing:
            if too_deep:
                too_deep -= 1
            elif open_blocks:
                size += len(inside)
                inside = _closed(source, open_blocks.pop(), inside)
            else:
                wrong.append(Unreadable(source.span(position - 1, position), 'unexpected "}"'))
            continue
        if terminator == ";":
            if not too_deep:
                inside.append(Directive(source, name, start, end))
        elif name.endswith("_by_lua_block"):
            after = _after_lua(text, position)
            if after is None:
                wrong.append(Unreadable(source.span(position - 1, position), "a Lua block that no brace closes"))
                after = len(text)
            position = after
            if not too_deep:
                inside.append(Directive(source, name, start, end, ()))
        elif too_deep or len(open_blocks) >= DEEPEST:
            if not too_deep:
                wrong.append(Unreadable(source.span(start, end), f"blocks are nested more than {DEEPEST} deep, this one is not read"))
            too_deep += 1
        else:
            open_blocks.append(_Open(name, start, end, inside))
            depth = max(depth, len(open_blocks))
            inside = []
    if open_blocks or too_deep:
        wrong.append(Unreadable(source.span(len(text), len(text)), 'unexpected end of file, expecting "}"'))
    while open_blocks:
        size += len(inside)
        inside = _closed(source, open_blocks.pop(), inside)
    return Document(tuple(inside), _few(wrong), size + len(inside), depth)


def _closed(source: Source, block: _Open, inside: list[Directive]) -> list[Directive]:
    """The directives around a block, once what stands inside it is known and it is one of them."""
    block.inside.append(Directive(source, block.name, block.start, block.end, tuple(inside)))
    return block.inside


def _few(wrong: list[Unreadable]) -> tuple[Unreadable, ...]:
    """What is wrong, at most a hundred of it: a file of another kind would make a report of its every line."""
    if len(wrong) <= _MOST_WRONG:
        return tuple(wrong)
    return (
        *wrong[:_MOST_WRONG],
        Unreadable(wrong[_MOST_WRONG].at, f"{len(wrong) - _MOST_WRONG} more mistakes from here on are not listed"),
    )


def _broken(source: Source, position: int, wrong: list[Unreadable]) -> tuple[str | None, int, int, str, int] | None:
    """One directive that nginx would not accept: (closing brace, start, end, terminator, where to go on); None at the end of the file."""
    text = source.text
    start = end = -1
    while True:
        position = _SKIP.match(text, position).end()  # type: ignore[union-attr]  # matches the empty text too
        character = text[position : position + 1]
        if not character or (character == "\\" and position + 1 == len(text)):
            if start >= 0:
                wrong.append(Unreadable(source.span(start, end), 'unexpected end of file, expecting ";" or "}"'))
                return None, start, end, ";", len(text)
            return None
        if character in ";{":
            if start >= 0:
                return None, start, end, character, position + 1
            wrong.append(Unreadable(source.span(position, position + 1), f'unexpected "{character}"'))
            position += 1
            if character == "{":
                return None, position, position, "{", position
            continue
        if character == "}":
            if start < 0:
                return "}", position, position, "", position + 1
            wrong.append(Unreadable(source.span(position, position + 1), f'unexpected "}}", expecting ";" after {_shown(text[start:end])}'))
            return None, start, end, ";", position
        word = _ONE.match(text, position)
        if word is None:
            line_end = text.find("\n", position)
            line_end = len(text) if line_end < 0 else line_end
            wrong.append(Unreadable(source.span(position, line_end), f"missing terminating {character} character"))
            if start >= 0:
                return None, start, end, ";", line_end
            position = line_end
            continue
        start = position if start < 0 else start
        position = end = word.end()
        follows = text[position : position + 1]
        if character in "\"'" and follows and follows not in " \t\r\n;{)}":
            wrong.append(Unreadable(source.span(position, position + 1), f'unexpected "{follows}" after a quoted word'))


def _after_lua(text: str, position: int) -> int | None:
    """The offset after the brace that closes a Lua block, None where there is none."""
    depth = 1
    while True:
        token = _LUA.search(text, position)
        if token is None:
            return None
        position = token.end()
        if token[1] is not None:
            close = text.find(f"]{token[1]}]", position)
            if close < 0:
                return None
            position = close + len(token[1]) + 2
        elif token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if not depth:
                return position


def _plain(word: str) -> str:
    if word[0] in "\"'" and len(word) > 1:
        word = word[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), word) if "\\" in word else word


def _shown(words: str) -> str:
    return f'"{next(iter(words.split(maxsplit=1)), words)[:40]}"'
