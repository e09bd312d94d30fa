"""How far a host's ephemeral ports go: new connections a second to one destination, and from where on connect() gets slower."""

from portwright._start.records import dataclass
from portwright.host import Host
from portwright.numbers import decimal
from portwright.ports import PortSet

_TIME_WAIT = 60_000  # milliseconds, whatever tcp_fin_timeout says (net/ipv4/tcp.h, TCP_TIMEWAIT_LEN)
_REUSE_DELAY = 1000  # milliseconds; kernels without net.ipv4.tcp_tw_reuse_delay wait as long


@dataclass(frozen=True, slots=True)
class Pace:
    """What the ports carry to one destination, where each rests for `rest` milliseconds after its connection was closed here."""

    usable: int
    slower_from: int
    rest: int

    @property
    def per_second(self) -> int:
        """How many new connections a second can be kept up."""
        return self.usable * 1000 // self.rest

    @property
    def slower_from_per_second(self) -> int:
        """The rate above which connect() gets slower."""
        return self.slower_from * 1000 // self.rest

    @property
    def reuses(self) -> bool:
        """Whether a port in TIME_WAIT is taken again before its minute is over."""
        return self.rest < _TIME_WAIT

    def needs(self, rate: int) -> int:
        """How many ports a rate of new connections a second takes."""
        return -(-rate * self.rest // 1000)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many connections the ephemeral ports carry to one destination address and port.

    `slower_from` is the number of ports in use above which connect() gets slower: it looks through the ports of the range's first
    parity before the others. `tw_reuse` is net.ipv4.tcp_tw_reuse (1 everywhere, 2 on loopback only), `reuse_delay` the milliseconds
    after which it lends a port in TIME_WAIT again, None where it never does. `most_time_waits` is net.ipv4.tcp_max_tw_buckets where
    it is set to less than the ports there are: TIME_WAIT then cannot use them up.
    """

    usable: int
    slower_from: int
    tw_reuse: int | None
    reuse_delay: int | None
    most_time_waits: int | None

    def pace(self, loopback: bool | None = False) -> Pace:
        """The pace to a destination over loopback, or elsewhere (an unknown one counts as elsewhere).

        A connection to an address of this host that is not loopback counts as elsewhere (kernel-tested: ip-sysctl.rst, tcp_tw_reuse).
        """
        reused = self.reuse_delay is not None and (self.tw_reuse == 1 or (self.tw_reuse == 2 and loopback is True))
        rest = self.reuse_delay if reused and self.reuse_delay is not None else _TIME_WAIT
        return Pace(self.usable, self.slower_from, rest)

    @property
    def per_second(self) -> int:
        """The rate where every port rests its minute in TIME_WAIT."""
        return Pace(self.usable, self.slower_from, _TIME_WAIT).per_second

    @property
    def slower_from_per_second(self) -> int:
        """The rate above which connect() gets slower where every port rests its minute."""
        return Pace(self.usable, self.slower_from, _TIME_WAIT).slower_from_per_second

    @property
    def per_second_reusing(self) -> int | None:
        """The rate where a port in TIME_WAIT may be taken again, None where it never may."""
        return None if self.reuse_delay is None else Pace(self.usable, self.slower_from, self.reuse_delay).per_second


def capacity(host: Host, usable: PortSet | None, low: int | None) -> Capacity | None:
    """How far these ports go under the settings at boot; None where they are not known. `low` is the low end of the range."""
    if usable is None or low is None:
        return None
    parity = low % 2
    reuse = _setting(host, "net.ipv4.tcp_tw_reuse")
    delay = _setting(host, "net.ipv4.tcp_tw_reuse_delay", _REUSE_DELAY) or _REUSE_DELAY
    reused = reuse in (1, 2) and _setting(host, "net.ipv4.tcp_timestamps", 1) != 0
    buckets = _setting(host, "net.ipv4.tcp_max_tw_buckets")
    return Capacity(
        usable=len(usable),
        slower_from=sum((high - (first + (first + parity) % 2)) // 2 + 1 for first, high in usable.ranges),
        tw_reuse=reuse,
        reuse_delay=min(delay, _TIME_WAIT) if reused else None,
        most_time_waits=buckets if buckets is not None and buckets < len(usable) else None,
    )


def _setting(host: Host, key: str, otherwise: int | None = None) -> int | None:
    sysctl = host.sysctl(key)
    number = None if sysctl is None else decimal(sysctl.boot, 9_999_999_999)
    return otherwise if number is None else number
