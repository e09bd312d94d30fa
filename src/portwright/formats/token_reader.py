"""TokenReader: a reader that goes through a text token by token, past strings and brackets as a whole where they are of no matter."""

import re

from portwright.formats.parts import Bare, String

MOST = 300_000
"""Tokens of a text that are read; what is looked at twice counts twice."""


class TokenReader:
    """Stands at one token: `kind` is the group of the language's pattern that it matches ("" at the end), `word` its text.

    The pattern names blanks `blank`, what begins a comment up to `*/` `comment`, and all signs `sign`; `texts` are the kinds that begin a
    string. `start` is where the token begins, `at` where the next one is looked for.
    """

    texts: tuple[str, ...] = ()

    def __init__(self, text: str, token: re.Pattern[str]) -> None:
        self.text = text
        self.token = token
        self.at = 0
        self.left = MOST
        self.start = 0
        self.kind = ""
        self.word = ""
        self.next()

    def next(self) -> None:
        """Go to the next token that is neither blank nor a comment."""
        text = self.text
        while True:
            found = self.token.match(text, self.at)
            if found is None or self.left <= 0:
                self.kind, self.word, self.start = "", "", len(text)
                return
            self.left -= 1
            kind = found.lastgroup or ""
            if kind == "blank":
                self.at = found.end()
            elif kind == "comment":
                end = text.find("*/", found.end())
                self.at = len(text) if end < 0 else end + 2
            else:
                self.kind, self.word, self.start, self.at = kind, found[0], found.start(), found.end()
                return

    def is_sign(self, *signs: str) -> bool:
        """Whether this token is one of these signs."""
        return self.kind == "sign" and self.word in signs

    def is_name(self, *names: str) -> bool:
        """Whether this token is one of these names."""
        return self.kind == "name" and self.word in names

    def string(self) -> String | Bare:
        """The string that begins here: each language has its own, and its reader says how."""
        raise NotImplementedError

    def skip(self) -> None:
        """Past one token; past all of a string, and all that a bracket holds."""
        depth = 0
        while self.kind:
            if self.kind in self.texts:
                self.string()
            else:
                if self.is_sign("{", "[", "(", "${"):
                    depth += 1
                elif self.is_sign("}", "]", ")"):
                    depth -= 1
                self.next()
            if depth <= 0:
                return
