"""Nomad jobs: the ports that a job takes of its client by number; those that Nomad chooses itself are none of a service's own."""

from collections.abc import Iterator

from portwright.formats.hcl import Block, literal, parse
from portwright.formats.parts import Bare
from portwright.numbers import decimal, is_digits
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.container_lines import Asked, lines
from portwright.repositories.deployers.literal import remarks
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages
from portwright.source import Source

_DEEPEST = 16
_MOST = 500
"""Ports of one job."""
_NETWORKS = frozenset(("network", "resources"))


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What a job's groups publish on the client that runs them, in a Compose file that asks the same of its host."""
    source = Source(label, text[:LONGEST])
    read = parse(source)
    pages = Pages(label, cut=len(text) > LONGEST)
    # What else a job says of ports is of its checks and services, and asks for them by their names.
    pages.understood |= remarks(text, ("#", "//")) | set(range(1, source.text.count("\n") + 2))
    for count, (group, ports) in enumerate(_groups(read, 0)):
        asked = []
        for port in ports[:_MOST]:
            static = port.values.get("static")
            number = literal(static) if static is not None else None
            if static is None:
                continue
            at = source.span(static.at, static.at)
            text_of = number if number is not None else static.text if isinstance(static, Bare) else ""
            if not is_digits(text_of) or not decimal(text_of, 65535):
                pages.understood.discard(at.line)
                continue
            asked.append(Asked(f"{text_of}:{text_of}", label, at.line, at.column - 1))
        pages.cut |= len(ports) > _MOST
        if asked:
            said = lines(group, Line("", label, asked[0].number), False, asked, ())
            pages.write(f"/srv/{label.replace('/', '-')}-{count}/compose.yaml", said)
    return pages.deployed()


def _groups(block: Block, depth: int) -> Iterator[tuple[str, list[Block]]]:
    """Each group of a job, or a task of old jobs, with its ports."""
    for inside in block.blocks if depth <= _DEEPEST else ():
        if inside.kind in ("group", "task"):
            ports = [port for each in inside.blocks if each.kind in _NETWORKS for port in _ports(each, 0)]
            if ports:
                yield (inside.labels[0] if inside.labels else inside.kind), ports
        yield from _groups(inside, depth + 1)


def _ports(block: Block, depth: int) -> Iterator[Block]:
    for inside in block.blocks if depth <= 2 else ():
        if inside.kind == "port":
            yield inside
        elif inside.kind in _NETWORKS:
            yield from _ports(inside, depth + 1)
