"""Salt states: kernel settings, managed files and commands; what Jinja puts in is known where the state or the pillar says it literally."""

import re
from collections.abc import Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.literal import at_most, remarks, whole
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages, block
from portwright.repositories.recognise import without_blanks_to_fill
from portwright.source import Source, Word
from portwright.system.spanned_text import UNKNOWN

_SETTINGS = "/etc/sysctl.d/99-salt.conf"
_KEY = lazy_regex(r"[a-z0-9_-]+(?:[./][\w*-]+)+")
_SET = lazy_regex(r"\{%-?\s*set\s+([A-Za-z_]\w{0,63})\s*=\s*(?:'([^'\n{}]{0,400})'|\"([^\"\n{}]{0,400})\"|([0-9]{1,12}))\s*-?%\}")
_LOOP = lazy_regex(r"\{%-?\s*for\s+([A-Za-z_]\w{0,63})")
_BLANK = lazy_regex(r"\{\{([^{}\n]{1,400})\}\}")
_PILLAR = lazy_regex(
    r"pillar((?:\[['\"][\w.:-]{1,100}['\"]\]){1,8}|(?:\.\w{1,100}){1,8})"
    r"|(?:salt\[['\"]pillar\.get['\"]\]|pillar\.get|salt\.pillar\.get)\(\s*['\"]([\w.:-]{1,200})['\"]\s*(?:,[^()]{0,200})?\)"
)
_NAMES = lazy_regex(r"[\w.-]+")
_MOST_PILLARS = 200
_DEEPEST = 12


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the states of a file, or the settings of a pillar, put on a minion."""
    pages = Pages(label, cut=len(text) > LONGEST)
    pages.understood |= remarks(text)
    own = _filled(text[:LONGEST], _literals(text[:LONGEST]), checkout)
    nodes, _ = parse(Source(label, own))
    outer = own.split("\n")
    if _is_pillar(label):
        _pillar(nodes, pages, 0)
        return pages.deployed()
    script: list[Line] = []
    for state in nodes:
        for name, given in _functions(state):
            if name == "sysctl.present":
                _sysctl(state, given, pages)
            elif name in ("file.managed", "file.append", "file.prepend"):
                _file(state, name, given, outer, pages, checkout)
            elif name in ("cmd.run", "cmd.wait"):
                command = given.get("name") or given.get("cmd") or [state.key]
                script += [line for word in command for line in block(word, outer)]
    if script:
        shell.write(script, pages, checkout)
    return pages.deployed()


def _is_pillar(label: str) -> bool:
    return any(part.startswith("pillar") for part in label.split("/")[:-1])


# ── Jinja ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _literals(text: str) -> Mapping[str, str]:
    """The names that `{% set %}` gives one literal value, and never another."""
    known: dict[str, str] = {}
    several = {found[1] for found in _LOOP.finditer(text)}
    for found in _SET.finditer(text):
        value = next(each for each in found.groups()[1:] if each is not None)
        if found[1] in known and known[found[1]] != value:
            several.add(found[1])
        known[found[1]] = value
    return {name: value for name, value in known.items() if name not in several}


def _filled(text: str, known: Mapping[str, str], checkout: Checkout) -> str:
    """A text with its blanks filled in as far as they are known; every line stays the line that it is."""

    def meant(said: str) -> str | None:
        if said in known:
            return known[said]
        pillar = _PILLAR.fullmatch(said)
        if pillar is None:
            return None
        named = pillar[1].replace(".", " ") if pillar[1] and pillar[1][0] == "." else pillar[1]
        held = _pillars(checkout).get(tuple(pillar[2].split(":") if named is None else _NAMES.findall(named)))
        return None if held is None or "\n" in held else held

    fill = at_most(meant)

    def value(found: re.Match[str]) -> str:
        said = fill(found[1].strip("-").strip())
        return found[0] if said is None else said

    return without_blanks_to_fill(_BLANK.sub(value, text)) if "{" in text else text


def _pillars(checkout: Checkout) -> Mapping[tuple[str, ...], str]:
    """What the pillar holds, by the names that lead there, where all its files that say it say the same."""
    return checkout.once("salt pillars", lambda: _read_pillars(checkout))


def _read_pillars(checkout: Checkout) -> Mapping[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    several: set[tuple[str, ...]] = set()
    left = _MOST_PILLARS
    for label in checkout.labels:
        if not label.endswith(".sls") or not _is_pillar(label) or left <= 0:
            continue
        left -= 1
        text = (checkout.text(label) or "")[:LONGEST]
        nodes, _ = parse(Source(label, without_blanks_to_fill(text) if "{" in text else text))
        for path, value in _scalars(nodes, (), 0):
            if found.setdefault(path, value) != value:
                several.add(path)
    return {path: value for path, value in found.items() if path not in several and UNKNOWN not in value}


def _scalars(nodes: Sequence[Node], above: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    for node in nodes:
        path = (*above, node.key.text)
        if len(node.values) == 1 and not node.children:
            yield path, node.values[0].text
        elif depth < _DEEPEST:
            yield from _scalars(node.children, path, depth + 1)


# ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _functions(state: Node) -> Iterator[tuple[str, dict[str, list[Word]]]]:
    """Each function of a state with what it is given: `sysctl.present`, or `sysctl` with `present` as the first of the list."""
    found: dict[str, dict[str, list[Word]]] = {}
    short: dict[str, str] = {}
    for node in state.children:
        given = found.setdefault(node.key.text, {})
        for word in node.values:
            if "." not in node.key.text and word.text.isidentifier():
                short[node.key.text] = word.text
        for child in node.children:
            given.setdefault(child.key.text, []).extend(child.values)
    if not state.children and len(state.values) == 1:
        found[state.values[0].text] = {}
    for name, given in found.items():
        yield (f"{name}.{short[name]}" if name in short else name), given


def _sysctl(state: Node, given: dict[str, list[Word]], pages: Pages) -> None:
    name, value = _first(given, "name") or state.key, _first(given, "value")
    if value is None or UNKNOWN in name.text or not _KEY.fullmatch(name.text):
        return
    config = _first(given, "config")
    path = config.text if config is not None and config.text.startswith("/etc/") else _SETTINGS
    _set(path, name, value, pages)


def _first(given: dict[str, list[Word]], key: str) -> Word | None:
    return next(iter(given.get(key, ())), None)


def _set(path: str, key: Word, value: Word, pages: Pages) -> None:
    said = f"{key.text} = {value.text}".replace("\n", " ")
    pages.write(path, [Line(said, value.at.path, value.at.line, value.at.column - 1)], append=True)
    if UNKNOWN not in said:
        pages.understood.update((key.at.line, key.at.line + 1))


def _file(state: Node, kind: str, given: dict[str, list[Word]], outer: list[str], pages: Pages, checkout: Checkout) -> None:
    name = (given.get("name") or [state.key])[0]
    if not name.text.startswith("/") or UNKNOWN in name.text:
        return
    contents = given.get("contents") or given.get("text")
    if contents:
        pages.write(name.text, [line for word in contents for line in block(word, outer)], append=kind != "file.managed")
        return
    source = next((word.text for word in given.get("source", ()) if word.text.startswith("salt://")), None)
    if source is None or kind != "file.managed" or UNKNOWN in source:
        return
    label = _of_file_roots(pages.label, source.removeprefix("salt://").partition("?")[0], checkout)
    text = None if label is None else checkout.text(label)
    if label is None or text is None:
        return
    if given.get("template"):
        text = _filled(text, _literals(text), checkout)
    pages.write(name.text, whole(label, text), of=label)


def _of_file_roots(label: str, path: str, checkout: Checkout) -> str | None:
    """The file that `salt://` names: file_roots is one of the folders above the state."""
    folder = label.rpartition("/")[0]
    while True:
        found = f"{folder}/{path}" if folder else path
        if checkout.has(found):
            return found
        if not folder:
            return None
        folder = folder.rpartition("/")[0]


def _pillar(nodes: Sequence[Node], pages: Pages, depth: int, inside: bool = False) -> None:
    """Kernel settings of a pillar: what lies below a key `sysctl`, as the formulas take them."""
    for node in nodes:
        key = node.key.text
        if inside and _KEY.fullmatch(key) and "." in key:
            value = (
                node.values[0]
                if len(node.values) == 1
                else next((child.values[0] for child in node.children if child.key.text == "value" and child.values), None)
            )
            if value is not None:
                _set(_SETTINGS, node.key, value, pages)
        elif depth < _DEEPEST:
            if key == "sysctl":
                pages.understood.add(node.key.at.line)
            _pillar(node.children, pages, depth + 1, inside or key == "sysctl")
