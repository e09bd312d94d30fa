"""The catalogues: which rules there are, and which daemons' configuration is understood."""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from portwright.daemons import Daemon
from portwright.reports.escape import cut
from portwright.rules import Rule

if TYPE_CHECKING:
    from portwright.daemons._engine.descriptor import Descriptor, Socket

_FAMILIES = ("deb", "rpm", "apk", "arch")


def rules_text(rules: Sequence[Rule], *, width: int, quiet: bool = False, verbose: bool = False) -> str:
    """Rules by family: id, severity, title; `quiet` leaves the ids, `verbose` cuts no title."""
    cards = sorted((rule.card for rule in rules), key=lambda card: (card.family, card.id))
    if not cards:
        return "no rule is selected\n"
    if quiet:
        return "".join(f"{card.id}\n" for card in cards)
    longest = max(len(card.id) for card in cards)
    lines = []
    for family, members in groupby(cards, key=lambda card: card.family):
        lines.append(f"{family}:")
        for card in members:
            title = card.title if verbose else cut(card.title, max(20, width - longest - 13))
            lines.append(f"  {card.id:{longest}}  {card.severity:6}  {title}")
    return "".join(f"{line}\n" for line in (*lines, "", f"{len(cards)} rules; portwright explain RULE describes one"))


def rules_json(rules: Sequence[Rule]) -> str:
    """Rules as JSON, version 1."""
    rows = [
        {"rule": c.id, "family": c.family, "severity": c.severity, "title": c.title, "why": c.why, "references": list(c.references)}
        for c in sorted((rule.card for rule in rules), key=lambda card: card.id)
    ]
    return json.dumps({"version": 1, "rules": rows}, indent=2) + "\n"


def apps_text(daemons: Sequence[Daemon], *, width: int, quiet: bool = False, verbose: bool = False) -> str:
    """Daemons and the programs they are started as; `quiet` leaves the names, `verbose` cuts no list."""
    if quiet:
        return "".join(f"{daemon.name}\n" for daemon in daemons)
    longest = max(len(daemon.name) for daemon in daemons)
    room = max(20, width - longest - 4)
    programs = {daemon.name: ", ".join(daemon.programs) for daemon in daemons}
    lines = [f"  {name:{longest}}  {listed if verbose else cut(listed, room)}" for name, listed in programs.items()]
    return "".join(f"{line}\n" for line in ("daemons and the names of their programs:", *lines))


def apps_json(daemons: Sequence[Daemon]) -> str:
    """Daemons as JSON, version 1: with the families and settings that are known of each, and whence."""
    from portwright.daemons._engine import cases

    written = cases.tally()
    return json.dumps({"version": 1, "apps": [_app(daemon, written.get(daemon.name)) for daemon in daemons]}, indent=2) + "\n"


def _app(daemon: Daemon, cases: tuple[int, int] | None) -> dict[str, object]:
    found = daemon.descriptor
    paths = [found.packages, found.environment, *([found.config.paths] if found.config is not None else [])]
    return {
        "app": daemon.name,
        "programs": list(daemon.programs),
        "fragments": daemon.fragment is not None,
        "families": [family for family in _FAMILIES if any(getattr(each, family) for each in paths)],
        "packages": {family: list(named) for family in ("any", *_FAMILIES) if (named := getattr(found.packages, family))},
        "units": list(found.units),
        "config": list(found.config.paths.all) if found.config is not None else [],
        "settings": _settings(found),
        "default_only": [
            {"protocol": protocol, "port": port}
            for socket in found.sockets
            if socket.port is not None and not _is_told(socket)
            for protocol in socket.protocols
            for port in socket.port.default or ()
        ],
        "read_by_code": bool(found.reader),
        "cases": {"written": cases[0], "moved": cases[1]} if cases is not None else None,
        "source": found.source,
    }


def _is_told(socket: "Socket") -> bool:
    """Whether a setting can say the port, and not the built-in default alone: that of the port, or one of the address with it."""
    return any(slot is not None and slot.sources for slot in (socket.port, socket.listen if socket.form != "address" else None))


def _settings(found: "Descriptor") -> list[str]:
    """The options, variables and directives that say what is bound; one of a block has its path before it."""
    named: list[str] = []
    config, server = found.config, found.server
    slots = [config.named, config.directories] if config is not None else []
    slots += [server.host, server.port] if server is not None else []
    named += [source for slot in slots for source in slot.sources]
    conditions = [*found.when, *found.unless, *(config.unless if config is not None else ())]
    for socket in found.sockets:
        own = [slot.sources for slot in (socket.listen, socket.port, socket.end_port, socket.backlog) if slot is not None]
        said = [*(source for sources in own for source in sources), *_conditional((*socket.when, *socket.unless))]
        named += [f"{socket.each or ''}{source}" if source.startswith(".") else source for source in said]
    return list(dict.fromkeys((*named, *_conditional(conditions))))


def _conditional(conditions: Iterable[tuple[str, tuple[str, ...]]]) -> list[str]:
    return [source for sources, _ in conditions for source in sources.split("|")]
