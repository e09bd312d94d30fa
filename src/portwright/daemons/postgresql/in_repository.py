"""PostgreSQL: which files of a repository are its configs."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.candidate import Candidate, Likeness

_SETTING = lazy_regex(r"^[ \t]*+(?:port|listen_addresses|max_connections|shared_buffers)[ \t]*+=?[ \t]*+\S", re.MULTILINE)


def recognise(file: Candidate) -> Likeness | None:
    """postgresql.conf with one of the settings that nobody leaves out."""
    return "name" if file.name == "postgresql.conf" and file.says(_SETTING) else None


def place(file: Candidate) -> str | None:
    """Nobody can tell: it lies in the folder of the data, or in one of its cluster."""
    return None
