"""What lies beyond a limit of reading is said where it begins, and makes the exit code 3; up to the limit nothing is said."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import portwright.daemons._engine.settings
import portwright.daemons.tomcat.reader
import portwright.repositories.gathering
import portwright.repositories.reading
import portwright.system.openrc.reader
import portwright.system.runit.reader
import portwright.system.systemd.activation
import portwright.system.systemd.units
import portwright.system.sysvinit.reader
import portwright.trees.budget
import portwright.trees.glob
from portwright.cli import main
from portwright.repositories.reading import read_repository
from portwright.source import Source, Span
from portwright.system.host_files.captures import captured
from portwright.system.processes.monit import commands as monit_commands
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from portwright.trees.repository import RepositoryInMemory
from tests.hostile.program import enabled, lay

Construction = Callable[[int], dict[str, str]]


def service(command: str, more: str = "") -> dict[str, str]:
    return {"etc/systemd/system/x.service": f"[Service]\nExecStart={command}\n{more}", **enabled("x.service")}


def script(program: str, path: str, line: str, before: str = "", after: str = "") -> Construction:
    """A script with so many lines that open a socket each; `@` is its port."""
    return lambda count: {
        **service(f"{program} {path}"),
        path.lstrip("/"): before + "".join(line.replace("@", str(10_000 + port)) for port in range(count)) + after,
    }


def nested(count: int) -> dict[str, str]:
    return {**service("/x.sh"), "x.sh": "#!/bin/sh\nexec /usr/bin/socat TCP-LISTEN:" + "${A:-" * count + "80" + "}" * count + " -\n"}


def executed(count: int) -> dict[str, str]:
    each = {f"x{number}.sh": f"#!/bin/sh\nexec /x{number + 1}.sh\n" for number in range(count)}
    return {**service("/x0.sh"), **each, f"x{count}.sh": "#!/bin/sh\nexec /usr/bin/socat TCP-LISTEN:80 -\n"}


def sourced(count: int) -> dict[str, str]:
    each = {f"x{number}.sh": f"#!/bin/sh\n. /x{number + 1}.sh\n" for number in range(count)}
    return {**service("/x0.sh"), **each, f"x{count}.sh": "#!/bin/sh\nexec /usr/bin/socat TCP-LISTEN:80 -\n"}


def assigned(count: int) -> dict[str, str]:
    return {**service("/x.sh"), "x.sh": "#!/bin/sh\n" + "A=1\n" * count + "exec /usr/bin/socat TCP-LISTEN:80 -\n"}


def supervised(count: int) -> dict[str, str]:
    return {
        **service("/usr/bin/supervisord -c /etc/supervisord.conf"),
        "etc/supervisord.conf": f"[supervisord]\n[program:a]\nnumprocs={count}\nprocess_name=%(process_num)d\n"
        "command=/usr/bin/socat TCP-LISTEN:1%(process_num)04d -\n",
    }


def published(count: int) -> dict[str, str]:
    return service("/usr/bin/docker run" + "".join(f" -p {10_000 + port}:80" for port in range(count)) + " image")


def quadlet(count: int) -> dict[str, str]:
    lines = "".join(f"PublishPort={10_000 + port}:80\n" for port in range(count))
    return {"etc/containers/systemd/x.container": f"[Container]\nImage=x\n{lines}[Install]\nWantedBy=multi-user.target\n"}


def internet_super_server(count: int) -> dict[str, str]:
    one = "service s{0}\n{{\ntype = UNLISTED\nsocket_type = stream\nprotocol = tcp\nport = {1}\nwait = no\nserver = /x\n}}\n"
    text = "".join(one.format(number, 10_000 + number) for number in range(count))
    return {**service("/usr/sbin/xinetd -f /etc/xinetd.conf"), "etc/xinetd.conf": text}


def variables(count: int) -> dict[str, str]:
    return {**service("/usr/bin/socat TCP-LISTEN:80 -", "EnvironmentFile=/etc/x.env\n"), "etc/x.env": "A=" + "x" * (count - 3) + "\n"}


def header(count: int) -> dict[str, str]:
    lines = "# Provides: x\n" + "# X:\n" * (count - 2)
    return {"etc/init.d/x": f"#!/bin/sh\n### BEGIN INIT INFO\n{lines}### END INIT INFO\nexec /usr/bin/socat TCP-LISTEN:80 -\n"}


PYTHON = "socketserver.TCPServer(('', @), None)\n"
LIMITS: dict[str, tuple[Construction, int, str]] = {
    "expansions inside one another": (nested, 20, "more than 20 expansions inside one another: the rest is not read"),
    "programs that start one another": (executed, 12, "more than 12 programs that start one another: the rest is not read"),
    "scripts inside one another": (sourced, 15, "more than 16 scripts inside one another: the rest is not read"),
    "assignments": (assigned, 12_000, "more than 20,000 steps of what one command starts: the rest is not read"),
    "processes of one program": (supervised, 64, "more than 64 processes of one program: the rest is not read"),
    "published ports": (published, 1000, "more than 1,000 published ports: the rest is not read"),
    "published ports of a quadlet": (quadlet, 990, "more than "),
    "services of xinetd": (internet_super_server, 2_000, "more than 2,000 services: the rest is not read"),
    "characters in an environment file": (
        variables,
        1 << 20,
        "more than 1,048,576 characters in an environment file: the rest is not read",
    ),
    "lines of an LSB header": (header, 200, "more than 200 lines in the header of an init script: the rest is not read"),
    **{
        f"sockets of a script in {language}": (
            construction,
            32 if language == "Tcl" else 64,
            "more than 64 sockets in one script: the rest is not read",
        )
        for language, construction in {
            "Lua": script("/usr/bin/lua", "/x.lua", "socket.bind('127.0.0.1', @)\n"),
            "Tcl": script("/usr/bin/tclsh", "/x.tcl", "socket -server accept @\n"),
            "PHP": script("/usr/bin/php", "/x.php", "stream_socket_server('tcp://127.0.0.1:@');\n", "<?php\n"),
            "Ruby": script("/usr/bin/ruby", "/x.rb", "TCPServer.new('127.0.0.1', @)\n"),
            "Erlang": script("/usr/bin/escript", "/x.erl", "gen_tcp:listen(@, []),\n", "main(_) ->\n", "ok.\n"),
            "Perl": script("/usr/bin/perl", "/x.pl", "IO::Socket::INET->new(LocalPort => @, Listen => 5);\n"),
            "JavaScript": script("/usr/bin/node", "/x.js", "http.createServer(f).listen(@, '::1')\n", "const http = require('http')\n"),
            "Python": script("/usr/bin/python3", "/x.py", PYTHON, "import socketserver\n"),
        }.items()
    },
}


def reasons(files: dict[str, str], root: Path, caught: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = main(["check", "--exit-zero", "--format", "json", str(lay(root, files))])
    (host,) = json.loads(caught.readouterr().out)["hosts"]
    return code, [each["reason"] for each in host["unreadable"]]


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_left_out_is_said_and_makes_it_incomplete(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    construction, most, reason = LIMITS[name]

    code, within = reasons(construction(most), tmp_path / "within", capsys)
    assert (0, []) == (code, within)

    code, beyond = reasons(construction(2 * most), tmp_path / "beyond", capsys)
    assert 3 == code
    assert 1 == sum(each.startswith(reason) for each in beyond), beyond


def test_settings_of_blocks_within_blocks_beyond_their_number_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(portwright.daemons._engine.settings, "MOST_NODES", 6)
    backends = "".join(f'backend b{number} {{ .host = "192.0.2.1"; .port = "{8080 + number}"; }}\n' for number in range(9))
    unit = service("/usr/sbin/varnishd -F -a :6081 -T none -f /etc/varnish/main.vcl")

    code, said = reasons({**unit, "etc/varnish/main.vcl": f"vcl 4.1;\n{backends}"}, tmp_path, capsys)

    assert (3, ["blocks of names within blocks of names make more than 6 settings"]) == (code, said)


def test_sockets_beyond_the_number_that_one_tomcat_opens_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(portwright.daemons.tomcat.reader, "_MOST_SOCKETS", 2)
    connectors = "".join(f"<Connector port='{8080 + number}'/>\n" for number in range(4))
    unit = service("/usr/bin/java -Dcatalina.base=/srv/t org.apache.catalina.startup.Bootstrap start")
    files = {**unit, "srv/t/conf/server.xml": f"<Server>\n<Service>\n{connectors}</Service></Server>\n"}

    code, said = reasons(files, tmp_path, capsys)

    assert (3, ["more than 2 sockets of one instance: the rest is not read"]) == (code, said)


def test_scripts_beyond_the_number_that_is_looked_into_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portwright.repositories.gathering, "MOST_FILES", 2)
    files = {f"/{name}.sh": "#!/bin/sh\nsysctl -w net.core.somaxconn=1\n" for name in "abcd"}

    (host,) = read_repository(RepositoryInMemory(files | {"/values.yaml": "a: 1\n"}), "r")

    assert [("c.sh", "more than 2 scripts")] == [(each.at.path, each.reason[:19]) for each in host.unreadable]


def test_what_is_looked_at_in_a_repository_has_a_budget_whatever_it_turns_out_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portwright.repositories.gathering, "_MOST_LOOKED_AT", 3 << 20)
    files = {f"/{name}.conf": "#" * (1 << 20) for name in "abcdef"}

    (found,) = read_repository(RepositoryInMemory(files), "r")

    reason = "more than 3 MiB of files were looked at in this repository: the rest is not read"
    assert [("d.conf", reason)] == [(each.at.path, each.reason) for each in found.unreadable]


def test_the_hosts_of_a_repository_have_one_budget_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(20):
        folder = tmp_path / f"roles/r{number}/files/etc/nginx"
        folder.mkdir(parents=True)
        (folder / "nginx.conf").write_text(f"http {{ server {{ listen {80 + number}; }} }}\n" + "#" * 1000)
    assert 0 == main(["facts", "--format", "json", str(tmp_path)])
    assert 20 == len(json.loads(capsys.readouterr().out)["hosts"])

    monkeypatch.setattr(portwright.repositories.reading, "_MOST_LAID", 5500)
    monkeypatch.setattr(portwright.repositories.reading, "_EACH", 0)
    assert 3 == main(["facts", "--format", "json", str(tmp_path)])
    host, *others = json.loads(capsys.readouterr().out)["hosts"]
    assert 4 == len(others)
    assert ["the files make 20 different hosts; only the first 5 were read"] == [each["reason"] for each in host["unreadable"]]

    # Kernel settings are settled anew in each, so they count for more than their size.
    settings = tmp_path / "files/etc/sysctl.d/a.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("# " + "x" * 477 + "\nvm.swappiness = 1\n")
    monkeypatch.setattr(portwright.repositories.reading, "_MOST_LAID", 20_000)
    assert 3 == main(["facts", "--format", "json", str(tmp_path)])
    host = json.loads(capsys.readouterr().out)["hosts"][0]
    assert ["the files make 20 different hosts; only the first 2 were read"] == [each["reason"] for each in host["unreadable"]]
    settings.unlink()

    monkeypatch.undo()
    monkeypatch.setattr(portwright.repositories.gathering, "MOST_BYTES", 5500)
    assert 3 == main(["facts", "--format", "json", str(tmp_path)])
    host = json.loads(capsys.readouterr().out)["hosts"][0]
    assert 15 == sum("this one is left out" in each["reason"] for each in host["unreadable"])


PROGRAM = "[Service]\nEnvironmentFile=/etc/x.env\nExecStart={}\n"
SERVER = "const http = require('http')\nhttp.createServer(f).listen(process.env.WEB_PORT || 40000)\n"
UNREAD: dict[str, tuple[str, str | bytes]] = {
    "cut off": ("/etc/x.env", "A=1\n" * (1 << 18) + "WEB_PORT=41000\n"),
    "its last value cut off": ("/etc/x.env", "#" + "x" * ((1 << 20) - 12) + "\nWEB_PORT=41000\n"),
    "no file to be read whole": ("/etc/x.env", b"\0" * ((16 << 20) + 1)),
    "too many words": ("/etc/x.env", "WEB_PORT=41000\n" + "# \n[ ] " * 450_000),
    "too many files": ("/etc/e/*", ""),
}


@pytest.mark.parametrize("case", UNREAD)
@pytest.mark.parametrize("command", ["/usr/bin/socat TCP-LISTEN:${WEB_PORT} -", "/usr/bin/node /x.js", "/opt/app --port ${WEB_PORT}"])
def test_what_rests_on_an_environment_file_that_is_not_read_to_its_end_is_never_taken_for_unset(
    case: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(portwright.trees.glob, "MOST", 100)
    path, text = UNREAD[case]
    unit = PROGRAM.format(command).replace("/etc/x.env", path)
    files: dict[str, str | bytes] = {"etc/systemd/system/x.service": unit, **enabled("x.service")}
    files |= (
        {f"etc/e/{number:05}": "WEB_PORT=41000\n" for number in range(portwright.trees.glob.MOST + 1)}
        if "*" in path
        else {path.lstrip("/"): text}
    )
    root = lay(tmp_path / "h", {**files, "x.js": SERVER})

    assert 3 == main(["facts", "--format", "json", str(root)])
    (host,) = json.loads(capsys.readouterr().out)["hosts"]

    assert [] == [row for row in host["listeners"] if row["confidence"] != "possible"]
    assert [] == [row for row in host["listeners"] if "${" in command]
    assert host["unreadable"]
    main(["check", "--format", "json", str(root)])
    (host,) = json.loads(capsys.readouterr().out)["hosts"]
    assert [] == [finding["message"] for finding in host["findings"] if finding["predicts"] or finding["confidence"] == "certain"]


@pytest.mark.parametrize("module", [portwright.system.systemd.units, portwright.system.systemd.activation])
def test_units_beyond_the_most_are_said(
    module: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {f"etc/systemd/system/x{number}.service": "[Service]\nExecStart=/x\n" for number in range(40)}
    many |= {path: text for number in range(40) for path, text in enabled(f"x{number}.service").items()}
    assert (0, []) == reasons(many, tmp_path / "within", capsys)

    monkeypatch.setattr(module, "_MOST_UNITS", 30)
    code, said = reasons(many, tmp_path / "beyond", capsys)

    assert 3 == code
    assert any(each.startswith("more than 30 units") for each in said)


@pytest.mark.parametrize(
    ("reader", "limit", "path"),
    [
        (portwright.system.openrc.reader, "_MOST_SERVICES", "/etc/init.d/x{}"),
        (portwright.system.runit.reader, "_MOST_SERVICES", "/etc/sv/x{}/run"),
        (portwright.system.sysvinit.reader, "_MOST", "/etc/init.d/x{}"),
    ],
)
def test_services_of_other_init_systems_beyond_the_most_are_said(
    reader: ModuleType, limit: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, limit, 3)
    few, many = (Files(MemoryTree({path.format(number): "#!/bin/sh\n" for number in range(count)})) for count in (3, 4))
    for files in (few, many):
        reader.read(files, captured(files))

    assert [] == [each.reason for each in few.unreadable]
    assert ["more than 3 services: the rest is not read"] == [each.reason for each in many.unreadable]


def test_the_files_that_monit_includes_beyond_the_most_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.system.processes.monit._MOST_FILES", 2)
    tree = {"/etc/monitrc": "include /etc/monit.d/*\n", "/etc/monit.d/a": "# a\n", "/etc/monit.d/b": "# b\n"}
    files = Files(MemoryTree(tree))
    list(monit_commands(("monit",), files))

    (said,) = files.unreadable
    assert ("/etc/monit.d/b", "more than 2 included files: the rest is not read") == (said.at.path, said.reason)


def many(count: int, units: Construction) -> dict[str, str]:
    return {path: text for number in range(count) for path, text in units(number).items()}


def named(number: int, text: str) -> dict[str, str]:
    return {f"etc/systemd/system/u{number}.service": text, **enabled(f"u{number}.service")}


STEPS: dict[str, tuple[Construction, int, str]] = {
    "commands of one unit": (lambda n: service("/bin/a", "Type=oneshot\n" + "ExecStart=/bin/a\n" * n), 20, "the command"),
    "a script of many units": (
        lambda n: {"x.sh": "#!/bin/sh\n" + "A=1\n" * 20, **many(n, lambda number: named(number, "[Service]\nExecStart=/x.sh\n"))},
        6,
        "the rest of a script",
    ),
    "settings of many units": (
        lambda n: {
            "etc/systemd/system/service.d/a.conf": "[Service]\n" + "Nice=1\n" * 20,
            **many(n, lambda number: named(number, "[Service]\nExecStart=/bin/a\n")),
        },
        3,
        "what it has for one more unit",
    ),
    "settings nobody knows": (
        lambda n: service("/bin/a", "".join(f"Listne{number}=80\n" for number in range(n * 30))),
        5,
        "what no setting is named",
    ),
    "a config of many units": (
        lambda n: {
            "etc/n.conf": "events{}http{" + "server{listen 80;}" * 10 + "}",
            **many(n, lambda number: named(number, "[Service]\nExecStart=/usr/sbin/nginx -c /etc/n.conf\n")),
        },
        5,
        "what is started here",
    ),
    "sockets of many lines": (
        lambda n: {
            **service("/usr/sbin/nginx"),
            "etc/nginx/nginx.conf": "events{}http{server{" + "".join(f"listen 127.0.0.{number}:80;" for number in range(n)) + "}}",
        },
        6,
        "what is opened here",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_is_read_again_for_each_of_many_is_counted_and_said_where_it_is_too_much(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    construction, most, what = STEPS[name]
    monkeypatch.setattr(portwright.trees.budget, "MOST_WORK", 300)

    code, within = reasons(construction(most), tmp_path / "within", capsys)
    assert (0, []) == (code, within)

    code, beyond = reasons(construction(40 * most), tmp_path / "beyond", capsys)
    assert 3 == code
    assert any(each.startswith(f"{what} is left out: this host took more than ") for each in beyond), beyond[:5]


def test_a_limit_is_said_once_of_each_file_and_kind() -> None:
    files = Files(MemoryTree({}))
    a, b = Source("/a", "1234"), Source("/b", "1234")

    for source in (a, b, a):
        kept = files.limited(range(4), 2, "digits", lambda number, source=source: source.span(number, number + 1))  # type: ignore[misc]
        assert [0, 1] == list(kept)
    files.report_limit(Span.whole("/a"), 7, "letters")

    assert ["/a:1:1 more than 7 letters", "/a:1:3 more than 2 digits", "/b:1:3 more than 2 digits"] == [
        f"{each.at.path}:{each.at.line}:{each.at.column} {each.reason.partition(':')[0]}" for each in files.unreadable
    ]


# ── every limit says so ──

SOURCE = Path(portwright.__file__).parent
NAMED = re.compile(r"_?(?:MOST|DEEPEST|LONGEST|LARGEST)(?:_[A-Z]+)*")
SAYS = (
    "report_limit", "report_spent", "ReadError", "limited", "report_unreadable", "Unreadable",
    "Unread", "Refused", "refuse", "fail", "_give_up",
)  # fmt: skip
UNKNOWN = "what lies beyond it is a value that is not known"
CALLER = "its caller says so"
KERNEL = "as the kernel, systemd or the daemon has it: beyond it there is nothing to read"
SHOWN = "of what a report shows, which says how much it leaves out; exit codes do not hang on it"
GUESS = "a pattern or a guess that would not hold beyond it: no fact is left out"
UNCONFINED = "a profile that is not found confines nothing: a port more is reported open, not less"
# Where a limit of reading is used without a word, and why: "file: function".
SILENT = {
    "audit/comparing.py: deployment": CALLER,
    "audit/buffers.py: laid_over": "a buffer of that size is read as it is on disk, where its size is told",
    "audit/case_file.py: _flaw": CALLER,
    "audit/executor.py: _in_processes": "how many are given together, none of which is left out",
    "fleet/examined.py: _blobs": "what is forgotten is handed on once more",
    "fleet/examined.py: _content": "what is forgotten is worked out once more",
    "fleet/store.py: known": "a host of which no kept result fits is examined anew",
    "audit/cases.py: beside": SHOWN,
    "audit/verifying.py: _last_words": SHOWN,
    "audit/inputs.py: _group": GUESS,
    "audit/inputs.py: _hostname": GUESS,
    "audit/inputs.py: _hosts": GUESS,
    "audit/mistake.py: _said": SHOWN,
    "audit/patching.py: verdict_and_patch": "what is not tried has that as its reason in the report",
    "audit/mistake.py: trace": SHOWN,
    "lsp/checking.py: _at_most": SHOWN,
    "lsp/checking.py: _cut": SHOWN,
    "lsp/checking.py: _diagnostic": SHOWN,
    "lsp/mending.py: mendings": "what is not tried has no quick fix, and its remark says what to do",
    "changes/sysctl_step.py: _naming": "a person who looks at ten places that rely on a range looks for more",
    "daemons/_engine/grammars.py: _capital_macros": "a longer value is left as it is written, which is no port",
    "daemons/_engine/grammars.py: _evaluated": "a longer value is not put in for its name, which is no port",
    "daemons/_engine/grammars.py: _put_in": "a longer value is left as it is written, which is no port",
    "daemons/syslog_ng/reader.py: _tokens": "a longer word is left as it is written, which is no port",
    "daemons/syslog_ng/reader.py: put_in": "a name that is not put in stays as it is written, which is no port",
    "formats/defines.py: put_in": "a name that is not put in stays as it is written, which is no port",
    "formats/defines.py: resolved": "a longer value is not put in for its name, which is no port",
    "formats/defines.py: written_out": "a longer value is left as it is written, which is no port",
    "daemons/_engine/grammars.py: filled": "what is not put in is an unknown value, which makes a listener unsure",
    "daemons/_engine/grammars.py: written_out": "a longer value is left as it is written, which is no port",
    "daemons/_engine/settings.py: _by_path": CALLER,
    "daemons/_engine/settings.py: _followed": GUESS,
    "daemons/_engine/sockets.py: _of_socket": CALLER,
    "daemons/apache2/proxies.py: outbounds": GUESS,
    "daemons/apache2/reading.py: _inside": CALLER,
    "daemons/interpreters/erlang/reader.py: _list": UNKNOWN,
    "daemons/interpreters/node/script.py: _expression_end": UNKNOWN,
    "daemons/interpreters/perl/reader.py: _mojolicious": GUESS,
    "daemons/interpreters/perl/reader.py: _options": UNKNOWN,
    "daemons/interpreters/python/script.py: _server": UNKNOWN,
    "daemons/interpreters/python/values.py: _asked": UNKNOWN,
    "daemons/interpreters/python/values.py: _joined": UNKNOWN,
    "daemons/interpreters/python/values.py: _index": UNKNOWN,
    "daemons/interpreters/python/values.py: _outcome": UNKNOWN,
    "daemons/interpreters/python/values.py: _path": UNKNOWN,
    "daemons/interpreters/python/values.py: only": UNKNOWN,
    "daemons/interpreters/python/values.py: dotted": UNKNOWN,
    "daemons/interpreters/python/values.py: pair": UNKNOWN,
    "daemons/interpreters/python/values.py: worth": UNKNOWN,
    "daemons/interpreters/ruby/value.py: value": UNKNOWN,
    "daemons/named/reader.py: _allows": GUESS,
    "daemons/named/reader.py: _named": GUESS,
    "repositories/setcap_mentions.py: mentions": GUESS,
    "daemons/docker/compose.py: _command": UNKNOWN,
    "daemons/docker/compose.py: _expanded": UNKNOWN,
    "daemons/docker/compose.py: _exported": GUESS,
    "daemons/nginx/reader.py: document_nodes": "a file that passes it is walked directive by directive, which says so",
    "daemons/nginx/reader.py: _strange": "one line that it refuses keeps nginx from starting, and so many are named",
    "system/processes/programs.py: misread_interpreter": KERNEL,
    "system/processes/programs.py: unnamed_interpreter": GUESS,
    "daemons/postfix/reader.py: _value": UNKNOWN,
    "fixes/patch.py: patch": "what is not tried is left with that as its reason",
    "changes/raise_file_limit.py: unwritable": "a limit of the kernel: the sentence it returns says so",
    "fixes/patches/new_settings.py: _held_text": "where no beginning of a text is found there is no place in it, which is said",
    "fixes/patches/new_settings.py: _command_around": "a longer statement is not edited: its proof fails, or the line is named",
    "fixes/patches/new_settings.py: _tasks": "a longer statement is not edited: its proof fails, or the line is named",
    "fixes/patches/settings.py: _beside": "the nearest places are tried, and what they do not mend is left with a reason",
    "fixes/patches/statements.py: _end_of_command": "a longer statement is not edited: its proof fails, or the line is named",
    "fixes/patches/statements.py: end_of_item": "a longer statement is not edited: its proof fails, or the line is named",
    "fixes/patches/statements.py: _items_around": "a longer statement is not edited: its proof fails, or the line is named",
    "fixes/plan.py: most_of": "of proofs by halves: a common proof decides then, and each wish that is left out has its reason",
    "formats/apache.py: _lines": KERNEL,
    "formats/apache.py: _resolved": UNKNOWN,
    "formats/hcl.py: _named": UNKNOWN,
    "formats/hcl.py: _one": UNKNOWN,
    "formats/hcl.py: body": UNKNOWN,
    "formats/hcl.py: value": UNKNOWN,
    "formats/javascript.py: tokens": CALLER,
    "formats/nix.py: _default": UNKNOWN,
    "formats/nix.py: _one": UNKNOWN,
    "formats/nix.py: expression": UNKNOWN,
    "formats/puppet.py: _one": UNKNOWN,
    "formats/ruby.py: arguments": UNKNOWN,
    "formats/ruby.py: calls": "a script of so many lines is longer than its caller reads",
    "formats/sysctl.py: dialects_agree": KERNEL,
    "formats/sysctl.py: parse": KERNEL,
    "formats/unit.py: _joined": CALLER,
    "formats/unit.py: _logical": CALLER,
    "host/terms/exhaustion.py: swallowed": SHOWN,
    "host/terms/exhaustion.py: swallowed_ports": SHOWN,
    "host/terms/never_listens.py: circle_of_orderings": SHOWN,
    "host/terms/nfs.py: nfs_client_ports": SHOWN,
    "host/terms/power.py: held_capabilities": SHOWN,
    "host/terms/shell_habits.py: _cut": SHOWN,
    "host/terms/shell_habits.py: commands_for_a_shell": SHOWN,
    "host/terms/shell_habits.py: variables_for_a_shell": SHOWN,
    "host/terms/sysctl.py: loaders_disagree": SHOWN,
    "repositories/checkout.py: _read": "a file that no deployer fills in counts as what its own name says it is",
    "repositories/checkout.py: text": "what is not kept is read again",
    "repositories/deployers/ansible/containers.py: _container": CALLER,
    "repositories/deployers/ansible/effects.py: _copy": "a folder of more files is left to what each of them is by its own name",
    "repositories/deployers/ansible/filters.py: _attribute": UNKNOWN,
    "repositories/deployers/ansible/filters.py: longest_for": UNKNOWN,
    "repositories/deployers/ansible/inventory.py: _depth": "of groups so far down the order is that of their names",
    "repositories/deployers/ansible/inventory.py: _expanded": CALLER,
    "repositories/deployers/ansible/inventory.py: _ini": "of hosts that differ in nothing one counts, and fewer are said to be too many",
    "repositories/deployers/ansible/inventory.py: _range": "the same",
    "repositories/deployers/ansible/inventory.py: _yaml_group": "the same",
    "repositories/deployers/ansible/jinja.py: __enter__": "what is left of it is counted, and the end of it raises",
    "repositories/deployers/ansible/jinja.py: _code": "what is not kept is made again",
    "repositories/deployers/ansible/jinja.py: _compiled": "what is not kept is made again",
    "repositories/deployers/ansible/jinja.py: _whole": "what is not kept is made again",
    "repositories/deployers/ansible/project.py: _playbook": "it says so itself",
    "repositories/deployers/ansible/project.py: run": "it says so itself",
    "repositories/deployers/ansible/running.py: _crossed": CALLER,
    "repositories/deployers/ansible/running.py: _items": "it says so itself",
    "repositories/deployers/ansible/running.py: _left_out": "tasks that include themselves are gone through once",
    "repositories/deployers/ansible/running.py: _sequence": UNKNOWN,
    "repositories/deployers/ansible/running.py: _task_file": "tasks that include themselves are gone through once",
    "repositories/deployers/ansible/running.py: role": "roles that depend on themselves are gone through once",
    "repositories/deployers/ansible/variables.py: filled": UNKNOWN,
    "repositories/deployers/ansible/variables.py: get": UNKNOWN,
    "repositories/deployers/helm.py: _included": UNKNOWN,
    "repositories/deployers/helm.py: _printed": UNKNOWN,
    "repositories/deployers/helm.py: _read": UNKNOWN,
    "repositories/deployers/helm.py: rendered": CALLER,
    "repositories/deployers/helm_values.py: parse": UNKNOWN,
    "repositories/deployers/debian.py: deployed": CALLER,
    "repositories/deployers/kickstart.py: deployed": CALLER,
    "repositories/deployers/rpm.py: deployed": CALLER,
    "repositories/deployers/rpm.py: value": UNKNOWN,
    "repositories/deployers/kubernetes.py: _hosts_files": CALLER,
    "repositories/deployers/kubernetes.py: _lines": CALLER,
    "repositories/deployers/kubernetes.py: _of_url": UNKNOWN,
    "repositories/deployers/kubernetes.py: _parsed": UNKNOWN,
    "repositories/deployers/kubernetes.py: deployed": CALLER,
    "formats/shell_tree.py: _any": "the tree says that it is broken, and what its commands do is left unsaid",
    "formats/shell_tree.py: _simple": "the tree says that it is broken, and what its commands do is left unsaid",
    "repositories/deployers/shell_values.py: _braces": GUESS,
    "repositories/deployers/shell.py: call": CALLER,
    "repositories/deployers/shell.py: _loop": CALLER,
    "repositories/deployers/shell.py: _steps": CALLER,
    "repositories/deployers/shell_values.py: _substituted": UNKNOWN,
    "repositories/deployers/chef.py: _read_attributes": "an attribute that nobody looked up is a value that is not known",
    "repositories/deployers/chef.py: deployed": CALLER,
    "repositories/deployers/cloudformation.py: _script": UNKNOWN,
    "repositories/deployers/cloudformation.py: _values": UNKNOWN,
    "repositories/deployers/cloudformation.py: deployed": CALLER,
    "repositories/deployers/first_boot.py: _unpacked": UNKNOWN,
    "repositories/deployers/first_boot.py: write": UNKNOWN,
    "repositories/deployers/literal.py: at_most": UNKNOWN,
    "repositories/deployers/literal.py: value": UNKNOWN,
    "repositories/deployers/literal.py: text": UNKNOWN,
    "repositories/deployers/literal.py: rows": CALLER,
    "repositories/deployers/literal.py: whole": "a file that no deployer fills in counts as what its own name says it is",
    "repositories/deployers/nixos.py: _settings": UNKNOWN,
    "repositories/deployers/nixos.py: deployed": CALLER,
    "repositories/deployers/nixos_names.py: _literals": UNKNOWN,
    "repositories/deployers/nixos_names.py: _said": UNKNOWN,
    "repositories/deployers/nixos_names.py: _take_json": UNKNOWN,
    "repositories/deployers/nixos_names.py: read": CALLER,
    "repositories/deployers/nixos_names.py: resolved": UNKNOWN,
    "repositories/deployers/nomad.py: _groups": UNKNOWN,
    "repositories/deployers/nomad.py: deployed": CALLER,
    "repositories/deployers/puppet.py: _defined": UNKNOWN,
    "repositories/deployers/puppet.py: _lines": UNKNOWN,
    "repositories/deployers/puppet.py: _text": UNKNOWN,
    "repositories/deployers/puppet.py: deployed": CALLER,
    "repositories/deployers/salt.py: _pillar": UNKNOWN,
    "repositories/deployers/salt.py: _read_pillars": UNKNOWN,
    "repositories/deployers/salt.py: _scalars": UNKNOWN,
    "repositories/deployers/salt.py: deployed": CALLER,
    "repositories/deployers/terraform.py: _body": UNKNOWN,
    "repositories/deployers/terraform.py: _is_elsewhere": "the line is left unsaid",
    "repositories/deployers/terraform.py: _lines": UNKNOWN,
    "repositories/deployers/terraform.py: deployed": CALLER,
    "repositories/deployers/terraform_names.py: _read_folder": UNKNOWN,
    "repositories/deployers/terraform_names.py: text_of": UNKNOWN,
    "repositories/deployers/container_lines.py: lines": "of a command so long no port is known",
    "repositories/deployers/config_maps.py: _of_folder": GUESS,
    "repositories/deployers/hiera.py: _values": UNKNOWN,
    "repositories/deployers/hiera.py: deployed": CALLER,
    "repositories/deployers/makefile.py: _filled": UNKNOWN,
    "repositories/deployers/makefile.py: deployed": CALLER,
    "repositories/deployers/shell.py: deployed": CALLER,
    "repositories/deployers/shell.py: script": CALLER,
    "repositories/deployers/shell_values.py: expanded": UNKNOWN,
    "repositories/deployers/shell_commands.py: _assign": UNKNOWN,
    "repositories/deployers/shell_commands.py: _place_folder": CALLER,
    "repositories/deployers/shell_commands.py: _source": "the script that is read is long, and what it lends is unknown",
    "repositories/deployers/shell_files.py: globbed": CALLER,
    "repositories/deployers/shell_files.py: lines_of_file": "a file so long counts as what its own name says it is",
    "repositories/deployers/shell_files.py: put": CALLER,
    "repositories/deployers/shell_commands.py: simple": CALLER,
    "repositories/deployers/shell_images.py: _looked": GUESS,
    "repositories/deployers/shell_edits.py: _arguments": "the line is left unsaid",
    "repositories/deployers/shell_edits.py: _commands": "the line is left unsaid",
    "repositories/deployers/shell_values.py: _changed": UNKNOWN,
    "repositories/deployers/workflow.py: deployed": CALLER,
    "repositories/inside.py: inside": "what a container beyond it has inside counts as the host's: more is reported, not less",
    "repositories/deployers/vagrant.py: deployed": CALLER,
    "repositories/not_read.py: spoken_of": GUESS,
    "repositories/reading.py: _affordable": CALLER,
    "repositories/staging.py: _stage": CALLER,
    "repositories/staging.py: stage": CALLER,
    "rules/checking.py: _matches": SHOWN,
    "rules/checking.py: _parts": SHOWN,
    "rules/checking.py: _words": SHOWN,
    "rules/explaining.py: _operand": SHOWN,
    "system/host_files/apparmor.py: _include": UNKNOWN,
    "system/host_files/apparmor.py: _is_for": UNCONFINED,
    "system/host_files/apparmor.py: _matching": UNCONFINED,
    "system/host_files/apparmor.py: _read": UNCONFINED,
    "system/host_files/apparmor.py: _spelled": UNCONFINED,
    "system/host_files/apparmor.py: confining": UNCONFINED,
    "system/host_files/apparmor.py: is_nowhere": "among so many files a profile is not said to be missing: the service is taken to start",
    "system/init.py: _of_program": KERNEL,
    "system/processes/programs.py: _script_head": KERNEL,
    "system/processes/shells.py: _between": UNKNOWN,
    "system/processes/shells.py: _capped": UNKNOWN,
    "system/processes/shells.py: _sequence": UNKNOWN,
    "system/processes/shells.py: _braces": UNKNOWN,
    "system/processes/shells.py: _assign": UNKNOWN,
    "system/sysctl/commands.py: _later": "of more units that write one key each stands among what is overridden, and nothing is certain",
    "system/sysctl/commands.py: _redirections": GUESS,
    "system/sysctl/settle.py: _braces": GUESS,
    "system/sysctl/settle.py: _matches": KERNEL,
    "system/systemd/called_units.py: _of_command": "the reader of shells says where its steps end",
    "system/systemd/conflicts.py: dropped": "of units that exclude each other beyond it both stay started: more is reported, not less",
    "system/systemd/left_behind.py: left_behind": GUESS,
    "system/systemd/sandbox.py: _hidden": KERNEL,
    "system/systemd/sandbox.py: _not_to_run": KERNEL,
    "system/systemd/script_calls.py: _programs": GUESS,
    "system/systemd/setcap_lines.py: _pairs": GUESS,
    "system/systemd/specifiers.py: expand": KERNEL,
    "system/systemd/unit_files.py: _follow": KERNEL,
    "system/systemd/unit_files.py: is_unit_name": KERNEL,
    "fleet/collect.py: _refusal": "the reason is one line of our own",
    "trees/archive.py: _leave_out": "a list of a megabyte names more than the collector leaves out; what it does not name is missing",
    "trees/archive.py: notices": SHOWN,
    "trees/unpacking.py: _too_much": CALLER,
    "trees/budget.py: expand": CALLER,
    "repositories/deployers/placed.py: write": CALLER,
    "trees/budget.py: is_read_up": CALLER,
    "trees/budget.py: take": CALLER,
    "trees/budget.py: work": CALLER,
    "trees/repository.py: _is_ignored": "beyond it more is read, not less",
    "trees/repository.py: _lines": "beyond it more is read, not less",
    "trees/tree.py: report_not_understood": SHOWN,
    "audit/configuration.py: _lines": "a value without a line is told with its table's",
    "rules/allowing.py: is_full": "the comment after the last one that is told says so",
    "rules/allowing.py: _trouble": "the comment is told with this reason, and accepts nothing",
    "rules/checking.py: _listed": SHOWN,
    "rules/grammar.py: _together": "an error of the rule's author, told by the function that reads its list",
    "host/join/conflict.py: _rivals": "of so many rivals one is likely to give up, and the error is predicted of each, or one more is told",
    "host/join/moving.py: _look": SHOWN,
    "host/join/giving_up.py: _late": "a socket of which nobody says that it is closed counts as open",
    "formats/javascript.py: literal": "what stands deeper is no word that an app is started with",
}
# Reports leave things out of what is shown; the module of numbers, and what counts down from a limit, know no file.
ASIDE = ("reports/", "numbers.py", "__init__")


def silent(text: str) -> Iterator[str]:
    """The functions of a module that use a limit and have no call in them that says so."""
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and NAMED.fullmatch(node.id):
            around = [each for each in functions if each.lineno <= node.lineno <= (each.end_lineno or 0)]
            if around and not says(max(around, key=lambda each: each.lineno)):
                yield max(around, key=lambda each: each.lineno).name


def says(function: ast.FunctionDef) -> bool:
    names = {node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "") for node in calls(function)}
    return not names.isdisjoint(SAYS) or any(isinstance(node, ast.Raise) for node in ast.walk(function))


def calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Call))


def test_a_limit_is_used_where_it_is_said_or_there_is_a_sentence_why_not() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}"
        for path in sorted(SOURCE.rglob("*.py"))
        for name in silent(path.read_text("utf-8"))
        if name not in ASIDE and not str(path.relative_to(SOURCE)).startswith(ASIDE)
    }

    assert SILENT.keys() == found


def test_a_limit_that_nothing_says_is_found() -> None:
    assert ["f"] == list(silent("_MOST_PORTS = 5\ndef f(ports):\n    return ports[:_MOST_PORTS]\n"))
    assert ["f"] == list(silent("def f(depth):\n    return None if depth > DEEPEST else g(depth)\n"))
    assert [] == list(silent("def f(files, ports):\n    return files.limited(ports, _MOST_PORTS, 'ports', at)\n"))
