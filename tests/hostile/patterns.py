"""Every regular expression of the program, how it is used, and the texts that would make a careless one slow.

`test_patterns.py` holds that none is; `python -m tests.hostile.patterns` prints those that are, with the texts.

The texts come of a pattern's own parts: what leads to each of its repetitions, what that repeats, many times, and what ends it.
"""

import ast
import re
import signal
import time
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import FrameType
from typing import Any

import portwright
from portwright._start.records import dataclass
from portwright.daemons._engine import rooms

# How a pattern is taken apart is not public.
sre, parser = import_module("re._constants"), import_module("re._parser")

SOURCES = Path(portwright.__file__).parent
_ANYWHERE = frozenset(("search", "finditer", "findall", "sub", "subn", "split"))
_USES = _ANYWHERE | {"match", "fullmatch"}
_NO_MATCH = ("", "\x00", "\n")
_TRIED, _LONG = 1_600, 8_000
_SUSPECT, _NOTICED = 0.0006, 0.015
"""CPU seconds below which nothing is told of a text of either length: a square law takes twice as much."""
_TOO_FAST = 8.0
"""How much longer a text of four times the length may take: a square law takes sixteen times as long."""
_MOST_SECONDS = 0.2


@dataclass(frozen=True)
class Pattern:
    """A pattern, the module that has it, and whether something looks for it anywhere in a text."""

    where: str
    compiled: re.Pattern[str]
    anywhere: bool


class _TakesForever(Exception):
    """A search that was ended."""


@cache
def patterns() -> tuple[Pattern, ...]:
    """All that stand in modules, in calls of functions of `re`, and in the rooms of daemons."""
    used = _uses()
    found: dict[tuple[str, int], Pattern] = {}
    for module in walk_packages(portwright.__path__, "portwright."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(import_module(module.name)).items():
            for each in _patterns_in(value):
                uses = used.get((module.name if name.startswith("_") else "", name), _USES)
                key = (each.pattern, each.flags)
                was = found.get(key)
                anywhere = bool(uses & _ANYWHERE) or not uses & _USES or (was is not None and was.anywhere)
                found[key] = Pattern(f"{module.name}.{name}" if was is None else was.where, each, anywhere)
    for where, text, anywhere in (*_called(), *_of_rooms()):
        compiled = re.compile(text)
        found.setdefault((compiled.pattern, compiled.flags), Pattern(where, compiled, anywhere))
    return tuple(sorted(found.values(), key=lambda each: (each.where, each.compiled.pattern)))


def _patterns_in(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif type(value).__name__ == "lazy_regex":
        yield from _patterns_in(re.compile(*value._given))
    elif isinstance(value, Mapping):
        for item in (*value.keys(), *value.values()):
            yield from _patterns_in(item)
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from _patterns_in(item)


@cache
def _uses() -> dict[tuple[str, str], set[str]]:
    """By the name of a pattern, and its module where it is private, which of its methods are called: any where it is handed on."""
    found: dict[tuple[str, str], set[str]] = {}
    for path, nodes in _nodes().items():
        module = ".".join(("portwright", *path.relative_to(SOURCES).with_suffix("").parts)).removesuffix(".__init__")

        def key(name: str, module: str = module) -> tuple[str, str]:
            return (module if name.startswith("_") else ""), name

        called = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id.isupper():
                found.setdefault(key(node.value.id), set()).add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id.isupper() and id(node) not in called:
                found.setdefault(key(node.id), set()).update(_USES)
    return found


@cache
def _nodes() -> dict[Path, list[ast.AST]]:
    """Names, attributes and calls of each source file."""
    wanted = (ast.Attribute, ast.Name, ast.Call)
    return {
        path: [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, wanted)]
        for path in sorted(SOURCES.rglob("*.py"))
    }


def _called() -> Iterator[tuple[str, str, bool]]:
    """Patterns written where they are used."""
    for path, nodes in _nodes().items():
        for node in nodes:
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)):
                continue
            if node.func.value.id == "re" and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                yield f"{path.relative_to(SOURCES)}:{node.lineno}", node.args[0].value, node.func.attr not in ("match", "fullmatch")


def _of_rooms() -> Iterator[tuple[str, str, bool]]:
    for name in rooms.index().folders:
        for text in rooms.room(name).in_repository.text:
            yield f"the room of {name}", text, True


