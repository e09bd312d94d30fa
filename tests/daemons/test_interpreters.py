"""What programs of Java, Ruby, Perl, PHP and .NET bind, and what the commands lead to that run a project's own command."""

import pytest

from portwright.source import Span
from tests.daemons.started import binds, endpoints

UNIT = "/etc/systemd/system/app.service"
JMX = "-Dcom.sun.management.jmxremote"
JDWP = "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address="


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("java -jar app.jar --server.port=8081", ["tcp * 8081"]),
        ("java -Xmx64m -Dserver.port=8080 -jar app.jar", ["tcp * 8080"]),
        ("java -Dserver.port=8080 -jar app.jar --server.port=8081", ["tcp * 8081"]),
        ("java -Dserver.port=8080 -Dserver.address=127.0.0.1 Main", ["tcp 127.0.0.1 8080"]),
        ("java -Djava.net.preferIPv4Stack=true -Dhttp.port=9000 -jar x.jar", ["tcp 0.0.0.0 9000"]),
        ("java -jar app.jar -Dserver.port=8080", ["tcp * 8080"]),
        ("java -jar app.jar --server.port=-1", []),
        ("java -Ddb.port=5432 -jar app.jar", []),
        (f"java {JMX}.port=7604 Main", ["tcp * 7604", "tcp * random"]),
        (f"java {JMX}.port=7604 {JMX}.rmi.port=7605 {JMX}.host=127.0.0.1 Main", ["tcp 127.0.0.1 7604", "tcp 127.0.0.1 7605"]),
        (f"java {JMX}.port=7604 {JMX}.rmi.port=7604 Main", ["tcp * 7604"]),
        (f"java {JDWP}7606 Main", ["tcp 127.0.0.1 7606"]),
        (f"java {JDWP}*:7606 Main", ["tcp * 7606"]),
        (f"java {JDWP}0.0.0.0:7606 Main", ["tcp 0.0.0.0 7606"]),
        ("java -jar /usr/share/java/jenkins.war", ["tcp * 8080"]),
        ("java -jar /usr/share/java/jenkins.war --httpPort=8090 --httpListenAddress=127.0.0.1", ["tcp 127.0.0.1 8090"]),
        ("java -jar /usr/share/java/jenkins.war --httpPort=-1", []),
        ("java -Djenkins.model.Jenkins.slaveAgentPort=50000 -jar jenkins.war", ["tcp * 50000", "tcp * 8080"]),
        ("puma", ["tcp 0.0.0.0 9292"]),
        ("puma -p 7100", ["tcp 0.0.0.0 7100"]),
        ("puma -b tcp://localhost:7102 -p 7103", ["tcp 0.0.0.0 7103", "tcp 127.0.0.1 7102", "tcp ::1 7102"]),
        ("puma -b tcp://[::]:7105", ["tcp :: 7105"]),
        ("puma -b ssl://0.0.0.0:7114?key=k&cert=c", ["tcp 0.0.0.0 7114"]),
        ("puma -b unix:///run/puma.sock", []),
        ("ruby /usr/bin/puma -p 5", ["tcp 0.0.0.0 5"]),
        ("rackup config.ru", ["tcp 127.0.0.1 9292", "tcp ::1 9292"]),
        ("rackup -E production", ["tcp 0.0.0.0 9292"]),
        ("rackup -p 7120 -o 0.0.0.0", ["tcp 0.0.0.0 7120"]),
        ("bin/rails server", ["tcp 127.0.0.1 3000", "tcp ::1 3000"]),
        ("bin/rails s -e production -p 81", ["tcp 0.0.0.0 81"]),
        ("bin/rails console", []),
        ("unicorn", ["tcp 0.0.0.0 8080"]),
        ("unicorn -l 7130 -l 127.0.0.1:7131 -l /run/unicorn.sock", ["tcp 0.0.0.0 7130", "tcp 127.0.0.1 7131"]),
        ("unicorn -o 127.0.0.1 -p 7133", ["tcp 127.0.0.1 7133"]),
        ("thin -R config.ru -s 2 -p 7141 start", ["tcp 0.0.0.0 7141-7142"]),
        ("thin stop", []),
        ("ruby -run -e httpd . -p 7150", ["tcp 0.0.0.0 7150", "tcp :: 7150 v6only"]),
        ("ruby -run -ehttpd -- --bind-address=127.0.0.1 --port=7152 .", ["tcp 127.0.0.1 7152"]),
        ("ruby -run -e cp a b", []),
        ("php -S 0.0.0.0:7200", ["tcp 0.0.0.0 7200"]),
        ("php -t /srv -S [::1]:7203", ["tcp ::1 7203"]),
        ("php -S [::]:7203", ["tcp :: 7203"]),
        ("php artisan serve --port=81", ["tcp 127.0.0.1 81"]),
        ("php /srv/worker.php", []),
        ("plackup app.psgi", ["tcp 0.0.0.0 5000"]),
        ("plackup -l 127.0.0.1:7214 app.psgi", ["tcp 127.0.0.1 7214"]),
        ("starman --port=7222 --host 127.0.0.1 app.psgi", ["tcp 127.0.0.1 7222"]),
        ("perl /usr/bin/plackup -p 7210 app.psgi", ["tcp 0.0.0.0 7210"]),
        ("bundle exec puma -p 5", ["tcp 0.0.0.0 5"]),
        ("bundle install", []),
        ("poetry run uvicorn a:b --port 9", ["tcp 127.0.0.1 9"]),
        ("uv run --with x gunicorn a:b", ["tcp 127.0.0.1 8000"]),
        ("pipenv run python manage.py runserver 7", ["tcp 127.0.0.1 7"]),
        ("iperf3 -s", ["tcp * 5201"]),
        ("iperf3 -sp 7275 -4", ["tcp 0.0.0.0 7275"]),
        ("iperf3 -s -6 -p 7274", ["tcp :: 7274 v6only"]),
        ("iperf3 -s -B 127.0.0.1", ["tcp 127.0.0.1 5201"]),
        ("iperf3 -c 10.0.0.1 -p 7275", []),
        ("systemd-socket-activate -l 127.0.0.1:7281 --listen=7282 cat -l 5", ["tcp 127.0.0.1 7281", "tcp :: 7282"]),
        ("systemd-socket-activate -d -l 7283 cat", ["udp :: 7283"]),
        ("systemd-socket-activate -l /run/x.sock cat", []),
    ],
)
def test_a_program_binds_what_its_command_line_says(command: str, expected: list[str]) -> None:
    assert expected == binds(command)


