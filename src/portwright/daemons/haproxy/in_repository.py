"""haproxy: which files of a repository are its configs."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.candidate import Candidate, Likeness

_SECTION = lazy_regex(r"^(?:frontend|backend|listen|defaults|global)(?:[ \t]+[A-Za-z0-9_.:-]+|[ \t]*$)", re.MULTILINE)
_LINE = lazy_regex(
    r"^[ \t]+(?:bind[ \t]+\S|server(?:-template)?[ \t]+\S+[ \t]+\S|mode[ \t]+(?:tcp|http|log)\b|balance[ \t]|default_backend[ \t]"
    r"|use_backend[ \t]|maxconn[ \t]+[0-9]|timeout[ \t]+(?:connect|client|server)\b)",
    re.MULTILINE,
)


def recognise(file: Candidate) -> Likeness | None:
    """A section with a line of it, and no braces."""
    if not (file.explicit or file.suffix in ("cfg", "conf", "haproxy") or file.lower_name == "haproxy"):
        return None
    return "text" if file.says(_SECTION, _LINE) and not file.has_block else None
