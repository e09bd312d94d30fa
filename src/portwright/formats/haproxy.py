"""haproxy's configuration grammar (configuration.txt, section 2): lines of words in sections, variables and conditions settled."""

import re
from collections.abc import Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.facts import Confidence
from portwright.numbers import based, decimals, signed
from portwright.source import Source, Span, Unreadable, Word

UNKNOWN = "\ufffd"
"""Stands in a word where a variable's value is not known."""

SECTIONS = frozenset(
    (
        *("acme", "backend", "cache", "crt-store", "defaults", "fcgi-app", "frontend", "global", "http-errors", "listen", "log-forward"),
        *("log-profile", "mailers", "peers", "program", "resolvers", "ring", "traces", "userlist"),
    )
)
_MESSAGES = frozenset((".alert", ".diag", ".notice", ".warning"))
_DEEPEST = 64
_MOST_WRONG = 100
_MOST_WORDS = 1_000_000

# tools.c, parse_line(): what a backslash makes of the next character, outside and inside double quotes; else it stands for itself.
_ESCAPES = {" ": " ", "\\": "\\", "#": "#", "'": "'", '"': '"', "$": "$", "n": "\n", "r": "\r", "t": "\t", "\t": "\t"}
_PIECE = lazy_regex(
    r"""(?P<blank>[ \t\r\v\f]++)|(?P<comment>\#)|(?P<strong>'[^']*+')|(?P<weak>"(?:[^"\\]++|\\.)*+")|\\(?P<escape>x[0-9a-fA-F]{2}|.)"""
    r"""|(?P<quote>['"])|(?P<plain>[^ \t\r\v\f\#'"\\]++)|(?P<lone>\\)""",
    re.DOTALL,
)
_NAME = r"\.?[A-Za-z_][A-Za-z0-9_]*+"
_WEAK = lazy_regex(rf"\\(x[0-9a-fA-F]{{2}}|.)|\$\{{({_NAME})(\[\*\])?(?:-([^}}$]*+))?+\}}|\$({_NAME})|[^\\$]++|.", re.DOTALL)
_ADDRESS_VARIABLE = lazy_regex(r"\$(?:\{([A-Za-z0-9_]*+)\}|([A-Za-z0-9_]++))")


@dataclass
class Environment:
    """Variables as a configuration sees them; its own setenv lines change them for the lines that follow.

    `complete` is False where nobody knows what else is set: then a variable that is not here is unknown, else it is unset.
    """

    variables: dict[str, str] = field(default_factory=dict)
    complete: bool = True

    def value(self, name: str) -> str | None:
        """A variable's value, None where it is unset; UNKNOWN where nobody can tell."""
        return self.variables.get(name, None if self.complete else UNKNOWN)

    def expand(self, text: str) -> str:
        """Variables in an address (env_expand() in tools.c): those are replaced outside of quotes too."""
        return _ADDRESS_VARIABLE.sub(lambda match: self.value(match[1] or match[2] or "") or "", text) if "$" in text else text

    def apply(self, words: tuple[str, ...]) -> None:
        """A setenv, presetenv, unsetenv or resetenv line of the global section."""
        match words:
            case ("setenv", name, value, *_):
                self.variables[name] = value
            case ("presetenv", name, value, *_):
                if self.value(name) in (None, UNKNOWN):
                    self.variables[name] = value if self.value(name) is None else UNKNOWN
            case ("unsetenv", *unset):
                for name in unset:
                    self.variables.pop(name, None)
            case ("resetenv", *kept):
                self.variables = {name: value for name, value in self.variables.items() if name in kept}
                self.complete = self.complete or not kept
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its words with quotes, escapes and variables settled. A Word's span covers it as written.

    `confidence` is *possible* inside an .if that nobody can decide here.
    """

    words: tuple[Word, ...]
    confidence: Confidence = "certain"

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words)

    @property
    def at(self) -> Span:
        """From the first word to the last."""
        return self.words[0].at.to(self.words[-1].at)


@dataclass(frozen=True, slots=True)
class Section:
    """A section: the line that opens it (`frontend web`), and the lines up to the next one."""

    head: Line
    lines: tuple[Line, ...]

    @property
    def kind(self) -> str:
        """global, defaults, frontend, backend, listen, peers, ..."""
        return self.head.words[0].text

    @property
    def name(self) -> str:
        """The section's name, empty where it has none."""
        return self.head.words[1].text if len(self.head.words) > 1 else ""


