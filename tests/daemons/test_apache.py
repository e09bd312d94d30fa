"""What Apache httpd binds and which backends it keeps. Every Listen row was tried with Debian's 2.4 in a network namespace with IPv6."""

import pytest

from portwright._start.records import replace
from portwright.daemons.apache2 import reader as apache
from portwright.daemons.apache2.reading import version_holds
from portwright.facts import Endpoint, Outbound
from portwright.facts.listen_line import ListenLine
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

CONFIG = "/etc/apache2/apache2.conf"
HOSTS = {"/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("Listen 80", ["tcp * 80"]),
        ("Listen 080", ["tcp * 80"]),
        ("Listen *:80 http", ["tcp * 80"]),
        ("Listen [::]:80", ["tcp * 80"]),
        ("Listen 0.0.0.0:80", ["tcp 0.0.0.0 80"]),
        ("Listen 80\nListen 0.0.0.0:80", ["tcp * 80"]),
        ("Listen 80\nListen 81\nListen 0.0.0.0:80", ["tcp * 80", "tcp * 81"]),
        ("Listen 0.0.0.0:80\nListen [::]:80", ["tcp * 80"]),
        ("Listen [::]:80\nListen 0.0.0.0:80", ["tcp * 80"]),
        ("Listen 10.9.9.9:88\nListen '89' \"https\"", ["tcp * 89", "tcp 10.9.9.9 88"]),
        ("Listen ::1:81", ["tcp ::1 81"]),
        ("Listen [::1]:81", ["tcp ::1 81"]),
        ("Listen localhost:81", ["tcp 127.0.0.1 81", "tcp ::1 81"]),
        ("Listen 8\\\n3", ["tcp * 83"]),
        ("<VirtualHost *:90>\n</VirtualHost>\nListen 80", ["tcp * 80"]),
        ("Define P 85\nListen ${P}", ["tcp * 85"]),
        ('Define P "81 https"\nListen ${P}', ["tcp * 81"]),
        ("Define R 8\nDefine S ${R}2\nListen ${S}", ["tcp * 82"]),
        ("<VirtualHost *:80>\nDefine P 81\n</VirtualHost>\nListen ${P}", ["tcp * 81"]),
        ("<IfDefine P>\nListen 80\n</IfDefine>\nListen 81\nDefine P\n<IfDefine P>\nListen 82\n</IfDefine>", ["tcp * 81", "tcp * 82"]),
        ("Define P\nUnDefine P\n<IfDefine !P>\nListen 81\n</IfDefine>", ["tcp * 81"]),
        ("<IfFile /etc/hosts>\nListen 80\n</IfFile>\n<IfFile !/etc/gone>\nListen 81\n</IfFile>", ["tcp * 80", "tcp * 81"]),
        ("IncludeOptional /gone\nIncludeOptional none*\nListen 81", ["tcp * 81"]),
        ("<Macro L $p>\nListen $p\n</Macro>\nUse L 80\nListen 81", ["tcp * 80", "tcp * 81"]),
        ("<ifmodule !x >\nListen 81\n</ifmodule>", ["tcp * 81"]),
        (
            "LoadModule mpm_event_module m/mod_mpm_event.so\n<IfModule ssl_module>\nListen 80\n</IfModule>\n"
            "<IfModule !mod_ssl.c>\nListen 81\n"
            "<IfModule event.c>\nListen 82\n</IfModule>\n</IfModule>\n<IfModule mod_mpm_event.c>\nListen 83\n</IfModule>",
            ["tcp * 81", "tcp * 82"],
        ),
        (
            "LoadModule ssl_module m/mod_ssl.so\n<IfModule mod_ssl.c>\nListen 443\n</IfModule>\n"
            "<IfModule ssl_module>\nListen 444\n</IfModule>",
            ["tcp * 443", "tcp * 444"],
        ),
        ("LoadModule php_module m/libphp8.2.so\n<IfModule mod_php.c>\nListen 81\n</IfModule>", ["tcp * 81"]),
        (
            "<IfVersion >= 2.4>\nListen 80\n</IfVersion>\n<IfVersion 2.4>\nListen 81\n</IfVersion>\n"
            "<IfVersion < 2.4.10>\nListen 82\n</IfVersion>",
            ["tcp * 80"],
        ),
    ],
)
def test_apache_binds(config: str, expected: list[str]) -> None:
    files = host_of({CONFIG: config, **HOSTS})
    said = apache.read(invocation("/usr/sbin/apache2 -k start"), files, {"apache2-bin": "2.4.62-1~deb12u2"})

    assert expected == brief(said)
    assert () == files.unreadable
    assert {"certain"} == {endpoint.confidence for endpoint in said}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("Listen :81", "invalid address or port in Listen :81"),
        ("Listen 10.9.9.9", "port must be specified in Listen 10.9.9.9"),
        ("Listen http", "port must be specified in Listen http"),
        ("Listen 70000", "invalid address or port in Listen 70000"),
        ("Listen 0", "invalid address or port in Listen 0"),
        ("Listen ${P}\nDefine P 85", "port must be specified in Listen ${P}"),
        ("Listen 80 # c", "Listen takes an address or port, and a protocol"),
        ("<VirtualHost *:90>\nListen 84\n</VirtualHost>\nListen 80", "Listen is not allowed in a <virtualhost> section"),
        ("<Directory />\nListen 84\n</Directory>\nListen 80", "Listen is not allowed in a <directory> section"),
        ("ServerName a", "no Listen line sets the address"),
        ("Include /gone\nListen 80", "/gone is not there"),
        ("Include gone*\nListen 80", "gone* matches nothing"),
        ("Use Gone 80\nListen 80", "there is no macro Gone with 1 arguments"),
        ("<IfModule x>\nListen 80", "<IfModule> is not closed before the end of the file"),
    ],
)
def test_what_apache_refuses_is_told_and_what_it_would_bind_only_possible(config: str, expected: str) -> None:
    files = host_of({CONFIG: config})
    said = apache.read(invocation("/usr/sbin/apache2 -k start"), files, {})

    assert f"apache2 does not start: {expected}" in [trouble.reason for trouble in files.unreadable]
    assert not [endpoint for endpoint in said if endpoint.confidence != "possible"]


