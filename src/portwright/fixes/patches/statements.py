"""The statement that sets one kernel setting, and the same statement for another one: as the text beside it has it."""

import re
from collections.abc import Callable, Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.fixes.patches.texts import (
    MOST_LINES,
    NoPlaceError,
    TextEdit,
    after,
    before,
    in_quotes,
    indentation,
    offset,
    short_line,
    value_at,
)
from portwright.source import Source, Span

_ITEM = lazy_regex(r"(\s*)-(\s+)")
_TITLE = lazy_regex(r"\s*-\s+name:\s*(\S.*)")
_CUT = lazy_regex(r"(?<![>&0-9])>(?![>&])")
_TEE = lazy_regex(r"\btee\s+(?!-)")
_OPENS, _CLOSES = "([{", ")]}"
_BLOCKS = (".pp", ".rb", ".nix")
_FAR = 6
"""Lines above a value in which the key of its statement stands."""

TITLE = "Keep the ports of services out of those that the kernel lends"


def another(source: Source, at: Span, key: str, value: str, wanted: tuple[str, str], *, first: bool) -> TextEdit:
    """The statement at a place, which gives `key` its `value`, once more for the key and value that are `wanted`.

    `first`: it goes before the one that is there. Raises NoPlaceError where it cannot be told where the statement begins and ends.
    """
    number = _line_of(source, at.line, key)
    line = short_line(source, number)
    place = _key_in(line, key)
    said = place.end()
    called = re.search(r"(?:\bsudo\s++)?\bsysctl\s++(?:-(?:(?!sysctl)\S)++\s++)*+(?=[\"']?$)", line[: place.start()])
    if called is not None and re.match(r"[\"']?\s*=", line[said:]) and _is_of_several(line[: called.start()]):
        begin = offset(source, number) + called.start()
        return TextEdit(source.path, begin, begin, f"{called[0]}{_spelt(place[0], wanted[0])}={wanted[1]} && ")
    if re.match(r"\s*[\"']?$", line[: place.start()]) and re.match(r"[\"']?\s*[=:]", line[said:]):
        block = (number, number)
    else:
        block = _block(source, number, key, value)
    lines = [short_line(source, each) for each in range(block[0], block[1] + 1)]
    new = _with(source, lines, block[0], number, key, value, wanted)
    # A command that begins a file anew would drop what was written before it.
    first = first and not any(_CUT.search(line) for line in lines if "echo" in line or "printf" in line)
    return before(source, block[0], new) if first else after(source, block[1], new)


def _is_of_several(left: str) -> bool:
    """Whether a command that stands behind this is one of a list in a shell's text, which may have one more."""
    return left.count('"') % 2 == 1 or left.count("'") % 2 == 1 or "&&" in left or ";" in left


def _line_of(source: Source, number: int, key: str) -> int:
    for each in range(number, max(number - _FAR, 1) - 1, -1):
        line = short_line(source, each)
        if any(form in line for form in _forms(key)):
            return each
        if each < number and not line.strip():
            break
    for each in range(number + 1, number + _FAR):
        if any(form in source.line(each) for form in _forms(key)):
            return each
        if _ITEM.match(source.line(each)):
            break
    raise NoPlaceError(f"{source.path}:{number} gives {key} its value from afar")


def _forms(key: str) -> tuple[str, str]:
    return key, key.translate(str.maketrans("./", "/."))


def _key_in(line: str, key: str) -> re.Match[str]:
    found = next((found for form in _forms(key) if (found := re.search(rf"(?<![\w./]){re.escape(form)}(?![\w./])", line))), None)
    if found is None:
        raise NoPlaceError(f"{key} is part of a longer word")
    return found


def _spelt(like: str, key: str) -> str:
    return key.translate(str.maketrans("./", "/.")) if "/" in like and "." not in like else key


