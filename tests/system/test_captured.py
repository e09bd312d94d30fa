"""What the lists in `.portwright/` say, in each form their commands print."""

import pytest

from portwright.source import Span, Unreadable
from portwright.system.host_files.captures import Address, Captured, addresses, captured
from portwright.trees import Files
from portwright.trees.memory import MemoryTree


def read(**lists: str) -> tuple[Captured, tuple[Unreadable, ...]]:
    files = Files(MemoryTree({f"/.portwright/{name}": text for name, text in lists.items()}))
    return captured(files), files.unreadable


def line(path: str, number: int, text: str) -> Span:
    return Span(path, number, 1, number, len(text) + 1)


def test_of_a_list_that_is_missing_nothing_is_known() -> None:
    assert (Captured(), ()) == read()
    assert (None, None, False, None, None, None) == (
        Captured().filecaps,
        Captured().setuid,
        Captured().packages_known,
        Captured().kernel,
        Captured().addresses,
        Captured().sysctl,
    )


def test_a_list_that_is_empty_says_that_there_is_nothing() -> None:
    known, unreadable = read(filecaps="", setuid="\n", packages="", kernel="", addresses="", sysctl="")

    assert ({}, frozenset(), {}, True, None, (), {}) == (
        known.filecaps,
        known.setuid,
        known.packages,
        known.packages_known,
        known.kernel,
        known.addresses,
        known.sysctl,
    )
    assert () == unreadable


@pytest.mark.parametrize(
    ("text", "path", "capabilities"),
    [
        ("/usr/bin/ping cap_net_raw=ep", "/usr/bin/ping", "cap_net_raw=ep"),
        ("/usr/bin/ping = cap_net_raw+ep", "/usr/bin/ping", "cap_net_raw+ep"),
        ("/usr/bin/x cap_net_admin,cap_net_raw=ep", "/usr/bin/x", "cap_net_admin,cap_net_raw=ep"),
        ("/usr/bin/x cap_chown=ep cap_fowner+i", "/usr/bin/x", "cap_chown=ep cap_fowner+i"),
        ("/usr/bin/x = cap_chown+ep cap_fowner+i", "/usr/bin/x", "cap_chown+ep cap_fowner+i"),
        ("/usr/bin/x cap_setpcap=eip", "/usr/bin/x", "cap_setpcap=eip"),
        ("/usr/bin/x =ep", "/usr/bin/x", "=ep"),
        ("/usr/bin/x =", "/usr/bin/x", "="),
        ("/usr/bin/x =ep cap_chown-e", "/usr/bin/x", "=ep cap_chown-e"),
        ("/opt/my app/run cap_net_raw=ep", "/opt/my app/run", "cap_net_raw=ep"),
        ("/opt/a = b/run = cap_net_raw+ep", "/opt/a = b/run", "cap_net_raw+ep"),
    ],
)
def test_file_capabilities_in_each_form_of_getcap(text: str, path: str, capabilities: str) -> None:
    assert ({path: capabilities}, ()) == (read(filecaps=text + "\n")[0].filecaps, read(filecaps=text + "\n")[1])


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("nginx 1.22.1-9+deb12u1", "nginx", "1.22.1-9+deb12u1"),
        ("libc6:amd64\t2.36-9", "libc6", "2.36-9"),
        ("base-files 12.4+deb12u15", "base-files", "12.4+deb12u15"),
        ("vim 2:9.0.1378-2", "vim", "2:9.0.1378-2"),
    ],
)
def test_a_package_has_a_name_and_a_version(text: str, name: str, version: str) -> None:
    known, unreadable = read(packages=text + "\n")

    assert ({name: version}, True, ()) == (known.packages, known.packages_known, unreadable)


def test_a_removed_package_has_no_version_and_is_not_installed() -> None:
    assert {"b": "1"} == read(packages="a\t\nb\t1\n")[0].packages


def test_setuid_programs_are_a_set_of_paths() -> None:
    assert frozenset({"/usr/bin/sudo", "/opt/a b"}) == read(setuid="/usr/bin/sudo\n/opt/a b\n")[0].setuid