@pytest.mark.parametrize(
    ("command", "environment", "expected"),
    [
        ("java -jar x.jar", {"SERVER_PORT": "8082", "SERVER_ADDRESS": "127.0.0.1"}, ["tcp 127.0.0.1 8082"]),
        ("java -jar x.jar", {"JAVA_TOOL_OPTIONS": "-Xmx1g -Dserver.port=8083"}, ["tcp * 8083"]),
        ("puma", {"PORT": "7104"}, ["tcp 0.0.0.0 9292"]),
        ("rackup", {"RACK_ENV": "production"}, ["tcp 0.0.0.0 9292"]),
        ("bin/rails s", {"PORT": "81", "RAILS_ENV": "production"}, ["tcp 0.0.0.0 81"]),
        (
            "dotnet app.dll",
            {"ASPNETCORE_URLS": "http://*:5000;https://localhost:5001"},
            ["tcp * 5000", "tcp 127.0.0.1 5001", "tcp ::1 5001"],
        ),
        ("/opt/app/App", {"ASPNETCORE_URLS": "http://10.0.0.1:5003/"}, ["tcp 10.0.0.1 5003"]),
        ("/opt/app/App --urls http://[::]:81", {"ASPNETCORE_ENVIRONMENT": "Production"}, ["tcp * 81"]),
        ("dotnet app.dll", {"ASPNETCORE_HTTP_PORTS": "8080;8081"}, ["tcp * 8080", "tcp * 8081"]),
        ("/opt/app/App", {"ASPNETCORE_ENVIRONMENT": "Production"}, ["tcp 127.0.0.1 5000", "tcp ::1 5000"]),
        ("dotnet app.dll", {}, []),
    ],
)
def test_a_variable_its_runtime_reads_counts(command: str, environment: dict[str, str], expected: list[str]) -> None:
    assert expected == binds(command, environment)


