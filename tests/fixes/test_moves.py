"""Services that move to another port: all lines that say the port, or none of them and the line that stands in the way."""

from pathlib import Path

import pytest

from portwright.changes.drop_in_step import DropInStep
from portwright.changes.label_port import PortLabelStep
from portwright.cli import main
from portwright.fixes.plan import Plan
from tests.fixes.on_a_copy import PROXY, RESERVED, UNLABELLED, plan_for, reasons, service, web
from tests.fixes.test_configs import NGINX

TWICE = "port-claimed-twice"
LINES = "zz-portwright-lines.conf"


def made_for(*hosts: dict[str, str], **files: str) -> Plan:
    return plan_for({path: text for host in (*hosts, files) for path, text in host.items()}, review=True)


def written(made: Plan, unit: str) -> list[str]:
    """The lines of the drop-in for what a unit runs and listens on."""
    return made.edits.get(f"/etc/systemd/system/{unit}.d/{LINES}", "").splitlines()[1:]


def after(unit: str, other: dict[str, str]) -> dict[str, str]:
    return {path: text.replace("[Service]", f"[Unit]\nAfter={unit}\n[Service]", 1) for path, text in other.items()}


def test_whoever_comes_second_moves_to_the_next_port_that_is_free_and_named_nowhere() -> None:
    named = {"/etc/sysctl.d/10-x.conf": "# 8081 is for the firewall\nvm.swappiness = 1\n"}
    made = made_for(web(8080, "one.service"), after("one.service", web(8080, "two.service")), named)

    assert ["[Service]", "ExecStart=", "ExecStart=/usr/bin/python3 -m http.server 8082"] == written(made, "two.service")
    assert [TWICE] == [finding.card.id for finding in made.fixed]
    (step,) = made.steps
    assert isinstance(step, DropInStep)
    assert ("review", "restart", ((8080, 8082),)) == (step.safety, step.disruption, step.moves)


def test_nobody_moves_into_the_ephemeral_range_or_to_what_is_reserved() -> None:
    files = {"/etc/sysctl.d/50-x.conf": f"{RESERVED} = 61000-61009\n"}
    made = made_for(web(60999, "one.service"), after("one.service", web(60999, "two.service")), files)

    assert "ExecStart=/usr/bin/python3 -m http.server 61010" in written(made, "two.service")


def test_three_that_want_one_port_get_three() -> None:
    made = made_for(*(web(8080, f"{name}.service") for name in ("a", "b", "c")))

    assert {"b.service", "c.service"} == {step.unit for step in made.steps if isinstance(step, DropInStep)}
    assert {8081, 8082} == {new for step in made.steps if isinstance(step, DropInStep) for _, new in step.moves}
    assert () == made.unplanned


def test_every_listen_line_of_nginx_moves_and_no_other_byte() -> None:
    conf = "/etc/nginx/conf.d/app.conf"
    text = "server { listen 8080;\r\n listen [::]:8080; }\r\n# 8080\r\nserver { listen 8080 ; server_name x; root /8080; }"
    made = made_for(web(8080, "a.service"), after("a.service", NGINX), {conf: text})

    assert text.replace("listen 8080", "listen 8081").replace("[::]:8080", "[::]:8081") == made.edits[conf]
    assert ("nginx", "-t", "-c", "/etc/nginx/nginx.conf") == made.steps[0].check  # type: ignore[attr-defined]
    assert "/etc/systemd/system/a.service:5" in made.steps[0].caution(made.host).replace(":2", ":5")


def test_a_site_of_httpd_moves_with_its_port() -> None:
    conf = "/etc/apache2/apache2.conf"
    text = "Listen 8080\n<VirtualHost *:8080>\nServerName x\n</VirtualHost>\n"
    apache = after("a.service", service("apache2.service", "/usr/sbin/apache2 -DFOREGROUND"))

    assert {conf: text.replace("8080", "8081")} == made_for(web(8080, "a.service"), apache, {conf: text}).edits


