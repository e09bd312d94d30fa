"""Whatever a host's files or a command line hold, every reader comes to an end and says something about this host only."""

from hypothesis import given
from hypothesis import strategies as st

from portwright.daemons._engine import unknown_program as generic
from portwright.daemons.interpreters.python import reader as python
from portwright.daemons.redis import reader as redis
from portwright.daemons.socat import reader as socat
from portwright.daemons.sshd import reader as sshd
from portwright.facts import Endpoint, FileNeed, Invocation, Setting, Unit
from portwright.source import Span, Word
from portwright.system.systemd import socket_units as socket_unit
from tests.daemons.by_hand import host_of

AT = Span("/u", 1, 1, 1, 2)
FLAGS = ["-p", "--port", "--port=", "-o", "-f", "Port=1", "ListenAddress=[", "-m", "http.server", "-b", "/c", "--bind", "--listen"]
ADDRESSES = ["TCP-LISTEN:", "TCP6-L:1,bind=[", "UDP-RECV:0", "!!", ":80", "[::]:80", "a:b:c", "99999999999", "\ufffd", "%", "-"]
NEAR = st.sampled_from([*FLAGS, *ADDRESSES])
WORDS = st.lists(NEAR | st.text(max_size=6), max_size=6)


@given(WORDS, st.text(max_size=60), st.dictionaries(st.sampled_from(["PORT", "LISTEN_ADDR", "HOST", "X_PORT"]), NEAR | st.text(max_size=6)))
def test_a_reader_ends_on_any_command_and_config(words: list[str], config: str, variables: dict[str, str]) -> None:
    for reader in (sshd.read, redis.read, socat.read, python.read, generic.read):
        argv = tuple(Word(text, AT) for text in ("/opt/x", *words))
        environment = {name: Word(text, AT) for name, text in variables.items()}
        files = host_of({"/etc/ssh/sshd_config": config, "/c": config, "/etc/hosts": config, "/etc/services": config})
        for endpoint in reader(Invocation("x.service", argv, AT, environment), files, {"socat": config}):
            assert isinstance(endpoint, Endpoint | FileNeed)
            assert isinstance(endpoint, FileNeed) or endpoint.random is not bool(endpoint.ports)


@given(st.text(max_size=12) | st.from_regex(r"\[?[0-9a-f:.]{0,8}\]?:[0-9+x]{0,6}(%%?[a-z]{0,3})?", fullmatch=True))
def test_a_socket_unit_takes_an_address_or_says_why_not(value: str) -> None:
    class Nobody:
        def get(self, name: str) -> Unit | None:
            return None

    files = host_of({})
    unit = Unit("x.socket", AT, ("/x.socket",), (Setting(AT, AT, "Socket", "ListenStream", value),))

    assert 2 > len(socket_unit.read(unit, Nobody(), files)) + len(files.unreadable)
