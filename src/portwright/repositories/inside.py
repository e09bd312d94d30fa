"""Which files of a repository are inside of containers with a network of their own, so that what they configure is none of the host's."""

import posixpath
from collections.abc import Iterable, Mapping

from portwright._start.records import dataclass
from portwright.daemons import recognition
from portwright.daemons.held import Held, holder
from portwright.repositories.checkout import Checkout
from portwright.repositories.recognise import without_blanks_to_fill, without_remarks
from portwright.repositories.staging import StagedFile

_MOST_HOLDERS = 1_000


@dataclass(frozen=True, slots=True)
class Inside:
    """The paths of files that are inside only, and of the scripts among them that containers run."""

    files: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()


def inside(holders: Mapping[str, str], checkout: Checkout) -> Inside:
    """What is inside, by the files that say so and the daemons whose rooms read them; what some container has on the host's network, too,
    is not."""
    said: list[Held] = []
    images: dict[str, list[Held]] = {}
    for label, daemon in list(holders.items())[:_MOST_HOLDERS]:
        holds, text = holder(daemon), checkout.text(label)
        found = [] if holds is None or text is None else list(holds(label, without_blanks_to_fill(without_remarks(label, text))))
        images[label] = [each for each in found if each.on_host is None]
        said += (each for each in found if each.on_host is not None)
    built = {each.path: each for each in said if each.builds}
    on_host = {each.path for each in said if each.builds and each.on_host}
    files, of_host, scripts = set[str](), set[str](), set[str]()
    for path, host in {(each.path, each.on_host): None for each in said if not each.builds}:
        (of_host if host else files).update(_files(path, checkout))
    for label, copied in images.items():
        where = built[label].context if label in built else label.rpartition("/")[0]
        for each in dict.fromkeys(copied):
            named = set(_copied(where, each.path, checkout) or _copied("", each.path, checkout))
            (of_host if label in on_host else files).update(named)
            scripts |= named if each.runs and label not in on_host else set()
    return Inside(frozenset(files - of_host), frozenset(scripts - of_host))


def inside_on_hosts(placed: Iterable[StagedFile]) -> frozenset[str]:
    """The labels of files that are put where containers of their host, with a network of their own, mount them; what some container has on
    the host's network, too, is not among them."""
    files = tuple(placed)
    said: dict[str, dict[str, bool]] = {}
    for file in files:
        daemon = file.what.kind
        if not recognition.is_daemon(daemon) or not recognition.traits_in_repository(daemon).kinds:
            continue
        holds = holder(daemon)
        text = without_blanks_to_fill(file.data.decode("utf-8", "surrogateescape"))
        for each in () if holds is None else holds(file.place.lstrip("/"), text):
            if each.on_host is not None and not each.builds:
                path = each.path if each.path.startswith("/") else f"/{each.path}"
                there = said.setdefault(file.machine, {})
                there[path] = there.get(path, False) or each.on_host
    return frozenset(file.label for file in files if said and _is_inside(file.place, (said.get(each, {}) for each in {file.machine, ""})))


def _is_inside(place: str, said: Iterable[Mapping[str, bool]]) -> bool:
    known = tuple(said)
    above, on_host = place, set[bool]()
    while len(above) > 1:
        on_host.update(each[above] for each in known if above in each)
        above = posixpath.dirname(above)
    return on_host == {False}


def _copied(where: str, path: str, checkout: Checkout) -> list[str]:
    found = posixpath.normpath(posixpath.join(where, path.lstrip("/")))
    return [] if found.startswith("..") or found == "." else list(_files(found, checkout))


def _files(path: str, checkout: Checkout) -> Iterable[str]:
    """The file of a path, or all files of a folder."""
    return (path,) if path in checkout.labels else tuple(checkout.under(path))