@pytest.mark.parametrize(
    ("command", "path", "text", "expected"),
    [
        (
            "/opt/venv/bin/python -m synapse.app.homeserver --config-path=/srv/homeserver.yaml",
            "/srv/homeserver.yaml",
            "listeners:\n  - port: 8009\n    bind_addresses: [127.0.0.1]\n",
            ["tcp 127.0.0.1 8009"],
        ),
        ("/usr/bin/node index.js", "/opt/zigbee2mqtt/data/configuration.yaml", "frontend:\n  port: 8081\n", ["tcp * 8081"]),
        ("java -jar /srv/server.jar nogui", "/opt/zigbee2mqtt/server.properties", "server-port=25570\n", ["tcp * 25570"]),
    ],
)
def test_a_server_of_its_own_room_is_found_behind_its_runtime(command: str, path: str, text: str, expected: list[str]) -> None:
    assert expected == binds(command, None, {path: text}, "/opt/zigbee2mqtt")


def test_a_config_is_found_in_the_place_that_an_option_names() -> None:
    tree = {
        "/etc/tinc/lab/tinc.conf": "Name = a\nAddressFamily = ipv4\nPort = 7655\n",
        "/etc/tinc/vpn/tinc.conf": "Name = a\nAddressFamily = ipv4\nPort = 6655\n",
    }

    assert ["tcp 0.0.0.0 7655", "udp 0.0.0.0 7655"] == binds("tincd --net=lab -D", None, tree)
    assert ["tcp 0.0.0.0 6655", "udp 0.0.0.0 6655"] == binds("tincd -n vpn -D", None, tree)


def test_java_is_as_sure_as_the_place_that_says_it() -> None:
    beside = {"/srv/application.properties": "# ours\nserver.port=8123\n"}
    (option,), _ = endpoints("java -Dserver.port=81 -jar x.jar")
    (given,), _ = endpoints("java -jar x.jar", {"SERVER_PORT": "81"})
    (written,), _ = endpoints("java -jar x.jar", None, beside, "/srv")

    assert ["likely", "possible", "possible"] == [option.confidence, given.confidence, written.confidence]
    assert Span("/srv/application.properties", 2, 13, 2, 17) == written.at


SERVER_XML = """<?xml version="1.0"?>
<!-- <Connector port="1"/> -->
<Server port="8005" shutdown="SHUTDOWN" portOffset="{offset}">
  <Service name="Catalina">
    <Connector port="8080" protocol="HTTP/1.1"
               redirectPort="8443" />
    <Connector port="8443" address="10.0.0.1"><SSLHostConfig/></Connector>
    <Connector protocol="AJP/1.3" port="${{ajp.port:-8009}}"/>
    <Connector port="-1"/>
  </Service>
</Server>
"""
TOMCAT = ["tcp * 8080", "tcp 10.0.0.1 8443", "tcp 127.0.0.1 8005", "tcp 127.0.0.1 8009"]


@pytest.mark.parametrize(
    ("command", "environment"),
    [
        ("/bin/sh /usr/libexec/tomcat10/tomcat-start.sh", {"CATALINA_BASE": "/srv/cat"}),
        ("/srv/cat/bin/catalina.sh run", {}),
        ("java -Dcatalina.base=/srv/cat org.apache.catalina.startup.Bootstrap start", {"CATALINA_HOME": "/usr/share/tomcat10"}),
        ("jsvc -user tomcat -Dcatalina.base=/srv/cat org.apache.catalina.startup.Bootstrap", {}),
    ],
)
def test_tomcat_binds_its_connectors_and_its_shutdown_port(command: str, environment: dict[str, str]) -> None:
    assert TOMCAT == binds(command, environment, {"/srv/cat/conf/server.xml": SERVER_XML.format(offset=0)})


