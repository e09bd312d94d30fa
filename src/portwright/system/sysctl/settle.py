"""Which sysctl values are in force and which line said so, as systemd-sysctl leaves them at boot and `sysctl --system` later."""

import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal

from portwright._start import debug_log
from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.facts import Assignment, Confidence, Overridden, Sysctl
from portwright.facts.sysctl import RANGE, UNPRIVILEGED
from portwright.formats.sysctl import (
    PROCPS,
    SYSTEMD,
    Broken,
    Dialect,
    Line,
    dialects_agree,
    dotted,
    normalized,
    parse,
    swapped,
)
from portwright.source import Source, Span, Word
from portwright.system.releases.of_host import Release
from portwright.system.releases.since import KERNEL
from portwright.system.spanned_text import UNKNOWN
from portwright.system.sysctl import kernel
from portwright.system.sysctl.loaders import Found, NotRead, Reading, reading
from portwright.trees import Files

Fate = Literal["applied", "overridden", "rejected", "ignored"]


@dataclass(frozen=True, slots=True)
class Settled:
    """Every kernel setting that matters or that a file sets, by key; and every line that tries to set one, by place."""

    sysctls: tuple[Sysctl, ...]
    assignments: tuple[Assignment, ...]


@cache
def defaults() -> Source:
    """The kernel's own values, shipped beside the code; spans into it say `kernel.conf`."""
    with open(os.path.join(os.path.dirname(__file__), "kernel.conf"), encoding="utf-8") as file:
        return Source("kernel.conf", file.read())


def boot_files(files: Files) -> tuple[str, ...]:
    """The files systemd-sysctl reads at boot, in order, as `systemd-analyze cat-config sysctl.d` lists them."""
    return tuple(found.path for found in reading(files).boot)


def settle(
    files: Files,
    running: Mapping[str, Word] | None = None,
    release: Release | None = None,
    kernel_words: Iterable[Word] = (),
    not_applied: str = "",
) -> Settled:
    """What systemd-sysctl leaves at boot, and what `sysctl --system` leaves when it is then run on that host.

    `running` is what a capture says (dotted keys); its keys are also what globs are held against. `release` is the kernel's.
    `kernel_words` are the kernel's command line, whose `sysctl.KEY=value` come before every file. `not_applied` says why no file is read
    at boot. What a credential sets is in no file and not in the result. A key that no line sets at boot and whose default is not known
    has assignments but no Sysctl. Sources: sysctl.d(5), sysctl(8), sysctl.conf(5), and both programs measured
    (systemd 252, procps 4.0.2).
    """
    running = running or {}
    order = reading(files)
    if not_applied:
        order = Reading((), order.reload, tuple(NotRead(one, not_applied, True) for one in order.reload))
    lines = _Lines(files)
    known = tuple(sorted({*(entry.path for entry, _ in _default_values()), *(normalized(key) for key in running)}))
    starts = {entry.key: (kernel.starts_with(entry.key, value, release), entry) for entry, value in _default_values()}
    boot = _Ledger({key: _Held(value, entry) for key, ((value, _), entry) in starts.items()}, release)
    for word in kernel_words:
        if word.text.startswith("sysctl.") and (entry := _of_command_line(word, release)) is not None:
            boot.write(entry, entry.key)
    _boot([entry for one in order.boot for entry in lines.read(one, SYSTEMD)], known, boot)
    reload = _Ledger(boot.held, release)
    shortened = _reload([entry for one in order.reload for entry in lines.read(one, PROCPS)], known, reload)
    for left_out in order.not_at_boot:
        for entry in lines.read(left_out.file, SYSTEMD) if left_out.reload else lines.glance(left_out.file):
            boot.outcomes.setdefault(entry.at, _Outcome(entry, "ignored", left_out.reason))
    assignments = [
        Assignment(at, outcome.entry.key, outcome.entry.value, outcome.outcome, outcome.reason, _sure(outcome, release))
        for at, outcome in boot.outcomes.items()
        if outcome.entry.value is not None
    ]
    assignments.extend(Assignment(broken.at, broken.text, "", "ignored", broken.reason) for broken in lines.broken.values())
    unsure = {key for key, ((_, sure), _) in starts.items() if not sure}
    sysctls = _sysctls(boot, reload, shortened, running, unsure)
    if debug_log.ENABLED:
        _log(sysctls)
    return Settled(sysctls, tuple(sorted(assignments, key=lambda assignment: assignment.at)))


