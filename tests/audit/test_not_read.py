"""Files of kinds that are not read are told where their text mentions ports, kernel settings, units or capabilities."""

import pytest

from portwright.coverage import NotRead
from portwright.repositories.reading import read_repository
from portwright.trees.memory import MemoryTree


def told(files: dict[str, str]) -> list[tuple[str, str, str]]:
    (host,) = read_repository(MemoryTree(files), "repo")
    assert () == host.unreadable
    return [(each.path.lstrip("/"), each.kind, each.reason.partition(" (from ")[0]) for each in host.coverage.not_read]


KERNEL, PORTS, UNITS = "its text mentions kernel settings", "its text mentions ports", "its text mentions units"


@pytest.mark.parametrize(
    ("path", "text", "kind", "reason"),
    [
        ("Vagrantfile", 'config.vm.network "forwarded_port", guest: 80, host: 8080\n', "vagrant", PORTS),
        ("docker-compose.yml.j2", "services:\n  web:\n    image: x\n    ports: ['{{ port }}:80']\n", "compose", PORTS),
        ("stack.yaml.j2", "services:\n  web:\n    build: .\n    ports: ['{{ port }}:80']\n", "compose", PORTS),
        ("k8s/web.yaml", "apiVersion: games.example/v1\nkind: Server\nspec:\n  ports:\n  - hostPort: 80\n", "kubernetes", PORTS),
        ("roles/x/tasks/main.yml", "- sysctl:\n    name: net.ipv4.ip_local_port_range\n", "ansible", KERNEL),
        ("roles/x/tasks/docker-compose.yml", "- shell: systemctl enable x\n", "ansible", UNITS),
        ("site.yml", "- hosts: all\n  tasks:\n  - some.units.made: {systemd_unit: x}\n", "ansible", UNITS),
        ("user-data", "#cloud-config\nruncmd: [/opt/x/setup --systemctl]\n", "cloud-config", UNITS),
        ("install.sh", "/opt/x/tune --sysctl\n", "shell script", KERNEL),
        ("scripts/install", "#!/usr/bin/env bash\n/opt/x/tune --sysctl\n", "shell script", KERNEL),
        ("etc/init.d/app", "#!/sbin/openrc-run\nport=80\ncommand_args='-p 80:80'\n", "init script", PORTS),
        ("build/Dockerfile.j2", "FROM {{ base }}\nRUN sysctl -w a.b=1\n", "dockerfile", KERNEL),
        ("infra/main.tf", 'module "x" {\n  user_data = format("port = %s", var.port)\n}\n', "terraform", PORTS),
        ("hosts/a.nix", 'boot.kernel.sysctl."net.ipv4.tcp_tw_reuse" = 1;\n', "nix", KERNEL),
        ("salt/net.sls", "tune:\n  module.run:\n    - sysctl.assign:\n", "salt", KERNEL),
        ("manifests/init.pp", "create_resources('sysctl', $settings)\n", "puppet", KERNEL),
        ("cookbooks/x/recipes/default.rb", "sysctl 'net.ipv4.tcp_tw_reuse' do\n  value chosen\nend\n", "chef", KERNEL),
        ("scripts/node_setup.py", "FILE = '/etc/sysctl.conf'\nadd(FILE, 'net.ipv4.ip_local_reserved_ports=1-9')\n", "program", KERNEL),
        ("config.bu", "variant: fcos\nsystemd:\n  units:\n  - contents: |\n      ExecStart=/x\n", "butane", UNITS),
    ],
)
def test_each_kind_is_known_by_its_name_or_its_text(path: str, text: str, kind: str, reason: str) -> None:
    assert [(path, kind, reason)] == told({f"/{path}": text})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("install.sh", "echo hello\n"),
        ("Dockerfile", "FROM scratch\nCOPY . .\n"),
        # All that matters of these is read.
        ("build/Dockerfile", "FROM x\nEXPOSE 8080\n"),
        ("docker-compose.prod.yml", "services:\n  web:\n    image: x\n    ports: ['80:80']\n"),
        ("stack.yaml", "services:\n  web:\n    build: .\n    ports: ['80:80']\n"),
        ("app.container", "[Container]\nPublishPort=8080:80\n"),
        ("scripts/serve.py", "listen(port=80)\nos.system('sysctl -w vm.swappiness=1')\n"),
        ("pkg/kernel.py", "open('/etc/sysctl.conf').write('net.ipv4.ip_local_port_range=1 2')\n"),
        # No deployment of this repository.
        ("examples/Vagrantfile", "forwarded_port\n"),
        (".github/workflows/ci.yml", "on: push\njobs:\n  x:\n    services:\n      db:\n        image: x\n        ports: [1]\n"),
        ("node_modules/x/Dockerfile", "EXPOSE 1\n"),
        # A kind that sets up no host.
        ("values.yaml", "port: 80\n"),
        ("lib/server.rb", "port = 80\n"),
        ("README.md", "sysctl -w net.ipv4.tcp_tw_reuse=1\n"),
    ],
)
def test_a_file_that_says_nothing_of_the_kind_is_not_told(path: str, text: str) -> None:
    assert [] == told({f"/{path}": text})


