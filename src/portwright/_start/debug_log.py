"""What was read and decided, by `logging`; that is imported only where somebody asks for it (`--debug`, PORTWRIGHT_DEBUG).

A caller asks first, so that a run without it pays for one look at a variable:

    if debug_log.ENABLED:
        debug_log.say("files", "read %s", path)
"""

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Callable

ENABLED = False


def enable(clean: "Callable[[str], str]") -> None:
    """Log to standard error from now on; `clean` makes what came from a host safe to show."""
    global ENABLED
    import logging

    class Line(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return clean(super().format(record)).replace("\n", " ")

    handler = logging.StreamHandler()
    handler.setFormatter(Line("%(name)s: %(message)s"))
    logger = logging.getLogger("portwright")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    ENABLED = True


def disable() -> None:
    """Log nothing more."""
    global ENABLED
    ENABLED = False


def say(area: str, message: str, *values: object) -> None:
    """One line of an area (`files`, `sysctl`, `units`, `daemons`, `rules`, `inputs`)."""
    import logging

    logging.getLogger(f"portwright.{area}").debug(message, *values)
