"""systemd.service(5) "Command lines": an ExecStart= value becomes commands, each word remembering the line it came from."""

from collections.abc import Callable, Iterable, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.facts import Setting
from portwright.formats.unit import is_safe
from portwright.source import Span, Word
from portwright.system.spanned_text import UNKNOWN, Piece, SpannedText, SpannedTextBuilder, SpannedTextView, piece, written
from portwright.system.words import ends_word, next_word, skip_blanks, words
from portwright.trees.budget import COST_OF_A_WORD

Expand = Callable[[str], str]

Spend = Callable[[int, Span, str], bool]
"""Files.spend."""

_SHOWN = 60  # characters of a variable's name in a sentence
_MOST_COMMANDS = 1000
ODD = frozenset("'\"\\%;")
_WORDS = lazy_regex(r"[^ \t\n\r]+")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of an ExecStart= line before variables: the program's path, argv and the special prefixes.

    `prefixes` holds the characters `@ - : + !` in force, `!!` as one. `argv[0]` is what the program sees as its name, `program` what
    is executed; they differ with `@`.
    """

    at: Span
    prefixes: frozenset[str]
    program: SpannedText
    argv: tuple[SpannedText, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A line systemd does not take: the unit is not loaded because of it, unless `-` stands before the program."""

    at: Span
    reason: str
    forgiven: bool = False


def commands(setting: Setting, expand: Expand) -> tuple[Command | Refused, ...]:
    """The commands of one ExecStart= assignment; `;` between blanks separates them (config_parse_exec() in load-fragment.c)."""
    plain = plain_words(setting)
    return split_with_care(setting, expand) if plain is None else of_plain_words(plain, setting.at)


def split_with_care(setting: Setting, expand: Expand) -> tuple[Command | Refused, ...]:
    """The commands of any value."""
    reel = SpannedTextView(written(setting))
    found: list[Command | Refused] = []
    position, more = 0, True
    while more and len(found) < _MOST_COMMANDS:
        position, first, problem = next_word(reel, skip_blanks(reel.text, position))
        if problem:
            # A line whose first word has no end is passed over, the unit is loaded without it.
            found.append(Refused(setting.at, problem, forgiven=True))
            break
        if first is None:
            break
        if first.text == ";":
            continue
        position, more, command = _command(reel, position, first, expand, setting.at)
        found.append(command)
        if isinstance(command, Refused):
            break
    return tuple(found)


def plain_words(setting: Setting) -> tuple[Word, ...] | None:
    """The words of a value on one line without quotes, escapes, specifiers and semicolons, as most are; None for another."""
    if setting.breaks or not ODD.isdisjoint(setting.value):
        return None
    path, line, column = setting.at.path, setting.at.line, setting.at.column
    found = _WORDS.finditer(setting.value)
    return tuple([Word(word[0], Span(path, line, column + word.start(), line, column + word.end())) for word in found])


def of_plain_words(plain: Iterable[Word], at: Span) -> tuple[Command | Refused, ...]:
    """The one command of a value that is just words."""
    argv = [SpannedText((Piece(word.text, word.at, True),), word.at) for word in plain]
    if not argv:
        return ()
    first = argv[0]
    prefixes, length = _prefixes(first.text)
    forgiven = "-" in prefixes
    path = SpannedText(SpannedTextView(first).cut(length, len(first.text)), first.at) if length else first
    problem = _bad_program(path.text)
    if problem:
        return (Refused(path.word().at, problem, forgiven),)
    if "@" not in prefixes:
        argv[0] = path
    elif len(argv) > 1:
        del argv[0]
    else:
        return (Refused(at, "the path after @ is not followed by a program name", forgiven),)
    return (Command(at, prefixes, path, tuple(argv)),)


def _command(reel: SpannedTextView, position: int, first: SpannedText, expand: Expand, at: Span) -> tuple[int, bool, Command | Refused]:
    """One command from its first word on: (where the next begins, whether a `;` promised one, the command)."""
    prefixes, length = _prefixes(first.text)
    forgiven = "-" in prefixes
    path = _expanded(SpannedText(SpannedTextView(first).cut(length, len(first.text)), first.at), expand)
    problem = _bad_program(path.text)
    if problem:
        return position, False, Refused(path.word().at, problem, forgiven)
    argv = [] if "@" in prefixes else [path]
    more = False
    text = reel.text
    end = position
    while True:
        position = skip_blanks(text, position)
        if position >= len(text):
            break
        if text[position] == ";" and ends_word(text, position + 1):
            position, more = position + 1, True
            break
        if text.startswith("\\;", position) and ends_word(text, position + 2):
            argv.append(SpannedText.of(Word(";", reel.span(position, position + 2))))
            position = end = position + 2
            continue
        position, word, problem = next_word(reel, position)
        if problem:
            return position, False, Refused(reel.span(end, len(text)), problem, forgiven)
        if word is None:
            break
        argv.append(_expanded(word, expand))
        end = position
    if not argv or not argv[0].text:
        return position, False, Refused(at, "the path after @ is not followed by a program name", forgiven)
    return position, more, Command(at, prefixes, path, tuple(argv))


