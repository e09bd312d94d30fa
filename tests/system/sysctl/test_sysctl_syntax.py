"""What a line means to both loaders: separators, prefixes, comments that are none, and names that name nothing."""

import pytest

from portwright.system.sysctl.settle import settle
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from tests.system.sysctl.hosts import PROBE, PROBE_DEFAULT, assignment, settled, sysctl, values

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
A = "/etc/sysctl.d/10-a.conf"


@pytest.mark.parametrize(
    "key",
    [
        "net.ipv4.tcp_fin_timeout",
        "net/ipv4/tcp_fin_timeout",
        "/net/ipv4/tcp_fin_timeout",
        "net//ipv4/tcp_fin_timeout",
        ".net.ipv4.tcp_fin_timeout",
    ],
)
def test_dots_or_slashes_separate_and_a_leading_one_does_no_harm(key: str) -> None:
    assert ("15", "15") == values({A: f"{key} = 15\n"})


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("net.ipv4/tcp_fin_timeout", "dots and slashes are mixed"),
        ("net/ipv4.tcp_fin_timeout", "dots and slashes are mixed"),
        ("/proc/sys/net/ipv4/tcp_fin_timeout", "names begin below /proc/sys"),
        ("Net.IPv4.tcp_fin_timeout", "names are case-sensitive"),
        ("net.ipv4.tcp_FIN_timeout", "names are case-sensitive"),
        ("\ufeffnet.ipv4.tcp_fin_timeout", "a byte order mark stands before the name"),
        ("net.ipv6.ip_local_port_range", "it is net.ipv4.ip_local_port_range"),
        ("net.ipv6.tcp_fin_timeout", "it is net.ipv4.tcp_fin_timeout"),
        ("net.ipv6.tcp_rmem", "the net.ipv4.tcp_rmem keys govern IPv6 too"),
        ("net.ipv4.somaxconn", "it is net.core.somaxconn"),
        ("net.ipv4.tcp_tw_recycle", "tcp_tw_recycle was removed from Linux 4.12"),
        ("tcp_fin_timeout", "tcp_fin_timeout alone is not a key, it is net.ipv4.tcp_fin_timeout"),
        ("ipv4.tcp_fin_timeout", "it begins with net.ipv4"),
        ("net.ipv4", "net.ipv4 is a directory"),
        ("net.ipv4.tcp fin timeout", "names contain no blanks and no quotes"),
        ("net.ipv4.conf.eth0.100.forwarding", "in an interface's name a slash stands for a dot, net.ipv4.conf.eth0/100.forwarding"),
    ],
)
def test_a_name_that_surely_names_nothing_is_ignored_by_both_with_the_reason(key: str, reason: str) -> None:
    host = {A: f"{key} = 15\nnet.ipv4.tcp_timestamps = 0\n"}

    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values(host)
    assert ("0", "0") == values(host, "net.ipv4.tcp_timestamps")
    found = assignment(host, A)
    assert ("ignored", True) == (found.outcome, found.reason.startswith(f"no such key: {reason}"))


@pytest.mark.parametrize(
    "key",
    ["net.ipv4.no_such_key", "net.ipv4.tcp_frto_response", "vendor.tunable", "net.netfilter.nf_conntrack_max", "net.ipv6.route.max_size"],
)
def test_of_other_unknown_names_nothing_is_said(key: str) -> None:
    assert "applied" == assignment({A: f"{key} = 15\n"}, A).outcome


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.eth0.rp_filter"),
        ("net/ipv4/conf/eth0/rp_filter", "net.ipv4.conf.eth0.rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
    ],
)
def test_an_interfaces_dot_is_a_slash_in_the_dotted_name(written: str, key: str) -> None:
    found = settled({A: f"{written} = 1\n"})

    assert (key, "applied") == (found.assignments[0].key, found.assignments[0].outcome)
    assert ["1"] == [one.boot for one in found.sysctls if one.key == key]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (PROBE, "not an assignment, no = in it; the line is skipped"),
        (f"{PROBE}: 15", "not an assignment, no = in it; the line is skipped"),
        ("[sysctl]", "there are no sections in sysctl.d files; the line is skipped"),
        ("= 15", "no key; the line is skipped"),
    ],
)
def test_a_line_that_is_no_assignment_is_skipped_and_told_and_the_rest_applies(line: str, reason: str) -> None:
    files = Files(MemoryTree({A: f"{line}\nnet.ipv4.tcp_timestamps = 0\n"}))
    found = settle(files)

    assert ["0"] == [one.boot for one in found.sysctls if one.key == "net.ipv4.tcp_timestamps"]
    assert [(f"{A}:1:1", reason)] == [(str(unreadable.at), unreadable.reason) for unreadable in files.unreadable]
    assert (line, "", "ignored", reason) == (
        found.assignments[0].key,
        found.assignments[0].value,
        found.assignments[0].outcome,
        found.assignments[0].reason,
    )


def test_carriage_returns_before_newlines_do_no_harm() -> None:
    assert ("20000 50000", "20000 50000") == values({A: f"{RANGE} = 20000 50000\r\n{PROBE} = 15\r\n"}, RANGE)


