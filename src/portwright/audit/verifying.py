"""What the daemons' own commands, where this machine has them, say of the configs that a plan edits: each in a room without network."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory

from portwright.audit.inputs import Input
from portwright.changes.config_step import ConfigStep
from portwright.fixes.plan import Plan
from portwright.fixes.verified import Verified
from portwright.reports.secrets import hide_in_line
from portwright.shipped import folder

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ROOM = ("--user", "--map-root-user", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child")
_NO_ROOM = 125
_SECONDS = 60
_MOST_SAID = 400


def verified(given: Input, made: Plan) -> tuple[Verified, ...]:
    """What each daemon's command says of its config as the plan leaves it."""
    steps = [step for step in made.steps if isinstance(step, ConfigStep)]
    if not steps:
        return ()
    with TemporaryDirectory(prefix="portwright-") as work:
        return tuple(_verified(given, made, step, work) for step in steps)


def checked_by(step: ConfigStep) -> tuple[str, ...]:
    """The command of a step's daemon that checks its config, () where none is known."""
    return step.check


def _verified(given: Input, made: Plan, step: ConfigStep, work: str) -> Verified:
    check = checked_by(step)
    if not check:
        return Verified(step.unit, "not asked", "no command of its daemon is known that checks a config")
    program = shutil.which(check[0], path=_PATH)
    if program is None:
        return Verified(step.unit, "not asked", f"{check[0]} is not on this machine")
    if given.within is not None or not os.path.isdir(given.path):
        return Verified(step.unit, "not asked", "an archive is not unpacked for it")
    before = _asked(given.path, work, (), (program, *check[1:]))
    if isinstance(before, str) or before[0]:
        said = before if isinstance(before, str) else f"on this machine {check[0]} refuses it as it is: {before[1]}"
        return Verified(step.unit, "not asked", said)
    after = _asked(given.path, work, tuple(_staged(made, step, work)), (program, *check[1:]))
    if isinstance(after, str):
        return Verified(step.unit, "not asked", after)
    return Verified(step.unit, "refused" if after[0] else "taken", f"{check[0]} says: {after[1]}" if after[0] else check[0])


def _staged(made: Plan, step: ConfigStep, work: str) -> Iterator[str]:
    """A candidate and its place, for each file that the step edits."""
    for number, path in enumerate(sorted({made.host.real_path(each.at.path) for each in step.rewrites})):
        candidate = os.path.join(work, f"candidate-{number}")
        with open(candidate, "w", encoding="utf-8", newline="") as file:
            file.write(made.edits[path])
        os.chmod(candidate, 0o644)
        yield candidate
        yield path


def _asked(root: str, work: str, candidates: Sequence[str], command: Sequence[str]) -> tuple[int, str] | str:
    """How a command ends in a room of its own, and its last words; why there is no such room here."""
    place = os.path.join(work, "root")
    os.makedirs(place, exist_ok=True)
    script = os.path.join(folder("playbooks"), "check_config.sh")
    arguments = (os.path.abspath(root), place, str(len(candidates) // 2), *candidates, *command)
    try:
        ran = subprocess.run(  # noqa: S603
            ["/usr/bin/unshare", *_ROOM, "/bin/sh", script, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{os.path.basename(command[0])} did not end within {_SECONDS} seconds"
    except OSError as error:
        return f"no namespace can be made here: {error.strerror}"
    said = _last_words(ran.stdout[-65_536:].decode("utf-8", "replace"))
    if ran.returncode == _NO_ROOM or said.startswith("unshare: "):
        return f"no namespace can be made here: {said or 'it ended without a word'}"
    return ran.returncode, said


def _last_words(text: str) -> str:
    lines = [hide_in_line(line.strip()) for line in text.splitlines() if line.strip()]
    said = "; ".join(lines[-3:])
    return said if len(said) <= _MOST_SAID else f"...{said[-_MOST_SAID:]}"
