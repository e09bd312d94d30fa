"""No report copies a secret."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.changes import Manual
from portwright.facts import Subject
from portwright.finding import Finding, HostResult, Note, RuleMeta
from portwright.reports import json_v1, secrets, text
from portwright.reports.secrets import hide, hide_in_line, hide_value
from portwright.source import Source, Span

CANARY = "hunter2-CANARY-9f8e7d"

LINES = [
    f"ExecStart=/usr/bin/app --port 80 --password {CANARY}",
    f"ExecStart=/usr/bin/app --password={CANARY} --port 80",
    f"Environment=API_TOKEN={CANARY}",
    f'Environment="DB_PASSWORD={CANARY}"',
    f"requirepass {CANARY}",
    f"masterauth {CANARY}",
    f"proxy_pass http://user:{CANARY}@10.0.0.1:8080;",
    f'proxy_set_header Authorization "Basic {CANARY}";',
    f"secret: {CANARY}",
    f"  'client_secret' => '{CANARY}',",
    f"ExecStart=/usr/bin/app --admin-pw {CANARY} --port 80",
    f"ExecStart=/usr/bin/app --key {CANARY}",
    f"ExecStart=/usr/bin/app -u admin:{CANARY}",
    f"Environment=APP_KEY={CANARY} PORT=80",
    f"Environment=SENTRY_DSN=https://{CANARY}@sentry.example/1",
    f'if ($http_x_secret != "{CANARY}") {{ return 403; }}',
    f"bind :80 # user:{CANARY}@10.0.0.1",
]


@pytest.mark.parametrize("line", LINES)
def test_a_secret_in_a_line_is_struck_out_and_the_line_keeps_its_length(line: str) -> None:
    shown = hide_in_line(line)

    assert CANARY not in shown
    assert len(line) == len(shown)


@pytest.mark.parametrize(
    "line",
    [
        "listen 8080;",
        "ExecStart=/usr/bin/token-server --port 8080",
        "net.ipv4.ip_local_port_range = 20000 60999",
        "ssl_certificate_key /etc/ssl/private/web.key;",
        "proxy_pass http://10.0.0.1:8080;",
        "listen [::1]:8080;",
        "keyfile /etc/ssl/web.pem",
        "ExecStart=/usr/bin/app --key /etc/ssl/web.pem --auth-mode basic",
        "git clone ssh://git@example.org/x.git",
        "ExecStart=/usr/bin/monitor-web2-productionServer --port 80",
        "fastcgi_pass unix:/run/php/php8.2-fpm.sock;",
        "CAP_NET_BIND_SERVICE CAP_NET_BIND_SERVICE2",
        "/etc/systemd/system/web@8081.service.d/a.conf:3:56",
        "StartLimitIntervalSec=100",
    ],
)
def test_a_line_without_a_secret_is_shown_as_it_is(line: str) -> None:
    assert line == hide_in_line(line)


def test_a_sentence_may_speak_of_tokens() -> None:
    sentence = "vault-token listens on 8200, and the secret of it is no secret"

    assert sentence == hide(sentence)


@pytest.mark.parametrize("line", LINES)
def test_neither_the_text_report_nor_the_json_copies_a_secret(line: str) -> None:
    at = Span("/etc/app.conf", 1, 1, 1, len(line) + 1)
    card = RuleMeta("a-rule", "family", "A title", "high", "why")
    finding = Finding(
        card,
        f"app says password={CANARY}",
        at,
        Subject(),
        "certain",
        notes=(Note("this line decided", at),),
        manual=Manual("a reason", "a step"),
    )
    result = HostResult("web1", 1, 1, (finding,), sources={at.path: Source(at.path, line + "\n")})

    for report in (
        text.render([result], color=False, width=100),
        text.render([result], color=False, width=100, quiet=True),
        json_v1.check([result], "0"),
    ):
        assert f"{CANARY}" not in report
    assert "web1" == json.loads(json_v1.check([result], "0"))["hosts"][0]["host"]


@pytest.mark.parametrize("key", ["net.ipv4.tcp_fastopen_key", "net.ipv6.conf.all.stable_secret", "kernel.password", "secret"])
def test_the_value_of_a_setting_that_is_a_secret_is_struck_out(key: str) -> None:
    assert "*" * len(CANARY) == hide_value(key, CANARY)


def test_the_value_of_any_other_setting_is_shown() -> None:
    assert "32768 60999" == hide_value("net.ipv4.ip_local_port_range", "32768 60999")
    assert "1000" == hide_value("net.core.netdev_budget_key_usecs", "1000")


def test_a_long_word_of_letters_of_both_cases_and_digits_is_struck_out() -> None:
    assert "apps --x " + "*" * 36 == hide("apps --x ghp_" + "aB3d" * 8)
    assert "APP_X=" + "*" * 34 == hide("APP_X=" + "aB3d" * 8 + "==")


_PARTS = [
    *("password", "PassPhrase", "to\u212aen", "\u017fecret", "api_key", "auth-pass", "--pw", "APP_KEY", "jwt", "session", "-pat"),
    *("=", ":", " := ", " ", "\t", "\v", "\x1d", "\u2003", "-", "@", "://", "/", "'", '"', "-u ", "--user=", "Basic ", "bearer ", "auth "),
    *("credentials", "AKIA0123456789ABCDEF", "hunter2", "x", "Ab1" * 9, "host"),
]


@given(st.lists(st.sampled_from(_PARTS), max_size=12).map("".join))
def test_no_line_is_passed_over_that_has_a_secret(line: str) -> None:
    read = secrets.hide_in_line.__wrapped__
    quick = read(line)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(secrets, "_STEMS", ("",))
        assert quick == read(line)
    assert len(line) == len(quick)
