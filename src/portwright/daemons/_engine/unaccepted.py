"""What a setting names to listen on in a form that no socket of the entry takes: nothing would be bound for it, and nobody told."""

import re
from collections.abc import Iterator

from portwright._start.records import replace
from portwright.daemons._engine.descriptor import Descriptor, Slot
from portwright.daemons._engine.settings import Settings
from portwright.daemons._engine.sockets import NOT_INTERNET
from portwright.numbers import decimal
from portwright.source import Word


def unaccepted(entry: Descriptor, settings: Settings) -> Iterator[Word]:
    """The values of settings whose every reader wants them in a form (`pattern`), that have none of these forms."""
    slots = [slot for socket in entry.sockets for slot in (socket.listen, socket.port) if slot is not None]
    for source in sorted({source for slot in slots if slot.pattern for source in slot.sources if _is_plain(source)}):
        readers = [slot for slot in slots if source in slot.sources]
        if not all(slot.pattern.startswith("^") and not (slot.word or slot.option or slot.following) for slot in readers):
            continue
        said = settings.values(Slot(sources=(source,), take="every", split=readers[0].split, off=readers[0].off, unset=readers[0].unset))
        for word, _ in said or ():
            text = word.text.strip()
            if _names_port(text) and not text.startswith(NOT_INTERNET) and not any(_takes(slot, text) for slot in readers):
                yield replace(word, text=text)


def _is_plain(source: str) -> bool:
    """Whether it is a setting or an option by its name, not a place in a block or whatever stands on the command line."""
    return not source.startswith((".", "%", "*")) and "{" not in source


def _names_port(text: str) -> bool:
    """Whether a port stands at its end; names of interfaces, files and what is sent elsewhere have none."""
    _, scheme, rest = text.partition("://")
    host, _, port = (rest if scheme else text).rstrip("/").rpartition(":")
    return bool(decimal(port, 65535)) and not set("/ ").intersection(host)


def _takes(slot: Slot, text: str) -> bool:
    return re.search(slot.pattern, text) is not None
