"""How far ports go: in numbers, in words, and under the rate that somebody expects."""

from typing import Any

import pytest

from portwright.host.terms import exhaustion
from tests.rules.facts import RANGE, host, outbound

REUSE, DELAY, TIMESTAMPS, BUCKETS = (
    f"net.ipv4.{name}" for name in ("tcp_tw_reuse", "tcp_tw_reuse_delay", "tcp_timestamps", "tcp_max_tw_buckets")
)
THOUSAND = {RANGE: "60000 60999"}

# (settings, expected rate, words)
OF_HOST: list[tuple[dict[str, str], int | None, str]] = [
    ({}, None, "enough for 470 new ones a second to one destination; above 235 connect() slows down"),
    (THOUSAND, None, "enough for 16 new ones a second to one destination; above 8 connect() slows down"),
    ({RANGE: "60000 60039"}, None, "not enough for one a second to one destination"),
    (
        {**THOUSAND, REUSE: "1"},
        None,
        "enough for 1000 new ones a second to one destination "
        "(net.ipv4.tcp_tw_reuse is 1; 16 where the other end sends no TCP timestamps); above 500 connect() slows down",
    ),
    (
        {**THOUSAND, REUSE: "1", DELAY: "100"},
        None,
        "enough for 10000 new ones a second to one destination "
        "(net.ipv4.tcp_tw_reuse is 1; 16 where the other end sends no TCP timestamps); above 5000 connect() slows down",
    ),
    ({**THOUSAND, REUSE: "2"}, None, "enough for 16 new ones a second to one destination; above 8 connect() slows down"),
    ({**THOUSAND, REUSE: "1", TIMESTAMPS: "0"}, None, "enough for 16 new ones a second to one destination; above 8 connect() slows down"),
    ({**THOUSAND, BUCKETS: "500"}, None, "which TIME_WAIT cannot use up, as net.ipv4.tcp_max_tw_buckets = 500 ends it early"),
    (THOUSAND, 20, "200 fewer than the 20 new ones a second expected to one destination take"),
    (THOUSAND, 10, "600 of which the 10 new ones a second expected to one destination take: beyond half of them connect() slows down"),
    (THOUSAND, 5, "300 of which the 5 new ones a second expected to one destination take"),
    ({**THOUSAND, REUSE: "1"}, 400, "400 of which the 400 new ones a second expected to one destination take"),
]

LOOPBACK = {"net.ipv4.tcp_tw_reuse": "2"}


@pytest.mark.parametrize(("settings", "rate", "words"), OF_HOST)
def test_how_far_the_ports_of_a_host_go(settings: dict[str, str], rate: int | None, words: str) -> None:
    assert words == exhaustion.capacity_in_words(host(settings=settings, expected_rate=rate)).value


# (what connects, settings, words)
OF_OUTBOUND: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {}, "enough for 470 a second; above 235 connect() slows down"),
    ({"servers": 3}, {}, "enough for 470 a second to each of its 3 servers, 1410 in all; above half of that connect() slows down"),
    (
        {"loopback": True},
        {**THOUSAND, REUSE: "2"},
        "enough for 1000 a second (net.ipv4.tcp_tw_reuse is 2; 16 where the other end sends no TCP timestamps); "
        "above 500 connect() slows down",
    ),
    ({"loopback": None}, {**THOUSAND, REUSE: "2"}, "enough for 16 a second; above 8 connect() slows down"),
]


@pytest.mark.parametrize(("connects", "settings", "words"), OF_OUTBOUND)
def test_how_far_the_ports_to_an_upstream_go(connects: dict[str, Any], settings: dict[str, str], words: str) -> None:
    assert words == exhaustion.upstream_capacity(host(settings=settings), outbound(**connects)).value


@pytest.mark.parametrize(("rate", "likelihood"), [(5, "low"), (10, "medium"), (17, "high")])
def test_an_expected_rate_says_how_often_ports_run_out(rate: int, likelihood: str) -> None:
    found = exhaustion.exhaustion_likelihood(host(settings=THOUSAND, expected_rate=rate))

    assert likelihood == found.value
    assert f"the {rate} new connections a second expected to one destination take {rate * 60} of 1000 ports" in found.because


def test_without_a_rate_a_proxy_that_keeps_no_connection_is_what_uses_ports_up() -> None:
    proxy, kept, local, reset = outbound(), outbound(keepalive=True), outbound(loopback=True), outbound(app="haproxy")

    found = exhaustion.exhaustion_likelihood(host(outbounds=(kept, local, reset, proxy), settings=LOOPBACK))

    assert ("medium", "nginx opens a connection to api for each request") == (found.value, found.because)
    assert None is exhaustion.exhaustion_likelihood(host(outbounds=(kept, local, reset), settings=LOOPBACK)).value


@pytest.mark.parametrize("settings", [{"net.ipv4.tcp_tw_reuse": "0"}, {"net.ipv4.tcp_tw_reuse": "2", "net.ipv4.tcp_timestamps": "0"}])
def test_loopback_is_no_exemption_where_the_kernel_lends_no_port_in_time_wait_again(settings: dict[str, str]) -> None:
    local = outbound(loopback=True)

    assert False is exhaustion.loopback_reuses_ports(host(settings=settings), local).value
    assert True is exhaustion.loopback_reuses_ports(host(settings=LOOPBACK), local).value
    assert "medium" == exhaustion.exhaustion_likelihood(host(outbounds=(local,), settings=settings)).value


@pytest.mark.parametrize(("rate", "needed"), [(None, 16384), (100, 12000)])
def test_a_host_should_have_twice_the_ports_that_its_rate_takes(rate: int | None, needed: int) -> None:
    assert needed == exhaustion.needed_ports(host(expected_rate=rate)).value


def test_a_range_is_widened_only_to_where_it_is_enough() -> None:
    assert "32768 60999" == exhaustion.widened_range(host(settings=THOUSAND, expected_rate=200)).value
    assert None is exhaustion.widened_range(host(settings=THOUSAND, expected_rate=300)).value
