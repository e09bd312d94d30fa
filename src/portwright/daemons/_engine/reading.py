"""What the daemon of a descriptor binds, connects to and needs, as it is started or by one config file of it."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.daemons._engine.connections import outbounds
from portwright.daemons._engine.descriptor import Descriptor, EndsWhere, EndsWithout, Slot, Wrapper
from portwright.daemons._engine.grammars import is_foreign
from portwright.daemons._engine.protocol import DaemonFact, Packages
from portwright.daemons._engine.settings import Settings, assigned
from portwright.daemons._engine.sockets import endpoints
from portwright.daemons._engine.versions import satisfies
from portwright.facts import Endpoint, FileNeed, Invocation, Outbound, weakest
from portwright.numbers import decimal, is_digits
from portwright.source import Span, Word
from portwright.system.host_files.accounts import is_account_name, is_unknown
from portwright.system.host_files.distribution import family
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.systemd.conditions import absent
from portwright.system.words import words
from portwright.trees import Files

_ARGUMENT = lazy_regex(r"\{%([1-9])\}")


def is_really(found: Descriptor, invocation: Invocation) -> str | None:
    """The name of the other daemon that a program of this name starts here, None where it is the daemon itself."""
    return next((name for name, said in found.really if Settings.of_options(found, invocation, said).holds(said, ())), None)


def read(found: Descriptor, invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What the daemon of a descriptor binds and connects to, and how many connections it takes, started so."""
    doubt = ""
    wrapper = next((each for each in found.wrappers if each.path in [word.text for word in invocation.argv[:2]]), None)
    if wrapper is not None:
        if invocation.argv[0].text != wrapper.path:
            invocation = replace(invocation, argv=invocation.argv[1:])  # its interpreter stands before it
        unwrapped, doubt = _unwrapped(wrapper, found, invocation, files)
        if unwrapped is None:
            return ()
        invocation = unwrapped
    elif invocation.argv[0].text.startswith("/etc/init.d/"):
        # A script whose commands could not be followed is known by its name; `start` is a word of its own, not of the daemon's.
        invocation = replace(invocation, argv=invocation.argv[:1])
    if invocation.sockets and found.activated == "instead":
        return ()
    settings = Settings(found, invocation, files)
    settings.doubt = settings.doubt or doubt
    if not settings.holds(found.when, found.unless):
        return ()
    version = packages.get(found.package or found.name)
    listens = endpoints(found, settings, invocation.at, version)
    if not listens and not invocation.sockets and _is_silent(found, settings):
        files.report_not_understood(invocation.at, f"{settings.missing}, which says where it listens, was not found")
    if any(socket.listen is not None and socket.listen.pattern for socket in found.sockets):
        from portwright.daemons._engine.unaccepted import unaccepted  # few entries want a form

        for word in unaccepted(found, settings):
            files.report_not_understood(word.at, f"`{word.text}` is no address that {found.name} is known to listen on")
    if found.ends_without is not None and (ended := _ends(found.ends_without, settings, invocation.at)) is not None:
        listens = tuple(_without_file(each, *ended) for each in listens)
    if found.changes_to is not None and (unknown := _unknown_user(found.changes_to, settings)) is not None:
        listens = tuple(each if each.closed_by else replace(each, closed_by=unknown[0], closed_at=unknown[1]) for each in listens)
    for where in found.ends_where:
        if where.handed_none and (invocation.sockets or files.partial):
            continue
        if (not where.versions or satisfies(version, where.versions)) and settings.holds(where.when, where.unless):
            place = _decisive(where, settings, invocation.at)
            listens = tuple(each if each.closed_by else replace(each, closed_by=where.why, closed_at=place) for each in listens)
    return (
        *listens,
        *outbounds(found, settings, invocation.at, version),
        *_needs(found, settings),
        *(_of_clusters(found, settings, packages) if found.node_ports is not None or found.pods is not None else ()),
    )


def _of_clusters(found: Descriptor, settings: Settings, packages: Packages) -> Iterator[DaemonFact]:
    """The node ports that a part of Kubernetes gives out, and what the static pods that it starts take of the node."""
    from portwright.daemons._engine import pods  # few hosts are nodes

    if found.node_ports is not None:
        said = settings.values(found.node_ports)
        words = [word for word, _ in said or ()]
        yield from pods.node_ports(found.name, words[-1:], found.node_ports.default, settings.invocation.at)
    if found.pods is not None:
        for word, _ in settings.values(found.pods) or ():
            yield from pods.of_folder(settings.invocation.path(word.text), settings.files, packages, read)


def _ends(file: EndsWithout, settings: Settings, at: Span) -> tuple[str, Span, bool] | None:
    """Why the daemon ends before it serves anything, the line that names the file it lacks, and whether the host surely lacks it.

    None where it is there or may be. Of a directory that is not in a copy nobody knows what it holds.
    """
    for source in file.named.sources:
        said = settings.values(Slot(sources=(source,)))
        if said and said[-1][0].text:
            word = said[-1][0]
            if UNKNOWN in word.text or "*" in word.text:
                return None
            ended = _is_lacking((settings.invocation.path(word.text),), settings.files)
            if ended is not None:
                return f"{file.what} {settings.invocation.path(word.text)} is not there", word.at, ended
        elif said:
            return None
    if any(settings.values(Slot(sources=(source,))) for source in file.named.sources):
        return None
    places = file.paths.of(family(settings.files))
    # A folder of its package that is not in a copy was left out.
    is_lacking = places != () and _is_lacking(places, settings.files) is True
    return (f"{file.what} {places[0]} is not there", at, True) if is_lacking else None


