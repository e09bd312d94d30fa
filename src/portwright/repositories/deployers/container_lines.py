"""A container that a script or a task starts, as the Compose file that would ask its host for the same."""

from collections.abc import Iterable, Sequence
from json import dumps

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.repositories.deployers.placed import Line
from portwright.system.spanned_text import UNKNOWN

_PORT = lazy_regex(r"[\w.:/\[\]@\ufffd-]+")
_SETTING = lazy_regex(r"[\w./*-]+=[^\"\\\n]*")
_IMAGE = lazy_regex(r"[\w.:/@-]{1,255}")
_MOST_WORDS = 200
"""Words of the command of one container."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One port or setting that is asked for, "" for what is none, and where it stands: `column` is that of its first character, from 0."""

    text: str
    source: str
    number: int
    column: int


def port(text: str) -> str:
    """What is published, "" for what is none."""
    return text if _PORT.fullmatch(text) else ""


def setting(text: str) -> str:
    """The kernel setting that is asked for, "" for what is none."""
    return text if _SETTING.fullmatch(text) else ""


def is_told(asked: Iterable[Asked]) -> bool:
    """Whether all that is asked for is known."""
    return all(each.text and UNKNOWN not in each.text for each in asked)


def path_of(runtime: str, where: str) -> str:
    """Where the Compose file of a container lies that this runtime starts; by its name its room knows it."""
    return f"/srv/{where.replace('/', '-')}/{'podman-runs/containers' if runtime == 'podman' else 'compose'}.yaml"


def lines(
    title: str,
    at: Line,
    on_host: bool,
    ports: Sequence[Asked],
    settings: Sequence[Asked],
    image: str = "",
    command: Sequence[Asked] = (),
) -> list[Line]:
    """The lines of the Compose file; none where nothing is asked for. `at` is where the container is named.

    What its command says matters on the host's network only, where the program binds as it is told itself.
    """
    known = image if on_host and _IMAGE.fullmatch(image) else "image"
    head = ["services:", f"  {_name(title)}:", f"    image: {known}", *(["    network_mode: host"] if on_host else [])]
    found = [Line(each, at.source, at.number, at.shift, at.sure) for each in head]
    words = command if on_host and 0 < len(command) <= _MOST_WORDS and not any("\n" in each.text for each in command) else ()
    if words:
        found.append(Line("    command:", at.source, at.number, at.shift, at.sure))
        found += (_word(each, at.sure) for each in words)
    for key, asked in (("ports", ports), ("sysctls", settings)):
        said = [each for each in asked if each.text]
        if said:
            found.append(Line(f"    {key}:", at.source, at.number, at.shift, at.sure))
            found += (_item(each, at.sure) for each in said)
    return found if on_host or len(found) > len(head) else []


def _word(asked: Asked, is_sure: bool) -> Line:
    """A word of a command, quoted as JSON and YAML both have it; a dollar sign is one."""
    before = '      - "'
    text = dumps(asked.text.replace("$", "$$"), ensure_ascii=False)[1:]
    return Line(f"{before}{text}", asked.source, asked.number, asked.column - len(before), is_sure)


def _item(asked: Asked, is_sure: bool) -> Line:
    """An item of a list in YAML."""
    before, text = "      - ", asked.text
    quoted = f'{before}"{text}"' if text[0] in "[*&!%@`" or " #" in text or ": " in text else f"{before}{text}"
    return Line(quoted, asked.source, asked.number, asked.column - len(before), is_sure)


def _name(text: str) -> str:
    last = text.rpartition("/")[2].partition(":")[0]
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in last) or "container"
