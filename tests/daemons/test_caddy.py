"""What caddy binds. Ports of sites, admin endpoint and file-server were seen on booted hosts with caddy 2.6.2."""

import pytest

from portwright.daemons.caddy import reader as caddy
from tests.daemons.by_hand import brief, host_of, invocation

ADMIN = ["tcp 127.0.0.1 2019"]
RUN = "/usr/bin/caddy run --environ --config /etc/caddy/Caddyfile"
SECURE = ["tcp * 443", "tcp * 80", "udp * 443"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (":80 {\n\troot * /usr/share/caddy\n\tfile_server\n}\n", [*ADMIN, "tcp * 80"]),
        (":80\n\nfile_server\n", [*ADMIN, "tcp * 80"]),
        ("example.com {\n respond hi\n}", [*ADMIN, *SECURE]),
        ("example.com\nrespond hi", [*ADMIN, *SECURE]),
        ("a.example, b.example {\n respond hi\n}", [*ADMIN, *SECURE]),
        ("http://example.com {\n respond hi\n}", [*ADMIN, "tcp * 80"]),
        ("{\n admin off\n}\n:8080 {\n respond hi\n}", ["tcp * 8080"]),
        ("{\n admin localhost:4019\n http_port 8081\n auto_https off\n}\nhttp://a {\n respond hi\n}", ["tcp * 8081", "tcp 127.0.0.1 4019"]),
        ("{\n https_port 8443\n}\nexample.com {\n respond hi\n}", [*ADMIN, "tcp * 80", "tcp * 8443", "udp * 8443"]),
        ("{\n servers {\n  protocols h1 h2\n }\n}\nexample.com {\n respond hi\n}", [*ADMIN, "tcp * 443", "tcp * 80"]),
        (":8080 {\n bind 127.0.0.1\n respond hi\n}", [*ADMIN, "tcp 127.0.0.1 8080"]),
        ("{\n default_bind 192.0.2.1\n}\n:8080 {\n respond hi\n}", [*ADMIN, "tcp 192.0.2.1 8080"]),
        ("http://[::1]:8080, http://x:8081/path {\n bind ::1\n respond hi\n}", [*ADMIN, "tcp ::1 8080", "tcp ::1 8081"]),
        ("(snippet) {\n respond hi\n}\n:8080 {\n import snippet\n}", [*ADMIN, "tcp * 8080"]),
        ("import sites/*.caddy\n", [*ADMIN, "tcp * 8090"]),
        ("{$SITE} {\n respond hi\n}", ADMIN),
        ("{$SITE::8083} {\n respond {path}\n}", [*ADMIN, "tcp * 8083"]),
        ("{$GIVEN} {\n respond hi\n}", [*ADMIN, "tcp * 8084"]),
        (":8080 {\n bind unix//run/x\n}", ADMIN),
    ],
)
def test_caddy_binds_what_its_caddyfile_says(config: str, expected: list[str]) -> None:
    files = host_of({"/etc/caddy/Caddyfile": config, "/etc/caddy/sites/a.caddy": ":8090 {\n respond hi\n}"})

    assert sorted(expected) == brief(caddy.read(invocation(RUN, {"GIVEN": "http://:8084"}), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("caddy run", ADMIN),
        ("caddy file-server --listen :8080 --root /srv", ["tcp * 8080"]),
        ("caddy file-server", ["tcp * 80"]),
        ("caddy file-server --domain example.com", SECURE),
        ("caddy reverse-proxy --from :2080 --to :9000", ["tcp * 2080"]),
        ("caddy respond --listen 127.0.0.1:2080", ["tcp 127.0.0.1 2080"]),
        ("caddy validate --config /etc/caddy/Caddyfile", []),
        ("caddy", []),
        ("caddy -agree -log stdout", ["tcp * 2015"]),
        ("caddy -conf /etc/caddy/missing", []),
    ],
)
def test_caddy_without_a_config(command: str, expected: list[str]) -> None:
    assert sorted(expected) == brief(caddy.read(invocation(command), host_of({}), {}))