@pytest.mark.parametrize(
    ("name", "command", "conf", "text"),
    [
        ("haproxy", "/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg", "frontend f\n  bind :8080 # x\n"),
        ("redis", "/usr/bin/redis-server /etc/redis/redis.conf", "/etc/redis/redis.conf", "bind 127.0.0.1\nport 8080"),
        ("mariadb", "/usr/sbin/mysqld --user=mysql", "/etc/mysql/my.cnf", "[mysqld]\r\nport = 8080\r\n"),
        ("vsftpd", "/usr/sbin/vsftpd /etc/vsftpd.conf", "/etc/vsftpd.conf", "listen=YES\nlisten_port=8080\n"),
        ("squid", "/usr/sbin/squid -N", "/etc/squid/squid.conf", "http_port 8080\n"),
        ("php-fpm", "/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config /etc/php/8.2/fpm/php-fpm.conf", "/etc/php/8.2/fpm/php-fpm.conf",
         "[www]\nlisten = 127.0.0.1:8080\n"),
        ("pg", "/usr/lib/postgresql/15/bin/postgres -D /etc/pg", "/etc/pg/postgresql.conf", "listen_addresses = '*'\nport = 8080\n"),
        ("dovecot", "/usr/sbin/dovecot -F", "/etc/dovecot/dovecot.conf",
         "protocols = imap\nservice imap-login {\n inet_listener imap {\n  port = 8080\n }\n inet_listener imaps {\n  port = 0\n }\n}\n"),
        ("rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server", "/etc/rabbitmq/rabbitmq.conf", "listeners.tcp.default = 8080\n"),
    ],
)  # fmt: skip
def test_the_line_that_says_the_port_is_edited_whatever_the_daemon(name: str, command: str, conf: str, text: str) -> None:
    made = made_for(web(8080, "a.service"), after("a.service", service(f"{name}.service", command)), {conf: text})

    assert text.replace("8080", "8081") == made.edits.get(conf), reasons(made)


def test_case_67_what_operators_log_in_by_stays_where_it_is() -> None:
    conf = {"/etc/ssh/sshd_config": "Port 8080\n"}
    ssh = after("a.service", service("ssh.service", "/usr/sbin/sshd -D"))
    made = made_for(web(8080, "a.service"), ssh, conf)

    assert not any(path.startswith("/etc/ssh") for path in made.edits)
    assert "ExecStart=/usr/bin/python3 -m http.server 8081" in written(made, "a.service")


def test_the_sockets_of_a_unit_are_said_anew_in_a_drop_in() -> None:
    files = {
        "/etc/systemd/system/x.socket": "[Unit]\nAfter=a.service\n[Socket]\nListenStream=8080\nListenStream=9001\n",
        "/etc/systemd/system/x.service": "[Service]\nExecStart=/usr/bin/x\n",
        "/etc/systemd/system/multi-user.target.wants/x.socket": "-> ../x.socket",
    }
    made = made_for(web(8080, "a.service"), files)

    assert ["[Socket]", "ListenStream=", "ListenStream=8081", "ListenStream=9001"] == written(made, "x.socket")


def test_a_socket_that_a_drop_in_adds_to_those_of_the_unit_takes_their_place() -> None:
    files = {
        "/usr/lib/systemd/system/x.socket": "[Socket]\nListenStream=9090\nListenStream=/run/x\n",
        "/etc/systemd/system/x.socket.d/listen.conf": "[Socket]\nListenStream=127.0.0.1:9090\n",
        "/usr/lib/systemd/system/x.service": "[Service]\nExecStart=/usr/bin/x\n",
        "/etc/systemd/system/multi-user.target.wants/x.socket": "-> /usr/lib/systemd/system/x.socket",
        "/usr/lib/systemd/system/multi-user.target": "[Unit]\n",
    }
    made = made_for(files)

    assert ["[Socket]", "ListenStream=", "ListenStream=/run/x", "ListenStream=127.0.0.1:9090"] == written(made, "x.socket"), reasons(made)


def test_what_an_environment_says_is_edited_where_it_stands() -> None:
    files = after("a.service", service("b.service", "/usr/bin/python3 -m http.server $PORT", "EnvironmentFile=/etc/default/b"))
    made = made_for(web(8080, "a.service"), files, {"/etc/default/b": "# the port\nPORT=8080\n"})

    assert {"/etc/default/b": "# the port\nPORT=8081\n"} == made.edits, reasons(made)


def test_a_port_that_no_line_says_keeps_all_where_it_is_and_says_so() -> None:
    built_in = service("b.service", "/usr/bin/python3 -m http.server")
    made = made_for({**built_in}, service("c.service", "/usr/bin/python3 -m http.server"))

    assert {} == made.edits
    assert "no line says that http.server listens on 8000" in reasons(made)[TWICE]


def test_a_relay_that_moves_and_sets_an_option_has_one_line() -> None:
    relay = after("a.service", service("relay.service", "/usr/bin/socat TCP-LISTEN:8080,fork TCP:10.0.0.5:7000"))
    made = made_for(web(8080, "a.service"), relay)

    assert "ExecStart=/usr/bin/socat TCP-LISTEN:8081,fork,reuseaddr TCP:10.0.0.5:7000" in written(made, "relay.service")
    assert {TWICE, "listener-without-reuseaddr"} == {finding.card.id for finding in made.fixed}


def test_lines_that_name_the_port_and_are_left_are_named() -> None:
    made = made_for(web(80, "a.service"), after("a.service", PROXY))

    assert "bind :8081" in made.edits["/etc/haproxy/haproxy.cfg"]  # 8080 is named there
    (step,) = [step for step in made.steps if step.path == "/etc/haproxy/haproxy.cfg"]
    assert "these lines name 80, which the other service keeps, and are left: /etc/systemd/system/a.service:2" in step.caution(made.host)


