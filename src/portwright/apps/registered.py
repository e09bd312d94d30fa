"""Which module of this package knows which daemon, so that a run imports only those it needs.

The modules' `@daemon(...)` are the truth: `python tests/apps/test_registered.py` writes this list from them, and the tests compare.
"""

from portwright.values import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One daemon: its module in this package, its programs, whether a shape tells it too, and whether it reads lone config files."""

    name: str
    module: str
    programs: tuple[str, ...]
    shape: bool = False
    fragment: bool = False


REGISTERED: tuple[Row, ...] = (
    Row("aiohttp", "servers", ("aiohttp.web",)),
    Row("apache2", "apache", ("apache2", "httpd", "httpd-prefork", "httpd-worker", "httpd-event", "apachectl", "apache2ctl"), fragment=True),  # noqa: E501
    Row("busybox", "netcat", ("busybox",)),
    Row("caddy", "caddy", ("caddy",), fragment=True),
    Row("daphne", "twisted", ("daphne",)),
    Row("django", "django", ("manage.py", "django-admin", "django-admin.py", "django")),
    Row("docker", "containers", ("docker",)),
    Row("dotnet", "dotnet", ("dotnet",), shape=True),
    Row("dovecot", "dovecot", ("dovecot",), fragment=True),
    Row("erlang", "erlang", ("escript", "erl")),
    Row("flask", "servers", ("flask",)),
    Row("gunicorn", "gunicorn", ("gunicorn", "gunicorn3", "gunicorn_paster")),
    Row("haproxy", "haproxy", ("haproxy", "haproxy-systemd-wrapper"), fragment=True),
    Row("hypercorn", "servers", ("hypercorn",)),
    Row("inetd", "inetd", ("inetd", "openbsd-inetd", "inetutils-inetd", "busybox-inetd")),
    Row("iperf3", "servers", ("iperf3",)),
    Row("java", "java", ("java",)),
    Row("jupyter", "servers", ("jupyter-server", "jupyter-lab", "jupyter-notebook", "jupyterlab", "jupyter_server", "notebook")),
    Row("lua", "lua", ("lua", "lua5*", "luajit*")),
    Row("memcached", "memcached", ("memcached", "systemd-memcached-wrapper", "start-memcached")),
    Row("mysql", "mysql", ("mariadbd", "mysqld", "mysqld_safe", "mariadbd-safe", "safe_mysqld"), fragment=True),
    Row("named", "named", ("named",), fragment=True),
    Row("nc", "netcat", ("nc", "netcat", "nc.openbsd", "nc.traditional")),
    Row("ncat", "netcat", ("ncat",)),
    Row("nginx", "nginx", ("nginx", "nginx-debug", "openresty"), fragment=True),
    Row("node", "node", ("node", "nodejs")),
    Row("perl", "perl", ("perl", "perl5*")),
    Row("php", "php", ("php", "php5*", "php7*", "php8*")),
    Row("plackup", "servers", ("plackup",)),
    Row("podman", "containers", ("podman",)),
    Row("postfix", "postfix", ("master", "postmulti", "postfix")),
    Row("postgresql", "postgresql", ("postgres", "postmaster", "pg_ctl", "pg_ctlcluster"), fragment=True),
    Row("puma", "ruby.servers", ("puma",)),
    Row("python", "python", ("python", "python2*", "python3*", "pypy*"), shape=True),
    Row("rackup", "ruby.servers", ("rackup",)),
    Row("rails", "ruby.servers", ("rails",)),
    Row("redis", "redis", ("redis-server", "valkey-server", "keydb-server", "redis-sentinel", "valkey-sentinel"), fragment=True),
    Row("rsync", "rsync", ("rsync",)),
    Row("ruby", "ruby", ("ruby", "ruby2*", "ruby3*", "jruby")),
    Row("runner", "runners", ("bundle", "bundler", "conda", "hatch", "npx", "bunx", "pdm", "pipenv", "poetry", "pyenv", "rbenv", "rye", "uv", "uvx", "npm", "pnpm", "yarn")),  # noqa: E501
    Row("socat", "socat", ("socat", "socat1")),
    Row("sshd", "sshd", ("sshd",), fragment=True),
    Row("starman", "servers", ("starman",)),
    Row("supervisord", "supervisor", ("supervisord",)),
    Row("systemd-socket-activate", "socket_activate", ("systemd-socket-activate",)),
    Row("tcl", "lua", ("tclsh", "tclsh8*")),
    Row("thin", "servers", ("thin",)),
    Row("tomcat", "tomcat", ("catalina.sh", "tomcat-start.sh"), shape=True),
    Row("twistd", "twisted", ("twistd", "twistd3", "twist", "twist3", "twisted")),
    Row("unicorn", "ruby.servers", ("unicorn", "unicorn_rails")),
    Row("uvicorn", "servers", ("uvicorn",)),
    Row("uwsgi", "uwsgi", ("uwsgi", "uwsgi-core", "uwsgi_python3", "pyuwsgi")),
    Row("vsftpd", "vsftpd", ("vsftpd",)),
    Row("waitress", "servers", ("waitress-serve", "waitress")),
    Row("xinetd", "inetd", ("xinetd",)),
)
