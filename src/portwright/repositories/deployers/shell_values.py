"""What the words of a script come to, as far as the script itself and its place in the repository tell."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.formats import shell, shell_tree
from portwright.formats.shell import Argument, Parameter, Part, Text
from portwright.numbers import based, decimal, is_digits
from portwright.repositories.deployers.placed import Line
from portwright.repositories.deployers.shell_state import DEEPEST, State
from portwright.repositories.deployers.shell_text import (
    CHECKOUT,
    LONGEST_VALUE,
    MOST_PIECES,
    Piece,
    ScriptText,
    Value,
    at,
    known,
    split,
    text_of,
    used,
)
from portwright.system.spanned_text import UNKNOWN

MOST_WORDS_OF_BRACES = 64
_SEQUENCE = lazy_regex(r"([^{}]{0,200})\{([0-9]{1,5})\.\.([0-9]{1,5})\}([^{}]{0,200})")
_BRACES = lazy_regex(r"([^{}]{0,400})\{([^{}]{1,400},[^{}]{0,400})\}([^{}]{0,400})")
_ELEMENT = lazy_regex(r"\$\{([A-Za-z_]\w{0,63})\[([^\]$`]{1,64})\]\}")
_ESCAPE = lazy_regex(r"\\(?:([abefnrtv\\'\"?])|x([0-9A-Fa-f]{1,2})|0?([0-7]{1,3}))")
_ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LONGEST_PATTERN = 64
_LONGEST_TRIMMED = 400
_TEMPORARY = "/tmp/\x02"  # noqa: S108  what no other path begins with


def parameter(run: State, text: ScriptText, part: Parameter, place: Piece) -> Value:
    """`$name`, `${name:-default}` and their like; U+FFFD for what nobody knows."""
    unknown = (replace(place, text=UNKNOWN),)
    value = _plain(run, part.name, place)
    operator = part.operator
    if not operator:
        return unknown if value is None else value
    if operator == "length":
        return (replace(place, text=str(len(text_of(value)))),) if value is not None and known(value) else unknown
    if operator.startswith("["):
        items = run.arrays.get(part.name)
        return unknown if items is None else tuple(piece for number, item in enumerate(items) for piece in _joined(item, number, place))
    operand = expanded(run, text, part.operand)
    if operator in (":-", "-", ":=", "="):
        # What whoever runs the script may have set is not known; what it says itself is.
        is_set = value is not None and (text_of(value) != "" or operator in ("-", "="))
        if value is not None and is_set and (text_of(value) != UNKNOWN or part.name in run.doubtful):
            return value
        if operator in (":=", "="):
            run.variables[part.name] = operand
        return operand
    if operator in (":+", "+"):
        return operand if value is not None and text_of(value) else () if value is not None else unknown
    if operator in (":?", "?"):
        return unknown if value is None else value
    if value is None or not known(value) or not known(operand):
        return unknown
    return _changed(value, operator, text_of(operand), place)


def _joined(item: Value, number: int, place: Piece) -> Value:
    return (*((replace(place, text=" "),) if number else ()), *used(item, place))


def _plain(run: State, name: str, place: Piece) -> Value | None:
    """A parameter's value, None where nothing sets it."""
    if is_digits(name):
        if name == "0":
            return (replace(place, text=f"{CHECKOUT}/{run.pages.label}"),)
        if run.arguments is None or (index := decimal(name, 999)) is None:
            return None
        index -= 1
        return run.arguments[index] if index < len(run.arguments) else ()
    if name in ("@", "*"):
        if run.arguments is None:
            return None
        return tuple(piece for number, item in enumerate(run.arguments) for piece in _joined(item, number, place))
    if name == "#":
        return None if run.arguments is None else (replace(place, text=str(len(run.arguments))),)
    if name in ("?", "!", "$", "-"):
        return None
    value = run.variables.get(name)
    if value is not None:
        return used(value, place)
    items = run.arrays.get(name)
    if items:
        return used(items[0], place)
    if name == "BASH_SOURCE":
        return (replace(place, text=f"{CHECKOUT}/{run.pages.label}"),)
    if name in ("PWD", "OLDPWD"):
        return (replace(place, text=run.directory),) if run.directory else None
    return None


