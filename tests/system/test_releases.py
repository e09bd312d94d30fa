"""Which release a host has, and what is in it: captured, installed, or shipped by the distribution."""

import pytest

from portwright.system.releases.of_host import kernel, systemd
from portwright.system.releases.since import KERNEL, SYSTEMD, VALUES, enforces_socket_bind, questioned_settings, unread_setting
from portwright.system.releases.unit_settings import SINCE
from portwright.system.sysctl.kernel import missing, starts_with
from portwright.trees import Files
from portwright.trees.memory import MemoryTree


def _files(system: str = "", **more: str) -> Files:
    name, _, version = system.partition(" ")
    tree = {"/etc/os-release": f'ID="{name}"\nVERSION_ID="{version}"\n'} if system else {}
    return Files(MemoryTree({**tree, **{f"/.portwright/{each}": f"{text}\n" for each, text in more.items()}}))


@pytest.mark.parametrize(
    ("release", "accept_queue", "reuse"),
    [
        ("5.3.18-150300.59.106-default", ("128", True), ("2", True)),
        ("3.10.0-1160.el7.x86_64", ("128", True), ("0", True)),
        ("4.15.0-112-generic", ("128", True), ("0", True)),
        ("4.19.0-5-amd64", ("128", True), ("2", True)),
        ("4.18.0-553.el8.x86_64", ("128", True), ("2", False)),
        ("5.4.0-200-generic", ("4096", True), ("2", True)),
        ("6.1", ("4096", True), ("2", True)),
        ("unknown", ("4096", False), ("2", False)),
        ("٦.1", ("4096", False), ("2", False)),
    ],
)
def test_a_default_is_that_of_the_captured_kernel(release: str, accept_queue: tuple[str, bool], reuse: tuple[str, bool]) -> None:
    found = kernel(_files(kernel=release))

    assert accept_queue == starts_with("net.core.somaxconn", "4096", found)
    assert reuse == starts_with("net.ipv4.tcp_tw_reuse", "2", found)
    assert ("10", True) == starts_with("net.ipv4.tcp_fin_timeout", "10", found)


@pytest.mark.parametrize(
    ("system", "reuse"),
    [("ubuntu 18.04", ("0", False)), ("debian 13", ("2", False)), ("centos 7.9", ("0", False)), ("mine 1", ("2", False))],
)
def test_a_default_by_the_distribution_is_never_sure_where_another_kernel_had_another(system: str, reuse: tuple[str, bool]) -> None:
    assert reuse == starts_with("net.ipv4.tcp_tw_reuse", "2", kernel(_files(system)))


@pytest.mark.parametrize(
    ("system", "release", "key", "reason"),
    [
        ("centos 7", "", "net.ipv4.ip_unprivileged_port_start", "it came with Linux 4.11, and this host has 3.10.0-1160"),
        ("ubuntu 16.04", "", "net.ipv4.ip_unprivileged_port_start", ""),
        ("ubuntu 16.04", "4.4.0-21", "net.ipv4.ip_unprivileged_port_start", "it came with Linux 4.11, and this host has 4.4.0-21"),
        ("centos 7", "", "net.ipv4.tcp_tw_recycle", ""),
        ("debian 9", "", "net.ipv4.tcp_tw_recycle", ""),
        ("debian 12", "", "net.ipv4.tcp_tw_recycle", "it was removed in Linux 4.12, and this host has 6.1"),
        ("debian 12", "", "net.ipv4.tcp_tw_reuse_delay", "it came with Linux 6.14, and this host has 6.1"),
        ("", "6.18.1", "net.ipv4.tcp_tw_reuse_delay", ""),
        ("", "", "net.ipv4.ip_autobind_reuse", ""),
        # What old guides for tuning still set.
        ("debian 12", "", "net.ipv4.tcp_bic", "it was removed in Linux 2.6.14, and this host has 6.1"),
        ("centos 7", "", "net.ipv4.tcp_frto_response", "it was removed in Linux 3.10, and this host has 3.10.0-1160"),
        ("ubuntu 16.04", "", "net.ipv4.tcp_thin_dupack", ""),
        ("ubuntu 22.04", "", "net.ipv4.tcp_thin_dupack", "it was removed in Linux 4.11, and this host has 5.15"),
        ("debian 11", "", "net.ipv4.tcp_abc", "it was removed in Linux 3.9, and this host has 5.10"),
        ("debian 12", "6.1.0-18-amd64", "net.ipv4.tcp_plb_enabled", "it came with Linux 6.2, and this host has 6.1.0-18-amd64"),
        ("debian 12", "", "net.ipv4.tcp_plb_enabled", ""),
        ("debian 8", "3.16.0-4-amd64", "net.ipv4.tcp_ecn_fallback", "it came with Linux 4.1, and this host has 3.16.0-4-amd64"),
        # Red Hat and SUSE take such keys into old kernels.
        ("centos 7", "", "net.ipv4.tcp_notsent_lowat", ""),
        ("sles 12", "", "net.ipv4.tcp_notsent_lowat", ""),
        ("sles 15", "", "net.ipv4.tcp_tw_recycle", "it was removed in Linux 4.12, and this host has 4.12"),
        ("amzn 2", "", "net.ipv4.tcp_rto_min_us", "it came with Linux 6.11, and this host has 4.14"),
    ],
)  # fmt: skip
def test_a_key_that_a_kernel_surely_lacks_is_told_with_its_releases(system: str, release: str, key: str, reason: str) -> None:
    found = kernel(_files(system, **({"kernel": release} if release else {})))

    assert (f"no such key: {reason}" if reason else "") == missing(key.replace(".", "/"), found)


