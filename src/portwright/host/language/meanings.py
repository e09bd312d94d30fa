"""What each word of a rule means: the fields of facts in a sentence each, and the named values in the words of their functions."""

from portwright.host.terms.registry import Kind, Term

KINDS: dict[Kind, str] = {
    "listener": "a socket that a service opens to be reached: who binds what, as whom, and whether the kernel permits it",
    "sysctl": "a kernel setting as it is settled from all files",
    "assignment": "one line `key = value` of a sysctl file, and what became of it",
    "unit": "a systemd unit, merged from its file and its drop-ins",
    "outbound": "connections that a daemon opens again and again to one destination: an nginx upstream, an haproxy backend",
    "file-limit": "how many connections a service is set to take, and how many files it may have open for them",
    "call": "a command that a unit, cron or a script of theirs calls: `netstat`, the one program that rules look for so far",
}

_OF_ALL = {
    "at": "the line that says it",
    "confidence": "how sure it is: the files say so, something outside them could change it, or it is a guess",
    "why": "why it starts, or never does, in words",
}

_OF_A_KIND: dict[Kind, dict[str, str]] = {
    "listener": {
        "activates": "the service that is handed the socket, where a .socket unit binds it",
        "address": "the address as it is bound: `*` for both families, `0.0.0.0`, `::`, or one address",
        "app": "the daemon: nginx, sshd, http.server",
        "because": "why bind() is refused, in words",
        "because_at": "the line that decided that bind() is refused",
        "bind_user": "the user that calls bind()",
        "can_bind": "whether kernel and unit permit the bind(); never who wins a race for a port",
        "end_port": "the highest port; equal to `port` for a single one",
        "error": "what bind() answers where it is refused: EACCES, EADDRNOTAVAIL, EINVAL, EAFNOSUPPORT, EPERM, 203/EXEC, 217/USER, ...",
        "free_bind": "whether IP_FREEBIND or IP_TRANSPARENT is set",
        "survives_conflict": "whether the service runs on without this socket where another one has the port",
        "interface": "the interface the socket is tied to",
        "machine": "the machine that a repository's file is for; empty on a host",
        "origin": "where it was read from",
        "port": "the lowest port",
        "ports": "all its ports",
        "private_network": "whether it lies in a network namespace of its own (PrivateNetwork=)",
        "protocol": "tcp or udp",
        "random": "whether the kernel picks the port at each start",
        "reuse_address": "whether SO_REUSEADDR is set; unknown where nobody looked",
        "reuse_port": "whether SO_REUSEPORT is set",
        "starts": "when it is opened: at boot, only while in use, by hand, or never; unknown in a repository",
        "unit": "the unit that binds it",
        "v6only": "whether an IPv6 socket leaves IPv4 alone; unknown for IPv4",
        "why": "why it starts, or never does, in words",
    },
    "sysctl": {
        "boot": "the value after boot, as systemd-sysctl leaves it",
        "is_default": "whether no file sets it, so that the kernel's default holds",
        "key": "its name, with dots",
        "reload": "the value after `sysctl --system` (procps)",
        "reload_at": "the line that decided the value after `sysctl --system`",
        "running": "the value in the running kernel; unknown without a capture of it",
    },
    "assignment": {
        "outcome": "what became of the line at boot: in force, replaced by a later one, refused by the kernel, or never written",
        "key": "the key, with dots, as the kernel would read it",
        "reason": "why the line is not in force, in words; empty where it is",
        "value": "the value as it is written",
    },
    "unit": {
        "files": "the files it was merged from, the unit's own first",
        "kind": "its suffix: service, socket, target, timer, ...",
        "name": "its name: nginx.service",
        "names": "its name and its aliases",
        "started_by": "the units that pull it in at boot",
        "starts": "when it is started",
        "state": "whether it was loaded, is masked, or is only named by others",
    },
    "outbound": {
        "app": "the daemon that connects",
        "asked_at": "the line that asks for kept connections, be it in vain",
        "decided_at": "the line that switches keep-alive off or on",
        "keepalive": "whether connections are kept open and used again; unknown where nobody can tell",
        "loopback": "whether all its servers are on this host",
        "name": "the name of the upstream, backend or destination",
        "servers": "how many addresses it is spread over",
        "source_address": "the address it connects from, where that is set",
        "starts": "when its daemon is started",
        "unit": "the unit of the daemon",
        "version": "the version of the daemon's package, if known",
        "why": "what keeps connections open or closes them, in words",
    },
    "file-limit": {
        "app": "the daemon",
        "connections": "how many connections it is set to take",
        "decided": "what decides the limit, in words",
        "decided_at": "the line that decides the limit",
        "limit": "how many files it may have open; unknown where it may have as many as it asks for",
        "needed": "how many open files its connections need",
        "otherwise": "what becomes of it where the limit is lower, in words",
        "own": "the daemon's own setting that decides the limit",
        "setting": "the setting that says how many connections it takes",
        "starts": "when its daemon is started",
        "unit": "the unit of the daemon",
    },
    "call": {
        "caller": "who calls: the unit, a file of cron, or the script and the unit that runs it",
        "program": "the program that is called, without its directory",
        "starts": "when its unit is started; cron counts as started at boot",
        "unit": "the unit whose line it is or whose script calls; unknown for cron",
    },
}

TYPES = {
    "text": "one line of text",
    "flag": "`true` or `false`",
    "number": "a number, whole but for times",
    "ports": "a list of ports and ranges as the kernel writes it: `80,8000-8010`",
    "words": "several words",
    "claim": "what a bind() asks of the kernel",
    "turn": "when a bind() happens",
    "place": "a line of a file",
}

VERBS: dict[str, str] = {
    "is": "equals",
    "is-not": "does not equal; also holds where the value is unknown",
    "in": "is one of a list",
    "not-in": "is none of a list; also holds where the value is unknown",
    "starts-with": "begins with",
    "ends-with": "ends with",
    "at-least": "is this or more",
    "at-most": "is this or less",
    "more-than": "is more than this",
    "less-than": "is less than this",
    "within": "each of the ports is among these, and there is one at least",
    "overlaps": "shares at least one port; of two claims: the kernel would refuse the second",
    "not-after": "is not known to come after the other: it is earlier, or nothing orders the two",
    "has": "one of the words is this",
    "lacks": "none of the words is this; also holds where they are unknown",
    "counts-at-least": "counts this many or more",
}


def meaning(kind: Kind, name: Term) -> str:
    """A word of this kind in a sentence."""
    if name.compute is not None:
        return name.meaning
    return _OF_A_KIND[kind].get(name.name) or _OF_ALL.get(name.name) or name.meaning
