"""How a package starts its daemon, where the unit file is not in the copy: the program, with what the environment file hands to it."""

from collections.abc import Iterable, Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import known
from portwright.daemons._engine import rooms
from portwright.daemons._engine.settings import assigned
from portwright.system.host_files.accounts import account
from portwright.system.host_files.distribution import family
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

_HANDED_OVER = lazy_regex(r"(?:^|_)(?:DAEMON_|EXTRA_?)?(?:ARGS|OPTS|OPTIONS|FLAGS)$|^EXTRAOPTS$")
_OF_ANOTHER = lazy_regex(r"JAVA|JVM|GC_|BUILD|LD_")


def started_by(unit: str, files: Files) -> tuple[tuple[str, str], ...]:
    """The settings of the [Service] section of a package's unit as far as they are known; () where its daemon is not.

    A daemon whose configuration lies in /etc and is not there was removed, or never set up: nothing is said of it.
    """
    stem, _, kind = unit.rpartition(".")
    name = rooms.of_unit(f"{stem}.service") if kind == "service" and "@" not in stem else None
    if name is None:
        return ()
    room, where = known(name).descriptor, family(files)
    programs = [each for each in room.programs if "*" not in each and "." not in each]
    configs = () if room.config is None else tuple(_there(room.config.paths.of(where), files))
    if not programs or (not configs and room.config is not None and _lies_in_etc(room.config.paths.of(where))):
        return ()
    environment = [path for path in room.environment.of(where) if files.kind(path) == "file"]
    words = [room.in_unit.program or f"/usr/sbin/{stem if stem in programs else programs[0]}"]
    words += (configs[0] if each == "{}" else each for each in room.in_unit.arguments if each != "{}" or configs)
    for path in environment:
        source = files.read(path)
        names = () if source is None else assigned(source)
        words += (f"${each}" for each in names if _HANDED_OVER.search(each) and not _OF_ANOTHER.search(each))
    user = [("User", room.in_unit.user)] if room.in_unit.user and account(room.in_unit.user, files) is not None else []
    return (*user, *(("EnvironmentFile", f"-{path}") for path in environment), ("ExecStart", " ".join(words)))


def user_of(unit: str, files: Files) -> str | None:
    """The user that a package's unit starts its daemon as, where it starts as root by design, or an account has its name; else unknown."""
    stem = unit.rpartition(".")[0]
    name = rooms.of_unit(f"{stem}.service")
    room = None if name is None else known(name).descriptor
    if room is None:
        return None
    if room.traits.root == "by-design":
        return room.in_unit.user or "root"
    named = (each for word in (stem, room.name, *room.programs) for each in (word, f"_{word}"))
    return next((each for each in named if account(each, files) is not None), None)


def _there(paths: Iterable[str], files: Files) -> Iterator[str]:
    for path in paths:
        try:
            yield from expand(path, files) if "{" not in path else ()
        except TooMany:
            yield path


def _lies_in_etc(paths: Iterable[str]) -> bool:
    """Whether its config is looked for in /etc, which alone a copy may be."""
    return any(path.startswith("/etc/") and "{" not in path for path in paths)
