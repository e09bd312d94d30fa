"""No room forgets it: whatever is done to a file or a command of its first case, no claim stays certain that no line in force says."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from portwright.daemons import DaemonFact, daemon_of, known
from portwright.facts import Endpoint, Invocation
from portwright.system.spanned_text import UNKNOWN
from tests.daemons.by_hand import host_of, invocation
from tests.daemons.test_described_cases import ALL, Case

Socket = tuple[str, str, str]

_SETTING = re.compile(
    r"^(?P<before>[ \t]*(?:-[ \t]+|--?|set[ \t]+|<)?[\"']?)(?P<key>[A-Za-z][\w.-]*)(?P<is>[\"']?(?:[ \t]*[:=]+>?[ \t]*|[ \t]+|>))"
    r"(?P<value>[^\n{\[(]*?)(?P<after>[;,]?|</[\w.-]+>)[ \t]*$"
)
_OF_THE_HOST = re.compile(r"/(?:dev/|\.portwright/|proc/|etc/(?:hosts|os-release|debian_version|services|passwd|group|nsswitch))")
_TEXTS = {
    "json": '{"server": {"second-admin-port": 99}}\n',
    "blocks": "server {\n  second-admin-port = 99\n}\n",
    "sections": "[server]\nsecond-admin-port = 99\n",
    "mapping": "server:\n  second-admin-port: 99\n",
    "markup": "<server>\n  <second-admin-port>99</second-admin-port>\n</server>\n",
    "bytes": "\x00\x01\x02\n",
}
# Grammars that have such a text among their own.
_OWN = {
    "json": {"erlang", "json", "nats", "yaml"},
    "blocks": frozenset(
        ["bacula", "defines", "dovecot", "gmond", "hcl", "icinga", "libconfig", "lighttpd", "lua", "named", "nats", "perl", "rainer", "vcl"]
    ),
    "sections": {"ini", "plain", "plain-if", "plain-listeners", "properties", "toml", "words", "words-equals", "words-macros"},
    "mapping": {"clauses", "knot", "yaml"},
    "markup": {"httpd", "tags", "words-equals", "xml", "xml-properties"},
    "bytes": set[str](),
}
# Where the setting would stand in a part of the file that is not this daemon's, or that is said to open none.
_NOT_THE_DAEMONS = frozenset(
    ("apisix", "bird", "carbon-cache", "conserver", "coredhcp", "dnsmasq", "gerbera", "kadmind", "netatalk", "netdata", "otelcol",
     "pihole-ftl", "postfix-mta-sts-resolver", "ptp4l", "trytond")
)  # fmt: skip


@dataclass(frozen=True)
class _Said:
    """What a room said, of which sockets it is sure though no line says them, and whether anything was told."""

    facts: tuple[DaemonFact, ...]
    sure: frozenset[Socket]
    asked: frozenset[str]
    is_told: bool


def _said(case: Case, command: str, files: Mapping[str, str]) -> _Said | None:
    host, daemon = host_of(files), known(case.daemon)
    started = invocation(command, case.environment, case.sockets)
    if daemon_of(started) is not daemon:
        return None
    packages = {daemon.descriptor.package or daemon.name: case.version} if case.version else {}
    facts, watch = host.watched(lambda: daemon.read(started, host, packages))
    told = bool(host.unreadable) or bool(host.take_not_understood())
    ends = [each for each in facts if isinstance(each, Endpoint)]
    return _Said(facts, frozenset(_sure(ends, started)), frozenset(watch.asked), told or any(each.why for each in ends))


def _sure(ends: Iterable[Endpoint], started: Invocation) -> Iterator[Socket]:
    for each in ends:
        is_default = each.origin == "default" or (each.origin == "inferred" and each.at == started.at)
        if is_default and each.confidence == "certain":
            yield each.protocol, each.address, str(each.ports)


def _cases() -> Iterator[tuple[Case, _Said]]:
    """The first case of each room, and the first that is sure of a default."""
    for cases in ALL.values():
        found: list[tuple[Case, _Said]] = []
        for case in cases:
            said = None if case.command.startswith("alone ") else _said(case, case.command, case.files)
            if said is not None and (not found or (said.sure and not any(other.sure for _, other in found))):
                found.append((case, said))
        yield from found


CASES = tuple(_cases())


def _configs(case: Case, said: _Said) -> Iterator[tuple[str, str]]:
    for path, text in case.files.items():
        if path in said.asked and not _OF_THE_HOST.match(path) and not text.startswith(("->", "#!")):
            yield path, text


def _is_read_by_a_table(case: Case) -> bool:
    return not known(case.daemon).descriptor.reader


def test_there_is_a_case_of_nearly_every_room() -> None:
    assert len({case.daemon for case, _ in CASES}) > 550


def test_a_word_of_which_nothing_is_known_leaves_no_default_certain_and_is_told() -> None:
    forgot = []
    for case, _ in CASES:
        program, _, rest = case.command.partition(" ")
        said = _said(case, f"{program} {UNKNOWN} {rest}".rstrip(), case.files)
        if said is not None and said.facts and (said.sure or not said.is_told):
            forgot.append(case.daemon)

    assert [] == forgot


@pytest.mark.parametrize("option", ["--second-admin-port=99", "--listen-also=99"])
def test_an_option_that_sounds_like_a_socket_s_and_is_not_known_leaves_no_default_certain(option: str) -> None:
    changed = [(case.daemon, _said(case, f"{case.command} {option}", case.files)) for case, said in CASES if said.sure]

    assert [] == [daemon for daemon, said in changed if said is not None and (said.sure or (said.facts and not said.is_told))]


@pytest.mark.parametrize("kind", _TEXTS)
def test_a_config_in_another_grammar_leaves_no_default_certain_and_is_told(kind: str) -> None:
    forgot = []
    for case, before in CASES:
        config = known(case.daemon).descriptor.config
        if not _is_read_by_a_table(case) or (config is not None and _OWN[kind] & set(config.format.split())):
            continue
        for path, _ in _configs(case, before):
            said = _said(case, case.command, {**case.files, path: _TEXTS[kind]})
            if said is not None and (said.sure or not said.is_told):
                forgot.append(f"{case.daemon}: {path}")

    assert [] == forgot


def test_a_setting_that_sounds_like_a_socket_s_and_is_not_known_leaves_no_default_certain() -> None:
    forgot = []
    for case, before in CASES:
        if not before.sure or not _is_read_by_a_table(case) or case.daemon in _NOT_THE_DAEMONS:
            continue
        for path, text in _configs(case, before):
            lines = text.split("\n")
            place = next((number for number, line in enumerate(lines) if _SETTING.match(line)), None)
            if place is None or "<property>" in text:
                continue
            line = _SETTING.match(lines[place])
            assert line is not None
            key = "second_admin_port" if "_" in text and "-" not in line["key"] else "second-admin-port"
            end = f"</{key}>" if line["after"].startswith("</") else line["after"]
            lines.insert(place, f"{line['before']}{key}{line['is']}99{end}")
            said = _said(case, case.command, {**case.files, path: "\n".join(lines)})
            if said is not None and said.sure:
                forgot.append(f"{case.daemon}: {path}:{place + 1}")

    assert [] == forgot


@pytest.mark.parametrize("value", ["${X}", "@X@", "%%X%%"])
def test_a_value_that_is_not_filled_in_is_told_and_no_default_takes_its_place_as_certain(value: str) -> None:
    forgot = []
    for case, before in CASES:
        config = known(case.daemon).descriptor.config
        if not _is_read_by_a_table(case) or (config is not None and "{" in value and _OWN["blocks"] & set(config.format.split())):
            continue  # there a brace opens a block
        for path, text in _configs(case, before):
            lines = text.split("\n")
            deciding = sorted({each.at.line - 1 for each in before.facts if isinstance(each, Endpoint) and each.at.path == path})
            for place in deciding:
                line = _SETTING.match(lines[place]) if place < len(lines) else None
                if line is None or not re.search(r"\d", line["value"]):
                    continue
                blank = re.sub(r"\d+", lambda _: value, line["value"])
                changed = lines[place][: line.start("value")] + blank + lines[place][line.end("value") :]
                whole = "\n".join([*lines[:place], changed, *lines[place + 1 :]])
                said = _said(case, case.command, {**case.files, path: whole})
                if said is not None and (said.sure - before.sure or not said.is_told):
                    forgot.append(f"{case.daemon}: {path}:{place + 1}")

    assert [] == forgot


def test_a_config_that_is_not_there_leaves_no_default_certain_unless_the_room_says_so() -> None:
    forgot = []
    for case, before in CASES:
        descriptor = known(case.daemon).descriptor
        config = descriptor.config
        if not _is_read_by_a_table(case) or (config is not None and (config.when_missing == "certain" or config.optional)):
            continue
        named = {*descriptor.variables, *(path for wrapper in descriptor.wrappers for path in wrapper.variables)}
        if config is not None and not config.every and config.paths.all:
            named |= {path for path in config.paths.all if "*" not in path}
        there = [path for path, _ in _configs(case, before) if path in named]
        for path in there if len(there) == 1 else ():
            said = _said(case, case.command, {each: text for each, text in case.files.items() if each != path})
            if said is not None and said.sure - before.sure:
                forgot.append(f"{case.daemon}: {path}")

    assert [] == forgot
