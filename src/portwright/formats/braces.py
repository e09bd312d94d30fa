"""Blocks in braces: named.conf, dovecot, FreeRADIUS, Bacula, gmond, NATS, JSON with comments, Lua tables, HCL, Caddyfiles."""

import re

from portwright._start.records import dataclass, field
from portwright.formats.nodes import DEEPEST, Node, Parsed
from portwright.source import Source, Unreadable, Word


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of files is written.

    `lines`: a statement ends with its line, else with `;` alone. `comments` run to the end of the line, `/* */` is one where
    `blocks`, as `--[[ ]]` is where `--` is. `equals` may stand between a key and its value, and are no part of a word where `tight`.
    `commas` end a statement (JSON, Lua). `brackets` enclose lists. `placeholders`: `{name}` without a blank is part of a word.
    `joined`: the blanks in a key are no part of it (Bacula's `FD Addresses =`).
    """

    lines: bool = True
    comments: tuple[str, ...] = ("#",)
    blocks: bool = False
    equals: str = "="
    tight: bool = True
    commas: bool = False
    brackets: str = ""
    quotes: str = "\"'"
    placeholders: bool = False
    joined: bool = False


NAMED = Dialect(lines=False, comments=("#", "//"), blocks=True, equals="", quotes='"')
DOVECOT = Dialect()
BACULA = Dialect(quotes='"', joined=True)
GMOND = Dialect(comments=("#", "//"), blocks=True, quotes='"')
NATS = Dialect(comments=("#", "//"), equals=":=", tight=False, brackets="[]", commas=True)
JSON = Dialect(lines=False, comments=("#", "//"), blocks=True, equals=":", commas=True, brackets="[]", quotes='"')
HCL = Dialect(comments=("#", "//"), blocks=True, commas=True, brackets="[]", quotes='"')
LUA = Dialect(comments=("--",), commas=True, brackets="()", blocks=True)
LIGHTTPD = Dialect(equals="=", brackets="()[]")
CADDY = Dialect(equals="", quotes='"`', placeholders=True)
ICINGA = Dialect(comments=("#", "//"), blocks=True, brackets="[]()", quotes='"')
LIBCONFIG = Dialect(comments=("#", "//"), blocks=True, equals=":=", tight=False, brackets="[]()", commas=True, quotes='"')


@dataclass(slots=True)
class _Block:
    """A block being read: the statement that opened it, what stands in it, and the statement under way."""

    key: Word | None
    values: tuple[Word, ...] = ()
    children: list[Node] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    inside: bool = False  # this block is an item of a list: its key is the list's
    listing: int = 0
    equals: bool = False
    opened: bool = False  # the statement under way has had a block
    given: list[Node] = field(default_factory=list)  # what stands in tables among the arguments of a call

    def end(self) -> None:
        """Close the statement under way."""
        if self.words and (not self.opened or len(self.words) > 1):
            # A list may hold words beside blocks: Lua's `addLocal("[::1]:53", {reusePort=true})`.
            self.children.append(Node(self.words[0], tuple(self.words[1:]), tuple(self.given)))
        elif self.words and self.given:
            self.children.append(Node(self.words[0], (), tuple(self.given)))
        self.words, self.equals, self.opened, self.listing, self.given = [], False, False, 0, []


def parse(source: Source, dialect: Dialect) -> Parsed:
    """The statements of a file; a block's are its children. What is not closed ends with the file, and is told."""
    text, troubles = source.text, list[Unreadable]()
    stack = [_Block(None)]
    calls = dialect.brackets == "()"
    token = _tokens(dialect)
    position, length = 0, len(text)
    while position < length:
        match = token.match(text, position)
        assert match is not None  # noqa: S101  the last alternative takes any character
        start, position, kind = position, match.end(), match.lastgroup
        block = stack[-1]
        if kind == "comment":
            closing = {"/*": "*/", "--[[": "]]"}.get(match[0])
            if closing is not None:
                position = text.find(closing, position) + len(closing)
                if position < len(closing):
                    troubles.append(Unreadable(source.span(start, start + 2), "a comment is not closed"))
                    break
            else:
                newline = text.find("\n", position)
                position = length if newline < 0 else newline
        elif kind == "newline":
            if dialect.lines and not block.listing and not (block.equals and len(block.words) == 1) and not _opens(text, position):
                block.end()
        elif kind == "mark":
            mark = match[0]
            if mark == "{":
                if len(stack) > DEEPEST:
                    troubles.append(Unreadable(source.span(start, position), f"more than {DEEPEST} blocks inside each other"))
                    break
                stack.append(_opened(block))
            elif mark == "}":
                block.end()
                if len(stack) > 1:
                    _close(stack, calls)
                else:
                    troubles.append(Unreadable(source.span(start, position), "a closing brace without an opening one"))
            elif mark in dialect.equals:
                if dialect.joined and len(block.words) > 1 and not block.equals:
                    name = "".join(word.text for word in block.words)
                    block.words = [Word(name, block.words[0].at.to(block.words[-1].at))]
                block.equals = True
            elif mark in "[(":
                block.listing += 1
            elif mark in "])":
                block.listing = max(0, block.listing - 1)
                block.equals = block.equals and block.listing > 0  # the value of `peers: []` has been said
                if dialect.lines and mark == ")" and not block.listing and not block.words:
                    block.end()
            elif mark == ";" or (dialect.commas and not block.listing):
                block.end()
        elif kind == "quote":
            word, position = _quoted(source, start, match[0])
            if word is None:
                troubles.append(Unreadable(source.span(start, position), "a quote is not closed"))
            else:
                block.words.append(word)
        elif kind == "word":
            if not dialect.tight and not block.words and not block.listing:
                position = start + _key(match[0], dialect.equals)
            block.words.append(Word(text[start:position], source.span(start, position)))
    if len(stack) > 1 and position >= length:
        opener = stack[-1].key
        troubles.append(Unreadable(source.span(length, length) if opener is None else opener.at, "a block is not closed"))
    while len(stack) > 1:
        stack[-1].end()
        _close(stack, calls)
    stack[0].end()
    return tuple(stack[0].children), tuple(troubles)


def _opened(block: _Block) -> _Block:
    """The block that `{` opens in another one: named after the statement under way, or after the list it is an item of."""
    if not block.words:
        return _Block(None)
    return _Block(block.words[0], tuple(block.words[1:]) if not block.listing else (), inside=block.listing > 0)


def _close(stack: list[_Block], calls: bool) -> None:
    """End a block; with `calls` one in a list is an argument of the function that is called (Lua)."""
    done, outer = stack.pop(), stack[-1]
    if done.key is None:
        # `{ ... }` without a name: JSON's outermost, a Caddyfile's global options.
        outer.children.extend(done.children)
        return
    outer.opened = True
    if done.inside and calls:
        outer.given += done.children
        return
    outer.children.append(Node(done.key, done.values, tuple(done.children)))
    if not done.inside:
        outer.words = []
        outer.end()


def _opens(text: str, position: int) -> bool:
    """Whether the next thing after a line's end is the brace that belongs to it."""
    end = min(len(text), position + 400)
    while position < end and text[position] in " \t\r\n":
        position += 1
    return text[position : position + 1] == "{"


def _quoted(source: Source, start: int, quote: str) -> tuple[Word | None, int]:
    """The quoted word at `start` and where the text goes on; None and the line's end where it is not closed on its line."""
    text, position = source.text, start + 1
    found: list[str] = []
    while position < len(text):
        char = text[position]
        if char == "\\" and position + 1 < len(text) and text[position + 1] in (quote, "\\"):
            found.append(text[position + 1])
            position += 2
            continue
        if char == quote:
            return Word("".join(found), source.span(start, position + 1)), position + 1
        if char == "\n":
            break
        found.append(char)
        position += 1
    return None, position


_compiled: dict[Dialect, re.Pattern[str]] = {}


def _key(word: str, equals: str) -> int:
    """How much of the first word of a statement is its key: an equals sign ends it, where it would be part of a value (`port=80`)."""
    return min((place for place in map(word.find, equals) if place > 0), default=len(word))


def _tokens(dialect: Dialect) -> re.Pattern[str]:
    if dialect not in _compiled:
        comments = [*dialect.comments]
        if dialect.blocks:
            comments.insert(0, "--[[" if "--" in comments else "/*")
        marks = "{};," + dialect.brackets + dialect.equals
        ends = re.escape(" \t\r\n" + "{};," + dialect.brackets + dialect.quotes + (dialect.equals if dialect.tight else ""))
        comment = "|".join(map(re.escape, comments))
        # A word may hold a comment's first character (http://, a#b), so comments are looked for where a token starts.
        mark, word = rf"(?P<mark>[{re.escape(marks)}])", rf"(?P<word>{_word(dialect, ends)})"
        _compiled[dialect] = re.compile(
            rf"(?P<newline>\n)|(?P<blank>[ \t\r]+)|(?P<comment>{comment})|(?P<quote>[{re.escape(dialect.quotes)}])|"
            + (f"{word}|{mark}" if dialect.placeholders else f"{mark}|{word}")
            + "|(?P<odd>.)",
            re.DOTALL,
        )
    return _compiled[dialect]


def _word(dialect: Dialect, ends: str) -> str:
    if dialect.placeholders:
        return rf"(?:[^{ends}]|\{{[^\s{{}}]{{1,200}}\}})+"
    if dialect.tight or not dialect.equals:
        return f"[^{ends}]+"
    # `host: a:b`: where words may hold them, an equals sign ends one only before a blank.
    equals = re.escape(dialect.equals)
    return rf"(?:[^{ends}{equals}]|[{equals}](?![ \t\r\n]))+"
