"""What is known of a fleet in one SQLite file: each host's files and results, run by run. What comes out of it is held to be anything."""

import json
import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from time import monotonic
from types import TracebackType
from typing import Any
from urllib.parse import quote

from portwright._start.records import dataclass, replace
from portwright.finding import HostResult, RuleMeta
from portwright.fleet.examined import Examined, Known
from portwright.fleet.schema import APPLICATION, INSERTS, MIGRATIONS
from portwright.fleet.unpacked import MOST, inflated
from portwright.fleet.values import Reading, ValueReadError, card, card_fields
from portwright.reports.port_map import PortMap
from portwright.reports.trend import Earlier, Past, name_kept
from portwright.source import Source

_BESIDE = ("-wal", "-shm", "-journal")
_WAITS = 60.0
_MOST_KNOWN = 3
"""Results of one host that are tried: a machine that changes and changes back."""
_KEPT_TOGETHER = 64
_KEPT_AFTER = 1.0
"""Seconds after which what is there is written: no more than that is lost when a run is killed."""


class StoreError(Exception):
    """This file is no store, or cannot be read or written as one; the message says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was finished: when it began, which portwright it was, the rules that it ran, and the digest of what was asked."""

    number: int
    started: str
    version: str
    cards: tuple[RuleMeta, ...]
    asked: str


