"""systemd.unit(5): how long a service that fails at once is started again."""

import pytest

from portwright.facts import Setting, Unit
from portwright.system.systemd.restarts import budget, seconds
from tests.rules.facts import at


def unit(*settings: str) -> Unit:
    """A service from lines like `Service.Restart=always`."""
    parsed = []
    for line, text in enumerate(settings, 1):
        section, _, rest = text.partition(".")
        key, _, value = rest.partition("=")
        parsed.append(Setting(at(line), at(line), section, key, value))
    return Unit("a.service", at(), ("/etc/systemd/system/a.service",), tuple(parsed))


# (settings, for how many seconds it is started again; None: never restarted, or for ever)
BUDGETS = [
    ((), None),
    (("Service.Restart=no",), None),
    (("Service.Restart=on-abnormal",), None),
    (("Service.Restart=always",), 0.5),
    (("Service.Restart=on-failure",), 0.5),
    (("Service.Restart=always", "Service.RestartSec=1"), 5),
    (("Service.Restart=always", "Service.RestartSec=2"), None),
    (("Service.Restart=always", "Service.RestartSec=5s", "Unit.StartLimitIntervalSec=1min", "Unit.StartLimitBurst=3"), 15),
    (("Service.Restart=always", "Unit.StartLimitIntervalSec=0"), None),
    (("Service.Restart=always", "Unit.StartLimitBurst=0"), None),
    (("Service.Restart=always", "Service.StartLimitInterval=60", "Service.StartLimitBurst=10"), 1),
    (("Service.Restart=always", "Unit.StartLimitInterval=60"), 0.5),
    (("Service.Restart=always", "Unit.StartLimitIntervalSec=infinity"), 0.5),
    (("Service.Restart=always", "Service.RestartSec=infinity"), None),
    (("Service.Restart=always", "Service.RestartSec=soon"), None),
    (("Service.Restart=always", "Service.RestartSteps=5"), None),
    (("Service.Restart=always", "Service.Restart="), None),
]


@pytest.mark.parametrize(("settings", "expected"), BUDGETS)
def test_systemd_gives_up_after_a_number_of_starts_in_an_interval(settings: tuple[str, ...], expected: float | None) -> None:
    found = budget(unit(*settings))

    assert expected == (None if found is None else found.seconds)


TIMES = [
    ("3", 3),
    ("100ms", 0.1),
    ("5min 20s", 320),
    ("5min20s", 320),
    ("1.5h", 5400),
    ("2 minutes", 120),
    ("1d", 86400),
    ("1w", 604800),
    ("", None),
    ("s", None),
    ("1 fortnight", None),
    ("1.2.3", None),
    ("-1", None),
    ("1" * 200, None),
]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_time_spans_are_read_as_systemd_time_writes_them(text: str, expected: float | None) -> None:
    assert expected == seconds(text)


def test_a_time_may_be_infinite() -> None:
    assert float("inf") == seconds("infinity")
