"""A setting that the host's version of a daemon has no longer, and that ends it: nothing of it listens."""

import re
from functools import lru_cache

from portwright._start.records import dataclass, replace
from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.protocol import DaemonFact, Packages
from portwright.daemons._engine.versions import satisfies
from portwright.facts import Endpoint
from portwright.source import Source, Span
from portwright.system.host_files.distribution import family
from portwright.trees import Files
from portwright.trees.tree import Watch

_ELSEWHERE = ("/.portwright/", "/var/lib/", "/lib/", "/usr/lib/", "/etc/default/", "/etc/systemd/")


def unless_dropped(
    said: tuple[DaemonFact, ...], found: Descriptor, files: Files, packages: Packages, watch: Watch
) -> tuple[DaemonFact, ...]:
    """What a room said, closed where its config has a setting that the installed version ends at. Of an unknown version nothing is said."""
    names = (found.package or found.name, *found.packages.of(family(files)))
    version = next((packages[name] for name in names if name in packages), None)
    if version is None:
        return said
    settings = tuple(name for each in found.dropped if satisfies(version, each.versions) for name in each.settings)
    configs = (path for path in watch.asked if settings and not path.startswith(_ELSEWHERE))
    place = next((said_in for path in configs if (said_in := files.once(_Said(path, settings))) is not None), None)
    if place is None:
        return said
    at, name = place
    why = f"{found.name} {version} ends at {name}, which it no longer knows"
    return tuple(
        replace(fact, closed_by=why, closed_at=at) if isinstance(fact, Endpoint) and not fact.closed_by else fact for fact in said
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """The first of these settings in a config, and its place; of a config that many units share it is worked out once."""

    config: str
    settings: tuple[str, ...]

    def __call__(self, files: Files) -> tuple[Span, str] | None:
        source = files.known(self.config)
        matches = () if source is None else _pattern(self.settings).finditer(source.text)
        return next(((source.span(*match.span(1)), match[1]) for match in matches if source and _counts(source, match)), None)


def _counts(source: Source, match: re.Match[str]) -> bool:
    """Whether it stands outside a comment of several lines."""
    return source.text.count("/*", 0, match.start()) <= source.text.count("*/", 0, match.start())


@lru_cache(maxsize=64)
def _pattern(settings: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*({'|'.join(map(re.escape, settings))})(?=[\s=:])", re.MULTILINE)
