"""Python's application servers: flags, variables, configurations and what is built in, row by row as measured with ss."""

import pytest

from portwright.audit import read_host
from portwright.source import Span
from portwright.trees.memory import MemoryTree
from tests.daemons.started import binds, endpoints


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("uvicorn asgi:app", ["tcp 127.0.0.1 8000"]),
        ("uvicorn asgi:app --host :: --port 7021", ["tcp :: 7021 v6only"]),
        ("uvicorn asgi:app --host= --port=7022", ["tcp 0.0.0.0 7022", "tcp :: 7022 v6only"]),
        ("uvicorn asgi:app --host localhost", ["tcp 127.0.0.1 8000", "tcp ::1 8000"]),
        ("uvicorn asgi:app --host localhost --workers 2", ["tcp 127.0.0.1 8000"]),
        ("uvicorn asgi:app --host :: --workers 2", ["tcp :: 8000"]),
        ("uvicorn asgi:app --host :: --workers 1", ["tcp :: 8000 v6only"]),
        ("uvicorn asgi:app --port 0", ["tcp 127.0.0.1 random"]),
        ("uvicorn asgi:app --uds /run/app.sock", []),
        ("uvicorn asgi:app --fd 3", []),
        ("hypercorn asgi:app", ["tcp 127.0.0.1 8000"]),
        ("hypercorn -b [::]:7030 -b localhost:7031 --bind :7032 a:b", ["tcp 0.0.0.0 7032", "tcp 127.0.0.1 7031", "tcp :: 7030"]),
        ("hypercorn -b 10.9.9.9 asgi:app", ["tcp 10.9.9.9 8000"]),
        ("hypercorn -b unix:/run/app.sock asgi:app", []),
        ("waitress-serve app:app", ["tcp 0.0.0.0 8080"]),
        ("waitress-serve --listen=*:7040 app:app", ["tcp 0.0.0.0 7040", "tcp :: 7040 v6only"]),
        ("waitress-serve --listen=*:7048 --no-ipv6 app:app", ["tcp 0.0.0.0 7048"]),
        ("waitress-serve --port 7041 app:app", ["tcp 0.0.0.0 7041"]),
        ("waitress-serve --host=:: --port=7041 app:app", ["tcp :: 7041 v6only"]),
        ("waitress-serve --listen=[::1]:7043 --listen=127.0.0.1:7044 app:app", ["tcp 127.0.0.1 7044", "tcp ::1 7043"]),
        ("waitress-serve --unix-socket=/run/app.sock app:app", []),
        ("flask --app a run", ["tcp 127.0.0.1 5000"]),
        ("flask run -p 7051 -h ::", ["tcp :: 7051"]),
        ("flask --app a --debug run --port=7052 --host=localhost", ["tcp 127.0.0.1 7052"]),
        ("flask run -p7054", ["tcp 127.0.0.1 7054"]),
        ("flask --app run routes", []),
        ("python3 -m aiohttp.web app:init", ["tcp 127.0.0.1 8080", "tcp ::1 8080"]),
        ("python3 -m aiohttp.web -H 0.0.0.0 -P 7090 app:init", ["tcp 0.0.0.0 7090"]),
        ("python3 -m aiohttp.web -H :: -P 7091 app:init", ["tcp :: 7091 v6only"]),
        ("python3 -m aiohttp.web -U /run/app.sock app:init", []),
        ("jupyter-lab --ip=* --port=7097", ["tcp 0.0.0.0 7097", "tcp :: 7097 v6only"]),
        ("jupyter-server", ["tcp 127.0.0.1 8888", "tcp ::1 8888"]),
        ("twistd -n web --path /srv", ["tcp 0.0.0.0 8080"]),
        ("twistd3 -n --pidfile= web --listen tcp:7071 --listen tcp:7072:interface=127.0.0.1", ["tcp 0.0.0.0 7071", "tcp 127.0.0.1 7072"]),
        ("twistd -n web --listen tcp6:7073 -p tcp:port=7074:interface=\\:\\:1", ["tcp :: 7073", "tcp ::1 7074"]),
        ("twistd -n web --listen unix:/run/web.sock", []),
        ("twistd -n ftp", []),
        ("daphne a:b", ["tcp 127.0.0.1 8000"]),
        ("daphne -b :: -p 7081 a:b", ["tcp :: 7081"]),
        ("daphne -e tcp:port=7082:interface=127.0.0.1 -p 7083 a:b", ["tcp 127.0.0.1 7082", "tcp 127.0.0.1 7083"]),
        ("daphne -e ssl:443:privateKey=key.pem a:b", ["tcp 0.0.0.0 443"]),
        ("daphne -u /run/app.sock a:b", []),
        ("python3 manage.py runserver", ["tcp 127.0.0.1 8000"]),
        ("python3 manage.py runserver 7060 --noreload", ["tcp 127.0.0.1 7060"]),
        ("/srv/manage.py runserver 0:7061", ["tcp 0.0.0.0 7061"]),
        ("/srv/manage.py runserver [::]:7062", ["tcp :: 7062"]),
        ("django-admin runserver --settings site.settings -6", ["tcp ::1 8000"]),
        ("python3 manage.py migrate 8000", []),
        ("gunicorn app:app", ["tcp 127.0.0.1 8000"]),
        ("gunicorn -b :7002 -b unix:/run/app.sock -b fd://3 app:app", ["tcp 0.0.0.0 7002"]),
        ("gunicorn -w4 -b 10.9.9.9 app:app", ["tcp 10.9.9.9 8000"]),
        ("gunicorn --bind tcp://[::1]:7010 app:app", ["tcp ::1 7010"]),
        ("gunicorn --bind [::]:7004 app:app", ["tcp :: 7004"]),
        ("uwsgi --module app --http-socket :7290 --socket 127.0.0.1:7291", ["tcp 0.0.0.0 7290", "tcp 127.0.0.1 7291"]),
        ("uwsgi --module app --http-socket 7292 -s /run/app.sock", []),
        ("uwsgi --http-socket=[::]:7309", ["tcp :: 7309"]),
        ("uwsgi --https :7310,cert.pem,key.pem --stats 127.0.0.1:7311", ["tcp 0.0.0.0 7310", "tcp 127.0.0.1 7311"]),
    ],
)
def test_a_server_binds_what_its_command_line_says(command: str, expected: list[str]) -> None:
    assert expected == binds(command)


