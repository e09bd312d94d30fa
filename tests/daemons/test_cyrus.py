"""Cyrus' master ends at once where a program that cyrus.conf names is in a package that is not installed."""

import pytest

from portwright.daemons.cyrus_imapd.reader import read
from portwright.facts import Endpoint
from tests.daemons.by_hand import host_of, invocation

CONFIG = """\
SERVICES {
    imap cmd="imapd -U 30" listen="imap"
    pop3 cmd="pop3d" listen="pop3"
}
"""


@pytest.mark.parametrize(
    ("installed", "ports", "told"),
    [
        (("cyrus-common", "cyrus-imapd", "cyrus-pop3d"), {143, 110}, []),
        (("cyrus-common", "cyrus-imapd"), set(), ["Cyrus does not start: cyrus-pop3d, which has this program, is not installed"]),
        ((), {143, 110}, []),
    ],
)
def test_cyrus_serves_nothing_where_the_program_of_a_service_is_missing(
    installed: tuple[str, ...], ports: set[int], told: list[str]
) -> None:
    files = host_of({"/etc/cyrus.conf": CONFIG})

    said = read(invocation("/usr/sbin/cyrmaster"), files, dict.fromkeys(installed, "3.6.1-4"))

    assert ports == {each.ports.low for each in said if isinstance(each, Endpoint)}
    assert told == [trouble.reason for trouble in files.unreadable]