def test_tomcat_shifts_its_ports_and_takes_properties_from_its_options() -> None:
    tree = {"/srv/cat/conf/server.xml": SERVER_XML.format(offset=1)}
    environment = {"CATALINA_BASE": "/srv/cat", "CATALINA_OPTS": "-Xmx1g -Dajp.port=9009"}

    assert ["tcp * 8081", "tcp 10.0.0.1 8444", "tcp 127.0.0.1 8006", "tcp 127.0.0.1 9010"] == binds("catalina.sh run", environment, tree)


@pytest.mark.parametrize(
    ("line", "unset", "given"),
    [
        ('port ENV.fetch("PORT") { 3000 }', "tcp 0.0.0.0 3000", "tcp 0.0.0.0 99"),
        ('port ENV.fetch("PORT", 3000)', "tcp 0.0.0.0 3000", "tcp 0.0.0.0 99"),
        ("port(ENV['PORT'] || 3000) # ours", "tcp 0.0.0.0 3000", "tcp 0.0.0.0 99"),
        ('port Integer(ENV["PORT"] || 3000)', "tcp 0.0.0.0 3000", "tcp 0.0.0.0 99"),
        ('port ENV.fetch("PORT", "3000").to_i, "127.0.0.1"', "tcp 127.0.0.1 3000", "tcp 127.0.0.1 99"),
        ("bind \"tcp://0.0.0.0:#{ENV.fetch('PORT', 3000)}\"", "tcp 0.0.0.0 3000", "tcp 0.0.0.0 99"),
        ("bind 'tcp://[::1]:81'", "tcp ::1 81", "tcp ::1 81"),
        ("# port 81\nworkers 2", "tcp 0.0.0.0 9292", "tcp 0.0.0.0 9292"),
    ],
)
def test_puma_reads_its_configuration(line: str, unset: str, given: str) -> None:
    tree = {"/srv/config/puma.rb": f"#!/usr/bin/env puma\n{line}\n"}

    assert ([unset], [given]) == (binds("puma", None, tree, "/srv"), binds("puma -C config/puma.rb", {"PORT": "99"}, tree, "/srv"))
    assert ["tcp 0.0.0.0 5"] == binds("puma -p 5", None, tree, "/srv")


def test_what_puma_binds_is_not_guessed() -> None:
    assert ([], ["what port stands for cannot be determined"]) == endpoints("puma -C /p.rb", None, {"/p.rb": "port Settings.port"})


def test_unicorn_reads_its_configuration() -> None:
    text = 'worker_processes 4\nlisten 8081, tcp_nopush: true\nlisten "127.0.0.1:8082", backlog: 64\nlisten "/run/app.sock"\n'

    assert ["tcp 0.0.0.0 8081", "tcp 127.0.0.1 8082"] == binds("unicorn -c /u.rb", None, {"/u.rb": text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IO::Socket::INET->new(LocalPort => 7501, Listen => 5)", ("tcp 0.0.0.0 7501", False, False)),
        (
            "IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => '7502',\n  Listen => 5, ReuseAddr => 1)",
            ("tcp 127.0.0.1 7502", True, False),
        ),
        ("IO::Socket::INET->new(LocalAddr => '127.0.0.1:7503', Listen => 5, Reuse => 1)", ("tcp 127.0.0.1 7503", True, False)),
        ("IO::Socket::INET->new(LocalPort => 7504, Proto => 'udp')", ("udp 0.0.0.0 7504", False, False)),
        (
            "IO::Socket::IP->new(LocalHost => '::', LocalPort => 7506, Listen => 5, ReusePort => 1, V6Only => 1)",
            ("tcp :: 7506 v6only", False, True),
        ),
        ("my $port = $ENV{PORT} || 7505;\nHTTP::Daemon->new(LocalPort => $port)", ("tcp 0.0.0.0 7505", False, False)),
    ],
)
def test_a_perl_script_reuses_addresses_only_where_it_says_so(text: str, expected: tuple[str, bool, bool]) -> None:
    found, reasons = endpoints("/usr/bin/perl /srv/serve.pl", None, {"/srv/serve.pl": f"use strict;\nmy $s = {text} or die;\n"})

    assert [] == reasons
    assert [expected] == [(line, one.reuse_address, one.reuse_port) for one, line in zip(found, binds_of(text), strict=True)]


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("my ($port, $host) = (8125, '127.0.0.1');\nGetOptions('port|p=i' => \\$port, 'bind=s' => \\$host);", "", "127.0.0.1 8125"),
        ("my $port = 8125;\nmy $host = '';\nGetOptions('port|p=i' => \\$port);", " --port 7507", "0.0.0.0 7507"),
        ("my $port = 8125;\nmy $host = '';\nGetOptions('port|p=i' => \\$port);", " --port=7507", "0.0.0.0 7507"),
        ("my $host = '127.0.0.1';\nmy $port = shift || 7508;", "", "127.0.0.1 7508"),
        ("my ($host, $port) = @ARGV;", " 127.0.0.1 7510", "127.0.0.1 7510"),
        ("my $host = '127.0.0.1';\nmy $port = $ARGV[0] // 7508;", " 7509", "127.0.0.1 7509"),
    ],
)
def test_a_perl_script_takes_its_port_from_the_command_line(text: str, arguments: str, expected: str) -> None:
    script = f"use Getopt::Long;\n{text}\nIO::Socket::INET->new(LocalAddr => $host, LocalPort => $port, Listen => 5) or die;\n"

    assert [f"tcp {expected}"] == binds(f"/usr/bin/perl /srv/serve.pl{arguments}", None, {"/srv/serve.pl": script})


