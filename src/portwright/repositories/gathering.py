"""Gather what of a repository goes onto hosts: its config files, what its scripts and playbooks write, and what nobody reads of it."""

from collections.abc import Iterable, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.coverage import Coverage, LeftOut, NotRead
from portwright.daemons import recognition
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import Deployed
from portwright.repositories.inside import inside, inside_on_hosts
from portwright.repositories.not_read import (
    MOST_FILES,
    is_manifest,
    is_script,
    is_stack,
    kind_by_name,
    kind_of,
    not_filled_in,
    not_read,
    spoken_of,
)
from portwright.repositories.recognise import (
    Recognised,
    lies_aside,
    recognise,
    recognised_as,
    roles_among,
    without_blanks_to_fill,
    without_remarks,
    worth_reading,
)
from portwright.repositories.setcap_mentions import Mention, may_speak, mentions
from portwright.repositories.staging import SiblingFiles, StagedFile, role
from portwright.source import Source, Span, Unreadable
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import ReadError, Tree, holds_only_secrets
from portwright.trees.budget import MOST_BYTES

OTHER = "other"
"""The kind of a placed file that is no config by itself: a script or a text that something else may read."""

_MOST_LOOKED_AT = 2 * MOST_BYTES
"""Bytes of files that are looked at for what they are; those that are a config have a limit of their own."""

_ENVIRONMENT_FILE = lazy_regex(r"(?m)^[ \t]*EnvironmentFile[ \t]*=[ \t]*-?(/[^\s%$*?\[\\\"']{1,300})[ \t]*$")
LOOSE = "/.repository/"
"""Where a config whose place on a host nobody can tell is laid; read on its own, found by no include."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What of a repository goes onto hosts, and what of it is not read.

    `given` are the lines that may give a program a capability. `sources` are the files that placed files are written in.
    """

    placed: tuple[StagedFile, ...]
    siblings: SiblingFiles
    unreadable: tuple[Unreadable, ...]
    coverage: Coverage
    given: tuple[Mention, ...]
    sources: dict[str, Source]


@dataclass
class _Gathering:
    """The same while it grows. `spoken` is the kind of each file that is looked into, with the lines that matter there."""

    checkout: Checkout
    placed: list[StagedFile] = field(default_factory=list)
    written: list[StagedFile] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)
    vague: set[str] = field(default_factory=set)
    """The files of which a kernel setting is not known though they are put somewhere."""
    unread: list[NotRead] = field(default_factory=list)
    given: list[Mention] = field(default_factory=list)
    looked_into: int = 0
    recognised: set[str] = field(default_factory=set)
    spoken: dict[str, tuple[str, tuple[tuple[int, str], ...]]] = field(default_factory=dict)
    understood: set[tuple[str, int]] = field(default_factory=set)
    not_put: list[LeftOut] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)


def gather(tree: Tree, explicit: bool, ignored: Mapping[str, str]) -> Gathered:
    """What of a repository goes onto hosts. `explicit`: it is one file that its user named. `ignored` as in read_repository."""
    unreadable: list[Unreadable] = []

    def say(error: ReadError) -> None:
        unreadable.append(Unreadable(Span.whole(tree.label(error.path)), error.reason))

    paths = tuple(tree.walk(say))
    now = _Gathering(Checkout(tree, paths), unreadable=unreadable)
    roles = roles_among(now.checkout.labels)
    kept_left, left = MOST_BYTES, _MOST_LOOKED_AT
    for path in paths:
        label = tree.label(path)
        readable = explicit or worth_reading(label)
        other = kind_by_name(label) or ("installer" if may_speak(label) else None)
        if other not in (None, "workflow") and not explicit and lies_aside(label, roles):
            other = None
        if not readable and other is None:
            continue
        if holds_only_secrets(path):
            now.left += [LeftOut(label, "it contains secrets, so it is not read")] if readable else []
            continue
        try:
            data = tree.read(path)
        except ReadError as error:
            if readable:
                say(error)
            elif other not in ("yaml", "script", "installer"):
                now.unread.append(NotRead(label, other or "", error.reason))
            continue
        if data is None:
            continue
        left -= len(data)
        if left < 0:
            say(ReadError(path, f"more than {_MOST_LOOKED_AT >> 20} MiB of files were looked at in this repository: the rest is not read"))
            break
        if readable and len(data) > kept_left:
            say(ReadError(path, f"more than {MOST_BYTES >> 20} MiB of files were read in this repository: this one is left out"))
            continue
        text = data.decode("utf-8", "surrogateescape")
        what = None
        if readable:
            text = without_remarks(label, text)
            # A manifest or a stack may be called as a config of what it deploys is: traefik.yaml.
            other_than_named = other == "yaml" and (is_manifest(text) or is_stack(text))
            # And so may a list of tasks: tasks/compose.yml.
            other_than_named = other_than_named or (other == "compose" and kind_of(label, other, text) not in ("compose", None))
            what = None if other_than_named else recognise(label, text, explicit, roles)
            if explicit and is_script(label, text):
                # It may well write a config, and is none.
                other, what = "script" if other is None else other, None
        if other is not None and what is None:
            what = _look_into(label, other, text, now)
        elif what is not None and what.unfilled and other in ("compose", "quadlet"):
            now.spoken[label] = (other, spoken_of(text))
        if what is not None:
            if recognition.traits_in_repository(what.kind).kinds:
                now.holders[label] = what.kind
            now.recognised.add(path)
            kept_left -= len(data) if what.deployed else 0
            _place(label, text, what, now)
    for path, reason in ignored.items():
        if path.endswith("/") or worth_reading(path.lstrip("/")) or kind_by_name(path.lstrip("/")) is not None:
            now.left.append(LeftOut(path.lstrip("/"), reason))
    return _gathered(tree, now)