@pytest.mark.parametrize("second", ["80", "*:80"])
def test_a_second_listen_line_for_one_address_is_what_apache_does_not_start_with(second: str) -> None:
    files = host_of({CONFIG: f"Listen 80\nListen {second}"})
    said = apache.read(invocation("/usr/sbin/apache2 -k start"), files, {})

    (refused,) = (each for each in said if isinstance(each, ListenLine))
    assert ("refused", f"{CONFIG}:2:8") == (refused.outcome, str(refused.at))
    assert f"the same address and port as {CONFIG}:1:8" == refused.reason
    assert ["possible"] == [each.confidence for each in said if isinstance(each, Endpoint)]


def test_a_port_behind_the_ipv4_wildcard_on_it_collides() -> None:
    files = host_of({CONFIG: "Listen 0.0.0.0:80\nListen 80"})

    assert ["tcp * 80", "tcp 0.0.0.0 80"] == brief(apache.read(invocation("/usr/sbin/apache2 -k start"), files, {}))


def test_sockets_per_core_share_their_port() -> None:
    files = host_of({CONFIG: "Listen 80\nListenCoresBucketsRatio 1"})
    (said,) = apache.read(invocation("/usr/sbin/apache2 -k start"), files, {})

    assert isinstance(said, Endpoint)
    assert (True, True) == (said.reuse_address, said.reuse_port)


def test_a_condition_nothing_decides_makes_what_it_holds_possible() -> None:
    files = host_of({CONFIG: "<IfFile /opt/gone>\nListen 80\n</IfFile>\nListen 81"})
    said = apache.read(invocation("/usr/sbin/apache2 -k start"), files, {})

    assert [("80", "possible"), ("81", "certain")] == [(str(e.ports), e.confidence) for e in said if isinstance(e, Endpoint)]


