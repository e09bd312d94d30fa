"""A user who lingers has a systemd manager from boot on; what it starts is the user's (loginctl(1), systemd.unit(5))."""

from portwright.facts import Listener
from portwright.host.reading import read_host
from portwright.trees.memory import MemoryTree

HOST = {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nsvc:x:1000:1000::/home/svc:/bin/sh\n",
    "/usr/lib/systemd/system/user@.service": "[Service]\nUser=%i\nExecStart=/lib/systemd/systemd --user\n",
    "/var/lib/systemd/linger/svc": "",
    "/etc/default/x": "PORT=8080\n",
}
WEB = {
    "/home/svc/.config/systemd/user/web.service": "[Service]\nUser=root\nExecStart=/usr/bin/socat TCP-LISTEN:80 FILE:%h/x\n",
    "/home/svc/.config/systemd/user/default.target.wants/web.service": "-> ../web.service",
}


def listeners(files: dict[str, str], without: str = "-") -> tuple[Listener, ...]:
    kept = {path: text for path, text in {**HOST, **files}.items() if path != without}
    return read_host(MemoryTree(kept), "h").listeners


def test_the_units_of_a_user_who_lingers_start_at_boot_as_that_user() -> None:
    (found,) = listeners(WEB)

    assert ("user@1000.service", "boot", "svc", "80") == (found.unit, found.starts, found.bind_user, str(found.ports))
    assert "svc lingers (/var/lib/systemd/linger/svc:1:1), and in the user's manager default.target wants it" in found.why


def test_a_user_s_service_may_bind_no_low_port_whatever_user_it_asks_for() -> None:
    (found,) = listeners(WEB)

    assert (False, "EACCES") == (found.can_bind, found.error)


def test_units_of_a_user_who_does_not_linger_are_nobody_s() -> None:
    assert () == listeners(WEB, without="/var/lib/systemd/linger/svc")


def test_units_for_every_user_are_those_of_each_user_who_lingers() -> None:
    (found,) = listeners({
        "/etc/systemd/user/default.target.wants/web.service": "-> /usr/lib/systemd/user/web.service",
        "/usr/lib/systemd/user/web.service": "[Service]\nExecStart=/usr/bin/socat TCP-LISTEN:8080 -\n",
    })  # fmt: skip

    assert ("user@1000.service", "svc", True) == (found.unit, found.bind_user, found.can_bind)


def test_a_user_s_own_unit_wins_over_one_for_every_user() -> None:
    (found,) = listeners({**WEB, "/usr/lib/systemd/user/web.service": "[Service]\nExecStart=/usr/bin/socat TCP-LISTEN:8080 -\n"})

    assert "80" == str(found.ports)


def test_sockets_of_a_user_are_bound_by_the_user_s_manager() -> None:
    (found,) = listeners({
        "/etc/systemd/user/sockets.target.wants/a.socket": "-> /etc/systemd/user/a.socket",
        "/etc/systemd/user/a.socket": "[Socket]\nListenStream=127.0.0.1:99\n",
        "/etc/systemd/user/a.service": "[Service]\nExecStart=/bin/cat\n",
    })  # fmt: skip

    assert ("user@1000.service", "svc", False, "EACCES") == (found.unit, found.bind_user, found.can_bind, found.error)


def test_a_unit_the_user_did_not_enable_is_started_by_hand() -> None:
    (found,) = listeners({path: text for path, text in WEB.items() if "wants" not in path})

    assert "manual" == found.starts


def test_a_copy_without_the_file_of_the_manager_has_the_manager_all_the_same() -> None:
    (found,) = listeners(WEB, without="/usr/lib/systemd/system/user@.service")

    assert ("user@1000.service", "boot", "svc", False) == (found.unit, found.starts, found.bind_user, found.can_bind)
