"""sshd: which files of a repository are its configs."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.candidate import Candidate, Likeness

_KEYWORD = lazy_regex(
    r"^[ \t]*(?:Port|ListenAddress|PermitRootLogin|PasswordAuthentication|PubkeyAuthentication|AuthorizedKeysFile|Subsystem|UsePAM"
    r"|AllowUsers|AllowGroups|DenyUsers|HostKey|X11Forwarding|AddressFamily|Include|ClientAliveInterval|MaxAuthTries|LogLevel"
    r"|KexAlgorithms|Ciphers|MACs|Match)(?:[ \t]+|[ \t]*=)\S",
    re.MULTILINE | re.IGNORECASE,
)


def recognise(file: Candidate) -> Likeness | None:
    """A file that is called so, or lies in sshd_config.d, and has one of its keywords."""
    named = file.lower_name.startswith("sshd_config") or ("sshd" in file.lower_name and file.suffix == "conf")
    return "name" if (named or file.parent == "sshd_config.d") and file.says(_KEYWORD) else None