@pytest.mark.parametrize(
    ("system", "packages", "text", "enforced"),
    [
        ("debian 12", "systemd 252.39-1~deb12u1", "252.39-1~deb12u1", False),
        ("debian 13", "systemd 257.13-1~deb13u1", "257.13-1~deb13u1", True),
        ("debian 13", "", "257", True),
        ("ubuntu 24.04", "", "255", False),
        ("ubuntu 18.04", "", "237", False),
        ("rocky 9.4", "", "252", None),
        ("centos 7", "systemd 219-78.el7_9.9", "219-78.el7_9.9", False),
    ],
)
def test_socket_bind_deny_counts_where_systemd_is_built_for_it(system: str, packages: str, text: str, enforced: bool | None) -> None:
    found = systemd(_files(system, **({"packages": packages} if packages else {})))

    assert found is not None
    assert text == found.text
    assert enforced is enforces_socket_bind(found)


@pytest.mark.parametrize(
    ("system", "command", "reason"),
    [
        ("centos 7", "vault server", "the program of ExecStart= has no absolute path, so this systemd ignores the line"),
        ("centos 7", "-+/usr/bin/vault", "the + before the program of ExecStart= is unknown to this systemd, which ignores the line"),
        ("centos 7", "@-/usr/bin/vault v", ""),
        ("debian 12", "vault server", ""),
        ("debian 12", "+/usr/bin/vault", ""),
        ("debian 12", ":/usr/bin/vault", ""),
        ("debian 12", "|/usr/bin/vault", "the | before the program of ExecStart= is unknown to this systemd, which ignores the line"),
        ("", "|vault", ""),
    ],
)
def test_a_command_that_an_older_systemd_cannot_read_is_told(system: str, command: str, reason: str) -> None:
    assert reason == unread_setting("ExecStart", command, systemd(_files(system))).partition(": it came")[0]


def test_every_row_of_the_kernel_says_where_it_is_from() -> None:
    assert [] == [name for name, row in KERNEL.items() if not row.source]


@pytest.mark.parametrize("system", ["debian 8", "debian 12", "debian 13", "ubuntu 16.04", "centos 7", "fedora 41", ""])
def test_whatever_a_release_does_not_read_is_among_the_settings_that_are_asked_of_it(system: str) -> None:
    release = systemd(_files(system))
    values = {name.partition("=")[0]: name.partition("=")[2] for name in VALUES}
    tried = {**dict.fromkeys(SINCE, "yes"), **dict.fromkeys(SYSTEMD, "yes"), **values, "PrivateUsers": "identity", "ExecStart": "|vault"}

    assert {key for key, value in tried.items() if unread_setting(key, value, release)} <= questioned_settings(release)
