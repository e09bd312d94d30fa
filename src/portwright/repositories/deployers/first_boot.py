"""What a machine gets at its first boot: cloud-configs, MIME archives of them, Butane and Ignition configs, and scripts.

Each is read from lines that know where they stand, so that Terraform, Packer and CloudFormation hand in what they hold.
"""

import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote_to_bytes

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.literal import Fill, at_most, nothing_known, rows, whole
from portwright.repositories.deployers.placed import Deployed, Line, Pages, block
from portwright.repositories.deployers.terraform_names import given
from portwright.source import Source, Span, Word
from portwright.system.spanned_text import UNKNOWN

_UNITS = "/etc/systemd/system"
_LONGEST_UNPACKED = 1 << 18
"""Bytes that are unpacked from one value."""
_DEEPEST = 4
"""Archives inside archives."""

_CLOUD_CONFIG = lazy_regex(r"#cloud-config\b")
_CLOUD_KEYS = lazy_regex(r"(?m)^(?:write[_-]files|runcmd|bootcmd|coreos|packages|users|k3os|scheme_version):")
# Where the distributions that are one cloud-config have their kernel settings: RancherOS, k3OS, Harvester.
_KERNEL_SETTINGS = {"rancher": "sysctl", "k3os": "sysctls", "os": "sysctls"}
_SCRIPT = lazy_regex(r"#!\s*\S*(?:/|\b)(?:ba|da|a|k|z)?sh\b")
_MIME = lazy_regex(r"(?i)(?:Content-Type|MIME-Version):")
_BOUNDARY = lazy_regex(r"(?i)boundary\s*=\s*\"?([^\s\";]{1,100})")
_BUTANE = lazy_regex(r"(?m)^(?:variant:\s*\S|systemd:|storage:)")
_IGNITION = lazy_regex(r"\s*\{[^{}]{0,400}\"ignition\"\s*:|\s*\{\s*\"(?:storage|systemd|passwd)\"\s*:")
_LIST = lazy_regex(r"[ -]*\[")
# Templates: what Terraform fills in or decides, and what Jinja does.
_TERRAFORM = lazy_regex(r"(\$\$|%%)\{|\$\{([^{}\n]{0,400}(?:\{[^{}\n]{0,200}\}[^{}\n]{0,200}){0,4})\}|%\{[^{}\n]{0,400}\}")
_JINJA = lazy_regex(r"\{\{[^{}\n]{0,400}\}\}|\{%[^%\n]{0,400}%\}|\{#[^#\n]{0,400}#\}")


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """The files of a cloud-config, a Butane or an Ignition config, and what its commands write."""
    pages = Pages(label)
    script = rows(label, text, pages)
    write(script, pages, checkout, given(label, checkout))
    return pages.deployed()


def is_user_data(text: str) -> bool:
    """Whether a text is one that a machine takes at its first boot."""
    begun = text.lstrip()[:4096]
    return bool(_CLOUD_CONFIG.match(begun) or begun.startswith("## template: jinja") or _SCRIPT.match(begun) or _MIME.match(begun))


def write(script: Sequence[Line], pages: Pages, checkout: Checkout, fill: Fill | None = None, depth: int = 0) -> None:
    """Put what user data does into `pages`; with `fill` it is one of Terraform's templates."""
    while script and not script[0].text.strip():
        script = script[1:]
    if not script or depth > _DEEPEST:
        return
    first = script[0].text.lstrip()
    text = "\n".join(line.text for line in script)
    if first.startswith("## template:") and "jinja" in first:
        write(_without(script[1:], _JINJA), pages, checkout, fill, depth + 1)
    elif _MIME.match(first):
        for part in _parts(script):
            write(part, pages, checkout, fill, depth + 1)
    elif _SCRIPT.match(first):
        shell.write(filled(script, fill) if fill is not None else script, pages, checkout)
    elif _IGNITION.match(text):
        _ignition(script, pages, checkout)
    elif _CLOUD_CONFIG.match(first) or (_CLOUD_KEYS.search(text) and not _BUTANE.search(text)):
        _cloud_config(_without(filled(script, fill or nothing_known), _JINJA), pages, checkout)
    elif _BUTANE.search(text):
        _butane(_without(filled(script, fill or nothing_known), _JINJA), pages, checkout)


