"""What reading one host may cost: bytes read, words kept, and what files multiply. Whoever spends asks first; what is left out is said."""

import re
from collections.abc import Callable, Iterable

MOST_BYTES = 64 << 20
"""Bytes read in all. A text with other characters than ASCII counts four times, as it does in memory."""

MOST_WORDS_OF_A_FILE = 320_000
"""Words, marks and lines of one file. No grammar here makes more of a text, and each may take a kilobyte while the file is read."""

MOST_WORDS = 1_400_000
"""Those of all files together. A host of two thousand services and five thousand sites holds a million."""

MOST_EXPANDED = 4 << 20
"""Characters that variables, specifiers and instances make of what files hold; a word costs `COST_OF_A_WORD` more."""

COST_OF_A_WORD = 32

MOST_WORK = 400_000
"""Steps that are taken again for each of many: a command of a script, a setting merged into one unit more, a socket joined, a page
of a config read once more for another service. A step is some microseconds."""

CHARACTERS_A_STEP = 8

READ_UP = f"more than {MOST_BYTES >> 20} MiB of files were read on this host: this one is left out"

_COMMENT = rb"(?m)^[ \t]*+#[^\n]*+"
_CHUNK = 1 << 16
_PLAIN = bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B)) + bytes(range(0x80, 0x100)) + b" \t\r\n._-/:@%+#"


def weight(data: bytes) -> int:
    """How many words, marks and lines a text may be read as: never less than a reader finds, seldom twice as many."""
    if not data.lstrip().startswith(b"<"):  # XML has other comments
        data = re.sub(_COMMENT, b"", data)
    words = sum(len(data[start : start + _CHUNK].split()) for start in range(0, len(data), _CHUNK))
    return words + data.count(b"\n") + len(data.translate(None, _PLAIN))


class Budget:
    """What is left for one host. Texts are weighed only once they are more bytes than there may be words: those of most hosts never are."""

    def __init__(self) -> None:
        self._bytes = 0
        self._words = 0
        self._weighed = False
        self._expanded = 0
        self._work = 0

    @property
    def is_read_up(self) -> bool:
        """Whether no more files are read."""
        return self._bytes > MOST_BYTES

    def take(self, data: bytes, before: Callable[[], Iterable[str]]) -> str:
        """Count a file that was read; why it is left out, "" where it is not. `before` gives the texts that were kept until now."""
        self._bytes += len(data) if data.isascii() else 4 * len(data)
        if self.is_read_up:
            return READ_UP
        if len(data) > MOST_WORDS_OF_A_FILE and weight(data) > MOST_WORDS_OF_A_FILE:
            return f"it holds more than {MOST_WORDS_OF_A_FILE:,} words: it is left out"
        words = weight(data) if self._weighed else len(data)
        if self._words + words > MOST_WORDS and not self._weighed:
            self._weighed = True
            self._words = sum(weight(text.encode("utf-8", "surrogateescape")) for text in before())
            words = weight(data)
        if self._words + words > MOST_WORDS:
            return f"the files of this host hold more than {MOST_WORDS:,} words in all: this one is left out"
        self._words += words
        return ""

    def work(self, steps: int) -> bool:
        """Spend steps that are taken again for each of many; False where they must not be taken any more."""
        self._work += steps
        return self._work <= MOST_WORK

    def expand(self, amount: int) -> bool:
        """Spend what something makes of files beyond their own text; False where it must not be made any more."""
        if self._expanded + amount > MOST_EXPANDED:
            return False
        self._expanded += amount
        return True
