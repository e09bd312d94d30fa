"""Caddy 1: one command without a name, whose sites listen on 2015 unless their address says or earns something else."""

from portwright._start.records import replace
from portwright.facts import Endpoint
from portwright.ip import ip_address
from portwright.numbers import decimal
from portwright.source import Word

DEFAULT_PORT = 2015
# caddyserver.com/v1/docs/cli; none of them stands before a command of Caddy 2.
VALUED = frozenset(
    ("--catimeout", "--conf", "--cpu", "--email", "--grace", "--host", "--http-port", "--https-port", "--log", "--port", "--root")
)
OPTIONS = VALUED | {"--agree", "--disable-http-challenge", "--disable-tls-alpn-challenge", "--quic", "--quiet"}


def port_of(options: dict[str, Word], name: str, otherwise: int) -> int:
    """The port an option gives, or the one that counts without it."""
    word = options.get(name)
    port = None if word is None else decimal(word.text, 65535)
    return otherwise if port is None else port


def earns_certificate(host: str) -> bool:
    """Whether a site of this host is served over HTTPS unasked (caddytls, HostQualifies): not localhost, an address or any host."""
    if not host or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        ip_address(host)
    except ValueError:
        return "*" not in host.removeprefix("*.")
    return False


def as_of_first(said: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """Endpoints as Caddy 1 binds them: it asks for SO_REUSEADDR alone, as Go does."""
    return tuple(replace(each, reuse_port=False) for each in said)
