"""What inetd and xinetd bind for the services they are told of, as measured with openbsd-inetd 0.20221205 and xinetd 2.3.15.3."""

import pytest

from portwright.daemons.inetd import reader as inetd
from portwright.daemons.xinetd import reader as xinetd
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ANY = "0.0.0.0"  # noqa: S104  expected, never bound

AT = Span.whole("/lib/systemd/system/x.service")
NAMES = {"/etc/services": "tftp 69/udp\ntime 37/tcp\ntime 37/udp\n", "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n192.0.2.1 inner\n"}


def _said(endpoints: tuple[object, ...]) -> list[tuple[str, str, str, bool | None]]:
    assert all(isinstance(each, Endpoint) and each.reuse_address for each in endpoints)
    return [(each.protocol, each.address, str(each.ports), each.v6only) for each in endpoints if isinstance(each, Endpoint)]


def _inetd(text: str, argv: str = "/usr/sbin/inetd") -> tuple[list[tuple[str, str, str, bool | None]], list[str]]:
    files = Files(MemoryTree({**NAMES, "/etc/inetd.conf": text}))
    started = Invocation("inetd.service", tuple(Word(word, AT) for word in argv.split()), AT)
    return _said(inetd.read(started, files, {})), [str(trouble.at) for trouble in files.unreadable]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("7201 stream tcp nowait root /bin/cat cat", [("tcp", ANY, "7201", None), ("tcp", "::", "7201", True)]),
        ("7202 stream tcp6 nowait root /bin/cat cat", [("tcp", "::", "7202", True)]),
        ("7203 stream tcp4 nowait root /bin/cat cat", [("tcp", ANY, "7203", None)]),
        ("127.0.0.1:7204 dgram udp wait root /bin/cat cat", [("udp", "127.0.0.1", "7204", None)]),
        ("*:7205 stream tcp,sndbuf=4k nowait root /bin/cat cat", [("tcp", ANY, "7205", None), ("tcp", "::", "7205", True)]),
        ("127.0.0.1,::1:7206 stream tcp nowait root /bin/cat", [("tcp", "127.0.0.1", "7206", None), ("tcp", "::1", "7206", True)]),
        ("[::1]:7207 stream tcp nowait root /bin/cat cat", [("tcp", "::1", "7207", True)]),
        ("inner:\n7209 stream tcp nowait root /bin/cat cat", [("tcp", "192.0.2.1", "7209", None)]),
        ("inner:\n*:\n7209 stream tcp4 nowait root /bin/cat cat", [("tcp", ANY, "7209", None)]),
        ("tftp\tdgram\tudp\twait\troot\tinternal", [("udp", ANY, "69", None), ("udp", "::", "69", False)]),
        ("rstatd/2-4 dgram rpc/udp wait root /usr/sbin/rpc.rstatd rpc.rstatd", []),
        ("/run/x stream unix nowait root /bin/cat cat", []),
        ("#7201 stream tcp nowait root /bin/cat cat", []),
    ],
)
def test_inetd_binds_each_address_family_of_a_service(line: str, expected: list[tuple[str, str, str, bool | None]]) -> None:
    assert (expected, []) == _inetd(f"{line}\n")


def test_what_inetd_cannot_read_is_told_and_the_rest_is_read() -> None:
    found, troubles = _inetd("nonsense stream tcp nowait root /bin/cat\nshort stream tcp\n80 stream tcp4 nowait root /bin/cat\n")

    assert [("tcp", ANY, "80", None)] == found
    assert ["/etc/inetd.conf:1:1", "/etc/inetd.conf:2:1"] == troubles


def test_inetd_reads_the_file_it_is_started_with() -> None:
    assert ([], []) == _inetd("80 stream tcp4 nowait root /bin/cat\n", "/usr/sbin/inetd -i /etc/other.conf")


SERVICE = (
    "service {name}\n{{\n type = UNLISTED\n port = 7101\n socket_type = stream\n wait = no\n user = nobody\n server = /bin/cat\n{more}}}\n"
)


def _xinetd(more: str = "", defaults: str = "", name: str = "a", file: str = "a") -> list[tuple[str, str, str, bool | None]]:
    main = f"defaults\n{{\n{defaults}}}\nincludedir /etc/xinetd.d\n"
    files = Files(MemoryTree({**NAMES, "/etc/xinetd.conf": main, f"/etc/xinetd.d/{file}": SERVICE.format(name=name, more=more)}))
    return _said(xinetd.read(Invocation("xinetd.service", (Word("/usr/sbin/xinetd", AT),), AT), files, {}))


@pytest.mark.parametrize(
    ("more", "defaults", "expected"),
    [
        ("", "", ("tcp", "*", "7101", None)),
        (" flags = IPv6\n", "", ("tcp", "*", "7101", None)),
        (" flags = IPv4\n", "", ("tcp", ANY, "7101", None)),
        (" bind = 127.0.0.1\n", "", ("tcp", "127.0.0.1", "7101", None)),
        (" interface = localhost\n", "", ("tcp", "127.0.0.1", "7101", None)),
        ("", " bind = inner\n", ("tcp", "192.0.2.1", "7101", None)),
        (" bind = 127.0.0.1\n", " bind = inner\n", ("tcp", "127.0.0.1", "7101", None)),
        (" protocol = udp\n socket_type = dgram\n", "", ("udp", "*", "7101", None)),
        (" disable = no\n", " enabled = a b\n", ("tcp", "*", "7101", None)),
        (" id = mine\n", " disabled = a\n", ("tcp", "*", "7101", None)),
    ],
)
def test_xinetd_binds_one_socket_for_a_service(more: str, defaults: str, expected: tuple[str, str, str, bool | None]) -> None:
    assert [expected] == _xinetd(more, defaults)


@pytest.mark.parametrize(
    ("more", "defaults"),
    [(" disable = yes\n", ""), (" disable=true\n", ""), ("", " disabled = a\n"), ("", " enabled = b\n"), (" type = RPC UNLISTED\n", "")],
)
def test_xinetd_binds_nothing_for_a_service_that_is_off_or_asks_the_portmapper(more: str, defaults: str) -> None:
    assert [] == _xinetd(more, defaults)


@pytest.mark.parametrize("file", ["a.rpmsave", "a~"])
def test_xinetd_passes_over_files_with_a_dot_or_a_tilde(file: str) -> None:
    assert [] == _xinetd(file=file)


def test_a_service_without_a_port_has_the_one_of_its_name() -> None:
    text = "service time\n{\n socket_type=stream\n protocol=tcp\n wait=no\n user=root\n}\n"
    files = Files(MemoryTree({**NAMES, "/etc/xinetd.conf": text}))

    (found,) = xinetd.read(Invocation("xinetd.service", (Word("/usr/sbin/xinetd", AT),), AT), files, {})

    assert isinstance(found, Endpoint)
    assert ("37", "/etc/xinetd.conf:1:9") == (str(found.ports), str(found.at))


@pytest.mark.parametrize("odd", ["\x85", "\xa0", "\u2028", " \x1c"])
def test_what_is_no_blank_in_c_is_a_word(odd: str) -> None:
    line = "7201 stream tcp4 nowait root /bin/cat cat"

    assert ([("tcp", ANY, "7201", None)], ["/etc/inetd.conf:1:" + str(len(odd))]) == _inetd(f"{odd}\n{line}\n")