def _changed(value: Value, operator: str, pattern: str, place: Piece) -> Value:
    """A value with something cut off, exchanged or in other letters."""
    text = text_of(value)
    unknown = (replace(place, text=UNKNOWN),)
    if operator in ("#", "##", "%", "%%"):
        if len(pattern) > _LONGEST_PATTERN or pattern.count("*") > 3 or len(text) > _LONGEST_TRIMMED:
            return unknown
        places = range(len(text) + 1)
        if operator in ("#", "##"):
            ends = [end for end in places if fnmatchcase(text[:end], pattern)]
            text = text[(ends[0] if operator == "#" else ends[-1]) :] if ends else text
        else:
            begins = [begin for begin in places if fnmatchcase(text[begin:], pattern)]
            text = text[: (begins[-1] if operator == "%" else begins[0])] if begins else text
    elif operator in ("/", "//"):
        found, _, instead = pattern.partition("/")
        if not found or any(sign in found for sign in "*?[#%\\"):
            return unknown
        text = text.replace(found, instead, 1 if operator == "/" else -1)
    elif operator in ("^^", ",,") and not pattern:
        text = text.upper() if operator == "^^" else text.lower()
    elif operator in ("^", ",") and not pattern:
        text = (text[:1].upper() if operator == "^" else text[:1].lower()) + text[1:]
    elif operator == ":" and pattern and all(is_digits(each) for each in pattern.split(":", 1)) and len(pattern) < 12:
        begin, _, length = pattern.partition(":")
        text = text[decimal(begin) or 0 :][: decimal(length) if length else None]
    else:
        return unknown
    return at(value, text) if value else split(text, place)


def _printed(run: State, inner: str, place: Piece) -> Value | None:
    """What the commands of a substitution print; None where nobody knows."""
    tree = shell_tree.parse(inner)
    steps = [step for step in tree.steps if isinstance(step.command, shell_tree.Simple) and step.command.words]
    if tree.broken or len(steps) != len(tree.steps) or not steps or len(steps) > 4:
        return None
    text = ScriptText([Line(line, place.source, place.number, place.column - 1) for line in inner.split("\n")])
    out: str | None = None
    directory = run.directory
    for step in steps:
        command = step.command
        if not isinstance(command, shell_tree.Simple):
            return None
        if step.after == "||":
            continue
        words = [text_of(each) for word in command.words for each in words_of(run, text, word)]
        if any(redirect.operator.startswith("<") for redirect in command.redirects):
            return _of_body(run, text, tree, command, place)
        if not words:
            return None
        if words[0] == "cd":
            directory = folder(directory, words[-1]) if len(words) > 1 else ""
            out = ""
            continue
        out = f"{_TEMPORARY}{place.number}" if words[0] == "mktemp" else _prints(words, directory, out if step.after == "|" else None)
        if out is None:
            return None
    return None if out is None else split(out.rstrip("\n"), place)


def _of_body(run: State, text: ScriptText, tree: shell_tree.Tree, command: shell_tree.Simple, place: Piece) -> Value | None:
    """`cat <<EOF` in a substitution."""
    body = next((each.body for each in command.redirects if each.body >= 0), -1)
    if body < 0 or command.words[0].plain != "cat" or len(command.words) != 1:
        return None
    held = tree.bodies[body]
    value = text.text[held.start : held.end]
    parts = (Text(value, 0, len(value), True),) if held.literal else shell_tree.here_document(value)
    inside = ScriptText([Line(line, place.source, place.number + 1 + number) for number, line in enumerate(value.split("\n"))])
    return expanded(run, inside, parts)


