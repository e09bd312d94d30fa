"""How right portwright is: what it says of hosts that were booted, held against the sockets that `ss` saw there.

    .venv/bin/python -m tests.accuracy.measure            the figures, and each miss as a sentence
    .venv/bin/python -m tests.accuracy.measure NAME ...   of some of the hosts

`hosts/NAME.tar.xz` is the copy of a host that a linter may read, `hosts/NAME.json` what was seen after it had booted. A listener counts as
claimed where it starts at boot, its port is not random, its network is not private, and nothing says that it cannot bind.
"""

import io
import json
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from portwright.cli import main
from tests.accuracy.census import listening, standing

HOSTS = Path(__file__).with_name("hosts")
_ERRORS = ("EACCES", "EADDRINUSE", "EADDRNOTAVAIL")

Pair = tuple[str, int]  # protocol and port
Row = Mapping[str, Any]


class Tally:
    """How often each figure was right, out of how many, and a sentence for each time it was not."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.of: Counter[str] = Counter()
        self.misses: list[str] = []

    def add(self, figure: str, is_right: bool, miss: str) -> None:
        """Count one; `miss` says what was wrong."""
        self.of[figure] += 1
        self.right[figure] += is_right
        if not is_right:
            self.misses.append(f"{figure}: {miss}")

    def lines(self) -> Iterator[str]:
        """The figures, then the misses."""
        for figure in sorted(self.of):
            right, of = self.right[figure], self.of[figure]
            yield f"{figure:22}{right / of:7.1%}  {right} of {of}"
        yield ""
        yield from sorted(self.misses)


def measured(names: Iterable[str] = ()) -> Tally:
    """All figures over some of the hosts, or over all."""
    tally = Tally()
    for archive in sorted(HOSTS.glob("*.tar.xz")):
        name = archive.name.removesuffix(".tar.xz")
        if names and name not in names:
            continue
        with TemporaryDirectory() as folder:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="fully_trusted")  # noqa: S202  our own file
            truth = json.loads((HOSTS / f"{name}.json").read_text("utf-8"))
            facts, check = (said(command, f"{folder}/root") for command in ("facts", "check"))
        _hold(name, facts, check, truth, tally)
    return tally


def said(command: str, root: str) -> dict[str, Any]:
    """What a command says of the one host in a directory."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out):
        main([command, "--format", "json", root])
    out.flush()
    host: dict[str, Any] = json.loads(out.buffer.getvalue())["hosts"][0]
    return host


def _hold(name: str, facts: Row, check: Row, truth: Row, tally: Tally) -> None:
    open_, neutral = _open(truth)
    claimed = _claimed(facts)
    for pair, rows in sorted(open_.items()):
        what = f"{name} {pair[0]}/{pair[1]} ({rows[0]['comm']})"
        tally.add("listeners.recall", pair in claimed, f"{what} of {rows[0]['unit']} was open, not claimed")
        if pair in claimed:
            _hold_one(what, rows, claimed[pair], truth, tally)
    for pair, rows in sorted(claimed.items()):
        if pair not in neutral:
            miss = f"{name} {pair[0]}/{pair[1]} of {rows[0]['unit']} was claimed ({rows[0]['confidence']}), not open"
            tally.add("listeners.precision", pair in open_, miss)
    said = {row["key"]: " ".join((row["boot"] or "").split()) for row in facts["sysctls"]}
    for key, value in sorted(truth["sysctl"].items()):
        if key in said:
            value = " ".join(value.split())
            tally.add("sysctl", said[key] == value, f"{name} {key} is {value!r}, said {said[key]!r}")
    lendable = {pair for pair, rows in open_.items() if rows[0]["in_ephemeral_range"] and not rows[0]["reserved"]}
    without_reuse = {pair for pair, rows in open_.items() if pair[0] == "tcp" and not rows[0]["so_reuseaddr"]}
    _hold_findings("collision", "listener-in-ephemeral-range", lendable, neutral, name, check, tally)
    _hold_findings("noreuse", "listener-without-reuseaddr", without_reuse, neutral, name, check, tally)
    _hold_predictions(name, check, truth, tally)
    _hold_services(name, facts, check, truth, tally)


def _hold_services(name: str, facts: Row, check: Row, truth: Row, tally: Tally) -> None:
    """A service that a boot starts and that listens is known or named as not understood, never passed over in silence."""
    told = standing(facts, check)
    for unit in sorted(listening(truth).keys() & told.keys()):
        tally.add("services.told", told[unit] != "silent", f"{name} {unit} listened and is neither known nor named")


