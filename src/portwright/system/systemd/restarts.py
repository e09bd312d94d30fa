"""systemd.unit(5) start limits: how long systemd keeps trying to start a service that fails at once."""

from portwright._start.records import dataclass
from portwright.facts import Unit, Value
from portwright.numbers import decimal, fraction

# systemd-system.conf(5): DefaultRestartSec=, DefaultStartLimitIntervalSec=, DefaultStartLimitBurst=
_RESTART_SEC = 0.1
_LIMIT_INTERVAL = 10.0
_LIMIT_BURST = 5

# systemd.service(5), the table of Restart=: the settings that restart after an unclean exit code, which a failed bind() ends in.
_RESTARTS_AFTER_FAILURE = ("always", "on-failure")

# systemd.time(7)
_UNITS = {
    **dict.fromkeys(("us", "usec", "µs", "μs"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400.0),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a failing service is started again: `seconds`, and the settings that say so (None: systemd's default)."""

    seconds: float
    restart: Value
    pause: Value | None
    interval: Value | None
    burst: Value | None


def budget(unit: Unit) -> Budget | None:
    """How long systemd goes on; None where it never restarts the unit, never gives up, or a setting cannot be read."""
    restart = by_itself(unit)
    if restart is None:
        return None
    if unit.value("Service", "RestartSteps") is not None:
        return None  # systemd.service(5), v254: the pause grows from attempt to attempt
    pause = unit.value("Service", "RestartSec")
    # StartLimitInterval= is the name before v230, and [Service] the section before v229; both are still read.
    interval = unit.value("Unit", "StartLimitIntervalSec") or unit.value("Unit", "StartLimitInterval")
    interval = interval or unit.value("Service", "StartLimitInterval")
    burst = unit.value("Unit", "StartLimitBurst") or unit.value("Service", "StartLimitBurst")
    pause_seconds = _RESTART_SEC if pause is None else seconds(pause.value)
    interval_seconds = _LIMIT_INTERVAL if interval is None else seconds(interval.value)
    starts = _LIMIT_BURST if burst is None else _count(burst.value)
    if pause_seconds is None or interval_seconds is None or starts is None:
        return None
    if interval_seconds == 0 or starts == 0 or pause_seconds * starts >= interval_seconds:
        return None
    return Budget(pause_seconds * starts, restart, pause, interval, burst)


def by_itself(unit: Unit) -> Value | None:
    """The setting by which systemd starts a service again after a failure; None where it does not."""
    restart = unit.value("Service", "Restart")
    return restart if restart is not None and restart.value in _RESTARTS_AFTER_FAILURE else None


def seconds(text: str) -> float | None:
    """A time span as systemd.time(7) writes it ("5min 20s", "100ms", "3"), in seconds; None for what it does not allow."""
    text = text.strip()
    if text == "infinity":
        return float("inf")
    if not text or len(text) > 100:
        return None
    total, position = 0.0, 0
    while position < len(text):
        start = position
        while position < len(text) and text[position] in "0123456789.":
            position += 1
        number = fraction(text[start:position])
        if number is None:
            return None
        while position < len(text) and text[position] == " ":
            position += 1
        start = position
        while position < len(text) and text[position].isalpha():
            position += 1
        unit = _UNITS.get(text[start:position])
        if unit is None:
            return None
        total += number * unit
        while position < len(text) and text[position] == " ":
            position += 1
    return total


def _count(text: str) -> int | None:
    return decimal(text, 999_999_999)
