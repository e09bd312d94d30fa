"""Measured on booted hosts: drop-ins that help or do not, sockets that clash, namespaces."""

import pytest

from portwright.facts import Listener
from portwright.finding import Finding
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.rules import check, load
from portwright.shipped import rules_directory
from portwright.trees.memory import MemoryTree

ETC, USR = "/etc/systemd/system", "/usr/lib/systemd/system"
NBS = "CAP_NET_BIND_SERVICE"
WITHHELD = ("User=svc", f"AmbientCapabilities={NBS}", "CapabilityBoundingSet=CAP_CHOWN")
ACCOUNTS = {"/etc/passwd": "root:x:0:0::/root:/bin/sh\nsvc:x:1000:1000::/home/svc:/bin/sh\n", "/.portwright/filecaps": ""}
WANTS = f"{ETC}/multi-user.target.wants"


def host(files: dict[str, str]) -> Host:
    return read_host(MemoryTree({**ACCOUNTS, **files}), "h")


def findings(files: dict[str, str], rule: str) -> tuple[Finding, ...]:
    return check(host(files), [each for each in load([rules_directory()]) if each.id == rule])


def service(command: str = "/usr/bin/socat TCP-LISTEN:80 -", *lines: str, name: str = "bt") -> dict[str, str]:
    text = "\n".join(("[Service]", f"ExecStart={command}", *lines, ""))
    return {f"{USR}/{name}.service": text, f"{WANTS}/{name}.service": f"-> {USR}/{name}.service"}


def socket(*lines: str, name: str = "sk") -> dict[str, str]:
    return {
        f"{ETC}/{name}.socket": "\n".join(("[Socket]", *lines, "")),
        f"{ETC}/{name}.service": "[Service]\nExecStart=/bin/cat\n",
        f"{ETC}/sockets.target.wants/{name}.socket": f"-> {ETC}/{name}.socket",
    }


def drop_in(*lines: str, name: str = "bt.service") -> dict[str, str]:
    return {f"{ETC}/{name}.d/50-own.conf": "\n".join(("[Service]", *lines, ""))}


def the_listener(files: dict[str, str]) -> Listener:
    (found,) = host(files).listeners
    return found


# ── 5.3: the smallest drop-ins that were verified ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (("User=svc", f"AmbientCapabilities={NBS}", f"CapabilityBoundingSet={NBS}", "NoNewPrivileges=yes"), "svc"),
        (("DynamicUser=yes", f"AmbientCapabilities={NBS}", f"CapabilityBoundingSet={NBS}", "NoNewPrivileges=yes"), "bt"),
        ((f"CapabilityBoundingSet={NBS}",), "root"),
    ],
)
def test_a_drop_in_that_leaves_a_service_only_the_capability_to_bind_is_enough(lines: tuple[str, ...], user: str) -> None:
    found = the_listener({**service(), **drop_in(*lines)})

    assert (user, True) == (found.bind_user, found.can_bind)


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        (("User=svc", f"AmbientCapabilities={NBS}"), False),
        (("User=svc", f"AmbientCapabilities={NBS}", f"CapabilityBoundingSet={NBS}"), True),
    ],
)
def test_an_ambient_capability_must_be_let_into_the_vendor_s_bounding_set(lines: tuple[str, ...], allowed: bool) -> None:
    vendor = service("/usr/bin/socat TCP-LISTEN:80 -", "CapabilityBoundingSet=CAP_CHOWN")

    assert allowed == the_listener({**vendor, **drop_in(*lines)}).can_bind


@pytest.mark.parametrize("prefix", ["+", "!"])
def test_a_user_in_a_drop_in_does_nothing_for_a_command_that_is_started_with_full_privileges(prefix: str) -> None:
    files = {**service(f"{prefix}/usr/bin/socat TCP-LISTEN:80 -"), **drop_in("User=svc")}

    assert ("root", True) == (the_listener(files).bind_user, the_listener(files).can_bind)


# ── 6: sockets ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ipv4_and_dual_stack_lines_of_one_socket_unit_clash() -> None:
    (found,) = findings(socket("ListenStream=0.0.0.0:8081", "ListenStream=[::]:8081"), "port-claimed-twice")

    assert ("sk.socket", "EADDRINUSE") == (found.subject.unit, found.predicts)


def test_ipv4_and_ipv6_only_lines_of_one_socket_unit_do_not_clash() -> None:
    lines = ("ListenStream=0.0.0.0:8081", "ListenStream=[::]:8081", "BindIPv6Only=ipv6-only")

    assert () == findings(socket(*lines), "port-claimed-twice")


def test_a_drop_in_adds_an_address_to_a_socket_unit_and_an_empty_one_moves_it() -> None:
    def ports(text: str) -> list[str]:
        files = {**socket("ListenStream=8081"), f"{ETC}/sk.socket.d/own.conf": f"[Socket]\n{text}"}
        return [str(each.ports) for each in host(files).listeners if each.unit == "sk.socket"]

    assert ["9091", "8081"] == sorted(ports("ListenStream=9091\n"), reverse=True)
    assert ["9091"] == ports("ListenStream=\nListenStream=9091\n")


