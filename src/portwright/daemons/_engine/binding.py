"""A host and a port as servers are told them become Endpoints: names resolved, wildcards bound as each server binds them."""

from collections.abc import Mapping

from portwright._start.records import dataclass, replace
from portwright.facts import Backlog, Confidence, Endpoint, Invocation, Origin, Protocol
from portwright.numbers import is_digits
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.system.processes.options import Options, cut
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

IPV4 = ("0.0.0.0",)  # noqa: S104  these are compared and reported, never bound
BOTH = ("0.0.0.0", "::")  # noqa: S104  a socket each
DUAL = ("*",)


@dataclass(frozen=True, slots=True)
class Given:
    """A text, where it stands, and what kind of place that is."""

    text: str
    at: Span
    origin: Origin


@dataclass(frozen=True, slots=True)
class Binder:
    """How one server turns an address into sockets.

    `every`: a socket for each address that a name stands for; otherwise one, for the first. `wildcard` is what it binds for no
    address, `words` are texts that mean the same. `v6only` is what it asks of an IPv6 socket, None where net.ipv6.bindv6only decides.
    """

    app: str
    every: bool = False
    wildcard: tuple[str, ...] = IPV4
    words: tuple[str, ...] = ("", "*")
    v6only: bool | None = None
    reuse_address: bool | None = True
    reuse_port: bool | None = False
    protocol: Protocol = "tcp"
    confidence: Confidence = "certain"
    backlog: Backlog | None = None

    def bind(self, host: Given, port: Given, files: Files, count: int = 1) -> tuple[Endpoint, ...]:
        """The sockets for an address and a port in digits, or `count` ports from there on; what is no port is told to `files`."""
        for given in (host, port):
            if UNKNOWN in given.text:
                files.report_unreadable(given.at, "its expansion cannot be determined")
                return ()
        number = names.port(port.text, self.protocol, files) if is_digits(port.text) else None
        if number is None or (number and number + count - 1 > 65535):
            files.report_unreadable(port.at, f"{self.app} does not start: not a port")
            return ()
        if not host.text and "" not in self.words:
            files.report_unreadable(host.at, f"{self.app} does not start: no address")
            return ()
        place = host if port.origin == "default" else port
        return tuple(
            Endpoint(
                at=place.at,
                app=self.app,
                protocol=self.protocol,
                address="*" if address == "::" and v6only is False else address,
                ports=PortSet.of((number, number + count - 1)) if number else PortSet(),
                origin=place.origin,
                reuse_address=self.reuse_address,
                reuse_port=self.reuse_port,
                v6only=v6only,
                random=number == 0,
                confidence=self.confidence,
                backlog=self.backlog,
            )
            for address, v6only in self._addresses(host.text, files)
        )

    def _addresses(self, text: str, files: Files) -> tuple[tuple[str, bool | None], ...]:
        """(address, v6only) of each socket."""
        if text in self.words:
            # Where two sockets share a port, the IPv6 one has to be IPv6-only.
            pair = len(self.wildcard) > 1
            return tuple((a, True if pair and ":" in a else False if a == "*" else self._v6only(a)) for a in self.wildcard)
        found = names.addresses(text, files) or (text.strip("[]"),)
        return tuple((address, self._v6only(address)) for address in (found if self.every else found[:1]))

    def _v6only(self, address: str) -> bool | None:
        return self.v6only if ":" in address else None


def argument(word: Word) -> Given:
    """A word of the command line."""
    return Given(word.text, word.at, "argument")


def default(text: str | int, at: Span) -> Given:
    """What is built in; `at` is the command that says nothing else."""
    return Given(str(text), at, "default")


def variable(environment: Mapping[str, Word], *names: str) -> Given | None:
    """The first of these environment variables that is set to something."""
    for name in names:
        word = environment.get(name)
        if word is not None and word.text:
            return Given(word.text, word.at, "environment")
    return None


def halves(word: Word) -> tuple[Word, Word | None]:
    """(address without brackets, port) of `1.2.3.4:80`, `[::1]:80`, `:80`, `localhost`; without a colon there is no port."""
    text = word.text
    close = text.find("]")
    if text.startswith("[") and close > 0:
        return cut(word, 1, close), cut(word, close + 2) if text[close + 1 : close + 2] == ":" else None
    colon = text.rfind(":")
    return (word, None) if colon < 0 else (cut(word, 0, colon), cut(word, colon + 1))


def without(word: Word, *schemes: str) -> Word:
    """A word without one of these beginnings (`tcp://`)."""
    for scheme in schemes:
        if word.text.startswith(scheme):
            return cut(word, len(scheme))
    return word


def spoken(binder: Binder, options: Options) -> Binder:
    """The same over UDP where the usual option asks for it."""
    return replace(binder, protocol="udp") if options.has("-u", "--udp") else binder


def bound(binder: Binder, host: Word | None, port: Word, invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """What is bound at a host and a port that are words of the command line; the host may be left out."""
    return binder.bind(argument(host) if host is not None else default("", invocation.at), argument(port), files)