@pytest.mark.parametrize(
    ("command", "environment", "expected"),
    [
        ("uvicorn a:b", {"UVICORN_PORT": "7020", "UVICORN_HOST": "0.0.0.0", "PORT": "1"}, ["tcp 0.0.0.0 7020"]),  # noqa: S104
        ("uvicorn a:b --port 7021", {"UVICORN_PORT": "7020"}, ["tcp 127.0.0.1 7021"]),
        ("flask run", {"FLASK_RUN_PORT": "7050", "FLASK_RUN_HOST": "0.0.0.0"}, ["tcp 0.0.0.0 7050"]),  # noqa: S104
        ("hypercorn a:b", {"PORT": "7034"}, ["tcp 127.0.0.1 8000"]),
        ("gunicorn a:b", {"PORT": "7001"}, ["tcp 0.0.0.0 7001"]),
        ("gunicorn a:b", {"GUNICORN_CMD_ARGS": "--bind=127.0.0.1:7006 --threads 2"}, ["tcp 127.0.0.1 7006"]),
        ("gunicorn -b :7007 a:b", {"GUNICORN_CMD_ARGS": "--bind=127.0.0.1:7006"}, ["tcp 0.0.0.0 7007"]),
        ("uwsgi --module app", {"UWSGI_HTTP_SOCKET": ":7306"}, ["tcp 0.0.0.0 7306"]),
    ],
)
def test_a_variable_counts_where_the_command_line_is_silent(command: str, environment: dict[str, str], expected: list[str]) -> None:
    assert expected == binds(command, environment)


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn -b :9 app:app",
        "python3 -m gunicorn -b :9 app:app",
        "/opt/venv/bin/python /opt/venv/bin/gunicorn -b :9 app:app",
        "/opt/venv/bin/renamed -m gunicorn -b :9 app:app",
        "/opt/renamed -u -m http.server 9",
        "/opt/renamed -mhttp.server 9",
    ],
)
def test_a_module_and_an_installed_script_are_the_server_whatever_the_interpreter_is_called(command: str) -> None:
    assert ["tcp 0.0.0.0 9"] == binds(command)


def test_a_program_of_its_own_is_no_interpreter_for_having_an_option_m() -> None:
    assert [] == binds("/opt/app -m fast http.server")


def test_a_script_is_what_its_interpreter_line_makes_of_it() -> None:
    text = "#!/usr/bin/env python3\nimport socketserver\nsocketserver.TCPServer(('', 9000), None)\n"

    assert ["tcp 0.0.0.0 9000"] == binds("/opt/app/serve", tree={"/opt/app/serve": text})