def test_a_caddyfile_in_the_current_directory_is_read() -> None:
    files = host_of({"/srv/Caddyfile": ":8080 {\n respond hi\n}"})

    assert [*ADMIN, "tcp * 8080"] == sorted(brief(caddy.read(invocation("caddy run", directory="/srv"), files, {})), reverse=True)


def test_json_is_read_by_its_listen_lists() -> None:
    config = '{"apps": {"http": {"servers": {"a": {"listen": [":8080", "127.0.0.1:8081"], "routes": []}}}}}'
    said = caddy.read(invocation("caddy run --config /c.json"), host_of({"/c.json": config}), {})

    assert ["tcp * 8080", "tcp 127.0.0.1 2019", "tcp 127.0.0.1 8081"] == brief(said)


def test_a_config_that_is_not_there_is_told() -> None:
    files = host_of({})

    assert ADMIN == brief(caddy.read(invocation(RUN), files, {}))
    assert ["caddy reads /etc/caddy/Caddyfile, which is not there"] == [each.reason for each in files.unreadable]


def test_the_place_is_the_address_of_the_site() -> None:
    said = caddy.read_fragment("/Caddyfile", host_of({"/Caddyfile": "# mine\n{\n email x@example.org\n}\nhttp://a:81 {\n}\n"}), {})

    assert ["/Caddyfile:5:1"] == [str(each.at) for each in said]


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ("example.org {\n root /srv\n}\n", "", ["tcp * 443", "tcp * 80"]),
        ("localhost {\n root /srv\n}\n", "", ["tcp * 2015"]),
        ("192.0.2.1\nroot /srv\n", "", ["tcp * 2015"]),
        (":8080 {\n root /srv\n}\n", "", ["tcp * 8080"]),
        ("example.org:8080 {\n root /srv\n}\n", "", ["tcp * 8080"]),
        ("http://example.org {\n bind 127.0.0.1\n}\n", "", ["tcp 127.0.0.1 80"]),
        ("example.org {\n root /srv\n}\n", "-http-port 8080 -https-port 8443", ["tcp * 8080", "tcp * 8443"]),
        ("localhost\n", "-port 3000", ["tcp * 3000"]),
    ],
)
def test_the_first_caddy_is_known_by_its_options_and_has_no_admin_endpoint(config: str, options: str, expected: list[str]) -> None:
    """caddyserver.com/v1/docs: it has no commands, and one port, 2015, where the address earns no certificate."""
    command = f"caddy -log stdout -agree=true -conf=/etc/caddy/Caddyfile -root=/var/tmp {options}"

    assert sorted(expected) == brief(caddy.read(invocation(command.strip()), host_of({"/etc/caddy/Caddyfile": config}), {}))


@pytest.mark.parametrize(
    ("command", "config"),
    [("caddy docker-proxy --config /c", ""), (RUN, "{$SITE}:{$PORT} {\n respond hi\n}")],
)
def test_what_is_not_understood_is_told(command: str, config: str) -> None:
    files = host_of({"/etc/caddy/Caddyfile": config})
    caddy.read(invocation(command), files, {})

    assert 1 == len(files.take_not_understood())


def test_a_config_in_json_says_its_admin_endpoint_its_ranges_and_the_servers_of_layer_4() -> None:
    config = """{"admin": {"listen": "127.0.0.1:3019"}, "apps": {
        "http": {"servers": {"s": {"listen": ["192.0.2.1:8080-8082"]}}},
        "layer4": {"servers": {"d": {"listen": ["udp/:5353", "unix//run/x"]}}}}}"""
    said = caddy.read(invocation("caddy run --config /c.json"), host_of({"/c.json": config}), {})

    assert ["tcp 127.0.0.1 3019", "tcp 192.0.2.1 8080-8082", "udp * 5353"] == brief(said)
