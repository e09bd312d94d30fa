"""sh(1) text as simple commands: words with quotes undone, parameters left as parts for whoever knows their values.

All places are offsets into the text, so that a caller can map them to the file, or the unit's value, that the text came from.
"""

from collections.abc import Callable, Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.numbers import c_number, is_digits

DEEPEST = 20
TOO_DEEP = "an expansion nested too deep"
"""Expansions inside expansions (`${A:-${B:-...}}`, parentheses in arithmetic) that are followed."""

_BLANK = " \t"
_OPERATOR = ";&|<>()\n"
_ENDS_WORD = frozenset(_BLANK + _OPERATOR + "\r")
_SPECIAL = "@*#?-$!0123456789"
_OPENERS = {"if": "fi", "while": "done", "until": "done", "{": "}"}
_NAME = lazy_regex("[A-Za-z_][A-Za-z0-9_]*")
_BETWEEN = ("then", "elif", "else", "do")
_DECLARING = ("declare", "local", "typeset", "readonly", "export")


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text; `quoted` text is neither split nor globbed."""

    text: str
    start: int
    end: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$NAME`, or `${NAME<operator><operand>}`.

    `operator` is "", one of `:- - := = :+ + :? ? # ## % %% /` and their like, "length", or of bash `[@]` and `[*]`.
    """

    name: str
    operator: str
    operand: "tuple[Part, ...]"
    start: int
    end: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((expression))`; `arithmetic` works it out."""

    expression: str
    start: int
    end: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """What only a running shell can tell: a command substitution, or an expansion nested too deep."""

    reason: str
    start: int
    end: int
    quoted: bool = False


Part = Text | Parameter | Arithmetic | Unknown


@dataclass(frozen=True, slots=True)
class Argument:
    """One word of a command, before expansion."""

    parts: tuple[Part, ...]
    start: int
    end: int

    @property
    def plain(self) -> str | None:
        """The word's text where nothing has to be expanded in it, else None."""
        texts = []
        for part in self.parts:
            if not isinstance(part, Text):
                return None
            texts.append(part.text)
        return "".join(texts)


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value` before a command, or as a command of its own; of bash also `name+=value`, which `appends`, and `name=(items)`."""

    name: str
    value: Argument
    start: int
    end: int
    appends: bool = False
    items: tuple[Argument, ...] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command. `after` is the operator before it: "", "&&", "||", "|"; `background` a `&` or `|` that follows it.

    `conditional` says that it stands inside `if`, a loop or a subshell, so that it may not run, or not here. `targets` are the files
    that its output is written to.
    """

    assignments: tuple[Assignment, ...]
    words: tuple[Argument, ...]
    start: int
    end: int
    after: str = ""
    background: bool = False
    conditional: bool = False
    targets: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A construct whose reading ended, and why."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for` loop: its head (`name in word ...`), the text between `do` and `done`, and where it ends."""

    start: int
    head: tuple[int, int]
    body: tuple[int, int]
    end: int


@dataclass(frozen=True, slots=True)
class Script:
    """The simple commands of a script in the order they are written, and what was not followed.

    The commands of loops are among them; `loops` has those `for` loops that are closed, in no order, for whoever knows their words.
    """

    commands: tuple[Command, ...]
    unread: tuple[Unread, ...] = ()
    loops: tuple[Loop, ...] = ()


def parse(text: str) -> Script:
    """Read shell text (POSIX XCU 2): lists, pipelines, assignments; the commands in `if` and loops are marked conditional.

    Functions, `case`, here-documents and `[[ ]]` are stepped over with a sentence, the words of a `for` loop
    likewise. Linear in the text's length.
    """
    return Reader(text).script()