def test_the_kernel_is_its_release() -> None:
    assert "6.1.0-18-amd64" == read(kernel="6.1.0-18-amd64\n")[0].kernel


_FOREVER = "\\       valid_lft forever preferred_lft forever"


@pytest.mark.parametrize(
    ("text", "interface", "family", "address", "prefix", "scope"),
    [
        ("1: lo    inet 127.0.0.1/8 scope host lo", "lo", "inet", "127.0.0.1", 8, "host"),
        (f"2: ens3    inet 10.0.0.7/24 brd 10.0.0.255 scope global dynamic ens3{_FOREVER}", "ens3", "inet", "10.0.0.7", 24, "global"),
        (f"2: ens3    inet6 fe80::5054:ff:fe12:3456/64 scope link {_FOREVER}", "ens3", "inet6", "fe80::5054:ff:fe12:3456", 64, "link"),
        ("1: lo    inet6 ::1/128 scope host lo", "lo", "inet6", "::1", 128, "host"),
        ("3: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0", "tun0", "inet", "10.8.0.1", 32, "global"),
        ("2: tun0    inet 10.8.0.1 scope global tun0", "tun0", "inet", "10.8.0.1", 32, "global"),
        ("5: eth0@if6    inet 172.17.0.2/16 scope global eth0", "eth0", "inet", "172.17.0.2", 16, "global"),
    ],
)
def test_an_address_of_an_interface(text: str, interface: str, family: str, address: str, prefix: int, scope: str) -> None:
    at = line("/.portwright/addresses", 1, text)

    assert (Address(interface, family, address, prefix, scope, at),) == read(addresses=text + "\n")[0].addresses  # type: ignore[arg-type]


def test_running_values_have_single_blanks_and_the_place_of_the_value() -> None:
    text = "kernel.hostname = web1\nnet.ipv4.ip_local_port_range = 32768\t60999\nnet.ipv4.ip_local_reserved_ports = \n"
    known, unreadable = read(sysctl=text)

    assert known.sysctl is not None
    assert {"kernel.hostname": "web1", "net.ipv4.ip_local_port_range": "32768 60999", "net.ipv4.ip_local_reserved_ports": ""} == {
        key: word.text for key, word in known.sysctl.items()
    }
    assert Span("/.portwright/sysctl", 2, 32, 2, 43) == known.sysctl["net.ipv4.ip_local_port_range"].at
    assert () == unreadable


def test_what_sysctl_prints_besides_values_is_left_out() -> None:
    known, unreadable = read(sysctl="sysctl: permission denied on key 'fs.protected_fifos'\ndev.cdrom.info = a\ndev.cdrom.info = b\n")

    assert (["a"], ()) == ([word.text for word in (known.sysctl or {}).values()], unreadable)


@pytest.mark.parametrize("folder", ["/.portwright/proc/sys", "/proc/sys"])
def test_a_copied_proc_sys_gives_running_values(folder: str) -> None:
    tree = MemoryTree(
        {
            f"{folder}/net/ipv4/ip_local_port_range": "32768\t60999\n",
            f"{folder}/net/ipv4/conf/eth0.100/rp_filter": "2\n",
            f"{folder}/net/core/somaxconn": "4096\n",
        }
    )
    running = captured(Files(tree)).sysctl

    assert running is not None
    assert ("32768 60999", Span(f"{folder}/net/ipv4/ip_local_port_range", 1, 1, 1, 12)) == (
        running["net.ipv4.ip_local_port_range"].text,
        running["net.ipv4.ip_local_port_range"].at,
    )
    assert ["net.core.somaxconn", "net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.ip_local_port_range"] == list(running)
    assert "2" == running["net.ipv4.conf.eth0/100.rp_filter"].text
    assert (None, False, True, 3) == (running.get("net.ipv4"), "net.nothing" in running, "net.core.somaxconn" in running, len(running))


