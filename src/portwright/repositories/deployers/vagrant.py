"""Vagrantfiles: the shell scripts that stand in them, each for the machine that its block defines."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages, together
from portwright.system.spanned_text import UNKNOWN

_HERE = lazy_regex(r"<<([-~]?)(['\"]?)([A-Za-z_]\w{0,63})\2")
_INLINE = lazy_regex(r"\binline(?:[ \t]*=>|:|[ \t]*=)[ \t]*(\"(?:[^\"\\]|\\.){1,4000}\"|'(?:[^'\\]|\\.){1,4000}')")
_USED = lazy_regex(r"\binline(?:[ \t]*=>|:|[ \t]*=)[ \t]*(?:<<[-~]?['\"]?([A-Za-z_]\w{0,63})|(\$?[A-Za-z_]\w{0,63}))")
_NAMED = lazy_regex(r"[ \t]*(\$?[A-Za-z_]\w{0,63})[ \t]*=[ \t]*<<")
_DEFINES = lazy_regex(r"([A-Za-z_]\w{0,63})\.vm\.define[ \t(]*[:\"']([\w.-]{1,63})[\"']?.{0,200}?do[ \t]*\|[ \t]*([A-Za-z_]\w{0,63})")
_OF = lazy_regex(r"([A-Za-z_]\w{0,63})\.vm\.provision\b")
_CONSTANT = lazy_regex(r"[ \t]*([A-Z$][A-Z0-9_]{0,63})[ \t]*=[ \t]*(?:\"([^\"#\\]{0,200})\"|'([^'\\]{0,200})'|([0-9]{1,9}))[ \t]*(?:#.*)?")
_FILLED = lazy_regex(r"#\{([^}]{0,200})\}")
_ESCAPE = lazy_regex(r"\\(.)")


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the scripts that stand in the file do to the machines that it defines."""
    lines = text[:LONGEST].split("\n")
    machines = {found[3]: found[2] for line in lines if (found := _DEFINES.search(line))}
    constants = {found[1]: found[2] or found[3] or found[4] or "" for line in lines if (found := _CONSTANT.fullmatch(line))}
    scripts: dict[str, list[list[Line]]] = {}
    named: dict[str, list[Line]] = {}
    wanted: list[tuple[str, str]] = []
    understood: set[int] = set()
    machine = ""
    index = 0
    while index < len(lines):
        line, number = lines[index], index + 1
        index += 1
        if line.lstrip().startswith("#") or not line.strip():
            understood.add(number)
            continue
        if (of := _OF.search(line)) is not None:
            machine = machines.get(of[1], "")
        here = _HERE.search(line)
        if here is not None:
            body, end = _body(label, lines, index, here[3], here[1] == "~", here[2] == "'", constants)
            if end is not None:
                index = end + 1
                if (name := _NAMED.match(line)) is not None:
                    named[name[1]] = body
                elif _USED.search(line) is not None:
                    scripts.setdefault(machine, []).append(body)
            continue
        for found in _INLINE.finditer(line):
            said = found[1][1:-1]
            if found[1].startswith('"'):
                said = _ESCAPE.sub(lambda one: {"n": "\n", "t": "\t"}.get(one[1], one[1]), _filled(said, constants))
            scripts.setdefault(machine, []).append([Line(each, label, number, found.start(1) + 1) for each in said.split("\n")])
        used = _USED.search(line)
        if used is not None and used[2]:
            wanted.append((machine, used[2]))
    for whose, script in wanted:
        if script in named:
            scripts.setdefault(whose, []).append(named[script])
    return _done(label, scripts, len(machines) > 1, understood, checkout, len(text) > LONGEST)


def _done(label: str, scripts: dict[str, list[list[Line]]], several: bool, understood: set[int], checkout: Checkout, cut: bool) -> Deployed:
    """What the scripts do, those for all machines first."""
    found = []
    for machine in sorted(scripts):
        pages = Pages(label, machine if several else "", understood=understood, cut=cut)
        for script in scripts[machine]:
            shell.write(script, pages, checkout)
        found.append(pages.deployed())
    return together(found, understood, cut)


def _body(
    label: str, lines: list[str], start: int, end: str, squiggly: bool, literal: bool, constants: dict[str, str]
) -> tuple[list[Line], int | None]:
    """The lines of a here-document of Ruby, and the index of the line that ends it; None where nothing does."""
    last = next((index for index in range(start, len(lines)) if lines[index].strip() == end), None)
    if last is None:
        return [], None
    inside = lines[start:last]
    depth = min((len(line) - len(line.lstrip()) for line in inside if line.strip()), default=0) if squiggly else 0
    found = []
    for number, line in enumerate(inside, start + 1):
        said = line[depth:].rstrip("\r")
        found.append(Line(said if literal else _ESCAPE.sub(_unescaped, _filled(said, constants)), label, number, depth))
    return found, last


def _unescaped(found: "re.Match[str]") -> str:
    # What Ruby leaves to the shell with a backslash keeps it only where it is written twice.
    return found[1] if found[1] in ('\\"$#`') else found[0]


def _filled(text: str, constants: dict[str, str]) -> str:
    return _FILLED.sub(lambda found: constants.get(found[1].strip(), UNKNOWN), text)
