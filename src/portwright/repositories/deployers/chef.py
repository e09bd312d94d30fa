"""Chef recipes and attributes: kernel settings, files with what they hold, units and commands, as far as Ruby says them literally.

Ruby is read line by line: a resource goes from its `do` to the `end` that is indented as it is.
"""

from collections.abc import Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.literal import remarks, whole
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages
from portwright.repositories.recognise import without_blanks_to_fill
from portwright.system.spanned_text import UNKNOWN

_SETTINGS = "/etc/sysctl.d/99-chef-attributes.conf"
_UNITS = "/etc/systemd/system"
_KEY = lazy_regex(r"[a-z0-9_-]+(?:[./][\w*-]+)+")
_QUOTED = r"(?:'([^'\n]{0,400})'|\"([^\"\n]{0,400})\")"
_RESOURCE = lazy_regex(rf"^([ \t]*)([a-z_]\w*)[ \t(]+{_QUOTED}\)?[ \t]+do\b[ \t]*(.*)$")
_PROPERTY = lazy_regex(r"^[ \t]*([a-z_]\w*)[ \t(]+(\S.*)$")
_HERE = lazy_regex(r"<<([-~]?)(['\"]?)([A-Z_a-z]\w*)\2")
_TEXT = lazy_regex(rf"^{_QUOTED}\s*$")
_NUMBER = lazy_regex(r"^-?[0-9][0-9_]*$")
# default['sysctl']['params']['net']['ipv4']['x'] = 1, node.default[:sysctl]['x'] = 1
_PATH = r"((?:\[(?:'[^'\]\n]{1,100}'|\"[^\"\]\n]{1,100}\"|:\w{1,100})\]){1,12})"
_ATTRIBUTE = lazy_regex(
    rf"^[ \t]*(?:node\.)?(?:default|normal|override|set|force_default|force_override){_PATH}[ \t]*=[ \t]*([^ \t=~>].*)$"
)
_NAMES = lazy_regex(r"\[(?:'([^'\]]+)'|\"([^\"\]]+)\"|:(\w+))\]")
_NODE = lazy_regex(rf"node{_PATH}")
_BLANK = lazy_regex(r"#\{([^{}\n]{0,200})\}")
_PAIR = lazy_regex(rf"{_QUOTED}\s*(?:=>|:)\s*(?:{_QUOTED}|(-?[0-9][0-9_]*)|(node(?:\[[^\]\n]{{1,102}}\]){{1,12}}))")
_ERB = lazy_regex(rf"<%=\s{{0,20}}@?node{_PATH}\s{{0,20}}-?%>")
_MOST_FILES = 500


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value of an attribute, and where it is written."""

    text: str
    label: str
    number: int
    column: int


Attributes = Mapping[tuple[str, ...], Attribute]


@dataclass
class _Resource:
    kind: str
    name: str
    line: int
    values: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """What each property is given as it is written, with its line and column."""
    texts: dict[str, list[Line]] = field(default_factory=dict)
    """What here-documents hold."""


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What a recipe or a file of attributes puts on a node."""
    pages = Pages(label, cut=len(text) > LONGEST)
    pages.understood |= remarks(text)
    rows = text[:LONGEST].split("\n")
    known = _attributes(label, checkout)
    script: list[Line] = []
    for names, value, number, column in _assigned(rows):
        key = _of_sysctl(names)
        said = _value(value, known)
        if key is not None and said is not None:
            _set(_SETTINGS, key, said, number, column, pages)
    for each in _resources(rows, label):
        action = each.values.get("action", ("", 0, 0))[0]
        if any(word in action for word in (":delete", ":remove", ":nothing")) and each.kind != "execute":
            continue
        if each.kind in ("sysctl", "sysctl_param"):
            _sysctl(each, known, pages)
        elif each.kind in ("file", "cookbook_file", "template"):
            _file(each, known, pages, checkout)
        elif each.kind == "systemd_unit":
            if "content" in each.texts and "/" not in each.name and UNKNOWN not in each.name:
                pages.write(f"{_UNITS}/{each.name}", _filled(each.texts["content"], known))
        elif each.kind in ("execute", "bash", "script", "sh"):
            script += _commands(each, known, label)
    if script:
        shell.write(script, pages, checkout)
    return pages.deployed()