def binds_of(text: str) -> list[str]:
    return binds("/usr/bin/perl /srv/serve.pl", None, {"/srv/serve.pl": f"use strict;\nmy $s = {text} or die;\n"})


@pytest.mark.parametrize(
    "text",
    [
        "IO::Socket::INET->new(PeerAddr => 'a', PeerPort => 80)",
        "IO::Socket::INET->new(LocalPort => 7501)",
        "IO::Socket::INET->new(LocalPort => $port, Listen => 1)",
        "#IO::Socket::INET->new(LocalPort => 7501, Listen => 1)",
        "1;\n__END__\nIO::Socket::INET->new(LocalPort => 7501, Listen => 1)",
        "IO::Socket::INET->new(LocalPort => 7501, Listen",
    ],
)
def test_a_perl_script_that_does_not_plainly_listen_says_nothing(text: str) -> None:
    assert [] == binds("/usr/bin/perl /srv/serve.pl", None, {"/srv/serve.pl": text})


@pytest.mark.parametrize("command", ["npm start", "npm run start", "npm --prefix /srv start", "yarn start", "pnpm run start --silent"])
def test_a_project_runs_what_its_package_says(command: str) -> None:
    tree = {
        "/srv/package.json": '{"scripts": {"start": "NODE_ENV=production PORT=8700 node server.js", "again": "npm run again"}}',
        "/srv/server.js": "app.listen(process.env.PORT)",
    }
    found, reasons = endpoints(command, None, tree, "/srv")

    assert ([], [("*", 8700)]) == (reasons, [(one.address, one.ports.low) for one in found])
    assert Span("/srv/package.json", 1, 49, 1, 53) == found[0].at
    assert [] == binds("npm run again", None, tree, "/srv")
    assert [] == binds("npm ci", None, tree, "/srv")


SCRIPTS = {
    "/srv/app.js": "require('http').createServer().listen(Number(process.argv[2]));\n",
    "/srv/app.py": "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 7000))\ns.listen()\n",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/usr/local/bin/node-with-capability /srv/app.js 83", ["tcp * 83"]),
        ("/opt/py/bin/py311 /srv/app.py", ["tcp 127.0.0.1 7000"]),
        ("/opt/py/bin/py311 /srv/gone.py", []),
        ("/usr/bin/install /srv/app.py", []),
        ("/usr/local/bin/check --file /srv/app.py", []),
    ],
)
def test_a_program_of_ones_own_that_is_given_a_script_is_its_interpreter_under_another_name(command: str, expected: list[str]) -> None:
    assert expected == binds(command, tree=SCRIPTS)