def _prefixes(word: str) -> tuple[frozenset[str], int]:
    """The special executable prefixes and how many characters they take (systemd.service(5), table 1)."""
    found: set[str] = set()
    length = 0
    for char in word:
        if char in "-@:" and char not in found:
            found.add(char)
        elif char == "+" and not found & {"+", "!", "!!"}:
            found.add("+")
        elif char == "!" and not found & {"+", "!!"}:
            # The second one turns `!` into `!!`.
            found.symmetric_difference_update({"!", "!!"} if "!" in found else {"!"})
        else:
            break
        length += 1
    return frozenset(found), length


def _bad_program(path: str) -> str:
    if not path:
        return "no program follows the prefixes"
    if not is_safe(path):
        return f"the program's name holds special characters: {path}"
    if path.endswith("/"):
        return f"the program's path is a directory: {path}"
    if not path.startswith("/") and ("/" in path or path in (".", "..") or len(path) > 255):
        return f"neither an absolute path nor the name of a program: {path}"
    return ""


def _expanded(passage: SpannedText, expand: Expand) -> SpannedText:
    """A word after its specifiers; a piece that changes points at all of itself."""
    if "%" not in passage.text:
        return passage
    weaver = SpannedTextBuilder()
    weaver.begin(passage.at)
    reel = SpannedTextView(passage)
    text, position = reel.text, 0
    while position < len(text):
        mark = text.find("%", position)
        if mark < 0 or mark + 1 >= len(text):
            weaver.put_on(reel.cut(position, len(text)))
            break
        weaver.put_on(reel.cut(position, mark))
        weaver.add(expand(text[mark : mark + 2]), reel.span(mark, mark + 2), exact=False)
        position = mark + 2
    return weaver.finish()


# ── variables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _spends_nothing(amount: int, at: Span, what: str) -> bool:
    return True


def substitute(command: Command, environment: Mapping[str, Word], spend: Spend = _spends_nothing) -> tuple[SpannedText, ...]:
    """argv with variables replaced as systemd does when it starts the command (replace_env_argv() in env-util.c).

    `$NAME` as a word of its own becomes the words of its value; `${NAME}` anywhere is replaced as it is; `$$` is a dollar; all else
    stays, so `${NAME:-x}` reaches a shell untouched. Nothing is replaced with the prefix `:`. Where `spend` no longer allows a value,
    all from there on is one unknown argument.
    """
    if ":" in command.prefixes:
        return command.argv
    argv: list[SpannedText] = []
    for argument in command.argv:
        text = argument.text
        if "$" not in text:
            argv.append(argument)
        elif text[0] == "$" and text[1:2] not in ("{", "$"):
            value = environment.get(text[1:])
            if value is None:
                continue
            if spend(COST_OF_A_WORD * (1 + len(value.text.split())), argument.at, f"the value of {text[:_SHOWN]}"):
                argv.extend(_split(value))
            else:
                return (*argv, SpannedText.of(Word(UNKNOWN, argument.at)))
        else:
            replaced = _replaced(argument, environment, spend)
            if replaced is None:
                return (*argv, SpannedText.of(Word(UNKNOWN, argument.at)))
            argv.append(replaced)
    return tuple(argv)


def _split(value: Word) -> tuple[SpannedText, ...]:
    """A variable's value as words; quotes count, a missing one at the end does not matter (EXTRACT_RELAX)."""
    found, _ = words(SpannedText.of(value), relaxed=True)
    return found


def _replaced(argument: SpannedText, environment: Mapping[str, Word], spend: Spend) -> SpannedText | None:
    """A word with what its variables hold; None where that can no longer be spent for."""
    reel = SpannedTextView(argument)
    text, position = reel.text, 0
    weaver = SpannedTextBuilder()
    weaver.begin(argument.at)
    while position < len(text):
        dollar = text.find("$", position)
        if dollar < 0:
            weaver.put_on(reel.cut(position, len(text)))
            break
        weaver.put_on(reel.cut(position, dollar))
        follows = text[dollar + 1 : dollar + 2]
        if follows == "$":
            weaver.add("$", reel.span(dollar, dollar + 2), exact=False)
            position = dollar + 2
            continue
        if follows != "{":
            weaver.put_on(reel.cut(dollar, dollar + 1))
            position = dollar + 1
            continue
        close = dollar + 2
        while close < len(text) and text[close] not in "}:":
            close += 1
        if text[close : close + 1] != "}":
            # Extended syntax is not for systemd: left as it is, and read on from the colon.
            weaver.put_on(reel.cut(dollar, close))
            position = close
            continue
        name = text[dollar + 2 : close]
        value = environment.get(name)
        if value is not None and value.text:
            if not spend(COST_OF_A_WORD + len(value.text), argument.at, f"the value of ${{{name[:_SHOWN]}}}"):
                return None
            weaver.put([piece(value)])
        position = close + 1
    return weaver.finish()
