"""Whatever a command line, a script or a configuration holds, the readers of application servers come to an end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.daemons import daemon_of, interpreted
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from tests.daemons.by_hand import host_of

AT = Span("/u", 1, 1, 1, 2)
PROGRAMS = """
python3 java node ruby perl php dotnet gunicorn uvicorn waitress-serve hypercorn flask twistd daphne uwsgi puma unicorn rackup rails
nc ncat nc.traditional busybox iperf3 systemd-socket-activate npm bundle manage.py catalina.sh thin starman jupyter-lab /s /x
"""
OPTIONS = """
-m -b -p --port --port= --bind -l --listen -c -C --ini -e -S -s --urls -jar -D web run exec start runserver nc server -Dserver.port=1
/s ./s :80 [::]:80 [:: ]: tcp: tcp://:1 http://*:1;https://+ localhost:0 65536 99999999999 \ufffd - -- -run
-agentlib:jdwp=server=y,transport=dt_socket,address=: -Dcom.sun.management.jmxremote.port=x org.apache.catalina.startup.Bootstrap
"""
STARTS = """
listen( bind( .listen(80 process.env.PORT || ? : const~a= {port: } ) dgram.createSocket('udp4').bind( IO::Socket::INET->new( LocalPort=>
Listen=>1 $a $ENV{ port~ ENV.fetch("PORT") bind~ bind~=~ [uwsgi]\\n socket~=~ %( <Server~port=" <Connector~port=' ${
{"scripts":{"start":" " ' ` /* \\n #!/usr/bin/env~ [ (
"""
NEAR = st.sampled_from(OPTIONS.split())
WORDS = st.lists(NEAR | st.text(max_size=6), max_size=5)
PIECES = [piece.replace("~", " ").replace("\\n", "\n") for piece in STARTS.split()]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(PROGRAMS.split()),
    WORDS,
    TEXTS,
    st.dictionaries(st.sampled_from(["PORT", "CATALINA_BASE", "ASPNETCORE_URLS"]), NEAR, max_size=2),
)
def test_a_server_ends_on_any_command_and_text(program: str, words: list[str], text: str, variables: dict[str, str]) -> None:
    paths = ("/s", "/gunicorn.conf.py", "/config/puma.rb", "/conf/server.xml", "/package.json", "/application.properties")
    files = host_of(dict.fromkeys(paths, text))
    argv = tuple(Word(word, AT) for word in (program, *words))
    environment = {name: Word(value, AT) for name, value in variables.items()}
    started = interpreted(Invocation("x.service", argv, AT, environment), files)
    known = daemon_of(started)
    for endpoint in known.read(started, files, {}) if known is not None else ():
        assert isinstance(endpoint, Endpoint)
        assert endpoint.random is not bool(endpoint.ports)