def test_who_moves_gets_a_port_that_is_free_on_the_other_hosts_of_its_group_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = {**web(8080, "one.service"), **after("one.service", web(8080, "two.service"))}
    others = {
        "web2": web(8081, "api.service"),
        "web3": {"/etc/sysctl.d/50.conf": f"{RESERVED} = 8082\n"},
        "web4": service("relay.service", "/usr/bin/socat UDP-LISTEN:8083,fork UDP:10.0.0.1:53"),
    }
    for name, files in {"web1": own, **others}.items():
        host = {**files, "/etc/hostname": f"{name}\n", "/etc/passwd": "root:x:0:0::/:\n"}
        for path, text in host.items():
            place = tmp_path / name / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(text.removeprefix("-> ")) if text.startswith("-> ") else place.write_text(text)
    fix = ["fix", str(tmp_path / "web1"), "--select", TWICE, "--allow-review"]

    main(fix)
    assert "http.server 8081" in capsys.readouterr().out
    main([*fix, *(word for name in others for word in ("--free-on", str(tmp_path / name)))])
    assert "http.server 8084" in capsys.readouterr().out
    assert 2 == main([*fix, "--free-on", str(tmp_path / "web5")])


def test_two_lines_of_one_daemon_are_not_moved_away_from_each_other() -> None:
    conf = {"/etc/nginx/conf.d/app.conf": "server { listen 80; }\nserver { listen [::]:80 ipv6only=off; }\n"}
    made = made_for(NGINX, conf)

    assert {} == made.edits
    assert "both are started by nginx.service, and to move it moves both: one of the lines has to go" == reasons(made)[TWICE]


def test_a_service_that_selinux_confines_moves_with_the_type_of_its_new_port() -> None:
    files = {**UNLABELLED, "/etc/ssh/sshd_config": "Port 22\n", "/etc/nginx/conf.d/app.conf": "server { listen 8443; }\n"}
    made = made_for(web(8443, "a.service"), after("a.service", NGINX), files)

    label, config = made.steps
    assert isinstance(label, PortLabelStep)
    assert ("8444", "http_port_t", ("nginx.service",)) == (label.port, label.type, label.for_units)
    assert {"/etc/nginx/conf.d/app.conf": "server { listen 8444; }\n"} == dict(made.edits)
    assert ("restart", (8443, 8444)) == (label.disruption, *config.moves)  # type: ignore[attr-defined]


def test_a_port_whose_type_is_anothers_is_left_to_a_person() -> None:
    made = made_for(UNLABELLED, {"/etc/ssh/sshd_config": "Port 8000\n"})

    assert () == made.steps
    assert {"a port has one type, so changing it may deny the port to a service that needs it"} == {
        left.reason for left in made.unplanned if left.finding.card.id == "port-refused-by-selinux"
    }


def test_a_port_that_has_no_type_gets_the_one_its_daemon_may_bind_beside_those_that_were_given_before() -> None:
    local = "/var/lib/selinux/targeted/active/ports.local"
    before = {local: "portcon tcp 8086 system_u:object_r:http_port_t:s0", "/etc/nginx/conf.d/app.conf": "server { listen 8086; }\n"}
    made = made_for(UNLABELLED, NGINX, before)

    (label,) = made.steps
    assert "run semanage port -a -t ssh_port_t -p tcp 2849, for sshd.service" == label.in_words()
    assert {} == made.edits
    assert {"port-refused-by-selinux"} == {finding.card.id for finding in made.fixed}


def test_a_daemon_whose_port_is_built_in_moves_by_the_option_that_says_another() -> None:
    files = {"/etc/nutcracker.yml": "a:\n  listen: 127.0.0.1:7000\n"}
    cache = service("cache.service", "/usr/sbin/nutcracker -c /etc/nutcracker.yml")
    made = made_for(web(22222, "a.service"), after("a.service", cache), files)

    assert ["[Service]", "ExecStart=", "ExecStart=/usr/sbin/nutcracker -c /etc/nutcracker.yml -s 22223"] == written(made, "cache.service")
    gateway = service("gateway.service", "/usr/bin/prometheus-pushgateway")
    made = made_for(web(9091, "a.service"), after("a.service", gateway))
    assert "ExecStart=/usr/bin/prometheus-pushgateway --web.listen-address=:9092" in written(made, "gateway.service")
    # A shell does not pass on what stands behind its command.
    shell = service("gateway.service", "/bin/sh -c '/usr/bin/prometheus-pushgateway'")
    assert {} == made_for(web(9091, "a.service"), after("a.service", shell)).edits