def _prints(words: list[str], directory: str, stdin: str | None) -> str | None:
    name, rest = words[0].rpartition("/")[2], words[1:]
    plain = [word for word in rest if not word.startswith("-")]
    if name in ("echo", "printf") and not any("%" in word or "\\" in word for word in rest):
        return " ".join(plain)
    if name == "pwd":
        return directory or None
    if name == "dirname" and len(plain) == 1:
        return plain[0].rpartition("/")[0] or "." if UNKNOWN not in plain[0] else None
    if name == "basename" and plain and UNKNOWN not in plain[0]:
        last = plain[0].rstrip("/").rpartition("/")[2]
        return last.removesuffix(plain[1]) if len(plain) > 1 else last
    if name in ("readlink", "realpath") and plain:
        return folder(directory, plain[-1]) or None
    if name == "cat" and not rest:
        return stdin
    if name == "xargs" and stdin is not None and len(rest) == 1:
        return _prints([rest[0], stdin.strip()], directory, None)
    return None


def folder(directory: str, path: str) -> str:
    """A path from a directory, without `.` and `..`; "" where it is not known."""
    if UNKNOWN in path or (not path.startswith(("/", CHECKOUT)) and not directory):
        return path if path.startswith(CHECKOUT) and UNKNOWN not in path else ""
    whole = path if path.startswith(("/", CHECKOUT)) else f"{directory}/{path}"
    parts: list[str] = []
    for part in whole.split("/"):
        if part == "..":
            if len(parts) < 2:
                return ""
            parts.pop()
        elif part != "." and (part or not parts):
            parts.append(part)
    return "/".join(parts) or "/"


def expanded(run: State, text: ScriptText, parts: Sequence[Part]) -> Value:
    """What a word, or a here-document, says."""
    found: list[Piece] = []
    size = 0
    for part in parts:
        for piece in _part(run, text, part):
            size += len(piece.text)
            found.append(piece)
        if size > LONGEST_VALUE or len(found) > MOST_PIECES:
            return (replace(text.place(part.start), text=UNKNOWN),)
    return tuple(found)


def words_of(run: State, text: ScriptText, word: Argument) -> list[Value]:
    """The words that one becomes: what an unquoted parameter holds is split."""
    plain = word.plain
    if plain is not None and "{" in plain and not any(part.quoted for part in word.parts):
        several = _braces(plain)
        if several:
            return [(replace(text.place(word.start), text=each),) for each in several]
    found: list[list[Piece]] = []
    open_field: list[Piece] | None = None
    for part in word.parts:
        if isinstance(part, Parameter) and part.operator.startswith("[") and part.name in run.arrays:
            items = run.arrays[part.name]
            for number, item in enumerate(items):
                if number or open_field is None:
                    open_field = list(used(item, text.place(part.start)))
                    found.append(open_field)
                else:
                    open_field += used(item, text.place(part.start))
            continue
        if isinstance(part, Parameter) and part.name in ("@", "*") and not part.operator and run.arguments is not None:
            for number, item in enumerate(run.arguments):
                if number or open_field is None:
                    open_field = list(item)
                    found.append(open_field)
                else:
                    open_field += item
            continue
        value = _part(run, text, part)
        whole = text_of(value)
        if isinstance(part, Text) or part.quoted or not (" " in whole or "\t" in whole or "\n" in whole):
            if not value and not part.quoted:
                continue
            if open_field is None:
                open_field = []
                found.append(open_field)
            open_field += value
            continue
        for number, each in enumerate(_split(value)):
            if number or open_field is None:
                open_field = []
                found.append(open_field)
            open_field += each
    if not found and word.parts and any(part.quoted for part in word.parts):
        return [()]
    return [tuple(each) for each in found]


