"""What pm2 starts: the apps of its dump, of an ecosystem file, or one script."""

import json

import pytest

from portwright.facts import Invocation
from portwright.source import Span, Word
from portwright.system.processes import pm2
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

DUMP = "/home/node/.pm2/dump.pm2"
AT = Span("/etc/systemd/system/pm2.service", 3, 11, 3, 40)


def _keeper(command: str, **environment: str) -> Invocation:
    given = {name: Word(value, AT) for name, value in environment.items()}
    return Invocation(None, tuple(Word(word, AT) for word in command.split()), AT, environment=given, directory="/srv")


def _started(command: str, files: dict[str, str], **environment: str) -> tuple[list[str], Files]:
    """The words of each app, with the variables and the directory it is given."""
    read = Files(MemoryTree(files))
    found = []
    for each in pm2.children(_keeper(command, **environment), read):
        given = "".join(f"{name}={value.text} " for name, value in each.environment.items())
        found.append(f"{given}{' '.join(word.text for word in each.argv)} in {each.directory}")
    return found, read


def _dumped(**changed: object) -> str:
    app = {"name": "site", "pm_exec_path": "/srv/site/server.js", "pm_cwd": "/srv/site", "exec_interpreter": "node", "args": ["-v", "a b"]}
    return json.dumps([{**app, "env": {"PORT": "80"}, "PORT": "3000", **changed}], indent=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_dumped(), ["PORT=80 node /srv/site/server.js -v a b in /srv/site"]),
        (_dumped(env={}, args="-p 1"), ["PORT=3000 node /srv/site/server.js -p 1 in /srv/site"]),
        (_dumped(exec_interpreter="none", args=[]), ["PORT=80 /srv/site/server.js in /srv/site"]),
        (_dumped(exec_interpreter="python3", node_args=["-u"], args=[]), ["PORT=80 python3 -u /srv/site/server.js in /srv/site"]),
        (_dumped(status="stopped"), []),
        ("[]", []),
        ("[{", []),
        ("[[[[{}]]], {\"pm_exec_path\": {}}, 7]", []),
    ],
)
def test_resurrect_starts_the_apps_of_the_dump(text: str, expected: list[str]) -> None:
    assert expected == _started("/usr/bin/pm2 resurrect", {DUMP: text}, HOME="/home/node")[0]


def test_the_place_of_a_port_is_its_line_in_the_dump() -> None:
    files = Files(MemoryTree({DUMP: _dumped()}))
    spawned = next(iter(pm2.children(_keeper("pm2 resurrect", PM2_HOME="/home/node/.pm2"), files)))

    assert f"{DUMP}:12:15" == str(spawned.environment["PORT"].at)


ECOSYSTEM = """// the apps
const path = require('path')
module.exports = {
  apps: [{
    name: 'api', script: './api.js', args: '--port 4000', instances: 'max',
    env: { NODE_ENV: 'development', HOST: host() },
    env_production: { NODE_ENV: "production" },
  }, {
    script: `worker.py`, cwd: '/srv/worker', interpreter_args: '-u', ...more
  }],
  deploy: { production: { user: 'node' } }
}
"""
BARE = '{"apps": {"script": "app.sh"}}'


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "pm2 start eco/ecosystem.config.js",
            ["NODE_ENV=development node ./api.js --port 4000 in /srv/eco", "python3 -u worker.py in /srv/worker"],
        ),
        (
            "pm2-runtime start /srv/eco/ecosystem.config.js --env production",
            ["NODE_ENV=production node ./api.js --port 4000 in /srv/eco", "python3 -u worker.py in /srv/worker"],
        ),
        ("pm2-runtime /srv/eco/apps.json", ["bash app.sh in /srv/eco"]),
        ("pm2 start app.js --name shop -i 2 -- --port 80", ["node /srv/app.js --port 80 in /srv"]),
        ("pm2 start /opt/shop/bin -n shop --cwd /opt", ["/opt/shop/bin in /opt"]),
        ("pm2 start --interpreter=/opt/node/bin/node app.js", ["/opt/node/bin/node /srv/app.js in /srv"]),
        ("pm2 kill", []),
        ("pm2 start", []),
        ("pm2 start eco/process.yml", []),
        ("pm2", []),
    ],
)
def test_start_takes_an_ecosystem_or_a_script(command: str, expected: list[str]) -> None:
    assert expected == _started(command, {"/srv/eco/ecosystem.config.js": ECOSYSTEM, "/srv/eco/apps.json": BARE})[0]


@pytest.mark.parametrize(("command", "path"), [("pm2 resurrect", "/root/.pm2/dump.pm2"), ("pm2 start a.json", "/srv/a.json")])
def test_a_list_of_apps_that_is_not_there_is_told(command: str, path: str) -> None:
    found, files = _started(command, {})

    assert ([], [f"pm2 starts the apps of {path}, which is not there"]) == (found, [each.reason for each in files.unreadable])


@pytest.mark.parametrize(
    ("command", "expected"), [("pm2 resurrect", True), ("pm2 start a.js", True), ("pm2 start a.yml", False), ("pm2 ping", False)]
)
def test_what_is_not_read_of_pm2_stays_not_understood(command: str, expected: bool) -> None:
    assert expected == pm2.is_understood(_keeper(command))