def _look_into(label: str, hint: str, text: str, now: _Gathering) -> Recognised | None:
    """A file of a kind that deploys something: what it puts on a host, what it speaks of, and what it is where a daemon's room reads it."""
    now.given += mentions(label, text, role(label))
    # Of what installs a program these are the scripts that a package's installation runs on a host.
    kind = kind_of(label, "shell script" if hint == "installer" and label.endswith("postinst") else hint, text)
    if kind is None or kind == "installer":
        return None
    now.looked_into += 1
    if now.looked_into > MOST_FILES:
        if now.looked_into == MOST_FILES + 1:
            reason = f"more than {MOST_FILES:,} scripts, playbooks, manifests and their like: from this one on they are not looked into"
            now.unreadable.append(Unreadable(Span.whole(label), reason))
        return None
    if (room := recognition.of_kind(kind)) is not None:
        now.holders[label] = room
        what = recognised_as(room, label, text)
        # Of a Dockerfile only kernel settings matter, which few have.
        if what.unfilled:
            now.spoken[label] = (kind, spoken_of(text))
        return what if kind == "compose" or "sysctl" in text else None
    now.spoken[label] = (kind, spoken_of(text, kind))
    from portwright.repositories.deployers import deployed

    _take(label, text, deployed(kind, label, text, now.checkout), now)
    return None


def _place(label: str, text: str, what: Recognised, now: _Gathering) -> None:
    if not what.deployed:
        now.left.append(LeftOut(label, what.reason))
        return
    text = without_blanks_to_fill(text) if what.unfilled else text
    now.placed.append(StagedFile(label, what.host_path or LOOSE + label, what, text.encode("utf-8", "surrogateescape")))


def _take(label: str, text: str, done: Deployed, now: _Gathering) -> None:
    """What a source puts on a host, as files to be laid out."""
    for each in done.files:
        what = recognise(each.path.lstrip("/"), each.text, True) or Recognised(OTHER)
        if not what.deployed:
            continue
        known = without_blanks_to_fill(each.text) if what.unfilled else each.text
        # A setting of which a part is not known sets something else.
        vague = {n for n, line in enumerate(each.lines) if UNKNOWN in line.text.partition("=")[0]} if what.kind == "sysctl" else ()
        if vague:
            now.vague.add(each.of)
            known = "".join("\n" if n in vague else f"{line.text}\n" for n, line in enumerate(each.lines))
        of = each.of or label
        name = f"{of} ({each.path}{each.machine and ' on '}{each.machine})"
        data = known.encode("utf-8", "surrogateescape")
        now.written.append(StagedFile(name, each.path, what, data, each.lines, of, each.machine, alone=each.alone))
        for source in {line.source for line in each.lines} - now.sources.keys():
            there = text if source == label else now.checkout.text(source)
            now.sources[source] = Source(source, there or "")
        now.understood.update((line.source, line.number) for line in each.lines if UNKNOWN not in line.text)
    now.understood.update((label, number) for number in done.understood)
    now.unreadable += done.unreadable
    now.not_put += done.left_out
    now.unread += done.not_read
    if done.cut and (done.files or now.spoken[label][1]):
        now.unreadable.append(Unreadable(Span.whole(label), "it is too long, or writes too many files, to be read to its end"))