def test_pid_1_sets_so_reuseaddr_always_and_so_reuseport_only_when_told() -> None:
    plain, shared = the_listener(socket("ListenStream=8081")), the_listener(socket("ListenStream=8081", "ReusePort=yes"))

    assert (True, False, True, True) == (plain.reuse_address, plain.reuse_port, shared.reuse_address, shared.reuse_port)


def test_a_socket_unit_in_the_ephemeral_range_is_a_listener_there_like_any_other() -> None:
    (found,) = findings(socket("ListenStream=45678"), "listener-in-ephemeral-range")

    assert "sk.socket" == found.subject.unit


def test_a_socket_unit_serves_a_low_port_to_a_service_with_no_privilege_at_all() -> None:
    harsh = drop_in(
        "DynamicUser=yes", "PrivateUsers=yes", "PrivateNetwork=yes", "CapabilityBoundingSet=", "RestrictAddressFamilies=AF_UNIX",
        name="sk.service",
    )  # fmt: skip

    found = the_listener({**socket("ListenStream=80"), **harsh})

    assert ("sk.socket", "sk.service", "root", True) == (found.unit, found.activates, found.bind_user, found.can_bind)


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        (service("/usr/bin/socat TCP-LISTEN:80 -", "User=svc"), "low-port-without-capability"),
        (socket("ListenStream=45678"), "listener-in-ephemeral-range"),
        (service("/bin/true", *WITHHELD), "ambient-capability-outside-bounding-set"),
    ],
)  # fmt: skip
def test_what_systemd_analyze_passes_without_a_word_is_found(files: dict[str, str], rule: str) -> None:
    assert [rule] == [found.card.id for found in findings(files, rule)]


def test_no_new_privileges_that_follows_from_another_setting_counts_though_systemctl_shows_what_is_written() -> None:
    # Re-measured with systemd 252: `systemctl show` says yes for DynamicUser=, and no for what merely implies it.
    known = host(service("/bin/true", "User=svc", "LockPersonality=yes")).privileges["bt.service"]

    assert known.no_new_privileges


# ── 7: network namespaces ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("line", ["PrivateNetwork=yes", "NetworkNamespacePath=/run/netns/blue"])
def test_a_unit_in_a_network_namespace_of_its_own_meets_the_kernel_s_defaults(line: str) -> None:
    lowered = {"/etc/sysctl.d/10-low.conf": "net.ipv4.ip_unprivileged_port_start = 80\n"}

    own = the_listener({**lowered, **service("/usr/bin/socat TCP-LISTEN:80 -", "User=svc", line)})
    hosts = the_listener({**lowered, **service("/usr/bin/socat TCP-LISTEN:80 -", "User=svc")})

    assert (True, False) == (own.private_network, own.can_bind)
    assert (False, True) == (hosts.private_network, hosts.can_bind)


def test_a_listener_in_a_network_namespace_of_its_own_takes_no_port_from_the_host() -> None:
    private = service("/usr/bin/socat TCP-LISTEN:8080 -", "PrivateNetwork=yes", name="a")

    assert () == findings({**private, **service("/usr/bin/socat TCP-LISTEN:8080 -", name="b")}, "port-claimed-twice")


def test_joining_a_namespace_does_nothing_for_a_unit_without_private_network() -> None:
    files = service("/usr/bin/socat TCP-LISTEN:8080 -", name="a")
    files[f"{USR}/a.service"] = f"[Unit]\nJoinsNamespaceOf=b.service\n{files[f'{USR}/a.service']}"

    assert not the_listener(files).private_network


def test_units_that_join_a_namespace_are_as_private_as_the_one_they_join() -> None:
    files = {
        **service("/usr/bin/socat TCP-LISTEN:8080 -", "PrivateNetwork=yes", name="a"),
        **service("/bin/cat", "PrivateNetwork=yes", name="b"),
    }
    files[f"{USR}/a.service"] = f"[Unit]\nJoinsNamespaceOf=b.service\n{files[f'{USR}/a.service']}"

    assert the_listener(files).private_network


@pytest.mark.parametrize(
    ("more", "confidence"),
    [
        ({}, "certain"),
        ({"/opt/other/run": ""}, "likely"),
        ({"/opt/app/run": ""}, "certain"),
    ],
)
def test_a_copy_that_may_lack_the_directory_a_service_is_started_in_makes_no_certain_claim(
    more: dict[str, str | bytes], confidence: str
) -> None:
    unit = "[Service]\nUser=root\nWorkingDirectory=/opt/app\nExecStart=/usr/bin/socat TCP-LISTEN:8080,fork EXEC:cat\n"
    files: dict[str, str | bytes] = {
        "/etc/systemd/system/x.service": unit,
        "/etc/systemd/system/multi-user.target.wants/x.service": "-> ../x.service",
        **more,
    }

    (listener,) = read_host(MemoryTree({**ACCOUNTS, **files}), "h").listeners

    assert confidence == listener.confidence
