"""What Node.js scripts listen on, where their text says so; the addresses as measured with node 20."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portwright.source import Span
from tests.daemons.started import binds, endpoints

SCRIPT = "/srv/server.js"
UNIT = "/etc/systemd/system/app.service"


def listens(text: str, environment: dict[str, str] | None = None, arguments: str = "") -> list[str]:
    return binds(f"/usr/bin/node {SCRIPT}{arguments}", environment, {SCRIPT: text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http.createServer(f).listen(7401)", ["tcp * 7401"]),
        ("server.listen(7402, 'localhost')", ["tcp 127.0.0.1 7402"]),
        ("server.listen('7403', '0.0.0.0', 511)", ["tcp 0.0.0.0 7403"]),
        ("server.listen(7406, '::')", ["tcp * 7406"]),
        ("server.listen(7407, '')", ["tcp * 7407"]),
        ("server.listen(7413, 511)", ["tcp * 7413"]),
        ("server.listen(7412, undefined, () => {})", ["tcp * 7412"]),
        ("server.listen(0)", ["tcp * random"]),
        ("net.createServer().listen({port: 7404, host: '::1'})", ["tcp ::1 7404"]),
        ("server.listen({ port: 7405, host: '::', ipv6Only: true })", ["tcp :: 7405 v6only"]),
        ("const port = 81, host = '127.0.0.1'\nserver.listen({ port, host })", ["tcp 127.0.0.1 81"]),
        ("const options = { port: 81 }; server.listen(options)", ["tcp * 81"]),
        ("const config = { port: 81, host: '127.0.0.1' }\nserver.listen(config.port, config.host)", ["tcp 127.0.0.1 81"]),
        ("const base = 8000\nconst port = base + 1\napp.listen(port, () => console.log(`on ${port}`))", ["tcp * 8001"]),
        ("let port\nport = 81\napp.listen(port)", ["tcp * 81"]),
        ("app.listen(0x50)", ["tcp * 80"]),
        ("app.listen(8_080)", ["tcp * 8080"]),
        ("const fastify = require('fastify')()\nfastify.listen({ port: 81 })", ["tcp 127.0.0.1 81", "tcp ::1 81"]),
        ("const fastify = require('fastify')()\nfastify.listen({ port: 81, host: '0.0.0.0' })", ["tcp 0.0.0.0 81"]),
        ("dgram.createSocket('udp4').bind(7408)", ["udp 0.0.0.0 7408"]),
        ("const s = dgram.createSocket('udp6')\ns.bind(7409)", ["udp :: 7409"]),
        ("dgram.createSocket({type: 'udp4', reuseAddr: true}).bind({port: 7410, address: '127.0.0.1'})", ["udp 127.0.0.1 7410"]),
        ("// app.listen(1)\n/* app.listen(2) */ const a = 'app.listen(3)', b = /app.listen(4)/; app.listen(5)", ["tcp * 5"]),
        ("function onListen(port) { return port }\nvar port = 81\nserver.listen(81, onListen)", ["tcp * 81"]),
    ],
)
def test_a_port_that_the_text_names_is_listened_on(text: str, expected: list[str]) -> None:
    assert expected == listens(text)


@pytest.mark.parametrize(
    "text",
    [
        "app.listen(pick())",
        "app.listen(config.port)",
        "app.listen('/run/app.sock')",
        "app.listen({ path: '/run/app.sock' })",
        "app.listen(70000)",
        "function start(port) { app.listen(port) }\nconst port = 3000",
        "let port = 1\nport = 2\napp.listen(port)",
        "let port = 1\nport += 2\napp.listen(port)",
        "button.bind(this)\nhandler.bind(null, 80)",
        "emitter.listen(event => {})",
        "app.listen(",
        "const a = b, b = a; app.listen(a)",
    ],
)
def test_a_port_that_takes_running_the_script_is_not_guessed(text: str) -> None:
    assert [] == listens(text)


@pytest.mark.parametrize(
    ("expression", "unset", "given"),
    [
        ("process.env.PORT || 3000", "tcp * 3000", "tcp * 99"),
        ("process.env.PORT ?? 3000", "tcp * 3000", "tcp * 99"),
        ("process.env['PORT'] || 3000", "tcp * 3000", "tcp * 99"),
        ("Number(process.env.PORT || 3000)", "tcp * 3000", "tcp * 99"),
        ("parseInt(process.env.PORT, 10) || 3000", "tcp * 3000", "tcp * 99"),
        ("+(process.env.PORT || '3000')", "tcp * 3000", "tcp * 99"),
        ("process.env.PORT ? Number(process.env.PORT) : 3000", "tcp * 3000", "tcp * 99"),
        ("process.env.PORT === undefined ? 3000 : process.env.PORT", "tcp * 3000", "tcp * 99"),
        ("normalizePort(process.env.PORT || '3000')", "tcp * 3000", "tcp * 99"),
    ],
)
def test_a_variable_counts_before_the_default_behind_it(expression: str, unset: str, given: str) -> None:
    for text in (f"app.listen({expression})", f"const port = {expression};\napp.listen(port)", f"app.listen({{ port: {expression} }})"):
        assert ([unset], [given]) == (listens(text), listens(text, {"PORT": "99"}))


def test_variables_may_be_taken_from_the_environment_by_name() -> None:
    text = "const { PORT = 4000, HOST: host } = process.env\napp.listen(PORT, host)"

    assert ["tcp * 4000"] == listens(text)
    assert ["tcp 127.0.0.1 81"] == listens(text, {"PORT": "81", "HOST": "127.0.0.1"})
    assert [] == listens(text, {"PORT": "\ufffd"})


def test_a_variable_named_twice_is_the_outer_one_outside_functions() -> None:
    text = """var port = normalizePort(process.env.PORT || '3000')
