"""What Python programs bind: http.server as measured with Python 3.11, scripts by their source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.daemons.interpreters.python import reader as python
from portwright.facts import Endpoint
from portwright.source import Span, Word
from tests.daemons import started
from tests.daemons.by_hand import brief, host_of, invocation

SCRIPT = "/opt/app/serve.py"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("-m http.server", ["tcp 0.0.0.0 8000"]),
        ("-m http.server 45000 --directory /srv", ["tcp 0.0.0.0 45000"]),
        ("-u -m http.server 80 -d 90", ["tcp 0.0.0.0 80"]),
        ("-m http.server 46001 --bind ::", ["tcp * 46001"]),
        ("-m http.server -b ::1", ["tcp ::1 8000"]),
        ("-m http.server --bind 127.0.0.1 9", ["tcp 127.0.0.1 9"]),
        ("-m http.server --bind=127.0.0.1 9", ["tcp 127.0.0.1 9"]),
        ("-m http.server -b localhost", ["tcp 127.0.0.1 8000"]),
        ("-m http.server 0", ["tcp 0.0.0.0 random"]),
        ("-m SimpleHTTPServer 9", ["tcp 0.0.0.0 9"]),
        ("-X dev -m http.server 9", ["tcp 0.0.0.0 9"]),
        ("-m json.tool 9", []),
        ("-c pass", []),
    ],
)
def test_python_binds(arguments: str, expected: list[str]) -> None:
    files = host_of({})
    said = python.read(invocation(f"/usr/bin/python3 {arguments}"), files, {})

    assert expected == brief(said)
    assert all(endpoint.reuse_address for endpoint in said if isinstance(endpoint, Endpoint))
    assert () == files.unreadable


def test_a_port_that_is_none_is_told() -> None:
    files = host_of({})

    assert () == python.read(invocation("/usr/bin/python3 -m http.server 80x"), files, {})
    assert ["http.server does not start: not a port"] == [trouble.reason for trouble in files.unreadable]


def script(source: str, arguments: str = "", environment: dict[str, str] | None = None) -> list[tuple[str, bool | None]]:
    """What a script binds, and whether with SO_REUSEADDR."""
    files = host_of({SCRIPT: source})
    said = python.read(invocation(f"/usr/bin/python3 {SCRIPT}{arguments}", environment), files, {})
    assert () == files.unreadable
    return [(brief((endpoint,))[0], endpoint.reuse_address) for endpoint in said if isinstance(endpoint, Endpoint)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "import SocketServer\nclass T(SocketServer.ThreadingMixIn, SocketServer.TCPServer):\n  pass\nT(('', 9654), H)",
            ("tcp 0.0.0.0 9654", False),
        ),
        ("from BaseHTTPServer import HTTPServer\nprint 'up'\nHTTPServer(('', 9655), H)", ("tcp 0.0.0.0 9655", True)),
        (
            "from SocketServer import TCPServer\ntry:\n  TCPServer(('', 9656), H)\nexcept IOError, e:\n  if e: print e\n  raise E, 'down'",
            ("tcp 0.0.0.0 9656", False),
        ),
        ("import socketserver\nsocketserver.TCPServer(('', 9000), H)", ("tcp 0.0.0.0 9000", False)),
        ("import socketserver as s\nP = 9000\nwith s.ThreadingTCPServer(('127.0.0.1', P), H) as x:\n  pass", ("tcp 127.0.0.1 9000", False)),
        ("from socketserver import UDPServer as U\nU(('', 53), H)", ("udp 0.0.0.0 53", False)),
        ("import socketserver as s\nclass S(s.TCPServer):\n  allow_reuse_address = True\nS(('', 9), H)", ("tcp 0.0.0.0 9", True)),
        ("import socketserver as s\nclass S(s.ThreadingMixIn, s.TCPServer):\n  pass\nS(('', 9), H)", ("tcp 0.0.0.0 9", False)),
        ("import socketserver as s\ns.TCPServer.allow_reuse_address = True\ns.TCPServer(('', 9), H)", ("tcp 0.0.0.0 9", True)),
        ("import socketserver as s, socket\nclass S(s.TCPServer):\n  address_family = socket.AF_INET6\nS(('', 9), H)", ("tcp :: 9", False)),
        ("from http.server import HTTPServer\nHTTPServer(('localhost', 9), H)", ("tcp 127.0.0.1 9", True)),
        ("import http.server\nADDRESS = ('', 9)\nhttp.server.ThreadingHTTPServer(ADDRESS, H)", ("tcp 0.0.0.0 9", True)),
        ("from wsgiref.simple_server import make_server\nmake_server('', 9, app)", ("tcp 0.0.0.0 9", True)),
        ("import asyncio\nasync def main():\n  await asyncio.start_server(f, '127.0.0.1', 9)", ("tcp 127.0.0.1 9", True)),
        ("from http.server import HTTPServer as H\ndef run(port=80):\n  H(('', port), B).serve_forever()\nrun(9)", ("tcp 0.0.0.0 9", True)),
        ("from http.server import HTTPServer\ndef run(cls=HTTPServer, *, port=9):\n  cls(('', port), B)\nrun()", ("tcp 0.0.0.0 9", True)),
        ("import http.server as h, sys\nh.HTTPServer(('', int(sys.argv[1]) if len(sys.argv) > 1 else 9), B)", ("tcp 0.0.0.0 9", True)),
        ("import http.server as h, os\nh.HTTPServer(('', 8 if 'PORT' in os.environ else 9), B)", ("tcp 0.0.0.0 9", True)),
        ("import http.server as h, sys\nP = 9\nif len(sys.argv) > 1:\n  P = 8\nh.HTTPServer(('', P), B)", ("tcp 0.0.0.0 9", True)),
        ("import socketserver\nHOST, PORT = 'localhost', 9\nsocketserver.TCPServer((HOST, PORT), B)", ("tcp 127.0.0.1 9", False)),
        ("import socket\nsocket.create_server(('', 9))", ("tcp 0.0.0.0 9", True)),
        ("import socket\nsocket.create_server(('', 9), family=socket.AF_INET6, dualstack_ipv6=True)", ("tcp * 9", True)),
        ("import socket\ns = socket.socket()\ns.bind(('', 9))\ns.listen()", ("tcp 0.0.0.0 9", False)),
        (
            "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
            "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(('', 9))\ns.listen(5)",
            ("tcp 0.0.0.0 9", True),
        ),
        (
            "from socket import *\nimport socket as k\ns = k.socket(k.AF_INET6, k.SOCK_DGRAM)\n"
            "s.setsockopt(k.IPPROTO_IPV6, k.IPV6_V6ONLY, 1)\ns.bind(('::', 9))",
            ("udp :: 9 v6only", False),
        ),
        ("import http.server, os\nhttp.server.HTTPServer(('', int(os.environ.get('PORT', '9'))), H)", ("tcp 0.0.0.0 9", True)),
        ("import http.server, os\nP = int(os.getenv('PORT') or 9)\nhttp.server.HTTPServer(('', P), H)", ("tcp 0.0.0.0 9", True)),
    ],
)
def test_a_script_that_says_so_binds(source: str, expected: tuple[str, bool]) -> None:
    assert [expected] == script(source)


@pytest.mark.parametrize(
    "source",
    [
        "import http.server\ndef main(port=80):\n  http.server.HTTPServer(('', port), H)",
        "import http.server\ndef main(port=80):\n  http.server.HTTPServer(('', port), H)\nmain(8)\nmain(9)",
        "import http.server\ndef main(port):\n  http.server.HTTPServer(('', port), H)\nmain(**options)",
        "import http.server, json\nhttp.server.HTTPServer(('', json.load(open('/etc/gone.json'))['port']), H)",
        "import http.server, os\nP = 80\nif os.path.exists('/etc/x'):\n  P = 81\nhttp.server.HTTPServer(('', P), H)",
        "import http.server\nP = 80\nif P:\n  P = 81\nhttp.server.HTTPServer(('', P), H)",
        "import http.server\ndef f(a):\n  g(a)\n  http.server.HTTPServer(a, H)\n  a(('', 80), H)\ndef g(b):\n  f(b)",
        "import http.server\nP = 80\nP = 81\nhttp.server.HTTPServer(('', P), H)",
        "import http.server, conf\nhttp.server.HTTPServer(('', conf.PORT), H)",
        "import socket\ns = socket.socket()\ns.bind(('', 9))\ns.connect(('10.0.0.1', 80))",
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('/run/x')\ns.listen()",
        "import socketserver\nsocketserver.TCPServer(('', 9), H, bind_and_activate=False)",
        "class HTTPServer: pass\nHTTPServer(('', 9), 1)",
        "'HTTPServer((\"\", 9), H)'",
        "import http.server\nhttp.server.HTTPServer(('', 70000), H)",
        "import http.server\nhttp.server.HTTPServer(('', int('9' * 100)), H)",
    ],
)
def test_a_script_that_does_not_say_so_plainly_binds_nothing_we_claim(source: str) -> None:
    assert [] == script(source)


def test_the_environment_and_the_arguments_of_the_unit_count() -> None:
    from_environment = "import http.server, os\nhttp.server.HTTPServer(('', int(os.environ['PORT'])), H)"
    guarded = "import http.server as h, sys\nP = 9\nif len(sys.argv) > 1:\n  P = int(sys.argv[1])\nh.HTTPServer(('', P), B)"
    from_arguments = "import http.server, sys\nhttp.server.HTTPServer(('', int(sys.argv[1])), H)"
    parsed = (
        "import argparse, http.server\np = argparse.ArgumentParser()\np.add_argument('-p', '--port', type=int, default=8123)\n"
        "a = p.parse_args()\nhttp.server.HTTPServer(('127.0.0.1', a.port), H)"
    )

    assert [("tcp 0.0.0.0 99", True)] == script(from_environment, environment={"PORT": "99"})
    assert [("tcp 0.0.0.0 7001", True)] == script(from_arguments, " 7001")
    assert [("tcp 0.0.0.0 7001", True)] == script(guarded, " 7001")
    assert [("tcp 127.0.0.1 8123", True)] == script(parsed)
    assert [("tcp 127.0.0.1 7", True)] == script(parsed, " -p 7")
    assert [("tcp 127.0.0.1 8", True)] == script(parsed, " --port=8")


@pytest.mark.parametrize(
    ("takes", "argument"),
    [
        ('host, port = sys.argv[1].rsplit(":", 1)', "127.0.0.1:5335"),
        ('host, _, port = sys.argv[1].strip().partition(":")', "127.0.0.1:5335"),
        ('where = sys.argv[1].split("/")[-1]\nhost = where.split(":")[0]\nport = where.split(":")[1]', "udp/127.0.0.1:5335"),
    ],
)
def test_an_address_and_a_port_in_one_argument_are_taken_apart(takes: str, argument: str) -> None:
    bound = f"import socket, sys\n{takes}\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind((host, int(port)))\n"

    assert [("udp 127.0.0.1 5335", False)] == script(bound, f" {argument}")


@pytest.mark.parametrize(
    "takes", ['host, port = sys.argv[1].split(":", n)', 'host, port = sys.argv[1].split("")', 'host, port = data.split(":")']
)
def test_what_is_taken_apart_in_a_way_nobody_knows_is_not_claimed(takes: str) -> None:
    assert [] == script(f"import socket, sys\n{takes}\ns = socket.socket()\ns.bind((host, int(port)))\ns.listen()\n", " 127.0.0.1:80")


def test_what_a_script_says_is_likely_and_points_at_the_port() -> None:
    files = host_of({SCRIPT: "# é\nimport http.server\nhttp.server.HTTPServer(('', 8080), H)\n"})
    (endpoint,) = python.read(invocation("/usr/bin/python3 serve.py", directory="/opt/app"), files, {})

    assert isinstance(endpoint, Endpoint)
    assert ("likely", Span(SCRIPT, 3, 29, 3, 33)) == (endpoint.confidence, endpoint.at)


@pytest.mark.parametrize(
    "source", ["exec 'x'", "(" * 5000, "x = " + "-" * 100_000 + "1", "x" + ".a" * 100_000, "x = " + "1 + " * 50_000 + "1", "\0"]
)
def test_a_script_that_cannot_be_parsed_is_told(source: str) -> None:
    files = host_of({SCRIPT: source})

    assert () == python.read(invocation(f"/usr/bin/python3 {SCRIPT}"), files, {})
    assert [SCRIPT] == [trouble.at.path for trouble in files.unreadable]


def test_a_huge_script_is_told_and_not_parsed() -> None:
    files = host_of({SCRIPT: "#" * (1 << 19) + "\n"})

    assert () == python.read(invocation(f"/usr/bin/python3 {SCRIPT}"), files, {})
    assert ["a script longer than 524288 characters is not parsed"] == [trouble.reason for trouble in files.unreadable]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from aiohttp import web\nweb.run_app(web.Application(), port=7001)\n", ["tcp 0.0.0.0 7001", "tcp :: 7001 v6only"]),
        ("from aiohttp import web\nweb.run_app(app, host='127.0.0.1')\n", ["tcp 127.0.0.1 8080"]),
        ("from aiohttp import web\nweb.run_app(app, path='/run/app.sock')\n", []),
        ("from bottle import run\nrun(port=7002)\n", ["tcp 127.0.0.1 7002"]),
        ("import tornado.web\napp = tornado.web.Application([])\napp.listen(7003)\n", ["tcp 0.0.0.0 7003", "tcp :: 7003 v6only"]),
        ("import tornado.web\napp = tornado.web.Application([])\napp.listen(7003, '127.0.0.1')\n", ["tcp 127.0.0.1 7003"]),
        ("import uvicorn\nuvicorn.run('main:app', host='', port=7004)\n", ["tcp 0.0.0.0 7004", "tcp :: 7004 v6only"]),
        ("import uvicorn\nuvicorn.run('main:app')\n", ["tcp 127.0.0.1 8000"]),
        ("import uvicorn\nuvicorn.run('main:app', port=settings.port)\n", []),
        ("import uvicorn\nuvicorn.run('main:app', **options)\n", []),
        ("import waitress\nwaitress.serve(app, port=7005)\n", ["tcp 0.0.0.0 7005"]),
        ("from flask import Flask\napp = Flask(__name__)\napp.run(port=7006)\n", ["tcp 127.0.0.1 7006"]),
        ("from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run('0.0.0.0')\n", ["tcp 0.0.0.0 5000"]),
        ("from twisted.internet import reactor\nreactor.listenTCP(7007, factory)\nreactor.run()\n", ["tcp 0.0.0.0 7007"]),
        ("from twisted.internet import reactor\nreactor.listenTCP(7007, f, interface='::1')\n", ["tcp ::1 7007"]),
        ("from werkzeug.serving import run_simple\nrun_simple('', 7008, app)\n", ["tcp 0.0.0.0 7008"]),
        ("import cherrypy\ncherrypy.config.update({'server.socket_port': 7010})\ncherrypy.quickstart(Root())\n", ["tcp 127.0.0.1 7010"]),
        ("import cherrypy\ncherrypy.quickstart(Root())\n", ["tcp 127.0.0.1 8080"]),
        ("import asyncio\nasyncio.start_server(f, '', 7011)\n", ["tcp 0.0.0.0 7011", "tcp :: 7011 v6only"]),
        ("import asyncio\nloop = asyncio.get_running_loop()\nloop.create_server(P, '127.0.0.1', 7012)\n", ["tcp 127.0.0.1 7012"]),
        ("import websockets\nwebsockets.serve(handle, 'localhost', 7013)\n", ["tcp 127.0.0.1 7013"]),
        ("import prometheus_client\nprometheus_client.start_http_server(7014)\n", ["tcp 0.0.0.0 7014"]),
        ("from aiosmtpd.controller import Controller\nController(h, hostname='127.0.0.1', port=7015).start()\n", ["tcp 127.0.0.1 7015"]),
        ("from gevent.pywsgi import WSGIServer\nWSGIServer(('', 7016), app).serve_forever()\n", ["tcp * 7016"]),
        ("import zmq\ns = zmq.Context().socket(zmq.REP)\ns.bind('tcp://*:7017')\n", ["tcp 0.0.0.0 7017"]),
        ("import grpc\ns = grpc.server(p)\ns.add_insecure_port('0.0.0.0:7018')\n", ["tcp * 7018"]),
        ("import eventlet\neventlet.listen(('127.0.0.1', 7019))\n", ["tcp 127.0.0.1 7019"]),
        ("from aiohttp import web\nweb.TCPSite(runner, port=7020).start()\n", ["tcp 0.0.0.0 7020", "tcp :: 7020 v6only"]),
        ("app = make()\napp.run(port=7009)\n", []),
    ],
)
def test_a_script_serves_what_its_framework_is_told(text: str, expected: list[str]) -> None:
    """Measured in a network namespace: every one of them sets SO_REUSEADDR, and those on both families IPV6_V6ONLY."""
    found, reasons = started.endpoints("python3 /srv/app.py", tree={"/srv/app.py": text})

    assert (expected, []) == (brief(tuple(found)), reasons)
    assert all(each.reuse_address for each in found)


@pytest.mark.parametrize(
    ("text", "path", "data", "expected"),
    [
        ("c = json.load(open('/etc/a.json'))", "/etc/a.json", '{"port": 7101}', "c['port']"),
        ("with open('/etc/a.json') as f:\n  c = json.load(f)", "/etc/a.json", '{"web": {"port": 7101}}', "c['web']['port']"),
        ("c = json.load(open(sys.argv[1]))", "/etc/a.json", '{"web": {"port": 7101}}', "c.get('web', {}).get('port', 80)"),
        ("c = json.loads(P('/etc/a.json').read_text())", "/etc/a.json", '{"port": 7101}', "c.get('port')"),
        ("c = yaml.safe_load(open('/etc/a.yml'))", "/etc/a.yml", "web:\n  port: 7101\n", "c['web']['port']"),
        ("with open('/etc/a.toml', 'rb') as f:\n  c = tomllib.load(f)", "/etc/a.toml", "[web.in]\nport = 7101\n", "c['web']['in']['port']"),
        ("c = ConfigParser()\nc.read('/etc/a.ini')", "/etc/a.ini", "[web]\nport = 7101\n", "c.getint('web', 'port')"),
        ("c = ConfigParser()\nc.read(['/etc/gone.ini', '/etc/a.ini'])", "/etc/a.ini", "[web]\nport: 7101\n", "int(c['web']['port'])"),
        ("c = ConfigParser()\nc.read('/etc/a.ini')", "/etc/a.ini", "[web]\n", "c.getint('web', 'port', fallback=7101)"),
        ("c = json.load(open(join(dirname(__file__), 'a.json')))", "/srv/a.json", '{"port": 7101}', "c['port']"),
        ("c = json.load((P(__file__).parent / 'a.json').open())", "/srv/a.json", '{"port": 7101}', "c['port']"),
    ],
)
def test_a_script_serves_where_the_file_it_loads_says(text: str, path: str, data: str, expected: str) -> None:
    imports = "import json, sys, tomllib, yaml\nfrom configparser import ConfigParser\nfrom http.server import HTTPServer\n"
    imports += "from os.path import dirname, join\nfrom pathlib import Path as P\n"
    script = f"{imports}{text}\nHTTPServer(('', {expected}), H)\n"
    found, reasons = started.endpoints("python3 /srv/app.py /etc/a.json", tree={"/srv/app.py": script, path: data})

    assert (["tcp 0.0.0.0 7101"], []) == (brief(tuple(found)), reasons)
    assert all(each.at.path == path for each in found) or "fallback" in expected


def test_the_text_of_c_is_a_script_that_stands_at_its_argument() -> None:
    files = host_of({})
    command = Word("import http.server as h; h.HTTPServer(('127.0.0.1', 7102), B)", Span("/etc/systemd/system/app.service", 3, 25, 3, 80))
    start = invocation("/usr/bin/python3 -c")
    (endpoint,) = python.read(replace(start, argv=(*start.argv, command)), files, {})

    assert isinstance(endpoint, Endpoint)
    assert ("127.0.0.1", "7102", command.at) == (endpoint.address, str(endpoint.ports), endpoint.at)


def test_an_argument_without_a_dash_is_counted_behind_the_options() -> None:
    parsed = (
        "import argparse, http.server\np = argparse.ArgumentParser()\np.add_argument('--host')\np.add_argument('-v', action='store_true')\n"
        "p.add_argument('name')\np.add_argument('port', type=int)\na = p.parse_args()\nhttp.server.HTTPServer(('', a.port), H)"
    )

    assert [("tcp 0.0.0.0 7103", True)] == script(parsed, " --host x -v web 7103")


_NAMES = st.sampled_from("abc")
_CALLS = st.sampled_from(("os.environ.get('X', a)", "json.load(open(a))[b]", "a or b", "a + b", "f(a, b)"))
_VALUES = st.one_of(_NAMES, st.sampled_from(("80", "''", "None", "sys.argv[1]")), _CALLS)
_LINES = st.one_of(
    st.builds("{} = {}".format, _NAMES, _VALUES),
    st.builds("if {}:\n  {} = {}".format, _VALUES, _NAMES, _VALUES),
    st.builds("def {0}({1}={2}):\n  {1}({0})\n  {0}({1})".format, _NAMES, _NAMES, _VALUES),
    st.builds("HTTPServer(({}, {}), H)".format, _VALUES, _VALUES),
    st.builds("{}(({}, 80), H)".format, _NAMES, _VALUES),
)


@given(st.lists(_LINES, max_size=12))
def test_names_that_stand_for_one_another_come_to_an_end(lines: list[str]) -> None:
    files = host_of({SCRIPT: "from http.server import HTTPServer\nimport json, os, sys\n" + "\n".join(lines) + "\n"})
    python.read(invocation(f"/usr/bin/python3 {SCRIPT} 81"), files, {})

    assert () == files.unreadable
