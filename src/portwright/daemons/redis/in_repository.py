"""Redis and its kin: which files of a repository are their configs."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.candidate import Candidate, Likeness

_SETTING = lazy_regex(
    r"^[ \t]*(?:port[ \t]+[0-9]+|tls-port[ \t]+[0-9]+|protected-mode[ \t]+(?:yes|no)|appendonly[ \t]+(?:yes|no)"
    r"|maxmemory(?:-policy)?[ \t]+\S|daemonize[ \t]+(?:yes|no)|supervised[ \t]+\S|appendfsync[ \t]+\S|dbfilename[ \t]+\S"
    r"|requirepass[ \t]+\S|masterauth[ \t]+\S"
    r"|tcp-backlog[ \t]+[0-9]+|tcp-keepalive[ \t]+[0-9]+|cluster-enabled[ \t]+(?:yes|no)|replicaof[ \t]+\S|slaveof[ \t]+\S"
    r"|sentinel[ \t]+monitor[ \t]+\S|save[ \t]+(?:[0-9]|\"\")|notify-keyspace-events[ \t]+\S|unixsocket[ \t]+\S)",
    re.MULTILINE | re.IGNORECASE,
)
_KIN = ("redis", "sentinel", "valkey", "keydb")
_SECTION = lazy_regex(r"\[([^\]\n]+)\]")


def recognise(file: Candidate) -> Likeness | None:
    """One of its settings, in a file that by its name or folder is its; no sections and no braces."""
    if not (file.explicit or file.suffix in ("cfg", "conf", "haproxy")):
        return None
    named = any(word in file.lower_name for word in _KIN) or any(folder.startswith(_KIN) for folder in file.lower_folders)
    return "text" if named and file.says(_SETTING) and _SECTION.match(file.text) is None and not file.has_block else None
