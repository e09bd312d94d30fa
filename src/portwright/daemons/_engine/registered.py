"""Which module of this package knows which daemon, so that a run imports only those it needs.

The modules' `@daemon(...)` are the truth: `python tests/daemons/test_registered.py` writes this list from them, and the tests compare.
"""

from portwright._start.records import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One daemon: its module in this package, its programs, whether a shape tells it too, and whether it reads lone config files."""

    name: str
    module: str
    programs: tuple[str, ...]
    shape: bool = False
    fragment: bool = False


REGISTERED: tuple[Row, ...] = (
    Row("aiohttp", "_engine.servers", ("aiohttp.web",)),
    Row("apache2", "apache.reader", ("apache2", "httpd", "httpd-prefork", "httpd-worker", "httpd-event", "apachectl", "apache2ctl"), fragment=True),  # noqa: E501
    Row("busybox", "netcat.reader", ("busybox",)),
    Row("caddy", "caddy.reader", ("caddy",), fragment=True),
    Row("daphne", "twisted.reader", ("daphne",)),
    Row("django", "django.reader", ("manage.py", "django-admin", "django-admin.py", "django")),
    Row("docker", "containers.reader", ("docker",)),
    Row("dotnet", "interpreters.dotnet", ("dotnet",), shape=True),
    Row("dovecot", "dovecot.reader", ("dovecot",), fragment=True),
    Row("erlang", "interpreters.erlang", ("escript", "erl")),
    Row("flask", "_engine.servers", ("flask",)),
    Row("gunicorn", "gunicorn.reader", ("gunicorn", "gunicorn3", "gunicorn_paster")),
    Row("haproxy", "haproxy.reader", ("haproxy", "haproxy-systemd-wrapper"), fragment=True),
    Row("hypercorn", "_engine.servers", ("hypercorn",)),
    Row("inetd", "inetd.reader", ("inetd", "openbsd-inetd", "inetutils-inetd", "busybox-inetd")),
    Row("iperf3", "_engine.servers", ("iperf3",)),
    Row("java", "interpreters.java", ("java",)),
    Row("jupyter", "_engine.servers", ("jupyter-server", "jupyter-lab", "jupyter-notebook", "jupyterlab", "jupyter_server", "notebook")),
    Row("lua", "interpreters.lua", ("lua", "lua5*", "luajit*")),
    Row("memcached", "memcached.reader", ("memcached", "systemd-memcached-wrapper", "start-memcached")),
    Row("mysql", "mysql.reader", ("mariadbd", "mysqld", "mysqld_safe", "mariadbd-safe", "safe_mysqld"), fragment=True),
    Row("named", "named.reader", ("named",), fragment=True),
    Row("nc", "netcat.reader", ("nc", "netcat", "nc.openbsd", "nc.traditional")),
    Row("ncat", "netcat.reader", ("ncat",)),
    Row("nginx", "nginx.reader", ("nginx", "nginx-debug", "openresty"), fragment=True),
    Row("node", "interpreters.node", ("node", "nodejs")),
    Row("perl", "interpreters.perl", ("perl", "perl5*")),
    Row("php", "interpreters.php", ("php", "php5*", "php7*", "php8*")),
    Row("plackup", "_engine.servers", ("plackup",)),
    Row("podman", "containers.reader", ("podman",)),
    Row("postfix", "postfix.reader", ("master", "postmulti", "postfix")),
    Row("postgresql", "postgresql.reader", ("postgres", "postmaster", "pg_ctl", "pg_ctlcluster"), fragment=True),
    Row("puma", "interpreters.ruby.servers", ("puma",)),
    Row("python", "interpreters.python", ("python", "python2*", "python3*", "pypy*"), shape=True),
    Row("rackup", "interpreters.ruby.servers", ("rackup",)),
    Row("rails", "interpreters.ruby.servers", ("rails",)),
    Row("redis", "redis.reader", ("redis-server", "valkey-server", "keydb-server", "redis-sentinel", "valkey-sentinel"), fragment=True),
    Row("rsync", "rsync.reader", ("rsync",)),
    Row("ruby", "interpreters.ruby", ("ruby", "ruby2*", "ruby3*", "jruby")),
    Row("runner", "interpreters.runners", ("bundle", "bundler", "conda", "hatch", "npx", "bunx", "pdm", "pipenv", "poetry", "pyenv", "rbenv", "rye", "uv", "uvx", "npm", "pnpm", "yarn")),  # noqa: E501
    Row("socat", "socat.reader", ("socat", "socat1")),
    Row("sshd", "sshd.reader", ("sshd",), fragment=True),
    Row("starman", "_engine.servers", ("starman",)),
    Row("supervisord", "supervisord.reader", ("supervisord",)),
    Row("systemd-socket-activate", "systemd_socket_activate.reader", ("systemd-socket-activate",)),
    Row("tcl", "interpreters.lua", ("tclsh", "tclsh8*")),
    Row("thin", "_engine.servers", ("thin",)),
    Row("tomcat", "tomcat.reader", ("catalina.sh", "tomcat-start.sh"), shape=True),
    Row("twistd", "twisted.reader", ("twistd", "twistd3", "twist", "twist3", "twisted")),
    Row("unicorn", "interpreters.ruby.servers", ("unicorn", "unicorn_rails")),
    Row("uvicorn", "_engine.servers", ("uvicorn",)),
    Row("uwsgi", "uwsgi.reader", ("uwsgi", "uwsgi-core", "uwsgi_python3", "pyuwsgi")),
    Row("vsftpd", "vsftpd.reader", ("vsftpd",)),
    Row("waitress", "_engine.servers", ("waitress-serve", "waitress")),
    Row("xinetd", "inetd.reader", ("xinetd",)),
)
