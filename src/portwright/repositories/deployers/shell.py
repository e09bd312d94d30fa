"""Shell scripts: the files that they write, copy and edit under absolute paths, the kernel settings they make, the ports they publish.

A script is walked, never run: each branch of it is taken, each function called where it is called, and what it does with files of the
repository is done in memory.
"""

from collections.abc import Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.formats import shell_tree
from portwright.formats.shell_tree import Compound, Simple, Step
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell_commands
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages
from portwright.repositories.deployers.shell_files import globbed, write_to
from portwright.repositories.deployers.shell_images import is_copied
from portwright.repositories.deployers.shell_state import DEEPEST, MOST_COMMANDS, State
from portwright.repositories.deployers.shell_text import Piece, ScriptText, Value, at, known, passed, text_of
from portwright.repositories.deployers.shell_values import expanded, words_of
from portwright.repositories.not_read import spoken_of
from portwright.system.spanned_text import UNKNOWN

_MOST_ROUNDS = 64
"""Words of a `for` loop that are gone through."""
# Without a word of these a script puts nothing anywhere that is of any matter here.
_MATTERS = lazy_regex(
    r"/etc\b|/lib/s|/proc/sys|k3s\b|\b(?:sysctl|docker|podman|source|cp|rsync|scp)\b|\.(?:service|socket|conf)\b|(?m:^[ \t]*\.[ \t])"
)
# A test whether something is missing, or who runs the script.
_GUARD = lazy_regex(r"!\s*(?:-[defhLrsxz]\b|grep\b|command\b|which\b|id\b|test\b|systemctl\b|\[)|-z\b|\bEUID\b|\bid -u\b|\$UID\b|-ne 0")
_BASH = lazy_regex(r"#!.*\b(?:bash|zsh|ksh)\b")


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """The files that a script writes, and one of sysctl.d for what it sets itself, which holds once it was run."""
    pages = Pages(label, cut=len(text) > LONGEST)
    if not matters(text):
        return Deployed()
    if not is_copied(label, checkout):
        write([Line(each, label, number) for number, each in enumerate(text[:LONGEST].split("\n"), 1)], pages, checkout)
    else:
        # It is run where an image is built, or in a container: nothing of it is of any matter to a host.
        pages.understood.update(range(1, text.count("\n") + 2))
    return pages.deployed()


def matters(text: str) -> bool:
    """Whether a script may put something on a host that is of any matter here."""
    return _MATTERS.search(text) is not None or bool(spoken_of(text))


def write(script: Sequence[Line], pages: Pages, checkout: Checkout) -> None:
    """Put what a script does into `pages`: what it writes, what it copies, and what it sets with sysctl(8) or below /proc/sys."""
    Run(pages, checkout).script(ScriptText(script))


@dataclass
class _Function:
    text: ScriptText
    tree: shell_tree.Tree
    command: Compound
    called: bool = False


