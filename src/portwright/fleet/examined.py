"""One host of a fleet: what it is known by from an earlier run, or what a check and a look at its facts come to, ready to be kept."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from portwright._start.records import dataclass, field
from portwright.audit.check import host_of, opened, unfinished, unread, verdict_on
from portwright.audit.inputs import Input
from portwright.finding import HostResult
from portwright.fleet.crossed_out import crossed_out_of
from portwright.fleet.question import Question
from portwright.fleet.unpacked import inflated
from portwright.fleet.values import plain
from portwright.host import Host
from portwright.host.join.conflict import collisions
from portwright.reports import json_v1
from portwright.reports.port_map import PortMap, port_maps
from portwright.trees import ReadError
from portwright.trees.seen import Look, SeenTree, still_so

_Row = tuple[str | int | None, ...]
_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Known:
    """A result of an earlier run: its number in the store, the digest of the archive it rests on ("" for none), and its looks, packed."""

    number: int
    seal: str
    looks: bytes


@dataclass(frozen=True, slots=True)
class Blob:
    """The text of a file, packed."""

    digest: str
    size: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Examined:
    """What one host came to: the number of a known result, or all that the store is to keep of a new one.

    `manifest` is the digest of its `looks`, which are everything it was asked, with the answers; "" where it cannot be known again.
    `rows` are those of the store's tables, each without its first column.
    """

    host: str
    about: str
    number: int = 0
    manifest: str = ""
    seal: str = ""
    looks: bytes = b""
    document: bytes = b""
    files_read: int = 0
    rules_checked: int = 0
    rows: Mapping[str, tuple[_Row, ...]] = field(default_factory=dict)
    blobs: tuple[Blob, ...] = ()


def about(given: Input) -> str:
    """A digest of what an input says of itself, beside its files."""
    said = (given.name, given.identity, given.is_etc, given.within, given.checkout_prefix)
    return sha256(json.dumps(said).encode("ascii")).hexdigest()


class Examiner:
    """Examines hosts, one after the other in one process; it remembers what of files is crossed out, and which texts were handed on."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._crossed: dict[tuple[str, bytes], bytes | None] = {}
        self._handed: set[str] = set()

    def examined(self, given: Input, known: Sequence[Known]) -> Examined:
        """What a host comes to, as it was found earlier where nothing differs that was looked at."""
        if given.unavailable_reason:
            return self.closed(given, given.unavailable_reason)
        seal = _seal(given)
        for one in known:
            if seal and seal == one.seal:
                return Examined(given.name, about(given), one.number)
        try:
            with opened(given) as tree:
                for one in known:
                    if (looks := _looks(one.looks)) and still_so(tree, looks, self._content):
                        return Examined(given.name, about(given), one.number)
            with opened(given) as tree:
                seen = SeenTree(tree, self._content)
                host = host_of(seen, given, self._question.rate)
                return self._kept(given, host, seen.looks, seal)
        except ReadError as error:  # an archive
            return self.closed(given, error.reason)

    def closed(self, given: Input, reason: str) -> Examined:
        """A host of which nothing can be read, and why."""
        return self._kept(given, unread(given, reason), (), "")

    def unfinished(self, given: Input, reason: str) -> Examined:
        """A host whose check did not come to its end, and why."""
        return self._examined(given, unfinished(given, self._question.rules, reason), (), {}, (), "")

    def _kept(self, given: Input, host: Host, looks: tuple[Look, ...], seal: str) -> Examined:
        question = self._question
        result = verdict_on((host,), given, question.rules, question.selection, question.known)
        maps = port_maps([collisions(host)]) if looks else ()
        return self._examined(given, result, maps, json_v1.facts_rows(host) if looks else {}, looks, seal)

    def _examined(
        self, given: Input, result: HostResult, maps: tuple[PortMap, ...], facts: Mapping[str, Any], looks: tuple[Look, ...], seal: str
    ) -> Examined:
        texts = {path: source.text.encode("utf-8", "surrogateescape") for path, source in result.sources.items()}
        digests = {path: sha256(text).hexdigest() for path, text in texts.items()}
        document = {"result": plain(result), "maps": plain(maps), "sources": sorted(digests.items())}
        listed = json.dumps(looks, separators=(",", ":")).encode("ascii") if looks else b""
        return Examined(
            given.name,
            about(given),
            manifest=sha256(listed).hexdigest() if looks else "",
            seal=seal,
            looks=zlib.compress(listed, 6) if looks else b"",
            document=zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"), 6),
            files_read=result.files_read,
            rules_checked=result.rules_checked,
            rows={**_of_result(json_v1.result_rows(result)), **_of_facts(facts)},
            blobs=tuple(self._blobs((digests[path], text) for path, text in texts.items())),
        )

    def _blobs(self, texts: Iterable[tuple[str, bytes]]) -> Iterable[Blob]:
        """Those that were not handed on yet."""
        if len(self._handed) > _MOST_REMEMBERED:
            self._handed.clear()
        for digest, text in texts:
            if digest not in self._handed:
                self._handed.add(digest)
                yield Blob(digest, len(text), zlib.compress(text, 6))

    def _content(self, path: str, content: bytes) -> bytes:
        """A file as a snapshot has it. Most hosts of a fleet have most files in common."""
        key = (path, sha256(content).digest())
        if key not in self._crossed:
            if len(self._crossed) > _MOST_REMEMBERED:
                self._crossed.clear()
            crossed = crossed_out_of(path, content)
            self._crossed[key] = None if crossed == content else crossed
        found = self._crossed[key]
        return content if found is None else found


