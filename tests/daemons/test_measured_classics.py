"""apache2, vsftpd, rsync, memcached, PostgreSQL and MariaDB themselves: what they bind, or say they would, is what their readers say.

Needs root, unshare, ss and the daemon; a case whose oracle is missing is skipped with that reason.
"""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from portwright.daemons import Reader
from portwright.daemons.apache2 import reader as apache
from portwright.daemons.memcached import reader as memcached
from portwright.daemons.mysql import reader as mysql
from portwright.daemons.postgresql import reader as postgresql
from portwright.daemons.rsync import reader as rsync
from portwright.daemons.vsftpd import reader as vsftpd
from portwright.facts import Endpoint
from portwright.formats.mycnf import parse as parse_options
from portwright.source import Source
from tests.daemons.by_hand import host_of, invocation

# Starts the command, waits until what is bound no longer changes (or the command ends), prints it. An IPv6 address that is not
# loopback makes getaddrinfo(3) with AI_ADDRCONFIG give IPv6 addresses, as on any host.
SCRIPT = r"""
ip link set lo up; ip address add 10.9.9.9/32 dev lo; ip -6 address add fd00::9/128 dev lo nodad
"$@" >/dev/null 2>&1 </dev/null & child=$!
before=
for _ in $(seq 200); do
    seen=$(ss -Htuln)
    [ -n "$seen" ] && [ "$seen" = "$before" ] && { printf '%s\n' "$seen"; break; }
    kill -0 $child 2>/dev/null || break
    before=$seen
    sleep 0.03
done
kill $child 2>/dev/null; wait $child 2>/dev/null
"""
APACHE = "ServerRoot {0}\nServerName a\nPidFile {0}/pid\nErrorLog /dev/null\nMutex file:{0}\n" + "".join(
    f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in ("mpm_event", "authz_core", "macro")
)
CASES: dict[str, tuple[Reader, str, str]] = {
    "apache2: both wildcards": (
        apache.read,
        "apache2 -f {config} -DFOREGROUND",
        APACHE + "Listen 80\nListen 0.0.0.0:80\nListen [::1]:81\n",
    ),
    "apache2: conditions": (
        apache.read,
        "apache2 -f {config} -DFOREGROUND -DONE",
        APACHE
        + "<IfDefine ONE>\nDefine P 82\n</IfDefine>\n<IfModule event.c>\nListen ${P}\n</IfModule>\n<IfModule mod_mpm_event.c>\nListen 83\n"
        "</IfModule>\n<IfVersion >= 2.4>\nListen 10.9.9.9:\\\n84\n</IfVersion>\n<Macro L $p>\nListen $p\n</Macro>\nUse L 0.0.0.0:85\n",
    ),
    "vsftpd: IPv6": (vsftpd.read, "vsftpd {config}", "listen_ipv6=YES\nlisten_port=02125\n"),
    "vsftpd: options": (vsftpd.read, "vsftpd {config} -olisten=YES -olisten_port=77", "listen_port=78\nlisten_address=10.9.9.9\n"),
    "rsync: default": (rsync.read, "rsync --daemon --no-detach --config={config}", "# none\n[m]\nport = 1\n"),
    "rsync: address": (rsync.read, "rsync --daemon --no-detach --config={config} --port=875", "Port = 874\naddress = ::1\n"),
    "memcached": (memcached.read, "memcached -u nobody -p 11302 -U 11301 -l 127.0.0.1:11222,10.9.9.9,[::1]", ""),
}