def _sure(outcome: "_Outcome", release: Release | None) -> Confidence:
    known_by_release = outcome.outcome == "ignored" and outcome.entry.key in KERNEL and release is not None
    return "likely" if known_by_release and release is not None and not release.is_sure else "certain"


def _log(sysctls: Iterable[Sysctl]) -> None:
    for sysctl in sysctls:
        if sysctl.overridden or not sysctl.is_default:
            debug_log.say("sysctl", "%s = %s, set by %s", sysctl.key, sysctl.boot, sysctl.at)
        for loser in sysctl.overridden:
            debug_log.say("sysctl", "%s = %s at %s lost: %s", sysctl.key, loser.value, loser.at, loser.reason)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line as a loader takes it: `path` below /proc/sys, `key` its usual name; `raw` is procps' own path, not tidied."""

    at: Span
    key: str
    path: str
    raw: str
    value: str | None


def _entry(line: Line) -> _Entry:
    path = normalized(line.key.text)
    # procps keeps a blank between - and the key as part of the name
    gap = " " if line.prefix is not None and line.prefix.at.end_column < line.key.at.column else ""
    return _Entry(line.at, dotted(path), path, gap + swapped(line.key.text), None if line.value is None else line.value.text)


def _of_command_line(word: Word, release: Release | None) -> _Entry | None:
    """`sysctl.KEY=value` of the kernel's command line (kernel-parameters.txt), the only line of a host that is no file's."""
    key, equals, value = word.text.removeprefix("sysctl.").partition("=")
    path = normalized(key)
    return _Entry(word.at, dotted(path), path, path, value.strip("\"'")) if equals and not kernel.missing(path, release) else None


@cache
def _default_values() -> tuple[tuple[_Entry, str], ...]:
    entries = (_entry(line) for line in parse(defaults()).lines)
    return tuple((entry, kernel.normal(entry.value or "")) for entry in entries)


@cache
def _default_places() -> frozenset[Span]:
    return frozenset(entry.at for entry, _ in _default_values())


_COST_OF_A_LINE = 100  # characters of Files.spend: each line has an outcome, and may be one that a key was lost to


class _Lines:
    """The lines of files, each file parsed once unless the two loaders see different lines in it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._read: dict[tuple[str, bool], tuple[_Entry, ...]] = {}
        self.broken: dict[Span, Broken] = {}

    def read(self, one: Found, dialect: Dialect) -> tuple[_Entry, ...]:
        """The lines of a file a loader reads; what it cannot make sense of is told."""
        source = None if one.masks else self._files.read(one.real)
        if source is None:
            return ()
        own = dialect is PROCPS and not dialects_agree(source)
        key = (one.real, own)
        if key not in self._read:
            document = parse(source, PROCPS if own else SYSTEMD)
            if not self._files.spend(_COST_OF_A_LINE * len(document.lines), Span.whole(source.path), "what this file sets"):
                document = replace(document, lines=())
            for broken in (*document.broken, *([document.cut] if document.cut else ())):
                self.broken[broken.at] = broken
                self._files.report_unreadable(broken.at, broken.reason)
            self._read[key] = tuple(map(_entry, document.lines))
        return self._read[key]

    def glance(self, one: Found) -> tuple[_Entry, ...]:
        """The lines of a file no loader reads, if they surely are settings: such a file may be anything."""
        source = self._files.read(one.real) if self._files.kind(one.real) == "file" else None
        if source is None:
            return ()
        return tuple(entry for entry in map(_entry, parse(source).lines) if "/" in entry.path and " " not in entry.path)


# ── who wins ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Held:
    """What a key holds, and the line that put it there."""

    value: str
    entry: _Entry


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a line; `by` is the line that took its place."""

    entry: _Entry
    outcome: Fate
    reason: str = ""
    by: _Entry | None = None