def _block(source: Source, number: int, key: str, value: str) -> tuple[int, int]:
    """The first and last line of the smallest list item, block or line around a line that has both the key and the value."""
    last = _end_of_command(source, number)
    first = number
    while first > 1 and number - first < MOST_LINES and source.line(first - 1).rstrip().endswith("\\"):
        first -= 1
    if _has_value(source, range(first, last + 1), value) and not _is_item_text(source, first):
        name = source.path.lower()
        if name.endswith(_BLOCKS):
            return _balanced(source, first)
        return first, last
    for begin, depth in _items_around(source, number):
        end = end_of_item(source, begin, depth)
        if end >= number and _has_value(source, range(begin, end + 1), value):
            return begin, end
    if source.path.lower().endswith(_BLOCKS):
        block = _balanced(source, number)
        if _has_value(source, range(block[0], block[1] + 1), value):
            return block
    raise NoPlaceError(f"{source.path}:{number} sets {key} in a form to which nothing can be added with certainty")


def _is_item_text(source: Source, number: int) -> bool:
    """Whether a line belongs to a list item of more lines."""
    name = source.path.lower().removesuffix(".j2")
    if not name.endswith((".yml", ".yaml", ".sls")):
        return False
    line = source.line(number)
    return bool(re.match(r"\s*(-\s+)?[\"']?[\w.]+[\"']?:(\s|$)", line)) and "{" not in line.partition(":")[0]


def _end_of_command(source: Source, number: int) -> int:
    last = number
    while source.line(last).rstrip().endswith("\\") and last - number < MOST_LINES:
        last += 1
    return last


def _has_value(source: Source, numbers: range, value: str) -> bool:
    return any(_value_in(source, number, value) for number in numbers)


def _value_in(source: Source, number: int, value: str) -> tuple[int, int] | None:
    try:
        return value_at(source, number, 1, value)
    except NoPlaceError:
        return None


def _items_around(source: Source, number: int) -> Iterator[tuple[int, int]]:
    """(line, depth) of each list item that a line may be in, the innermost first."""
    depth = len(indentation(source.line(number))) + 1
    for each in range(number, max(number - MOST_LINES, 0), -1):
        line = source.line(each)
        item = _ITEM.match(line)
        if item is not None and len(item[1]) < depth:
            depth = len(item[1])
            yield each, depth


def end_of_item(source: Source, begin: int, depth: int, most: int = MOST_LINES) -> int:
    """The last line of a list item that begins at a line, without empty lines behind it."""
    last = begin
    for each in range(begin + 1, begin + most):
        line = source.line(each)
        if line.strip():
            if len(indentation(line)) <= depth:
                break
            last = each
    return last


def _balanced(source: Source, number: int) -> tuple[int, int]:
    """The lines from one to that where each bracket is closed, and each `do`."""
    open_ = 0
    for each in range(number, number + MOST_LINES):
        line = short_line(source, each)
        open_ += sum(line.count(mark) for mark in _OPENS) - sum(line.count(mark) for mark in _CLOSES)
        open_ += len(re.findall(r"\bdo\s*+(?:\|[^|]*\|\s*+)?$", line)) - bool(re.match(r"\s*end\b", line))
        if open_ <= 0:
            return number, each
    raise NoPlaceError(f"{source.path}:{number} begins a block whose end is not found")


def _with(source: Source, lines: list[str], begin: int, at: int, key: str, value: str, wanted: tuple[str, str]) -> list[str]:
    """A statement's lines for another key and value."""
    found = []
    is_valued = False
    for number, line in enumerate(lines, begin):
        new = line
        there = None if is_valued else _value_in(source, number, value)
        if there is not None and number == at and there[0] < _key_in(line, key).end():
            there = None
        if there is not None:
            start, end = there
            quoted = line[start - 1 : start] in ("'", '"')
            new = f"{line[:start]}{wanted[1] if quoted else in_quotes(source.path, line[:start], wanted[1])}{line[end:]}"
            is_valued = True
        title = _TITLE.match(new) if number == begin and len(lines) > 1 else None
        if title is not None and not any(form in title[1] for form in _forms(key)):
            new = f"{new[: title.start(1)]}{TITLE}"
        for form in _forms(key):
            new = re.sub(rf"(?<![\w./]){re.escape(form)}(?![\w./])", _literal(_spelt(form, wanted[0])), new)
        new = _TEE.sub("tee -a ", _CUT.sub(">>", new)) if "echo" in new or "printf" in new else new
        found.append(new)
    if not is_valued:
        raise NoPlaceError(f"{source.path}:{at} does not have the value {value} in its statement")
    return found


def _literal(text: str) -> Callable[[re.Match[str]], str]:
    return lambda found: text
