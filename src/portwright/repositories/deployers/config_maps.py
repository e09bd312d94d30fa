"""ConfigMaps of Kubernetes that pods in the network of their node mount: which lines of them name ports that the pod itself does not."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine import pods
from portwright.numbers import decimal
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import LONGEST, Line

_MOST_FILES = 200
"""Files of a folder that are looked through for ConfigMaps."""
_KIND = lazy_regex(r"(?m)^kind:[ \t]*ConfigMap\b")
_DATA = lazy_regex(r"data:\s*(?:#.*)?")
_BEGINS = lazy_regex(r"---(?:[ \t].*)?")
_PORT = lazy_regex(
    r"(?i)(?<![a-z])[a-z_.-]{0,40}ports?(?:[_-]?range|[_-]?start|[_-]?min|[_-]?max)?[\"']?[ \t]{0,4}[:=]?[ \t]{0,4}[\"']?([0-9]{2,5})\b"
    r"|(?:listen|bind|addr(?:ess)?)[a-z_-]{0,30}[\"']?[ \t]{0,4}[:=]?[ \t]{0,4}[\"']?[0-9.:\[\]*]{0,50}:([0-9]{2,5})\b"
)


def lines_of_ports(pod: pods.Pod, documents: Iterable[Sequence[Line]], label: str, checkout: Checkout) -> dict[str, tuple[set[int], str]]:
    """By the path of a file its lines about ports that the pod is given in a ConfigMap, and does not say that it listens on."""
    wanted = {
        word.text
        for volume in pods.children(pod.spec, "volumes")
        for each in pods.children(volume, "configMap")
        if (word := pods.word_of(each, "name")) is not None
    }
    # Where nothing says what is mounted, a file that the command names is the one of that name.
    files = {word.text.rpartition("/")[2] for container in pod.containers for word in container.command if "/" in word.text}
    if not wanted and not files:
        return {}
    told = {
        number
        for container in pod.containers
        for port in pods.children(container.node, "ports")
        for key in ("containerPort", "hostPort")
        if (word := pods.word_of(port, key)) is not None and (number := decimal(word.text, 65535))
    }
    found: dict[str, tuple[set[int], str]] = {}
    named = ((_name("\n".join(line.text for line in lines)), lines) for lines in documents)
    own = {name: lines for name, lines in named if name}
    folder = label.rpartition("/")[0]
    maps: Mapping[str, Sequence[Line]] = {**checkout.once(f"config maps of {folder}", lambda: dict(_of_folder(folder, checkout))), **own}
    for name in sorted(name for name in maps if name in wanted or any(_is_file(line.text, files) for line in maps[name])):
        for line in _said(maps[name], told):
            found.setdefault(line.source, (set(), pod.name or "a pod"))[0].add(line.number)
    return found


def _is_file(line: str, files: Container[str]) -> bool:
    """Whether a line of a ConfigMap begins the text of one of these files."""
    key, colon, _ = line.partition(":")
    return bool(colon) and "." in key and key.strip().strip("\"'") in files


def _name(text: str) -> str:
    """The name of a ConfigMap, "" for anything else."""
    if not _KIND.search(text):
        return ""
    is_said = False
    for line in text.split("\n"):
        if line[:1] not in ("", " ", "\t", "#"):
            is_said = line.startswith("metadata:")
        elif is_said and (said := line.strip()).startswith("name:"):
            return said.removeprefix("name:").partition(" #")[0].strip(" \t\"'")
    return ""


def _of_folder(folder: str, checkout: Checkout) -> Iterator[tuple[str, tuple[Line, ...]]]:
    left = _MOST_FILES
    for label in checkout.under(folder):
        if not label.endswith((".yaml", ".yml")) or label.rpartition("/")[0] != folder or left <= 0:
            continue
        left -= 1
        text = checkout.text(label)
        if text is None or len(text) > LONGEST or not _KIND.search(text):
            continue
        kept: list[Line] = []
        for number, row in enumerate([*text.split("\n"), "---"], 1):
            if _BEGINS.fullmatch(row.rstrip("\r")):
                if name := _name("\n".join(line.text for line in kept)):
                    yield name, tuple(kept)
                kept = []
            else:
                kept.append(Line(row, label, number))


def _said(lines: Iterable[Line], told: set[int]) -> Iterator[Line]:
    """The lines of its data that name a port which is not told."""
    is_data = False
    for line in lines:
        if line.text[:1] not in ("", " ", "\t", "#"):
            is_data = _DATA.fullmatch(line.text.rstrip("\r")) is not None
        elif is_data and not line.text.lstrip().startswith(("#", ";", "//")):
            numbers = (decimal(each[1] or each[2], 65535) for each in _PORT.finditer(line.text[:2_000]))
            if any(number and number not in told for number in numbers):
                yield line