def test_a_line_is_not_continued_the_backslash_is_written_to_the_kernel() -> None:
    host = {A: f"{RANGE} = 20000 \\\n50000\n"}

    assert ("32768 60999", "32768 60999") == values(host, RANGE)
    assert assignment(host, A).reason.endswith("a backslash does not continue a line")


@pytest.mark.parametrize(
    ("key", "text", "left"),
    [
        (PROBE, "15 # x", "15"),
        (RANGE, "20000 50000 # x", "20000 50000"),
        (RANGE, "20000 50000# x", "32768 60999"),
        (RESERVED, "8080 # app", ""),
        (RANGE, '"20000 50000"', "32768 60999"),
        (RESERVED, "'8080'", ""),
    ],
)
def test_there_are_no_comments_after_a_value_and_no_quotes_the_kernel_gets_all_of_it(key: str, text: str, left: str) -> None:
    assert (left, left) == values({A: f"{key} = {text}\n"}, key)


def test_a_refused_comment_or_quote_is_named_in_the_reason() -> None:
    assert assignment({A: f"{RESERVED} = 8080 # app\n"}, A).reason.endswith(
        "comments after a value are not supported, the text is written unchanged"
    )
    assert assignment({A: f"{RANGE} = '1 2'\n"}, A).reason.endswith("quotes are written to the kernel unchanged")


@pytest.mark.parametrize("mark", ["#", ";"])
def test_a_comment_is_a_line_that_begins_with_a_hash_or_a_semicolon_blanks_before_it_allowed(mark: str) -> None:
    assert ((PROBE_DEFAULT, PROBE_DEFAULT), ()) == (
        values({A: f"  {mark} {PROBE} = 15\n"}),
        settled({A: f"  {mark}{PROBE} = 15\n"}).assignments,
    )


def test_a_minus_before_a_key_with_a_value_changes_nothing_about_the_value() -> None:
    assert ("15", "15") == values({A: f"-{PROBE} = 15\n"})
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({A: f"-{PROBE} = x\n"})
    assert "rejected" == assignment({A: f"-{PROBE} = x\n"}, A).outcome


def test_a_blank_after_the_minus_is_part_of_the_name_for_procps() -> None:
    host = {A: f"- {PROBE} = 15\n", "/etc/sysctl.conf": f"{PROBE} = 20\n"}
    later = {A: f"- {PROBE} = 15\n", "/etc/sysctl.d/.05.conf": f"{PROBE} = 20\n"}

    assert ("15", "20") == values(host)
    assert ("15", "20") == values(later)  # procps reads the hidden file before A, and then has nothing to write for A


def test_everything_after_the_first_equals_sign_is_value() -> None:
    assert [("kernel.x", "a = b")] == [(one.key, one.value) for one in settled({A: "kernel.x = a = b\n"}).assignments]


def test_a_lone_carriage_return_or_a_nul_ends_a_line_for_systemd_only() -> None:
    assert ("15", "15") == values({A: f"{PROBE} = 15\rnet.ipv4.tcp_timestamps = 0\n"})
    assert ("0", "0") == values({A: f"{PROBE} = 15\0net.ipv4.tcp_timestamps = 0\n"}, "net.ipv4.tcp_timestamps")
    hidden = {"/etc/sysctl.d/.a.conf": f"{PROBE} = 15\0net.ipv4.tcp_timestamps = 0\n"}
    assert (("60", "15"), ("1", "1")) == (values(hidden), values(hidden, "net.ipv4.tcp_timestamps"))


def test_a_span_covers_the_line_from_prefix_to_value() -> None:
    found = sysctl({A: f"# x\n  -{PROBE} = 15  \n"})

    assert (2, 3, 2, 3 + len(f"-{PROBE} = 15")) == (found.at.line, found.at.column, found.at.end_line, found.at.end_column)


def test_a_key_with_parent_directories_is_refused_by_systemd_and_walked_by_procps() -> None:
    assert (PROBE_DEFAULT, "15") == values({A: "net/ipv4/../ipv4/tcp_fin_timeout = 15\n"})


@pytest.mark.parametrize(
    "text", ["=" * 5000, "\udcff\udcfe=1\n", "-\n-=\n=\n", "a" * 2_000_000, "\0" * 10_000, "[" * 10_000 + "*=1", "../../etc/passwd = 1\n"]
)
def test_hostile_files_are_read_to_the_end_without_a_traceback(text: str) -> None:
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({A: text})


def test_a_line_longer_than_systemd_reads_ends_the_file_and_is_told() -> None:
    files = Files(MemoryTree({A: f"{PROBE} = 15\n{RESERVED} = {'8080,' * 300_000}\nnet.ipv4.tcp_timestamps = 0\n"}))
    found = {one.key: one.boot for one in settle(files).sysctls}

    assert ("15", "", "1") == (found[PROBE], found[RESERVED], found["net.ipv4.tcp_timestamps"])
    assert [f"{A}:2:1"] == [str(unreadable.at) for unreadable in files.unreadable]
