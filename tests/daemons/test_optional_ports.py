"""Ports that a daemon is told to do without where another has them: Pi-hole's FTL (`80o`)."""

from tests.daemons.started import endpoints

COMMAND, CONFIG = "/usr/bin/pihole-FTL -f", "/etc/pihole/pihole.toml"


def test_ftl_goes_on_without_a_port_that_has_an_o_behind_it() -> None:
    found, reasons = endpoints(COMMAND, tree={CONFIG: '[dns]\n  port = 0\n[webserver]\n  port = "80o,8080,[::1]:443so,8443s"\n'})

    assert [] == reasons
    assert {"80": True, "8080": False, "443": True, "8443": False} == {str(each.ports): each.survives_conflict for each in found}


def test_all_ports_that_ftl_comes_with_are_optional() -> None:
    found, _ = endpoints(COMMAND, tree={CONFIG: "[dns]\n  port = 0\n"})

    assert [("80", True), ("443", True)] * 2 == [(str(each.ports), each.survives_conflict) for each in found]