DEBIAN = {
    CONFIG: "DefaultRuntimeDir ${APACHE_RUN_DIR}\nIncludeOptional mods-enabled/*.load\nIncludeOptional mods-enabled/*.conf\n"
    "Include ports.conf\nIncludeOptional sites-enabled/*.conf\n",
    "/etc/apache2/ports.conf": "Listen 80\n<IfModule ssl_module>\n\tListen 443\n</IfModule>\n",
    "/etc/apache2/mods-available/ssl.load": "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n",
    "/etc/apache2/sites-available/a.conf": "Listen ${A_PORT}\n",
    "/etc/apache2/sites-enabled/a.conf": "-> ../sites-available/a.conf",
    "/etc/apache2/sites-enabled/b.conf~": "Listen 9999\n",
    "/etc/apache2/envvars": "unset HOME\nexport APACHE_RUN_DIR=/run/apache2\nexport A_PORT=8081\n",
}


@pytest.mark.parametrize(
    ("command", "more", "expected"),
    [
        ("/usr/sbin/apachectl start", {}, ["tcp * 80", "tcp * 8081"]),
        ("/usr/sbin/apache2ctl -k start", {}, ["tcp * 80", "tcp * 8081"]),
        ("/usr/sbin/apachectl stop", {}, []),
        (
            "/usr/sbin/apachectl start",
            {"/etc/apache2/mods-enabled/ssl.load": "-> ../mods-available/ssl.load"},
            ["tcp * 443", "tcp * 80", "tcp * 8081"],
        ),
        (
            "/usr/sbin/apachectl start",
            {"/etc/apache2/envvars": "export A_PORT=1 APACHE_ARGUMENTS='-D X -c \"Listen 7\"'\n"},
            ["tcp * 1", "tcp * 80"],
        ),
        ("/usr/sbin/apachectl start", {"/etc/apache2/envvars": "export A_PORT=1 APACHE_ARGUMENTS=-cListen\\ 7\n"}, ["tcp * 1", "tcp * 80"]),
    ],
)
def test_debians_control_script_sources_envvars(command: str, more: dict[str, str], expected: list[str]) -> None:
    assert expected == brief(apache.read(invocation(command), host_of({**DEBIAN, **more}), {}))


def test_a_port_from_envvars_stands_there() -> None:
    said = apache.read(invocation("/usr/sbin/apachectl start"), host_of(DEBIAN), {})

    assert [Span("/etc/apache2/ports.conf", 1, 8, 1, 10), Span("/etc/apache2/envvars", 3, 15, 3, 19)] == [each.at for each in said]


def test_an_instance_has_a_folder_of_its_own() -> None:
    files = host_of(
        {"/etc/apache2-two/apache2.conf": "Include ports.conf", "/etc/apache2-two/ports.conf": "Listen 82", CONFIG: "Listen 80"}
    )
    started = invocation("/usr/sbin/apachectl start", {"APACHE_CONFDIR": "/etc/apache2-two"})

    assert ["tcp * 82"] == brief(apache.read(started, files, {}))


@pytest.mark.parametrize(
    ("command", "files", "expected"),
    [
        (
            "/usr/sbin/httpd -DFOREGROUND",
            {"/etc/httpd/conf/httpd.conf": "Listen 80\nInclude conf.d/*.conf", "/etc/httpd/conf.d/s.conf": "Listen 443 https"},
            "80 443",
        ),
        ("/usr/sbin/httpd -DFOREGROUND", {"/etc/apache2/httpd.conf": "ServerRoot /var/www\nListen 81"}, "81"),
        ("/usr/local/apache2/bin/httpd", {"/usr/local/apache2/conf/httpd.conf": "ServerRoot /usr/local/apache2\nListen 82"}, "82"),
        ("/usr/local/apache2/bin/apachectl -k start", {"/usr/local/apache2/conf/httpd.conf": "Listen 82"}, "82"),
        (
            "/opt/web/bin/httpd -d /srv/web -f web.conf",
            {"/srv/web/web.conf": "Listen 83\nInclude more", "/srv/web/more/x": "Listen 84"},
            "83 84",
        ),
        ("httpd -f /c -D SSL -DTWO", {"/c": "<IfDefine SSL>\nListen 1\n</IfDefine>\n<IfDefine TWO>\nListen 2\n</IfDefine>"}, "1 2"),
        ("httpd -f /c -CDefine\tP\t5 -cListen\t6", {"/c": "Listen ${P}"}, "5 6"),
        ("httpd -t -f /c", {"/c": "Listen 1"}, ""),
        ("httpd -f /c -k graceful-stop", {"/c": "Listen 1"}, ""),
    ],
)
def test_options_say_what_is_read(command: str, files: dict[str, str], expected: str) -> None:
    said = apache.read(invocation(command), host_of(files), {})

    assert expected.split() == [str(each.ports) for each in said if isinstance(each, Endpoint)]