class Reader:
    """Steps through shell text; `formats.shell_tree` reads the words of its commands with it, too."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.commands: list[Command] = []
        self.unread: list[Unread] = []
        self.open: list[str] = []  # what closes the constructs around here
        self.heads: list[list[int]] = []  # of each loop around here: start and end of its head, begin of its body; empty for `while`
        self.loops: list[Loop] = []
        self.targets: list[Argument] = []
        self.here: list[tuple[str, bool, int]] = []  # here-documents that begin after this line: delimiter, tabs stripped, offset

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    def script(self) -> Script:
        after = ""
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text):
                break
            operator = self._operator()
            if operator is None:
                self._command(after)
                after = ""
                continue
            if operator in ("&&", "||", "|", "|&"):
                after = operator
                if operator[0] == "|" and operator != "||" and self.commands:
                    self._in_background()
            elif operator == "&":
                if self.commands:
                    self._in_background()
                after = ""
            elif operator == "(":
                self.open.append(")")
            elif operator == ")":
                self._close(")")
            elif operator == "\n":
                self._here_documents()
        for closer in self.open:
            self.unread.append(Unread(len(self.text), len(self.text), f"no `{closer}` before the end"))
        return Script(tuple(self.commands), tuple(self.unread), tuple(self.loops))

    def _in_background(self) -> None:
        last = self.commands[-1]
        self.commands[-1] = replace(last, background=True)

    def _close(self, closer: str) -> None:
        if self.open and self.open[-1] == closer:
            self.open.pop()
        else:
            self.unread.append(Unread(self.position - len(closer), self.position, f"`{closer}` closes nothing"))

    def blanks(self) -> None:
        """Step over blanks, joined lines and comments."""
        text, end = self.text, len(self.text)
        while self.position < end:
            char = text[self.position]
            if char in _BLANK or char == "\r":
                self.position += 1
            elif char == "\\" and text[self.position + 1 : self.position + 2] == "\n":
                self.position += 2
            elif char == "#":
                found = text.find("\n", self.position)
                self.position = end if found < 0 else found
            else:
                return

    def _operator(self) -> str | None:
        """Step over a control operator; None where a word or a redirection stands."""
        char = self.text[self.position]
        if char not in ";&|()\n":
            return None
        two = self.text[self.position : self.position + 2]
        operator = two if two in ("&&", "||", ";;", "|&") else char
        if two == "&>":  # bash: both outputs redirected
            return None
        self.position += len(operator)
        return operator

    def _command(self, after: str) -> None:
        """One simple command, or the opening or closing word of a compound one."""
        start = self.position
        assignments: list[Assignment] = []
        words: list[Argument] = []
        self.targets = []
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text):
                break
            if self._redirection():
                continue
            if self.text[self.position] in ";&|()\n":
                if self.text[self.position] == "(" and self._array(assignments, words):
                    continue
                if self.text[self.position] == "(" and len(words) == 1 and not assignments:
                    self._function(start)
                    return
                break
            begin = self.position
            argument = self.argument()
            if not words:
                assigned = assignment(argument)
                if assigned is not None:
                    assignments.append(assigned)
                    continue
                if not assignments and self._reserved(self.text[begin : self.position], begin):
                    start = self.position
                    if begin + 2 == self.position and self.text[begin] == "[":
                        return
                    continue
            words.append(argument)
        if assignments or words:
            end = words[-1].end if words else assignments[-1].end
            conditional = any(closer != "}" for closer in self.open)
            self.commands.append(Command(tuple(assignments), tuple(words), start, end, after, False, conditional, tuple(self.targets)))

    def _array(self, assignments: list[Assignment], words: list[Argument]) -> bool:
        """Read the `(items)` of an assignment that ends here, of its own or of declare and its kin; False where none does."""
        last = assignments[-1] if assignments and not words else None
        if words and words[0].plain in _DECLARING:
            last = assignment(words[-1])
        if last is None or last.end != self.position or last.value.parts or last.items is not None:
            return False
        items: list[Argument] = []
        self.position += 1
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text) or self.text[self.position] == ")":
                break
            if self.text[self.position] in _OPERATOR:
                self.position += 1
                continue
            items.append(self.argument())
        self.position = min(self.position + 1, len(self.text))
        read = replace(last, end=self.position, items=tuple(items))
        if words:
            assignments.append(read)
        else:
            assignments[-1] = read
        return True

    def _reserved(self, word: str, begin: int) -> bool:
        """Act on a reserved word in the place of a command; False where it is none."""
        if word in _OPENERS:
            self.open.append(_OPENERS[word])
            if _OPENERS[word] == "done":
                self.heads.append([])
        elif word in ("fi", "done", "}"):
            if word == "done" and self.open[-1:] == ["done"]:
                self._loop_ends(begin)
            self._close(word)
        elif word in _BETWEEN or word in ("!", "time"):
            if word == "do" and self.open[-1:] == ["done"] and len(self.heads[-1]) == 3:
                self.heads[-1].append(self.position)
        elif word in ("for", "select"):
            self.unread.append(Unread(begin, self.position, f"the values of a `{word}` loop are not followed"))
            head = self.position
            self._to_line_end()
            self.open.append("done")
            self.heads.append([begin, head, self.position] if word == "for" else [])
        elif word == "case":
            self._step_over("case", "esac")
            self.unread.append(Unread(begin, self.position, "a `case` is not followed"))
        elif word == "function":
            self.blanks()
            self.argument()
            self._function(begin)
        elif word == "[[":
            self._step_over("[[", "]]")
            self.unread.append(Unread(begin, self.position, "a `[[ ]]` is not followed"))
        else:
            return False
        return True

    def _loop_ends(self, done: int) -> None:
        head = self.heads.pop()
        if len(head) == 4:
            start, low, high, body = head
            self.loops.append(Loop(start, (low, high), (body, done), self.position))

    def _to_line_end(self) -> None:
        """Step over words up to the end of this list item."""
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text) or self.text[self.position] in ";&|()\n":
                return
            if not self._redirection():
                self.argument()

    def _step_over(self, opener: str, closer: str) -> None:
        """Step over everything up to the word that closes what `opener` began."""
        depth = 1
        while depth and self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text):
                break
            if self.text[self.position] in _OPERATOR:
                self.position += 1
                continue
            begin = self.position
            self.argument()
            word = self.text[begin : self.position]
            depth += (word == opener) - (word == closer)
        if depth:
            self.unread.append(Unread(self.position, self.position, f"no `{closer}` before the end"))

    def _function(self, start: int) -> None:
        """Step over `()` and a function's body."""
        while self.position < len(self.text) and self.text[self.position] in "() \t\r\n":
            self.position += 1
        if self.text.startswith("{", self.position):
            self.position += 1
            self._step_over("{", "}")
        self.unread.append(Unread(start, self.position, "a function is not followed"))

    def _redirection(self) -> bool:
        """Step over `2>file`, `<file`, `<<END`; False where none stands."""
        text, position = self.text, self.position
        while position < len(text) and is_digits(text[position]):
            position += 1
        if text[position : position + 2] == "&>" and position == self.position:
            position += 1
        if position >= len(text) or text[position] not in "<>":
            return False
        begin = position
        while position < len(text) and text[position] in "<>&|-" and position < begin + 3:
            position += 1
        operator = text[begin:position]
        self.position = position
        while self.position < len(text) and text[self.position] in _BLANK:
            self.position += 1
        target = self.argument() if self.position < len(text) and text[self.position] not in _ENDS_WORD else None
        if target is not None and operator in (">", ">>", ">|"):
            self.targets.append(target)
        if operator in ("<<", "<<-") and target is not None:
            delimiter = text[target.start : target.end].translate({ord(quote): None for quote in "'\"\\"})
            self.here.append((delimiter, operator == "<<-", begin))
        return True

    def _here_documents(self) -> None:
        """Step over the bodies of the here-documents that the line just ended began."""
        for delimiter, strip, begin in self.here:
            while self.position < len(self.text):
                found = self.text.find("\n", self.position)
                line = self.text[self.position : found if found >= 0 else len(self.text)]
                self.position = found + 1 if found >= 0 else len(self.text)
                if (line.lstrip("\t") if strip else line).rstrip("\r") == delimiter:
                    break
            self.unread.append(Unread(begin, self.position, "a here-document is not followed"))
        self.here.clear()

    # ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def argument(self) -> Argument:
        """The word that begins here, before expansion."""
        start = self.position
        parts = self._parts(_ENDS_WORD, False, 0)
        if self.position == start < len(self.text):  # a character nothing else takes; never stand still
            self.position += 1
            parts = (Text(self.text[start], start, self.position),)
        return Argument(parts, start, self.position)

    def _parts(self, ends: frozenset[str], quoted: bool, depth: int) -> tuple[Part, ...]:
        """The parts up to one of the characters `ends`, outside quotes; the reader stops before it."""
        text, end = self.text, len(self.text)
        parts: list[Part] = []
        buffer: list[str] = []
        began = self.position

        def flush() -> None:
            nonlocal began
            if buffer:
                parts.append(Text("".join(buffer), began, self.position, quoted))
                buffer.clear()

        while self.position < end:
            char = text[self.position]
            if char in ends:
                break
            if char == "\\":
                following = text[self.position + 1 : self.position + 2]
                if following == "\n":
                    flush()  # what follows stands in a line of its own
                    self.position += 2
                    continue
                if not buffer:
                    began = self.position
                if quoted and following not in ("$", "`", '"', "\\"):
                    buffer.append("\\")
                    self.position += 1
                    continue
                flush()
                began = self.position
                self.position = min(self.position + 2, end)
                parts.append(Text(following or "\\", began, self.position, True))
                began = self.position
            elif char == "'" and not quoted:
                flush()
                start, close = self.position, text.find("'", self.position + 1)
                if close < 0:
                    self.unread.append(Unread(start, end, "a quote is not closed"))
                    close = end
                self.position = min(close + 1, end)
                parts.append(Text(text[start + 1 : close], start, self.position, True))
                began = self.position
            elif char == '"':
                flush()
                start = self.position
                self.position += 1
                if quoted:  # "${A:-"b"}": quotes inside an operand that is quoted itself
                    continue
                inner = self._parts(frozenset('"'), True, depth)
                if self.position >= end:
                    self.unread.append(Unread(start, end, "a quote is not closed"))
                self.position = min(self.position + 1, end)
                parts.extend(inner or (Text("", start, self.position, True),))
                began = self.position
            elif char in "$`":
                part = self.expansion(quoted, depth, flush)
                if part is None:
                    if not buffer:
                        began = self.position
                    buffer.append(char)
                    self.position += 1
                else:
                    parts.append(part)
                    began = self.position
            else:
                if not buffer:
                    began = self.position
                buffer.append(char)
                self.position += 1
        flush()
        return tuple(parts)

    def expansion(self, quoted: bool, depth: int, flush: Callable[[], None]) -> Part | None:
        """What a `$` or a backquote begins; None where the character stands for itself."""
        text, start = self.text, self.position
        if text[start] == "`":
            flush()
            close = start + 1
            while close < len(text) and text[close] != "`":
                close += 2 if text[close] == "\\" else 1
            self.position = min(close + 1, len(text))
            return Unknown("a command substitution", start, self.position, quoted)
        following = text[start + 1 : start + 2]
        if following == "(":
            flush()
            close = self.matching(start + 1)
            self.position = close
            if text.startswith("((", start + 1) and text.startswith("))", close - 2):
                return Arithmetic(text[start + 3 : close - 2], start, close, quoted)
            return Unknown("a command substitution", start, close, quoted)
        if following == "{":
            flush()
            return self._braced(quoted, depth)
        if following and following in _SPECIAL:
            flush()
            self.position = start + 2
            return Parameter(following, "", (), start, self.position, quoted)
        name = _name(text, start + 1)
        if name:
            flush()
            self.position = start + 1 + len(name)
            return Parameter(name, "", (), start, self.position, quoted)
        if following in ("'", '"') and following and not quoted:
            # bash: $'...' has escapes of its own, $"..." is translated
            flush()
            close = start + 2
            while close < len(text) and text[close] != following:
                close += 2 if text[close] == "\\" else 1
            self.position = min(close + 1, len(text))
            return Unknown("a bash string", start, self.position, True)
        return None

    def _braced(self, quoted: bool, depth: int) -> Part:
        text, start = self.text, self.position
        position = start + 2
        length = text[position : position + 1] == "#" and text[position + 1 : position + 2] != "}"
        if length:
            position += 1
        name = _name(text, position) or text[position : position + 1]
        if is_digits(name):
            while is_digits(text[position + len(name) : position + len(name) + 1]):
                name = text[position : position + len(name) + 1]
        position += len(name)
        whole = text[position : position + 4]
        if not length and whole in ("[@]}", "[*]}"):
            self.position = position + 4
            return Parameter(name, whole[:3], (), start, self.position, quoted)
        if depth >= DEEPEST:
            self.position = self._past_brace(start + 1)
            return Unknown(TOO_DEEP, start, self.position, quoted)
        operator = ""
        for candidate in (":-", ":=", ":+", ":?", "##", "%%", "//", "-", "=", "+", "?", "#", "%", "/", "^^", "^", ",,", ",", ":", "@"):
            if text.startswith(candidate, position):
                operator = candidate
                break
        self.position = position + len(operator)
        operand = self._parts(frozenset("}"), quoted, depth + 1)
        if self.position >= len(text):
            self.unread.append(Unread(start, len(text), "a `${` is not closed"))
        self.position = min(self.position + 1, len(text))
        is_parameter = bool(name) and (name in _SPECIAL or _name(name, 0) == name or is_digits(name))
        if not is_parameter or (operand and not operator):
            return Unknown("not a parameter", start, self.position, quoted)
        return Parameter(name, "length" if length else operator, operand, start, self.position, quoted)

    def _past_brace(self, position: int) -> int:
        """The offset after the brace that closes the one at `position`; quotes and nesting are counted."""
        return self.matching(position, "{", "}")

    def matching(self, position: int, opener: str = "(", closer: str = ")") -> int:
        """The offset after what closes the bracket at `position`, quotes stepped over; the text's end where nothing does."""
        text, end = self.text, len(self.text)
        around: list[str] = []
        while position < end:
            char = text[position]
            in_quotes = bool(around) and around[-1] == '"'
            if char == "\\":
                position += 2
                continue
            if char == "'" and not in_quotes:
                found = text.find("'", position + 1)
                position = end if found < 0 else found + 1
                continue
            if char == '"':
                if in_quotes:
                    around.pop()
                else:
                    around.append('"')
            elif char == opener and (not in_quotes or text[position - 1] == "$"):
                around.append(opener)
            elif char == closer and around and around[-1] == opener:
                around.pop()
                if not around:
                    return position + 1
            position += 1
        self.unread.append(Unread(min(position, end), end, f"no `{closer}` before the end"))
        return end


