"""A service of a repository on another port: every line that says the port is edited, or none is, with the line that stands in the way."""

import re
from collections.abc import Iterable, Iterator, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.facts import Listener
from portwright.finding import Finding
from portwright.fixes.patches.place import Hosts, Place, Texts, Wish
from portwright.fixes.patches.texts import LONGEST_LINE, NoPlaceError, TextEdit, offset, short_line
from portwright.host import Host
from portwright.host.join import conflict
from portwright.host.join.moving import candidates, order_of, taken, why_it_stays
from portwright.source import Span

_PROSE = (".md", ".rst", ".txt", ".adoc", ".svg", ".lock", ".sum")
_COMMENTS = ("#", "//", ";", "<!--", "*", "{#", "{{/*")
# What names a port inside of a container, whatever the node's is.
_INSIDE = lazy_regex(r"[ \t]*(?:-[ \t]+)?(?:containerPort|targetPort)[ \t]*:|EXPOSE\b")
_NODES_NETWORK = lazy_regex(r"(?m)^[ \t]*(?:-[ \t]+)?hostNetwork[ \t]*:")
_PUBLISHED = lazy_regex(r"[\"']?(?:-p|--publish[= ])?(?:(?:[0-9.]+|\[[0-9A-Fa-f:]+\]):)?([0-9]{1,5}):[0-9]{1,5}(?:/[a-z]+)?[\"']?")
# `{{ port }}`, `{{ .Values.web.port }}`, `${PORT}`, `$PORT`.
_FILLED_IN = lazy_regex(r"\{\{-?\s*(\.Values(?:\.\w+)+|\w+)\s*(?:\|[^{}]*)?-?\}\}|\$\{?([A-Za-z_]\w*)")
_VALUES = ".Values."
_MOST_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class PortLine(Place):
    """One place that says the port of a service: it says another one."""

    path: str
    line: int
    start: int
    who: tuple[str, str | None]
    old: int
    new: int

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        source = texts.source(self.path)
        begin = offset(source, self.line) + self.start
        end = begin + len(str(self.old))
        if source.text[begin:end] != str(self.old):
            raise NoPlaceError(f"{self.path}:{self.line} does not say {self.old} any more")
        return [TextEdit(self.path, begin, end, str(self.new))]

    def in_words(self, wishes: Sequence[Wish]) -> str:
        app, unit = self.who
        return f"move {f'{app} ({unit})' if unit else app} from port {self.old} to {self.new}"


def places(hosts: Hosts, every: Hosts, finding: Finding, texts: Texts) -> Iterator[tuple[Place, ...]]:
    """The ways to part two services that want one port: the one that comes later in order moves, else the other one."""
    refused: list[str] = []
    for host, pair in _pairs(hosts, finding):
        if pair[0].unit is not None and pair[0].unit == pair[1].unit:
            raise NoPlaceError(f"both are started by {pair[0].unit}: one of the lines has to go")
        for mover in sorted(pair, key=lambda each: order_of(host, each), reverse=True):
            if reason := why_it_stays(mover):
                refused.append(reason)
                continue
            try:
                yield _moved(host, mover, every, texts)
            except NoPlaceError as error:
                refused.append(str(error))
        break
    raise NoPlaceError(refused[0] if refused else "no line is known that says the port")


def moved(places: Iterable[Place]) -> dict[tuple[str, str | None, int], int]:
    """Which service is moved from which port, and where to, by its program and unit."""
    return {(*place.who, place.old): place.new for place in places if isinstance(place, PortLine)}


def _pairs(hosts: Hosts, finding: Finding) -> Iterator[tuple[Host, tuple[Listener, Listener]]]:
    """The two that a finding is about, on the first host that has both."""
    rivals = {note.at for note in finding.notes if note.at is not None}
    for host in hosts:
        own = [each for each in host.listeners if each.at == finding.at and each.port == finding.subject.port]
        for one in own:
            mine = conflict.claim(host, one)
            for other in host.listeners:
                if other.at in rivals and other is not one and mine is not None:
                    theirs = conflict.claim(host, other)
                    if theirs is not None and conflict.collide(mine, theirs):
                        yield host, (one, other)


def _moved(host: Host, mover: Listener, every: Hosts, texts: Texts) -> tuple[Place, ...]:
    old = mover.port
    assert old is not None  # noqa: S101  else why_it_stays says so
    if mover.traits.pod_says_port and _NODES_NETWORK.search(texts.text(mover.at.path)):
        raise NoPlaceError(f"{mover.at.path} has a pod on the node's network, whose containers listen on {old} as well")
    own: dict[tuple[str, int, int], None] = {}
    for each in _one_daemons(host, mover):
        own |= dict.fromkeys(_said(each, old, texts, moves=True))
    _assert_said_nowhere_else(mover, old, every, texts, {(path, line) for path, line, _ in own})
    new = _free(old, every, texts)
    return tuple(PortLine(path, line, start, (mover.app, mover.unit), old, new) for path, line, start in sorted(own))


