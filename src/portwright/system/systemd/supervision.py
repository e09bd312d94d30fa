"""Type= of systemd.service(5) against what a program does: systemd waits for what never comes, or takes a service for ended.

Measured with systemd 252 and 257: a Type=forking service that stays in the foreground, a Type=notify one that never says that it is ready
and a Type=oneshot one with a timeout are killed after TimeoutStartSec=, and start again where Restart= says so, to be killed again.
With `infinity` or 0 they stay, starting for ever. A Type=simple service that goes to the background has ended, and what is left is killed.
"""

from collections.abc import Sequence
from math import inf

from portwright._start.records import replace
from portwright.facts import Invocation, Traits, Unit, Value
from portwright.formats.unit import YES
from portwright.source import Span
from portwright.system.systemd.restarts import seconds

TIMEOUT = "timeout"
DAEMONIZED = "daemonized"
KILLED = (TIMEOUT, DAEMONIZED)

ALWAYS = "always"
_DEFAULT_SECONDS = 90.0  # DefaultTimeoutStartSec=
_PREFIXES = "-@:+!|"
_ENV = "env"
_PID = ".pid"


def supervised(invocation: Invocation, unit: Unit, traits: Traits, configured: str = "") -> Invocation:
    """An invocation that systemd does not keep, with the reason; any other as it is.

    `configured` is what, in words, sends the program to the background though no flag does: its config.
    """
    given = invocation.privileges
    kind = unit.value("Service", "Type")
    if given.fails is not None or (kind is None and not traits.background and not configured):  # most: nothing is waited for
        return invocation
    if not _is_main(invocation, unit):
        return invocation
    words = [word.text for word in invocation.argv[1:]]
    said = kind.value if kind is not None else "simple"
    found = _kept_waiting(unit, kind, said, invocation.program, words, traits)
    found = found or _taken_for_ended(unit, kind, said, words, traits, configured)
    if found is None:
        return invocation
    status, reason, at = found
    because = (*given.because, (reason, invocation.at if at is None else at))
    return replace(invocation, privileges=replace(given, fails=status, lacking="likely", because=because))


def _kept_waiting(
    unit: Unit, kind: Value | None, said: str, program: str, words: Sequence[str], traits: Traits
) -> tuple[str, str, Span | None] | None:
    """What systemd waits for in vain before it kills the service; None where it does not wait, or not in vain, or for ever."""
    timeout = _timeout(unit, said)
    if kind is None or timeout is None:
        return None
    if said == "forking" and (other := _other_pid_file(unit, words)) is not None:
        stated, path = other
        why = f"Type=forking waits for PIDFile={stated.value}, and {program} writes {path}: the start ends with a timeout after {timeout}"
        return TIMEOUT, why, stated.at
    front = flag_of(traits.foreground, words)
    if front is None and traits.static and not traits.detaches and "start" not in words:
        front = ALWAYS  # a program in Go does not fork
    if said == "forking" and front is not None and (front == ALWAYS or flag_of(traits.background, words) is None):
        stays = f"{program} stays in the foreground" if front == ALWAYS else f"{program} stays in the foreground with `{front}`"
        why = f"Type=forking waits for the program to go to the background, and {stays}: the start ends with a timeout after {timeout}"
        return TIMEOUT, why, kind.at
    if said == "notify" and flag_of(traits.tells_nobody, words) is not None and not unit.says("systemd-notify"):
        why = f"Type=notify waits for the program to say that it is ready, which {program} never does: the start ends with a timeout"
        return TIMEOUT, f"{why} after {timeout}", kind.at
    if said == "oneshot" and front is not None:
        why = f"Type=oneshot waits for the program to end, and {program} is a server: the start ends with a timeout after {timeout}"
        return TIMEOUT, why, kind.at
    return None


def _taken_for_ended(
    unit: Unit, kind: Value | None, said: str, words: Sequence[str], traits: Traits, configured: str
) -> tuple[str, str, Span | None] | None:
    """The flag, or the config, that sends the program to the background, so that the service is over; None where it may stay."""
    flag = flag_of(traits.background, words)
    if (flag is None and not configured) or said not in ("simple", "exec", "idle", "notify") or _stays(unit):
        return None
    at = None if kind is None else kind.at
    goes = f"{configured} goes to the background" if flag is None else f"`{flag}` sends the program to the background"
    return DAEMONIZED, f"{goes}, and Type={said} takes the service for ended then", at


def _other_pid_file(unit: Unit, words: Sequence[str]) -> tuple[Value, str] | None:
    """PIDFile= and the file that the command names for its own, where these are two and nothing else of the unit names the first."""
    stated = unit.value("Service", "PIDFile")
    if stated is None or "%" in stated.value:
        return None
    wanted = _of_run(stated.value)
    named = [path for word in words if (path := word.rpartition("=")[2]).startswith("/") and path.endswith(_PID)]
    written = [setting for key in ("ExecStartPre", "ExecStart", "ExecStartPost") for setting in unit.each("Service", key)]
    if not wanted.endswith(_PID) or not named or wanted in map(_of_run, named):  # a variable may have said it
        return None
    if any(wanted in _of_run(setting.value) for setting in written):
        return None
    return stated, named[0]


def _of_run(text: str) -> str:
    return text.replace("/var/run/", "/run/")


def flag_of(flags: Sequence[str], words: Sequence[str]) -> str | None:
    """The first of these flags that is among the words of a command: some are two words, a value may follow after `=`."""
    written = f" {' '.join(words)} "
    return next((flag for flag in flags if flag == ALWAYS or f" {flag} " in written or f" {flag}=" in written), None)


def _timeout(unit: Unit, said: str) -> str | None:
    """How long systemd waits, in words; None for ever."""
    stated = [setting for setting in unit.settings if setting.section == "Service" and setting.key in ("TimeoutStartSec", "TimeoutSec")]
    if not stated or not stated[-1].value:
        return None if said == "oneshot" else f"{_DEFAULT_SECONDS:.0f} s"
    span = seconds(stated[-1].value)
    return f"{span:g} s" if span is not None and 0 < span < inf else None


def _stays(unit: Unit) -> bool:
    """Whether what is left of a service that has ended is not killed."""
    after, mode = unit.value("Service", "RemainAfterExit"), unit.value("Service", "KillMode")
    whole = unit.value("Service", "ExitType")
    return (
        (after is not None and after.value.lower() in YES)
        or (mode is not None and mode.value in ("process", "none"))
        or (whole is not None and whole.value == "cgroup")
    )


def _is_main(invocation: Invocation, unit: Unit) -> bool:
    """Whether ExecStart= names the program itself: what a shell or another starter does first may change whom systemd watches."""
    lines = unit.each("Service", "ExecStart")
    words = lines[-1].value.lstrip(_PREFIXES).split() if lines else []
    if words and words[0].rpartition("/")[2] == _ENV:
        words = [word for word in words[1:] if "=" not in word]
    return bool(words) and words[0].rpartition("/")[2] in (invocation.executed.rpartition("/")[2], invocation.program)
