"""Who wins between lines: systemd-sysctl keeps one value for a key and writes it once, procps writes line after line."""

import pytest

from portwright.facts import Overridden
from portwright.source import Source, Span, Word
from portwright.system.sysctl.settle import defaults, settle
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from tests.system.sysctl.hosts import PROBE, PROBE_DEFAULT, assignment, settled, sysctl, values

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
START = "net.ipv4.ip_unprivileged_port_start"
A, B, C = "/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/20-b.conf", "/etc/sysctl.d/30-c.conf"


# ── one value a key, written once ────────────────────────────────────────────────────────────────────────────────────


def test_an_invalid_later_value_erases_a_good_earlier_one_at_boot_but_not_on_reload() -> None:
    host = {"/usr/lib/sysctl.d/90-a.conf": f"{RANGE} = 20000 50000\n", "/etc/sysctl.d/95-b.conf": f"{RANGE} = 50000 20000\n"}
    found = sysctl(host, RANGE)

    assert ("32768 60999", "20000 50000") == (found.boot, found.reload)
    assert ("kernel.conf", "/usr/lib/sysctl.d/90-a.conf", True) == (found.at.path, found.reload_at.path, found.is_default)
    assert (
        Overridden(
            "50000 20000",
            Span("/etc/sysctl.d/95-b.conf", 1, 1, 1, 43),
            "the kernel rejects it with EINVAL: 50000 is above 20000",
        ),
        Overridden(
            "20000 50000",
            Span("/usr/lib/sysctl.d/90-a.conf", 1, 1, 1, 43),
            "/etc/sysctl.d/95-b.conf:1:1 replaces it, although the kernel rejects that value: systemd-sysctl uses only the last one; "
            "sysctl --system leaves it in force",
        ),
    ) == found.overridden
    assert ["rejected", "overridden"] == [
        assignment(host, path).outcome for path in ("/etc/sysctl.d/95-b.conf", "/usr/lib/sysctl.d/90-a.conf")
    ]


def test_a_refused_value_that_a_later_line_replaces_is_never_written_at_boot() -> None:
    host = {A: f'{RANGE} = "15000 64000"\n', B: f"{RANGE} = 15000 64000\n"}

    assert ("15000 64000", "15000 64000") == values(host, RANGE)
    assert "overridden" == assignment(host, A).outcome


def test_within_a_file_the_last_line_of_a_key_wins() -> None:
    host = {A: f"{PROBE} = 10\n{PROBE} = 20\n"}

    assert ("20", "20") == values(host)
    assert f"{A}:2:1 replaces it" == assignment(host, A, 1).reason


@pytest.mark.parametrize("spelling", ["net/ipv4/tcp_fin_timeout", "/net/ipv4/tcp_fin_timeout", "net//ipv4/tcp_fin_timeout"])
def test_two_spellings_of_a_key_are_one_key(spelling: str) -> None:
    host = {A: f"{PROBE} = 10\n", B: f"{spelling} = 20\n"}

    assert ("20", "20") == values(host)
    assert "overridden" == assignment(host, A).outcome


def test_the_same_value_again_keeps_its_place_in_the_order_of_writing() -> None:
    """The range is written where it first stood, before the start that would allow it."""
    host = {A: f"{RANGE} = 500 60000\n", B: f"{START} = 0\n", C: f"{RANGE} = 500 60000\n"}

    assert "32768 60999" == sysctl(host, RANGE).boot
    reason = "the kernel rejects it with EINVAL: 500 is below ip_unprivileged_port_start, 1024 when this is written"
    assert reason == assignment(host, C).reason


def test_a_changed_value_moves_its_key_to_the_end_of_the_order_of_writing() -> None:
    host = {A: f"{RANGE} = 2000 60000\n", B: f"{START} = 0\n", C: f"{RANGE} = 500 60000\n"}

    assert ("500 60000", "500 60000") == values(host, RANGE)


def test_two_lines_that_say_the_same_lose_nothing() -> None:
    host = {A: f"{PROBE} = 20\n", B: f"{PROBE} = 20\n"}

    assert ((), B) == (sysctl(host).overridden, sysctl(host).at.path)
    assert ("overridden", f"{B}:1:1 sets the same value") == (assignment(host, A).outcome, assignment(host, A).reason)


