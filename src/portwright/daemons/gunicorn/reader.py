"""gunicorn: --bind, GUNICORN_CMD_ARGS and a configuration written in Python become endpoints."""

from collections.abc import Iterator

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, Given, argument, default, halves, variable, without
from portwright.facts import Backlog, Endpoint, Invocation
from portwright.facts.listen_line import ListenLine
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.processes.options import Options
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.words import words
from portwright.trees import Files

_VALUED = frozenset(
    (
        "-b", "--bind", "-c", "--config", "-w", "--workers", "-k", "--worker-class", "-t", "--timeout", "-n", "--name", "-p", "--pid",
        "-u", "--user", "-g", "--group", "-m", "--umask", "-e", "--env", "-D", "--chdir", "--threads", "--log-level", "--backlog",
    )
) - {"-D"}  # fmt: skip
_PORT = "8000"
_CONFIG = "gunicorn.conf.py"
_BACKLOG = 2048


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a gunicorn: those systemd hands it, whatever `bind` says, else the last place that says `bind`.

    Command line before GUNICORN_CMD_ARGS before the configuration (gunicorn.conf.py in the working directory, if none is named)
    before $PORT on every IPv4 address before 127.0.0.1:8000 (docs.gunicorn.org, Settings).
    """
    extra = invocation.environment.get("GUNICORN_CMD_ARGS")
    given = options_of(invocation.argv[1:], _VALUED)
    in_environment = options_of(_split(extra), _VALUED) if extra is not None else Options((), ())
    config = given.last("-c", "--config") or in_environment.last("-c", "--config")
    binder = Binder("gunicorn", words=("",), reuse_port=given.has("--reuse-port") or in_environment.has("--reuse-port"))
    if not binder.reuse_port and any(known.text == "1" for known in _configured("reuse_port", config, invocation, files) or ()):
        binder = replace(binder, reuse_port=True)
    queue = given.last("--backlog") or in_environment.last("--backlog")
    if queue is None:
        queue = next((Word(known.text, known.at) for known in _configured("backlog", config, invocation, files) or ()), None)
    binder = replace(binder, backlog=Backlog.asked(queue, _BACKLOG))
    binds: tuple[Given, ...] | None = tuple(argument(word) for word in given.all("-b", "--bind"))
    binds = binds or tuple(Given(word.text, word.at, "environment") for word in in_environment.all("-b", "--bind"))
    if not binds:
        binds = _configured("bind", config, invocation, files)
    if invocation.sockets:
        return tuple(_overruled(binds or ()))
    if binds is None and config is not None and files.kind(path := _path(config, invocation)) != "file":
        # Who names a configuration says in it where to bind; without it gunicorn does not start.
        files.report_missing(config.at, f"gunicorn would not start: {path} is not there")
        return ()
    if binds is None:
        port = variable(invocation.environment, "PORT")
        if port is not None:
            return binder.bind(default("0.0.0.0", invocation.at), port, files)  # noqa: S104
        return binder.bind(default("127.0.0.1", invocation.at), default(_PORT, invocation.at), files)
    return tuple(endpoint for bind in binds for endpoint in _bound(bind, binder, files))


def _overruled(binds: tuple[Given, ...]) -> Iterator[ListenLine]:
    """The ports that a gunicorn which is handed its sockets does not look at (gunicorn/sock.py, create_sockets())."""
    for bind in binds:
        _, port = halves(without(Word(bind.text, bind.at), "tcp://"))
        number = None if port is None or bind.text.startswith(("unix:", "fd://")) else decimal(port.text, 65535)
        if number is not None:
            yield ListenLine(bind.at, "gunicorn", f"--bind {bind.text}", "overruled", "it is handed its sockets", PortSet.of(number))


def _bound(bind: Given, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    """gunicorn/util.py, parse_address(): a text without a colon is an address."""
    if bind.text.startswith(("unix:", "fd://")):
        return ()
    host, port = halves(without(Word(bind.text, bind.at), "tcp://"))
    if not bind.text:
        host = Word("0.0.0.0", bind.at)  # noqa: S104
    here = Given(port.text if port is not None else _PORT, port.at if port is not None else bind.at, bind.origin)
    return binder.bind(Given(host.text, host.at, bind.origin), here, files)


def _configured(name: str, config: Word | None, invocation: Invocation, files: Files) -> tuple[Given, ...] | None:
    """What the configuration assigns to a setting, a list or a text with commas taken apart; None where it says nothing."""
    path = _path(config, invocation)
    if config is not None and (config.text.startswith("python:") or UNKNOWN in path):
        files.report_unreadable(config.at, "a configuration that is imported by its name is not parsed")
        return ()
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None:
        return None
    from portwright.daemons.interpreters.python.script import assigned  # parsing a language is off the hot path

    known = assigned(source, name, invocation.environment, files)
    if known is None:
        return None
    found: list[Given] = []
    for value in known:
        at = value.at or invocation.at
        found += (Given(text.strip(), at, value.origin) for text in str(value.value).split(",") if text.strip() or len(known) == 1)
    return tuple(found)


def _path(config: Word | None, invocation: Invocation) -> str:
    path = _CONFIG if config is None else config.text.removeprefix("file:")
    return invocation.path(path)


def _split(value: Word) -> tuple[Word, ...]:
    """A variable's value as a shell would split it (shlex.split in gunicorn/config.py)."""
    passages, _ = words(SpannedText.of(value), relaxed=True)
    return tuple(passage.word() for passage in passages)
