"""What a container asks its runtime for besides the ports that it gets: kernel settings, capabilities, ports in vain (podman-run(1))."""

from collections.abc import Iterable, Iterator

from portwright.facts import NET_BIND_SERVICE, Confidence, ContainerLine
from portwright.facts.sysctl import RANGE, RESERVED, UNPRIVILEGED
from portwright.numbers import is_digits
from portwright.source import Word
from portwright.system.spanned_text import UNKNOWN
from portwright.system.sysctl.kernel import missing, normal, write

# runc, validate_sysctl.go: what it and crun hold to be a namespace's own; any other key is refused before the kernel is asked.
_OF_IPC = frozenset(
    f"kernel.{name}" for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced", "domainname")
)
# Of net.*, what a new network namespace lacks or can only read: measured on Linux 6.18, and older kernels have fewer of their own.
_OF_THE_HOST = frozenset(
    (
        "net.core.bpf_jit_enable", "net.core.bpf_jit_harden", "net.core.busy_poll", "net.core.busy_read", "net.core.default_qdisc",
        "net.core.dev_weight", "net.core.flow_limit_table_len", "net.core.message_burst", "net.core.message_cost",
        "net.core.netdev_budget", "net.core.netdev_budget_usecs", "net.core.netdev_max_backlog", "net.core.rmem_default",
        "net.core.rmem_max", "net.core.rps_sock_flow_entries", "net.core.warnings", "net.core.wmem_default", "net.core.wmem_max",
        "net.ipv4.tcp_low_latency", "net.ipv4.tcp_max_orphans", "net.ipv4.tcp_mem", "net.ipv4.udp_mem",
        "net.netfilter.nf_conntrack_max", "net.nf_conntrack_max",
    )
)  # fmt: skip
_NEW_NAMESPACE = {RANGE: "32768 60999", RESERVED: "", UNPRIVILEGED: "1024"}
_GIVE_NETWORK_POWER = ("ALL", "NET_BIND_SERVICE", NET_BIND_SERVICE)


def settings(
    asked: Iterable[tuple[Word, Word]], container: str, app: str, *, on_host: bool, confidence: Confidence = "likely"
) -> Iterator[ContainerLine]:
    """A line for each (key, value) that a container asks for; one that is not known says nothing. `on_host`: of the host's network."""
    state = dict(_NEW_NAMESPACE)
    if app == "docker":
        state[UNPRIVILEGED] = "0"  # since Docker 20.10, in each network namespace it makes
    for name, value in asked:
        key, text = name.text.strip().replace("/", "."), normal(value.text)
        if not key or UNKNOWN in key or UNKNOWN in text:
            continue
        reason = _refused(key, text, app, on_host, state)
        yield ContainerLine(name.at, container, "setting", key, text, "refused" if reason else "applied", reason, confidence=confidence)


def _refused(key: str, text: str, app: str, on_host: bool, state: dict[str, str]) -> str:
    """Why the container does not start with a setting, "" where it does."""
    if not key.startswith("net."):
        if key in _OF_IPC or key.startswith("fs.mqueue."):
            return ""
        return f"{app} sets only what a container has of its own, and this is the whole host's"
    if on_host:
        return f"on the host's network {app} refuses all settings below net."
    if key in _OF_THE_HOST:
        return "a container's network has no such setting of its own, only the host has"
    if reason := missing(key.replace(".", "/") if key.count(".") == 2 else ""):
        return "" if reason.endswith("is a directory") else reason
    written = write(key, text, state)
    state.update(written.values)
    return written.refused


def discarded(words: Iterable[Word], container: str) -> Iterator[ContainerLine]:
    """The ports that a container on the host's network asks to publish: docker and podman warn, and pass over them."""
    reason = "on the host's network nothing is published, and its program opens the ports that it is told to itself"
    for word in words:
        if UNKNOWN not in word.text:
            yield ContainerLine(word.at, container, "port", word.text, "", "without-effect", reason, confidence="likely")


def powerless(container: str, app: str, user: Word | None, added: Iterable[Word]) -> Iterator[ContainerLine]:
    """The capability to bind low ports that a container on the host's network asks for, and does not have as a user other than root."""
    name = "" if user is None else user.text.partition(":")[0]
    if app != "docker" or user is None or not name or UNKNOWN in name or name == "root" or (is_digits(name) and not name.strip("0")):
        return
    for word in added:
        if word.text.upper() in _GIVE_NETWORK_POWER:
            reason = f"it runs as {name} on the host's network, where an added capability is not ambient, so it binds no port below 1024"
            yield ContainerLine(word.at, container, "capability", "NET_BIND_SERVICE", "", "without-effect", reason, confidence="possible")
            return


def pair(word: Word) -> tuple[Word, Word] | None:
    """(key, value) of `key=value` in one word, None where there is no such sign."""
    key, equals, value = word.text.partition("=")
    return (Word(key, word.at), Word(value, word.at)) if equals else None