def need(*tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing or os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip(f"the oracle is missing: {', '.join(missing) or 'root, who may make a network namespace'}")


@pytest.mark.parametrize("name", CASES)
def test_the_daemon_binds_what_its_reader_says(name: str, tmp_path: Path) -> None:
    reader, template, text = CASES[name]
    path = tmp_path / "config"
    config = text.replace("{0}", str(tmp_path))
    path.write_text(config)
    command = template.format(config=path)
    need("unshare", "ss", "ip", "bash", command.split()[0])
    done = subprocess.run(["unshare", "-n", "bash", "-c", SCRIPT, "measure", *command.split()], capture_output=True, text=True, timeout=30)
    rows = [line.split() for line in done.stdout.splitlines()]
    files = host_of({str(path): config, "/etc/hosts": Path("/etc/hosts").read_text()})
    said = [each for each in reader(invocation(command), files, {"apache2": "2.4.62"}) if isinstance(each, Endpoint)]

    assert {(row[0], row[4]) for row in rows} == {(each.protocol, f"{_as_ss_prints(each)}:{each.ports}") for each in said}
    assert () == files.unreadable


def _as_ss_prints(endpoint: Endpoint) -> str:
    # net.ipv6.bindv6only is 0 in a new network namespace: who asks for nothing gets both families.
    if endpoint.address == "::" and endpoint.v6only is None:
        return "*"
    return f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address


POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("port=1 # x\nPort '0x10'", "16"),
        ("port 010", "8"),
        ("port=1.6", "2"),
        ("include_dir 'd'", "6001"),
        ("include = 'one.conf'", "6004"),
        ("include_if_exists 'none'\nport=4", "4"),
        ("port=4 5", ""),
        ("port==1", ""),
        ("port=70000", ""),
        ("include 'none'", ""),
    ],
)
def test_postgresql_takes_the_port_its_reader_takes(config: str, expected: str, tmp_path: Path) -> None:
    if not POSTGRES or os.geteuid() != 0:
        pytest.skip("the oracle is missing: postgres, and root to start it as somebody else")
    texts = {"postgresql.conf": f"{config}\n", "d/a.conf": "port = 6001\n", "d/.b.conf": "port = 6002\n", "one.conf": "port = 6004\n"}
    with TemporaryDirectory() as folder:  # pytest's own may be entered by its owner only
        data = Path(folder)
        data.chmod(0o755)
        (data / "d").mkdir()
        for name, text in texts.items():
            (data / name).write_text(text)
        (data / "PG_VERSION").write_text(f"{POSTGRES[-1].parent.parent.name}\n")
        command = ["setpriv", "--reuid", "65534", "--clear-groups", str(POSTGRES[-1]), "-C", "port", "-D", str(data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd="/")
        files = host_of({f"{data}/{name}": text for name, text in texts.items()} | {"/etc/hosts": "127.0.0.1 localhost\n"})
        said = postgresql.read(invocation(f"postgres -D {data}"), files, {})

        assert expected == done.stdout.strip()
        assert expected == " ".join(str(each.ports) for each in said if isinstance(each, Endpoint))


def test_mariadb_reads_the_groups_and_files_its_reader_reads(tmp_path: Path) -> None:
    need("mariadbd")
    config = tmp_path / "my.cnf"
    text = (
        "[mysqld]\nport=1\nloose-bind-address = 'a#b' # x\n[server]\nport = 2K\n!includedir "
        + str(tmp_path)
        + "/d\n[mariadb]\nextra_port=9\n"
    )
    more = {"a.cnf": "[MYSQLD]\nport=41\n", "b.conf": "[mysqld]\nport=42\n", "c.cnf": "[client]\nport=43\n[galera]\nextra-port=10#x\n"}
    config.write_text(text)
    (tmp_path / "d").mkdir()
    for name, content in more.items():
        (tmp_path / "d" / name).write_text(content)
    command = f"mariadbd --defaults-file={config}"
    done = subprocess.run([*command.split(), "--help", "--verbose"], capture_output=True, text=True, timeout=30)
    shown = {parts[0]: parts[1] for line in done.stdout.splitlines() if len(parts := line.split(None, 1)) == 2}
    files = host_of({str(config): text, **{f"{tmp_path}/d/{name}": content for name, content in more.items()}})
    said = mysql.read(invocation(f"{command} --user=mysql"), files, {"mariadb-server": "1:10.11.0"})

    assert {(shown["bind-address"], shown["port"]), (shown["bind-address"], shown["extra-port"])} == {
        (each.address, str(each.ports)) for each in said if isinstance(each, Endpoint)
    }
    assert () == parse_options(Source(str(config), text))[1]