def test_reload_goes_on_from_what_boot_left() -> None:
    """The start that came too late for the range at boot is already in force when `sysctl --system` writes the range again."""
    host = {A: f"{RANGE} = 500 60000\n", B: f"{START} = 0\n"}

    assert ("32768 60999", "500 60000") == values(host, RANGE)


# ── reserved ports ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_reserved_ports_are_replaced_and_never_add_up() -> None:
    host = {A: f"{RESERVED} = 8080\n", B: f"{RESERVED} = 9090\n"}

    assert ("9090", "9090") == values(host, RESERVED)
    assert [("8080", f"{B}:1:1 replaces it")] == [(overridden.value, overridden.reason) for overridden in sysctl(host, RESERVED).overridden]


def test_an_empty_value_clears_reserved_ports_in_both() -> None:
    host = {A: f"{RESERVED} = 8080\n", B: f"{RESERVED} =\n"}

    assert ("", "") == values(host, RESERVED)
    assert (B, False) == (sysctl(host, RESERVED).at.path, sysctl(host, RESERVED).is_default)


# ── globs, exclusions, and what beats what ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "glob", ["net.ipv4.tcp_fin*", "net/ipv4/tcp_fin*", "net.ipv4.tcp_fin_time?ut", "net.*.tcp_fin_timeout", "net.ipv4.tcp_fi[mn]_*"]
)
def test_a_glob_sets_every_key_it_matches_in_both(glob: str) -> None:
    assert ("15", "15") == values({A: f"{glob} = 15\n"})


@pytest.mark.parametrize("glob", ["net*tcp_fin_timeout", "*", "net.ipv4.*.tcp_fin_timeout"])
def test_a_wildcard_does_not_reach_over_a_dot(glob: str) -> None:
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({A: f"{glob} = 15\n"})


@pytest.mark.parametrize("lines", ["net.ipv4.tcp_fin* = 15\n{probe} = 20\n", "{probe} = 20\nnet.ipv4.tcp_fin* = 15\n"])
def test_a_line_that_names_the_key_beats_a_glob_whatever_the_order(lines: str) -> None:
    host = {A: lines.format(probe=PROBE)}

    assert ("20", "20") == values(host)
    assert ["15"] == [overridden.value for overridden in sysctl(host).overridden]
    assert "names the key, which beats a glob" in sysctl(host).overridden[0].reason


def test_a_refused_line_that_names_the_key_still_keeps_the_glob_away() -> None:
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({A: f"net.ipv4.tcp_fin* = 15\n{PROBE} = x\n"})


def test_a_key_with_a_minus_and_no_value_is_kept_from_globs() -> None:
    host = {A: f"net.ipv4.tcp_fin* = 15\n-{PROBE}\n"}

    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values(host)
    assert [f"{A}:2:1 keeps it from globs"] == [overridden.reason for overridden in sysctl(host).overridden]


def test_a_key_with_a_minus_and_no_value_withdraws_an_earlier_line_at_boot_only() -> None:
    host = {A: f"{PROBE} = 20\n", B: f"-{PROBE}\n"}
    found = sysctl(host)

    assert (PROBE_DEFAULT, "20") == (found.boot, found.reload)
    assert [f"{B}:1:1 withdraws it; sysctl --system leaves it in force"] == [overridden.reason for overridden in found.overridden]
    assert ("20", "20") == values({A: f"-{PROBE}\n", B: f"{PROBE} = 20\n"})


def test_of_two_globs_the_one_written_last_wins() -> None:
    host = {A: "net.ipv4.tcp_fin* = 15\nnet.ipv4.tcp_fin_* = 16\n"}

    assert ("16", "16") == values(host)
    assert [("15", f"{A}:2:1 replaces it")] == [(overridden.value, overridden.reason) for overridden in sysctl(host).overridden]


def test_braces_are_alternatives_for_systemd_and_plain_text_for_procps() -> None:
    host = {A: "net.ipv4.{tcp_fin*,other} = 15\n", B: f"{PROBE} = 60\n"}

    assert "15" == sysctl({A: host[A]}).boot
    assert "60" == sysctl(host).boot  # named by B
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({A: "net.ipv4.{tcp_fin_timeout,other} = 15\n"})  # braces alone are no glob


def test_endless_braces_are_left_alone() -> None:
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({A: "net.ipv4.tcp_fin*" + "{a,b}" * 5000 + " = 15\n"})