def _name(text: str, position: int) -> str:
    """The variable name that stands at `position`, "" for none (POSIX XBD 3.230)."""
    found = _NAME.match(text, position)
    return found[0] if found else ""


def assignment(argument: Argument) -> Assignment | None:
    """The word as `name=value`; None where it is none."""
    if not argument.parts or not isinstance(first := argument.parts[0], Text) or first.quoted:
        return None
    name, equals, rest = first.text.partition("=")
    appends = name.endswith("+")
    name = name.removesuffix("+")
    if not equals or _name(name, 0) != name or not name:
        return None
    start = first.start + len(name) + 1 + appends
    remainder: tuple[Part, ...] = (Text(rest, start, first.end),) if rest else ()
    return Assignment(name, Argument((*remainder, *argument.parts[1:]), start, argument.end), argument.start, argument.end, appends)


# ── arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────────────

_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<=", ">=", "<", ">"), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
_TOKENS = ("||", "&&", "==", "!=", "<=", ">=", "<<", ">>", *"|^&<>+-*/%()~!")


def arithmetic(expression: str, value: Callable[[str], str | None]) -> int | None:
    """The value of what stands in `$(( ))`, 64 bits wide; None where a variable is unknown or the expression is not one that is read.

    `value` gives a variable's text ("" where unset), None where nobody knows it.
    """
    tokens = list(_tokens(expression, value))
    if None in tokens or len(tokens) > 1000:
        return None
    known = [token for token in tokens if token is not None]
    try:
        result, rest = _level(known, 0, 0, 0)
    except (ValueError, IndexError, ZeroDivisionError):
        return None
    return _wrapped(result) if rest == len(known) else None


