"""A kind of fact is a file: with it, rules can look at facts that nobody had heard of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import portwright.facts
from portwright.facts import kind, kinds
from portwright.host.language import vocabulary
from portwright.host.language.meanings import meaning
from portwright.host.reading import read_host
from portwright.registry import members
from portwright.reports.cases import findings_text
from portwright.rules import check
from portwright.rules.grammar import read
from portwright.rules.json_schema import schema
from portwright.trees.memory import MemoryTree

TIMER = '''
"""When systemd starts something by the calendar."""

from collections.abc import Iterable

from portwright._start.records import dataclass
from portwright.facts import FactKind, Subject, Unit
from portwright.facts.kind import Readable
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class Timer:
    """A line OnCalendar= of a timer, and what it starts."""

    at: Span
    unit: str
    calendar: str


def _read(files: Readable, units: Iterable[Unit]) -> Iterable[Timer]:
    for unit in units:
        for line in unit.each("Timer", "OnCalendar"):
            yield Timer(line.at, unit.name, line.value)


KIND = FactKind(
    "timer",
    Timer,
    "a time at which a timer of systemd starts its service",
    {"calendar": "the time, as systemd.time(7) writes it", "unit": "the timer"},
    subject=lambda timer: Subject(unit=timer.unit),
    order=lambda timer: (timer.calendar,),
    read=_read,
)
'''

RULE = """
id: started-at-midnight
title: a timer fires when all others do
severity: info
why: at midnight everything starts at once
references: [systemd.timer(5)]
each: timer
where: {calendar: {is: daily}}
message: "{unit} fires {calendar}"
"""

HOST = {
    "/etc/systemd/system/a.timer": "[Timer]\nOnCalendar=weekly\nOnCalendar=daily\n",
    "/etc/systemd/system/b.timer": "[Timer]\nOnCalendar=monthly\n",
}


def _forget() -> None:
    for each in (members, kind.kinds, vocabulary.names):
        each.cache_clear()


@pytest.fixture(autouse=True)
def _one_file_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "timer.py").write_text(TIMER)
    monkeypatch.setattr(portwright.facts, "__path__", [*portwright.facts.__path__, str(tmp_path)])
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def test_a_host_has_its_facts_in_their_order() -> None:
    found = read_host(MemoryTree(HOST), "h").facts("timer")

    assert ["/etc/systemd/system/a.timer:3:12", "/etc/systemd/system/b.timer:2:12", "/etc/systemd/system/a.timer:2:12"] == [
        str(fact.at) for fact in found
    ]


def test_a_rule_can_look_at_them() -> None:
    found = check(read_host(MemoryTree(HOST), "h"), [read(RULE, "rules/own/started-at-midnight.yaml")])

    assert "/etc/systemd/system/a.timer:3:12 started-at-midnight a.timer fires daily\n    certain\n" == findings_text(found)
    assert ["a.timer"] == [finding.subject.unit for finding in found]


def test_its_words_have_their_meanings_in_the_tables_and_the_schema() -> None:
    assert "the time, as systemd.time(7) writes it" == meaning("timer", vocabulary.names("timer")["calendar"])
    assert "timer" in schema()["properties"]["each"]["enum"]
    assert "timer" == list(kinds())[-1]
