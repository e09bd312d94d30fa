"""sh(1) text as a tree: lists, pipelines, `if`, loops, `case`, functions, and here-documents with their bodies."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.formats.shell import Argument, Assignment, Part, Reader, Text, assignment
from portwright.numbers import decimal

DEEPEST = 40
"""Compound commands inside one another that are followed."""

_OPERATOR = lazy_regex(r"([0-9]{0,3})(<<<|<<-|<<|<&|<>|<|>>|>\||>&|>|&>>|&>)")
_SPECIAL = lazy_regex(r"[$`\\]")
_SEPARATORS = frozenset((";", "\n", "&"))
_ENDS_ARM = (";;&", ";;", ";&")
_CLOSING = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}"))


@dataclass(frozen=True, slots=True)
class Redirect:
    """`2>file`, or a here-document, whose body is `bodies[body]` of the tree. `descriptor` is -1 for both outputs (`&>`)."""

    descriptor: int
    operator: str
    target: Argument
    body: int = -1


@dataclass(frozen=True, slots=True)
class Body:
    """The lines of a here-document: offsets into the text, and what its delimiter says about them."""

    start: int
    end: int
    literal: bool
    tabs: bool


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command."""

    assignments: tuple[Assignment, ...]
    words: tuple[Argument, ...]
    redirects: tuple[Redirect, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A list of commands inside a compound one; `kind` is *test*, *then*, *else*, *arm* or *body*."""

    kind: str
    steps: "tuple[Step, ...]"


@dataclass(frozen=True, slots=True)
class Compound:
    """A compound command; `kind` is *group*, *subshell*, *if*, *while*, *for*, *case* or *function*.

    `name` is the variable of a `for` loop and a function's own; `words` what the loop goes through or what `case` looks at, None for a
    loop through the arguments.
    """

    kind: str
    name: str
    words: tuple[Argument, ...] | None
    branches: tuple[Branch, ...]
    redirects: tuple[Redirect, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a list, and the operator before it: "", "&&", "||" or "|"."""

    command: Simple | Compound
    after: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole script. `broken` says that some construct of it had no end, or was nested too deep."""

    steps: tuple[Step, ...]
    bodies: tuple[Body, ...]
    broken: bool


def parse(text: str) -> Tree:
    """Read shell text (POSIX XCU 2, and what bash adds); linear in its length."""
    reader = _Trees(text)
    steps: list[Step] = []
    while reader.position < len(text):
        steps += reader.steps(())
        if reader.position < len(text):
            reader.broken = True  # what closes nothing
            reader.word_or_sign()
    bodies = tuple(body or Body(len(text), len(text), True, False) for body in reader.bodies)
    return Tree(tuple(steps), bodies, reader.broken or bool(reader.unread))


def here_document(text: str) -> tuple[Part, ...]:
    """The parts of a here-document's body whose delimiter is not quoted: parameters, and the text between them."""
    return _Trees(text).body_parts()


class _Trees(Reader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.bodies: list[Body | None] = []
        self.waiting: list[tuple[int, str, bool, bool]] = []
        self.broken = False
        self.depth = 0

    # ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def steps(self, closers: tuple[str, ...]) -> list[Step]:
        """The commands up to one of the closing words (or signs), before which reading stops; to the text's end without one."""
        found: list[Step] = []
        after = ""
        while True:
            self.blanks()
            if self.position >= len(self.text):
                self.broken = self.broken or bool(closers)
                return found
            text, position = self.text, self.position
            char = text[position]
            if char == ")" or text.startswith(_ENDS_ARM, position):
                return found
            if text.startswith(("&&", "||"), position):
                after = text[position : position + 2]
                self.position += 2
            elif char == "|":
                after = "|"
                self.position += 2 if text.startswith("|&", position) else 1
            elif char in _SEPARATORS and not text.startswith("&>", position):
                self.position += 1
                if char == "\n":
                    self._bodies_begin()
                if char != "\n" or not after:
                    after = ""
            else:
                if self._peek() in _CLOSING:
                    return found
                command = self._any()
                if command is not None:
                    found.append(Step(command, after))
                after = ""

    def word_or_sign(self) -> None:
        """Step over one word, or one sign that is none."""
        if self.text[self.position] in ";&|()<>\n":
            self.position += 1
        else:
            self.argument()

    def _peek(self) -> str:
        """The word that begins here, if it could be a reserved one."""
        end = self.position
        while end < len(self.text) and end - self.position < 9 and self.text[end] not in " \t\r\n;&|()<>":
            end += 1
        return self.text[self.position : end]

    def _expect(self, *words: str) -> bool:
        """Step over one of these words; False, and nothing is stepped over, where something else stands."""
        self.blanks()
        word = self._peek()
        if word not in words:
            self.broken = True
            return False
        self.position += len(word)
        return True

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _any(self) -> Simple | Compound | None:
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                self.broken = True
                return self._simple()
            return self._compound() or self._simple()
        finally:
            self.depth -= 1

    def _compound(self) -> Compound | None:
        word = self._peek()
        while word in ("!", "time", "coproc"):
            self.position += len(word)
            self.blanks()
            word = self._peek()
        start = self.position
        if start >= len(self.text):
            return None
        if self.text.startswith("((", start):
            self.position = self.matching(start)
            return Compound("group", "", None, (), self._redirects(), start, self.position)
        if self.text[start] == "(":
            self.position += 1
            inside = self.steps((")",))
            self._sign(")")
            return self._done("subshell", "", None, [Branch("body", tuple(inside))], start)
        if word == "{":
            self.position += 1
            inside = self.steps(("}",))
            self._expect("}")
            return self._done("group", "", None, [Branch("body", tuple(inside))], start)
        if word == "if":
            return self._if(start)
        if word in ("while", "until"):
            self.position += len(word)
            test = self.steps(("do",))
            self._expect("do")
            body = self.steps(("done",))
            self._expect("done")
            return self._done("while", "", None, [Branch("test", tuple(test)), Branch("body", tuple(body))], start)
        if word in ("for", "select"):
            return self._for(start, word)
        if word == "case":
            return self._case(start)
        if word == "function":
            self.position += len(word)
            self.blanks()
            begin = self.position
            if begin < len(self.text) and self.text[begin] not in ";&|()<>\n":
                self.argument()
            return self._define(self.text[begin : self.position], start)
        return None

    def _sign(self, sign: str) -> None:
        self.blanks()
        if self.text.startswith(sign, self.position):
            self.position += len(sign)
        else:
            self.broken = True

    def _done(self, kind: str, name: str, words: tuple[Argument, ...] | None, branches: list[Branch], start: int) -> Compound:
        return Compound(kind, name, words, tuple(branches), self._redirects(), start, self.position)

    def _if(self, start: int) -> Compound:
        self.position += 2
        branches = [Branch("test", tuple(self.steps(("then",))))]
        while self._expect("then"):
            branches.append(Branch("then", tuple(self.steps(("elif", "else", "fi")))))
            self.blanks()
            if self._peek() == "elif":
                self.position += 4
                branches.append(Branch("test", tuple(self.steps(("then",)))))
                continue
            if self._peek() == "else":
                self.position += 4
                branches.append(Branch("else", tuple(self.steps(("fi",)))))
            self._expect("fi")
            break
        return self._done("if", "", None, branches, start)

    def _for(self, start: int, word: str) -> Compound:
        self.position += len(word)
        self.blanks()
        name, words = "", None
        if self.text.startswith("((", self.position):
            self.position = self.matching(self.position)
        else:
            begin = self.position
            if self.position < len(self.text) and self.text[self.position] not in ";&|()<>\n":
                self.argument()
            name = self.text[begin : self.position]
            self._lines()
            if self._peek() == "in":
                self.position += 2
                words = tuple(self._words())
        self._lines()
        if self._peek() == "{":
            self.position += 1
            body = self.steps(("}",))
            self._expect("}")
        else:
            self._expect("do")
            body = self.steps(("done",))
            self._expect("done")
        return self._done("for", name, words, [Branch("body", tuple(body))], start)

    def _lines(self) -> None:
        """Step over blanks and separators of commands."""
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text) or self.text[self.position] not in ";\n" or self.text.startswith(";;", self.position):
                return
            self.position += 1
            if self.text[self.position - 1] == "\n":
                self._bodies_begin()

    def _words(self) -> list[Argument]:
        """The words up to the end of this command."""
        found: list[Argument] = []
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text) or self.text[self.position] in ";&|()\n":
                return found
            if self._redirect() is None:
                found.append(self.argument())
        return found

    def _case(self, start: int) -> Compound:
        self.position += 4
        self.blanks()
        subject = (self.argument(),) if self.position < len(self.text) and self.text[self.position] not in ";&|()<>\n" else ()
        self._lines()
        arms: list[Branch] = []
        if self._expect("in"):
            while self.position < len(self.text):
                self._lines()
                if self.position >= len(self.text) or self._peek() == "esac":
                    break
                if self.text[self.position] == "(":
                    self.position += 1
                while self.position < len(self.text) and self.text[self.position] not in ")\n":
                    self.blanks()
                    if self.position < len(self.text) and self.text[self.position] not in ")\n":
                        self.word_or_sign()
                self._sign(")")
                arms.append(Branch("arm", tuple(self.steps((";;",)))))
                self.blanks()
                ending = next((each for each in _ENDS_ARM if self.text.startswith(each, self.position)), "")
                self.position += len(ending)
                if not ending and self._peek() != "esac":
                    self.broken = True
                    if self.position < len(self.text):
                        self.word_or_sign()
            self._expect("esac")
        return self._done("case", "", subject, arms, start)

    def _define(self, name: str, start: int) -> Compound:
        self.blanks()
        if self.text.startswith("(", self.position):
            self.position += 1
            self._sign(")")
        self._lines()
        body = self._any() if self.position < len(self.text) and self.text[self.position] not in ")&|" else None
        inside = () if body is None else (Step(body),)
        return Compound("function", name, None, (Branch("body", inside),), (), start, self.position)

    def _simple(self) -> Simple | Compound | None:
        start = self.position
        assignments: list[Assignment] = []
        words: list[Argument] = []
        redirects: list[Redirect] = []
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text):
                break
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            char = self.text[self.position]
            if char == "(" and self._array(assignments, words):
                continue
            if char == "(" and len(words) == 1 and not assignments and not redirects and self.depth <= DEEPEST:
                return self._define(self.text[words[0].start : words[0].end], start)
            if char in ";&|()\n":
                break
            if not words and not assignments and self._peek() == "[[":
                self._brackets()
                continue
            argument = self.argument()
            assigned = assignment(argument) if not words else None
            if assigned is not None:
                assignments.append(assigned)
            else:
                words.append(argument)
        if self.position == start:
            self.position += 1  # a sign that nothing takes; never stand still
            self.broken = True
            return None
        return Simple(tuple(assignments), tuple(words), tuple(redirects), start, self.position)

    def _brackets(self) -> None:
        """Step over `[[ ... ]]`, whose signs are none of commands."""
        while self.position < len(self.text):
            self.blanks()
            if self.position >= len(self.text):
                break
            if self._peek() == "]]":
                self.position += 2
                return
            self.word_or_sign()
        self.broken = True

    # ── redirections ────────────────────────────────────────────────────────────────────────────────────────────────

    def _redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while self.position < len(self.text):
            self.blanks()
            redirect = self._redirect() if self.position < len(self.text) else None
            if redirect is None:
                break
            found.append(redirect)
        return tuple(found)

    def _redirect(self) -> Redirect | None:
        """Step over `2>file`, `<file`, `<<END`; None where none stands."""
        found = _OPERATOR.match(self.text, self.position)
        if found is None:
            return None
        number, operator = found.groups()
        if self.text.startswith("(", found.end()):
            return None  # a process in the place of a file
        self.position = found.end()
        self.blanks()
        if self.position >= len(self.text) or self.text[self.position] in ";&|()<>\n":
            self.broken = True
            return Redirect(0, operator, Argument((), self.position, self.position))
        target = self.argument()
        descriptor = decimal(number) or 0 if number else -1 if operator in ("&>", "&>>") else 0 if operator.startswith("<") else 1
        if operator not in ("<<", "<<-"):
            return Redirect(descriptor, operator, target)
        written = self.text[target.start : target.end]
        delimiter = written.translate({ord(quote): None for quote in "'\"\\"})
        self.waiting.append((len(self.bodies), delimiter, delimiter != written, operator == "<<-"))
        self.bodies.append(None)
        return Redirect(descriptor, operator, target, len(self.bodies) - 1)

    def _bodies_begin(self) -> None:
        """Step over the bodies of the here-documents that the line just ended began."""
        waiting, self.waiting = self.waiting, []
        for number, delimiter, literal, tabs in waiting:
            start = end = self.position
            while True:
                if self.position >= len(self.text):
                    self.broken = True
                    break
                found = self.text.find("\n", self.position)
                line = self.text[self.position : found if found >= 0 else len(self.text)]
                self.position = found + 1 if found >= 0 else len(self.text)
                if (line.lstrip("\t") if tabs else line).rstrip("\r") == delimiter:
                    break
                end = self.position
            self.bodies[number] = Body(start, end, literal, tabs)

    def body_parts(self) -> tuple[Part, ...]:
        """All of the text as a here-document's body, in which quotes stand for themselves."""
        found: list[Part] = []
        began = 0

        def flush() -> None:
            if began < self.position:
                found.append(Text(self.text[began : self.position], began, self.position, True))

        while (special := _SPECIAL.search(self.text, self.position)) is not None:
            self.position = special.start()
            if special[0] != "\\":
                part = self.expansion(True, 0, flush)
                if part is None:
                    self.position += 1
                    flush()
                else:
                    found.append(part)
            else:
                flush()
                escaped = self.text[self.position + 1 : self.position + 2]
                kept = "" if escaped == "\n" else escaped if escaped in ("$", "`", "\\") else f"\\{escaped}"
                self.position = min(self.position + 2, len(self.text))
                if kept:
                    found.append(Text(kept, self.position - len(kept), self.position, True))
            began = self.position
        self.position = len(self.text)
        flush()
        return tuple(found)