def _tokens(expression: str, value: Callable[[str], str | None]) -> Iterator[str | int | None]:
    position = 0
    while position < len(expression):
        char = expression[position]
        if char.isspace():
            position += 1
            continue
        if char == "$":
            position += 1
            if expression[position : position + 1] == "{" and (close := expression.find("}", position)) > 0:
                name = expression[position + 1 : close]
                position = close + 1
            else:
                name = _name(expression, position)
                position += len(name)
            yield _number(value(name)) if name and _name(name, 0) == name else None
        elif name := _name(expression, position):
            position += len(name)
            yield _number(value(name))
        elif is_digits(char):
            end = position
            while end < len(expression) and expression[end].isalnum():
                end += 1
            yield _number(expression[position:end])
            position = end
        else:
            token = next((each for each in _TOKENS if expression.startswith(each, position)), None)
            yield token
            position += len(token) if token else 1


def _number(text: str | None) -> int | None:
    """A C constant; an unset or empty variable is 0."""
    if text is None or len(text) > 20:
        return None
    text = text.strip()
    sign = text[:1] if text[:1] in ("-", "+") else ""
    number = c_number(text.removeprefix(sign)) if text else 0
    return -number if number is not None and sign == "-" else number


def _wrapped(number: int) -> int:
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _level(tokens: list[str | int], position: int, level: int, depth: int) -> tuple[int, int]:
    """The operators of one level of precedence, left to right, and where they end."""
    if level == len(_LEVELS):
        return _unary(tokens, position, depth)
    left, position = _level(tokens, position, level + 1, depth)
    while position < len(tokens) and tokens[position] in _LEVELS[level]:
        operator = tokens[position]
        right, position = _level(tokens, position + 1, level + 1, depth)
        left = _wrapped(_applied(str(operator), left, right))
    return left, position


