"""Hosts made to be dear: what each construction multiplies, as a function of its size, and the command that has to bear it."""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from portwright._start.records import dataclass
from portwright.numbers import decimal

Contents = Mapping[str, str]

_UNITS = "/etc/systemd/system"
HOST = {
    "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "/etc/hostname": "h\n",
    "/usr/lib/systemd/system/multi-user.target": "[Unit]\nDescription=x\n",
    "/usr/lib/systemd/system/sockets.target": "[Unit]\nDescription=x\n",
}
_INSTALL = "[Install]\nWantedBy=multi-user.target\n"


@dataclass(frozen=True, slots=True)
class Construction:
    """A host of a size: the files it is made of, and what portwright is asked about it. `n` is the least of the sizes that are tried.

    `@` in a word of the command is the folder of the files; without such a word that folder is what is asked about.
    """

    contents: Callable[[int], Contents]
    n: int
    command: tuple[str, ...] = ("check",)
    is_host: bool = True

    def files(self, size: int) -> dict[str, str]:
        """All files of the host at a size."""
        return {**(HOST if self.is_host else {}), **self.contents(size)}


def services(units: Mapping[str, str]) -> dict[str, str]:
    """Unit files that the host starts: each `multi-user.target.wants` entry is a link, written as `-> TARGET`."""
    found: dict[str, str] = {}
    for name, text in units.items():
        found[f"{_UNITS}/{name}"] = text
        found[f"{_UNITS}/multi-user.target.wants/{name}"] = f"-> {_UNITS}/{name}"
    return found


def service(command: str, more: str = "", unit: str = "") -> str:
    return f"[Unit]\nDescription=x\n{unit}[Service]\n{more}ExecStart={command}\n{_INSTALL}"


def lay(contents: Contents, root: Path) -> Path:
    """Write the files of a host below `root`."""
    for path, text in contents.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> ") and "\n" not in text:
            place.unlink(missing_ok=True)
            os.symlink(text[3:], place)
        elif text.startswith("sparse "):
            with place.open("wb") as file:
                file.truncate(decimal(text[7:]) or 0)
        else:
            place.write_text(text, encoding="utf-8", errors="surrogateescape")
    return root


# ── one file, repeated ──────────────────────────────────────────────────────────────────────────────────────────────