def test_a_listing_comes_before_a_copied_proc_sys() -> None:
    tree = MemoryTree({"/.portwright/sysctl": "a.b = 1\n", "/proc/sys/a/b": "2\n"})

    assert ["1"] == [word.text for word in (captured(Files(tree)).sysctl or {}).values()]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("filecaps", "usr/bin/x cap_net_raw=ep", "not a path and its capabilities, as `getcap -r` prints them"),
        ("filecaps", "/usr/bin/x", "not a path and its capabilities, as `getcap -r` prints them"),
        ("filecaps", "/usr/bin/x CAP?=ep", "not a path and its capabilities, as `getcap -r` prints them"),
        ("setuid", "-rwsr-xr-x 1 root root 5 sudo", "not an absolute path"),
        ("packages", "nginx", "not a package's name and version"),
        ("packages", "ii nginx 1.2 amd64", "not a package's name and version"),
        ("kernel", "Linux web1 6.1.0", "not a kernel release, as `uname -r` prints it"),
        ("addresses", "2: ens3: <BROADCAST,UP> mtu 1500 qdisc noqueue", "not an address, as `ip -o addr` prints it"),
        ("addresses", "2: ens3 inet 10.0.0.256/24 scope global", "not an address, as `ip -o addr` prints it"),
        ("addresses", "2: ens3 inet 10.0.0.1/33 scope global", "not an address, as `ip -o addr` prints it"),
        ("addresses", "2: ens3 inet 10.0.0.01/24 scope global", "not an address, as `ip -o addr` prints it"),
        ("addresses", "2: ens3 inet6 1::2::3/64 scope global", "not an address, as `ip -o addr` prints it"),
        ("addresses", "2: ens3 inet6 fe80::1:/64 scope link", "not an address, as `ip -o addr` prints it"),
        ("addresses", "2: ens3 inet6 zz::1/64 scope global", "not an address, as `ip -o addr` prints it"),
        ("addresses", "inet 10.0.0.1/24", "not an address, as `ip -o addr` prints it"),
        ("sysctl", "net.ipv4.ip_forward", "not key = value, as `sysctl -a` prints it"),
        ("sysctl", "two words = 1", "not key = value, as `sysctl -a` prints it"),
    ],
)
def test_a_line_in_another_form_is_said_and_the_rest_is_read(name: str, text: str, reason: str) -> None:
    known, unreadable = read(**{name: f"\n{text}\n", "setuid" if name == "kernel" else "kernel": "" if name == "kernel" else "6.1\n"})

    assert (Unreadable(line(f"/.portwright/{name}", 2, text), reason),) == unreadable
    assert (None if name == "kernel" else "6.1") == known.kernel


def test_a_list_of_nothing_but_odd_lines_is_said_in_few_words() -> None:
    known, unreadable = read(setuid="odd\n" * 100_000 + "/usr/bin/sudo\n")

    assert frozenset({"/usr/bin/sudo"}) == known.setuid
    assert 21 == len(unreadable)
    assert Unreadable(Span.whole("/.portwright/setuid"), "99980 more lines are not an absolute path") in unreadable


def test_a_list_that_is_a_directory_is_said() -> None:
    files = Files(MemoryTree({"/.portwright/packages/x": ""}))

    assert False is captured(files).packages_known
    assert (Unreadable(Span.whole("/.portwright/packages"), "is a directory"),) == files.unreadable


def test_a_line_of_very_many_clauses_is_read() -> None:
    clauses = " ".join(["=ep"] * 100_000)

    assert {"/x": clauses} == read(filecaps=f"/x {clauses}\n")[0].filecaps


def test_where_no_list_of_packages_is_dpkg_tells_them() -> None:
    status = (
        "Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9\nDescription: a server\n Version: 9\n\n"
        "Package: old\nStatus: deinstall ok config-files\nVersion: 1.0\n\n"
        "Package: half\nStatus: install ok half-configured\nVersion: 2\n"
    )
    files = Files(MemoryTree({"/var/lib/dpkg/status": status}))

    assert ({"nginx": "1.22.1-9"}, True) == (captured(files).packages, captured(files).packages_known)


