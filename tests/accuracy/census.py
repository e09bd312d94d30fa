"""Of the services that a boot starts: how many have their listening known, how many are named as not understood, how many silent.

    .venv/bin/python -m tests.accuracy.census DIRECTORY ...   each a directory of hosts: HOST/root and HOST/truth.json

A silent service must not listen. `truth.json` holds the sockets that were seen after a boot, as `hosts/NAME.json` here does; each silent
service that held one is a line. Random ports, sockets of a second boot only and those of a container's network do not count.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from json import loads
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def standing(facts: Row, check: Row) -> dict[str, str]:
    """What is said of each service that a boot starts: "known" (a row of it), "named" or "silent".

    It is named as not understood, or where a line of its unit asks for a file that could not be read.
    """
    known = {row["unit"] for row in facts["listeners"]}
    known |= {f"{name.removesuffix('.socket')}.service" for name in known if name and name.endswith(".socket")}
    named = {row["unit"] for row in check["coverage"]["not_understood"]}
    unread = {row["at"]["path"] for row in check["unreadable"]}
    named |= {row["unit"] for row in facts["units"] if not unread.isdisjoint(row["files"])}
    started = (row["unit"] for row in facts["units"] if row["starts"] == "boot" and row["state"] == "loaded")
    services = (name for name in started if name.endswith(".service"))
    return {name: "known" if name in known else "named" if name in named else "silent" for name in services}


def listening(truth: Row) -> dict[str, list[Row]]:
    """The sockets that were seen of each unit, by the unit that held them."""
    found: dict[str, list[Row]] = {}
    for row in truth["sockets"]:
        if row.get("stable") is not False and row["netns"] == "host" and not row.get("kernel"):
            holders = {each if isinstance(each, str) else each["unit"] for each in row["holders"]} | {row["unit"]}
            for unit in holders - {None}:
                found.setdefault(unit, []).append(row)
    return found


def taken(directories: list[str]) -> Iterator[str]:
    """The figures of each directory and of all, and a line for each silent service that listened."""
    from tests.accuracy.measure import said

    every: Counter[str] = Counter()
    missed: list[str] = []
    for directory in directories:
        count: Counter[str] = Counter()
        for path in sorted(Path(directory).glob("*/truth.json")):
            root = str(path.parent / "root")
            found = standing(*(said(command, root) for command in ("facts", "check")))
            count.update(found.values())
            for unit, rows in sorted(listening(loads(path.read_text("utf-8"))).items()):
                if found.get(unit) == "silent":
                    ports = ", ".join(sorted({f"{row['proto']}/{row['port']}" for row in rows}))
                    missed.append(f"{path.parent.name}: {unit} is silent and listened on {ports}")
        yield _line(directory, count)
        every.update(count)
    yield _line("all", every)
    yield from missed or ["no silent service listened"]


def _line(name: str, count: Counter[str]) -> str:
    words = ", ".join(f"{count[kind]} {kind}" for kind in ("known", "named", "silent"))
    return f"{name}: {count.total()} services are started at boot: {words}"


if __name__ == "__main__":
    print("\n".join(taken(sys.argv[1:])))
