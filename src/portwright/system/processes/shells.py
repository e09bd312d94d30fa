"""`sh -c` text and `#!/bin/sh` scripts become the commands they end in: variables, `exec`, `.`, `set --`, tests that files decide."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.facts import Confidence, weakest
from portwright.formats import shell
from portwright.numbers import decimal, is_digits, signed
from portwright.source import Source, Span, Word
from portwright.system.host_files.accounts import account, is_unknown, is_unknown_group
from portwright.system.processes.process import MOST_STEPS, Process, is_name
from portwright.system.processes.programs import SHELLS, is_shell_script, script_head
from portwright.system.spanned_text import UNKNOWN, Piece, SpannedText, SpannedTextBuilder, SpannedTextView
from portwright.trees import Files
from portwright.trees.budget import COST_OF_A_WORD

_DEEPEST = 16
_CHARACTERS_A_STEP = 50
_CHARACTERS_OF_A_LOOP = 16  # the text of a loop is parsed once more for each word
_MOST_PIECES = 1000
_MOST_WORDS = 1000
_MOST_PASSED = 256
_MOST_ALIKE = 8
_MOST_NUMBERS = 64
_LONGEST_VALUE = 1 << 16
_WORD_OR_BLANKS = lazy_regex(r"([^ \t\n]+)|[ \t\n]+")  # IFS as it is set when a shell starts
_SHORT = 200  # characters of a value that a step pays for
_STRUCTURE = frozenset(("if", "then", "elif", "else", "fi", "while", "until", "for", "select", "do", "done", "{", "}", "(", ")", "!"))
_QUIET = frozenset(
    (
        "echo", "printf", "umask", "ulimit", "trap", "wait", "sleep", "hash", "alias", "unalias", "shopt", "pwd", "let", "kill", "times",
        "bg", "fg", "jobs", "disown", "dirs", "pushd", "popd", "help", "history", "logout", "suspend", "mapfile", "readarray",
    )
)  # fmt: skip
_ASKING = frozenset(("grep", "egrep", "fgrep", "which", "type", "id", "pgrep", "pidof", "getent", "cmp", "diff", "[["))
# Commands that print what their words or the host's files say.
_PRINTS = lazy_regex(r"^\s*(?:/usr)?(?:/bin/)?(?:seq|echo|basename|dirname|ls|cd)\s")
# What scripts of init.d source, which sets no variables of interest, and a copied tree seldom has.
_LIBRARIES = ("/lib/lsb/", "/usr/lib/lsb/", "/lib/init/", "/usr/lib/init/", "/usr/share/debconf/")
_OF_LIBRARIES = {"init_is_upstart": False, "status_of_proc": None, "pidofproc": None, "killproc": True}
# lsb/init-functions and Red Hat's /etc/init.d/functions: they start what follows their options.
_STARTERS = frozenset(("start_daemon", "daemon"))
_CERTAIN_PLACES = ("/etc/", "/usr/lib/systemd/", "/run/systemd/")

Watch = Callable[[list[SpannedText], list[SpannedText], Span, bool], None]
"""Is told each command that is run: its words, the files its output goes to, its place, and whether it surely runs."""


def run(process: Process, files: Files, watch: Watch | None = None) -> tuple[Process, ...]:
    """What a shell started so executes in the end; the process itself where it is no shell, or nobody can tell."""
    name = process.program.rpartition("/")[2]
    if name in SHELLS:
        return _shell(process, process.argv[1:], files, watch)
    script = is_shell_script(process.program, files)
    if script is None:
        return (process,)
    return _script(process, process.program, process.argv[1:], files, watch)


def _shell(process: Process, arguments: tuple[SpannedText, ...], files: Files, watch: Watch | None) -> tuple[Process, ...]:
    """`sh [options] -c text [name [argument ...]]` or `sh [options] script [argument ...]` (sh(1))."""
    text_follows = False
    position = 0
    while position < len(arguments):
        word = arguments[position].text
        if word in ("--", "-"):
            position += 1
            break
        if word.startswith("--"):
            position += 1 + (word in ("--rcfile", "--init-file"))
            continue
        if len(word) < 2 or word[0] not in "-+":
            break
        text_follows = text_follows or (word[0] == "-" and "c" in word)
        position += 1 + ("o" in word or "O" in word)
    rest = arguments[position:]
    if not rest:
        return (process,)
    if text_follows:
        begin = Run(process, files, rest[1].text if len(rest) > 1 else process.argv[0].text, rest[2:], watch)
        begin.read(_Text(SpannedTextView(rest[0]), rest[0].text))
        return begin.result(process)
    path = rest[0].text if "/" in rest[0].text else f"{process.directory.rstrip('/')}/{rest[0].text}"
    return _script(process, path, rest[1:], files, watch)


def _script(
    process: Process, path: str, arguments: tuple[SpannedText, ...], files: Files, watch: Watch | None = None
) -> tuple[Process, ...]:
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None:
        return (process,)
    begin = Run(process, files, path, arguments, watch)
    begin.read(_Text(source, source.text))
    return begin.result(process)


@dataclass(frozen=True)
class _Text:
    """Shell text and where it came from: it begins at `offset` there."""

    origin: SpannedTextView | Source
    text: str
    offset: int = 0

    def cut(self, start: int, end: int) -> tuple[Piece, ...]:
        if isinstance(self.origin, SpannedTextView):
            return self.origin.cut(self.offset + start, self.offset + end)
        at = self.span(start, end)
        return (Piece(self.text[start:end], at, at.line == at.end_line),) if start < end else ()

    def span(self, start: int, end: int) -> Span:
        return self.origin.span(self.offset + start, self.offset + end)


def text_at(text: _Text, start: int, end: int) -> _Text:
    """A part of a text, as a text of its own."""
    return _Text(text.origin, text.text[start:end], text.offset + start)


def _parsed(text: _Text, files: Files) -> shell.Script | None:
    """A text as the shell reads it, the file of many units parsed once; None where the host has had its share."""
    known = files.once(_scripts)
    if text.text not in known:
        whole = len(text.text)
        known[text.text] = shell.parse(text.text) if files.work(whole // _CHARACTERS_A_STEP, lambda: text.span(0, 0), "a script") else None
    return known[text.text]


def _scripts(files: Files) -> dict[str, shell.Script | None]:
    """The scripts that were parsed, by their text."""
    return {}


@dataclass
class _Level:
    """An `if`, a loop or a group around the commands: does its body run, and has a branch before run already."""

    runs: bool | None = True
    done: bool | None = False
    around: bool | None = True
    """Whether what stands around it runs."""


class Run:
    """One shell: its variables and arguments, what it has executed so far, and how sure that is.

    Truth has three values: a test that the files do not decide is None, and what hangs on it is only possible.
    """

    def __init__(self, process: Process, files: Files, name: str, arguments: tuple[SpannedText, ...], watch: Watch | None = None) -> None:
        self.process = process
        self.watch = watch
        self.files = files
        self.variables = {key: SpannedText.of(word) for key, word in process.environment.items()}
        self.exported = set(process.environment)
        self.arrays: dict[str, tuple[SpannedText, ...] | None] = {}
        """The arrays of bash, None for one whose items nobody knows."""
        self.name = name
        self.arguments = arguments
        self.directory = process.directory
        self.confidence: Confidence = process.confidence
        self.found: list[Process] = []
        self.last: list[Process] = []
        self.passed: list[Process] = []
        """What ended before the script went on, or went to the background by itself."""
        self.feeding: list[Process] = []
        self.functions: dict[str, tuple[_Text, int, int]] = {}
        self.over = False
        self.returned = False
        self.unanswered = False
        """Whether the function that is called may have returned with another status than its last command's."""
        self.broken: bool | None = False
        """Whether a `break` ended the loop that is walked."""
        self.continued = False
        self.unfollowed = False
        self.status: bool | None = True
        self.steps = process.steps
        self.depth = 0
        self.exports_all = False
        self.runs: bool | None = True
        """Whether the command that is being read runs at all."""

    def result(self, process: Process) -> tuple[Process, ...]:
        """What runs in the end: what was put in the background, and the last command; the shell itself where none is known."""
        ends = list(self.found)
        if not self.over and self.confidence == process.confidence:
            # What merely comes last in a script that was not wholly followed may be anything.
            ends += self.last
        if not ends:
            ends.append(replace(process, confidence=weakest(process.confidence, "likely")))
        counted = {id(each.argv) for each in ends}
        passed = [each for each in self.passed if id(each.argv) not in counted]
        steps = max(self.steps, 0)
        return (
            *(replace(each, steps=steps // len(ends)) for each in ends),
            *(replace(each, steps=steps // len(passed), passing=True) for each in passed),
        )

    def source(self, path: str) -> None:
        """Run the text of a file in this shell."""
        text = self.files.read(path)
        if text is not None:
            self.read(_Text(text, text.text))
            self.returned = False

    def call(self, text: str, at: Span) -> None:
        """Run text that somebody else than the host's files has written."""
        self.read(_Text(SpannedTextView(SpannedText.of(Word(text, at))), text))

    # ── structure ───────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, text: _Text) -> None:
        """Run a whole text."""
        if self.depth >= _DEEPEST:
            self.files.report_limit(text.span(0, 0), _DEEPEST, "scripts inside one another")
            return
        self.depth += 1
        self.steps -= len(text.text) // _CHARACTERS_A_STEP
        if self.steps <= 0:
            self._give_up(text.span(0, 0))
        elif (script := _parsed(text, self.files)) is not None:
            self._script(text, script)
        self.depth -= 1

    def _give_up(self, at: Span) -> None:
        self.files.report_limit(at, MOST_STEPS, "steps of what one command starts")

    def _script(self, text: _Text, script: shell.Script) -> None:
        unread = sorted(script.unread, key=lambda each: each.start)
        for each in unread:
            self._keep_function(text, each)
        loops = {each.start: each for each in script.loops}
        levels: list[_Level] = []
        position = 0
        for index, command in enumerate((*script.commands, None)):
            if command is not None and command.start < position:
                continue  # it stands in a loop that was walked
            negate = False
            end = command.start if command else len(text.text)
            gap = _gap(text.text, position, end, unread)
            while (found := next(gap, None)) is not None:
                negate = found == "!"
                if isinstance(found, str):
                    self._structure(found, levels)
                elif found.start in loops and self._walked(text, loops[found.start], levels):
                    position = loops[found.start].end
                    gap = _gap(text.text, position, end, unread) if position < end else iter(())
                else:
                    self._stepped_over(text, found, levels)
                if self._ended():
                    return
            if command is not None and command.start < position:
                continue
            self.steps -= 1
            if command is None:
                return
            if self.steps < 0:
                self._give_up(text.span(command.start, command.end))
                return
            if not self.files.work(1, lambda at=command: text.span(at.start, at.end), "the rest of a script"):  # type: ignore[misc]
                self.over = True
                return
            position = command.end
            runs = _running(levels)
            if command.after in ("&&", "||"):
                runs = _all((runs, self.status if command.after == "&&" else _not(self.status)))
            if runs is not False:
                following = script.commands[index + 1] if index + 1 < len(script.commands) else None
                piped = following is not None and following.after.startswith("|") and following.after != "||"
                self._command(text, command, runs, negate, piped)
            if self._ended():
                return

    def _structure(self, word: str, levels: list[_Level]) -> None:
        """Follow a reserved word."""
        if word in ("if", "while", "until", "{", "("):
            levels.append(_Level(around=_running(levels)))
        elif word == "then" and levels:
            levels[-1].runs = _all((_not(levels[-1].done), self.status))
        elif word in ("elif", "else") and levels:
            level = levels[-1]
            level.done = _any((level.done, level.runs))
            level.runs = _not(level.done)
        elif word == "do" and levels:
            levels[-1].runs = None
        elif word in ("fi", "done", "}", ")") and levels:
            levels.pop()
            self.status = True

    def _stepped_over(self, text: _Text, unread: shell.Unread, levels: list[_Level]) -> None:
        """What the reader of shell text leaves to whoever knows values: loops' heads, `case`, `[[ ]]`."""
        if "loop" in unread.reason:
            self._loop(text, unread.end, _running(levels))
            levels.append(_Level(runs=None, around=_running(levels)))
        elif "`case`" in unread.reason:
            runs = _running(levels)
            if runs is not False:
                self._case(text, unread.start, unread.end, runs)
        elif "`[[ ]]`" in unread.reason:
            inner = shell.parse(text.text[unread.start + 2 : unread.end - 2])
            self.status = None
            if len(inner.commands) == 1 and not inner.unread:
                inside = text_at(text, unread.start + 2, unread.end - 2)
                self.status = self._test([self._value(inside, word).text for word in inner.commands[0].words], False)

    def _walked(self, text: _Text, loop: shell.Loop, levels: list[_Level]) -> bool:
        """Run a `for` loop word by word; False where none of its words is known, and nothing was run."""
        runs = _running(levels)
        if runs is False:
            return True
        fields = self._head(text_at(text, *loop.head))
        name, values = (fields[0].text, fields[2:]) if fields else ("", [])
        if len(fields) == 1:
            values = list(self.arguments)
        if not is_name(name) or (len(fields) > 1 and fields[1].text != "in") or not values:
            return False
        values = self._globbed(values)
        if values and not any(each.known for each in values):
            return False
        if len(values) * (len(text.text[loop.body[0] : loop.body[1]]) // _CHARACTERS_OF_A_LOOP + 1) > self.steps:
            return False
        body = text_at(text, *loop.body)
        before = self.variables.get(name)
        sure = runs is True
        for value in values:
            self._set(name, value, True)
            broken = self._once(body, runs)
            if self.over or self.returned or broken:
                break
            runs = None if broken is None else runs
            sure = sure and runs is True
        if not sure and (before is not None or len(values) > 1):
            # Where it may have ended at one word or at another, the variable holds either.
            self.variables[name] = _unknown(body.span(0, 0))
        return True

    def _once(self, body: _Text, runs: bool | None) -> bool | None:
        """Run the body of a loop once; the answer is whether it broke out of the loop."""
        self.steps -= len(body.text) // _CHARACTERS_OF_A_LOOP
        outer, self.broken = self.broken, False
        self._inside(body, runs)
        broken, self.broken, self.continued = self.broken, outer, False
        return broken

    def _ended(self) -> bool:
        """Whether nothing that follows in this text is run."""
        return self.over or self.returned or self.continued or self.broken is True

    def _head(self, head: _Text) -> list[SpannedText]:
        """The words of a loop's head: the name, `in`, and what it stands for one after the other."""
        parsed = shell.parse(head.text).commands
        return self._fields(head, parsed[0].words) if len(parsed) == 1 else []

    def _globbed(self, values: list[SpannedText]) -> list[SpannedText]:
        """Each value; of a pattern the paths that are there: in /etc that is all there are, elsewhere none may be in the copy."""
        from portwright.trees.glob import TooMany, expand, is_pattern

        found: list[SpannedText] = []
        for value in [each for one in values for each in self._braces(one)]:
            if not is_pattern(value.text) or UNKNOWN in value.text:
                found.append(value)
                continue
            path = self._here(value.text)
            try:
                paths = sorted(expand(path, self.files, tells=False))
            except TooMany:
                paths = []
            if paths or not path.startswith(_CERTAIN_PLACES):
                found += (SpannedText((Piece(each, value.at),), value.at) for each in paths)
                found += () if paths else (_unknown(value.at),)
        return found

    def _braces(self, value: SpannedText) -> Iterable[SpannedText]:
        """bash: `{1..4}` stands for four words; to another shell it is one."""
        low, dots, high = value.text.removeprefix("{").removesuffix("}").partition("..")
        first, last = signed(low), signed(high)
        if not dots or first is None or last is None or value.text != f"{{{low}..{high}}}" or not self._is_bash():
            return (value,)
        step = 1 if last >= first else -1
        if abs(last - first) >= _MOST_NUMBERS:
            return (_unknown(value.at),)
        return (SpannedText((Piece(str(each), value.at),), value.at) for each in range(first, last + step, step))

    def _is_bash(self) -> bool:
        """Whether the shell is bash, by its name or the script's first line."""
        head = script_head(self.name, self.files) if self.name.startswith("/") else None
        return any(each.endswith("bash") for each in (self.process.program, *(head or ())))

    def _loop(self, text: _Text, start: int, runs: bool | None) -> None:
        """`for name in word ...`: the name stands for the only word, and for nothing that is known where there are more."""
        ends = [at for at in (text.text.find(mark, start) for mark in ";\n") if at >= 0]
        inner = text_at(text, start, min(ends, default=len(text.text)))
        parsed = shell.parse(inner.text).commands if runs is not False else ()
        fields = self._fields(inner, parsed[0].words) if parsed else []
        if fields and is_name(fields[0].text):
            values = fields[2:]
            self.variables[fields[0].text] = values[0] if len(values) == 1 and values[0].known else _unknown(inner.span(0, len(inner.text)))

    def _case(self, text: _Text, start: int, end: int, runs: bool | None) -> None:
        """`case word in pattern) commands ;; ... esac`, one deep; of patterns that nobody can match all are possible."""
        written = text.text[start:end]
        head, marker, clauses = written.partition(" in")
        if not marker or "case " in clauses or "\n" in head or not clauses[:1].isspace():
            self.confidence = weakest(self.confidence, "likely")
            return
        parsed = shell.parse(written[: len(head)].replace("case", "    ", 1)).commands
        word = self._value(text_at(text, start, start + len(head)), parsed[0].words[0]) if parsed and parsed[0].words else None
        position = start + len(head) + len(marker)
        for clause in clauses.split(";;"):
            patterns, closed, body = clause.partition(")")
            begin = position + len(patterns) + 1
            position += len(clause) + 2
            if not closed:
                continue
            matches = _matches(word, patterns.strip().removeprefix("("))
            if matches is False:
                continue
            self._inside(text_at(text, begin, begin + len(body)), _all((runs, matches)))
            if matches or self.over:
                return

    def _keep_function(self, text: _Text, unread: shell.Unread) -> None:
        written = text.text[unread.start : unread.end]
        if "function" not in unread.reason:
            return
        name = written.removeprefix("function").strip().partition("(")[0].partition("{")[0].strip()
        opens, closes = written.find("{"), written.rfind("}")
        if 0 <= opens < closes:
            self.functions[name] = (text, unread.start + opens + 1, unread.start + closes)

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _command(self, text: _Text, command: shell.Command, runs: bool | None, negate: bool, piped: bool) -> None:
        self.runs = runs
        fields = self._fields(text, command.words)
        if not fields:
            for assignment in command.assignments:
                self._assign(text, assignment, runs)
            self.status = True
            return
        name = fields[0].text
        if name in ("command", "builtin", "noglob", "nocorrect") and len(fields) > 1 and not fields[1].text.startswith("-"):
            fields = fields[1:]
            name = fields[0].text
        assigned = {each.name: self._value(text, each.value) for each in command.assignments if each.items is None}
        if self.watch is not None:
            targets = [self._value(text, each) for each in command.targets]
            self.watch(fields, targets, text.span(command.start, command.end), runs is True and self.confidence != "possible")
        status = self._builtin(name, fields[1:], runs)
        self.status = self._executed(text, command, fields, assigned, runs, piped) if isinstance(status, _Other) else status
        if negate:
            self.status = _not(self.status)
        for each in command.assignments:
            if each.items is not None:  # what `declare` names
                self._assign(text, each, runs)

    def _builtin(self, name: str, arguments: list[SpannedText], runs: bool | None) -> "bool | _Other | None":
        match name:
            case ":" | "true":
                return True
            case "false":
                return False
            case "[" | "test":
                return self._test([each.text for each in arguments], name == "[")
            case "export" | "readonly" | "local" | "declare" | "typeset":
                self._declare(name, arguments, runs)
            case "set":
                self._set_arguments(arguments)
            case "shift":
                count = decimal(arguments[0].text, 99_999) if arguments else 1
                self.arguments = self.arguments[1 if count is None else count :]
            case "unset":
                for each in arguments:
                    self.variables.pop(each.text, None)
            case "cd":
                self._change_directory(arguments)
            case "." | "source":
                return self._source(arguments, runs)
            case "exit" | "return":
                self._leave(name, runs)
                return self._answered(arguments, runs) if name == "return" else True
            case "break" | "continue" if not arguments:
                # Where nobody knows whether the line runs, the loop may go on and may not.
                if name == "break":
                    self.broken = True if runs else None
                elif runs:
                    self.continued = True
                else:
                    self.confidence = weakest(self.confidence, "likely")
            case "eval":
                joined = SpannedText(tuple(_between(arguments)), arguments[0].at if arguments else self.process.at)
                self._inside(_Text(SpannedTextView(joined), joined.text), runs)
                return self.status
            case "read" | "getopts":
                for each in arguments:
                    if is_name(each.text):
                        self._set(each.text, _unknown(each.at), runs)
                return None
            case _ if name in _QUIET or name.startswith("log_"):
                return True
            case _ if name in _OF_LIBRARIES:
                return _OF_LIBRARIES[name]
            case _ if name in self.functions:
                return self._call(name, arguments, runs)
            case _:
                return _OTHER
        return True

    def _executed(
        self,
        text: _Text,
        command: shell.Command,
        fields: list[SpannedText],
        assigned: Mapping[str, SpannedText],
        runs: bool | None,
        piped: bool,
    ) -> bool | None:
        at = text.span(command.start, command.end)
        replaced = fields[0].text == "exec"
        if replaced:
            fields = _after_exec_options(fields[1:])
            if not fields:
                return True  # only redirections
        if not fields[0].known or not fields[0].text:
            self.confidence = weakest(self.confidence, "possible")
            self.last = []
            return None
        environment = {key: value.word() for key, value in self.variables.items() if key in self.exported}
        environment |= {key: value.word() for key, value in assigned.items()}
        confidence = self.confidence if runs else weakest(self.confidence, "possible")
        origin = replace(self.process, environment=environment, directory=self.directory, at=at, confidence=confidence)
        process = origin.starts(tuple(fields), self.files)
        texts = [each.text for each in fields]
        if texts[0].rpartition("/")[2] == "start-stop-daemon":
            if "--test" not in texts and ("--start" in texts or "-S" in texts):
                self.found.append(replace(process, passing=False))
            return True
        if texts[0] in _STARTERS and (rest := _after_starter_options(fields[1:])):
            self.found.append(origin.starts(tuple(rest), self.files, passing=False))
            return True
        if piped:
            # What feeds a pipe runs as long as what reads it: it counts if the pipeline comes last.
            self.feeding.append(process)
            return True
        if replaced or command.background:
            self.found.append(process if replaced else replace(process, passing=False))
            self.over = replaced and runs is True
            return True
        self._pass(process)
        self.last = [*self.feeding, process] if runs else []
        self.feeding = []
        return self._answer(texts) if fields[0].text.rpartition("/")[2] in _ASKING else True

    def _pass(self, process: Process) -> None:
        """Remember a command after which the script goes on: some programs go to the background by themselves."""
        alike = sum(each.program == process.program for each in self.passed)
        if alike < _MOST_ALIKE and len(self.passed) < _MOST_PASSED:
            self.passed.append(process)
        elif alike < _MOST_ALIKE:
            self.files.report_limit(process.at, _MOST_PASSED, "commands that one script runs")

    def _answer(self, words: list[str]) -> bool | None:
        """What a command that only asks answers, where the host's files say it: getent(1) and id(1) find who has a line in them."""
        match words:
            case ["getent", "passwd", name] | ["id", ("-u" | "-un" | "-g" | "-gn"), name] | ["id", name] if UNKNOWN not in name:
                if account(name, self.files) is not None:
                    return True
                return False if is_unknown(name, self.files) else None
            case ["getent", "group", name] if UNKNOWN not in name:
                return False if is_unknown_group(name, self.files) else None
        return None

    def _call(self, name: str, arguments: list[SpannedText], runs: bool | None) -> bool | None:
        body, start, end = self.functions[name]
        outer, self.arguments = self.arguments, tuple(arguments)
        before, self.unanswered = self.unanswered, False
        self._inside(text_at(body, start, end), runs)
        self.arguments, self.returned = outer, False
        unanswered, self.unanswered = self.unanswered, before
        return None if unanswered else self.status

    def _inside(self, text: _Text, runs: bool | None) -> None:
        """Run other text in this shell; all of it is only possible where `runs` is unknown."""
        before = self.confidence
        if runs is None:
            self.confidence = weakest(self.confidence, "possible")
        self.read(text)
        if runs is None:
            self.confidence = weakest(before, "likely")

    def _source(self, arguments: list[SpannedText], runs: bool | None) -> bool | None:
        if not arguments or not arguments[0].known:
            self.confidence = weakest(self.confidence, "likely")
            return None
        path = self._here(arguments[0].text)
        source = self.files.read(path) if self.files.kind(path) == "file" else None
        if source is None:
            if path.startswith(_CERTAIN_PLACES):
                return False
            if not path.startswith(_LIBRARIES):
                # It is on the host, or the script would end here: what it sets is not known.
                self.unfollowed = True
            self.confidence = weakest(self.confidence, "likely")
            return None
        # A file that is there was most likely meant to be read, whatever test stands before it.
        self.read(_Text(source, source.text))
        self.returned = False
        if runs is None:
            self.confidence = weakest(self.confidence, "likely")
        return True

    def _leave(self, name: str, runs: bool | None) -> None:
        if runs and name == "return" and self.depth > 1:
            self.returned = True
        elif runs:
            self.over = True
            self.last = []
        else:
            self.confidence = weakest(self.confidence, "likely")

    def _answered(self, arguments: list[SpannedText], runs: bool | None) -> bool | None:
        """The status that `return` leaves a function with; where nobody knows whether the line runs, that of the function is unknown."""
        if runs is None:
            self.unanswered = True
            return None
        number = decimal(arguments[0].text) if arguments and arguments[0].known else None
        return self.status if not arguments else None if number is None else number == 0

    def _change_directory(self, arguments: list[SpannedText]) -> None:
        words = [each for each in arguments if not each.text.startswith("-") and each.text]
        if words and words[-1].known:
            path = words[-1].text
            self.directory = self.files.resolve(path if path.startswith("/") else f"{self.directory.rstrip('/')}/{path}")

    # ── variables ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _assign(self, text: _Text, assignment: shell.Assignment, runs: bool | None) -> None:
        """`name=value`, `name+=value`, `name=(items)`, `name+=(items)`."""
        name, before = assignment.name, self.variables.get(assignment.name)
        at = text.span(assignment.start, assignment.end)
        if assignment.items is None:
            value = self._value(text, assignment.value)
            if assignment.appends and before is not None:
                value = _capped(SpannedText((*before.pieces, *value.pieces), at))
            self._set(name, value, runs)
            return
        items: tuple[SpannedText, ...] | None = tuple(self._fields(text, assignment.items))
        if assignment.appends:
            known = self.arrays.get(name, () if before is None else (before,))
            items = (*known, *items) if known is not None and items is not None else None
        if runs is None or (items is not None and (len(items) > _MOST_WORDS or any("]=" in each.text for each in items))):
            self.confidence = weakest(self.confidence, "likely")
            items = None
        self.arrays[name] = items
        self.variables[name] = _unknown(at) if items is None else items[0] if items else SpannedText((), at)

    def _set(self, name: str, value: SpannedText, runs: bool | None) -> None:
        """Assign; where nobody knows whether the line runs, a value that was there before is no longer known."""
        before = self.variables.get(name)
        if runs is None:
            self.confidence = weakest(self.confidence, "likely")
            if before is not None and before.text and before.text != value.text:
                value = _unknown(value.at)
        self.variables[name] = value
        if self.exports_all:
            self.exported.add(name)

    def _declare(self, name: str, arguments: list[SpannedText], runs: bool | None) -> None:
        for each in arguments:
            variable, equals, _ = each.text.partition("=")
            if not is_name(variable or "="):
                continue
            if equals:
                self._set(variable, SpannedText(SpannedTextView(each).cut(len(variable) + 1, len(each.text)), each.word().at), runs)
            if name == "export":
                self.exported.add(variable)

    def _set_arguments(self, arguments: list[SpannedText]) -> None:
        for index, each in enumerate(arguments):
            if each.text == "--":
                self.arguments = tuple(arguments[index + 1 :])
                return
            if each.text in ("-a", "-o") and any(other.text in ("-a", "allexport") for other in arguments[index:]):
                self.exports_all = True
            elif each.text[:1] not in ("-", "+"):
                if arguments[index - 1].text[-1:] == "o" and index:
                    continue
                self.arguments = tuple(arguments[index:])
                return

    def _value(self, text: _Text, argument: shell.Argument) -> SpannedText:
        """A word without field splitting, as on the right of an assignment."""
        weaver = SpannedTextBuilder()
        weaver.begin(text.span(argument.start, argument.end))
        for part in argument.parts:
            for pieces in self._part(text, part):
                weaver.put_on(pieces) if isinstance(part, shell.Text) else weaver.put(pieces)
        return _capped(weaver.finish())

    def _fields(self, text: _Text, arguments: tuple[shell.Argument, ...]) -> list[SpannedText]:
        fields: list[SpannedText] = []
        for argument in arguments:
            fields += self._split(text, argument)
            if len(fields) > _MOST_WORDS:
                self.files.report_limit(text.span(argument.start, argument.end), _MOST_WORDS, "words in one command")
                break
        self.steps -= len(fields)
        return fields

    def _split(self, text: _Text, argument: shell.Argument) -> list[SpannedText]:
        """A word after expansion and field splitting: what is not quoted falls apart at blanks."""
        weaver = SpannedTextBuilder()
        fields: list[SpannedText] = []
        at = text.span(argument.start, argument.end)
        for part, is_inside in self._spliced(text, argument.parts):
            several = self._part(text, part)
            if part.quoted and not (isinstance(part, shell.Parameter) and (part.name == "@" or part.operator == "[@]") and not several):
                weaver.begin(at)
            for index, pieces in enumerate(several):
                if index:
                    fields.append(weaver.finish())
                    weaver.begin(at)
                if isinstance(part, shell.Text) and (part.quoted or not is_inside):
                    weaver.put_on(pieces)
                elif part.quoted:
                    weaver.put(pieces)
                else:
                    _split_into(pieces, weaver, fields)
        if weaver.started:
            fields.append(_capped(weaver.finish()))
        return fields

    def _spliced(self, text: _Text, parts: Iterable[shell.Part]) -> Iterator[tuple[shell.Part, bool]]:
        """The parts of a word, and of `${NAME:+-h "$NAME"}` those of its operand: what is quoted in it does not fall apart."""
        for part in parts:
            quotes = isinstance(part, shell.Parameter) and not part.quoted and any(each.quoted for each in part.operand)
            if not isinstance(part, shell.Parameter) or not quotes or part.operator not in (":+", "+", ":-", "-"):
                yield part, False
                continue
            value = self._lookup(part.name, text.span(part.start, part.end))
            given = value is not None and (bool(value.text) or part.operator[0] != ":")
            if given == part.operator.endswith("+"):
                for each in part.operand:
                    yield each, True
            elif given:
                yield part, False

    def _part(self, text: _Text, part: shell.Part) -> list[tuple[Piece, ...]]:
        """The pieces a part stands for; more than one field for "$@"."""
        match part:
            case shell.Text():
                return [_literal(text, part)]
            case shell.Arithmetic():
                value = shell.arithmetic(part.expression, self._number)
                return [(Piece(UNKNOWN if value is None else str(value), text.span(part.start, part.end)),)]
            case shell.Unknown():
                if part.reason == shell.TOO_DEEP:
                    self.files.report_limit(text.span(part.start, part.end), shell.DEEPEST, "expansions inside one another")
                self._substitution(text, part)
                return [(Piece(self._printed(text, part) or UNKNOWN, text.span(part.start, part.end)),)]
            case shell.Parameter():
                if part.name in ("@", "*") and not part.operator:
                    if part.quoted and part.name == "*":
                        return [tuple(_between(self.arguments))]
                    return [each.pieces for each in self.arguments]
                if part.operator in ("[@]", "[*]"):
                    items = self._items(text, part)
                    if self._pays(text, part, [each for pieces in items for each in pieces]):
                        return items
                    return [_unknown(text.span(part.start, part.end)).pieces]
                return [self._paid(text, part, self._parameter(text, part).pieces)]

    def _paid(self, text: _Text, part: shell.Parameter, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """What a variable is replaced by; where that is long, again and again, it is unknown at last."""
        return pieces if self._pays(text, part, pieces) else (Piece(UNKNOWN, text.span(part.start, part.end)),)

    def _pays(self, text: _Text, part: shell.Parameter, pieces: Sequence[Piece]) -> bool:
        length = sum([len(each.text) for each in pieces]) + COST_OF_A_WORD * (len(pieces) - 1)
        return length <= _SHORT or self.files.spend(length, text.span(part.start, part.end), "a variable's value")

    def _items(self, text: _Text, part: shell.Parameter) -> list[tuple[Piece, ...]]:
        """The items of an array; a variable that is none is its only item."""
        at = text.span(part.start, part.end)
        value = self._lookup(part.name, at)
        items = self.arrays.get(part.name, () if value is None else (value,))
        if items is None:
            return [_unknown(at).pieces]
        return [tuple(_between(items))] if part.quoted and part.operator == "[*]" else [each.pieces for each in items]

    def _substitution(self, text: _Text, part: shell.Unknown) -> None:
        """Follow a command substitution that starts a daemon: init scripts keep what start-stop-daemon complains of in a variable."""
        written = text.text[part.start : part.end]
        opens = 2 if written.startswith("$(") else 1 if written.startswith("`") else 0
        if opens and "start-stop-daemon" in written:
            before, kept = self.confidence, (self.status, self.last, self.over, self.returned)
            self.confidence = weakest(before, "likely" if self.runs else "possible")
            self.read(text_at(text, part.start + opens, part.end - 1))
            self.confidence, (self.status, self.last, self.over, self.returned) = before, kept

    def _printed(self, text: _Text, part: shell.Unknown) -> str:
        """What a command substitution prints, where files or its own words say it; "" where nobody knows."""
        written = text.text[part.start : part.end]
        start = 2 if written.startswith("$(") else 1 if written.startswith("`") else 0
        inner = text_at(text, part.start + start, part.end - 1)
        if not start or _PRINTS.search(inner.text) is None:
            return ""
        commands = shell.parse(inner.text).commands
        if not commands or ">" in inner.text[commands[-1].start :].replace("2>/dev/null", ""):
            return ""
        if len(commands) == 2 and commands[0].after in ("", ";", "&&", "\n"):
            words, then = (self._fields(inner, each.words) for each in commands)
            if [each.text for each in words[:1]] == ["cd"] and then and then[0].text == "pwd":
                where = [each for each in words[1:] if each.text != "--"]
                return self._here(where[0].text) if len(where) == 1 and where[0].known and where[0].text else ""
        if len(commands) == 2 and commands[1].after == "|":
            words, then = (self._fields(inner, each.words) for each in commands)
            counted = [each.text for each in then] == ["wc", "-l"] and words and all(each.known for each in words)
            if not counted or words[0].text.rpartition("/")[2] != "ls":
                return ""
            return str(len(self._output("ls", [each.text for each in words[1:]]).split()))
        if len(commands) != 1:
            return ""
        words = self._fields(inner, commands[0].words)
        if not words or not all(each.known for each in words):
            return ""
        return self._output(words[0].text.rpartition("/")[2], [each.text for each in words[1:]])

    def _output(self, name: str, arguments: list[str]) -> str:
        """What a command prints that only looks at its words, or at a directory of /etc, which a copy has as a whole."""
        operands = [each for each in arguments if not each.startswith("-")]
        match name, operands:
            case "seq", _:
                return _sequence(arguments)
            case "echo", _ if not any(each.startswith("-") and each != "-n" for each in arguments):
                return " ".join(each for each in arguments if each != "-n")
            case "basename", [path] if path.strip("/"):
                return path.rstrip("/").rpartition("/")[2]
            case "basename", [path, ending] if path.strip("/"):
                return path.rstrip("/").rpartition("/")[2].removesuffix(ending)
            case "dirname", [path] if path.strip("/"):
                above, slash, _ = path.rstrip("/").rpartition("/")
                return above or slash or "."
            case "ls", [path] if all(each in ("-1", "--", path) for each in arguments):
                path = self._here(path)
                if self.files.kind(path) != "directory" or not path.startswith(_CERTAIN_PLACES):
                    return ""
                return " ".join(name for name in sorted(self.files.names(path)) if not name.startswith("."))
            case _:
                return ""

    def _number(self, name: str) -> str | None:
        value = self.variables.get(name)
        if value is None:
            return ""
        return value.text if value.known else None

    def _parameter(self, text: _Text, part: shell.Parameter) -> SpannedText:
        at = text.span(part.start, part.end)
        value = self._lookup(part.name, at)
        full = value is not None and bool(value.text)
        match part.operator:
            case "":
                return value or SpannedText((), at)
            case ":-" | "-" | ":=" | "=":
                if (full if part.operator[0] == ":" else value is not None) and value is not None:
                    return value
                other = self._operand(text, part)
                if "=" in part.operator:
                    self.variables[part.name] = other
                return other
            case ":+" | "+":
                given = full if part.operator == ":+" else value is not None
                return self._operand(text, part) if given else SpannedText((), at)
            case ":?" | "?":
                return value or SpannedText((), at)
            case "length":
                return (
                    SpannedText((Piece(str(len(value.text)) if value else "0", at),), at) if value is None or value.known else _unknown(at)
                )
            case "#" | "##" | "%" | "%%" if value is None or value.known:
                return _trimmed(value or SpannedText((), at), part.operator, self._operand(text, part).text)
            case _:
                return _unknown(at)

    def _operand(self, text: _Text, part: shell.Parameter) -> SpannedText:
        weaver = SpannedTextBuilder()
        weaver.begin(text.span(part.start, part.end))
        for each in part.operand:
            for pieces in self._part(text, each):
                weaver.put_on(pieces) if isinstance(each, shell.Text) else weaver.put(pieces)
        return _capped(weaver.finish())

    def _lookup(self, name: str, at: Span) -> SpannedText | None:
        if is_digits(name):
            number = decimal(name)
            if number == 0:
                return SpannedText((Piece(self.name, at),), at)
            return self.arguments[number - 1] if number is not None and number <= len(self.arguments) else None
        if name == "#":
            return SpannedText((Piece(str(len(self.arguments)), at),), at)
        if name in ("@", "*"):
            return SpannedText(tuple(_between(self.arguments)), at) if self.arguments else None
        if name in ("?", "$", "!", "-"):
            return _unknown(at)
        if name == "PWD":
            return SpannedText((Piece(self.directory, at),), at)
        value = self.variables.get(name)
        return _unknown(at) if value is None and self.unfollowed else value

    # ── tests ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _test(self, words: list[str], bracket: bool) -> bool | None:
        """test(1) as far as texts and files decide it."""
        if bracket:
            if words[-1:] != ["]"]:
                return None
            words = words[:-1]
        if words[:1] == ["!"] and len(words) > 1:
            return _not(self._test(words[1:], False))
        if any(UNKNOWN in word for word in words):
            return None
        match words:
            case []:
                return False
            case [text]:
                return bool(text)
            case ["-n", text]:
                return bool(text)
            case ["-z", text]:
                return not text
            case [("-f" | "-e" | "-r" | "-s" | "-x" | "-d" | "-a") as operator, path]:
                return self._exists(operator, path)
            case [left, ("=" | "=="), right]:
                return left == right
            case [left, "!=", right]:
                return left != right
            case [left, ("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge") as operator, right]:
                return _compared(left, operator, right)
            case _:
                return None

    def _here(self, path: str) -> str:
        """A path from the working directory."""
        return path if path.startswith("/") else f"{self.directory.rstrip('/')}/{path.removeprefix('./')}"

    def _exists(self, operator: str, path: str) -> bool | None:
        path = self._here(path)
        kind = self.files.kind(path)
        if kind == "missing":
            # A copied tree leaves out most of a host; its /etc is whole.
            return False if path.startswith(_CERTAIN_PLACES) else None
        if operator in ("-f", "-s"):
            return kind == "file" if operator == "-f" else (True if kind == "file" else None)
        return kind == "directory" if operator == "-d" else True


class _Other:
    """Not a builtin: something is executed."""


_OTHER = _Other()


def _gap(text: str, start: int, end: int, unread: list[shell.Unread]) -> Iterator[str | shell.Unread]:
    """The reserved words between two commands, and what the reader stepped over there, in order."""
    index = bisect_left(unread, start, key=lambda each: each.start)
    while index < len(unread) and unread[index].start < end:
        each = unread[index]
        if each.start >= start:
            yield from _reserved(text[start : each.start])
            yield each
            start = max(start, each.end)
        index += 1
    yield from _reserved(text[start:end])


def _reserved(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if "#" in line:
            line = line.partition("#")[0]
        for mark in ";&|()":
            if mark in line:
                line = line.replace(mark, f" {mark} ")
        for word in line.split():
            if word in _STRUCTURE:
                yield word


def _running(levels: list[_Level]) -> bool | None:
    return _all((levels[-1].around, levels[-1].runs)) if levels else True


def _all(values: Iterable[bool | None]) -> bool | None:
    known = list(values)
    return False if False in known else (None if None in known else True)


def _any(values: Iterable[bool | None]) -> bool | None:
    return _not(_all(_not(value) for value in values))


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _matches(word: SpannedText | None, patterns: str) -> bool | None:
    """Whether a word matches one of `a|b*|*`; None where the word or a pattern is not known."""
    answers: list[bool | None] = []
    for pattern in patterns.split("|"):
        plain = pattern.strip().strip("\"'")
        bare = plain.strip("*")
        if plain == "*":
            answers.append(True)
        elif word is None or not word.known or any(char in bare for char in "*?[$"):
            answers.append(None)
        elif plain.startswith("*") and plain.endswith("*"):
            answers.append(bare in word.text)
        elif plain.startswith("*"):
            answers.append(word.text.endswith(bare))
        else:
            answers.append(word.text.startswith(bare) if plain.endswith("*") else word.text == bare)
    return _any(answers)


def _unknown(at: Span) -> SpannedText:
    return SpannedText((Piece(UNKNOWN, at),), at)


def _capped(passage: SpannedText) -> SpannedText:
    """A value of a sane size: what a script doubles again and again is not followed."""
    if len(passage.pieces) > _MOST_PIECES or sum(len(each.text) for each in passage.pieces) > _LONGEST_VALUE:
        return _unknown(passage.at)
    return passage


def _between(passages: Iterable[SpannedText]) -> Iterator[Piece]:
    """The pieces of several words with a blank between them."""
    length = 0
    for index, each in enumerate(passages):
        if index:
            yield Piece(" ", each.at)
        yield from each.pieces
        length += 1 + sum(len(one.text) for one in each.pieces)
        if length > _LONGEST_VALUE:
            return


def _after_exec_options(fields: list[SpannedText]) -> list[SpannedText]:
    """bash: exec [-cl] [-a name] [command [arguments]]."""
    position = 0
    while position < len(fields) and fields[position].text[:1] == "-" and len(fields[position].text) > 1:
        if fields[position].text == "--":
            position += 1
            break
        position += 2 if fields[position].text.endswith("a") else 1
    return fields[position:]


def _after_starter_options(fields: list[SpannedText]) -> list[SpannedText]:
    """start_daemon [-f] [-n nice] [-p pidfile] program ...; daemon [+/-nice] [--user=x] [--pidfile=x] program ..."""
    position = 0
    while position < len(fields) and fields[position].text[:1] in ("-", "+"):
        position += 2 if fields[position].text in ("-n", "-p", "-u", "--user", "--pidfile", "--check") else 1
    rest = fields[position:]
    return rest if rest and rest[0].known and "/" in rest[0].text else []


def _literal(text: _Text, part: shell.Text) -> tuple[Piece, ...]:
    written = text.text[part.start : part.end]
    if written == part.text:
        return text.cut(part.start, part.end)
    if written[1:-1] == part.text:
        return text.cut(part.start + 1, part.end - 1)
    return (Piece(part.text, text.span(part.start, part.end)),) if part.text else ()


def _split_into(pieces: Iterable[Piece], weaver: SpannedTextBuilder, fields: list[SpannedText]) -> None:
    for each in pieces:
        for found in _WORD_OR_BLANKS.finditer(each.text):
            if found[1] is not None:
                weaver.put([each.cut(*found.span())])
            elif weaver.started:
                fields.append(weaver.finish())


def _trimmed(value: SpannedText, operator: str, pattern: str) -> SpannedText:
    """`${NAME#pattern}` and its like for a text, `*text` and `text*`; any other pattern leaves the value unknown."""
    text = value.text
    bare = pattern.strip("*")
    if any(char in bare for char in "*?[") or UNKNOWN in pattern or (pattern[:1] == pattern[-1:] == "*" and len(pattern) > 1):
        return _unknown(value.at)
    start, end = 0, len(text)
    front = operator[0] == "#"
    if pattern == bare:
        if front and text.startswith(bare):
            start = len(bare)
        elif not front and bare and text.endswith(bare):
            end -= len(bare)
    elif front and pattern[0] == "*":
        found = text.find(bare) if operator == "#" else text.rfind(bare)
        start = found + len(bare) if found >= 0 else 0
    elif not front and pattern[-1] == "*":
        found = text.rfind(bare) if operator == "%" else text.find(bare)
        end = found if found >= 0 else end
    elif text.startswith(bare) if front else text.endswith(bare):
        # `text*` from the front takes the text, or with the doubled operator everything; `*text` from the end likewise.
        start, end = (len(bare) if front else 0), (len(text) if front else len(text) - len(bare))
        if len(operator) == 2:
            start = end = 0
    return SpannedText(SpannedTextView(value).cut(start, end), value.at)


def _sequence(arguments: list[str]) -> str:
    """What `seq [first [step]] last` prints; "" for more numbers than anybody writes."""
    numbers = [signed(each) for each in arguments]
    known = [each for each in numbers if each is not None]
    if len(known) != len(numbers) or not 1 <= len(known) <= 3:
        return ""
    first, step, last = (known[0] if len(known) > 1 else 1), (known[1] if len(known) == 3 else 1), known[-1]
    if not step or not 0 <= (last - first) // step < _MOST_NUMBERS:
        return ""
    return " ".join(str(each) for each in range(first, last + (1 if step > 0 else -1), step))


def _compared(left: str, operator: str, right: str) -> bool | None:
    a, b = signed(left), signed(right)
    if a is None or b is None:
        return None
    return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[operator]