@dataclass(frozen=True, slots=True)
class Document:
    """The sections of one file in order, and what haproxy would reject in it."""

    sections: tuple[Section, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(slots=True)
class _Condition:
    """An open .if: whether the branch being read is active, and whether an earlier branch was (None: nobody knows)."""

    now: bool | None
    before: bool | None
    at: Span


def parse(source: Source, environment: Environment, version: tuple[int, ...] | None = None) -> Document:
    """Read one file; `environment` is changed by its setenv lines, for this file and those read after it."""
    wrong: list[Unreadable] = []
    sections: list[Section] = []
    head: Line | None = None
    inside: list[Line] = []
    conditions: list[_Condition] = []
    outside_said = False
    budget = _MOST_WORDS
    for number, text in enumerate(source.text.split("\n"), start=1):
        words = _words(text, source.path, number, environment, wrong)
        if not words:
            continue
        budget -= len(words)
        if budget < 0:
            wrong.append(Unreadable(words[0].at, f"more than {_MOST_WORDS} words: the rest of the file is not read"))
            break
        keyword = words[0].text
        if keyword.startswith("."):
            _macro(words, conditions, environment, version, wrong)
            continue
        if any(condition.now is False for condition in conditions):
            continue
        unsure = any(condition.now is None for condition in conditions)
        line = Line(words, "possible" if unsure else "certain")
        if keyword in SECTIONS:
            if head is not None:
                sections.append(Section(head, tuple(inside)))
            head, inside = line, []
        elif head is None:
            if not outside_said:
                wrong.append(Unreadable(words[0].at, f"unknown keyword '{keyword[:40]}' out of section"))
            outside_said = True
        else:
            inside.append(line)
            if keyword.endswith("env") and head.words[0].text == "global":
                environment.apply(line.texts)
    if head is not None:
        sections.append(Section(head, tuple(inside)))
    wrong += [Unreadable(condition.at, ".if without .endif") for condition in conditions]
    return Document(tuple(sections), _few(wrong))


def _few(wrong: list[Unreadable]) -> tuple[Unreadable, ...]:
    """What is wrong, at most a hundred of it: a file of another kind would make a report of its every line."""
    if len(wrong) <= _MOST_WRONG:
        return tuple(wrong)
    return (
        *wrong[:_MOST_WRONG],
        Unreadable(wrong[_MOST_WRONG].at, f"{len(wrong) - _MOST_WRONG} more mistakes from here on are not listed"),
    )


def _words(text: str, path: str, number: int, environment: Environment, wrong: list[Unreadable]) -> tuple[Word, ...]:
    """The words of a line; none for a line that cannot be split."""
    if not any(character in text for character in "#'\"\\"):
        return tuple(Word(m[0], Span(path, number, m.start() + 1, number, m.end() + 1)) for m in re.finditer(r"[^ \t\r\v\f]++", text))
    words: list[Word] = []
    current: list[str] = []
    start = -1
    position, length = 0, len(text)

    def end() -> None:
        nonlocal start
        if start >= 0:
            at = Span(path, number, start + 1, number, position + 1)
            words.extend(Word(part, at) for part in "".join(current).split("\0"))
        current.clear()
        start = -1

    while position < length:
        piece = _PIECE.match(text, position)
        if piece is None or piece.lastgroup == "comment":
            break
        kind = piece.lastgroup
        if kind == "quote":
            at = Span(path, number, position + 1, number, length + 1)
            wrong.append(Unreadable(at, "unmatched quote"))
            return ()
        if kind == "blank":
            end()
        else:
            start = position if start < 0 else start
            current.append(_piece(piece, environment, path, number))
        position = piece.end()
    end()
    return tuple(words)


def _piece(piece: re.Match[str], environment: Environment, path: str, number: int) -> str:
    text = piece[0]
    match piece.lastgroup:
        case "strong":
            return text[1:-1]
        case "escape":
            return _escaped(piece["escape"])
        case "weak":
            return "".join(_weak(part, environment, path, number) for part in _WEAK.finditer(text, 1, len(text) - 1))
        case _:
            return text


def _escaped(code: str) -> str:
    if len(code) == 3:
        return chr(based(code[1:], 16) or 0)
    return _ESCAPES.get(code, f"\\{code}")


def _weak(part: re.Match[str], environment: Environment, path: str, number: int) -> str:
    if part[1] is not None:
        return _escaped(part[1])
    name = part[2] or part[5]
    if name is None:
        return part[0]
    if name in (".FILE", ".LINE"):
        return path if name == ".FILE" else str(number)
    value = environment.value(name)
    if value is None:
        value = part[4] or ""
    # A value that is a list becomes as many words; a line of a file holds no NUL.
    return "\0".join(value.split()) if part[3] else value


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _macro(
    words: tuple[Word, ...],
    conditions: list[_Condition],
    environment: Environment,
    version: tuple[int, ...] | None,
    wrong: list[Unreadable],
) -> None:
    keyword, at = words[0].text, words[0].at
    if keyword in _MESSAGES:
        return
    if keyword == ".if":
        if len(conditions) >= _DEEPEST:
            wrong.append(Unreadable(at, f".if nested more than {_DEEPEST} deep"))
        else:
            # What an inactive branch says is not looked at, conditions included.
            asleep = any(condition.now is False for condition in conditions)
            now = False if asleep else _holds(words[1:], environment, version, wrong)
            conditions.append(_Condition(now, asleep or now, at))
        return
    if not conditions or keyword not in (".elif", ".else", ".endif"):
        wrong.append(Unreadable(at, f"{keyword} without .if" if keyword in (".elif", ".else", ".endif") else f"unknown {keyword[:40]}"))
        return
    last = conditions[-1]
    if keyword == ".endif":
        conditions.pop()
        return
    if last.before:
        last.now = False
        return
    holds = True if keyword == ".else" else _holds(words[1:], environment, version, wrong)
    last.now = None if last.before is None and holds else holds
    last.before = _or(last.before, holds)


def _or(left: bool | None, right: bool | None) -> bool | None:
    return True if True in (left, right) else None if None in (left, right) else False


def _and(left: bool | None, right: bool | None) -> bool | None:
    return False if False in (left, right) else None if None in (left, right) else True


_TOKEN = lazy_regex(r"\s*+(?:(&&|\|\||[!()])|([A-Za-z_]++)\(([^()]*+)\)|(-?[0-9]{1,18}+))\s*+")


def _holds(words: tuple[Word, ...], environment: Environment, version: tuple[int, ...] | None, wrong: list[Unreadable]) -> bool | None:
    """Whether a condition holds (configuration.txt 2.4); None where nothing here can tell."""
    text = " ".join(word.text for word in words)
    if not text.strip():
        return False
    # Operators wait on a stack, as the grammar has `!` before `&&` before `||`; a recursion would let a line decide its depth.
    values: list[bool | None] = []
    operators: list[str] = []
    position = 0
    rank = {"(": 0, "||": 1, "&&": 2, "!": 3}

    def settle(least: int) -> None:
        while operators and rank[operators[-1]] >= least:
            operator = operators.pop()
            right = values.pop()
            if operator == "!":
                values.append(None if right is None else not right)
            else:
                left = values.pop()
                values.append(_and(left, right) if operator == "&&" else _or(left, right))

    try:
        while position < len(text):
            token = _TOKEN.match(text, position)
            if token is None:
                raise IndexError
            position = token.end()
            if token[4] is not None:
                values.append(signed(token[4]) != 0)
            elif token[2] is not None:
                values.append(_predicate(token[2], token[3], environment, version))
            elif token[1] in ("!", "("):
                operators.append(token[1])
            elif token[1] == ")":
                settle(1)
                if operators.pop() != "(":
                    raise IndexError
            else:
                settle(rank[token[1]])
                operators.append(token[1])
        settle(1)
        if len(values) != 1 or operators:
            raise IndexError
    except IndexError:
        if UNKNOWN not in text:
            wrong.append(Unreadable(words[0].at.to(words[-1].at), f"unparsable conditional expression '{text[:80]}'"))
        return None
    return values[0]


def _predicate(name: str, arguments: str, environment: Environment, version: tuple[int, ...] | None) -> bool | None:
    first, _, second = arguments.partition(",")
    if name == "defined":
        value = environment.value(first)
        return None if value == UNKNOWN else value is not None
    if UNKNOWN in arguments:
        return None
    if name in ("streq", "strneq"):
        return (first.strip("\"'") == second.strip("\"'")) == (name == "streq")
    if name in ("version_atleast", "version_before") and version is not None:
        wanted = decimals(re.findall(r"[0-9]{1,6}", first.partition("-")[0])[:3])
        return (version[: len(wanted)] >= wanted) == (name == "version_atleast") if wanted else None
    return None


def environment_of(words: Mapping[str, Word]) -> Environment:
    """The environment a command is started with, all of it known."""
    return Environment({name: word.text for name, word in words.items()})
