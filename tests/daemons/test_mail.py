"""What postfix and dovecot bind; the packaged configurations were seen on booted Debian 12 hosts (3.7.6, 2.3.19)."""

import pytest

from portwright.daemons.dovecot import reader as dovecot
from portwright.daemons.postfix import reader as postfix
from tests.daemons.by_hand import brief, host_of, invocation

START = "/usr/sbin/postmulti -i - -p start"
SMTP = "smtp      inet  n       -       y       -       -       smtpd\n"
BOTH = ["tcp 0.0.0.0 25", "tcp :: 25 v6only"]


@pytest.mark.parametrize(
    ("main", "master", "expected"),
    [
        ("", SMTP, BOTH),
        ("inet_interfaces = all\ninet_protocols = all\n", SMTP, BOTH),
        ("inet_interfaces = loopback-only", SMTP, ["tcp 127.0.0.1 25", "tcp ::1 25"]),
        ("inet_interfaces = 127.0.0.1,\n  192.0.2.1 # x\n", SMTP.replace("smtp ", "2525 "), ["tcp 127.0.0.1 2525", "tcp 192.0.2.1 2525"]),
        ("inet_protocols = ipv4\n", SMTP, BOTH[:1]),
        ("mine = 192.0.2.1\ninet_interfaces = $mine\n", SMTP, ["tcp 192.0.2.1 25"]),
        ("", f"#{SMTP}submission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n",
         ["tcp 0.0.0.0 587", "tcp :: 587 v6only"]),
        ("", "127.0.0.1:10025 inet n - n - - smtpd\n[::1]:smtps inet n - n - - smtpd\n", ["tcp 127.0.0.1 10025", "tcp ::1 465"]),
        ("", "pickup unix n - y 60 1 pickup\nsmtp unix - - y - - smtp\n", []),
        ("master_service_disable = smtp/inet\n", SMTP, []),
    ],
)  # fmt: skip
def test_postfix_binds_its_inet_services(main: str, master: str, expected: list[str]) -> None:
    main = main.replace(" # x", "")
    files = host_of({"/etc/postfix/main.cf": main, "/etc/postfix/master.cf": master})

    assert expected == brief(postfix.read(invocation(START), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/usr/lib/postfix/sbin/master -w", BOTH),
        ("/usr/sbin/postfix start", BOTH),
        ("/usr/sbin/postfix -c /etc/postfix-out start", ["tcp 127.0.0.1 26"]),
        ("/usr/sbin/postmulti -i postfix-out -p start", ["tcp 127.0.0.1 26"]),
        ("/usr/sbin/postfix reload", []),
        ("/opt/app/master", []),
    ],
)
def test_what_is_started_says_which_instance(command: str, expected: list[str]) -> None:
    other = SMTP.replace("smtp ", "127.0.0.1:26 ")
    files = host_of({"/etc/postfix/master.cf": SMTP, "/etc/postfix-out/master.cf": other})

    assert expected == brief(postfix.read(invocation(command), files, {}))


def test_a_service_nobody_knows_is_told() -> None:
    files = host_of({"/etc/postfix/master.cf": SMTP.replace("smtp ", "mine ")})

    assert () == postfix.read(invocation(START), files, {})
    assert ["/etc/postfix/master.cf:1:1: not a port: mine"] == [f"{each.at}: {each.reason}" for each in files.unreadable]


DEBIAN = {
    dovecot.CONFIG: "!include_try /usr/share/dovecot/protocols.d/*.protocol\n!include conf.d/*.conf\n!include_try local.conf\n",
    "/usr/share/dovecot/protocols.d/imapd.protocol": "protocols = $protocols imap\n",
    "/usr/share/dovecot/protocols.d/lmtpd.protocol": "protocols = $protocols lmtp\n",
    "/etc/dovecot/conf.d/10-master.conf": "service imap-login {\n  inet_listener imap {\n    #port = 143\n  }\n}\n",
}


