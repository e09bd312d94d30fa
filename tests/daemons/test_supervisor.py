"""The sockets of supervisord itself: its HTTP server, and those it binds for FastCGI programs."""

import pytest

from portwright.daemons.supervisord.reader import read
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ANY = "0.0.0.0"  # noqa: S104  expected, never bound

AT = Span.whole("/lib/systemd/system/supervisor.service")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[inet_http_server]\nport = 9001\n", [(ANY, "9001", "/etc/supervisord.conf:2:8")]),
        ("[inet_http_server]\nport=*:9001 ; all\n", [(ANY, "9001", "/etc/supervisord.conf:2:6")]),
        ("[inet_http_server]\nport=127.0.0.1:9001\nusername=x\n", [("127.0.0.1", "9001", "/etc/supervisord.conf:2:6")]),
        ("[inet_http_server]\nport=localhost:9001\n", [("127.0.0.1", "9001", "/etc/supervisord.conf:2:6")]),
        ("[fcgi-program:a]\nsocket=tcp://localhost:9002\ncommand=/x\n", [("127.0.0.1", "9002", "/etc/supervisord.conf:2:8")]),
        ("[fcgi-program:a]\nsocket=unix:///run/x\ncommand=/x\n", []),
        (";[inet_http_server]\n;port=9001\n", []),
        ("[unix_http_server]\nfile=/run/supervisor.sock\n[supervisorctl]\nserverurl=http://localhost:9001\n", []),
    ],
)  # fmt: skip
def test_supervisor_listens_where_its_own_sections_say(text: str, expected: list[tuple[str, str, str]]) -> None:
    files = Files(MemoryTree({"/etc/supervisord.conf": text}))

    found = read(Invocation("supervisor.service", (Word("/usr/bin/supervisord", AT),), AT), files, {})

    assert expected == [(each.address, str(each.ports), str(each.at)) for each in found if isinstance(each, Endpoint)]
    assert () == files.unreadable
