"""supervisord(1): the programs of supervisord.conf and the files it includes."""

from collections.abc import Iterator, Mapping

from portwright._start.records import dataclass
from portwright.facts import Invocation
from portwright.formats.supervisor import Section, parse
from portwright.numbers import decimal, is_digits
from portwright.source import Word
from portwright.system.processes.spawned import Spawned
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.words import words
from portwright.trees import Files
from portwright.trees.glob import TooMany
from portwright.trees.glob import expand as expand_glob

# supervisor's options.py, default_configfile(), without those beside the program.
_DEFAULTS = ("/etc/supervisord.conf", "/etc/supervisor/supervisord.conf")
_NO = ("false", "no", "0", "off")
_MOST_PROCESSES = 64


@dataclass(frozen=True)
class Config:
    """All sections of a configuration, each with the directory of its file, which `%(here)s` stands for."""

    sections: tuple[tuple[Section, str], ...] = ()

    def value(self, kind: str, key: str) -> Word | None:
        """A setting of the one section of a kind."""
        for section, _ in self.sections:
            if section.header.text == kind and key in section.values:
                return section.values[key]
        return None


def configuration(invocation: Invocation, files: Files) -> Config:
    """What a supervisord reads: the file of -c or the first default there is, then the files of [include]."""
    path = next((given for given in _DEFAULTS if files.kind(given) == "file"), None)
    texts = [word.text for word in invocation.argv]
    for position, text in enumerate(texts):
        if text in ("-c", "--configuration") and position + 1 < len(texts):
            path = texts[position + 1]
        elif text.startswith("--configuration="):
            path = text.partition("=")[2]
    if path is None or UNKNOWN in path:
        return Config()
    path = invocation.path(path)
    sections = list(_sections(path, files))
    included = [section.values["files"] for section, _ in sections if section.header.text == "include" and "files" in section.values]
    taken = {path}
    for pattern in dict.fromkeys(pattern for word in included for pattern in word.text.split()):
        here = path.rpartition("/")[0]
        pattern = pattern.replace("%(here)s", here)
        try:
            found = expand_glob(pattern if pattern.startswith("/") else f"{here}/{pattern}", files)
        except TooMany:
            files.report_unreadable(included[0].at, "the pattern matches too many files")
            continue
        for each in found:
            # A file that is read once more says nothing new.
            if each not in taken:
                taken.add(each)
                sections += _sections(each, files)
    return Config(tuple(sections))


def _sections(path: str, files: Files) -> Iterator[tuple[Section, str]]:
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None:
        return
    sections, troubles = parse(source)
    for trouble in troubles:
        files.report_unreadable(trouble.at, f"supervisor does not start: {trouble.reason}")
    yield from ((section, path.rpartition("/")[0]) for section in sections)


def children(keeper: Invocation, files: Files) -> Iterator[Spawned]:
    """The programs, event listeners and FastCGI programs of a supervisord; it executes each without a shell."""
    config = configuration(keeper, files)
    common = config.value("supervisord", "user")
    base = _environment(config.value("supervisord", "environment"), {})
    for section, here in config.sections:
        command = section.values.get("command")
        if section.kind not in ("program", "eventlistener", "fcgi-program") or command is None:
            continue
        count = section.values.get("numprocs")
        first = section.values.get("numprocs_start")
        start = _number(first, 0)
        wanted = range(start, start + _number(count, 1))
        for number in files.limited(wanted, _MOST_PROCESSES, "processes of one program", lambda _: (count or command).at):  # noqa: B023
            given = {"here": here, "program_name": section.name, "group_name": section.name, "host_node_name": UNKNOWN}
            given |= {f"ENV_{name}": word.text for name, word in {**keeper.environment, **base}.items()}
            argv, _ = words(SpannedText.of(_expanded(command, given, number)))
            if not argv:
                continue
            user = section.values.get("user") or common
            environment = {**base, **_environment(section.values.get("environment"), given, number)}
            directory = section.values.get("directory")
            begins = section.values.get("autostart")
            yield Spawned(
                argv,
                command.at,
                f"supervisor starts it: {section.header.at}",
                user,
                environment,
                _expanded(directory, given, number).text if directory else keeper.directory,
                begins is None or begins.text.lower() not in _NO,
            )


def _number(word: Word | None, other: int) -> int:
    said = None if word is None else decimal(word.text, 99_999)
    return other if said is None else said


def _expanded(word: Word, given: Mapping[str, str], number: int) -> Word:
    """A value with `%(name)s` put in as Python's % operator does; what the files do not tell becomes U+FFFD."""
    text = word.text
    if "%" not in text:
        return word
    parts: list[str] = []
    position = 0
    while (found := text.find("%", position)) >= 0:
        parts.append(text[position:found])
        close = text.find(")", found)
        if text.startswith("%%", found):
            parts.append("%")
            position = found + 2
        elif text.startswith("%(", found) and close > 0:
            end = close + 1
            while end < len(text) and is_digits(text[end]):
                end += 1
            name, width = text[found + 2 : close], text[close + 1 : end]
            if name in ("process_num", "numprocs") and text[end : end + 1] in ("d", "s", "i"):
                wide = decimal(width, 99) or 0
                parts.append(str(number).zfill(wide) if width.startswith("0") else str(number).rjust(wide))
            else:
                parts.append(given.get(name, UNKNOWN))
            position = end + 1
        else:
            parts.append("%")
            position = found + 1
    parts.append(text[position:])
    return Word("".join(parts), word.at)


def _environment(word: Word | None, given: Mapping[str, str], number: int = 0) -> dict[str, Word]:
    """`KEY="value",KEY2=value` (supervisor's datatypes.py, dict_of_key_value_pairs())."""
    found: dict[str, Word] = {}
    if word is None:
        return found
    text, position = _expanded(word, given, number).text, 0
    while position < len(text):
        equals = text.find("=", position)
        if equals < 0:
            break
        name = text[position:equals].strip(" \t\n,")
        start = equals + 1
        if text[start : start + 1] in ("'", '"'):
            end = text.find(text[start], start + 1)
            end = len(text) if end < 0 else end
            found[name] = Word(text[start + 1 : end], word.at)
            position = end + 1
        else:
            end = text.find(",", start)
            end = len(text) if end < 0 else end
            found[name] = Word(text[start:end].strip(), word.at)
            position = end
        comma = text.find(",", position)
        position = len(text) if comma < 0 else comma + 1
    return found