class _Ledger:
    """What every key holds while a loader writes, what became of each line, and what else lost a key to another line."""

    def __init__(self, held: Mapping[str, _Held], release: Release | None) -> None:
        self.release = release
        self.held = dict(held)
        self.outcomes: dict[Span, _Outcome] = {}
        self.overridden: list[tuple[str, Overridden]] = []

    def note(self, entry: _Entry, outcome: Fate, reason: str = "", by: _Entry | None = None) -> None:
        self.outcomes[entry.at] = _Outcome(entry, outcome, reason, by)

    def lose(self, key: str, entry: _Entry, reason: str) -> None:
        """A line that is for many keys does not get this one."""
        self.overridden.append((key, Overridden(entry.value or "", entry.at, reason)))

    def write(self, entry: _Entry, key: str, procps: bool = False) -> kernel.Written:
        held = self.held.get(key)
        if not procps and held is not None and held.value == entry.value:
            self.held[key] = _Held(held.value, entry)  # systemd reads before it writes, and then has nothing to write
            return kernel.Written()
        before = {name: self.held[name].value for name in (RANGE, UNPRIVILEGED)}
        if UNKNOWN in (entry.value or ""):
            written = kernel.Written(((key, UNKNOWN),))  # whether the kernel takes it is as little known
        else:
            written = kernel.write(key, entry.value or "", before, once=procps)
        for name, value in written.values:
            loser = self.held.get(name)
            if loser is not None and loser.entry.at != entry.at and loser.entry.at not in _default_places():
                if loser.entry.key == name:
                    self.note(loser.entry, "overridden", f"{entry.at} replaces it", entry)
                else:
                    self.lose(name, loser.entry, f"{entry.at} replaces it")
            self.held[name] = _Held(value, entry)
        return written


def _boot(entries: Sequence[_Entry], known: Sequence[str], ledger: _Ledger) -> None:
    """systemd-sysctl keeps one value for a key, the last, and writes each once (src/sysctl/sysctl.c)."""
    kept: dict[str, _Entry] = {}
    for entry in entries:
        earlier = kept.get(entry.path)
        if earlier is not None:
            if earlier.value != entry.value:
                # a new value goes to the end of what will be written; the same value again keeps its place
                del kept[entry.path]
            says = "withdraws it" if entry.value is None else "sets the same value" if entry.value == earlier.value else "replaces it"
            ledger.note(earlier, "overridden", f"{entry.at} {says}", entry)
        kept[entry.path] = entry
    for path, entry in kept.items():
        if entry.value is None:
            continue
        ledger.note(entry, "applied")
        if _is_glob(path):
            _write_glob(entry, _matching(_braces(path), known), kept, ledger)
        elif reason := kernel.missing(path, ledger.release):
            ledger.note(entry, "ignored", reason)
        elif ".." in path.split("/"):
            ledger.note(entry, "rejected", "systemd-sysctl rejects a name that contains ..")
        elif refused := ledger.write(entry, entry.key).refused:
            ledger.note(entry, "rejected", refused)
    for outcome in tuple(ledger.outcomes.values()):
        winner = ledger.outcomes.get(outcome.by.at) if outcome.by else None
        if outcome.outcome == "overridden" and winner is not None and winner.outcome == "rejected":
            reason = f"{outcome.reason}, although the kernel rejects that value: systemd-sysctl uses only the last one"
            ledger.note(outcome.entry, "overridden", reason, outcome.by)


def _reload(entries: Sequence[_Entry], known: Sequence[str], ledger: _Ledger) -> list[tuple[str, Overridden]]:
    """procps writes line after line, and globs where no line names the key (src/sysctl.c); the lines it writes a part of only."""
    shortened: list[tuple[str, Overridden]] = []
    named: dict[str, _Entry] = {}
    for entry in entries:
        named.setdefault(entry.raw, entry)
    for entry in entries:
        if entry.value is None:
            continue
        if _is_glob(entry.raw):
            _write_glob(entry, _matching((entry.raw,), known), named, ledger, procps=True)
            continue
        path = _walked(entry.raw)
        if path is not None and not kernel.missing(path, ledger.release):
            written = ledger.write(entry, dotted(path), procps=True)
            if written.values and written.refused:
                last = written.values[0][1].rpartition(",")[2]
                reason = f"sysctl --system leaves the list up to {last}: {written.refused}"
                shortened.append((dotted(path), Overridden(entry.value, entry.at, reason)))
    return shortened


