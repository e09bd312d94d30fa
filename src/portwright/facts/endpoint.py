"""What a daemon says it will bind."""

from portwright._start.records import dataclass
from portwright.facts.traits import Traits
from portwright.facts.value import Confidence, Origin, Protocol
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Span, Word


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many connections a daemon asks listen(2) to let wait; `at` is the word that says so, None where it is built in."""

    length: int
    at: Span | None = None

    @staticmethod
    def asked(word: Word | None, built_in: int | None = None) -> "Backlog | None":
        """What a word asks for, or what is built in where there is none; None for what is no number."""
        if word is None:
            return None if built_in is None else Backlog(built_in)
        number = decimal(word.text.strip(), 9_999_999_999)
        return None if number is None else Backlog(number, word.at)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a daemon says it will bind, before anyone asks whether it may.

    `address` is `*` (one dual-stack IPv6 socket), `0.0.0.0`, `::`, or an address without brackets. For `::`, `v6only` is what
    the daemon asks for: True, False (then it is `*`), or None: it asks for nothing and net.ipv6.bindv6only decides. `ports` is
    empty where `random`. `reuse_address` None is unknown. `binds_as` is set where the daemon changes user before it binds (None: the
    user it is started as). `on_demand`: bound only while in use. `by_hand`: only where somebody asks for it. `free_bind`: IP_FREEBIND or
    IP_TRANSPARENT is set.
    `interface`: SO_BINDTODEVICE. `optional`: where the host lacks the address, the daemon goes on without it (redis `bind -::1`).
    `survives_conflict`: where another socket has the port, the daemon runs on without this one (systemd-resolved's stub).
    `of_interfaces`: the wildcard stands for the addresses of the host's interfaces, which nobody listed; each is bound by itself.
    `ipv4_fallback`: it surely binds 0.0.0.0 instead where the kernel has no IPv6 (the bare port of a .socket unit).
    `closed_by` is why it is not open in the end though it may be bound: the daemon lacks a file that it ends without, or does not
    take a setting; `closed_at` is the line that names the file or says the setting.
    `backlog` is the accept queue it asks for, None where that is not known or is left to the kernel. `traits` are what is known of the
    daemon in general.
    """

    at: Span
    app: str
    protocol: Protocol
    address: str
    ports: PortSet
    origin: Origin
    reuse_address: bool | None = None
    reuse_port: bool | None = False
    v6only: bool | None = None
    random: bool = False
    on_demand: bool = False
    free_bind: bool = False
    interface: str | None = None
    binds_as: str | None = None
    confidence: Confidence = "certain"
    why: str = ""
    optional: bool = False
    ipv4_fallback: bool = False
    survives_conflict: bool = False
    of_interfaces: bool = False
    closed_by: str = ""
    closed_at: Span | None = None
    backlog: Backlog | None = None
    by_hand: bool = False
    traits: Traits = Traits()
