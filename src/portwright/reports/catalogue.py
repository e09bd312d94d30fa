"""The catalogues: which rules there are, and which daemons' configuration is understood."""

import json
from collections.abc import Sequence
from itertools import groupby

from portwright.daemons import Daemon
from portwright.reports.escape import cut
from portwright.rules import Rule


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
    """Daemons as JSON, version 1."""
    rows = [{"app": daemon.name, "programs": list(daemon.programs), "fragments": daemon.fragment is not None} for daemon in daemons]
    return json.dumps({"version": 1, "apps": rows}, indent=2) + "\n"
