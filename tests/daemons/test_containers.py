"""podman-run(1), docker run --publish: the ports a container takes on the host."""

import pytest

from portwright.daemons import daemon_of
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ANY = "0.0.0.0"  # noqa: S104  expected, never bound

AT = Span.whole("/etc/systemd/system/web.service")


def _published(command: str) -> list[tuple[str, str, str, str | None]]:
    started = Invocation("web.service", tuple(Word(word, AT) for word in command.split()), AT)
    known = daemon_of(started)
    assert known is not None
    found = known.read(started, Files(MemoryTree({})), {})
    bound = [each for each in found if isinstance(each, Endpoint)]
    assert all(each.confidence == "likely" for each in bound)
    return [(each.protocol, each.address, str(each.ports) or "random", each.binds_as) for each in bound]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("run -p 8080:80 nginx", [("tcp", ANY, "8080")]),
        ("run -p8080:80 nginx", [("tcp", ANY, "8080")]),
        ("run -dp 8080:80 nginx", [("tcp", ANY, "8080")]),
        ("run --publish=127.0.0.1:53:53/udp nginx", [("udp", "127.0.0.1", "53")]),
        ("run --publish [::1]:8080:80 nginx", [("tcp", "::1", "8080")]),
        ("run -p 8000-8010:8000-8010/tcp nginx", [("tcp", ANY, "8000-8010")]),
        ("run -p 80 nginx", [("tcp", ANY, "random")]),
        ("run -p 127.0.0.1::80 nginx", [("tcp", "127.0.0.1", "random")]),
        ("--log-level debug run --rm -it --name web -e A=1 -p 80:80 -p 443:443 x", [("tcp", ANY, "80"), ("tcp", ANY, "443")]),
        ("run --read-only -p 80:80 --label a=b nginx -p 81:81", [("tcp", ANY, "80")]),
        ("run --network host -p 80:80 nginx", []),
        ("run --net=host -p 80:80 nginx", []),
        ("run -p 80:80/sctp nginx", []),
        ("run nginx -p 80:80", []),
        ("start -a web", []),
        ("run -p notaport:80 nginx", []),
    ],
)  # fmt: skip
def test_podman_binds_what_is_published_as_whoever_runs_it(arguments: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(*each, None) for each in expected] == _published(f"/usr/bin/podman {arguments}")


def test_docker_publishes_on_both_families_as_root() -> None:
    assert [("tcp", ANY, "80", "root"), ("tcp", "::", "80", "root")] == _published("/usr/bin/docker run -p 80:80 nginx")
    assert [("tcp", "127.0.0.1", "80", "root")] == _published("/usr/bin/docker run -p 127.0.0.1:80:80 nginx")


def test_kube_play_publishes_too() -> None:
    assert [("tcp", ANY, "80", None)] == _published("/usr/bin/podman kube play --replace --publish 80:80 web.yaml")
