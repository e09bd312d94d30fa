"""Long values made short for a reader: lists end after an item, words and sentences lose their middle, and numbers stay whole."""

from portwright.numbers import is_digits
from portwright.reports.escape import safe, width

LONGEST_WORD = 90
LONGEST_TEXT = 480
_MARK = "..."


def short(text: str) -> str:
    """Text of a host made safe to show, then short: half a secret would not be known for one."""
    return shortened(safe(text))


def shortened(text: str) -> str:
    """A sentence with its long words cut, and its own middle where it is still long; it says how much is left out."""
    if len(text) <= LONGEST_WORD:
        return text
    words = [_word(word) for word in text.split(" ")]
    short = " ".join(words)
    if width(short) <= LONGEST_TEXT:
        return short
    words = short.split(" ")
    first = _fitting(words, LONGEST_TEXT * 2 // 3)
    last = _fitting(words[: first - 1 : -1], LONGEST_TEXT // 4)
    left_out = len(words) - first - last
    if left_out <= 0:
        return short
    return " ".join((*words[:first], f"{_MARK} ({left_out:,} more words) {_MARK}", *words[len(words) - last :]))


def _word(word: str) -> str:
    if len(word) <= LONGEST_WORD // 2 or width(word) <= LONGEST_WORD:
        return word
    items = word.split(",")
    if len(items) > 3:
        kept = _fitting(items, LONGEST_WORD * 2 // 3)
        if kept and len(items) - kept > 1:
            return f"{','.join(items[:kept])},{_MARK} and {len(items) - kept:,} more"
    return _middle(word)


def _fitting(words: list[str], columns: int) -> int:
    """How many of these words, with a column after each, have room."""
    used = 0
    for number, word in enumerate(words):
        used += width(word) + 1
        if used > columns:
            return number
    return len(words)


def _middle(word: str) -> str:
    """A word without its middle, a path without folders; the end, with a file's name, says more than the beginning."""
    room = LONGEST_WORD - len(_MARK)
    head, used = 0, 0
    while used + (columns := width(word[head])) <= room * 2 // 5:
        head, used = head + 1, used + columns
    tail = len(word)
    while used + (columns := width(word[tail - 1])) <= room:
        tail, used = tail - 1, used + columns
    head = word.rfind("/", 0, head) + 1 or head
    tail = word.find("/", tail) if "/" in word[tail:] else tail
    while head > 0 and is_digits(word[head - 1 : head + 1]):
        head -= 1
    while tail < len(word) and is_digits(word[tail - 1 : tail + 1]):
        tail += 1
    # What has no width joins what stands before it.
    while tail < len(word) and not width(word[tail]):
        tail += 1
    return f"{word[:head]}{_MARK}{word[tail:]}" if head > 0 and tail < len(word) else word
