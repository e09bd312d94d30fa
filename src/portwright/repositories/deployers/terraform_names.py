"""What the names in a folder of Terraform's files stand for, and what its calls fill into the templates of a repository."""

from collections.abc import Iterable, Iterator, Mapping

from portwright._start.records import dataclass, field
from portwright.formats.hcl import Block, Pairs, Value, parse
from portwright.formats.parts import Bare, Call, Items, String
from portwright.numbers import is_digits
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.literal import Fill, Names, joined
from portwright.repositories.deployers.placed import LONGEST
from portwright.source import Source
from portwright.system.spanned_text import UNKNOWN

_ENDINGS = (".tf", ".tofu", ".hcl")
_DEEPEST = 16
"""Functions around a text."""
_MOST_FILES = 200
"""Files of a folder that are looked into for what its names stand for."""
THROUGH = frozenset(("base64encode", "base64gzip", "trimspace", "chomp", "sensitive", "nonsensitive", "tostring", "tolist", "try"))
"""Functions that leave a text as it is, or as a machine gets it in the end."""
FILES = frozenset(("file", "templatefile"))


@dataclass
class Folder:
    """The blocks of the files of one folder, and what its names stand for."""

    blocks: list[tuple[Source, Block]] = field(default_factory=list)
    names: dict[str, tuple[Source, Value]] = field(default_factory=dict)
    texts: Names = field(default_factory=Names)
    mentions: dict[str, list[tuple[Source, Call[Value]]]] = field(default_factory=dict)


def given(label: str, checkout: Checkout) -> Fill | None:
    """What Terraform fills into a template, as the calls that name it say; None where none does."""
    name = label.rpartition("/")[2]
    above = label.rpartition("/")[0]
    values: list[Mapping[str, str | None]] = []
    for _ in range(3):
        folder = folder_of(above, checkout)
        for source, call in folder.mentions.get(name, ()):
            path = text_of(call.arguments[0], folder) if call.arguments else ""
            if label.endswith(path.lstrip("./" + UNKNOWN)):
                values.append(values_of(call, source, folder))
        if not above:
            break
        above = above.rpartition("/")[0]
    if not values:
        return None
    same = {key: value for key, value in values[0].items() if all(each.get(key) == value for each in values)}
    return same.get


def values_of(call: Call[Value], source: Source, folder: Folder) -> Mapping[str, str | None]:
    """The literal values of a template's variables."""
    found: dict[str, str | None] = {}
    for each in call.arguments[1:]:
        for key, value in each.pairs if isinstance(each, Pairs) else ():
            text = text_of(value, folder)
            found[key] = None if UNKNOWN in text else text
    return found


def blocks_of(label: str, source: Source, folder: Folder) -> Iterable[Block]:
    own = [block for of, block in folder.blocks if of.path == label]
    return own if own else parse(source).blocks


def folder_of(path: str, checkout: Checkout) -> Folder:
    return checkout.once(f"terraform {path}", lambda: _read_folder(path, checkout))


def _read_folder(path: str, checkout: Checkout) -> Folder:
    found = Folder()
    left = _MOST_FILES
    for label in checkout.inside(path):
        if not label.endswith(_ENDINGS) or label.endswith(".nomad.hcl") or left <= 0:
            continue
        left -= 1
        source = Source(label, (checkout.text(label) or "")[:LONGEST])
        top = parse(source)
        for block in top.blocks:
            found.blocks.append((source, block))
            if block.kind == "locals":
                found.names.update({f"local.{name}": (source, value) for name, value in block.values.items()})
            elif block.kind == "variable" and block.labels and "default" in block.values:
                found.names[f"var.{block.labels[0]}"] = (source, block.values["default"])
            elif block.kind == "data" and block.labels[:1] in (("template_file",),) and len(block.labels) == 2:
                template = block.values.get("template")
                if template is not None:
                    given = Call("templatefile", (template, block.values.get("vars", Pairs((), 0))), block.at)
                    for inner in block.all("vars"):
                        given = Call("templatefile", (template, Pairs(tuple(inner.values.items()), inner.at)), block.at)
                    found.names[f"data.template_file.{block.labels[1]}.rendered"] = (source, given)
    for source, block in found.blocks:
        for call in _calls(block):
            name = _base_name(call, found)
            if name:
                found.mentions.setdefault(name, []).append((source, call))
    for source, named in list(found.names.values()):
        if not isinstance(named, Call) or named.name not in FILES or not named.arguments:
            continue
        inside = named.arguments[0]
        call = Call(named.name, (*inside.arguments[:1], *named.arguments[1:]), named.at) if isinstance(inside, Call) else named
        name = _base_name(call, found)
        if name:
            found.mentions.setdefault(name, []).append((source, call))
    return found


def _calls(block: Block) -> Iterator[Call[Value]]:
    """Every `file` and `templatefile` of a block."""
    blocks, values = [block], list[Value]()
    while blocks:
        each = blocks.pop()
        blocks += each.blocks
        if not (each.kind == "data" and each.labels[:1] == ("template_file",)):
            values += each.values.values()
    while values:
        value = values.pop()
        if isinstance(value, Call):
            if value.name in FILES:
                yield value
            values += value.arguments
        elif isinstance(value, Items):
            values += value.values
        elif isinstance(value, Pairs):
            values += [inner for _, inner in value.pairs]


def _base_name(call: Call[Value], folder: Folder) -> str:
    return text_of(call.arguments[0], folder).rpartition("/")[2] if call.arguments else ""


def text_of(value: Value, folder: Folder, depth: int = 0) -> str:
    """A value as one text, U+FFFD for what is not known."""
    if isinstance(value, String):
        return joined(value.parts, lambda expression: known(expression, folder))
    if isinstance(value, Bare):
        if is_digits(value.text) or value.text in ("true", "false"):
            return value.text
        return _text_of_name(value.text, folder)
    if isinstance(value, Call) and value.name in THROUGH and value.arguments:
        return text_of(value.arguments[0], folder, depth + 1) if depth < _DEEPEST else UNKNOWN
    return UNKNOWN


def _text_of_name(name: str, folder: Folder) -> str:
    named = folder.names.get(name)
    return UNKNOWN if named is None else folder.texts.text(name, lambda: text_of(named[1], folder))


def known(expression: str, folder: Folder) -> str | None:
    """What fills a blank: a name that stands for something literal; the folder itself is where it is."""
    if expression in ("path.module", "path.root", "path.cwd"):
        return "."
    text = _text_of_name(expression, folder)
    return None if UNKNOWN in text or "\n" in text else text