def _seal(given: Input) -> str:
    """The digest of an archive's own bytes, "" where the input is none."""
    if given.within is None:
        return ""
    made = sha256()
    try:
        with open(given.path, "rb") as file:
            while part := file.read(1 << 20):
                made.update(part)
    except OSError:
        return ""  # who reads it says why
    return made.hexdigest()


def _looks(packed: bytes) -> tuple[Look, ...]:
    """The looks of a known result, () where they are none."""
    try:
        listed = json.loads(inflated(packed))
        return tuple((asked, path, answer) for asked, path, answer in listed if f"{asked}{path}{answer}")
    except (ValueError, TypeError, RecursionError):
        return ()


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_result(found: Mapping[str, Any]) -> dict[str, tuple[_Row, ...]]:
    findings = []
    for each in found["findings"]:
        of, at = each["subject"], each["at"]
        step = (each["fix"] or {}).get("summary") or (each["manual"] or {}).get("step")
        findings.append((
            *(each["rule"], each["severity"], each["rule_severity"], each["confidence"], each["likelihood"]),
            *(at["path"], at["line"], at["column"], each["message"]),
            *(of["unit"], of["app"], of["protocol"], of["address"], of["port"], of["end_port"], of["sysctl"]),
            *(each["predicts"], step, each["fingerprint"]),
        ))  # fmt: skip
    coverage = found["coverage"]
    gaps: list[_Row] = []
    for kind, listed in (("unreadable", found["unreadable"]), ("unused_allow", found["unused_allows"])):
        gaps += ((kind, each["at"]["path"], each["at"]["line"], None, each["reason"]) for each in listed)
    for each in coverage["not_understood"]:
        gaps.append(("not_understood", each["at"]["path"], each["at"]["line"], each["unit"], f"{each['program']}: {each['reason']}"))
    gaps += (("left_out", each["path"], None, None, each["reason"]) for each in coverage["left_out"])
    gaps += (("not_read", each["path"], None, None, f"{each['kind']}: {each['reason']}") for each in coverage["not_read"])
    return {"findings": tuple(findings), "coverage": tuple(gaps)}


def _of_facts(found: Mapping[str, Any]) -> dict[str, tuple[_Row, ...]]:
    if not found:
        return {}

    def rows(kind: str, *names: str) -> tuple[_Row, ...]:
        return tuple((*(_field(each[name]) for name in names), *_place(each)) for each in found[kind])

    return {
        "listeners": rows(
            "listeners",
            *("app", "unit", "activates", "protocol", "address", "port", "end_port", "origin", "starts", "random", "private_network"),
            *("bind_user", "can_bind", "error", "reuse_address", "reuse_port", "confidence"),
        ),
        "sysctls": rows("sysctls", "key", "value", "boot", "reload", "running", "is_default", "confidence"),
        "units": tuple(tuple(_field(each[name]) for name in ("unit", "state", "starts", "user")) for each in found["units"]),
    }


def _field(value: Any) -> str | int | None:
    return (1 if value else 0) if isinstance(value, bool) else value


def _place(each: Mapping[str, Any]) -> _Row:
    at = each["at"]
    return (None, None) if at is None else (at["path"], at["line"])