def ports(*numbers: int) -> list[str]:
    return sorted(place for number in numbers for place in (f"tcp 0.0.0.0 {number}", f"tcp :: {number} v6only"))


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("", ports(143, 993)),
        ("ssl = no\n", ports(143)),
        ("listen = 127.0.0.1\n", ["tcp 127.0.0.1 143", "tcp 127.0.0.1 993"]),
        ("listen = *, ::1\nssl = no", ["tcp 0.0.0.0 143", "tcp ::1 143"]),
        ("protocols = pop3 sieve\n", ports(110, 995, 4190)),
        ("service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  inet_listener imaps {\n    address = 192.0.2.1\n  }\n}\n",
         ["tcp 192.0.2.1 993"]),
        ("service lmtp {\n  inet_listener lmtp {\n    address = 127.0.0.1\n    port = 24\n  }\n}\nssl = no",
         sorted([*ports(143), "tcp 127.0.0.1 24"])),
        ("service auth {\n  inet_listener {\n    port = 12345\n  }\n}\nssl = no", ports(143, 12345)),
        ("service pop3-login {\n  inet_listener pop3 {\n    port = 111\n  }\n}\nssl = no", ports(143)),
    ],
)  # fmt: skip
def test_dovecot_binds_what_its_protocols_want(local: str, expected: list[str]) -> None:
    files = host_of({**DEBIAN, "/etc/dovecot/local.conf": local})

    assert sorted(expected) == brief(dovecot.read(invocation("/usr/sbin/dovecot -F"), files, {}))
    assert () == files.unreadable


def test_dovecot_without_a_word_on_protocols_has_imap_and_pop3() -> None:
    files = host_of({"/c.conf": ""})

    assert ports(110, 143, 993, 995) == brief(dovecot.read(invocation("dovecot -F -c /c.conf"), files, {}))


def test_a_listener_points_at_its_port() -> None:
    files = host_of({"/c.conf": "protocols = imap\nssl = no\nservice imap-login {\n  inet_listener imap {\n    port = 1143\n  }\n}\n"})

    assert ["/c.conf:5:12"] == sorted({str(each.at) for each in dovecot.read(invocation("dovecot -F -c /c.conf"), files, {})})


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("", []),
        ("protocols {\n  imap = yes\n  sieve = yes\n}\nssl = no\n", ports(143, 4190)),
        ("protocols {\n  imap = yes\n}\nprotocols {\n  imap = no\n  pop3 = yes\n}\nssl = no\n", ports(110)),
        ("protocols {\n  sieve = yes\n}\nservice managesieve-login {\n  inet_listener sieve {\n    listen = 127.0.0.1\n  }\n"
         "  inet_listener sieve_deprecated {\n    port = 2000\n  }\n}\n", sorted(["tcp 127.0.0.1 4190", *ports(2000)])),
        ("service auth {\n  inet_listener auth-inet {\n    listen = 127.0.0.1\n    port = 12345\n  }\n}\n", ["tcp 127.0.0.1 12345"]),
    ],
)  # fmt: skip
def test_dovecot_2_4_has_no_protocol_by_itself_and_takes_a_block_of_them(local: str, expected: list[str]) -> None:
    files = host_of({dovecot.CONFIG: f"dovecot_config_version = 2.4.0\n{local}"})

    assert sorted(expected) == brief(dovecot.read(invocation("/usr/sbin/dovecot -F"), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize("start", ["/usr/sbin/postfix debian-systemd-start", "/usr/sbin/postfix start-fg", START])
def test_postfix_is_started_by_each_of_these_lines(start: str) -> None:
    assert BOTH == brief(postfix.read(invocation(start), host_of({"/etc/postfix/master.cf": SMTP}), {}))


def test_postfix_reads_the_directory_that_its_environment_names() -> None:
    files = host_of({"/etc/postfix-out/master.cf": SMTP.replace("smtp ", "2525 ")})
    started = invocation("/usr/sbin/postfix debian-systemd-start", environment={"MAIL_CONFIG": "/etc/postfix-out"})

    assert ["tcp 0.0.0.0 2525", "tcp :: 2525 v6only"] == brief(postfix.read(started, files, {}))