def _unary(tokens: list[str | int], position: int, depth: int) -> tuple[int, int]:
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    token = tokens[position]
    if isinstance(token, int):
        return token, position + 1
    if token == "(":  # noqa: S105  a token of the expression
        inner, position = _level(tokens, position + 1, 0, depth + 1)
        if tokens[position] != ")":
            raise ValueError("a parenthesis is not closed")
        return inner, position + 1
    if token in ("-", "+", "~", "!"):
        inner, position = _unary(tokens, position + 1, depth + 1)
        return {"-": -inner, "+": inner, "~": ~inner, "!": int(not inner)}[token], position
    raise ValueError(f"not an operand: {token}")


def _applied(operator: str, left: int, right: int) -> int:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" | "%":
            # C truncates towards zero
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return quotient if operator == "/" else left - quotient * right
        case "<<" | ">>":
            return left << (right & 63) if operator == "<<" else left >> (right & 63)
        case "|":
            return left | right
        case "^":
            return left ^ right
        case "&":
            return left & right
        case "||" | "&&":
            return int(bool(left) or bool(right)) if operator == "||" else int(bool(left) and bool(right))
        case "==" | "!=":
            return int((left == right) == (operator == "=="))
        case "<" | ">=":
            return int((left < right) == (operator == "<"))
        case _:
            return int((left > right) == (operator == ">"))
