"""Words as systemd splits and unquotes them (extract_first_word()), each remembering the line it came from."""

from portwright._start.lazy_regex import lazy_regex
from portwright.numbers import based
from portwright.system.spanned_text import SpannedText, SpannedTextBuilder, SpannedTextView

_BLANK = " \t\n\r"
_SIMPLE = lazy_regex(r"""[^ \t\n\r"'\\]++(?=[ \t\n\r]|\Z)""")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'", "s": " "}
_CODES = {"x": (2, 16), "u": (4, 16), "U": (8, 16)}


def words(passage: SpannedText, relaxed: bool = False) -> tuple[tuple[SpannedText, ...], str]:
    """All words of a value by systemd's quoting (extract_first_word()), and what is wrong with the rest, if anything.

    `relaxed` is how a variable's value is split: a backslash makes the next character plain, a quote may stay open. An escape that
    is none ends the words; only on command lines (`next_word`) it stands for itself.
    """
    reel = SpannedTextView(passage)
    found: list[SpannedText] = []
    position = 0
    while True:
        position, word, problem = next_word(reel, position, relaxed, strict=not relaxed)
        if word is None or problem:
            return tuple(found), problem
        found.append(word)


def skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANK:
        position += 1
    return position


def ends_word(text: str, position: int) -> bool:
    return position >= len(text) or text[position] in _BLANK


def next_word(reel: SpannedTextView, position: int, relaxed: bool = False, *, strict: bool = False) -> tuple[int, SpannedText | None, str]:
    """The next word: (where to go on, the word or None at the end, what is wrong)."""
    text = reel.text
    position = skip_blanks(text, position)
    simple = _SIMPLE.match(text, position)
    if simple is not None:
        pieces = reel.cut(position, simple.end())
        if len(pieces) == 1:
            # As nearly all are: no quotes, no escapes, one line.
            return simple.end(), SpannedText(pieces, pieces[0].at), ""
    weaver = SpannedTextBuilder()
    quote = ""
    while position < len(text):
        char = text[position]
        if quote:
            if char == quote:
                quote = ""
                position += 1
                continue
        elif char in "'\"":
            quote = char
            position += 1
            weaver.begin(reel.span(position - 1, position))
            continue
        elif char in _BLANK:
            break
        if char == "\\":
            length, meant = _escape(text, position) if not relaxed else (2, text[position + 1 : position + 2])
            if meant[:1] == "\\" and strict and text[position + 1 : position + 2] != "\\":
                return position, None, f"an escape that systemd does not know: {text[position : position + 2]}"
            weaver.add(meant, reel.span(position, position + length), exact=False)
            position += length
            continue
        end = _plain(text, position, quote)
        weaver.put_on(reel.cut(position, end))
        position = end
    if quote and not relaxed:
        return position, None, "a quote is not closed"
    return position, weaver.finish() if weaver.started else None, ""


def _plain(text: str, position: int, quote: str) -> int:
    stop = quote + "\\" if quote else _BLANK + "'\"\\"
    position += 1
    while position < len(text) and text[position] not in stop:
        position += 1
    return position


def _escape(text: str, position: int) -> tuple[int, str]:
    """(length, meaning) of the C escape at `position`; an unknown one stands for itself, as systemd says with a warning.

    So does the last character of all, which a blank behind it keeps from continuing the line.
    """
    kind = text[position + 1 : position + 2]
    if not kind:
        return 1, "\\"
    if kind in _ESCAPES:
        return 2, _ESCAPES[kind]
    digits, base = _CODES.get(kind, (3, 8))
    start = position + 2 if kind in _CODES else position + 1
    code = text[start : start + digits]
    value = based(code, base) if len(code) == digits else None
    if value is not None and 0 < value < (256 if base == 8 or kind == "x" else 0x110000) and not 0xD800 <= value < 0xE000:
        return start + digits - position, chr(value) if value < 128 or kind in "uU" else chr(0xDC00 + value)
    return 2, text[position : position + 2]