app.set('port', port)
server.listen(port)
function normalizePort(value) { var port = parseInt(value, 10); return port }"""

    assert ["tcp * 3000"] == listens(text)


def test_arguments_are_found_where_the_script_looks_for_them() -> None:
    flag = "const i = process.argv.indexOf('--port')\nconst port = i > 0 ? Number(process.argv[i + 1]) : 8787\napp.listen(port)"
    first = "app.listen(process.argv[2] || 7000)"

    assert (["tcp * 8787"], ["tcp * 81"]) == (listens(flag), listens(flag, None, " -v --port 81"))
    assert (["tcp * 7000"], ["tcp * 82"]) == (listens(first), listens(first, None, " 82"))


def test_what_is_said_is_likely_and_points_at_the_number() -> None:
    text = "const port = process.env.PORT || 3000\napp.listen(port)"
    (literal,), _ = endpoints(f"/usr/bin/node {SCRIPT}", None, {SCRIPT: text})
    (given,), _ = endpoints(f"/usr/bin/node {SCRIPT}", {"PORT": "81"}, {SCRIPT: text})

    assert ("likely", "directive", Span(SCRIPT, 1, 34, 1, 38), True) == (
        literal.confidence,
        literal.origin,
        literal.at,
        literal.reuse_address,
    )
    assert ("likely", "environment", Span(UNIT, 3, 13, 3, 15)) == (given.confidence, given.origin, given.at)


def test_an_address_that_is_not_known_makes_it_possible_only() -> None:
    (found,), _ = endpoints(f"/usr/bin/node {SCRIPT}", None, {SCRIPT: "app.listen(80, pick())"})

    assert ("*", "possible") == (found.address, found.confidence)


def test_a_script_that_is_not_there_is_judged_by_its_flags_and_environment() -> None:
    (found,), _ = endpoints("/usr/bin/node /opt/else.js", {"PORT": "81"})

    assert ("possible", "environment") == (found.confidence, found.origin)


@pytest.mark.parametrize(
    "command",
    [
        "/usr/bin/node server",
        "/usr/bin/node ./server.js",
        "/usr/bin/node -r dotenv/config --max-old-space-size=512 server.js",
        "/srv/server.js",
    ],
)
def test_the_script_is_found_as_node_finds_it(command: str) -> None:
    assert ["tcp * 81"] == binds(command, None, {SCRIPT: "#!/usr/bin/env node\napp.listen(81)"}, "/srv")


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--inspect", ["tcp 127.0.0.1 9229"]),
        ("--inspect=9230", ["tcp 127.0.0.1 9230"]),
        ("--inspect-brk=0.0.0.0:9230", ["tcp 0.0.0.0 9230"]),
        ("--inspect=0.0.0.0", ["tcp 0.0.0.0 9229"]),
    ],
)
def test_the_inspector_listens_too(option: str, expected: list[str]) -> None:
    assert expected == binds(f"/usr/bin/node {option} /opt/else.js")


LOADED = "/srv/app/config.json"


@pytest.mark.parametrize(
    ("text", "path", "data"),
    [
        ("const cfg = require('./config.json')\nserver.listen(process.env.PORT || cfg.port)", LOADED, '{"port": 7201}'),
        ("const cfg = require('../config.json')\nserver.listen(cfg.web.port)", "/srv/config.json", '{"web": {"port": 7201}}'),
        ("server.listen(cfg['web'].port, cfg.host)\nvar cfg = require('./config.json').a", LOADED, '{"a": {"web": {"port": 7201}}}'),
        ("const { port } = require('./config.json')\nserver.listen(port)", LOADED, '{"port": 7201}'),
        ("const { port = 7201 } = require('./config.json')\nserver.listen(port)", LOADED, "{}"),
        ("import cfg from './config.json' with { type: 'json' }\nserver.listen(cfg.port)", LOADED, '{"port": 7201}'),
        ("const c = JSON.parse(fs.readFileSync('/etc/app.json', 'utf8'))\nserver.listen(c.port)", "/etc/app.json", '{"port": 7201}'),
        ("const c = yaml.load(fs.readFileSync(path.join(__dirname, 'c.yml')))\nserver.listen(c.port)", "/srv/app/c.yml", "port: 7201\n"),
    ],
)
def test_a_port_may_stand_in_the_file_that_a_script_loads(text: str, path: str, data: str) -> None:
    assert ["tcp * 7201"] == binds("/usr/bin/node /srv/app/server.js", None, {"/srv/app/server.js": text, path: data})


def test_a_file_that_is_not_there_leaves_the_port_unknown() -> None:
    text = "const cfg = require('./config.json');\nserver.listen(cfg.port || 8080);"

    assert [] == binds("/usr/bin/node /srv/app/server.js", None, {"/srv/app/server.js": text})


_NAMES = st.sampled_from("abc")
_VALUES = st.one_of(
    _NAMES,
    st.tuples(_NAMES, _NAMES).map(".".join),
    st.tuples(_NAMES, _NAMES).map(lambda each: f"JSON.parse(fs.readFileSync({each[0]}.{each[1]}))"),
    st.sampled_from(("80", "''", "process.env.A || a", "yaml.load(fs.readFileSync(path.join(a, c)))")),
    st.sampled_from(("require('./a.json')", "a ? b : c", "{ port: a, b }", "process.argv[a]", "Number(b)")),
)
_LINES = st.one_of(
    st.tuples(_NAMES, _VALUES).map(lambda each: f"const {each[0]} = {each[1]}"),
    st.tuples(_NAMES, _NAMES, _VALUES, _VALUES).map(lambda each: f"const {{ {each[0]}: {each[1]} = {each[2]} }} = {each[3]}"),
    st.tuples(_NAMES, _VALUES).map(lambda each: f"{each[0]} = {each[1]}"),
    st.tuples(_VALUES, _VALUES).map(lambda each: f"server.listen({each[0]}, {each[1]})"),
)


@example(["const c = JSON.parse(fs.readFileSync(c.path))", "server.listen(c.port)"])
@given(st.lists(_LINES, max_size=12))
def test_names_that_stand_for_one_another_come_to_an_end(lines: list[str]) -> None:
    _, reasons = endpoints(f"/usr/bin/node {SCRIPT}", None, {SCRIPT: "\n".join(lines)})

    assert not [reason for reason in reasons if "port" not in reason]


CONFIG = "/srv/config.js"


@pytest.mark.parametrize(
    ("module", "text", "expected"),
    [
        (
            "module.exports={ port: 8125, at: '192.0.2.1' }",
            "const c=require('/srv/config.js')\nnet.createServer().listen(c.port,c.at)",
            ["tcp 192.0.2.1 8125"],
        ),
        (
            "module.exports = { web: { port: process.env.PORT || 81 } };",
            "const c = require('./config')\napp.listen(c.web.port)",
            ["tcp * 81"],
        ),
        ("const all = { port: 82 }\nmodule.exports = all", "const { port } = require('./config')\napp.listen(port)", ["tcp * 82"]),
        ("exports.port = 83;\nexports.host = '::1';", "const c = require('./config')\napp.listen(c.port, c.host)", ["tcp ::1 83"]),
        ("export default { port: 84 }", "import c from './config.js'\napp.listen(c.port)", ["tcp * 84"]),
        (
            "module.exports = { port: 85 }",
            "const c = require('./config')\nu = dgram.createSocket('udp4')\nu.bind(c.port)",
            ["udp 0.0.0.0 85"],
        ),
    ],
)
def test_a_module_of_the_script_says_the_port(module: str, text: str, expected: list[str]) -> None:
    assert expected == binds(f"/usr/bin/node {SCRIPT}", None, {SCRIPT: text, CONFIG: module})


@pytest.mark.parametrize(
    "module",
    [
        "module.exports = { port: pick() }",
        "module.exports = { port: 81 }; module.exports = { port: 82 }",
        "module.exports = load('x')",
        "exports.port = 81; exports.port = 82",
        "const c = require('./config'); module.exports = { port: c.port }",
        "",
    ],
)
def test_a_module_that_would_have_to_run_says_nothing(module: str) -> None:
    assert [] == binds(f"/usr/bin/node {SCRIPT}", None, {SCRIPT: "const c = require('./config')\napp.listen(c.port)", CONFIG: module})
