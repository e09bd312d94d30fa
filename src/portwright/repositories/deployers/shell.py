"""Shell scripts: files that `cat <<EOF`, `tee`, `echo` and `printf` write under absolute paths, and the settings that `sysctl -w` makes."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages
from portwright.system.spanned_text import UNKNOWN

_HERE = lazy_regex(r"(?<!<)<<(?!<)-?[ \t]*(['\"]?)([A-Za-z_][\w.-]{0,63})\1")
_PATH = r"[\"']?([/$][^\s\"'|;&<>()]{1,400})[\"']?"
_TO = lazy_regex(rf"(>>?)[ \t]*{_PATH}")
_TEE = lazy_regex(rf"\btee[ \t]+((?:-a|--append)[ \t]+)?{_PATH}")
_WORD = r"[^\s\"'|;&<>]{1,400}"
_SAYS = lazy_regex(
    r"(?:^|[;&|({ \t])(?:echo(?:[ \t]+-[enE]+)*|printf)[ \t]+"
    rf"(?:\"((?:[^\"\\]|\\.){{0,2000}})\"|'([^']{{0,2000}})'|({_WORD}(?:[ \t]+{_WORD}){{0,20}}))"
)
_KEY = r"[\w./*-]{3,200}"
_VALUE = r"(?:\"[^\"]{0,400}\"|'[^']{0,400}'|[^\s;|&<>\"']{1,400})"
_WHOLE = rf"(?:{_KEY}={_VALUE}|\"{_KEY}=[^\"]{{0,400}}\"|'{_KEY}=[^']{{0,400}}')"
_SET = lazy_regex(rf"(?:^|[;&|({{ \t])sysctl((?:[ \t]+(?:-[a-zA-Z]+|--[a-z-]+|{_WHOLE}))+)")
_PAIR = lazy_regex(rf"\"({_KEY})=([^\"]*)\"|'({_KEY})=([^']*)'|({_KEY})=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_KEY_AND_VALUE = ((1, 3, 5), (2, 4, 6, 7, 8))  # the groups of _PAIR
_IN_SINGLE_QUOTES = (4, 7)
_DECLARES = r"(?:(?:export|readonly|local|declare)[ \t]+)?([A-Za-z_]\w{0,63})"
_ASSIGNED = lazy_regex(rf"[ \t]*{_DECLARES}=(?:\"([^\"$`\\]{{0,400}})\"|'([^']{{0,400}})'|([^\s\"'$`;&|<>()]{{0,400}}))[ \t]*(?:#.*)?")
_CHANGED = lazy_regex(rf"(?:^|[;&|({{ \t]){_DECLARES}(?:\+?=|\[)|\b(?:read|for)[ \t]+(?:-\w+[ \t]+)*([A-Za-z_]\w{{0,63}})")
_VARIABLE = lazy_regex(
    r"\\(.)|\$\{([A-Za-z_]\w{0,63})\}|\$([A-Za-z_]\w{0,63})|\$\{[^}\n]{0,400}\}|\$\([^\n)]{0,400}\)|`[^`\n]{0,400}`|\$[0-9@*#?!]"
)


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """The files that a script writes, and one of sysctl.d for what it sets itself, which holds once it was run."""
    pages = Pages(label, cut=len(text) > LONGEST)
    write([Line(each, label, number) for number, each in enumerate(text[:LONGEST].split("\n"), 1)], pages)
    return pages.deployed()


def write(script: Sequence[Line], pages: Pages) -> None:
    """Put what a script writes, and what it sets with sysctl(8) or below /proc/sys, into `pages`."""
    lines = [line.text for line in script]
    known, ends = _variables(lines), _ends(lines)
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        at = script[number - 1]
        if line.lstrip().startswith("#") or not line.strip():
            pages.understood.add(at.number)
            continue
        here = _HERE.search(line)
        target = _target(line, known)
        end = None if here is None else _first_from(number, ends.get(here[2], []))
        # Nothing ends what is no here-document, as the `<<` of arithmetic.
        if here is not None and end is not None:
            if target is not None:
                inside = (
                    Line(each.text if here[1] else _filled(each.text, known), each.source, each.number, each.shift)
                    for each in script[number:end]
                )
                pages.write(target[0], inside, target[1])
            number = end + 1
            continue
        if target is not None and (said := _SAYS.search(line)) is not None:
            path, append = target
            quote = next(group for group in (1, 2, 3) if said[group] is not None)
            words = (said[2] if quote == 2 else _filled(said[quote], known)).replace("\\n", "\n").removesuffix("\n")
            column = at.shift + said.start(quote) + 1
            if path.startswith("/proc/sys/"):
                pages.set(at.number, column, path.removeprefix("/proc/sys/").replace("/", "."), words, at.source)
            else:
                pages.write(path, [Line(each, at.source, at.number, column - 1) for each in words.split("\n")], append)
        for found in _SET.finditer(line):
            for pair in _PAIR.finditer(found[1]):
                key, value = (next(group for group in groups if pair[group] is not None) for groups in _KEY_AND_VALUE)
                text = pair[value] if value in _IN_SINGLE_QUOTES else _filled(pair[value], known)
                pages.set(at.number, at.shift + found.start(1) + pair.start(key) + 1, pair[key], text, at.source)


def _target(line: str, known: Mapping[str, str]) -> tuple[str, bool] | None:
    """(path, whether it is appended to) of what a line writes; None where it writes no file whose path is known."""
    tee = _TEE.search(line)
    if tee is not None:
        targets = [(_filled(tee[2], known), tee[1] is not None)]
    else:
        targets = [(_filled(each[2], known), each[1] == ">>") for each in _TO.finditer(line) if _is_of_output(line, each.start())]
    fits = (each for each in targets if each[0].startswith("/") and UNKNOWN not in each[0] and not each[0].startswith("/dev/"))
    return next(fits, None)


def _is_of_output(line: str, at: int) -> bool:
    """Whether a redirection is that of standard output, and no part of `2>`, `&>`, `->` or `=>`."""
    return line[at - 1 : at] not in ("2", "&", "<", "-", "=")


def _first_from(number: int, indices: list[int]) -> int | None:
    at = bisect_left(indices, number)
    return indices[at] if at < len(indices) else None


def _ends(lines: list[str]) -> Mapping[str, list[int]]:
    """The indices of lines by what they say, blanks around it left out: in a block of YAML the end of a here-document is indented, too."""
    found: dict[str, list[int]] = {}
    for at, line in enumerate(lines):
        found.setdefault(line.strip(), []).append(at)
    return found


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
            return escaped if escaped in '$`\\"' else f"\\{escaped}"
        return known.get(braced or bare or "", UNKNOWN)

    return _VARIABLE.sub(value, text)