def test_a_list_of_packages_comes_before_what_dpkg_tells() -> None:
    status = "Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9\n"

    assert {} == captured(Files(MemoryTree({"/var/lib/dpkg/status": status, "/.portwright/packages": ""}))).packages


@pytest.mark.parametrize(
    ("cmdline", "column"),
    [
        ("quiet ipv6.disable=1 splash", 7),
        ("ipv6.disable=0 ipv6.disable=1", 16),
        ("ipv6.disable=1 ipv6.disable=0", None),
        ("ipv6.disable_ipv6=1 quiet", None),
        ("", None),
    ],
)
def test_a_kernel_command_line_may_leave_ipv6_out(cmdline: str, column: int | None) -> None:
    found = read(cmdline=f"{cmdline}\n")[0].no_ipv6

    assert column == (None if found is None else found.column)


def test_the_addresses_alone_can_be_asked_for() -> None:
    text = "1: lo    inet 127.0.0.1/8 scope host lo\n"
    files = Files(MemoryTree({"/.portwright/addresses": text}))

    assert captured(files).addresses == addresses(files)
    assert None is addresses(Files(MemoryTree({})))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2: eth0    inet6 fe80::1/64 scope link ", "fe80::1%eth0"),
        ("2: eth0    inet6 2001:db8::1/64 scope global ", "2001:db8::1"),
        ("2: eth0    inet 169.254.0.7/16 scope link eth0", "169.254.0.7"),
    ],
)
def test_a_link_local_ipv6_address_is_bound_with_its_interface(text: str, expected: str) -> None:
    (found,) = read(addresses=f"{text}\n")[0].addresses or ()

    assert expected == found.scoped


def test_what_sos_kept_of_commands_stands_for_the_lists() -> None:
    sos = "/sos_commands"
    files = Files(
        MemoryTree(
            {
                f"{sos}/kernel/sysctl_-a": "net.ipv4.ip_local_port_range = 1024\t65000\n",
                f"{sos}/kernel/uname_-a": "Linux ctl1 3.10.0-1160.el7.x86_64 #1 SMP x86_64 GNU/Linux\n",
                f"{sos}/networking/ip_-o_addr": "2: eth0    inet 192.0.2.30/24 scope global eth0\n",
                "/installed-rpms": "squid-3.5.20-17.el7_9.x86_64    Mon Mar  4 10:00:00 2024\n",
            }
        )
    )
    known = captured(files)

    assert known.sysctl is not None
    assert "1024 65000" == known.sysctl["net.ipv4.ip_local_port_range"].text
    assert ("3.10.0-1160.el7.x86_64", {"squid": "3.5.20-17.el7_9"}) == (known.kernel, known.packages)
    assert ["192.0.2.30"] == [each.address for each in known.addresses or ()]
    assert () == files.unreadable


def test_a_list_of_our_own_counts_before_what_sos_kept() -> None:
    files = Files(MemoryTree({"/.portwright/kernel": "6.1.0-18-amd64\n", "/sos_commands/kernel/uname_-a": "Linux a 3.10.0 #1\n"}))

    assert "6.1.0-18-amd64" == captured(files).kernel


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT -APPARMOR default-hierarchy=unified\n", "252.39-1~deb12u1"),
        ("systemd 219\n-PAM\n", "219"),
        ("257.4\n", "257.4"),
        ("", None),
    ],
)
def test_the_release_of_systemd_is_what_it_says_itself(text: str, release: str | None) -> None:
    known, unreadable = read(systemd=text)

    assert (release, ()) == (known.systemd, unreadable)


@pytest.mark.parametrize("text", ["systemd", "systemd new", "System V 1 2", "  "])
def test_what_is_no_release_of_systemd_is_told(text: str) -> None:
    known, unreadable = read(systemd=text)

    assert known.systemd is None
    assert bool(text.strip()) == bool(unreadable)