# ── texts that attack ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Attack:
    """A text of any length: what leads to one of a pattern's repetitions, what that repeats, and what ends it."""

    lead: str
    body: str
    end: str

    def text(self, length: int) -> str:
        """About so many characters."""
        return self.lead + self.body * (length // len(self.body)) + self.end


def attacks(compiled: re.Pattern[str]) -> Iterator[Attack]:
    """Texts each of which repeats what one of the pattern's repetitions repeats."""
    seen: set[tuple[str, str]] = set()
    for before, pump in _pumps(parser.parse(compiled.pattern, compiled.flags & ~re.UNICODE), ""):
        for lead, body in ((before, pump), ("", before + pump), ("", pump)):
            if not body or (lead, body) in seen:
                continue
            seen.add((lead, body))
            for end in _NO_MATCH:
                yield Attack(lead, body, end)


def _pumps(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """(a text that leads to a repetition, what it repeats), for every repetition without an end, at any depth."""
    for operation, argument in tree:
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, inner = argument
            if most is sre.MAXREPEAT or most >= 500:
                for text in _samples(inner):
                    yield before, text
            yield from _pumps(inner, before)
        elif operation is sre.SUBPATTERN:
            yield from _pumps(argument[3], before)
        elif operation is sre.ATOMIC_GROUP:
            yield from _pumps(argument, before)
        elif operation is sre.BRANCH:
            for each in argument[1]:
                yield from _pumps(each, before)
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _pumps(argument[1], before)
        before += _sample([(operation, argument)])


def _samples(tree: Any) -> set[str]:
    """Some texts that a part of a pattern matches: of a class one character of each of its kinds."""
    found = {_sample(tree)}
    if len(tree) == 1:
        operation, argument = tree[0]
        if operation is sre.IN:
            found |= {text for each in argument if each[0] is not sre.NEGATE and (text := _of_class([each]))}
            text = _class_text(argument)
            found |= {letter for letter in " \t\na0.-/\"'{$" if text and re.fullmatch(text, letter)}
        elif operation is sre.BRANCH:
            found |= {text for each in argument[1] for text in _samples(each)}
        elif operation is sre.SUBPATTERN:
            found |= _samples(argument[3])
        elif operation in (sre.NOT_LITERAL, sre.ANY):
            found |= set(" \ta0.-") - {chr(argument) if argument is not None else ""}
    return found


def _class_text(argument: Any) -> str:
    parts: list[str] = []
    for operation, value in argument:
        if operation is sre.NEGATE:
            parts.append("^")
        elif operation is sre.LITERAL:
            parts.append(re.escape(chr(value)))
        elif operation is sre.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif operation is sre.CATEGORY:
            parts.append(_CATEGORIES[value][0])
        else:
            return ""
    return f"[{''.join(parts)}]"


_CATEGORIES = {
    sre.CATEGORY_DIGIT: (r"\d", "0"), sre.CATEGORY_NOT_DIGIT: (r"\D", "a"), sre.CATEGORY_SPACE: (r"\s", " "),
    sre.CATEGORY_NOT_SPACE: (r"\S", "a"), sre.CATEGORY_WORD: (r"\w", "a"), sre.CATEGORY_NOT_WORD: (r"\W", " "),
}  # fmt: skip


def _of_class(argument: Any) -> str:
    if argument[0][0] is sre.NEGATE and len(argument) == 1:
        return "a"
    if argument and argument[0][0] is sre.NEGATE:
        text = _class_text(argument)
        return next((letter for letter in "a0 \t.-/x\n\"'" if text and re.fullmatch(text, letter)), "")
    operation, value = argument[0]
    if operation is sre.CATEGORY:
        return _CATEGORIES[value][1]
    return chr(value if operation is sre.LITERAL else value[0])


def _sample(tree: Any) -> str:
    """One text that a part of a pattern matches, as far as that can be told from its parts."""
    found = ""
    for operation, argument in tree:
        if operation is sre.LITERAL:
            found += chr(argument)
        elif operation is sre.NOT_LITERAL:
            found += "a" if argument != ord("a") else "b"
        elif operation is sre.ANY:
            found += "a"
        elif operation is sre.IN:
            found += _of_class(argument)
        elif operation is sre.SUBPATTERN:
            found += _sample(argument[3])
        elif operation is sre.ATOMIC_GROUP:
            found += _sample(argument)
        elif operation is sre.BRANCH:
            found += _sample(argument[1][0])
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            found += _sample(argument[2]) * min(argument[0], 3)
    return found


# ── what they cost ──────────────────────────────────────────────────────────────────────────────────────────────────


def too_slow(pattern: Pattern) -> str:
    """What of the attacks costs more than its length, "" for a pattern that nothing of them makes slow."""
    for attack in attacks(pattern.compiled):
        # What no short text makes slow is not tried with longer ones: there are thirty thousand.
        if _is_square(pattern, attack, _TRIED, _SUSPECT) and (said := _is_square(pattern, attack, _LONG, _NOTICED)):
            return f"{pattern.where}: {pattern.compiled.pattern!r}: {said}"
    return ""


def _is_square(pattern: Pattern, attack: Attack, length: int, noticed: float) -> str:
    """How much longer a text takes than a quarter of it, "" where no more than twice as long as it should."""
    text, part = attack.text(length), attack.text(length // 4)
    lengthy = _seconds(pattern, text)
    brief = _seconds(pattern, part) if lengthy >= noticed else 0.0
    # The least of several counts: what else runs on the machine makes one slow, not each.
    for _ in range(3):
        if lengthy >= _MOST_SECONDS:
            break
        if lengthy < noticed or lengthy < _TOO_FAST * brief:
            return ""
        lengthy, brief = min(lengthy, _seconds(pattern, text)), min(brief, _seconds(pattern, part))
    return f"{lengthy:.4f} s for {text[:40]!r}...{text[-3:]!r}, {brief:.4f} s for a quarter of it"


def _seconds(pattern: Pattern, text: str) -> float:
    def end(number: int, frame: FrameType | None) -> None:
        raise _TakesForever

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, _MOST_SECONDS)
    start = time.thread_time()
    try:
        if pattern.anywhere:
            pattern.compiled.sub("", text)
        else:
            pattern.compiled.match(text)
    except _TakesForever:
        return _MOST_SECONDS
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.thread_time() - start


if __name__ == "__main__":
    for each in patterns():
        if told := too_slow(each):
            print(told, flush=True)
