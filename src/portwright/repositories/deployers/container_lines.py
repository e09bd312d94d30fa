"""A container that a script or a task starts, as the Compose file that would ask its host for the same."""

from collections.abc import Iterable, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.repositories.deployers.placed import Line
from portwright.system.spanned_text import UNKNOWN

_PORT = lazy_regex(r"[\w.:/\[\]@\ufffd-]+")
_SETTING = lazy_regex(r"[\w./*-]+=[^\"\\\n]*")


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


def lines(title: str, at: Line, on_host: bool, ports: Sequence[Asked], settings: Sequence[Asked]) -> list[Line]:
    """The lines of the Compose file; none where nothing is asked for. `at` is where the container is named."""
    head = ["services:", f"  {_name(title)}:", "    image: image", *(["    network_mode: host"] if on_host else [])]
    found = [Line(each, at.source, at.number, at.shift, at.sure) for each in head]
    for key, asked in (("ports", () if on_host else ports), ("sysctls", settings)):
        said = [each for each in asked if each.text]
        if said:
            found.append(Line(f"    {key}:", at.source, at.number, at.shift, at.sure))
            found += (_item(each, at.sure) for each in said)
    return found if on_host or len(found) > len(head) else []


def _item(asked: Asked, is_sure: bool) -> Line:
    """An item of a list in YAML."""
    before, text = "      - ", asked.text
    quoted = f'{before}"{text}"' if text[0] in "[*&!%@`" or " #" in text or ": " in text else f"{before}{text}"
    return Line(quoted, asked.source, asked.number, asked.column - len(before), is_sure)


def _name(text: str) -> str:
    last = text.rpartition("/")[2].partition(":")[0]
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in last) or "container"