def _is_lacking(places: tuple[str, ...], files: Files) -> bool | None:
    """Whether the host lacks all of these: True surely, False where a copy does not reach there, None where one is or may be there."""
    if files.partial:
        return None
    sure = True
    for path in places:
        if files.kind(path) != "missing":
            return None
        sure = sure and files.kind(path.rpartition("/")[0]) == "directory" and absent(path, files) is False
    return sure


def _without_file(listen: Endpoint, why: str, at: Span, is_sure: bool) -> Endpoint:
    if is_sure:
        return replace(listen, closed_by=why, closed_at=at)
    why = listen.why or f"{why} in what was read, without which it ends ({at.path}:{at.line})"
    return replace(listen, confidence=weakest(listen.confidence, "likely"), why=why)


def _unknown_user(slot: Slot, settings: Settings) -> tuple[str, Span] | None:
    """Why it ends at the user that it is to change to, and the line that says so; None where the host may know that user."""
    said = settings.values(slot)
    word = said[-1][0] if said else None
    name = "" if word is None else word.text.partition(":")[0]
    if word is None or not is_account_name(name) or is_digits(name) or settings.invocation.privileges.user not in (None, "root"):
        return None  # who is not root changes to nobody
    if settings.files.partial or UNKNOWN in name or not is_unknown(name, settings.files):
        return None
    return f"the user {name}, whom it changes to, is not there", word.at


def _decisive(where: EndsWhere, settings: Settings, at: Span) -> Span:
    """The line that says one of the settings with which it ends; the command where none does, as a setting is missing."""
    for sources, wanted in where.when:
        said = [word for word, _ in settings.values(Slot(sources=tuple(sources.split("|")), take="every")) or ()]
        if said:
            return next((word.at for word in said if any(fnmatchcase(word.text.lower(), each) for each in wanted)), said[-1].at)
    return at


def _is_silent(found: Descriptor, settings: Settings) -> bool:
    """Whether its one config says all that it binds, and was not found; of a pattern that no file fits, nothing is missing."""
    slots = [slot for socket in found.sockets for slot in (socket.listen, socket.port) if slot is not None]
    has_default = any(slot.default is not None for slot in slots) or any(socket.random for socket in found.sockets)
    return bool(slots) and not has_default and settings.missing != "" and "*" not in settings.missing


def _needs(found: Descriptor, settings: Settings) -> tuple[FileNeed, ...]:
    """The open files for the connections a setting lets in; nothing where nobody says a number."""
    said = None if found.files is None else settings.values(found.files.connections)
    word = said[-1][0] if said else None
    count = None if word is None else decimal(word.text, 999_999_999)
    if found.files is None or word is None or count is None:
        return ()
    return (FileNeed(word.at, found.name, found.files.setting, count, count, found.files.otherwise),)


def background(found: Descriptor, invocation: Invocation, files: Files) -> str:
    """The settings, in words, that send the daemon to the background; "" where its config was not found or says otherwise."""
    settings = Settings(found, invocation, files)
    if settings.config_path is None or settings.unsure:
        return ""
    return next((each.why for each in found.background_where if settings.holds(each.when, each.unless)), "")


def read_fragment(found: Descriptor, path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What one config file of a daemon says on its own."""
    settings = Settings.alone(found, path, files)
    version = packages.get(found.package or found.name)
    said: tuple[Endpoint | Outbound, ...] = (
        *endpoints(found, settings, Span.whole(path), version, only_said=True),
        *outbounds(found, settings, Span.whole(path), version, only_said=True),
    )
    likely = tuple(replace(each, confidence="likely") if each.confidence == "certain" else each for each in said)
    if found.node_ports is None:
        return likely
    from portwright.daemons._engine import pods

    words = [word for word, _ in settings.values(found.node_ports) or ()]
    return (*likely, *pods.node_ports(found.name, words[-1:], None, Span.whole(path)))


def _unwrapped(wrapper: Wrapper, found: Descriptor, invocation: Invocation, files: Files) -> tuple[Invocation | None, str]:
    """The invocation that a script makes of its variables, None where it starts nothing; and why a built-in default need not hold."""
    variables = dict(invocation.environment)
    variables |= {name: Word(text, invocation.at) for name, text in wrapper.defaults if name not in variables}
    doubt = ""
    read = [source for path in wrapper.variables if files.kind(path) == "file" and (source := files.read(path)) is not None]
    if wrapper.variables and not read:
        doubt = f"built-in default; {wrapper.variables[0]}, which may override it, was not found"
    for source in read:
        if is_foreign("assignments", source):
            files.report_unreadable(Span.whole(source.path), f"it is written in another form than {found.name} is known to read")
        variables |= assigned(source)
    argv: list[Word] = []
    for text in wrapper.argv:
        if (number := _ARGUMENT.search(text)) is not None:
            place = decimal(number[1], 9) or 0
            given = invocation.argv[place].text if place < len(invocation.argv) else UNKNOWN
            text = text.replace(number[0], given)
        name, split = text.removesuffix("..."), text.endswith("...")
        if not name.startswith("$"):
            argv.append(Word(text, invocation.at))
        elif (value := variables.get(name[1:])) is not None and value.text:
            argv += [part.word() for part in words(SpannedText.of(value), relaxed=True)[0]] if split else [value]
    if not Settings.of_options(found, replace(invocation, environment=variables), wrapper.when).holds(wrapper.when, ()):
        return None, doubt
    return replace(invocation, argv=tuple(argv), environment=variables), doubt
