"""pm2(1): the apps of dump.pm2 that `resurrect` starts, and those of an ecosystem file or of one script that `start` does."""

from collections.abc import Iterator

from portwright.facts import Invocation
from portwright.formats.javascript import Said, literal, tokens
from portwright.source import Source, Word
from portwright.system.processes.spawned import Spawned
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.words import words
from portwright.trees import Files

_STARTS = ("start", "restart", "reload", "startOrRestart", "startOrReload", "startOrGracefulReload")
_VALUED = """
    -n --name -i --instances --env -u --user --uid --gid --hp --log -l -o --output -e --error -p --pid --interpreter --node-args
    --interpreter-args --cwd --namespace --max-memory-restart --restart-delay --cron --cron-restart --only --ext --sort
    --exp-backoff-restart-delay --kill-timeout --listen-timeout --max-restarts --log-date-format --log-type
"""
_WITH_VALUE = frozenset(_VALUED.split())
# Common.js, sink.determineExecMode(): the interpreter by the script's suffix; node for any other.
_INTERPRETERS = {
    ".sh": "bash",
    ".py": "python3",
    ".rb": "ruby",
    ".php": "php",
    ".pl": "perl",
    ".ts": "ts-node",
    ".coffee": "coffee",
}
_ECOSYSTEMS = (".json", ".config.js", ".config.cjs", ".config.mjs")
_DUMP = "dump.pm2"
_NO_INTERPRETER = ("none", "")


def children(keeper: Invocation, files: Files) -> Iterator[Spawned]:
    """The apps that a pm2 so called starts, each with pm2's own power."""
    argv = [word.text for word in keeper.argv[1:]]
    target, given = _target(keeper)
    if target == _DUMP:
        yield from _resurrected(keeper, files)
    elif target.endswith(_ECOSYSTEMS):
        path = keeper.path(target)
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None:
            files.report_missing(keeper.at, f"pm2 starts the apps of {path}, which is not there")
            return
        for app in _apps(source):
            if (spawned := _app(app, path.rpartition("/")[0], given.get("--env", ""))) is not None:
                yield spawned
    elif target:
        place = next(word for word in keeper.argv[1:] if word.text == target)
        rest = keeper.argv[argv.index("--") + 2 :] if "--" in argv else ()
        interpreter = given.get("--interpreter", _by_suffix(target))
        front = [] if interpreter in _NO_INTERPRETER else [Word(interpreter, place.at)]
        script = Word(keeper.path(target), place.at) if "." in target or "/" in target else place
        words_of = tuple(SpannedText.of(word) for word in (*front, script, *rest))
        yield Spawned(words_of, place.at, f"pm2 starts it: {place.at}", directory=given.get("--cwd", keeper.directory))


def is_understood(keeper: Invocation) -> bool:
    """Whether what it starts is read, so that nothing is left to say of pm2 itself, which listens nowhere."""
    return bool(_target(keeper)[0])


def _target(keeper: Invocation) -> tuple[str, dict[str, str]]:
    """What it is to start: the dump, an ecosystem file or a script; "" where nothing is known of that. And its options."""
    operands, given = _cut([word.text for word in keeper.argv[1:]])
    verb = operands[0] if operands else ""
    if verb == "resurrect":
        return _DUMP, given
    target = operands[1] if verb in _STARTS and len(operands) > 1 else verb if keeper.program != "pm2" else ""
    return "" if UNKNOWN in target or target.endswith((".yml", ".yaml")) else target, given


def _cut(argv: list[str]) -> tuple[list[str], dict[str, str]]:
    """The operands before `--`, and the options that have a value."""
    operands: list[str] = []
    given: dict[str, str] = {}
    rest = iter(argv)
    for text in rest:
        if text == "--":
            break
        name, equals, value = text.partition("=")
        if name in _WITH_VALUE:
            given[name] = value if equals else next(rest, "")
        elif not text.startswith("-"):
            operands.append(text)
    return operands, given


def _resurrected(keeper: Invocation, files: Files) -> Iterator[Spawned]:
    """paths.js: the dump lies in PM2_HOME, which is .pm2 in the home of the user."""
    home = keeper.environment.get("PM2_HOME")
    own = keeper.environment.get("HOME")
    directory = home.text if home is not None else f"{own.text if own is not None else '/root'}/.pm2"
    path = f"{directory}/dump.pm2"
    source = files.read(path) if UNKNOWN not in path and files.kind(path) == "file" else None
    if source is None:
        files.report_missing(keeper.at, f"pm2 starts the apps of {path}, which is not there")
        return
    for app in _apps(source):
        if (spawned := _app(app, keeper.directory, "")) is not None:
            yield spawned


def _apps(source: Source) -> Iterator[dict[str, Said]]:
    """The apps of a list, of `apps` in an object, or of what a script exports as either."""
    read = tokens(source)
    start = next((at + 1 for at, token in enumerate(read.each) if token.text == "=" and at and read.each[at - 1].text == "exports"), 0)
    if not start and read.each and read.each[0].kind == "name":
        start = next((at + 2 for at, token in enumerate(read.each) if token.text == "export" and at + 2 < len(read.each)), 0)
    said, _ = literal(read, start)
    if isinstance(said, dict):
        said = said.get("apps", [said] if "script" in said else None)
    for each in said if isinstance(said, list) else [said]:
        if isinstance(each, dict):
            yield each


def _app(app: dict[str, Said], here: str, mode: str) -> Spawned | None:
    script = app.get("pm_exec_path", app.get("script"))
    status = app.get("status")
    if not isinstance(script, Word) or not script.text or (isinstance(status, Word) and status.text == "stopped"):
        return None
    cwd = app.get("pm_cwd", app.get("cwd"))
    directory = cwd.text if isinstance(cwd, Word) and cwd.text.startswith("/") else here
    said = app.get("exec_interpreter", app.get("interpreter"))
    interpreter = said if isinstance(said, Word) else Word(_by_suffix(script.text), script.at)
    before = () if interpreter.text in _NO_INTERPRETER else (interpreter, *_words(app.get("node_args", app.get("interpreter_args"))))
    argv = (*before, script, *_words(app.get("args")))
    # God.js, executeApp(): what the app's entry says on its own level is in its environment, too, and `env` goes before it.
    environment = {name: value for name, value in app.items() if isinstance(value, Word) and name.isupper()}
    for key in ("env", f"env_{mode}" if mode else "env"):
        block = app.get(key)
        environment |= {name: value for name, value in block.items() if isinstance(value, Word)} if isinstance(block, dict) else {}
    user = app.get("uid", app.get("user"))
    return Spawned(
        tuple(SpannedText.of(word) for word in argv),
        script.at,
        f"pm2 starts it: {script.at}",
        user if isinstance(user, Word) and user.text else None,
        environment,
        directory,
    )


def _words(said: Said) -> tuple[Word, ...]:
    """Arguments, written as a list or as one text."""
    if isinstance(said, Word):
        return tuple(each.word() for each in words(SpannedText.of(said), relaxed=True)[0])
    return tuple(each for each in said if isinstance(each, Word)) if isinstance(said, list) else ()


def _by_suffix(script: str) -> str:
    name = script.rpartition("/")[2]
    return _INTERPRETERS.get(f".{name.rpartition('.')[2]}", "node") if "." in name else "none" if script.startswith("/") else "node"