def _part(run: State, text: ScriptText, part: Part) -> Value:
    if isinstance(part, Text):
        return _literal(text, part)
    place = text.place(part.start)
    if isinstance(part, Parameter):
        return parameter(run, text, part, place)
    if isinstance(part, shell.Arithmetic):
        number = shell.arithmetic(part.expression, lambda name: _number_of(run, name))
        return (replace(place, text=UNKNOWN if number is None else str(number)),)
    raw = text.text[part.start : part.end]
    if raw.startswith("$'"):
        return split(unescaped(raw[2:-1]), place)
    if raw.startswith('$"'):
        return (replace(place, text=raw[2:-1]),)
    if (element := _ELEMENT.fullmatch(raw)) is not None:
        return _element(run, element[1], element[2], place)
    inner = raw[2:-1] if raw.startswith("$(") else raw[1:-1] if raw.startswith("`") else ""
    return _substituted(run, inner, place)


def _element(run: State, name: str, index: str, place: Piece) -> Value:
    if name == "BASH_SOURCE":
        return (replace(place, text=f"{CHECKOUT}/{run.pages.label}"),)
    items = run.arrays.get(name)
    number = decimal(index)
    if items is not None and number is not None and number < len(items):
        return used(items[number], place)
    found = run.variables.get(f"{name}[{index}]")
    return (replace(place, text=UNKNOWN),) if found is None else used(found, place)


def _number_of(run: State, name: str) -> str | None:
    """A variable's text for arithmetic, None where nobody knows it."""
    value = run.variables.get(name)
    return None if value is None or not known(value) else text_of(value)


def _substituted(run: State, inner: str, place: Piece) -> Value:
    """What a command substitution prints, with the place of the substitution."""
    unknown = (replace(place, text=UNKNOWN),)
    if not inner.strip() or run.depth >= DEEPEST or len(inner) > 2000:
        return unknown
    answer = _printed(run, inner, place)
    return unknown if answer is None else answer


def _literal(text: ScriptText, part: Text) -> Value:
    """A part's text where it is written, quotes and backslashes gone."""
    start = part.start
    in_quotes = part.quoted and text.text.startswith("'", start) and text.text.startswith(part.text, start + 1)
    if in_quotes or (text.text.startswith("\\", start) and part.end - start == 2):
        start += 1
    return text.said(part.text, start) if part.text else ()


def _split(value: Value) -> Iterator[Value]:
    """A value split at blanks and ends of lines."""
    field: list[Piece] = []
    for piece in value:
        column = piece.column
        for number, word in enumerate(_blanks_split(piece.text)):
            if number % 2:
                if field:
                    yield tuple(field)
                    field = []
            elif word:
                field.append(replace(piece, text=word, column=column))
            column += 0 if piece.passed else len(word)
    if field:
        yield tuple(field)


def _blanks_split(text: str) -> list[str]:
    """Words at even places, what stands between them at odd ones."""
    found, begin, blank = [], 0, False
    for index, char in enumerate(text):
        if (char in " \t\n") != blank:
            found.append(text[begin:index])
            begin, blank = index, not blank
    found.append(text[begin:])
    return found


def _braces(plain: str) -> list[str]:
    """What bash makes of `a{b,c}` and `a{1..3}`; nothing for other words."""
    sequence = _SEQUENCE.fullmatch(plain)
    if sequence is not None:
        low, high = decimal(sequence[2]) or 0, decimal(sequence[3]) or 0
        if low <= high < low + MOST_WORDS_OF_BRACES:
            return [f"{sequence[1]}{number}{sequence[4]}" for number in range(low, high + 1)]
        return []
    several = _BRACES.fullmatch(plain)
    return [f"{several[1]}{each}{several[3]}" for each in several[2].split(",")][:MOST_WORDS_OF_BRACES] if several is not None else []


def unescaped(text: str) -> str:
    """A text with the escapes of `echo -e`, printf(1) and `$'...'` undone."""
    if "\\" not in text:
        return text

    def instead(found: re.Match[str]) -> str:
        letter, hexadecimal, octal = found.groups()
        if letter is not None:
            return _ESCAPES.get(letter, letter)
        code = based(octal, 8) if hexadecimal is None else based(hexadecimal, 16)
        return chr((code or 0) & 255)

    return _ESCAPE.sub(instead, text)
