"""Shell scripts: files that `cat <<EOF`, `tee`, `echo` and `printf` write under absolute paths, and the settings that `sysctl -w` makes."""

import re
from collections.abc import Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.deployers.placed import LONGEST, Pages, Placed
from portwright.system.spanned_text import UNKNOWN

_HERE = lazy_regex(r"<<(-?)[ \t]*(['\"]?)([A-Za-z_][\w.-]{0,63})\2")
_PATH = r"[\"']?([/$][^\s\"'|;&<>()]{1,400})[\"']?"
_TO = lazy_regex(rf"(>>?)[ \t]*{_PATH}")
_TEE = lazy_regex(rf"\btee[ \t]+((?:-a|--append)[ \t]+)?{_PATH}")
_WORD = r"[^\s\"'|;&<>]{1,400}"
_SAYS = lazy_regex(
    r"(?:^|[;&|({ \t])(?:echo(?:[ \t]+-[enE]+)*|printf)[ \t]+"
    rf"(?:\"((?:[^\"\\]|\\.){{0,2000}})\"|'([^']{{0,2000}})'|({_WORD}(?:[ \t]+{_WORD}){{0,20}}))"
)
_VALUE = r"(?:\"[^\"]{0,400}\"|'[^']{0,400}'|[^\s;|&<>]{1,400})"
_SET = lazy_regex(rf"(?:^|[;&|({{ \t])sysctl((?:[ \t]+(?:-[a-zA-Z]+|--[a-z-]+|[\w./*-]{{3,200}}={_VALUE}))+)")
_PAIR = lazy_regex(r"([\w./*-]{3,200})=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_DECLARES = r"(?:(?:export|readonly|local|declare)[ \t]+)?([A-Za-z_]\w{0,63})"
_ASSIGNED = lazy_regex(
    rf"[ \t]*{_DECLARES}=(?:\"([^\"$`\\]{{0,400}})\"|'([^']{{0,400}})'|([^\s\"'$`;&|<>()]{{0,400}}))[ \t]*(?:#.*)?"
)
_CHANGED = lazy_regex(rf"(?:^|[;&|({{ \t]){_DECLARES}(?:\+?=|\[)|\b(?:read|for)[ \t]+(?:-\w+[ \t]+)*([A-Za-z_]\w{{0,63}})")
_VARIABLE = lazy_regex(
    r"\\(.)|\$\{([A-Za-z_]\w{0,63})\}|\$([A-Za-z_]\w{0,63})|\$\{[^}\n]{0,400}\}|\$\([^\n)]{0,400}\)|`[^`\n]{0,400}`|\$[0-9@*#?!]"
)


def placed(label: str, text: str) -> tuple[Placed, ...]:
    """The files that a script writes, and one of sysctl.d for what it sets itself, which holds once it was run."""
    pages = Pages()
    write(text, pages, f"/etc/sysctl.d/zz-{label.replace('/', '-')}.conf")
    return pages.placed()


def write(text: str, pages: Pages, settings: str) -> None:
    """Put what a script writes into `pages`, and what it sets with sysctl(8) into the file `settings`."""
    lines = text[:LONGEST].split("\n")
    known = _variables(lines)
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.lstrip().startswith("#"):
            continue
        here = _HERE.search(line)
        target = _target(line, known)
        if here is not None:
            body, number = _body(lines, number, here[3], bool(here[1]))
            if target is not None:
                inside = [(at, each if here[2] else _filled(each, known)) for at, each in body]
                pages.write(target[0], inside, target[1])
            continue
        if target is not None and (said := _SAYS.search(line)) is not None:
            path, append = target
            quote = next(group for group in (1, 2, 3) if said[group] is not None)
            words = (said[2] if quote == 2 else _filled(said[quote], known)).replace("\\n", "\n").split("\n")[0]
            if path.startswith("/proc/sys/"):
                words = f"{path.removeprefix('/proc/sys/').replace('/', '.')} = {words}"
                path, append = settings, True
            pages.write(path, [(number, " " * said.start(quote) + words)], append)
        for found in _SET.finditer(line):
            for pair in _PAIR.finditer(found[1]):
                value = pair[3] if pair[3] is not None else _filled(pair[2] if pair[2] is not None else pair[4], known)
                at = found.start(1) + pair.start()
                pages.write(settings, [(number, " " * at + f"{pair[1]} = {value}")], True)


def _target(line: str, known: Mapping[str, str]) -> tuple[str, bool] | None:
    """(path, whether it is appended to) of what a line writes; None where it writes no file whose path is known."""
    tee = _TEE.search(line)
    if tee is not None:
        path, append = _filled(tee[2], known), tee[1] is not None
    else:
        found = next((each for each in _TO.finditer(line) if line[each.start() - 1 : each.start()] not in ("2", "&", "<", "-", "=")), None)
        if found is None:
            return None
        path, append = _filled(found[2], known), found[1] == ">>"
    return (path, append) if path.startswith("/") and UNKNOWN not in path and not path.startswith("/dev/") else None


def _body(lines: list[str], start: int, end: str, tabs: bool) -> tuple[list[tuple[int, str]], int]:
    """The lines of a here-document, and the index of the line behind its end."""
    found: list[tuple[int, str]] = []
    at = start
    while at < len(lines) and (lines[at].lstrip("\t") if tabs else lines[at]) != end:
        found.append((at + 1, lines[at]))
        at += 1
    return found, at + 1


def _variables(lines: list[str]) -> Mapping[str, str]:
    """The variables that a script gives one value, in a line of its own, and never another."""
    known: dict[str, str] = {}
    several: set[str] = set()
    for line in lines:
        found = _ASSIGNED.fullmatch(line)
        if found is not None and found[1] not in known:
            known[found[1]] = next(each for each in (found[2], found[3], found[4]) if each is not None)
        else:
            several.update(name for change in _changes(line) for name in change if name)
    return {name: value for name, value in known.items() if name not in several}


def _changes(line: str) -> Iterator[tuple[str | None, str | None]]:
    return ((each[1], each[2]) for each in _CHANGED.finditer(line))


def _filled(text: str, known: Mapping[str, str]) -> str:
    """A text with its variables filled in, U+FFFD for those that are not known, and for what a command would print."""

    def value(found: re.Match[str]) -> str:
        escaped, braced, bare = found.groups()
        if escaped is not None:
            return escaped if escaped in "$`\\\"" else f"\\{escaped}"
        return known.get(braced or bare or "", UNKNOWN)

    return _VARIABLE.sub(value, text)