@pytest.mark.parametrize(
    ("command", "text", "expected"),
    [
        ("ruby /srv/a", "require 'socket'\ns = TCPServer.new(7101)\n", ["tcp 0.0.0.0 7101"]),
        ("ruby /srv/a", 'server = TCPServer.open("127.0.0.1", 7102)\n', ["tcp 127.0.0.1 7102"]),
        ("ruby /srv/a", "TCPServer.new('localhost', ENV.fetch('PORT', 7103))\n", ["tcp 127.0.0.1 7103"]),
        ("ruby /srv/a", "# TCPServer.new(7104)\nTCPServer.new(port)\nMyTCPServer.new(7105)\n", []),
        ("ruby /srv/a", "s = WEBrick::HTTPServer.new(:Port => 7106, BindAddress: '127.0.0.1')\n", ["tcp 127.0.0.1 7106"]),
        ("ruby /srv/a", "s = WEBrick::HTTPServer.new(\n  Port: 7107,\n)\n", ["tcp 0.0.0.0 7107", "tcp :: 7107 v6only"]),
        ("ruby /srv/a", "require 'sinatra'\nget('/') { 'x' }\n", ["tcp 127.0.0.1 4567", "tcp ::1 4567"]),
        ("ruby /srv/a -p 7108", "require 'sinatra'\nset :bind, '0.0.0.0'\nset :port, 80\n", ["tcp 0.0.0.0 7108"]),
        ("php /srv/a", "<?php\n$s = stream_socket_server('tcp://127.0.0.1:7201');\n", ["tcp 127.0.0.1 7201"]),
        ("php /srv/a", "<?php\n$s = stream_socket_server(\"udp://[::1]:7202\", $e, $m, STREAM_SERVER_BIND);\n", ["udp ::1 7202"]),
        ("php /srv/a", "<?php\n// stream_socket_server('tcp://0.0.0.0:7203');\nstream_socket_server($where);\n", []),
        ("php /srv/a", "<?php\nsocket_bind($s, '127.0.0.1', 7204);\nsocket_listen($s);\n", ["tcp 127.0.0.1 7204"]),
        ("php /srv/a", "<?php\nsocket_bind($s, '127.0.0.1', 7205);\nsocket_connect($s, 'a', 80);\n", []),
        ("php /srv/a", "<?php\n$s = socket_create_listen(7206);\n", ["tcp 0.0.0.0 7206"]),
        ("perl /srv/a daemon -l http://*:7301", "use Mojolicious::Lite;\n", ["tcp 0.0.0.0 7301"]),
        ("perl /srv/a daemon -l https://127.0.0.1:7302?cert=x", "use Mojolicious::Lite;\n", ["tcp 127.0.0.1 7302"]),
        ("perl /srv/a daemon", "use Mojolicious::Lite;\n", ["tcp 0.0.0.0 3000"]),
        ("perl /srv/a routes", "use Mojolicious::Lite;\n", []),
    ],
)
def test_a_script_says_what_it_opens(command: str, text: str, expected: list[str]) -> None:
    assert expected == binds(command, tree={"/srv/a": text})


def test_php_reuses_addresses_in_streams_and_not_in_its_socket_extension() -> None:
    script = "<?php\nstream_socket_server('tcp://127.0.0.1:7207');\nsocket_create_listen(7208);\n"
    found, _ = endpoints("php /srv/a", tree={"/srv/a": script})

    assert [True, False] == [each.reuse_address for each in found]