def filled(script: Sequence[Line], fill: Fill) -> list[Line]:
    """The lines of one of Terraform's templates: blanks filled in, each that is not known as wide as it is written."""
    fill = at_most(fill)
    found = []
    for line in script:
        if "${" not in line.text and "%{" not in line.text:
            found.append(line)
            continue

        def value(match: re.Match[str]) -> str:
            if match[1] is not None:
                return match[1][0] + "{"
            if match[2] is None:
                return " " * len(match[0])
            known = fill(match[2].strip())
            return UNKNOWN * len(match[0]) if known is None or "\n" in known else known

        found.append(replace(line, text=_TERRAFORM.sub(value, line.text)))
    return found


def _without(script: Sequence[Line], blanks: re.Pattern[str]) -> list[Line]:
    """The lines with what a template fills in as not known, and what it decides by as blanks."""

    def value(match: re.Match[str]) -> str:
        return (UNKNOWN if match[0].startswith("{{") else " ") * len(match[0])

    return [replace(line, text=blanks.sub(value, line.text)) if "{" in line.text else line for line in script]


def _parts(script: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """The bodies of the parts of a MIME archive, those that are encoded left out."""
    mark = None
    for line in script[:20]:
        found = _BOUNDARY.search(line.text)
        if found is not None:
            mark = f"--{found[1]}"
            break
        if not line.text.strip():
            break
    begun: int | None = None
    encoded = ""
    for at, line in enumerate(script):
        if mark is not None and line.text.strip() in (mark, f"{mark}--"):
            if begun is not None and encoded in ("", "7bit", "8bit", "binary"):
                yield script[begun:at]
            begun, encoded = None, ""
        elif begun is None and line.text.lower().startswith("content-transfer-encoding:"):
            encoded = line.text.partition(":")[2].strip().lower()
        elif begun is None and not line.text.strip():
            begun = at + 1
    if begun is not None and encoded in ("", "7bit", "8bit", "binary"):
        yield script[begun:]


# ── cloud-config ────────────────────────────────────────────────────────────────────────────────────────────────────


def _cloud_config(script: Sequence[Line], pages: Pages, checkout: Checkout) -> None:
    nodes, outer = _nodes(script)
    for node in nodes:
        for settings in (each for each in node.children if each.key.text == _KERNEL_SETTINGS.get(node.key.text)):
            for setting in settings.children:
                if setting.values and UNKNOWN not in setting.key.text:
                    at = _at(setting.key.at, script)
                    pages.set(at.number, at.shift + 1, setting.key.text, setting.values[0].text, at.source)
    scripts: dict[str, list[Line]] = {}
    # Harvester has what other cloud-configs say at their top under `os`.
    for node in (*nodes, *(child for each in nodes if each.key.text == "os" for child in each.children)):
        if node.key.text in ("write_files", "write-files"):
            path, content = _word(node, "path"), _word(node, "content")
            if path is None or content is None:
                continue
            encoded, append = _word(node, "encoding"), _word(node, "append")
            inside = _decoded(content, encoded.text if encoded is not None else "", script, outer)
            if inside is not None:
                pages.write(path.text, inside, append is not None and append.text.lower() in ("true", "yes"))
                if inside and _SCRIPT.match(inside[0].text):
                    scripts[path.text] = inside
    commands = [word for node in nodes if node.key.text in ("bootcmd", "runcmd") for word in node.values]
    if commands:
        run = _script(commands, script, outer)
        shell.write(run, pages, checkout)
        said = "\n".join(line.text for line in run)
        for place, inside in scripts.items():
            if place in said:
                shell.write(inside, pages, checkout)
    for node in nodes:
        if node.key.text == "coreos":
            for unit in (each for each in node.children if each.key.text == "units"):
                _unit(unit, ("content", "contents"), ("drop-ins", "drop_ins", "dropins"), script, outer, pages)


def _unit(unit: Node, own: tuple[str, ...], below: tuple[str, ...], script: Sequence[Line], outer: list[str], pages: Pages) -> None:
    """A unit of CoreOS's cloud-config, Butane or Ignition, with its drop-ins."""
    name = _word(unit, "name")
    if name is None or "/" in name.text or UNKNOWN in name.text:
        return
    content = next((word for key in own if (word := _word(unit, key)) is not None), None)
    if content is not None:
        pages.write(f"{_UNITS}/{name.text}", _lines(content, script, outer))
    for drop_in in unit.children:
        if drop_in.key.text in below:
            called = _word(drop_in, "name")
            inside = next((word for key in own if (word := _word(drop_in, key)) is not None), None)
            if called is not None and inside is not None and "/" not in called.text:
                drop_in_unit(name.text, called.text, _lines(inside, script, outer), pages)


def drop_in_unit(name: str, own: str, inside: list[Line], pages: Pages) -> None:
    """Put a drop-in below its unit; where it says what is started, the unit is one that the image brings."""
    pages.write(f"{_UNITS}/{name}.d/{own}", inside)
    starts = next((line for line in inside if line.text.startswith("ExecStart=") and line.text.strip() != "ExecStart="), None)
    if starts is not None and f"{_UNITS}/{name}" not in pages.lines:
        pages.write(f"/usr/lib/systemd/system/{name}", [Line("[Service]", starts.source, starts.number)])


def _decoded(content: Word, encoding: str, script: Sequence[Line], outer: list[str]) -> list[Line] | None:
    """The lines of a file of `write_files`; None where its encoding is not read."""
    encoding = encoding.lower()
    if encoding in ("", "text/plain"):
        return _lines(content, script, outer)
    if encoding not in ("b64", "base64", "gz", "gzip", "gz+base64", "gzip+base64", "gz+b64", "gzip+b64"):
        return None
    if UNKNOWN in content.text or encoding in ("gz", "gzip"):
        return None
    return _as_lines(_unpacked(_base64(content.text), "gz" in encoding), content, script)


def _base64(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii", "strict"))
    except (ValueError, UnicodeError):
        return None


def _unpacked(data: bytes | None, packed: bool) -> bytes | None:
    """What was packed; None where it is not packed so, or longer than what is looked through."""
    if data is None or not packed:
        return data
    try:
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        found = reader.decompress(data, _LONGEST_UNPACKED)
        return None if reader.unconsumed_tail else found
    except zlib.error:
        return None


def _as_lines(data: bytes | None, word: Word, script: Sequence[Line]) -> list[Line] | None:
    """Decoded bytes as lines that all stand where the value does."""
    if data is None or b"\0" in data:
        return None
    at = _at(word.at, script)
    return [Line(each, at.source, at.number, at.shift) for each in data.decode("utf-8", "replace").removesuffix("\n").split("\n")]


def _script(commands: Iterable[Word], script: Sequence[Line], outer: list[str]) -> list[Line]:
    """Commands as the lines of a script; the words of `[sysctl, -w, a=1]` are one command."""
    found: list[tuple[Line, list[str]]] = []
    for word in commands:
        if not _is_in_list(word, outer):
            found += [(line, [line.text]) for line in _lines(word, script, outer)]
            continue
        text = f'"{word.text}"' if " " in word.text else word.text.replace("\n", " ")
        at = _at(word.at, script)
        begun = found[-1][0] if found else None
        if begun is not None and (begun.source, begun.number) == (at.source, at.number) and _is_further(word, outer):
            found[-1][1].append(text)
        else:
            found.append((at, [text]))
    return [replace(line, text=" ".join(words)) for line, words in found]


def _is_in_list(word: Word, outer: list[str]) -> bool:
    """Whether a word is one of a command that is written as a list, and so stands for itself whatever blanks it has."""
    list_begun = _LIST.match(outer[word.at.line - 1])
    return list_begun is not None and list_begun.end() < word.at.column


def _is_further(word: Word, outer: list[str]) -> bool:
    """Whether the list of this word began before it: two commands may stand in one line, `[[a, b], [c]]`."""
    line, at = outer[word.at.line - 1], word.at.column - 2
    while at >= 0 and line[at] in " \"'":
        at -= 1
    return at < 0 or line[at] != "["


# ── Butane and Ignition ─────────────────────────────────────────────────────────────────────────────────────────────


def _butane(script: Sequence[Line], pages: Pages, checkout: Checkout) -> None:
    nodes, outer = _nodes(script)
    for node in nodes:
        for file in node.children if node.key.text == "storage" else ():
            path = _word(file, "path")
            if file.key.text == "files" and path is not None:
                for each in (child for child in file.children if child.key.text in ("contents", "append")):
                    _butane_file(path.text, each, script, outer, pages, checkout)
        for unit in node.children if node.key.text == "systemd" else ():
            if unit.key.text != "units":
                continue
            _unit(unit, ("contents",), ("dropins",), script, outer, pages)
            name, local = _word(unit, "name"), _word(unit, "contents_local")
            if name is not None and local is not None and "/" not in name.text:
                _copied(f"{_UNITS}/{name.text}", local.text, script, pages, checkout)


def _butane_file(path: str, node: Node, script: Sequence[Line], outer: list[str], pages: Pages, checkout: Checkout) -> None:
    inline, local, source = _word(node, "inline"), _word(node, "local"), _word(node, "source")
    append = node.key.text == "append"
    if inline is not None:
        pages.write(path, _lines(inline, script, outer), append)
    elif local is not None:
        _copied(path, local.text, script, pages, checkout)
    elif source is not None:
        packed = _word(node, "compression")
        inside = _as_lines(_unpacked(_of_url(source.text), packed is not None and packed.text == "gzip"), source, script)
        if inside is not None:
            pages.write(path, inside, append)


def _copied(path: str, local: str, script: Sequence[Line], pages: Pages, checkout: Checkout) -> None:
    """A file of the repository that is copied as it is: --files-dir is the folder of the config or the repository's top."""
    label = checkout.beside(script[0].source, local) or (local if checkout.has(local) else None)
    text = None if label is None else checkout.text(label)
    if label is not None and text is not None:
        pages.write(path, whole(label, text), of=label)


def _ignition(script: Sequence[Line], pages: Pages, checkout: Checkout) -> None:
    """The JSON that a machine reads, of which YAML's grammar is the wider one."""
    _butane(filled(script, nothing_known), pages, checkout)


def _of_url(url: str) -> bytes | None:
    """What a data: URL holds (RFC 2397); None for any other."""
    if not url.startswith("data:") or "," not in url or UNKNOWN in url:
        return None
    kind, _, data = url[5:].partition(",")
    return _base64(data) if kind.endswith(";base64") else unquote_to_bytes(data)


# ── lines and words ─────────────────────────────────────────────────────────────────────────────────────────────────


def _nodes(script: Sequence[Line]) -> tuple[Sequence[Node], list[str]]:
    outer = [line.text for line in script]
    nodes, _ = parse(Source("", "\n".join(outer)))
    return nodes, outer


def _lines(word: Word, script: Sequence[Line], outer: list[str]) -> list[Line]:
    """The lines that a YAML scalar holds, at the places where the script's lines are written."""
    found = []
    for line in block(word, outer):
        at = script[min(line.number, len(script)) - 1]
        found.append(Line(line.text, at.source, at.number, at.shift + line.shift))
    return found


def _at(span: Span, script: Sequence[Line]) -> Line:
    """Where a word stands: its line, with the columns before it as the shift."""
    line = script[min(span.line, len(script)) - 1]
    return Line("", line.source, line.number, line.shift + span.column - 1)


def _word(node: Node, key: str) -> Word | None:
    """The one value of a key of a mapping."""
    found = next((child for child in reversed(node.children) if child.key.text == key), None)
    return found.values[0] if found is not None and len(found.values) == 1 else None