def _of(path: str, piece: str, more: Contents | None = None, before: str = "") -> Callable[[int], Contents]:
    return lambda size: {**(more or {}), path: before + piece * (size // len(piece))}


_NGINX = services({"nginx.service": service("/usr/sbin/nginx")})
_NGINX_OF_FILES = {**_NGINX, "/etc/nginx/nginx.conf": "include *.conf;"}
_NGINX_OF_SITES = {**_NGINX, "/etc/nginx/nginx.conf": "events{}http{include sites/*;}"}
_APACHE = services({"apache2.service": service("/usr/sbin/apache2 -DFOREGROUND")})
_HAPROXY = services({"haproxy.service": service("/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg")})
_NAMED = services({"named.service": service("/usr/sbin/named -f")})
_TOMCAT = services({"tomcat.service": service("/usr/bin/java -Dcatalina.base=/srv/t org.apache.catalina.startup.Bootstrap start")})
_PYTHON = services({"x.service": service("/usr/bin/python3 /srv/x.py")})
_NODE = services({"x.service": service("/usr/bin/node /srv/x.js")})
_SHELL = services({"x.service": service("/srv/x.sh")})
_REDIS = services({"redis-server.service": service("/usr/bin/redis-server /etc/redis/redis.conf")})
_YAML = services({"prometheus.service": service("/usr/bin/mongod --config /etc/mongod.conf")})
_COMPOSE = services({"x.service": service("/usr/bin/docker compose -f /srv/docker-compose.yml up")})
_POSTFIX = services({"postfix.service": service("/usr/sbin/postfix start")})
_SUPERVISOR = services({"supervisor.service": service("/usr/bin/supervisord -n -c /etc/supervisor/supervisord.conf")})

_X_SERVICE = {f"{_UNITS}/multi-user.target.wants/x.service": f"-> {_UNITS}/x.service"}
_X_SOCKET = {f"{_UNITS}/sockets.target.wants/x.socket": f"-> {_UNITS}/x.socket", f"{_UNITS}/x.service": service("/bin/a")}

_FILES: dict[str, tuple[str, str, Contents, str]] = {
    "sysctl: lines of a": ("/etc/sysctl.d/a.conf", "a\n", {}, ""),
    "sysctl: a=b": ("/etc/sysctl.d/a.conf", "a=b\n", {}, ""),
    "sysctl: one key again and again": ("/etc/sysctl.d/a.conf", "net.ipv4.ip_local_port_range=1 2\n", {}, ""),
    "sysctl: globs": ("/etc/sysctl.d/a.conf", "net.*.*=1\n", {}, ""),
    "nginx: {": ("/etc/nginx/nginx.conf", "{", _NGINX, ""),
    "nginx: a;": ("/etc/nginx/nginx.conf", "a;", _NGINX, ""),
    "nginx: a {}": ("/etc/nginx/nginx.conf", "a{}", _NGINX, ""),
    "nginx: servers": ("/etc/nginx/nginx.conf", "server{listen 80;}", _NGINX, "events{}http{"),
    "apache: lines of a": ("/etc/apache2/apache2.conf", "a\n", _APACHE, ""),
    "apache: Listen": ("/etc/apache2/apache2.conf", "Listen 80\n", _APACHE, ""),
    "haproxy: lines of a": ("/etc/haproxy/haproxy.cfg", "a\n", _HAPROXY, ""),
    "haproxy: binds": ("/etc/haproxy/haproxy.cfg", "bind :80\n", _HAPROXY, "frontend a\n"),
    "named: a;": ("/etc/bind/named.conf", "a;", _NAMED, ""),
    "tomcat: connectors": ("/srv/t/conf/server.xml", '<Connector port="1"/>', _TOMCAT, "<Server><Service>"),
    "python: lines of a": ("/srv/x.py", "a\n", _PYTHON, ""),
    "python: (": ("/srv/x.py", "(", _PYTHON, ""),
    "python: sockets": ("/srv/x.py", "s.bind(('',80))\n", _PYTHON, ""),
    "node: a;": ("/srv/x.js", "a;", _NODE, ""),
    "shell: lines of a": ("/srv/x.sh", "a\n", _SHELL, "#!/bin/sh\n"),
    "shell: assignments": ("/srv/x.sh", "a=b\n", _SHELL, "#!/bin/sh\n"),
    "shell: words": ("/srv/x.sh", "a ", _SHELL, "#!/bin/sh\n"),
    "redis: lines of a": ("/etc/redis/redis.conf", "a\n", _REDIS, ""),
    "yaml: a list": ("/etc/mongod.conf", "- a\n", _YAML, ""),
    "compose: ports": ("/srv/docker-compose.yml", "      - 80:80\n", _COMPOSE, "services:\n  a:\n    image: a\n    ports:\n"),
    "postfix: master.cf": ("/etc/postfix/master.cf", "25 inet n - - - - smtpd\n", _POSTFIX, ""),
    "supervisor: programs": ("/etc/supervisor/supervisord.conf", "[program:a]\ncommand=a\n", _SUPERVISOR, ""),
    "unit: lines of a": (f"{_UNITS}/x.service", "a\n", _X_SERVICE, "[Service]\n"),
    "unit: ExecStart": (f"{_UNITS}/x.service", "ExecStart=/bin/a\n", _X_SERVICE, "[Service]\nType=oneshot\n"),
    "unit: Environment": (f"{_UNITS}/x.service", "Environment=A=b\n", _X_SERVICE, "[Service]\nExecStart=/bin/a\n"),
    "socket: ListenStream": (f"{_UNITS}/x.socket", "ListenStream=80\n", _X_SOCKET, "[Socket]\n"),
    "cron: lines": ("/etc/crontab", "* * * * * root a\n", {}, ""),
    "passwd: lines": ("/etc/passwd", "a:x:1:1::/:/bin/sh\n", {}, ""),
    "hosts: lines": ("/etc/hosts", "127.0.0.1 a\n", {}, ""),
    "fstab: mounts": ("/etc/fstab", "a:/b /c nfs defaults 0 0\n", {}, ""),
    "addresses: lines": ("/.portwright/addresses", "1: lo inet 127.0.0.1/8 scope host lo\n", {}, ""),
}  # fmt: skip


# ── many files ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _sparse(size: int) -> Contents:
    return {f"/etc/sysctl.d/{number}.conf": f"sparse {16 * 1024 * 1024}" for number in range(size)}


def _shared_out(path: str, piece: str, more: Contents | None = None) -> Callable[[int], Contents]:
    """So many bytes in files that one reader reads together, each as large as a file may be; `*` in the path is the number of one."""
    each = 190_000 // max(2, 2 * piece.count(";") + 2 * piece.count("{") + piece.count("\n"))
    return lambda size: {
        **(more or {}), **{path.replace("*", str(number)): piece * each for number in range(size // (each * len(piece)) + 1)}
    }  # fmt: skip


def _many_units(size: int) -> Contents:
    return services({f"u{number}.service": service(f"/usr/bin/python3 -m http.server {10000 + number % 50000}") for number in range(size)})


def _one_port(size: int) -> Contents:
    return services({f"u{number}.service": service("/usr/bin/python3 -m http.server 8080") for number in range(size)})


def _chain(size: int) -> Contents:
    return services({
        f"u{number}.service": service(f"/usr/bin/python3 -m http.server {10000 + number}", unit=f"After=u{number + 1}.service\n")
        for number in range(size)
    })  # fmt: skip


def _environment_files(size: int) -> Contents:
    files = {f"/etc/e{number}": "".join(f"A{line}={number}\n" for line in range(16_000)) for number in range(size)}
    wanted = "".join(f"EnvironmentFile={path}\n" for path in files)
    return {**files, **services({"x.service": service("/bin/a", wanted)})}


def _one_environment_file(size: int) -> Contents:
    units = {f"u{number}.service": service("/bin/a", "EnvironmentFile=/etc/e\n") for number in range(size)}
    return {"/etc/e": "".join(f"A{line}=b\n" for line in range(16_000)), **services(units)}


def _addresses(size: int) -> Contents:
    lines = "".join(f"{n + 2}: e{n} inet 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}/8 scope global e{n}\n" for n in range(size))
    units = {f"ntp{number}.service": service("/usr/sbin/ntpd -g", "User=root\n") for number in range(size // 20)}
    return {"/.portwright/addresses": lines, "/etc/ntp.conf": "server a\n", **services(units)}


def _included(size: int) -> Contents:
    sites = {f"/etc/nginx/sites/{number}": "server{listen 80;}" for number in range(size)}
    return {**_NGINX, **sites, "/etc/nginx/nginx.conf": "events{}http{" + "include /etc/nginx/sites/*;" * 10 + "}"}


# ── products ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _braced(size: int) -> Contents:
    return services({"x.service": service("/bin/a " + "${A}" * size, f"Environment=A={'a' * size}\n")})


def _split(size: int) -> Contents:
    return services({"x.service": service("/bin/a" + " $A" * size, f"Environment='A={'a ' * size}'\n")})


def _shell_braced(size: int) -> Contents:
    return services({"x.service": service(f"/bin/sh -c 'a {'$${A}' * size}'", f"Environment=A={'a' * size}\n")})


def _shell_split(size: int) -> Contents:
    return services({"x.service": service(f"/bin/sh -c 'a {'$$A ' * size}'", f"Environment='A={'a ' * size}'\n")})


def _shell_in_script(size: int) -> Contents:
    return {**_SHELL, "/srv/x.sh": f"#!/bin/sh\nA={'a' * size}\n" + "B=$A$A\nC=$B$B\nfoo ${C}\n" * (size // 20)}


def _shell_sourced(size: int) -> Contents:
    sourced = {"/srv/y.sh": "a=b\n" * (size * 10)}
    return {**_SHELL, **sourced, "/srv/x.sh": "#!/bin/sh\n" + ". /srv/y.sh\n" * size}


def _one_script(size: int) -> Contents:
    units = {f"u{number}.service": service("/srv/x.sh") for number in range(size)}
    return {"/srv/x.sh": "#!/bin/sh\n" + "a=b\n" * 2000, **services(units)}


def _one_config(size: int) -> Contents:
    units = {f"nginx{number}.service": service("/usr/sbin/nginx -c /etc/nginx.conf") for number in range(size)}
    return {"/etc/nginx.conf": "events{}http{" + "server{listen 80;}" * 1000 + "}", **services(units)}


def _specifiers(size: int) -> Contents:
    return services({"x.service": service("/bin/a " + "%n" * size), "y@" + "b" * 200 + ".service": service("/bin/a " + "%n" * size)})


def _instances(size: int) -> Contents:
    wants = "".join(f"x@%i{number}.service " for number in range(size))
    return {
        f"{_UNITS}/x@.service": service("/bin/a", unit=f"Wants={wants}\n"),
        f"{_UNITS}/multi-user.target.wants/x@a.service": f"-> {_UNITS}/x@.service",
    }


def _instances_in_line(size: int) -> Contents:
    return {
        f"{_UNITS}/x@.service": service("/bin/a", unit="".join(f"Wants=x@%i{n}.service\nAfter=x@%i{n}.service\n" for n in range(1))),
        **{f"{_UNITS}/multi-user.target.wants/x@a{number}.service": f"-> {_UNITS}/x@.service" for number in range(size)},
    }


def _dependencies(size: int) -> Contents:
    names = " ".join(f"u{number}.service" for number in range(size))
    return services({f"u{number}.service": service("/bin/a", unit=f"After={names}\nWants={names}\n") for number in range(size)})


def _drop_ins(size: int) -> Contents:
    units = services({f"u{number}.service": service("/bin/a") for number in range(size)})
    return {**units, **{f"{_UNITS}/service.d/{number}.conf": "[Service]\nEnvironment=A=b\n" for number in range(size)}}


# ── verdicts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _overlapping(size: int) -> Contents:
    lines = "\n".join(f"    listen {1 + number}-{60000 + number % 5000};" for number in range(size))
    return {**_NGINX, "/etc/nginx/nginx.conf": "events{}\nstream{server{" + lines + "\nproxy_pass a:1;}}"}


def _listeners(size: int) -> Contents:
    lines = "\n".join(f"listen 127.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}:{8000 + n % 100};" for n in range(size))
    return {**_NGINX, "/etc/nginx/nginx.conf": "events{}\nhttp{server{" + lines + "}}"}


def _ephemeral(size: int) -> Contents:
    lines = "".join(f"listen {32768 + number % 28000};\n" for number in range(size))
    return {**_NGINX, "/etc/nginx/nginx.conf": "events{}\nhttp{server{\n" + lines + "}}"}


def _allowing(size: int) -> Contents:
    lines = "".join("# portwright: allow x: y\n" for _ in range(size))
    return {"nginx.conf": "events{}\nhttp{server{\n" + lines + "listen 40000;\n}}\n"}


def _bad_allowing(size: int) -> Contents:
    lines = "".join(f"# portwright: allow listener-in-ephemeral-rang{number}: y\n" for number in range(size))
    return {"nginx.conf": "events{}\nhttp{server{\n" + lines + "listen 40000;\n}}\n"}


def _mended(size: int) -> Contents:
    units = {f"u{number}.service": service("/usr/bin/python3 -m http.server 80", "User=www-data\n") for number in range(size // 2)}
    units |= {f"v{number}.service": service(f"/usr/bin/python3 -m http.server {40000 + number}") for number in range(size // 2)}
    return {"/etc/passwd": "www-data:x:33:33::/:/bin/sh\n", **services(units)}


# ── what stands beside a host ───────────────────────────────────────────────────────────────────────────────────────


def _baseline(size: int) -> Contents:
    entries = [
        {
            "host": "h", "rule": "port-claimed-twice", "path": "/etc/nginx/nginx.conf", "severity": "high",
            "message": f"nginx binds tcp *:{number}", "fingerprint": f"{number:032x}", "expires": None,
        }
        for number in range(size)
    ]  # fmt: skip
    return {"/h/etc/hostname": "h\n", "/a.json": json.dumps({"version": 1, "findings": entries})}


def _short_baseline(size: int) -> Contents:
    entry = '{"host":null,"fingerprint":"","severity":"low"}'
    return {"/h/etc/hostname": "h\n", "/a.json": f'{{"version": 1, "findings": [{",".join([entry] * size)}]}}'}


def _own_rules(size: int) -> Contents:
    rule = (
        "id: r{0}\ntitle: A port of an application\nseverity: medium\nwhy: A reason.\nreferences: [socket(7)]\neach: listener\n"
        "where:\n  protocol: {{is: tcp}}\n  app: {{is: a{0}}}\nmessage: '{{who}} binds {{socket}}'\n"
        "fix:\n  manual: {{reason: none, step: none}}\n"
    )
    return {
        "/h/etc/hostname": "h\n",
        **{f"/h{path}": text for path, text in _one_port(20).items()},
        **{f"/rules/own/r{number}.yaml": rule.format(number) for number in range(size)},
    }


def _archive(size: int, packed: str = "") -> Contents:
    """An archive of a host, as sos and Insights make them: a folder with the host's files, among them so many small ones."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz" if packed else "w") as archive:
        for path, text in {**HOST, **{f"/etc/sysctl.d/{number}.conf": f"a.b{number} = 1\n" for number in range(size)}}.items():
            member = tarfile.TarInfo(f"sosreport-h{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return {f"/h.tar{packed}": held.getvalue().decode("utf-8", "surrogateescape")}


CONSTRUCTIONS: dict[str, Construction] = {
    **{name: Construction(_of(path, piece, more, before), 1 << 20) for name, (path, piece, more, before) in _FILES.items()},
    "nginx: files of a;": Construction(_shared_out("/etc/nginx/*.conf", "a;", _NGINX_OF_FILES), 1 << 20),
    "nginx: files of servers": Construction(_shared_out("/etc/nginx/sites/*", "server{listen 80;}", _NGINX_OF_SITES), 1 << 20),
    "sysctl: files of a=b": Construction(_shared_out("/etc/sysctl.d/*.conf", "a=b\n"), 1 << 20),
    "unit: files of drop-ins": Construction(_shared_out(f"{_UNITS}/x.service.d/*.conf", "[Service]\nNice=1\n", _SHELL), 1 << 20),
    "sparse files of 16 MiB": Construction(_sparse, 8),
    "many units": Construction(_many_units, 1000),
    "units on one port": Construction(_one_port, 250),
    "units on one port: ports": Construction(_one_port, 250, ("ports", "--format", "json")),
    "units on one port: check as JSON": Construction(_one_port, 250, ("check", "--format", "json")),
    "a chain of After=": Construction(_chain, 1000),
    "EnvironmentFiles of 16,000 lines": Construction(_environment_files, 25),
    "one EnvironmentFile for many units": Construction(_one_environment_file, 100),
    "addresses times daemons": Construction(_addresses, 150),
    "sites included again": Construction(_included, 500),
    "${A} n times, A n long": Construction(_braced, 16_000),
    "$A n times, A of n words": Construction(_split, 4_000),
    "sh -c, ${A} n times": Construction(_shell_braced, 16_000),
    "sh -c, $A n times": Construction(_shell_split, 4_000),
    "a script that doubles": Construction(_shell_in_script, 8_000),
    "a script sourced again": Construction(_shell_sourced, 500),
    "one script for many units": Construction(_one_script, 100),
    "one config for many units": Construction(_one_config, 50),
    "specifiers": Construction(_specifiers, 20_000),
    "x@ wants itself": Construction(_instances, 2),
    "x@ wants itself, many begun": Construction(_instances_in_line, 250),
    "all units after all": Construction(_dependencies, 250),
    "drop-ins times units": Construction(_drop_ins, 250),
    "overlapping ranges": Construction(_overlapping, 1000),
    "listeners on addresses": Construction(_listeners, 2000),
    "listeners in the ephemeral range": Construction(_ephemeral, 2000),
    "allow comments": Construction(_allowing, 2000, is_host=False),
    "allow comments of unknown rules": Construction(_bad_allowing, 2000, is_host=False),
    "services to mend": Construction(_mended, 50, ("fix",)),
    "a baseline": Construction(_baseline, 12_500, ("check", "--baseline", "@/a.json", "@/h"), is_host=False),
    "a baseline of short findings": Construction(_short_baseline, 60_000, ("check", "--baseline", "@/a.json", "@/h"), is_host=False),
    "rules of one's own": Construction(_own_rules, 250, ("check", "--as", "host", "--rules", "@/rules", "@/h"), is_host=False),
    "an archive of many files": Construction(_archive, 2500, ("check", "@/h.tar"), is_host=False),
    "a packed archive of many files": Construction(lambda size: _archive(size, ".gz"), 2500, ("check", "@/h.tar.gz"), is_host=False),
}


def sizes(construction: Construction) -> Iterator[int]:
    yield from (construction.n, 2 * construction.n, 4 * construction.n)
