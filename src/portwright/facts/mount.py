"""A file system of another machine that this one mounts."""

from portwright._start.records import dataclass
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system of another machine that this one mounts, by fstab, a .mount unit or an automounter's map.

    `options` are as written; `on_demand`: it is mounted when somebody looks there, not at boot.
    """

    at: Span
    what: str
    where: str
    kind: str
    options: tuple[str, ...] = ()
    on_demand: bool = False