# ── Ruby ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _resources(rows: list[str], label: str) -> Iterator[_Resource]:
    """`kind 'name' do ... end`, each once; those in other blocks, too."""
    number = 0
    now: _Resource | None = None
    indent = ""
    while number < len(rows):
        row = rows[number]
        number += 1
        begun = _RESOURCE.match(row)
        if begun is not None:
            if now is not None:
                yield now
            now = _Resource(begun[2], _blanked(begun[3] if begun[3] is not None else begun[4]), number)
            indent = begun[1]
            rest = begun[5].strip()
            if rest.endswith("end") and (found := _PROPERTY.match(rest.removesuffix("end").rstrip(" ;"))) is not None:
                now.values[found[1]] = (found[2], number, row.find(found[2]) + 1)
                yield now
                now = None
            continue
        if now is None:
            continue
        if row.rstrip() == f"{indent}end":
            yield now
            now = None
            continue
        found = _PROPERTY.match(row)
        if found is None or row.lstrip().startswith("#"):
            continue
        here = _HERE.search(found[2])
        if here is None:
            now.values.setdefault(found[1], (found[2], number, row.find(found[2]) + 1))
            continue
        inside, number = _here(rows, number, here[3], here[1] == "~", label)
        now.texts.setdefault(found[1], inside)
    if now is not None:
        yield now


def _here(rows: list[str], start: int, end: str, strip: bool, label: str) -> tuple[list[Line], int]:
    """The lines of a here-document, and the index of the row behind it."""
    at = start
    while at < len(rows) and rows[at].strip() != end:
        at += 1
    inside = rows[start:at]
    depth = min((len(row) - len(row.lstrip(" ")) for row in inside if row.strip()), default=0) if strip else 0
    return [Line(row[depth:].rstrip("\r"), label, number, depth) for number, row in enumerate(inside, start + 1)], at + 1


def _blanked(text: str) -> str:
    return _BLANK.sub(UNKNOWN, text)


def _assigned(rows: list[str]) -> Iterator[tuple[tuple[str, ...], str, int, int]]:
    for number, row in enumerate(rows, 1):
        found = _ATTRIBUTE.match(row)
        if found is not None:
            yield _names(found[1]), found[2], number, found.start(2) + 1


def _names(path: str) -> tuple[str, ...]:
    return tuple(each[1] or each[2] or each[3] for each in _NAMES.finditer(path))


def _attributes(label: str, checkout: Checkout) -> Attributes:
    """The attributes that the cookbook of a recipe gives one literal value."""
    folder = label.rpartition("/")[0]
    while folder and folder.rpartition("/")[2] not in ("recipes", "attributes", "templates"):
        folder = folder.rpartition("/")[0]
    cookbook = folder.rpartition("/")[0]
    return checkout.once(f"chef {cookbook}", lambda: _read_attributes(f"{cookbook}/attributes" if cookbook else "attributes", checkout))


def _read_attributes(folder: str, checkout: Checkout) -> Attributes:
    found: dict[tuple[str, ...], Attribute] = {}
    several: set[tuple[str, ...]] = set()
    for count, label in enumerate(checkout.under(folder)):
        if count >= _MOST_FILES:
            break
        if label.endswith(".rb"):
            for names, written, number, column in _assigned((checkout.text(label) or "")[:LONGEST].split("\n")):
                said = _value(written, {})
                if said is None or found.setdefault(names, Attribute(said, label, number, column)).text != said:
                    several.add(names)
    return {names: value for names, value in found.items() if names not in several}


def _value(written: str, known: Attributes) -> str | None:
    """What a value is: a text, a number, or an attribute with one; None for any other."""
    written = written.strip()
    if written.endswith(")") and "(" not in written:
        written = written[:-1].rstrip()
    text = _TEXT.match(written)
    if text is not None:
        return text[1] if text[1] is not None else _BLANK.sub(lambda found: _of_node(found[1], known) or UNKNOWN, text[2])
    if _NUMBER.match(written):
        return written.replace("_", "")
    return _of_node(written, known)


def _of_node(written: str, known: Attributes) -> str | None:
    found = _attribute(written, known)
    return None if found is None else found.text


def _attribute(written: str, known: Attributes) -> Attribute | None:
    found = _NODE.fullmatch(written.strip())
    return None if found is None else known.get(_names(found[1]))


def _filled(inside: list[Line], known: Attributes) -> list[Line]:
    """A here-document with its blanks filled in as far as they are known."""
    return [
        Line(_BLANK.sub(lambda found: _of_node(found[1], known) or UNKNOWN, line.text), line.source, line.number, line.shift)
        if "#{" in line.text
        else line
        for line in inside
    ]


