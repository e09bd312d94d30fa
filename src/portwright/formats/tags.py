"""Tags: XML as icecast writes it, and the unclosed tags of InspIRCd; attributes and elements alike become nodes."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.nodes import DEEPEST, Node, Parsed
from portwright.source import Source, Unreadable, Word

_NAME = lazy_regex(r"[A-Za-z_:][-A-Za-z0-9_:.]*")
_BLANK = " \t\r\n"
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nl": "\n"}
_ENTITY = lazy_regex(r"&(\w{2,4});")


@dataclass(slots=True)
class _Element:
    key: Word
    children: list[Node] = field(default_factory=list)
    text: Word | None = None


def parse(source: Source, closed: bool = True) -> Parsed:
    """The elements of a file: attributes are children with a value, text is a value. Where tags are not `closed`, each stands alone.

    Entities of the file's own making are not expanded; there is no document type that needs them here.
    """
    text, troubles = source.text, list[Unreadable]()
    root = _Element(Word("", source.span(0, 0)))
    stack = [root]
    position = 0
    while position < len(text):
        opening = text.find("<", position)
        comment = text.find("#", position, opening if opening >= 0 else len(text)) if not closed else -1
        if comment >= 0:
            newline = text.find("\n", comment)
            position = len(text) if newline < 0 else newline
            continue
        end = len(text) if opening < 0 else opening
        _text(source, position, end, stack[-1])
        if opening < 0:
            break
        special = next((mark for mark in ("<!--", "<?", "<!") if text.startswith(mark, opening)), None)
        if special is not None:
            closing = {"<!--": "-->", "<?": "?>", "<!": ">"}[special]
            position = text.find(closing, opening + len(special)) + len(closing)
            if position < len(closing):
                troubles.append(Unreadable(source.span(opening, opening + len(special)), f"{special} is not closed"))
                break
            continue
        if text.startswith("</", opening):
            position = text.find(">", opening) + 1
            if position < 1:
                break
            _end(stack, text[opening + 2 : position - 1].strip())
            continue
        name = _NAME.match(text, opening + 1)
        if name is None:
            position = opening + 1
            continue
        element = _Element(Word(name[0], source.span(name.start(), name.end())))
        position, alone = _attributes(source, name.end(), element, troubles)
        if alone or not closed:
            stack[-1].children.append(Node(element.key, (), tuple(element.children)))
        elif len(stack) > DEEPEST:
            troubles.append(Unreadable(element.key.at, f"more than {DEEPEST} elements inside each other"))
            break
        else:
            stack.append(element)
    while len(stack) > 1:
        _pop(stack)
    return tuple(root.children), tuple(troubles)


def _text(source: Source, start: int, end: int, element: _Element) -> None:
    inner = source.text[start:end]
    stripped = inner.strip()
    if stripped and element.text is None:
        first = start + inner.index(stripped[0])
        element.text = Word(_plain(stripped), source.span(first, first + len(stripped)))


def _attributes(source: Source, position: int, element: _Element, troubles: list[Unreadable]) -> tuple[int, bool]:
    """Add the attributes of the tag whose name ends here; where it ends, and whether it is empty (`/>`)."""
    text = source.text
    while position < len(text):
        char = text[position]
        if char == ">":
            return position + 1, False
        if text.startswith("/>", position):
            return position + 2, True
        name = _NAME.match(text, position)
        if name is None:
            position += 1
            continue
        position = name.end()
        while position < len(text) and text[position] in _BLANK:
            position += 1
        if text[position : position + 1] != "=":
            continue
        position += 1
        while position < len(text) and text[position] in _BLANK:
            position += 1
        quote = text[position : position + 1]
        close = text.find(quote, position + 1) if quote and quote in "\"'" else -1
        if close < 0:
            troubles.append(Unreadable(source.span(name.start(), position), "an attribute's value is not in quotes"))
            return len(text), True
        key = Word(name[0], source.span(name.start(), name.end()))
        element.children.append(Node(key, (Word(_plain(text[position + 1 : close]), source.span(position, close + 1)),)))
        position = close + 1
    troubles.append(Unreadable(element.key.at, "a tag is not closed"))
    return len(text), True


def _plain(text: str) -> str:
    return _ENTITY.sub(lambda match: _ENTITIES.get(match[1], match[0]), text)


def _end(stack: list[_Element], name: str) -> None:
    """Close the innermost element of this name; a tag that closes nothing is passed over, as readers of such files do."""
    if all(element.key.text != name for element in stack[1:]):
        return
    while stack[-1].key.text != name:
        _pop(stack)
    _pop(stack)


def _pop(stack: list[_Element]) -> None:
    done = stack.pop()
    stack[-1].children.append(Node(done.key, () if done.text is None else (done.text,), tuple(done.children)))
