"""Numbers for Prometheus: each finding counted once, each host in one state, no label that ends its line."""

from portwright._start.records import replace
from portwright.reports.formats.prometheus import audit
from portwright.reports.registry import Checked, Look
from portwright.reports.trend import Earlier, trend
from tests.reports.golden import expected
from tests.reports.hosts import CLEAN, EMPTY, IN_RANGE, WEB1

EARLIER = Earlier("2026-11-30T21:00:00Z", frozenset((WEB1.host,)), ())
FLEET = Checked([WEB1, CLEAN, EMPTY], (), "1", trend=trend([WEB1], [WEB1], EARLIER), started="2026-11-30T22:00:00Z")


def test_a_fleet_is_written_as_the_kept_text() -> None:
    actual = audit(FLEET, Look())

    assert expected("audit.prom", actual) == actual


def test_numbers_add_up_to_what_there_is() -> None:
    samples = dict(line.rpartition(" ")[::2] for line in audit(FLEET, Look()).splitlines() if not line.startswith("#"))

    assert len(WEB1.findings) == sum(int(number) for name, number in samples.items() if name.startswith("portwright_findings{"))
    assert len(FLEET.results) == sum(int(number) for name, number in samples.items() if name.startswith("portwright_hosts{"))
    assert "1796076000" == samples["portwright_run_timestamp_seconds"]
    assert "1" == samples["portwright_hosts_not_collected"]


def test_a_label_cannot_end_its_line() -> None:
    odd = replace(IN_RANGE, card=replace(IN_RANGE.card, id='a"} 1\nb{c="\\'))

    text = audit(Checked([replace(CLEAN, findings=(odd,))], (), "1"), Look())

    assert r'portwright_findings{rule="a\"} 1\\x0ab{c=\"\\",severity="high"} 1' in text.splitlines()
    assert "run_timestamp" not in text