# ── resources ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_sysctl(names: tuple[str, ...]) -> str | None:
    """The kernel setting that an attribute of the sysctl cookbook makes; None for any other attribute."""
    if names[:2] == ("sysctl", "params"):
        key = ".".join(names[2:])
    elif names[:1] in (("sysctl",), ("fb_sysctl",)) or names[:2] == ("fb", "fb_sysctl"):
        key = ".".join(names[2 if names[0] == "fb" else 1 :])
    else:
        return None
    return key if _KEY.fullmatch(key) and key.partition(".")[0] in ("net", "kernel", "vm", "fs") else None


def _set(path: str, key: str, value: str, number: int, column: int, pages: Pages, of: Attribute | None = None) -> None:
    """Put a setting into a file; it stands where the attribute does that gives it its value."""
    said = f"{key} = {value}".replace("\n", " ")
    label = pages.label
    if of is not None:
        pages.understood.add(number)
        label, number, column = of.label, of.number, of.column
    pages.write(path, [Line(said, label, number, column - 1)], append=True)


def _sysctl(each: _Resource, known: Attributes, pages: Pages) -> None:
    name = each.name
    if "key" in each.values:
        name = _value(each.values["key"][0], known) or UNKNOWN
    if "variables" in each.values:
        written, number, column = each.values["variables"]
        for pair in _PAIR.finditer(written):
            key = pair[1] if pair[1] is not None else pair[2]
            of = _attribute(pair[6], known) if pair[6] else None
            value = pair[3] or pair[4] or (pair[5] or "").replace("_", "") or (of.text if of is not None else None)
            if _KEY.fullmatch(key) and value is not None:
                pages.understood.add(each.line)
                _set(f"/etc/sysctl.d/99-chef-{key}.conf", key, value, number, column + pair.start() + len(key) + 3, pages, of)
        return
    if "value" not in each.values or not _KEY.fullmatch(name):
        return
    written, number, column = each.values["value"]
    value = _value(written, known)
    if value is not None:
        pages.understood.add(each.line)
    _set(f"/etc/sysctl.d/99-chef-{name}.conf", name, UNKNOWN if value is None else value, number, column, pages, _attribute(written, known))


def _file(each: _Resource, known: Attributes, pages: Pages, checkout: Checkout) -> None:
    path = each.name
    if "path" in each.values:
        path = _value(each.values["path"][0], known) or UNKNOWN
    if not path.startswith("/") or UNKNOWN in path:
        return
    if each.kind == "file":
        if "content" in each.texts:
            pages.write(path, _filled(each.texts["content"], known))
        elif "content" in each.values:
            written, number, column = each.values["content"]
            value = _value(written, known)
            if value is not None:
                pages.say(path, number, column + 1, value.replace("\\n", "\n").removesuffix("\n"))
        return
    named = (
        _value(each.values["source"][0], known)
        if "source" in each.values
        else path.rpartition("/")[2] + (".erb" if each.kind == "template" else "")
    )
    label = None if named is None else _of_cookbook(pages.label, named, "templates" if each.kind == "template" else "files", checkout)
    text = None if label is None else checkout.text(label)
    if label is None or text is None:
        return
    if each.kind == "template":
        text = _ERB.sub(lambda found: known[names].text if (names := _names(found[1])) in known else found[0], text)
        if path.endswith((".service", ".socket")) or "/sysctl" in path:
            text = without_blanks_to_fill(text)
    pages.write(path, whole(label, text), of=label)


def _of_cookbook(label: str, name: str, folder: str, checkout: Checkout) -> str | None:
    """A template or a file of the cookbook, for every platform."""
    above = label.rpartition("/recipes/")[0] if "/recipes/" in label else "" if label.startswith("recipes/") else None
    if above is None or UNKNOWN in name:
        return None
    for middle in ("default/", ""):
        found = f"{above}/{folder}/{middle}{name}" if above else f"{folder}/{middle}{name}"
        if checkout.has(found):
            return found
    return None


def _commands(each: _Resource, known: Attributes, label: str) -> list[Line]:
    """The script that `execute` and its kind run."""
    for key in ("command", "code"):
        if key in each.texts:
            return _filled(each.texts[key], known)
    if "command" in each.values:
        written, number, column = each.values["command"]
        value = _value(written, known)
        return [] if value is None else [Line(value, label, number, column)]
    return [Line(each.name, label, each.line)] if each.kind == "execute" else []
