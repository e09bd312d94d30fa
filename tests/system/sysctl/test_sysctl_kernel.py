"""What the kernel accepts for each key, in tables of measured facts, and held against the running kernel in a namespace."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.ports import PortSet
from portwright.system.sysctl.kernel import missing, normal, write
from tests.system.sysctl.hosts import assignment, settled, sysctl, values
from tests.system.sysctl.real import RANGE, RESERVED, START, fresh, writes

A, B, C = "/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/20-b.conf", "/etc/sysctl.d/30-c.conf"
FRESH = {RANGE: "32768 60999", RESERVED: "", START: "1024"}


def left(key: str, text: str) -> str | None:
    """What the key holds after a write in a fresh namespace, None where the kernel refuses the text."""
    written = write(key, text, FRESH)
    assert bool(written.refused) == (not written.values)
    return None if written.refused else dict(written.values)[key]


# ── the range ────────────────────────────────────────────────────────────────────────────────────────────────────────

RANGES = [
    ("40000", "40000 60999"),
    ("60999", "60999 60999"),
    ("61000", None),
    ("50000 40000", None),
    ("0 60999", None),
    ("1023 60999", None),
    ("1024 60999", "1024 60999"),
    ("32768 65535", "32768 65535"),
    ("32768 65536", None),
    ("32768-60999", None),
    ("32768,60999", None),
    ("32768;60999", None),
    ("'32768 60999'", None),
    ('"32768 60999"', None),
    ("+32768 60999", None),
    ("32768.0 60999", None),
    ("-32768 60999", None),
    ("", None),
    ("40000\t50000", "40000 50000"),
    ("40000  \t  50000", "40000 50000"),
    ("40000 40000", "40000 40000"),
    ("40000 50000 60000", "40000 50000"),
    ("40000 50000 and text", "40000 50000"),
    ("40000 50000# x", None),
    ("40000 x", None),
    ("0x8000 0xea60", "32768 60000"),
    ("0X8000 0XEA60", "32768 60000"),
    ("0x8000 0xeg60", None),
    ("02000 50000", "1024 50000"),
    ("032768", None),
    ("0100 0200", None),
    ("40000\v50000", None),
    ("40000 \v50000", "40000 50000"),
    ("000000000000000000040000 50000", None),
    ("20000 \\", None),
]


@pytest.mark.parametrize(("text", "held"), RANGES)
def test_the_kernel_takes_this_range_or_refuses_it(text: str, held: str | None) -> None:
    assert held == left(RANGE, text)


def test_a_single_number_sets_the_low_end_and_keeps_the_high_one() -> None:
    """systemd writes the last line alone; procps writes the one before it too."""
    host = {A: f"{RANGE} = 20000 50000\n", B: f"{RANGE} = 30000\n"}

    assert ("30000 60999", "30000 50000") == values(host, RANGE)


def test_a_leading_zero_means_octal() -> None:
    assert ("64 128", "64 128") == values({A: f"{START} = 0\n{RANGE} = 0100 0200\n"}, RANGE)


def test_a_range_with_ends_of_one_parity_is_taken() -> None:
    assert "40000 50000" == left(RANGE, "40000 50000")


# ── the first port anyone may bind ───────────────────────────────────────────────────────────────────────────────────

STARTS = [
    ("0", "0"),
    ("80", "80"),
    ("1024", "1024"),
    ("32768", "32768"),
    ("32769", None),
    ("-1", None),
    ("65536", None),
    ("abc", None),
    ("80 90", "80"),
    ("80,90", None),
    ("", None),
    ("0x50", "80"),
    ("0120", "80"),
    ("-0", "0"),
]


@pytest.mark.parametrize(("text", "held"), STARTS)
def test_the_kernel_takes_this_unprivileged_start_or_refuses_it(text: str, held: str | None) -> None:
    assert held == left(START, text)


@pytest.mark.parametrize(
    ("first", "second", "range_left", "start_left"),
    [
        (f"{START} = 0", f"{RANGE} = 1 65535", "1 65535", "0"),
        (f"{RANGE} = 1 65535", f"{START} = 0", "32768 60999", "0"),
        (f"{RANGE} = 20000 60000", f"{START} = 20000", "20000 60000", "20000"),
        (f"{RANGE} = 20000 60000", f"{START} = 20001", "20000 60000", "1024"),
        (f"{START} = 32768", f"{RANGE} = 20000 60000", "32768 60999", "32768"),
    ],
)
def test_the_start_must_not_be_above_the_low_end_when_either_is_written(first: str, second: str, range_left: str, start_left: str) -> None:
    for host in ({A: f"{first}\n{second}\n"}, {A: f"{first}\n", B: f"{second}\n"}):
        assert (range_left, start_left) == (sysctl(host, RANGE).boot, sysctl(host, START).boot)


def test_a_refusal_for_the_order_of_writing_says_what_the_other_key_held() -> None:
    host = {A: f"{RANGE} = 1 65535\n", B: f"{START} = 0\n"}

    assert ("rejected", "the kernel rejects it with EINVAL: 1 is below ip_unprivileged_port_start, 1024 when this is written") == (
        assignment(host, A).outcome,
        assignment(host, A).reason,
    )
    assert "the kernel rejects it with EINVAL: 40000 is above the low end of ip_local_port_range, 32768 when this is written" == (
        assignment({A: f"{START} = 40000\n"}, A).reason
    )


# ── reserved ports ───────────────────────────────────────────────────────────────────────────────────────────────────

LISTS = [
    ("8080,9148,30000-30010", "8080,9148,30000-30010"),
    ("8080, 9148", None),
    ("8080 9148", None),
    ("8080 - 8090", None),
    ("8090-8080", None),
    ("65535", "65535"),
    ("65536", None),
    ("8080;8081", None),
    ("8080,x,8081", None),
    ("8080,", "8080"),
    ("8080,,8081", None),
    (",8080", None),
    ("8080-", None),
    ("1-2-3", None),
    ("8081,8080,8080", "8080-8081"),
    ("0", "0"),
    ("0-65535", "0-65535"),
    ("", ""),
    ("-8080", None),
    ("+8080", None),
    ("8080 # app", None),
    ("0x1f90", "8080"),
    ("017620", "8080"),
    ("08080", None),
    ("0x", None),
    ("000000000000000008080", None),
    ("00000000000000017620", "8080"),
]


@pytest.mark.parametrize(("text", "held"), LISTS)
def test_the_kernel_takes_this_list_of_reserved_ports_or_refuses_all_of_it(text: str, held: str | None) -> None:
    assert held == left(RESERVED, text)


def test_a_refused_list_leaves_the_old_one_in_force_where_lines_are_written_one_by_one() -> None:
    host = {A: f"{RESERVED} = 8080\n", B: f"{RESERVED} = 9090, 9091\n"}

    assert ("", "8080") == values(host, RESERVED)


def test_a_list_of_reserved_ports_may_be_as_long_as_it_likes_at_boot() -> None:
    ports = PortSet.of(*range(32769, 61000, 2))
    found = sysctl({A: f"{RESERVED} = {','.join(map(str, ports))}\n"}, RESERVED)

    assert (14116, str(ports)) == (len(PortSet.parse(found.boot)), found.boot)


def test_procps_writes_once_and_so_loses_what_is_beyond_a_page_without_a_word() -> None:
    ports = [30000 + 2 * number for number in range(683)]
    found = sysctl({A: f"{RESERVED} = {','.join(map(str, ports))}\n"}, RESERVED)

    assert (683, 682) == (len(PortSet.parse(found.boot)), len(PortSet.parse(found.reload)))
    assert [
        "sysctl --system leaves the list up to 31362: procps writes once, and the kernel reads no more than 4095 characters of a write"
    ] == [overridden.reason for overridden in found.overridden]


def test_a_mistake_beyond_the_first_page_of_a_list_leaves_the_pages_before_it() -> None:
    ports = [30000 + 2 * number for number in range(1400)]
    found = sysctl({A: f"{RESERVED} = {','.join(map(str, ports))},x\n"}, RESERVED)

    assert (1364, 682) == (len(PortSet.parse(found.boot)), len(PortSet.parse(found.reload)))


# ── other numbers ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("key", "text", "held"),
    [
        ("net.ipv4.tcp_tw_reuse", "2", "2"),
        ("net.ipv4.tcp_tw_reuse", "3", None),
        ("net.ipv4.tcp_tw_reuse", "-0", None),
        ("net.ipv4.ip_autobind_reuse", "2", None),
        ("net.ipv4.tcp_timestamps", "256", None),
        ("net.ipv4.tcp_fin_timeout", "-1", "-1"),
        ("net.core.somaxconn", "-1", None),
        ("net.core.somaxconn", "65536", "65536"),
        ("net.ipv4.tcp_tw_reuse_delay", "0", None),
        ("sunrpc.min_resvport", "0", None),
        ("kernel.core_pattern", "|/bin/x  %p\t%u", "|/bin/x %p %u"),
    ],
)
def test_the_kernel_takes_this_number_or_refuses_it(key: str, text: str, held: str | None) -> None:
    assert held == left(key, text)


# ── held against the running kernel ──────────────────────────────────────────────────────────────────────────────────

_NUMBERS = "0 1 80 1023 1024 8080 20000 32768 40000 60999 65535 65536 0x50 0X8000 010 08 0x 000000000000000000 99999999999999999999"
_PIECES = st.sampled_from([*_NUMBERS.split(), *" \t,,--\v\r+#;.x", " ", "\xa0", "\udca0", "é"])
_TEXTS = st.lists(st.lists(_PIECES, max_size=7).map("".join), min_size=200, max_size=200)
# a namespace changes as it is written to: put the three back in an order the kernel takes
_RESET = ((START, "0"), (RANGE, "32768 60999"), (START, "1024"), (RESERVED, "\n"))


def _same_as_the_kernel(key: str, texts: list[str]) -> None:
    answers = writes([(key, _RESET, text) for text in texts])
    kernel = {text: None if error else normal(held) for text, (error, held) in zip(texts, answers, strict=True)}

    assert kernel == {text: left(key, text) for text in texts}


@pytest.mark.parametrize(("key", "table"), [(RANGE, RANGES), (START, STARTS), (RESERVED, LISTS)])
def test_the_tables_are_what_this_kernel_does(key: str, table: list[tuple[str, str | None]]) -> None:
    answers = writes([(key, _RESET, text) for text, _ in table])

    assert dict(table) == {text: None if error else normal(held) for (text, _), (error, held) in zip(table, answers, strict=True)}


@pytest.mark.parametrize("key", [RANGE, START, RESERVED])
@settings(max_examples=3, deadline=None, derandomize=True)
@given(texts=_TEXTS)
def test_any_text_is_taken_or_refused_as_the_kernel_does_it(key: str, texts: list[str]) -> None:
    _same_as_the_kernel(key, texts)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(texts=_TEXTS)
def test_port_sets_are_read_as_the_kernel_reads_reserved_ports(texts: list[str]) -> None:
    answers = writes([(RESERVED, _RESET, text) for text in texts])

    def read(text: str) -> str | None:
        try:
            return str(PortSet.parse(text))
        except ValueError:
            return None

    assert {text: None if error else held for text, (error, held) in zip(texts, answers, strict=True)} == {
        text: read(text) for text in texts
    }


def test_lists_around_a_page_long_are_taken_as_the_kernel_takes_them() -> None:
    base = ",".join(str(30000 + 2 * number) for number in range(679))
    texts = [
        f"{base},{middle},{tail}"
        for middle in ("7", "77", "777", "7777", "17777", "7-8", "70-80", "700-800")
        for tail in ("22222", "22222-22223", "9,x", "x", "1-")
    ]
    answers = writes([(RESERVED, _RESET, text) for text in texts])

    assert {text: held for text, (_, held) in zip(texts, answers, strict=True)} == {
        text: dict(write(RESERVED, text, FRESH).values).get(RESERVED, "") for text in texts
    }


def test_the_shipped_defaults_are_what_a_new_namespace_of_this_kernel_holds() -> None:
    ours = {one.key.replace(".", "/"): one.boot for one in settled({}).sysctls}
    theirs = fresh(tuple(ours))

    assert "net/ipv4/ip_local_port_range" in theirs
    assert {path: ours[path] for path in theirs} == theirs


def test_a_name_said_to_be_missing_is_none_of_this_kernels() -> None:
    known = [one.key.split(".") for one in settled({}).sysctls]
    tails = sorted({parts[2] for parts in known if len(parts) == 3})
    paths = {f"net/{family}/{tail}" for family in ("core", "ipv4", "ipv6") for tail in tails}
    paths |= {
        "net/ipv4/tcp_tw_recycle",
        "net/ipv6/tcp_rmem",
        "net/ipv4/TCP_timestamps",
        "Net/ipv4/tcp_timestamps",
        "net/ipv4.tcp_timestamps",
    }
    paths |= {
        "tcp_timestamps",
        "ipv4/tcp_timestamps",
        "net.ipv4/tcp_timestamps",
        "net/ipv4",
        "net/ipv4/conf/lo/forwarding",
        "net/ipv4/conf/a/b/forwarding",
    }
    there = fresh(sorted(paths))

    assert set() == {path for path in there if missing(path)}
    recent = {"net/ipv4/tcp_tw_reuse_delay"}  # since 6.14
    assert set() == {path for path in paths - set(there) - recent if not missing(path)}