class StoredSources(Mapping[str, Source]):
    """The files of a result: their names and texts stay in the store until somebody asks for one, for a fleet has many of both."""

    def __init__(self, result: int, store: "Store") -> None:
        self._result, self._store = result, store
        self._known: dict[str, str] | None = None

    @property
    def _digests(self) -> dict[str, str]:
        if self._known is None:
            self._known = self._store.digests(self._result)
        return self._known

    def __getitem__(self, path: str) -> Source:
        return Source(path, self._store.text(self._digests[path]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


class Store:
    """A store that is open; `path` names it. One that is only read is not written to, whatever is in it."""

    def __init__(self, path: str, *, writable: bool) -> None:
        self.path = path
        self._pending, self._since = 0, 0.0
        place = os.path.abspath(path)
        self._look(place, writable=writable)
        mode = "mode=rw" if writable else self._read_only(place)
        with self._told():
            self._db = sqlite3.connect(f"file:{quote(os.fsencode(place))}?{mode}", uri=True, timeout=_WAITS, isolation_level=None)
        try:
            with self._told():
                self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * MOST)
                # A schema of somebody else runs nothing.
                self._db.execute("PRAGMA trusted_schema = OFF")
                self._db.execute("PRAGMA cell_size_check = ON")
                self._prepare(writable=writable)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._db.in_transaction and kind is None:
            with self._told():
                self._db.execute("COMMIT")
        self._db.close()

    # ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, place: str, *, writable: bool) -> None:
        """Nothing is read or written through a link, and nothing written that somebody else may write to."""
        for name in (place, *(f"{place}{suffix}" for suffix in _BESIDE)):
            try:
                status = os.lstat(name)
            except FileNotFoundError:
                if name == place:
                    raise StoreError(f"{self.path}: no such file; audit SNAPSHOTS --store {self.path} makes it") from None
                continue
            except OSError as error:
                raise StoreError(f"{self.path}: {(error.strerror or 'cannot be read').lower()}") from None
            if not stat.S_ISREG(status.st_mode):
                raise StoreError(f"{self.path}: a store and what lies beside it are files, no links and nothing else")
            if writable and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
                raise StoreError(f"{self.path}: it can be written by others, and a store is its owner's alone (chmod 600)")

    def _read_only(self, place: str) -> str:
        """How SQLite is asked for no more than reading: not even a lock is written beside a store that nobody has open."""
        return "mode=ro" if os.path.lexists(f"{place}-wal") else "mode=ro&immutable=1"

    def _prepare(self, *, writable: bool) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        is_empty = not version and not application and self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        if not is_empty and application != APPLICATION:
            raise StoreError(f"{self.path}: this is no store of portwright's")
        if version > len(MIGRATIONS):
            raise StoreError(f"{self.path}: a newer portwright wrote it (version {version} of its tables)")
        found = sorted(sql for (sql,) in self._db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
        if found != _schema(version):
            raise StoreError(f"{self.path}: its tables are not those of a store of version {version}")
        if writable:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._migrate(version)
        elif version < len(MIGRATIONS):
            said = "it is empty" if is_empty else f"an older portwright wrote it: audit SNAPSHOTS --store {self.path} renews it"
            raise StoreError(f"{self.path}: {said}")

    def _migrate(self, version: int) -> None:
        for number, statements in enumerate(MIGRATIONS[version:], version + 1):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if self._db.execute("PRAGMA user_version").fetchone() == (number - 1,):  # nobody was faster
                    for statement in statements:
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                    self._db.execute(f"PRAGMA user_version = {number}")
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite says is wrong with a file, said of this one."""
        try:
            yield
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise StoreError(f"{self.path}: not a store that can be used: {error}") from None

    # ── a run ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, digest: str, cards: Sequence[RuleMeta], version: str, started: str) -> tuple[int, int]:
        """The numbers of a new run and of what is asked in it."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            written = json.dumps([card_fields(each) for each in cards])
            self._db.execute("INSERT OR IGNORE INTO rulesets (digest, version, cards) VALUES (?, ?, ?)", (digest, version, written))
            (ruleset,) = self._db.execute("SELECT id FROM rulesets WHERE digest = ?", (digest,)).fetchone()
            run = self._db.execute("INSERT INTO runs (started, ruleset) VALUES (?, ?)", (started, ruleset)).lastrowid
            self._db.execute("COMMIT")
        return run or 0, ruleset

    def known(self, host: str, about: str, ruleset: int) -> tuple[Known, ...]:
        """The latest results of a host that rest on its files."""
        asked = (
            "SELECT id, seal, looks FROM results WHERE host = ? AND ruleset = ? AND about = ? AND manifest <> '' ORDER BY id DESC LIMIT ?"
        )
        with self._told():
            found = self._db.execute(asked, (name_kept(host), ruleset, about, _MOST_KNOWN)).fetchall()
        return tuple(Known(number, str(seal), bytes(looks)) for number, seal, looks in found if isinstance(looks, bytes))

    def keep(self, run: int, ruleset: int, position: int, found: Examined) -> int:
        """Put what a host came to into a run; the number of its result. Some hosts are written together."""
        with self._told():
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
                self._since = monotonic()
            number = found.number or self._insert(ruleset, found)
            row = (run, position, name_kept(found.host), number, 1 if found.number else 0)
            self._db.execute("INSERT INTO run_hosts VALUES (?, ?, ?, ?, ?)", row)
            self._pending += 1
            if self._pending == _KEPT_TOGETHER or monotonic() - self._since > _KEPT_AFTER:
                self._pending = 0
                self._db.execute("COMMIT")
        return number

    def _insert(self, ruleset: int, found: Examined) -> int:
        self._db.executemany(
            "INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)", ((each.digest, each.size, each.data) for each in found.blobs)
        )
        made = self._db.execute(
            "INSERT INTO results (host, about, ruleset, manifest, seal, looks, document, files_read, rules_checked)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(name_kept(found.host), found.about, ruleset, found.manifest, found.seal, found.looks, found.document),
                *(found.files_read, found.rules_checked),
            ),
        )
        number = made.lastrowid or 0
        for table, rows in found.rows.items():
            self._db.executemany(INSERTS[table], ((number, *row) for row in rows))
        return number

    def keep_groups(self, run: int, groups: Mapping[str, Sequence[str]]) -> None:
        """Put into a run which of its hosts are in which group of the inventory."""
        with self._told():
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            rows = ((run, name_kept(name), name_kept(host)) for name, hosts in groups.items() for host in hosts)
            self._db.executemany("INSERT OR IGNORE INTO run_groups VALUES (?, ?, ?)", rows)

    def finish(self, run: int, finished: str) -> None:
        """Say that a run came to its end."""
        with self._told():
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("UPDATE runs SET finished = ? WHERE id = ?", (finished, run))
            self._db.execute("COMMIT")

    # ── what was kept ───────────────────────────────────────────────────────────────────────────────────────────────

    def last(self, before: int | None = None) -> Run | None:
        """The last run that was finished, or the last one before another."""
        asked = (
            "SELECT runs.id, runs.started, rulesets.version, rulesets.cards, rulesets.digest"
            " FROM runs JOIN rulesets ON rulesets.id = runs.ruleset"
            " WHERE runs.finished IS NOT NULL AND (? IS NULL OR runs.id < ?) ORDER BY runs.id DESC LIMIT 1"
        )
        with self._told():
            found = self._db.execute(asked, (before, before)).fetchone()
        if found is None:
            return None
        number, started, version, cards, digest = found
        try:
            return Run(number, str(started), str(version), tuple(map(card, json.loads(cards))), str(digest))
        except (ValueReadError, ValueError, TypeError, RecursionError):
            raise self._broken("the rules of its last run") from None

    def groups(self, run: int) -> dict[str, tuple[str, ...]]:
        """Which hosts of a run are in which group."""
        found: dict[str, list[str]] = {}
        with self._told():
            for name, host in self._db.execute("SELECT name, host FROM run_groups WHERE run = ? ORDER BY name, host", (run,)):
                found.setdefault(str(name), []).append(str(host))
        return {name: tuple(hosts) for name, hosts in found.items()}

    def placed(self, run: int) -> tuple[tuple[int, int], ...]:
        """The position of each host of a run in its fleet, and the number of its result."""
        with self._told():
            found = self._db.execute("SELECT position, result FROM run_hosts WHERE run = ? ORDER BY position", (run,)).fetchall()
        return tuple((position, number) for position, number in found)

    def hosts(self, run: int) -> tuple[int, ...]:
        """The numbers of the results of a run, in the order of its hosts."""
        return tuple(number for _, number in self.placed(run))

    def earlier(self, run: Run) -> Earlier | None:
        """The run that was finished before another, with what was found then."""
        before = self.last(run.number)
        if before is None:
            return None
        asked = (
            "SELECT host, rule, severity, message, path, line, fingerprint FROM findings JOIN run_hosts USING (result) WHERE run = ?"
            " ORDER BY position, findings.rowid"
        )
        with self._told():
            hosts = self._db.execute("SELECT host FROM run_hosts WHERE run = ?", (before.number,)).fetchall()
            found = self._db.execute(asked, (before.number,)).fetchall()
        try:
            findings = Reading({}).values(Past, [list(row) for row in found])
        except ValueReadError:
            raise self._broken("a finding of the run before the last") from None
        return Earlier(before.started, frozenset(str(host) for (host,) in hosts), findings)

    def result(self, number: int, cards: Mapping[str, RuleMeta]) -> tuple[HostResult, tuple[PortMap, ...]]:
        """A result and the maps of its ports."""
        try:
            document = self._document(number)
            reading = Reading(cards)
            result = reading.value(HostResult, document["result"])
            return replace(result, sources=StoredSources(number, self)), reading.values(PortMap, document["maps"])
        except (ValueReadError, ValueError, TypeError, KeyError, RecursionError):
            raise self._broken(f"result {number}") from None

    def digests(self, number: int) -> dict[str, str]:
        """The digest of each file of a result."""
        try:
            return {str(path): str(digest) for path, digest in self._document(number)["sources"]}
        except (ValueError, TypeError, KeyError, RecursionError):
            raise self._broken(f"result {number}") from None

    def _document(self, number: int) -> Any:
        with self._told():
            found = self._db.execute("SELECT document FROM results WHERE id = ?", (number,)).fetchone()
        return json.loads(inflated(found[0]))

    def text(self, digest: str) -> str:
        """The text that has a digest."""
        with self._told():
            found = self._db.execute("SELECT data FROM blobs WHERE sha256 = ?", (digest,)).fetchone()
        try:
            data = inflated(found[0])
        except (ValueError, TypeError):
            raise self._broken("a file of a host") from None
        if sha256(data).hexdigest() != digest:
            raise self._broken("a file of a host")
        return data.decode("utf-8", "surrogateescape")

    def _broken(self, what: str) -> StoreError:
        return StoreError(f"{self.path}: {what} cannot be read: the store is damaged, or something else wrote it")


def _schema(version: int) -> list[str]:
    """What SQLite says of the tables of a version."""
    with sqlite3.connect(":memory:") as db:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                db.execute(statement)
        found = sorted(sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    db.close()
    return found