@pytest.mark.parametrize(
    "text",
    [
        "sysctl --system\nsystemctl enable --now app\nsetcap cap_net_bind_service=ep /usr/bin/app\n",
        "sysctl -w net.core.somaxconn=1024\n",
        "echo 'listen 80' >/etc/app.conf\n",
        "usage() {\n    cat <<END\n  --port=PORT  the port\nEND\n}\nusage\n",
        "# sysctl -w net.core.somaxconn=1024\n",
        "ufw allow proto tcp from any to any port=80\n",
        'ssh admin@web1 "sysctl -w net.core.somaxconn=1024"\n',
    ],
)
def test_a_script_of_which_nothing_is_left_unsaid_is_not_told(text: str) -> None:
    assert [] == told({"/install.sh": text})


@pytest.mark.parametrize(
    "text",
    [
        'sysctl -w net.core.somaxconn="$1"\n',
        "/opt/app/server --port=8080\n",
        "sed -i 's/^port: .*/port: 8080/' /etc/app.yml /etc/systemd/system/app.service\n",
        "cp app.sysctl /etc/sysctl.d/app.conf\n",
        'cat >"$1" <<END\nnet.core.somaxconn = 1024\nEND\n',
    ],
)
def test_a_script_of_which_something_is_not_known_is_told(text: str) -> None:
    assert ["shell script"] == [kind for _, kind, _ in told({"/install.sh": text})]


def test_a_file_that_is_read_is_not_told() -> None:
    assert [] == told({"/files/etc/sysctl.d/10-x.conf": "net.ipv4.tcp_tw_reuse = 1\n"})


def test_what_it_speaks_of_is_said_once_each_in_one_row() -> None:
    script = "./run sysctl\n./run systemctl\n./run setcap\n./run sysctl\n"
    (host,) = read_repository(MemoryTree({"/run.sh": script}), "repo")

    reason = "its text mentions kernel settings, units and capabilities (from line 1), "
    reason += "and of shell scripts only the files, kernel settings and published ports that they make are read"
    assert (NotRead("/run.sh", "shell script", reason),) == host.coverage.not_read


def test_what_a_pod_on_its_nodes_network_is_configured_to_open_is_told_where_it_does_not_say_so_itself() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: agent}\nspec:\n  hostNetwork: HOST\n  containers:\n  - name: agent\n    image: x\n"
    ports = "    ports: [{containerPort: 10350}]\n"
    volumes = "  volumes:\n  - {name: c, configMap: {name: agent-config}}\n"
    data = "data:\n  agent.conf: |\n    # port: 5\n    apiPort: 10350\n    portRange: 40000-41000\n    listen-address: 0.0.0.0:9999\n"
    config = "kind: ConfigMap\nmetadata:\n  name: agent-config\n" + data
    said = PORTS
    pod_on_host = pod.replace("HOST", "true") + ports + volumes
    assert [("k8s/config.yaml", "kubernetes", said)] == told({"/k8s/agent.yaml": pod_on_host, "/k8s/config.yaml": config})
    named = pod.replace("HOST", "true") + ports + "    command: [agent, --config, /etc/agent/agent.conf]\n"
    assert [("k8s/config.yaml", "kubernetes", said)] == told({"/k8s/agent.yaml": named, "/k8s/config.yaml": config})
    for other in (pod_on_host.replace("true", "false"), pod_on_host.replace("agent-config", "others")):
        assert [] == told({"/k8s/agent.yaml": other, "/k8s/config.yaml": config})
    assert [] == told({"/k8s/agent.yaml": pod_on_host, "/k8s/config.yaml": config.replace("40000-41000", "10350").replace("9999", "10350")})
