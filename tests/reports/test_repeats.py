"""What is said of one service is said with it of its likes, and of nothing that differs in more than names, ports and places."""

import pytest

from portwright._start.records import replace
from portwright.changes import GrantCapability, Manual, ReservePorts
from portwright.finding import Finding, Note
from portwright.ports import PortSet
from portwright.reports.repeats import against, gathered
from portwright.source import Span
from tests.reports.hosts import BY_HAND, IN_RANGE, NO_CAPABILITY


def told(app: str, unit: str, address: str, port: int, line: int = 1) -> Finding:
    who = app if unit == f"{app}.service" else f"{app} ({unit})"
    at = Span(f"/etc/{app}.conf", line, 1, line, 5)
    subject = replace(IN_RANGE.subject, unit=unit, app=app, address=address, port=port, end_port=port)
    place = f"[{address}]" if ":" in address else address
    return replace(
        IN_RANGE,
        message=f"{who} listens on tcp {place}:{port}, which the kernel may lend",
        at=at,
        subject=subject,
        notes=(Note(f"{unit} says so ({port})", at),),
        change=ReservePorts(PortSet.of(port)),
        summary=f"reserve {port} for {unit}",
    )


ONE = told("redis", "redis-server@one.service", "127.0.0.1", 40001)


@pytest.mark.parametrize(
    "other",
    [
        told("redis", "redis-server@two.service", "127.0.0.1", 40002),
        told("redis", "redis-server@one.service", "::1", 40001),
        told("nginx", "nginx.service", "*", 45000, 9),
        replace(ONE, subject=replace(ONE.subject, protocol="udp"), message=ONE.message.replace("tcp", "udp")),
    ],
)
def test_another_unit_address_port_protocol_or_line_is_the_same_again(other: Finding) -> None:
    assert [(ONE, other)] == gathered([ONE, other])


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, message=f"{ONE.message} soon"),
        replace(ONE, message=ONE.message.replace("40001", "40003")),  # a port that is not its subject's
        replace(ONE, card=BY_HAND.card),
        replace(ONE, card=replace(ONE.card, severity="low")),
        replace(ONE, confidence="likely"),
        replace(ONE, likelihood="low"),
        replace(ONE, predicts="EACCES"),
        replace(ONE, notes=()),
        replace(ONE, notes=(replace(ONE.notes[0], at=None),)),
        replace(ONE, notes=(replace(ONE.notes[0], text="something else"),)),
        replace(ONE, summary="reserve 40001 twice"),
        replace(ONE, change=replace(ONE.change, safety="review")),  # type: ignore[type-var]
        replace(ONE, change=GrantCapability("redis-server@one.service", "CAP_X", disruption="none"), summary=ONE.summary),
        replace(ONE, change=None, manual=Manual("because", "do it")),
    ],
)
def test_what_differs_in_anything_else_is_said_apart(other: Finding) -> None:
    assert [(ONE,), (other,)] == gathered([ONE, other])


def test_a_rivals_address_on_the_same_port_may_differ_and_is_told() -> None:
    def wants(address: str, rival: str, port: int) -> Finding:
        found = told("unbound", "unbound.service", address, 53)
        own = address if address != "::" else "[::]"
        return replace(found, message=f"unbound binds tcp {own}:53, which conflicts with dnsmasq on tcp {rival}:{port}")

    four, six, elsewhere = wants("0.0.0.0", "127.0.0.1", 53), wants("::", "[::1]", 53), wants("0.0.0.0", "127.0.0.1", 54)  # noqa: S104

    assert [(four, six), (elsewhere,)] == gathered([four, six, elsewhere])
    assert [("127.0.0.1:53",), ("[::1]:53",), ()] == [against(finding) for finding in (four, six, elsewhere)]


def test_groups_stand_where_their_first_stands_and_none_is_lost() -> None:
    two, three = told("redis", "b.service", "*", 40002), told("redis", "c.service", "*", 40003)

    assert [(ONE, two, three), (NO_CAPABILITY,), (BY_HAND,)] == gathered([ONE, NO_CAPABILITY, two, BY_HAND, three])
