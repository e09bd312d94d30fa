"""What an entry's daemon connects to again and again, with its settings put in: outbounds."""

from collections.abc import Iterator

from portwright.daemons._engine.descriptor import Connects, Descriptor
from portwright.daemons._engine.settings import Settings, is_yes
from portwright.daemons._engine.versions import satisfies
from portwright.facts import Confidence, Outbound, Traits
from portwright.formats.nodes import Node
from portwright.numbers import is_digits
from portwright.source import Rewriting, Span, Word
from portwright.system.host_files import names
from portwright.system.host_files.destinations import are_loopback
from portwright.trees import Files

_MOST_CONNECTIONS = 1000


def outbounds(found: Descriptor, settings: Settings, at: Span, version: str | None, only_said: bool = False) -> Iterator[Outbound]:
    """What the daemon connects to. `at` is where it is started; `only_said` leaves out what no setting names."""
    told = 0
    for each in found.connects:
        if each.versions and not satisfies(version, each.versions):
            continue
        blocks: list[Node | None] = [*settings.blocks(each.each)] if each.each else [None]
        for block in blocks:
            if not settings.holds(each.when, each.unless, block):
                continue
            for outbound in _of(found, each, settings, block, at, version, only_said):
                if told == _MOST_CONNECTIONS:
                    settings.files.report_unreadable(at, f"more than {told} places it connects to: the rest is left out")
                    return
                told += 1
                yield outbound


def _of(
    found: Descriptor, each: Connects, settings: Settings, block: Node | None, at: Span, version: str | None, only_said: bool
) -> Iterator[Outbound]:
    confidence: Confidence = "likely" if settings.unsure else "certain"
    if each.bound is not None:
        for word, _ in settings.values(each.bound, block) or ():
            address = word.text.strip("[]")
            # It could not connect to any other host from a loopback address, so that such a line says something else.
            if names.is_address(address) and not are_loopback((address,), settings.files):
                yield Outbound(
                    at=word.at,
                    app=found.name,
                    unit=None,
                    name=each.name,
                    keepalive=None,
                    source_address=address,
                    version=version,
                    why=each.why,
                    confidence=confidence,
                    bound_at=word.at,
                )
    if each.to is not None:
        said = [word for word, _ in settings.values(each.to, block) or ()]
        if not said and not only_said:
            said = [Word(text, at) for text in each.to.default or ()]
        places = [(word, host) for word in said if (host := _host(word.text)) is not None]
        anew = settings.values(each.anew, block) if each.anew is not None else None
        if places and (each.anew is None or anew):
            yield Outbound(
                at=places[0][0].at,
                app=found.name,
                unit=None,
                name=places[0][0].text if len(places) == 1 else f"{places[0][0].text} and {len(places) - 1} more",
                keepalive=False if anew else None,
                decided_at=anew[0][0].at if anew else None,
                servers=len(places),
                loopback=_loopback([host for _, host in places], settings.files),
                version=version,
                why=each.why,
                confidence=confidence,
                traits=Traits(closes_first="yes"),
                opened_for="request" if anew else "client",
            )
    if each.keeps is not None:
        yield from _kept(found, each, settings, at, version, confidence, only_said)


def _kept(
    found: Descriptor, each: Connects, settings: Settings, at: Span, version: str | None, confidence: Confidence, only_said: bool
) -> Iterator[Outbound]:
    if each.keeps is None:
        return
    said = settings.values(each.keeps)
    if said is None and (only_said or each.keeps.default is None):
        return
    word = said[-1][0] if said else None
    keeps = is_yes(word.text if word is not None else (each.keeps.default or ("",))[0])
    if keeps and each.keeps.default is None:
        return  # it is allowed; whether it is done, no setting says
    yield Outbound(
        at=at if word is None else word.at,
        app=found.name,
        unit=None,
        name=each.name,
        keepalive=keeps,
        decided_at=None if word is None else word.at,
        version=version,
        why="" if keeps else each.why,
        confidence=confidence,
        keeping=None if keeps or word is None else _keeping(found, each, settings, word),
    )


def _keeping(found: Descriptor, each: Connects, settings: Settings, word: Word) -> Rewriting | None:
    """The word that says whether connections are kept, as the daemon writes that they are."""
    from portwright.daemons._engine.rewriting import replaced

    source = settings.files.read(word.at.path)
    yes = _KEPT.get(word.text)
    config = settings.config_path
    if source is None or yes is None or config is None:
        return None
    words, caution = f"have {found.name} keep connections to {each.name}", "a server that mixes up requests may be why it was switched off"
    return Rewriting((replaced(source, word.at, yes),), words, "", caution, (config,))


_KEPT = {"off": "on", "Off": "On", "OFF": "ON", "no": "yes", "No": "Yes", "NO": "YES", "0": "1", "false": "true", "False": "True"}


def _host(text: str) -> str | None:
    """The host of `[address]:port`, `host:port` or `port`, which is on this host; None for a Unix socket."""
    text = text.strip()
    if not text or text.startswith(("/", "@", "unix:")):
        return None
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] or ("localhost" if is_digits(text.lstrip(":")) else text)


def _loopback(hosts: list[str], files: Files) -> bool | None:
    return True if all(host == "localhost" for host in hosts) else are_loopback(hosts, files)
