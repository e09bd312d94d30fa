"""A baseline accounts for as many findings as it has entries, and what it is written from it accepts."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.audit.baseline import read, without, written
from portwright.finding import Finding, HostResult
from tests.reports.hosts import ALSO_IN_RANGE, BY_HAND, CLEAN, IN_RANGE, NO_CAPABILITY, OF_A_FILE

TODAY = date(2026, 11, 30)
findings = st.lists(st.sampled_from([ALSO_IN_RANGE, BY_HAND, IN_RANGE, NO_CAPABILITY, OF_A_FILE]), max_size=8)


def of(listed: list[Finding]) -> HostResult:
    return replace(CLEAN, findings=tuple(listed))


@given(findings)
def test_all_that_it_was_written_from_is_accepted(listed: list[Finding]) -> None:
    (result,) = without([of(listed)], read(written([of(listed)], (), TODAY)), "b", TODAY)

    assert () == result.findings
    assert result.compared is not None
    assert (len(listed), 0, 0) == (result.compared.not_counted, result.compared.unmatched, result.compared.expired)


@given(findings, findings)
def test_each_entry_accounts_for_one(before: list[Finding], now: list[Finding]) -> None:
    (result,) = without([of(now)], read(written([of(before)], (), TODAY)), "b", TODAY)

    assert result.compared is not None
    assert len(now) == len(result.findings) + result.compared.not_counted
    assert len(before) == result.compared.not_counted + result.compared.unmatched
    for each in {id(finding): finding for finding in now}.values():
        assert max(0, now.count(each) - before.count(each)) == result.findings.count(each)