def test_a_server_that_is_handed_its_sockets_binds_none() -> None:
    files = host_of({"/etc/httpd/conf/httpd.conf": "Listen 80"})

    assert () == apache.read(invocation("/usr/sbin/httpd -DFOREGROUND", sockets=("httpd.socket",)), files, {})


def test_a_template_of_a_unit_is_not_asked() -> None:
    files = host_of(DEBIAN)
    started = replace(invocation("/usr/sbin/apachectl start", {"APACHE_CONFDIR": "/etc/apache2-\ufffd"}), unit="apache2@.service")

    assert () == apache.read(started, files, {})
    assert () == files.unreadable


def test_files_that_include_each_other_end() -> None:
    files = host_of({CONFIG: "Listen 80\nInclude a.conf", "/etc/apache2/a.conf": "Include apache2.conf\nListen 81"})

    assert ["tcp * 80", "tcp * 81"] == brief(apache.read(invocation("/usr/sbin/apache2"), files, {}))
    assert [f"apache2 does not start: a file includes itself: {CONFIG} includes /etc/apache2/a.conf includes {CONFIG}"] == [
        trouble.reason for trouble in files.unreadable
    ]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            "<Macro a $b>\n" + "Use a $b$b\n" * 3 + "</Macro>\nUse a x\nListen 80\n",
            "macros and includes nested more than 16 deep are not followed",
        ),
        (
            f"<Macro a $b>\nX $b{'y' * 5000}\n</Macro>\n" + f"Use a {'x' * 5000}\n" * 500 + "Listen 80\n",
            "macros expand to more than 4194304 characters: the rest is not followed",
        ),
    ],
)
def test_macros_that_grow_and_grow_end(config: str, reason: str) -> None:
    files = host_of({CONFIG: config})
    apache.read(invocation("/usr/sbin/apache2"), files, {})

    assert reason in {trouble.reason for trouble in files.unreadable}


def test_a_value_that_doubles_itself_ends() -> None:
    files = host_of({CONFIG: "Define A 8\n" + "Define A ${A}${A}\n" * 40 + "Listen 80\n"})

    assert ["tcp * 80"] == brief(apache.read(invocation("/usr/sbin/apache2"), files, {}))


@pytest.mark.parametrize(
    ("args", "version", "expected"),
    [
        ("2.4.62", (2, 4, 62), True),
        ("2.4", (2, 4, 62), False),
        (">= 2.4", (2, 4, 62), True),
        ("!>= 2.4", (2, 4, 62), False),
        ("< 2.4.63", (2, 4, 62), True),
        (">= 2.4", None, True),
        ("< 2.4", None, False),
        ("< 2.2", None, False),
        (">= 2.3", None, True),
        (">= 2.5", None, False),
        (">= 2.4.30", None, None),
        ("~ ^2.4", (2, 4, 62), None),
        ("= /^2.4/", (2, 4, 62), None),
    ],
)
def test_versions_compare(args: str, version: tuple[int, ...] | None, expected: bool | None) -> None:
    assert expected is version_holds(args.split(), version)