@pytest.mark.parametrize(
    ("config", "environment", "expected"),
    [
        ("bind = '127.0.0.1:45040'", {}, ["tcp 127.0.0.1 45040"]),
        ("bind = ['127.0.0.1:45040', '[::1]:45041']\nworkers = 2", {}, ["tcp 127.0.0.1 45040", "tcp ::1 45041"]),
        ("bind = ':1,:2'", {}, ["tcp 0.0.0.0 1", "tcp 0.0.0.0 2"]),
        ("import os\nbind = '0.0.0.0:' + os.getenv('PORT', '8000')", {}, ["tcp 0.0.0.0 8000"]),
        ("import os\nbind = f\"0.0.0.0:{os.environ.get('PORT', 8000)}\"", {"PORT": "5"}, ["tcp 0.0.0.0 5"]),
        ("port = 81\nbind = f'0.0.0.0:{port}'", {}, ["tcp 0.0.0.0 81"]),
        ("import os\nbind = ['127.0.0.1:81']\nif os.environ.get('LAN'):\n  bind.append('192.0.2.1:' + os.environ['LAN'])", {"LAN": "82"},
         ["tcp 127.0.0.1 81", "tcp 192.0.2.1 82"]),
        ("import os\nbind = ['127.0.0.1:81']\nif 'LAN' in os.environ:\n  bind.append('192.0.2.1:82')", {}, ["tcp 127.0.0.1 81"]),
        ("bind = 'unix:/run/app.sock'", {}, []),
        ("workers = 4", {}, ["tcp 127.0.0.1 8000"]),
        ("workers = 4", {"PORT": "5"}, ["tcp 0.0.0.0 5"]),
    ],
)  # fmt: skip
def test_gunicorn_reads_its_configuration(config: str, environment: dict[str, str], expected: list[str]) -> None:
    assert expected == binds("gunicorn -c /etc/app.py app:app", environment, {"/etc/app.py": config})
    assert expected == binds("gunicorn app:app", environment, {"/srv/gunicorn.conf.py": config}, "/srv")


def test_gunicorn_points_at_the_place_that_gave_the_number() -> None:
    (literal,), _ = endpoints("gunicorn -c /c.py a:b", None, {"/c.py": "bind = ':81'"})
    (given,), _ = endpoints("gunicorn -c /c.py a:b", {"P": "82"}, {"/c.py": "import os\nbind = ':' + os.environ['P']"})

    assert ("directive", "/c.py") == (literal.origin, literal.at.path)
    assert ("environment", Span("/etc/systemd/system/app.service", 3, 13, 3, 15)) == (given.origin, given.at)


def test_what_gunicorn_binds_is_not_guessed() -> None:
    assert ([], ["what bind stands for cannot be determined"]) == endpoints("gunicorn -c /c.py a:b", None, {"/c.py": "bind = pick()"})


def test_reuse_port_is_what_gunicorn_and_uwsgi_are_told() -> None:
    commands = ["gunicorn a:b", "gunicorn --reuse-port a:b", "gunicorn -c /c.py a:b", "uwsgi --socket :1", "uwsgi --socket :1 --reuse-port"]
    found = [endpoints(command, None, {"/c.py": "reuse_port = True"})[0][0] for command in commands]

    assert [False, True, True, False, True] == [endpoint.reuse_port for endpoint in found]
    assert all(endpoint.reuse_address for endpoint in found)


def test_uwsgi_reads_ini_files_with_placeholders_and_sections() -> None:
    tree = {
        "/u.ini": "[uwsgi]\nbase = 7310\nhttp-socket = 127.0.0.1:%(base)\nini = /more.ini\n[other]\nsocket = :7312\n",
        "/more.ini": "; more\n[uwsgi]\nstats = $(ADDRESS)\n",
    }

    assert ["tcp 0.0.0.0 7305", "tcp 127.0.0.1 7310"] == binds("uwsgi --ini /u.ini", {"ADDRESS": ":7305"}, tree)
    assert ["tcp 0.0.0.0 7312"] == binds("uwsgi /u.ini:other", None, tree)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("uvicorn a:b --port http", "uvicorn does not start: not a port"),
        ("uvicorn a:b --port \ufffd", "its expansion cannot be determined"),
        ("waitress-serve --listen=:7047 a:b", "waitress does not start: no address"),
        ("twistd -n web --port 7070", "twistd does not start: not the description of an endpoint"),
        ("python3 manage.py runserver :7065", "django does not start: no address"),
        ("uwsgi --yaml /etc/app.yaml", "a configuration of uwsgi that is no ini file is not read"),
        ("gunicorn -c /srv/gunicorn.py app:app", "gunicorn would not start: /srv/gunicorn.py is not there"),
        ("gunicorn -c python:app.config app:app", "a configuration that is imported by its name is not parsed"),
    ],
)
def test_what_cannot_start_or_be_read_is_told(command: str, reason: str) -> None:
    assert ([], [reason]) == endpoints(command)


def test_flask_that_finds_no_application_in_the_file_it_is_given_only_possibly_listens() -> None:
    def confidence(text: str) -> str:
        files = {"/etc/systemd/system/x.service": "[Service]\nExecStart=/usr/bin/flask --app /srv/app.py run\n", "/srv/app.py": text}
        return read_host(MemoryTree(files), "h").listeners[0].confidence

    assert "certain" == confidence("from flask import Flask\napp = Flask(__name__)\n")
    assert "possible" == confidence("def app(environ, start):\n    return []\n")
