"""A built-in default is certain only where every file that could change it was found and understood."""

from collections.abc import Mapping
from typing import Any

import pytest

from portwright.daemons._engine.keys import descriptor
from portwright.daemons._engine.reading import read
from portwright.facts import Endpoint
from tests.daemons.by_hand import host_of, invocation

CONFIG = "/etc/exampled.conf"


def _bound(
    text: str, grammar: str = "assignments", config: Mapping[str, Any] | None = None
) -> tuple[list[tuple[str, str, str]], list[str]]:
    described = {
        "programs": ["exampled"],
        "config": {"format": grammar, "paths": CONFIG, **(config or {})},
        "sockets": [{"port": {"from": "port", "or": "7777"}, "listen": {"from": "address", "or": "127.0.0.1"}, "form": "address"}],
    }
    files = host_of({CONFIG: text} if text else {})
    said = read(descriptor("exampled", described, {}, "exampled"), invocation("/usr/sbin/exampled"), files, {})
    found = [(str(each.ports.low), str(each.confidence), each.why) for each in said if isinstance(each, Endpoint)]
    return found, [f"{each.at}: {each.reason}" for each in files.unreadable]


def test_a_default_is_certain_where_the_config_was_understood() -> None:
    assert ([("7777", "certain", "")], []) == _bound("user = nobody\n")


def test_a_setting_that_sounds_like_a_socket_s_makes_a_default_likely() -> None:
    found, told = _bound("admin_port = 7778\n")

    assert [("7777", "likely", f"built-in default; `admin_port` ({CONFIG}:1) is not understood, and may say otherwise")] == found
    assert [] == told


@pytest.mark.parametrize("line", ["listen-on = 192.0.2.1", "bind = 192.0.2.1:7", "ports = 1 2", "include = other.conf"])
def test_every_such_setting_does(line: str) -> None:
    assert "likely" == _bound(f"{line}\n")[0][0][1]


@pytest.mark.parametrize("line", ["transport = x", "report = weekly", "support = yes", "smtp_port = 25", "remote-port = 5"])
def test_a_setting_of_something_else_does_not(line: str) -> None:
    assert "certain" == _bound(f"{line}\n")[0][0][1]


def test_a_line_that_says_the_port_is_certain_whatever_else_is_said() -> None:
    assert [("8000", "certain", "")] == _bound("port = 8000\naddress = ::1\nadmin_port = 7778\n")[0]


def test_an_entry_may_pass_over_a_setting() -> None:
    assert [("7777", "certain", "")] == _bound("admin_port = 7778\n", config={"passes-over": ["admin_*"]})[0]


def test_a_file_in_a_grammar_that_is_not_read_makes_a_default_likely_and_is_told() -> None:
    found, told = _bound("user = nobody\n", config={"unread": [CONFIG]})

    assert "likely" == found[0][1]
    assert [f"{CONFIG}:1:1: exampled reads this file, in a form that is not read here"] == told


def test_a_config_of_another_grammar_is_read_in_that_grammar_and_its_keys_are_no_keys_of_the_entry() -> None:
    found, told = _bound("server:\n  port: 8000\n")

    assert [("7777", "likely", f"built-in default; {CONFIG} is written in another form than it is known to read")] == found
    assert [f"{CONFIG}:1:1: it is written in another form than exampled is known to read"] == told


def test_a_block_where_a_value_was_expected_makes_a_default_likely_and_is_told() -> None:
    found, told = _bound("port = {\n  number = 8000\n}\n", "dovecot")

    assert [("7777", "likely", "port is written in a form that is not understood")] == found
    assert [f"{CONFIG}:1:1: port is written in a form that is not understood"] == told


def test_what_cannot_be_parsed_makes_a_default_likely() -> None:
    assert "likely" == _bound('user = {\n name = "x\n', "dovecot")[0][0][1]


def test_an_empty_list_says_none() -> None:
    assert [] == _bound("port = { }\n", "lua")[0]


def test_a_daemon_that_binds_only_what_its_config_says_is_not_understood_without_it() -> None:
    files = host_of({})
    described = {"programs": ["exampled"], "config": {"format": "assignments", "paths": CONFIG}, "sockets": [{"port": {"from": "port"}}]}

    assert () == read(descriptor("exampled", described, {}, "exampled"), invocation("/usr/sbin/exampled"), files, {})
    assert [f"{CONFIG}, which says where it listens, was not found"] == [reason for _, reason in files.take_not_understood()]


def test_a_daemon_whose_default_is_known_is_understood_without_a_config() -> None:
    files = host_of({})
    sockets = [{"port": "7", "when": {"on": "yes"}}]
    described = {"programs": ["exampled"], "config": {"format": "assignments", "paths": CONFIG}, "sockets": sockets}

    assert () == read(descriptor("exampled", described, {}, "exampled"), invocation("/usr/sbin/exampled"), files, {})
    assert () == files.take_not_understood()