# ── what it connects to ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("ProxyPass / http://10.0.0.1:8080/", ["10.0.0.1:8080 kept 1"]),
        ("ProxyPass / http://10.0.0.1:8080/ disablereuse=on", ["10.0.0.1:8080 closed 1"]),
        ("ProxyPass / http://10.0.0.1:8080/ retry=1 enablereuse=Off", ["10.0.0.1:8080 closed 1"]),
        ("SetEnv proxy-nokeepalive 1\nProxyPass / http://10.0.0.1:8080/", ["10.0.0.1:8080 closed 1"]),
        ("SetEnv force-proxy-request-1.0 1\nProxyPass / http://10.0.0.1/", ["10.0.0.1 closed 1"]),
        (
            "<VirtualHost *>\nSetEnv proxy-nokeepalive 1\n</VirtualHost>\n<VirtualHost *>\nProxyPass / http://a/\n</VirtualHost>",
            ["a kept 1"],
        ),
        (
            "<Location /x>\nSetEnv proxy-nokeepalive 1\n</Location>\nProxyPass /x http://a/\nProxyPass /y http://b/",
            ["a closed 1", "b kept 1"],
        ),
        ("<Location /x>\nProxyPass http://a/ disablereuse=on\n</Location>", ["a closed 1"]),
        ("ProxyPass /x !\nProxyPassMatch ^/(.*) http://a/$1", ["a kept 1"]),
        ("ProxyPassMatch ^/(.*)/ http://$1/", []),
        ("ProxyPass / unix:/run/x.sock|http://localhost/", []),
        ("ProxyPass / fcgi://127.0.0.1:9000/srv", ["127.0.0.1:9000 closed 1 loopback"]),
        ("ProxyPass / fcgi://127.0.0.1:9000/srv enablereuse=on", ["127.0.0.1:9000 kept 1 loopback"]),
        ('<FilesMatch php>\nSetHandler "proxy:fcgi://127.0.0.1:9000"\n</FilesMatch>', ["127.0.0.1:9000 closed 1 loopback"]),
        ("SetHandler proxy:unix:/run/php.sock|fcgi://localhost", []),
        ("ProxyPass / ajp://127.0.0.1:8009/", ["127.0.0.1:8009 kept 1 loopback"]),
        ("ProxyPass /ws ws://10.0.0.1:8080/", ["10.0.0.1:8080 unknown 1"]),
        ("<Proxy http://10.0.0.1:8080>\nProxySet disablereuse=on\n</Proxy>\nProxyPass / http://10.0.0.1:8080/", ["10.0.0.1:8080 closed 1"]),
        ("RewriteRule ^/(.*) http://10.0.0.1:8080/$1 [P,L]", ["10.0.0.1:8080 closed 1"]),
        ("RewriteRule ^/(.*) http://10.0.0.1:8080/$1 [P]\nProxyPass /x http://10.0.0.1:8080/x", ["10.0.0.1:8080 kept 1"]),
        ("RewriteRule ^/(.*) http://10.0.0.1:8080/$1 [R]", []),
        (
            "<Proxy balancer://pool>\nBalancerMember http://10.0.0.1:80\nBalancerMember http://10.0.0.2:80\n"
            "BalancerMember http://10.0.0.3 status=+H\n"
            "</Proxy>\nProxyPass / balancer://pool/",
            ["pool kept 2"],
        ),
        ("BalancerMember balancer://p http://127.0.0.1:80 disablereuse=on\nProxyPass / balancer://p", ["p closed 1 loopback"]),
        ("<Proxy balancer://unused>\nBalancerMember http://10.0.0.1\n</Proxy>", []),
        ("Define B 10.0.0.1:81\nProxyPass / http://${B}/", ["10.0.0.1:81 kept 1"]),
    ],
)
def test_apache_keeps_connections_to(config: str, expected: list[str]) -> None:
    files = host_of({CONFIG: f"Listen 80\n{config}\n"})
    said = apache.read(invocation("/usr/sbin/apache2"), files, {})
    kept = {True: "kept", False: "closed", None: "unknown"}

    assert expected == [
        f"{o.name} {kept[o.keepalive]} {o.servers}{' loopback' if o.loopback else ''}" for o in said if isinstance(o, Outbound)
    ]
    assert () == files.unreadable


def test_a_verdict_points_at_the_line_that_decided() -> None:
    files = host_of({CONFIG: "Listen 80\nProxyPass / http://10.0.0.1/ disablereuse=on\n"})
    said = [each for each in apache.read(invocation("/usr/sbin/apache2"), files, {"apache2": "2.4.62-1"}) if isinstance(each, Outbound)]

    assert [(Span(CONFIG, 2, 13, 2, 29), Span(CONFIG, 2, 30, 2, 45), "2.4.62")] == [(o.at, o.decided_at, o.version) for o in said]