def _one_daemons(host: Host, mover: Listener) -> list[Listener]:
    """All sockets of a service on its port: those that do not exclude each other, of one unit or of one file."""
    mine = conflict.claim(host, mover)
    found = [mover]
    for each in host.listeners:
        is_kin = (each.app, each.unit, each.port, each.end_port) == (mover.app, mover.unit, mover.port, mover.end_port)
        if each is mover or not is_kin or (each.unit is None and each.at.path != mover.at.path):
            continue
        theirs = conflict.claim(host, each)
        if mine is not None and theirs is not None and (each.at == mover.at or not conflict.collide(mine, theirs)):
            found.append(each)
    return found


def _said(listener: Listener, port: int, texts: Texts, *, moves: bool) -> Iterator[tuple[str, int, int]]:
    """(path, line, where in it) of each place from which a listener has its port; of one that `moves`, it may say nothing else."""
    from portwright.daemons import also_listens

    at = listener.at
    source = texts.source(at.path)
    line = short_line(source, at.line)
    starts = list(_numbers(line, port))
    if len(starts) > 1:
        starts = _in_stretch(line, at, port)
    if starts:
        yield at.path, at.line, starts[0]
    else:
        name, place = _defined(at, line, port, texts)
        if moves:
            _assert_used_outside(name, port, texts)
        yield place
    for span in also_listens(listener.app, source, port) if listener.origin == "directive" else ():
        inner = list(_numbers(short_line(source, span.line)[: span.end_column - 1], port))
        inner = [start for start in inner if start >= span.column - 1]
        if len(inner) != 1:
            raise NoPlaceError(f"{span} does not say {port} once")
        yield at.path, span.line, inner[0]


def _in_stretch(line: str, at: Span, port: int) -> list[int]:
    """The one number of a line that is the listener's own: of what a container publishes the host's port."""
    begin, end = at.column - 1, at.end_column - 1 if at.end_line == at.line else len(line)
    published = _PUBLISHED.fullmatch(line[begin:end])
    if published is not None and published[1] == str(port):
        return [begin + published.start(1)]
    found = [start for start in _numbers(line, port) if begin <= start < end]
    if len(found) != 1:
        raise NoPlaceError(f"{at} says {port} several times, and which of them is meant cannot be told")
    return found


def _numbers(line: str, port: int) -> Iterator[int]:
    return (found.start() for found in re.finditer(rf"(?<![\w.]){port}(?![\w]|\.[0-9])", line))


# ── variables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _defined(at: Span, line: str, port: int, texts: Texts) -> tuple[str, tuple[str, int, int]]:
    """The variable of a listener's line that has the port, and the one line that gives it."""
    names = [found[1] or found[2] for found in _FILLED_IN.finditer(line)]
    found = [place for name in dict.fromkeys(names) for place in _definitions(at.path, name, port, texts)]
    if len(found) != 1:
        many = "several lines give" if found else "no line is known that gives"
        raise NoPlaceError(f"{at} is filled in where it is deployed, and {many} it {port}")
    return found[0]


def _definitions(path: str, name: str, port: int, texts: Texts) -> Iterator[tuple[str, tuple[str, int, int]]]:
    if name.startswith(_VALUES):
        if place := _of_chart(path, name.split(".")[2:], port, texts):
            yield name, place
        return
    named = rf"[ \t]*(?:export[ \t]+|-[ \t]+)?[\"']?{re.escape(name)}[\"']?[ \t]*[:=]"
    pattern = re.compile(rf"{named}[ \t]*[\"']?({port})[\"']?[ \t]*(?:#.*)?\r?")
    for label in texts.labels:
        text = texts.text(label) if not label.endswith(_PROSE) else ""
        for number, other in enumerate(text.split("\n"), 1) if name in text else ():
            given = pattern.fullmatch(other)
            if given is not None:
                yield name, (label, number, given.start(1))


