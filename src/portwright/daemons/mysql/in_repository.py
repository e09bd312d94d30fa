"""MySQL and MariaDB: which files of a repository are their option files."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.candidate import Candidate, Likeness

_GROUP = lazy_regex(r"^\[(?:mysqld|server|mariadbd?)(?:-[0-9][0-9.]*)?\]", re.MULTILINE)


def recognise(file: Candidate) -> Likeness | None:
    """A file that ends in .cnf and has a group of the server."""
    return "name" if file.suffix == "cnf" and file.says(_GROUP) else None


def place(file: Candidate) -> str | None:
    """my.cnf where every build looks for it; of the other option files nobody can tell."""
    return "/etc/my.cnf" if file.name == "my.cnf" else None
