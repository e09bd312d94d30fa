"""Whatever a command line, variables or a config hold, a daemon that a table describes ends and speaks of this host only."""

from hypothesis import given
from hypothesis import strategies as st

from portwright.daemons import known
from portwright.daemons._engine import rooms
from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.sockets import MOST_SOCKETS
from portwright.daemons.caddy import reader as caddy
from portwright.daemons.named import reader as named
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from tests.daemons.by_hand import host_of, invocation

AT = Span("/u", 1, 1, 1, 2)
DESCRIBED = tuple(found for found in rooms.every() if not found.reader)
OPTIONS = sorted(
    {
        source
        for found in DESCRIBED
        for slots in (*((each.listen, each.port) for each in found.sockets), (found.server.host, found.server.port) if found.server else ())
        for slot in slots
        if slot is not None
        for source in slot.sources
        if source.startswith("-")
    }
)
VALUES = st.sampled_from(
    [":80", "[::]:80", "a:b:c", "99999999999", "\ufffd", "-", "0", "80-70", "udp:", "ldap://", "inet:", "@", "*", "each"],
)
WORDS = st.lists(st.sampled_from(OPTIONS) | VALUES | st.text(max_size=6), max_size=6)
PIECES = st.sampled_from(["port", "listen", "server:", "[http]", "bind-address", "{", "}", "include", "/c", "=", ":", "\n", " "])
SETTINGS = st.lists(PIECES | VALUES | st.text(max_size=4), max_size=30).map("".join)


@given(st.sampled_from(DESCRIBED), WORDS, SETTINGS)
def test_a_descriptor_ends_on_any_command_and_config(found: Descriptor, words: list[str], config: str) -> None:
    paths = [path.replace("*", "x") for path in (found.config.paths.all if found.config else ()) if path.startswith("/")]
    files = host_of({**dict.fromkeys(paths, config), "/c": config, "/etc/hosts": config})
    argv = tuple(Word(text, AT) for text in (f"/usr/sbin/{found.programs[0]}", *words))

    for said in known(found.name).read(Invocation("x.service", argv, AT), files, {}):
        assert not isinstance(said, Endpoint) or said.random is not bool(said.ports)


@given(SETTINGS)
def test_named_and_caddy_end_on_any_config(config: str) -> None:
    files = host_of({named.CONFIG: config, "/Caddyfile": config, "/c": config})

    for said in (*named.read(invocation("named"), files, {}), *caddy.read(invocation("caddy run"), files, {})):
        assert isinstance(said, Endpoint)
        assert said.ports


def test_addresses_times_ports_are_kept_in_check() -> None:
    addresses = " ".join(f"127.0.{number // 250}.{number % 250}" for number in range(3000))
    ports = ", ".join(str(number) for number in range(1, 3000))
    files = host_of({"/etc/ngircd/ngircd.conf": f"[Global]\nListen = {addresses}\nPorts = {ports}\n"})

    assert MOST_SOCKETS * 2 > len(known("ngircd").read(invocation("ngircd -n"), files, {}))
    assert [f"more than {MOST_SOCKETS} sockets: the rest is left out"] == [each.reason for each in files.unreadable]


def test_a_config_that_includes_itself_is_told() -> None:
    files = host_of({"/etc/chrony/chrony.conf": "include /etc/chrony/chrony.conf\nport 1123\n"})
    known("chrony").read(invocation("chronyd"), files, {})

    told = "a file includes itself: /etc/chrony/chrony.conf includes /etc/chrony/chrony.conf"

    assert [told] == [each.reason for each in files.unreadable]
