"""Makefiles: what the recipes of their targets do to the machine that make(1) is run on, as the scripts that they are."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.literal import LONGEST_VALUE
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages, together
from portwright.repositories.deployers.shell import matters
from portwright.system.spanned_text import UNKNOWN

_ASSIGNED = lazy_regex(r"(?:(?:export|override|private)[ \t]+)*([A-Za-z_][\w.-]{0,100})[ \t]*(\?=|:{1,3}=|\+=|!=|=)[ \t]*(.*)")
_DEFINES = lazy_regex(r"define[ \t]+([A-Za-z_][\w.-]{0,100})")
_TARGETS = lazy_regex(r"([^\s:#=\t][^:=#]{0,400}):(?![=:]?=)")
_USED = lazy_regex(r"\$(?:\$|\(([^()$]{1,200})\)|\{([^{}$]{1,200})\}|(.))")
_CONDITION = lazy_regex(r"[ \t]*(?:ifeq|ifneq|ifdef|ifndef|else|endif)\b")
_TESTS = lazy_regex(r"(?i)(?:.*[-_./])?(?:tests?|check|lint|bench(?:mark)?s?|ci|e2e|coverage)(?:[-_./].*)?")
_MOST_TARGETS = 200
_DEEPEST = 8
_CONTAINERS = "/srv/"
_EMPTY = {"DESTDIR": ""}
"""What a packager sets, and nobody else."""


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What each target's recipe does; where several start containers each target is a machine of its own, for nobody makes all of them."""
    if not matters(text):
        return Deployed()
    lines = text[:LONGEST].split("\n")
    variables = _variables(lines)
    recipes, understood = _recipes(label, lines)
    found: list[tuple[str, Deployed]] = []
    taken: set[str] = set()
    for target, recipe in recipes[:_MOST_TARGETS]:
        pages = Pages(label)
        shell.write([replace(line, text=_filled(line.text, variables)) for line in recipe], pages, checkout)
        done = pages.deployed()
        # Of several targets that put a file at one place the first is as good as any: nobody makes all of them.
        files = tuple(file for file in done.files if _is_of_a_host(file.path) and file.path not in taken)
        taken.update(file.path for file in files)
        found.append((target, replace(done, files=files)))
    starting = sum(any(file.path.startswith(_CONTAINERS) for file in done.files) for _, done in found)
    parts = [_apart(done, f"make {target} of {label}") if starting > 1 else done for target, done in found]
    return together(parts, understood, len(text) > LONGEST or len(recipes) > _MOST_TARGETS)


def _is_of_a_host(path: str) -> bool:
    """Whether a file may say something of a host: a Makefile copies much else to where its owner works."""
    return path.startswith((_CONTAINERS, "/etc/", "/usr/lib/", "/usr/local/lib/", "/usr/share/"))


def _apart(done: Deployed, machine: str) -> Deployed:
    files = (replace(file, machine=machine) if file.path.startswith(_CONTAINERS) else file for file in done.files)
    return replace(done, files=tuple(files))


def _variables(lines: list[str]) -> dict[str, str | None]:
    """The value of each variable; None for one that has several, or that a command gives."""
    found: dict[str, str | None] = dict(_EMPTY)
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if (defines := _DEFINES.match(line)) is not None:
            end = next((at for at in range(index, len(lines)) if lines[at].startswith("endef")), len(lines))
            found[defines[1]] = " ".join(each.strip().removesuffix("\\") for each in lines[index:end])
            index = end + 1
            continue
        if line.startswith("\t") or (assigned := _ASSIGNED.match(line)) is None:
            continue
        value = assigned[3]
        while value.endswith("\\") and index < len(lines):
            value = f"{value[:-1].rstrip()} {lines[index].strip()}"
            index += 1
        name, operator, value = assigned[1], assigned[2], value.partition(" #")[0].strip()
        before = found.get(name)
        if operator == "?=":
            found.setdefault(name, value)
        elif operator == "+=":
            found[name] = f"{before or ''} {value}".strip() if name not in found or before is not None else None
        else:
            found[name] = None if operator == "!=" or (name in found and name not in _EMPTY and before != value) else value
    return found


def _recipes(label: str, lines: list[str]) -> tuple[list[tuple[str, list[Line]]], set[int]]:
    """The targets with their recipes, and the numbers of the lines that are of none or of one that tests."""
    found: list[tuple[str, list[Line]]] = []
    understood: set[int] = set()
    of_tests: list[list[Line]] = []
    recipe: list[Line] | None = None
    continues = False
    for number, line in enumerate(lines, 1):
        text = line.removesuffix("\r")
        if recipe is not None and (text.startswith("\t") or continues):
            begun = 0 if continues else len(text) - len(text.lstrip("\t @+-"))
            recipe.append(Line(text[begun:], label, number, begun))
            continues = text.endswith("\\")
            continue
        understood.add(number)
        continues = False
        if not text.strip() or text.lstrip().startswith("#") or _CONDITION.match(text):
            continue
        recipe = None
        targets = _TARGETS.match(text)
        name = "" if targets is None else targets[1].split()[0]
        if targets is not None and not name.startswith(".") and not _TESTS.fullmatch(name):
            recipe = []
            found.append((name, recipe))
        elif targets is not None:
            recipe = []
            of_tests.append(recipe)
    understood |= {line.number for recipe in of_tests for line in recipe}
    return [(name, recipe) for name, recipe in found if recipe], understood


def _filled(text: str, variables: dict[str, str | None], depth: int = 0) -> str:
    """A line with its variables filled in; what a function makes, and what the rule says of its target, is not known."""
    if "$" not in text:
        return text
    pieces, done = [], 0
    for found in _USED.finditer(text):
        pieces.append(text[done : found.start()])
        done = found.end()
        if found[0] == "$$":
            pieces.append("$")
            continue
        name = found[1] or found[2] or found[3] or ""
        value = variables.get(name)
        if value is not None and "$" in value:
            value = _filled(value, variables, depth + 1) if depth < _DEEPEST else None
        pieces.append(UNKNOWN if value is None or len(value) > LONGEST_VALUE else value)
    filled = "".join((*pieces, text[done:]))
    # What is left of a function in a function.
    return filled if len(filled) <= LONGEST_VALUE * 4 else UNKNOWN
