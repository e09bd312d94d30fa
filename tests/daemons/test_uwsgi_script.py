"""What Debian's init script of uWSGI starts: one for each file of apps-enabled (uwsgi 2.0.28, seen on a booted Debian 13)."""

from portwright.daemons.uwsgi.reader import read
from tests.daemons.by_hand import brief, host_of, invocation

FILES = {
    "/etc/default/uwsgi": "RUN_AT_STARTUP=yes\nINHERITED_CONFIG=/usr/share/uwsgi/conf/default.ini\n",
    "/usr/share/uwsgi/conf/default.ini": "[uwsgi]\nmaster = true\nsocket = /run/uwsgi/app/socket\nuid = www-data\n",
    "/etc/uwsgi/apps-enabled/api.ini": "[uwsgi]\nsocket = :3031\n",
    "/etc/uwsgi/apps-enabled/site.ini": "[uwsgi]\nhttp-socket = 127.0.0.1:9090\nstats = 127.0.0.1:9191\n",
    "/etc/uwsgi/apps-enabled/README": "socket = :3032\n",
}
START = "/etc/init.d/uwsgi start"


def test_each_application_has_its_sockets() -> None:
    assert ["tcp 0.0.0.0 3031", "tcp 127.0.0.1 9090", "tcp 127.0.0.1 9191"] == brief(read(invocation(START), host_of(FILES), {}))


def test_nothing_is_started_where_the_defaults_say_no() -> None:
    files = host_of({**FILES, "/etc/default/uwsgi": "RUN_AT_STARTUP=no\n"})

    assert () == read(invocation(START), files, {})


def test_what_all_inherit_may_be_another_file() -> None:
    files = host_of(
        {**FILES, "/etc/default/uwsgi": "INHERITED_CONFIG=/etc/uwsgi/all.ini\n", "/etc/uwsgi/all.ini": "[uwsgi]\nhttp = :8080\n"}
    )

    assert "tcp 0.0.0.0 8080" in brief(read(invocation(START), files, {}))


def test_other_words_to_the_script_start_nothing() -> None:
    assert () == read(invocation("/etc/init.d/uwsgi status"), host_of(FILES), {})