@pytest.mark.parametrize(
    ("command", "text", "expected"),
    [
        ("lua5.4 /srv/a", "local s = assert(socket.bind('127.0.0.1', 7401))\n", ["tcp 127.0.0.1 7401"]),
        ("luajit /srv/a", 'local s = socket.bind("*", 7402, 32)\n', ["tcp 0.0.0.0 7402"]),
        ("lua /srv/a", "-- socket.bind('*', 7403)\nsocket.bind(host, port)\n", []),
        ("tclsh /srv/a", "socket -server accept 7404\nvwait forever\n", ["tcp 0.0.0.0 7404", "tcp :: 7404 v6only"]),
        ("tclsh8.6 /srv/a", "set s [socket -server accept -myaddr 127.0.0.1 7405]\n", ["tcp 127.0.0.1 7405"]),
        ("tclsh /srv/a", "# socket -server accept 7406\nset c [socket db 7407]\nsocket -server accept $port\n", []),
    ],
)
def test_a_script_in_lua_or_tcl_says_what_it_opens(command: str, text: str, expected: list[str]) -> None:
    assert expected == binds(command, tree={"/srv/a": text})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("[]", "tcp 0.0.0.0 7501"),
        ("[binary, {active, false}]", "tcp 0.0.0.0 7501"),
        ("[inet6]", "tcp :: 7501"),
        ("[inet6, {ipv6_v6only, true}]", "tcp :: 7501 v6only"),
        ("[inet6, {ip, any}]", "tcp :: 7501"),
        ("[inet, inet6]", "tcp 0.0.0.0 7501"),
        ("[{ip, {127,0,0,1}}]", "tcp 127.0.0.1 7501"),
        ("[{ifaddr, {127, 0, 0, 1}}, {packet, 4}]", "tcp 127.0.0.1 7501"),
        ("[binary, {ip, loopback}]", "tcp 127.0.0.1 7501"),
        ("[{ip, {0,0,0,0,0,0,0,1}}]", "tcp ::1 7501"),
        ("[{ip, {0,0,0,0}}]", "tcp 0.0.0.0 7501"),
    ],
)
def test_an_escript_binds_what_its_options_say(options: str, expected: str) -> None:
    script = f"#!/usr/bin/env escript\n%% gen_tcp:listen(1, [])\nmain(_) ->\n    {{ok, S}} = gen_tcp:listen(7501, {options}).\n"

    assert [expected] == binds("/srv/serve", tree={"/srv/serve": script})


@pytest.mark.parametrize(
    ("options", "reused"),
    [("[]", False), ("[{reuseaddr, true}]", True), ("[{reuseaddr, true}, {reuseaddr, false}]", False), ("[{reuseaddr,true},inet6]", True)],
)
def test_erlang_reuses_addresses_only_where_it_is_asked_to(options: str, reused: bool) -> None:
    found, _ = endpoints("escript /srv/a", tree={"/srv/a": f'main(_) -> io:format("50%"), gen_tcp:listen(7502, {options}).\n'})

    assert [(reused, "likely")] == [(each.reuse_address, each.confidence) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-define(PORT, 7503).\nmain(_) -> gen_tcp:listen(?PORT, []).\n", ["tcp 0.0.0.0 7503"]),
        ("main(_) -> Port = 7504, ssl:listen(Port, [{certfile, \"c\"}]).\n", ["tcp 0.0.0.0 7504"]),
        ("main(_) -> gen_udp:open(7505).\n", ["udp 0.0.0.0 7505"]),
        ("main(_) -> gen_udp:open(7506, [inet6]).\n", ["udp :: 7506"]),
        ("main(_) -> Port = 1, Port = 2, gen_tcp:listen(Port, []).\n", []),
        ("main(_) -> gen_tcp:listen(7507, Options).\n", []),
        ("main(_) -> gen_tcp:listen(7508, [{ip, Address}]).\n", []),
        ("main([P]) -> gen_tcp:listen(list_to_integer(P), []).\n", []),
        ("main(_) -> gen_tcp:connect(\"a\", 7509, []).\n", []),
    ],
)
def test_an_escript_says_where_it_listens_only_where_it_is_written_out(text: str, expected: list[str]) -> None:
    assert expected == binds("escript /srv/a", tree={"/srv/a": text})


def test_an_expression_of_erl_binds_where_it_says() -> None:
    assert ["tcp 0.0.0.0 7510"] == binds("erl -noshell -eval {ok,_}=gen_tcp:listen(7510,[]),receive(ok)->ok(end).")


def test_puma_has_a_control_server_where_it_is_told() -> None:
    text = 'bind "tcp://127.0.0.1:9292"\nactivate_control_app "tcp://127.0.0.1:9293", { no_token: true }\n'

    assert ["tcp 127.0.0.1 9292", "tcp 127.0.0.1 9293"] == binds("puma -C /p.rb", None, {"/p.rb": text})
    assert ["tcp 0.0.0.0 9292"] == binds("puma -C /p.rb", None, {"/p.rb": "activate_control_app\n"})
