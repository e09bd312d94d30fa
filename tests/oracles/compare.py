"""portwright and the parsers of the daemons on the same mutated configs: what a daemon accepts is accepted, with the same listeners."""

import argparse
import difflib
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portwright.daemons import read_as
from portwright.facts import Endpoint
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from tests.daemons.by_hand import invocation
from tests.oracles.mutations import mutated
from tests.oracles.peers import PEERS, Peer, Sockets, running, said

HOST = {
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/os-release": "ID=debian\n",
    "/etc/services": "smtp 25/tcp\nssh 22/tcp\nhttp 80/tcp\n",
}


def read_so(peer: Peer, path: Path, text: str) -> tuple[Sockets, list[str]]:
    """What portwright reads in a config, as the daemon is started with it, and what it does not understand."""
    files = Files(MemoryTree({**HOST, str(path): text}))
    command = peer.command.format(config=path, directory=path.parent)
    started, daemon = read_as(invocation(command), files)
    facts = daemon.read(started, files, {}) if daemon is not None else ()
    found = {
        (each.protocol, "::" if each.address == "*" else each.address, port)
        for each in facts
        if isinstance(each, Endpoint) and not each.on_demand
        for low, high in each.ports.ranges
        for port in range(low, high + 1)
    }
    return frozenset(found), [f"{trouble.at.line}: {trouble.reason}" for trouble in files.unreadable if trouble.at.path == str(path)]


def differences(name: str, peer: Peer, count: int, seed: int, directory: Path) -> Iterator[tuple[str, str]]:
    """("refused" by the daemon, "same") or a disagreement with its text, for each mutated config."""
    chance = random.Random(f"{name} {seed}")  # noqa: S311  configs, not keys
    configs, pool = peer.configs(directory), peer.pool
    for number in range(count):
        base = configs[number % len(configs)]
        text = base if number < len(configs) else mutated(base, pool, chance)
        path = directory / peer.name
        path.write_text(text, encoding="utf-8")
        truth = answer(peer, path)
        if truth is None:
            yield "refused", ""
            continue
        found, troubles = read_so(peer, path, text)
        wanted, found = (frozenset(filter(peer.only, sockets)) for sockets in (truth, found))
        if found == wanted and not troubles:
            yield "same", ""
            continue
        change = "\n".join(difflib.unified_diff(base.split("\n"), text.split("\n"), lineterm="", n=1))
        lacks, adds = sorted(wanted - found), sorted(found - wanted)
        yield "different", f"{name}: it lacks {lacks}, adds {adds}, does not understand {troubles}\n{change or text}\n"


def answer(peer: Peer, path: Path) -> Sockets | None:
    """What the daemon makes of a config: None where it rejects it."""
    words = {"config": str(path), "directory": str(path.parent)}
    if peer.ask is not None:
        return peer.ask(path)
    if peer.normal:
        text = said(*(word.format(**words) for word in peer.normal))
        return None if text is None else read_so(peer, path, text)[0]
    if said(*(word.format(**words) for word in peer.accepts)) is None:
        return None
    return running(*(word.format(**words) for word in peer.run), directory=path.parent)


def main() -> int:
    """Compare, say what was compared, and end with 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="tests/oracles/run", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a dozen configs of each daemon (a minute); without it, some hundreds")
    parser.add_argument("--only", action="append", choices=sorted(PEERS), help="one of the daemons; may be repeated")
    parser.add_argument("--count", type=int, help="how many configs of each")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other configs")
    given = parser.parse_args()
    count = given.count or (12 if given.smoke else 300)
    worst = 0
    for name in given.only or PEERS:
        peer = PEERS[name]
        missing = [program for program in (*peer.programs, "unshare", "ss") if not (shutil.which(program) or Path(program).exists())]
        if missing:
            print(f"{name:<9} not asked: {', '.join(missing)} is not installed here")
            continue
        with tempfile.TemporaryDirectory(prefix="oracle-") as made:
            directory = Path(made)
            directory.chmod(0o755)
            rows = list(differences(name, peer, count, given.seed, directory))
        kinds = [kind for kind, _ in rows]
        print(f"{name:<9} {len(rows)} configs, {kinds.count('refused')} rejected by it, {kinds.count('same')} read alike,"
              f" {kinds.count('different')} not", flush=True)  # fmt: skip
        for _, text in [row for row in rows if row[0] == "different"][:10]:
            print(text)
        worst |= "different" in kinds
    return worst


if __name__ == "__main__":
    sys.exit(main())
