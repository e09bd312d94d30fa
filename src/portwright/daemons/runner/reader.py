"""Programs that run a project's command (`bundle exec`, `poetry run`, `npm start`): the command is read as what it starts."""

import json

from portwright._start.records import dataclass, replace
from portwright.daemons import DaemonFact, Packages, daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.facts import Invocation
from portwright.source import Source, Word
from portwright.system.processes.following import follow
from portwright.system.processes.process import Process
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.trees import Files


@dataclass(frozen=True, slots=True)
class _Runner:
    """The subcommand that a command follows (None: it follows at once), and the options with a value that may stand before it."""

    subcommand: str | None
    values: frozenset[str] = frozenset()


_RUNNERS = {
    "bundle": _Runner("exec", frozenset(("--gemfile",))),
    "bundler": _Runner("exec", frozenset(("--gemfile",))),
    "conda": _Runner("run", frozenset(("-n", "--name", "-p", "--prefix", "--cwd"))),
    "hatch": _Runner("run", frozenset(("-e", "--env"))),
    "npx": _Runner(None, frozenset(("-p", "--package"))),
    "bunx": _Runner(None),
    "pdm": _Runner("run", frozenset(("-p", "--project"))),
    "pipenv": _Runner("run"),
    "poetry": _Runner("run", frozenset(("-C", "--directory", "-P", "--project"))),
    "pyenv": _Runner("exec"),
    "rbenv": _Runner("exec"),
    "rye": _Runner("run"),
    "uv": _Runner("run", frozenset(("--project", "--directory", "--with", "--python", "-p", "--extra", "--group", "--env-file"))),
    "uvx": _Runner(None, frozenset(("--from", "--with", "--python", "-p"))),
}
_PACKAGE_MANAGERS = ("npm", "pnpm", "yarn")
_DIRECTORY = ("--prefix", "-C", "--dir", "--cwd")
_LONGEST = 1 << 20


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What the command behind the runner says; of a package manager's script, what package.json has it run."""
    if invocation.program in _PACKAGE_MANAGERS:
        return _script(invocation, files, packages)
    runner = _RUNNERS[invocation.program]
    words = list(invocation.argv[1:])
    awaited = runner.subcommand
    at = 0
    while at < len(words):
        text = words[at].text
        if text.startswith("-"):
            at += 2 if text in runner.values else 1
        elif awaited is None:
            return _said(replace(invocation, argv=tuple(words[at:])), files, packages)
        elif text == awaited:
            awaited = None
            at += 1
        else:
            return ()
    return ()


def _said(started: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    known = daemon_of(started)
    return generic.read(started, files, packages) if known is None else known.read(started, files, packages)


def _script(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`npm start`, `npm run NAME`, `yarn NAME`: the script of that name in the project's package.json, run by a shell."""
    directory = invocation.directory
    names: list[str] = []
    words = invocation.argv[1:]
    at = 0
    while at < len(words) and words[at].text != "--":
        text = words[at].text
        if text in _DIRECTORY and at + 1 < len(words):
            directory = words[at + 1].text
            at += 1
        elif text.startswith("--prefix="):
            directory = text.partition("=")[2]
        elif not text.startswith("-"):
            names.append(text)
        at += 1
    if names[:1] in (["run"], ["run-script"]):
        names = names[1:]
    if not names or UNKNOWN in directory:
        return ()
    path = invocation.path(directory)
    source = files.read(f"{path.rstrip('/')}/package.json") if files.kind(f"{path.rstrip('/')}/package.json") == "file" else None
    text_of = _named(source, names[0], files) if source is not None else None
    if text_of is None:
        return ()
    passages = (SpannedText.of(Word("/bin/sh", text_of.at)), SpannedText.of(Word("-c", text_of.at)), SpannedText.of(text_of))
    # The arguments behind `--` are appended.
    behind = tuple(SpannedText.of(word) for word in words[at + 1 :])
    process = Process("/bin/sh", passages, invocation.environment, invocation.at, path)
    found: list[DaemonFact] = []
    for each in follow(process, files):
        if each.passing:
            continue
        argv = tuple(passage.word() for passage in (*each.argv, *behind))
        started = replace(invocation, argv=argv, environment=each.environment, directory=each.directory)
        # A script that starts itself again says nothing new.
        if started.program not in _PACKAGE_MANAGERS:
            found += _said(started, files, packages)
    return tuple(dict.fromkeys(found))


def _named(source: Source, name: str, files: Files) -> Word | None:
    """The text of a script in package.json, with the place of its value."""
    if len(source.text) > _LONGEST:
        files.report_unreadable(source.span(0, 0), f"a package.json longer than {_LONGEST} characters is not parsed")
        return None
    try:
        known = json.loads(source.text)
    except (ValueError, RecursionError):
        files.report_unreadable(source.span(0, 0), "not JSON: what the project's scripts run is not known")
        return None
    scripts = known.get("scripts") if isinstance(known, dict) else None
    text = scripts.get(name) if isinstance(scripts, dict) else None
    if not isinstance(text, str):
        return None
    at = source.text.find(json.dumps(text, ensure_ascii=False), source.text.find('"scripts"'))
    return Word(text, source.span(at + 1, at + 1 + len(text)) if at >= 0 else source.span(0, 0))