def _of_chart(path: str, keys: Sequence[str], port: int, texts: Texts) -> tuple[str, int, int] | None:
    """The line of a chart's values.yaml that gives a template of it the port."""
    from portwright.repositories.deployers import helm_values

    label = f"{path.partition('/templates/')[0]}/values.yaml" if "/templates/" in path else "values.yaml"
    held = helm_values.parse(texts.text(label), label)
    at = ("", 0, 0)
    for key in keys:
        each = held.items.get(key) if isinstance(held, helm_values.Table) else None
        if each is None:
            return None
        held, at = each.value, each.at
    if held != port and held != str(port):
        return None
    starts = list(_numbers(short_line(texts.source(label), at[1]), port))
    return (label, at[1], starts[0]) if len(starts) == 1 else None


def _of_inside(port: int, texts: Texts) -> set[tuple[str, int]]:
    """The lines of charts' values that give the port to the inside of containers alone."""
    found: set[tuple[str, int]] = set()
    for label in texts.labels:
        folder, _, name = label.rpartition("/")
        text = texts.text(label) if name == "values.yaml" else ""
        for keys, number in _keys_of(text, label, port) if str(port) in text else ():
            used = re.compile(rf"{re.escape(_VALUES + '.'.join(keys))}(?![\w.])")
            below = f"{folder}/templates/" if folder else "templates/"
            texts_of_chart = (texts.text(each) for each in texts.labels if each.startswith(below))
            lines = [line for each in texts_of_chart for line in each.split("\n") if used.search(line)]
            if lines and all(_INSIDE.match(line) for line in lines):
                found.add((label, number))
    return found


def _keys_of(text: str, label: str, port: int) -> Iterator[tuple[tuple[str, ...], int]]:
    """The keys of each value that is the port, from the top, and its line."""
    from portwright.repositories.deployers import helm_values

    left: list[tuple[tuple[str, ...], object]] = [((), helm_values.parse(text, label))]
    while left:
        keys, value = left.pop()
        for key, held in value.items.items() if isinstance(value, helm_values.Table) else ():
            left.append(((*keys, key), held.value))
            if held.value == port or held.value == str(port):
                yield (*keys, key), held.at[1]


def _assert_used_outside(name: str, port: int, texts: Texts) -> None:
    """What a variable gives to a container's inside, too, is not the node's port alone."""
    used = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])")
    for label in texts.labels:
        text = texts.text(label)
        for number, line in enumerate(text.split("\n"), 1) if name in text else ():
            if used.search(line) and _INSIDE.match(line):
                raise NoPlaceError(f"{label}:{number} has {name} for the inside of a container, too, which listens on {port}")


# ── every other line ────────────────────────────────────────────────────────────────────────────────────────────────


def _assert_said_nowhere_else(mover: Listener, port: int, every: Hosts, texts: Texts, own: set[tuple[str, int]]) -> None:
    """Raises NoPlaceError at a line that names the port, and may mean the service that is to move."""
    others = _lines_of_others(mover, port, every, texts) | _of_inside(port, texts)
    for label in texts.labels:
        text = texts.text(label) if not label.endswith(_PROSE) else ""
        for number, line in enumerate(text.split("\n"), 1) if str(port) in text else ():
            if str(port) not in line or (label, number) in own or (label, number) in others:
                continue
            if len(line) > LONGEST_LINE:
                raise NoPlaceError(f"{label}:{number} is longer than a line that is looked through for {port}")
            if any(_numbers(line, port)) and not line.lstrip().startswith(_COMMENTS) and not _INSIDE.match(line):
                raise NoPlaceError(f"{label}:{number} names {port}, too, and whether it means {mover.unit or mover.app} cannot be told")


def _lines_of_others(mover: Listener, port: int, every: Hosts, texts: Texts) -> set[tuple[str, int]]:
    """The lines that say the port for somebody else."""
    found: set[tuple[str, int]] = set()
    for listener in dict.fromkeys(each for host in every for each in host.listeners if each.port is not None):
        if port not in listener.ports or (listener.app, listener.unit, listener.at) == (mover.app, mover.unit, mover.at):
            continue
        found.add((listener.at.path, listener.at.line))
        if listener.port == port == listener.end_port:
            try:
                found |= {(path, line) for path, line, _ in _said(listener, port, texts, moves=False)}
            except NoPlaceError:
                continue
    return found


def _free(old: int, every: Hosts, texts: Texts) -> int:
    """A port that nobody has on any of the repository's hosts, that is in no range, and that no file names."""
    used = [taken(host) for host in every]
    free = (port for part in candidates(old) for port in part if not any(each[port] for each in used))
    for _, port in zip(range(_MOST_CANDIDATES), free, strict=False):
        if not any(any(_numbers(texts.text(label), port)) for label in texts.labels if str(port) in texts.text(label)):
            return port
    raise NoPlaceError("no port was found that is free, in no range and named nowhere")
