"""What a configuration and a profile add to the options; where there is neither, nothing is imported for them."""

from __future__ import annotations

import os

from portwright.cli.streams import Complaint

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options
    from portwright.cli.configured import Settled

_VERSION_CONTROL = (".git", ".hg", ".svn", ".bzr")


def know_all_daemons() -> None:
    """Complain of rooms that others bring before anything is read; where nobody brings one, nothing is imported for it."""
    from portwright.shipped import BroughtError, brought

    try:
        if brought("daemons"):
            from portwright.daemons import know_those_brought

            know_those_brought()
    except BroughtError as error:
        raise Complaint(str(error)) from None


def settle(options: Options, start: str = ".") -> None:
    """Complete the options with what a configuration and a profile say; where there is neither, nothing is imported for them."""
    root = root_of(start)
    # A directory that is no repository is not somebody's place to speak about what lies elsewhere.
    own = _is_top(root) or all(path == "-" or _lies_in(path, root) for path in options.paths or ["."])
    if not (options.config or options.profile or (own and _has_settings(root))):
        return
    from portwright.cli.configured import ConfigurationError, settled

    try:
        found = settled(options, root if own else "")
    except ConfigurationError as error:
        raise Complaint(str(error)) from None
    obey(options, found)


def _is_top(folder: str) -> bool:
    """Whether a directory is the root of a repository."""
    return any(os.path.lexists(os.path.join(folder, name)) for name in _VERSION_CONTROL)


def _lies_in(path: str, root: str) -> bool:
    real, top = os.path.realpath(path), os.path.realpath(root)
    return real == top or real.startswith(f"{top.rstrip('/')}/")


def obey(options: Options, found: Settled) -> None:
    """Set the options to what was settled."""
    given: dict[str, object] = {name: list(found.values(name.replace("_", "-"))) for name in ("select", "ignore", "extend_select", "rules")}
    given |= {name: found.value(name.replace("_", "-")) for name in ("fail_on", "min_confidence", "rate")}
    options.__dict__.update(given, settled=found)


def _has_settings(root: str) -> bool:
    """Whether a directory has a configuration, as far as a look tells: a project's file is read only for a table of ours."""
    if os.path.lexists(os.path.join(root, "portwright.toml")):
        return True
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(os.path.join(root, "pyproject.toml"), flags)
    except OSError:
        return False
    try:
        return b"tool.portwright" in os.read(descriptor, 1 << 20)
    except OSError:  # a directory, or nothing behind a pipe
        return False
    finally:
        os.close(descriptor)


def root_of(start: str) -> str:
    """The root of the repository that a directory lies in, that itself where it lies in none."""
    here = first = os.path.abspath(start)
    while True:
        if _is_top(here):
            return here
        above = os.path.dirname(here)
        if above == here:
            return first
        here = above