def _write_glob(entry: _Entry, paths: Iterable[str], named: Mapping[str, _Entry], ledger: _Ledger, procps: bool = False) -> None:
    refusals: list[str] = []
    tried = 0
    for path in paths:
        explicit = named.get(path)
        if explicit is not None:
            why = "keeps it from globs" if explicit.value is None else "names the key, which beats a glob"
            ledger.lose(dotted(path), entry, f"{explicit.at} {why}")
            continue
        tried += 1
        if refused := ledger.write(entry, dotted(path), procps).refused:
            refusals.append(refused)
            ledger.lose(dotted(path), entry, refused)
    if refusals and len(refusals) == tried:
        ledger.note(entry, "rejected", refusals[0])


def _sysctls(
    boot: _Ledger, reload: _Ledger, shortened: Iterable[tuple[str, Overridden]], running: Mapping[str, Word], unsure: Container[str]
) -> tuple[Sysctl, ...]:
    overridden: dict[str, dict[Span, Overridden]] = {}
    for key, one in (*boot.overridden, *shortened):
        overridden.setdefault(key, {})[one.at] = one
    for outcome in boot.outcomes.values():
        entry = outcome.entry
        if outcome.outcome != "applied" and entry.value is not None and not _is_glob(entry.path):
            overridden.setdefault(entry.key, {})[entry.at] = Overridden(entry.value, entry.at, outcome.reason)
    found = (_sysctl(key, boot.held[key], reload.held[key], overridden.get(key, {}), running.get(key)) for key in sorted(boot.held))
    # Which default a kernel of an unknown release has is not sure.
    return tuple(replace(each, confidence="likely") if each.is_default and each.key in unsure else each for each in found)


def _sysctl(key: str, boot: _Held, reload: _Held, overridden: Mapping[Span, Overridden], running: Word | None) -> Sysctl:
    losers = []
    for at, one in sorted(overridden.items()):
        if at == reload.entry.at != boot.entry.at:
            one = Overridden(one.value, at, f"{one.reason}; sysctl --system leaves it in force")
        elif at != boot.entry.at and kernel.normal(one.value) == boot.value:
            continue  # another line says what is in force: nothing is lost
        losers.append(one)
    return Sysctl(
        at=boot.entry.at,
        key=key,
        boot=boot.value,
        reload=reload.value,
        reload_at=reload.entry.at,
        running=None if running is None else kernel.normal(running.text),
        overridden=tuple(losers),
        is_default=boot.entry.at in _default_places(),
    )


# ── globs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_MOST_ALTERNATIVES = 256
_LONGEST_NAME = 255  # NAME_MAX; a longer pattern is nobody's, and dear to compile


_WILDCARD = lazy_regex(r"[*?\[]")


def _is_glob(path: str) -> bool:
    return _WILDCARD.search(path) is not None


def _matching(patterns: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    """The known paths below /proc/sys that match; a wildcard does not reach over a slash (glob(7))."""
    seen: set[str] = set()
    for pattern in patterns:
        parts = [part for part in pattern.split("/") if part]
        for path in known:
            names = path.split("/")
            if path not in seen and len(names) == len(parts) and all(map(_matches, parts, names)):
                seen.add(path)
                yield path


def _matches(part: str, name: str) -> bool:
    if not _is_glob(part):
        return part == name
    return len(part) <= _LONGEST_NAME and _compiled(part).match(name) is not None


@lru_cache(maxsize=256)
def _compiled(part: str) -> re.Pattern[str]:
    from fnmatch import translate

    return re.compile(translate(part.replace("[^", "[!")))


def _braces(pattern: str) -> tuple[str, ...]:
    """The alternatives of `{a,b}` in a pattern: systemd globs with GLOB_BRACE, procps does not. No more than a cap of them."""
    done: list[str] = []
    todo = [pattern]
    while todo and len(done) + len(todo) <= _MOST_ALTERNATIVES:
        one = todo.pop()
        close = one.find("}")
        start = one.rfind("{", 0, close) if close >= 0 else -1
        if start < 0:
            done.append(one)
        else:
            todo.extend(one[:start] + middle + one[close + 1 :] for middle in reversed(one[start + 1 : close].split(",")))
    return tuple(done) if not todo else (pattern,)


def _walked(raw: str) -> str | None:
    """A path below /proc/sys as the kernel walks it: `..` goes up; None where it leaves."""
    done: list[str] = []
    for part in raw.split("/"):
        if part == "..":
            if not done:
                return None
            done.pop()
        elif part not in ("", "."):
            done.append(part)
    return "/".join(done)
