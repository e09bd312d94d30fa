"""What listened on a host when it was copied: the socket table as ss(8) prints it, of a snapshot or a report."""

from portwright._start.records import dataclass
from portwright.numbers import decimal
from portwright.source import Span
from portwright.trees import Files

_TABLES = ("/.portwright/sockets", "/sos_commands/networking/ss_-peaonmi", "/insights_commands/ss_-tupna")
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that waited for others; `program` is "" where the table does not say whose it is."""

    protocol: str
    port: int
    program: str
    at: Span


def _place(line: tuple[int, str]) -> Span:
    return Span(_TABLES[0], line[0], 1, line[0], 1)


def listening(files: Files) -> tuple[Listening, ...]:
    """`tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=7,fd=6))`, and of UDP what has no peer."""
    for path in _TABLES:
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None:
            continue
        found: dict[Listening, None] = {}
        lines = enumerate(source.text.split("\n"), 1)
        for number, line in files.limited(lines, _MOST, "sockets", _place):
            words = line.split()
            if len(words) < 6 or words[0] not in ("tcp", "udp") or words[1] not in ("LISTEN", "UNCONN"):
                continue
            port = decimal(words[4].rpartition(":")[2], 65535)
            if port:
                program = line.partition('users:(("')[2].partition('"')[0]
                found[Listening(words[0], port, program, Span(source.path, number, 1, number, len(line) + 1))] = None
        return tuple(found)
    return ()