def _open(truth: Row) -> tuple[dict[Pair, list[Row]], set[Pair]]:
    """What a static reader can be asked for, and what is neither right nor wrong: random ports, private networks, the kernel's own."""
    found: defaultdict[Pair, list[Row]] = defaultdict(list)
    neutral = set()
    for row in truth["sockets"]:
        pair = row["proto"], row["port"]
        if row.get("stable") is False or row["netns"] != "host" or row.get("kernel"):
            neutral.add(pair)
        else:
            found[pair].append(row)
    return found, neutral - set(found)


def _claimed(facts: Row) -> dict[Pair, list[Row]]:
    found: defaultdict[Pair, list[Row]] = defaultdict(list)
    for row in facts["listeners"]:
        is_open = row["starts"] == "boot" and row["can_bind"] is not False and not row["random"] and not row["private_network"]
        if is_open and row["port"] is not None:
            for port in range(row["port"], (row["end_port"] or row["port"]) + 1):
                found[row["protocol"], port].append(row)
    return found


def _hold_one(what: str, rows: list[Row], claims: list[Row], truth: Row, tally: Tally) -> None:
    is_, said = ({_scope(row["address"]) for row in each} for each in (rows, claims))
    tally.add("listeners.scope", is_ == said, f"{what} is {_listed(is_)}, said {_listed(said)}")
    units = {unit for row in rows for unit in (row["unit"], row.get("socket_unit"), *row["holders"]) if unit}
    named = {row["unit"] for row in claims}
    tally.add("listeners.unit", named <= units, f"{what} is of {_listed(units)}, said {_listed(named)}")
    users = {row["user"] for row in rows}
    users |= {"root" if row.get("socket_unit") else truth["users"].get(row["unit"]) or "root" for row in rows}
    binds = {row["bind_user"] for row in claims}
    tally.add("listeners.user", binds <= users, f"{what} binds as {_listed(users)}, said {_listed(binds)}")
    reuse = {row["reuse_address"] for row in claims} - {None}
    if rows[0]["proto"] == "tcp" and reuse:
        tally.add("reuse", reuse == {bool(row["so_reuseaddr"]) for row in rows}, f"{what}: SO_REUSEADDR is not {_listed(reuse)}")


def _hold_findings(figure: str, rule: str, real: set[Pair], neutral: set[Pair], name: str, check: Row, tally: Tally) -> None:
    found = set()
    for finding in check["findings"]:
        subject = finding["subject"]
        if finding["rule"] == rule and subject["port"] is not None:
            found |= {(subject["protocol"], port) for port in range(subject["port"], (subject["end_port"] or subject["port"]) + 1)}
    for protocol, port in sorted(real):
        tally.add(f"{figure}.recall", (protocol, port) in found, f"{name} {protocol}/{port}: no {rule}")
    for protocol, port in sorted(found - neutral):
        tally.add(f"{figure}.precision", (protocol, port) in real, f"{name} {protocol}/{port}: {rule}, and it was not so")


def _hold_predictions(name: str, check: Row, truth: Row, tally: Tally) -> None:
    predicted: defaultdict[str, set[str]] = defaultdict(set)
    for finding in check["findings"]:
        if finding["predicts"] in _ERRORS and finding["subject"]["unit"]:
            predicted[finding["subject"]["unit"]].add(finding["predicts"])
    excused = set(truth["bind_neutral"])
    for unit, failure in sorted(truth["bind_failures"].items()):
        # Which of two rivals loses is a race: either may be named.
        said = set().union(*(predicted.get(each, set()) for each in (unit, *failure["rivals"])))
        tally.add("bind.recall", said == {failure["error"]}, f"{name} {unit} failed with {failure['error']}, predicted {_listed(said)}")
        excused |= {each for each in failure["rivals"] if failure["error"] in predicted.get(each, set())}
    for unit, errors in sorted(predicted.items()):
        if unit not in excused:
            really = truth["bind_failures"].get(unit, {}).get("error")
            tally.add("bind.precision", errors == {really}, f"{name} {unit} predicted {_listed(errors)}, seen {really}")


def _scope(address: str | None) -> str:
    if address is None:
        return "unknown"
    bare = address.strip("[]").removeprefix("::ffff:")
    if bare in ("*", "0.0.0.0", "::", ""):  # noqa: S104  compared, never bound
        return "wildcard"
    return "loopback" if bare.startswith("127.") or bare in ("::1", "localhost") else "specific"


def _listed(words: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, words))) or "nothing"


if __name__ == "__main__":
    print("\n".join(measured(sys.argv[1:]).lines()))
