"""What of a repository is inside of containers: files that an image or a service has there, as the rooms of containers say."""

from collections.abc import Callable, Iterable
from importlib import import_module

from portwright._start.records import dataclass
from portwright.daemons._engine import rooms


@dataclass(frozen=True, slots=True)
class Held:
    """A file or folder of a repository, by its path there, that a container has inside; with a leading slash, by its path on the host.

    `on_host`: the container is on the host's network, so that what is configured inside is the host's; None where that is said by
    whoever builds the image. `builds`: `path` is the file that an image is built by, in the folder `context`. `runs`: it is a script
    that the container runs, so that what it sets up is the container's.
    """

    path: str
    on_host: bool | None = None
    builds: bool = False
    context: str = ""
    runs: bool = False


Holder = Callable[[str, str], Iterable[Held]]


def holder(daemon: str) -> Holder | None:
    """The function that says what a file, by its path and text, puts into containers; None where the room of its daemon has none."""
    found = rooms.index().folders.get(daemon)
    if found is None or not rooms.room(daemon).in_repository.kinds:
        return None
    said: Holder | None = getattr(import_module(f"portwright.daemons.{found.replace('/', '.')}.reader"), "held", None)
    return said