class Run:
    """A script that is walked, and what of it was seen so far."""

    def __init__(self, pages: Pages, checkout: Checkout) -> None:
        self.state = State(pages, checkout, walk=self.script, call=self.call)
        self.functions: dict[str, _Function] = {}
        self.sinks: list[list[Piece]] = []
        self.commands = 0
        self.branches = 0

    # ── structure ───────────────────────────────────────────────────────────────────────────────────────────────────

    def script(self, text: ScriptText) -> None:
        """Walk a whole script, and then the functions of it that nothing called."""
        if self.state.depth >= DEEPEST:
            self.state.pages.cut = True
            return
        self.state.depth += 1
        self.state.is_bash = bool(_BASH.match(text.text)) if text.text.startswith("#!") else self.state.is_bash
        tree = shell_tree.parse(text.text)
        # Where quotes and brackets do not match, what a line does is a guess.
        self.state.is_sure = self.state.is_sure and not tree.broken
        inside = {index for body in tree.bodies for index in range(text.number(body.start), text.number(body.end) + 1)}
        for index, line in enumerate(text.lines):
            if not line.text.strip() or (line.text.lstrip().startswith("#") and index not in inside):
                self.state.understand(line.source, line.number)
        self._steps(text, tree, tree.steps)
        if self.state.depth == 1:
            while (name := next((name for name, each in self.functions.items() if not each.called), None)) is not None:
                self.call(name, None, None)
        self.state.depth -= 1

    def _steps(self, text: ScriptText, tree: shell_tree.Tree, steps: Sequence[Step], stdin: Value | None = None) -> None:
        index = 0
        while index < len(steps):
            end = index + 1
            while end < len(steps) and steps[end].after == "|":
                end += 1
            before = self.state.maybe
            self.state.maybe = before or steps[index].after == "||"
            piped = stdin
            for number in range(index, end):
                last = number == end - 1
                self.commands += 1
                if self.commands > MOST_COMMANDS:
                    self.state.pages.cut = True
                    return
                out = self._command(text, tree, steps[number].command, piped, not last)
                piped = out
            if self.sinks and piped is not None:
                self.sinks[-1] += piped
            self.state.maybe = before
            index = end

    def _command(
        self, text: ScriptText, tree: shell_tree.Tree, command: Simple | Compound, stdin: Value | None, is_piped: bool
    ) -> Value | None:
        """Walk one command; what it prints, None where that goes elsewhere."""
        if isinstance(command, Simple):
            return shell_commands.simple(self.state, text, tree, command, stdin, is_piped)
        if command.kind == "function":
            self.functions[command.name] = _Function(text, tree, command)
            self.state.functions.add(command.name)
            self.state.understand(*next(text.numbers(command.start, command.start + 1)))
            return None
        self.state.understand(*next(text.numbers(command.start, command.start + 1)))
        self.sinks.append([])
        self._compound(text, tree, command, stdin)
        printed: Value | None = tuple(self.sinks.pop())
        for redirect in command.redirects:
            if (redirect.operator.startswith(">") and redirect.descriptor in (1, -1)) or redirect.operator.startswith("&>"):
                target = expanded(self.state, text, redirect.target.parts)
                is_file = redirect.operator != ">&"
                if is_file and write_to(self.state, target, printed or (), redirect.operator.endswith(">>"), None):
                    for source, number in text.numbers(redirect.target.start, redirect.target.end):
                        self.state.understand(source, number)
                printed = None
        return printed

    def _compound(self, text: ScriptText, tree: shell_tree.Tree, command: Compound, stdin: Value | None) -> None:
        if command.kind in ("group", "subshell"):
            before = dict(self.state.variables) if command.kind == "subshell" else None
            directory = self.state.directory
            for branch in command.branches:
                self._steps(text, tree, branch.steps, stdin)
            if before is not None:
                self.state.variables, self.state.directory = before, directory
            return
        if command.kind == "for":
            self._loop(text, tree, command)
            return
        self.branches += 1
        own, arm = self.branches, 0
        begun = (dict(self.state.variables), set(self.state.doubtful))
        ends: list[dict[str, Value]] = []
        tests = ""
        for branch in command.branches:
            if branch.kind == "test":
                if branch.steps:
                    tests += text.text[command.start : self._end(branch.steps)][:400]
                self._steps(text, tree, branch.steps)
                continue
            self.state.variables, self.state.doubtful = dict(begun[0]), set(begun[1])
            # What is only done where it is not there yet is there in the end.
            sure = command.kind == "if" and len(command.branches) == 2 and _GUARD.search(tests) is not None
            ends.append(self._branch(text, tree, branch.steps, (own, arm), sure))
            arm += 1
        self._join(begun[0], ends, begun[1], tests)

    @staticmethod
    def _end(steps: Sequence[Step]) -> int:
        return steps[-1].command.end

    def _branch(self, text: ScriptText, tree: shell_tree.Tree, steps: Sequence[Step], arm: tuple[int, int], sure: bool) -> dict[str, Value]:
        around, maybe = self.state.arms, self.state.maybe
        self.state.arms, self.state.maybe = (*around, arm), maybe or not sure
        directory = self.state.directory
        self._steps(text, tree, steps)
        self.state.arms, self.state.maybe, self.state.directory = around, maybe, directory
        return self.state.variables

    def _join(self, before: dict[str, Value], ends: list[dict[str, Value]], doubtful: set[str], tests: str) -> None:
        """The variables after branches of which one may have run: a value that only some give is none that is known.

        A branch that asks somebody leaves what the script itself says; one that is taken where a variable is empty gives its default.
        """
        joined = dict(before)
        for name in {name for end in ends for name in end if end[name] is not before.get(name)}:
            values = [end[name] for end in ends if name in end and end[name] is not before.get(name) and known(end[name])]
            texts = {text_of(value) for value in values}
            if not texts:
                if name not in before:
                    joined.pop(name, None)
                continue
            if name in before and known(before[name]) and text_of(before[name]):
                texts.add(text_of(before[name]))
            elif len(ends) < 2 and not _asks_for(tests, name):
                texts.add("")
            if len(texts) == 1:
                joined[name] = values[0]
            else:
                joined[name] = at(values[0], UNKNOWN) or values[0]
                doubtful.add(name)
        self.state.variables, self.state.doubtful = joined, doubtful

    def _loop(self, text: ScriptText, tree: shell_tree.Tree, command: Compound) -> None:
        words = [] if command.words is None else [field for word in command.words for field in words_of(self.state, text, word)]
        if command.words is None and self.state.arguments is not None:
            words = self.state.arguments
        if any("*" in text_of(word) or "?" in text_of(word) for word in words):
            words = [each for word in words for each in globbed(self.state, word)]
        body = command.branches[0].steps if command.branches else ()
        if not words or len(words) > _MOST_ROUNDS:
            self.state.pages.cut = self.state.pages.cut or len(words) > _MOST_ROUNDS
            words = [(replace(text.place(command.start), text=UNKNOWN),)]
        for word in words:
            if command.name:
                self.state.variables[command.name] = passed(word, word[0]) if word else ()
                self.state.doubtful.discard(command.name)
            self._steps(text, tree, body)
            if self.commands > MOST_COMMANDS:
                return

    def call(self, name: str, arguments: list[Value] | None, place: Piece | None) -> Value | None:
        """Walk a function; what it prints."""
        function = self.functions[name]
        function.called = True
        if self.state.depth >= DEEPEST:
            self.state.pages.cut = True
            return None
        around, maybe = self.state.arguments, self.state.maybe
        self.state.arguments = arguments if arguments is None or place is None else [passed(each, place) for each in arguments]
        self.state.maybe = maybe or arguments is None
        self.state.depth += 1
        self.sinks.append([])
        for branch in function.command.branches:
            self._steps(function.text, function.tree, branch.steps)
        printed = tuple(self.sinks.pop())
        self.state.depth -= 1
        self.state.arguments, self.state.maybe = around, maybe
        return printed


def _asks_for(tests: str, name: str) -> bool:
    """Whether a test asks whether a variable is empty."""
    return ("-z" in tests or '= ""' in tests or "=''" in tests) and f"${name}" in tests.replace("{", "")