def test_a_glob_is_also_held_against_the_keys_of_a_capture() -> None:
    running = {"net.ipv4.conf.eth0/1.rp_filter": Word("0", Span.whole("/.portwright/sysctl"))}
    files = Files(MemoryTree({A: "net.ipv4.conf.*.rp_filter = 2\n"}))
    found = {one.key: one for one in settle(files, running).sysctls}

    assert ("2", "0") == (found["net.ipv4.conf.eth0/1.rp_filter"].boot, found["net.ipv4.conf.eth0/1.rp_filter"].running)


def test_a_glob_stands_among_the_assignments_as_written() -> None:
    assert [("net.ipv4.conf.*.rp_filter", "2", "applied")] == [
        (one.key, one.value, one.outcome) for one in settled({A: "net.ipv4.conf.*.rp_filter = 2\n"}).assignments
    ]


# ── defaults and other keys ──────────────────────────────────────────────────────────────────────────────────────────


def test_keys_that_matter_are_listed_with_a_line_of_the_shipped_defaults_where_nobody_sets_them() -> None:
    found = {one.key: one for one in settled({}).sysctls}
    lines = {line.split(" =")[0]: number for number, line in enumerate(defaults().text.splitlines(), 1) if line and line[0] != "#"}

    assert sorted(lines) == list(found)
    assert {(Span("kernel.conf", lines[key], 1, lines[key], 2).line, True) for key in found} == {
        (one.at.line, one.is_default) for one in found.values()
    }
    assert ("32768 60999", "", "1024") == (found[RANGE].boot, found[RESERVED].boot, found[START].boot)


def test_the_shipped_defaults_are_a_source_that_spans_point_into() -> None:
    found = sysctl({}, RANGE)

    assert f"{RANGE} = 32768 60999" == defaults().line(found.at.line)
    assert isinstance(defaults(), Source)


def test_keys_that_are_not_ours_are_settled_as_plain_text() -> None:
    host = {A: "kernel.pid_max = 4194304\nfs.protected_links=1\nnet.ipv4.tcp_rmem = 4096\t131072   6291456\n"}
    found = {one.key: one.boot for one in settled(host).sysctls if not one.is_default}

    assert {"kernel.pid_max": "4194304", "fs.protected_links": "1", "net.ipv4.tcp_rmem": "4096 131072 6291456"} == found
    assert {"applied"} == {one.outcome for one in settled(host).assignments}


def test_a_key_of_unknown_default_that_boot_does_not_set_has_an_assignment_and_no_value() -> None:
    found = settled({"/etc/sysctl.conf": "kernel.pid_max = 4194304\n"})

    assert [] == [one for one in found.sysctls if one.key == "kernel.pid_max"]
    assert [("kernel.pid_max", "ignored")] == [(one.key, one.outcome) for one in found.assignments]


def test_writing_disable_ipv6_of_all_interfaces_writes_the_default_and_the_loopback_too() -> None:
    host = {A: "net.ipv6.conf.all.disable_ipv6 = 1\n"}

    assert ("1", "1") == values(host, "net.ipv6.conf.default.disable_ipv6")
    assert A == sysctl(host, "net.ipv6.conf.lo.disable_ipv6").at.path


def test_running_values_are_shown_as_the_kernel_prints_them_with_single_blanks() -> None:
    running = {RANGE: Word("20000\t50000", Span.whole("/.portwright/sysctl"))}
    found = {one.key: one.running for one in settle(Files(MemoryTree({})), running).sysctls}

    assert ("20000 50000", None) == (found[RANGE], found[START])


def test_every_assignment_but_an_applied_one_has_a_reason() -> None:
    host = {
        A: f"{RANGE} = 5 x\nnot a line\n{RESERVED} = 1\nnet.ipv4/x = 1\n",
        B: f"{RESERVED} = 2\n",
        "/etc/sysctl.d/x.bak": f"{PROBE} = 1\n",
        "/usr/lib/sysctl.d/20-b.conf": f"{PROBE} = 1\n",
    }
    found = settled(host).assignments

    assert ["rejected", "ignored", "overridden", "ignored", "applied", "ignored", "ignored"] == [one.outcome for one in found]
    assert [True, True, True, True, False, True, True] == [bool(one.reason) for one in found]
