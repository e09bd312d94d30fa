"""The variables a unit's commands are given: Environment=, EnvironmentFile= and its files, each with the line that set it."""

from collections.abc import Callable, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.facts import Confidence, Setting, Unit, weakest
from portwright.formats import unit as unit_format
from portwright.formats.unit import NOT_UTF8
from portwright.source import Source, Span, Unreadable, Word
from portwright.system.processes.process import is_name
from portwright.system.spanned_text import UNKNOWN, SpannedText, SpannedTextView, written
from portwright.system.systemd.command_line import plain_words
from portwright.system.systemd.conditions import absent
from portwright.system.words import words
from portwright.trees import Files
from portwright.trees.glob import TooMany
from portwright.trees.glob import expand as expand_glob

LONGEST_FILE = 1 << 20
"""Characters of an environment file that are read; a longer one is said to be so."""

_COST_OF_A_VARIABLE = 24  # characters of Files.spend: every command of every unit that names the file keeps it

_NAMED = lazy_regex(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_BLANK = " \t\n\r"
_NEWLINE = "\n\r"
_ESCAPED_IN_QUOTES = '"\\`$'  # SHELL_NEED_ESCAPE
_MANAGER_DIRECTORIES = ("/etc", "/run", "/usr/local/lib", "/usr/lib")


@dataclass(frozen=True)
class Environment:
    """Variables by name; the Word's place is the value's.

    `fails` says why the service is never started, and where: a file it must have is surely not there. `ignored` are the
    assignments that systemd drops, such as `export A=b`. `unknown` is the line that names a file of which nobody can tell what it
    says: made before the start, not in the copy, or there and not read to its end; `unread` says that it is the last.
    """

    variables: Mapping[str, Word]
    fails: tuple[str, Span] | None = None
    ignored: tuple[Unreadable, ...] = ()
    unknown: Span | None = None
    unread: bool = False

    def of_words(self, text: str) -> dict[str, Word]:
        """The variables for a command of these words: those that it names and an unknown file may set are unknown, not unset."""
        if self.unknown is None:
            return {}
        return {found[1]: Word(UNKNOWN, self.unknown) for found in _NAMED.finditer(text) if found[1] not in self.variables}

    def at_most(self, confidence: Confidence) -> Confidence:
        """How sure what a program does is that may look at its variables: one that an unread file may set counts as unset there."""
        return weakest(confidence, "possible") if self.unread else confidence


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """An environment file as systemd reads it: (name, value) in the order written, and what it drops; `is_cut`: its end was not read.

    `refused` is the place for which systemd takes nothing of it: a byte of a name or value that is no UTF-8, a NUL.
    """

    assignments: tuple[tuple[Word, Word], ...]
    ignored: tuple[Unreadable, ...] = ()
    is_cut: bool = False
    refused: Unreadable | None = None


def environment(unit: Unit, files: Files, expand: Callable[[str], str]) -> Environment:
    """The variables the unit's commands are given, as far as files say them; `expand` puts in specifiers.

    systemd.exec(5): a later assignment wins, files win over Environment=, both over DefaultEnvironment= of the manager;
    UnsetEnvironment= comes last. What systemd sets by itself (PATH, HOME, USER, ...) is not here.
    """
    section = unit.kind.capitalize()
    found = dict(files.once(_of_the_manager))
    ignored: list[Unreadable] = []
    fails: tuple[str, Span] | None = None
    unknown: Span | None = None
    unread = False
    for setting in unit.each(section, "Environment"):
        found |= _assigned(setting, expand, ignored)
    for setting in unit.each(section, "EnvironmentFile"):
        optional, path = setting.value.startswith("-"), expand(setting.value.removeprefix("-"))
        if not path.startswith("/"):
            ignored.append(Unreadable(setting.at, "systemd ignores it: not an absolute path"))
            continue
        try:
            paths = expand_glob(path, files)
        except TooMany:
            files.report_unreadable(setting.at, "the pattern matches too many files")
            unknown, unread = setting.at, True
            continue
        for each in paths:
            if files.kind(each) == "directory" and not optional and fails is None:
                fails = (f"{each} is a directory, and systemd does not start {unit.name} without the file", setting.at)
                continue
            document = _read(each, files, setting)
            if document is None or document.is_cut:
                unknown, unread = setting.at, True
            if document is not None:
                found |= {name.text: value for name, value in document.assignments}
                ignored += document.ignored
                if document.refused is not None:
                    files.report_unreadable(document.refused.at, document.refused.reason)
                    if not optional and fails is None:
                        fails = (f"systemd cannot read {each}, and does not start {unit.name} without it", setting.at)
        if not paths and (files.partial or absent(path, files) is None or (optional and _is_made(unit, path))):
            unknown = setting.at
        # What a repository does not hold is not known to be absent.
        if not paths and not optional and fails is None and not files.partial and absent(path, files) is False:
            fails = (f"{path} is not there, and systemd does not start {unit.name} without it", setting.at)
    for setting in unit.each(section, "UnsetEnvironment"):
        for word in words(written(setting))[0]:
            name, equals, text = expand(word.text).partition("=")
            if name in found and (not equals or found[name].text == text):
                del found[name]
    return Environment(found, fails, tuple(ignored), unknown, unread)


def _read(path: str, files: Files, setting: Setting) -> EnvironmentFile | None:
    """A file that is there; None where what it says is not known, which is then said."""
    source = files.read(path)
    if source is None:
        return None
    known = files.once(_parsed)
    variables = len(known[path].assignments) if path in known else source.text.count("=", 0, LONGEST_FILE)
    if not files.spend(_COST_OF_A_VARIABLE * variables, setting.at, f"what {path} says"):
        return None
    document = known[path] = known.get(path) or parse(source)
    if document.is_cut:
        files.report_limit(source.span(LONGEST_FILE, LONGEST_FILE), LONGEST_FILE, "characters in an environment file")
    return document


def _is_made(unit: Unit, path: str) -> bool:
    """Whether a command before the start names this file: it is read anew for each command (exec_context_load_environment())."""
    return any(path in setting.value for setting in unit.each("Service", "ExecStartPre"))


def _parsed(files: Files) -> dict[str, EnvironmentFile]:
    """The environment files that were parsed, by path: many units may name one."""
    return {}


def _assigned(setting: Setting, expand: Callable[[str], str], ignored: list[Unreadable]) -> dict[str, Word]:
    """The assignments of one Environment= line; a word systemd cannot read ends it (config_parse_environ())."""
    found: dict[str, Word] = {}
    plain = plain_words(setting)
    if plain is not None:
        for word in plain:
            name, equals, text = word.text.partition("=")
            if not equals or not is_name(name) or not _is_value(text):
                ignored.append(Unreadable(word.at, "systemd ignores it: not an assignment to a variable"))
                continue
            at = word.at
            found[name] = Word(text, Span(at.path, at.line, at.end_column - len(text), at.line, at.end_column) if text else at)
        return found
    parts, problem = words(written(setting))
    for part in parts:
        name, equals, text = part.text.partition("=")
        value = expand(text)
        if not equals or not is_name(name := expand(name)) or not _is_value(value):
            ignored.append(Unreadable(part.word().at, "systemd ignores it: not an assignment to a variable"))
            continue
        start = len(part.text) - len(text)
        tail = SpannedText(SpannedTextView(part).cut(start, len(part.text)), part.word().at)
        found[name] = Word(value, tail.word().at)
    if problem:
        ignored.append(Unreadable(setting.at, f"systemd ignores the rest of this line: {problem}"))
    return found


def _of_the_manager(files: Files) -> dict[str, Word]:
    """DefaultEnvironment= of systemd-system.conf(5), which every service is given before its own variables."""
    paths: dict[str, str] = {}
    for top in _MANAGER_DIRECTORIES:
        directory = f"{top}/systemd/system.conf.d"
        for name in files.names(directory):
            if name.endswith(".conf") and not name.startswith("."):
                paths.setdefault(name, f"{directory}/{name}")
    main = (f"{top}/systemd/system.conf" for top in _MANAGER_DIRECTORIES)
    settings: list[Setting] = []
    for path in (*[each for each in main if files.kind(each) == "file"][:1], *(paths[name] for name in sorted(paths))):
        source = files.read(path)
        for setting in () if source is None else unit_format.parse(source).settings:
            if setting.section == "Manager" and setting.key == "DefaultEnvironment":
                if setting.value:
                    settings.append(setting)
                else:
                    settings.clear()
    found: dict[str, Word] = {}
    for setting in settings:
        found |= _assigned(setting, lambda text: text, [])
    return found


def parse(source: Source) -> EnvironmentFile:
    """Read an environment file as parse_env_file_internal() does (systemd's env-file.c): not shell, though it looks like it.

    Quotes count at the start of a value only, and again after a closing one; a quoted value may span lines; a backslash at a line's
    end joins the next line, in comments too.
    """
    text = source.text[:LONGEST_FILE]
    if "\0" in text:
        return _refused(source, text.index("\0"), "a NUL")
    is_utf8 = text.isascii() or NOT_UTF8.search(text) is None
    assignments: list[tuple[Word, Word]] = []
    ignored: list[Unreadable] = []
    position, end = 0, len(text)
    while position < end:
        char = text[position]
        if char in _BLANK:
            position += 1
        elif char in "#;":
            position = _past_comment(text, position)
        else:
            start = position
            while position < end and text[position] not in "=\n\r":
                position += 1
            key = text[start:position].rstrip(_BLANK)
            key_at = (start, start + len(key))
            if position >= end or text[position] != "=":
                ignored.append(Unreadable(source.span(*key_at), "systemd ignores it: no `=` in the line"))
                continue
            value, at, position = _value(text, position + 1)
            if not is_utf8 and (strange := NOT_UTF8.search(text, start, position)) and NOT_UTF8.search(key + value):
                return _refused(source, strange.start(), "a character that is not UTF-8")
            if not is_name(key):
                ignored.append(Unreadable(source.span(*key_at), "systemd ignores it: not a variable's name"))
            else:
                assignments.append((Word(key, source.span(*key_at)), Word(value, source.span(*at))))
    if len(source.text) > LONGEST_FILE and assignments:
        assignments.pop()  # its value may go on
    return EnvironmentFile(tuple(assignments), tuple(ignored), len(source.text) > LONGEST_FILE)


def _refused(source: Source, offset: int, what: str) -> EnvironmentFile:
    reason = f"{what}: systemd takes nothing of this environment file"
    return EnvironmentFile((), refused=Unreadable(source.span(offset, offset + 1), reason))


def _past_comment(text: str, position: int) -> int:
    while position < len(text) and text[position] not in _NEWLINE:
        position += 2 if text[position] == "\\" else 1
    return position


def _value(text: str, position: int) -> tuple[str, tuple[int, int], int]:
    """(value, the offsets it was written at without its quotes, the offset after its line)."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []  # where the parts stand
    keep = 0  # parts up to here survive the removal of blanks at the end
    end = len(text)
    plain = False  # past the first character of an unquoted stretch: quotes are text now
    first = position
    while position < end:
        char = text[position]
        if char in _NEWLINE:
            break
        if char == "\\":
            plain = True
            if position + 1 < end and text[position + 1] not in _NEWLINE:
                parts.append(text[position + 1])
                places.append((position, position + 2))
            keep = len(parts)
            position += 2
        elif char in "\"'" and not plain:
            position = _quoted(text, position, parts, places)
            keep = len(parts)
        elif char in _BLANK and not plain:
            position += 1
        else:
            plain = True
            parts.append(char)
            places.append((position, position + 1))
            if char not in _BLANK:
                keep = len(parts)
            position += 1
    del parts[keep:], places[keep:]
    at = (places[0][0], places[-1][1]) if places else (_skip_blanks(text, first),) * 2
    return "".join(parts), at, position


def _quoted(text: str, position: int, parts: list[str], places: list[tuple[int, int]]) -> int:
    """Read a quoted stretch of a value; the offset after its closing quote, or the text's end."""
    quote, end = text[position], len(text)
    position += 1
    while position < end and text[position] != quote:
        start, char = position, text[position]
        position += 1
        if char == "\\" and quote == '"':
            if position >= end:
                break
            following = text[position]
            position += 1
            if following == "\n":
                continue
            char = following if following in _ESCAPED_IN_QUOTES else f"\\{following}"
        parts.append(char)
        places.append((start, position))
    return min(position + 1, end)


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t":
        position += 1
    return position


def _is_value(text: str) -> bool:
    """env_value_is_valid(): any UTF-8, control characters too."""
    return text.isascii() or NOT_UTF8.search(text) is None
