"""What a machine gets at its first boot: cloud-init's `write_files`, `runcmd` and `bootcmd`, Butane's files and units."""

from collections.abc import Iterable, Iterator

from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages, block
from portwright.source import Source, Word

_UNITS = "/etc/systemd/system"


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """The files of a cloud-config or a Butane config, and what its commands write."""
    pages = Pages(label, cut=len(text) > LONGEST)
    text = text[:LONGEST]
    nodes, _ = parse(Source(label, text))
    outer = text.split("\n")
    for node in nodes:
        if node.key.text == "write_files":
            path, content = _word(node, "path"), _word(node, "content")
            encoded = _word(node, "encoding")
            if path is not None and content is not None and (encoded is None or encoded.text in ("text/plain", "")):
                append = _word(node, "append")
                pages.write(path.text, block(content, outer), append is not None and append.text.lower() in ("true", "yes"))
    commands = [word for node in nodes if node.key.text in ("bootcmd", "runcmd") for word in node.values]
    if commands:
        shell.write(_script(commands, outer), pages, checkout)
    for place, inline in _of_butane(nodes):
        pages.write(place, block(inline, outer))
    return pages.deployed()


def _script(commands: Iterable[Word], outer: list[str]) -> list[Line]:
    """Commands as the lines of a script; the words of `[sysctl, -w, a=1]` are one command."""
    lines: list[Line] = []
    for word in commands:
        if not _is_in_list(word, outer):
            lines += block(word, outer)
            continue
        text = f'"{word.text}"' if " " in word.text else word.text.replace("\n", " ")
        begun = lines[-1] if lines and lines[-1].number == word.at.line and _is_further(word, outer) else None
        if begun is None:
            lines.append(Line(text, word.at.path, word.at.line, word.at.column - 1))
        else:
            lines[-1] = Line(f"{begun.text} {text}", begun.source, begun.number, begun.shift)
    return lines


def _is_in_list(word: Word, outer: list[str]) -> bool:
    """Whether a word is one of a command that is written as a list, and so stands for itself whatever blanks it has."""
    return outer[word.at.line - 1][: word.at.column - 1].lstrip(" -").startswith("[")


def _is_further(word: Word, outer: list[str]) -> bool:
    """Whether the list of this word began before it: two commands may stand in one line, `[[a, b], [c]]`."""
    return not outer[word.at.line - 1][: word.at.column - 1].rstrip(" \"'").endswith("[")


def _of_butane(nodes: Iterable[Node]) -> Iterator[tuple[str, Word]]:
    for node in nodes:
        if node.key.text == "storage":
            for file in node.children:
                path = _word(file, "path")
                inline = next((_word(each, "inline") for each in file.children if each.key.text == "contents"), None)
                if file.key.text == "files" and path is not None and inline is not None:
                    yield path.text, inline
        elif node.key.text == "systemd":
            for unit in node.children:
                name, contents = _word(unit, "name"), _word(unit, "contents")
                if unit.key.text != "units" or name is None or "/" in name.text:
                    continue
                if contents is not None:
                    yield f"{_UNITS}/{name.text}", contents
                for drop_in in unit.children:
                    own, inside = _word(drop_in, "name"), _word(drop_in, "contents")
                    if drop_in.key.text == "dropins" and own is not None and inside is not None and "/" not in own.text:
                        yield f"{_UNITS}/{name.text}.d/{own.text}", inside


def _word(node: Node, key: str) -> Word | None:
    """The one value of a key of a mapping."""
    found = next((child for child in reversed(node.children) if child.key.text == key), None)
    return found.values[0] if found is not None and len(found.values) == 1 else None