def _gathered(tree: Tree, now: _Gathering) -> Gathered:
    held = inside(now.holders, now.checkout)
    # What a script sets up that a container runs is the container's, and nothing there loads kernel settings.
    now.written = [file for file in now.written if file.of not in held.scripts]
    now.placed = [replace(file, inside=True) if file.label in held.files else file for file in now.placed]
    there = inside_on_hosts((*now.written, *(file for file in now.placed if not file.inside)))
    now.written = [replace(file, inside=True) if file.label in there else file for file in now.written]
    now.placed = [file for file in now.placed if not (file.inside and file.what.kind == "sysctl")]
    now.spoken = {label: spoken for label, spoken in now.spoken.items() if label not in held.scripts}
    # What a playbook or a script puts somewhere is there, filled in as it says, and nowhere else.
    found = {file.label for file in now.placed}
    taken = {file.of for file in now.written if file.of not in now.spoken or file.of in found}
    aside = [each for each in now.not_put if each.path not in taken and each.path in found]
    taken |= {each.path for each in now.not_put}
    placed = [*(file for file in now.placed if file.label not in taken), *now.written]
    placed += _environments(placed, now.checkout)
    left = [*(each for each in now.left if each.path not in taken or each.path in now.vague), *aside]
    others = frozenset(file.label for file in _left_out(placed, tree))
    left += [LeftOut(label, "the sites-enabled beside it enables other sites, not this one") for label in sorted(others)]
    rows = (
        not_read(label, kind, (each for each in spoken if (label, each[0]) not in now.understood))
        for label, (kind, spoken) in now.spoken.items()
    )
    kept = tuple(file for file in placed if file.label not in others)
    told = {row.path: row for row in rows if row is not None}
    for label, blanks in _blanks(kept).items():
        row = not_filled_in(label, blanks)
        if row is not None:
            told.setdefault(label, row)
    return Gathered(
        kept,
        SiblingFiles(tree, frozenset(now.recognised)),
        tuple(now.unreadable),
        Coverage(left_out=tuple(left), not_read=(*now.unread, *told.values())),
        tuple(now.given),
        now.sources,
    )


def _environments(placed: Iterable[StagedFile], checkout: Checkout) -> Iterable[StagedFile]:
    """The files of variables that units name, where they lie beside the unit: whatever installs the one installs the other."""
    files = tuple(placed)
    taken, known = {file.place for file in files}, {file.origin for file in files}
    found: dict[str, StagedFile] = {}
    for unit in files:
        if unit.what.kind not in ("unit", "drop-in") or unit.lines:
            continue
        for path in _ENVIRONMENT_FILE.findall(unit.data.decode("utf-8", "surrogateescape")):
            label = checkout.beside(unit.label, path.rpartition("/")[2])
            if path in taken or path in found or label is None or label in known:
                continue
            text = checkout.text(label)
            if text is not None and (what := recognise(f"etc/default/{label.rpartition('/')[2]}", text, True)) is not None:
                text = without_blanks_to_fill(text) if what.unfilled else text
                found[path] = StagedFile(label, path, what, text.encode("utf-8", "surrogateescape"))
    return found.values()


def _blanks(placed: Iterable[StagedFile]) -> dict[str, list[tuple[int, str]]]:
    """What lines speak of in which something is not known, by the file of the repository they stand in."""
    found: dict[str, list[tuple[int, str]]] = {}
    for file in placed:
        if UNKNOWN.encode("utf-8", "strict") not in file.data:
            continue
        for number, text in enumerate(file.data.decode("utf-8", "surrogateescape").split("\n")):
            if UNKNOWN not in text or text.lstrip().startswith(("#", ";")):
                continue
            line = file.lines[number] if number < len(file.lines) else None
            path, at = (file.label, number + 1) if line is None else (line.source, line.number)
            found.setdefault(path, []).extend((at, name) for _, name in spoken_of(text))
    return found


def _left_out(placed: Iterable[StagedFile], tree: Tree) -> Iterable[StagedFile]:
    """The sites of folders beside which another one says which sites are enabled, and these are not."""
    enabled: dict[str, frozenset[str]] = {}
    for file in placed:
        above, slash, name = f"/{file.label}".rpartition("/sites-available/")
        if not slash or "/" in name:
            continue
        if above not in enabled:
            enabled[above] = frozenset(_enabled(f"{above}/sites-enabled", tree))
        if enabled[above] and name not in enabled[above]:
            yield file


def _enabled(folder: str, tree: Tree) -> Iterable[str]:
    """The names in a folder, and what its links lead to."""
    try:
        for name in tree.names(folder) if tree.kind(folder) == "directory" else ():
            if not name.startswith("."):
                yield name
                yield (tree.link(f"{folder}/{name}") or name).rpartition("/")[2]
    except ReadError:
        return  # the walk says so
