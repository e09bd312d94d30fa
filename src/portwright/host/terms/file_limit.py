"""What rules may ask of a limit of open files."""

from portwright.facts import FileLimit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.registry import Derived, fact_value

_FILES_BESIDES = 128  # logs, listeners and libraries, which every daemon has open besides its connections


@fact_value("file-limit", "deployed")
def file_limit_deployed(host: Host, limit: FileLimit) -> Derived[bool]:
    """Whether its daemon runs from boot; in a repository, where no file states what is enabled, everything counts as deployed."""
    return Derived(limit.starts == "boot" or (host.repository and limit.starts is None))


@fact_value("file-limit", "unit-that-is-limited")
def unit_that_is_limited(host: Host, limit: FileLimit) -> Derived[str | None]:
    """The unit whose limit decides; unknown where a setting of the daemon does."""
    return Derived(limit.unit if limit.own is None else None)


@fact_value("file-limit", "enough-files")
def enough_files(host: Host, limit: FileLimit) -> Derived[str]:
    """How many open files are enough for its connections, and for what it has open besides them."""
    return Derived(str(_enough(limit)))


@fact_value("file-limit", "raising-it")
def raising_it(host: Host, limit: FileLimit) -> Derived[str]:
    """How to raise its limit: the daemon's own setting where that one decides, LimitNOFILE= of its unit otherwise."""
    enough = _enough(limit)
    if limit.own is not None:
        return Derived(f"raise {limit.own} to {enough} or more")
    return Derived(f"set LimitNOFILE={enough} or more for {limit.unit} in a drop-in")


@fact_value("file-limit", "limit-in-force")
def limit_in_force(host: Host, limit: FileLimit) -> Derived[int | None]:
    """How many files it may open after all limits, with the line that decides; unknown where it may open as many as it requests."""
    return Derived(limit.limit, (Note(f"{limit.decided}: {limit.limit}" if limit.decided_at is None else limit.decided, limit.decided_at),))


def _enough(limit: FileLimit) -> int:
    return (limit.needed + _FILES_BESIDES) // 1024 * 1024 + 1024
