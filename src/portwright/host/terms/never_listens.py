"""What rules may ask of a service that never listens, though a boot starts it: why systemd refuses it, and what its unit forbids."""

from typing import Literal

from portwright._start.records import replace
from portwright.facts import Listener, Privileges, Unit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.listener import socket
from portwright.host.terms.registry import Derived, fact_value
from portwright.source import Span
from portwright.system.processes.programs import SHELLS

_ASKED = ("boot", "demand", None)  # None: in a repository, where nothing says what is enabled
_OF_ADMIN = ("/etc/systemd/", "/run/systemd/")
_NOT_THERE = " is not there"  # how the reason ends where it is a file
_MOST_LINES = 4  # that a finding shows
_SAID_ELSEWHERE = ("203/EXEC", "exit-code", "ended", "timeout", "daemonized")
_KILLED = ("exit-code", "ended", "timeout", "daemonized")
_ONE_WORD = frozenset(("-c", "-lc", "-ec", "-xc"))
_SANDBOX = ("EAFNOSUPPORT", "EPERM", "SIGSYS")  # answers of a filter of the unit's own, or of a kernel without the family


@fact_value("unit", "start-refusal")
def start_refusal(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """Why systemd refuses to start a unit that a boot asks for: a second ExecStart=, a socket without its service, what it requires."""
    found = _privileges(host, unit)
    if (unit.refused and unit.starts == "boot") or _is_as_shipped(unit):
        return Derived(())  # `vain-requirement` says it
    if not unit.refused and (found is None or found.fails != "never-started" or unit.starts not in _ASKED):
        return Derived(())
    if not host.once(_unreadable_files).isdisjoint(unit.files):
        return Derived(())  # what could not be read may be just what is missing
    commands = unit.each("Service", "ExecStart")
    kind = unit.value("Service", "Type")
    if len(commands) > 1 and (kind is None or kind.value != "oneshot"):
        first, second = commands[0], commands[1]
        notes = (Note("the second ExecStart= is here", second.at), Note("the first one is here", first.at))
        return Derived(("it has more than one ExecStart=, which only Type=oneshot may have",), notes)
    if unit.refused:
        return _refused(host, unit)
    reason, at = found.because[-1] if found is not None and found.because else ("its command cannot be read", unit.at)
    return Derived((reason,), (Note(reason, at),))


@fact_value("unit", "vain-requirement")
def vain_requirement(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What a unit requires in vain: this release of systemd starts it at boot all the same, `systemctl start` and `restart` refuse it."""
    if not unit.refused or unit.starts != "boot" or _is_as_shipped(unit) or not host.once(_unreadable_files).isdisjoint(unit.files):
        return Derived(())
    return _refused(host, unit)


def _refused(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    from portwright.system.systemd.activation import NO_FILE_HERE, REQUIRING

    notes: tuple[Note, ...] = ()
    if unit.kind == "socket":
        lines = [setting for setting in unit.settings if setting.section == "Socket" and setting.key.startswith("Listen")]
        ignored = [Note("systemd ignores this line", line.at) for line, _ in unit.unread if line.key.startswith("Listen")]
        cleared = [Note("this takes back what stands before it", line.at) for line in lines if not line.value][-1:]
        listed = [Note("what it should listen on is here", line.at) for line in lines if line.value]
        notes = (*ignored, *cleared, *listed)[:2]
    elif (line := _refused_line(unit)) is not None:
        notes = (Note("this line is rejected", line),)
    else:
        required = ((word, line.at) for key in REQUIRING for line in unit.lines("Unit", key) for word in line.value.split())
        notes = tuple(Note(f"{word} is required here", at) for word, at in required if word in unit.refused)[:1]
    return Derived((unit.refused,), notes, "likely" if NO_FILE_HERE in unit.refused or _may_start(unit) else "certain")


def _is_as_shipped(unit: Unit) -> bool:
    """Whether a package's unit that no administrator touched requires what no file makes: that is of another package, or may lack."""
    return "no unit file for " in unit.refused and not any(path.startswith(_OF_ADMIN) for path in unit.files)


def _refused_line(unit: Unit) -> Span | None:
    """The line for which systemd does not load the unit, which the reason names by its place."""
    from portwright.system.systemd.activation import NOT_LOADED

    if not unit.refused.startswith(NOT_LOADED):
        return None
    return next((setting.at for setting in unit.settings if unit.refused.endswith(f"({setting.at})")), None)


def _may_start(unit: Unit) -> bool:
    """Whether it may start at boot in spite of what it lacks: systemd before 254 forgets a requirement."""
    return unit.starts == "never" and "it requires " in unit.refused


def _unreadable_files(host: Host) -> frozenset[str]:
    return frozenset(each.at.path for each in host.unreadable)


@fact_value("unit", "words-lost-to-shell")
def words_lost_to_shell(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The words of a command that a shell never runs: `sh -c` takes one word, and what follows it without quotes is $0, $1 and so on."""
    from portwright.system.systemd.command_line import Command, commands

    for setting in unit.each("Service", "ExecStart") if unit.kind == "service" else ():
        if _ONE_WORD.isdisjoint(setting.value.split()):
            continue
        for command in commands(setting, str):
            words = [word.text for word in command.argv] if isinstance(command, Command) else []
            if len(words) < 4 or words[0].rpartition("/")[2] not in SHELLS or words[1] not in _ONE_WORD:
                continue
            text, lost = words[2], " ".join(words[3:])
            # A text that names its arguments, as `exec "$@"` does, has a blank or a dollar in it.
            if not set(" $") & set(text) and (text[:1].isalnum() or text[:1] in ("/", ".")):
                return Derived((f"`{text}` without `{lost}`",), (Note("the shell takes the first word only", setting.at),))
    return Derived(())


@fact_value("unit", "unknown-account")
def unknown_account(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The user or group that a service should be started as and that the host does not have, in words."""
    found = _privileges(host, unit)
    if found is None or found.fails not in ("217/USER", "216/GROUP") or unit.starts not in _ASKED:
        return Derived(())
    keys = ("User",) if found.fails == "217/USER" else ("Group", "SupplementaryGroups")
    text, at = next(each for each in reversed(found.because) if each[0].partition("=")[0] in keys)
    key, _, name = text.partition("=")
    return Derived((f"the {'user' if key == 'User' else 'group'} {name}",), (Note(f"{text} is set here", at),))


@fact_value("unit", "exit-status")
def exit_status(host: Host, unit: Unit) -> Derived[Literal["217/USER", "216/GROUP"] | None]:
    """The status that systemd reports for a service whose user or group is unknown."""
    found = _privileges(host, unit)
    if found is None or found.fails not in ("217/USER", "216/GROUP"):
        return Derived(None)
    return Derived("217/USER" if found.fails == "217/USER" else "216/GROUP")


@fact_value("unit", "missing-environment-file")
def missing_environment_file(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What is wrong where a file that EnvironmentFile= names without a dash is surely not on the host."""
    found = _privileges(host, unit)
    if found is None or found.fails != "resources" or host.repository or unit.starts not in _ASKED or not found.because:
        return Derived(())
    reason, at = found.because[-1]
    return Derived((reason,), (Note("the file is named here, without a dash", at),))


@fact_value("unit", "missing-working-directory")
def missing_working_directory(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What is wrong where the directory that WorkingDirectory= names is not on the host."""
    found = _privileges(host, unit)
    if found is None or found.fails != "200/CHDIR" or found.hindered is not None or host.repository or not found.because:
        return Derived(())
    reason, at = found.because[-1]
    return Derived((reason,), (Note("the directory is named here", at),), "likely")


@fact_value("unit", "circle-of-orderings")
def circle_of_orderings(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The units of an ordering cycle, a listening one among them, of which an administrator wrote a line in this one."""
    circle = next((each for each in host.circles.values() if unit.name in each), ())
    if not circle or host.repository:
        return Derived(())
    lines = {name: _orderings(host.unit(name), circle) for name in circle}
    written = [name for name in circle if any(at.path.startswith(_OF_ADMIN) for _, at in lines[name])]
    if unit.name not in written[:1]:
        return Derived(())  # one circle is one finding
    notes = [Note(text, at) for text, at in sorted(lines.pop(unit.name), key=lambda each: not each[1].path.startswith(_OF_ADMIN))]
    notes += [Note(text, at) for each in lines.values() for text, at in each]
    return Derived(circle, tuple(notes[:_MOST_LINES]), "likely")


def _orderings(unit: Unit | None, circle: tuple[str, ...]) -> list[tuple[str, Span]]:
    """The lines of a unit that order it before or after another one of the circle."""
    lines = [] if unit is None else [line for key in ("After", "Before") for line in unit.lines("Unit", key)]
    others = set(circle) - {"" if unit is None else unit.name}
    return [(f"{line.key}={line.value}", line.at) for line in lines if not others.isdisjoint(line.value.split())]


@fact_value("unit", "missing-daemon-file")
def missing_daemon_file(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What is wrong where the daemon of a service ends because a file is surely not on the host: its list of access rights, say."""
    lacking = _closed_at_start(host, unit)
    if not lacking or host.repository or not lacking[0].closed_by.endswith(_NOT_THERE):
        return Derived(())
    return Derived((lacking[0].closed_by,), (Note("this makes it read the file", lacking[0].closed_at),), "likely")


@fact_value("unit", "ends-at-its-settings")
def ends_at_its_settings(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """Why the daemon of a service ends before it serves anything: a setting that its release does not take, or two that do not agree."""
    closed = _closed_at_start(host, unit)
    if not closed or closed[0].closed_by.endswith(_NOT_THERE):
        return Derived(())
    return Derived((closed[0].closed_by,), (Note("this line decides", closed[0].closed_at),), "likely")


def _closed_at_start(host: Host, unit: Unit) -> list[Listener]:
    return [each for each in host.listeners_of(unit.name) if each.closed_at is not None and each.starts in _ASKED]


@fact_value("unit", "hidden-from-it")
def hidden_from_it(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What a service cannot see of what it needs to be started, and the setting of its unit, or the closed home, that is the cause."""
    return _kept_out(host, unit, ("203/EXEC", "200/CHDIR", "ENOENT"))


@fact_value("unit", "missing-at-start")
def missing_at_start(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """Which file that a setting of a service names, and systemd must open before it executes anything, is not on the host."""
    found = _privileges(host, unit)
    return Derived(()) if found is None or found.fails in _SAID_ELSEWHERE else _lacking(host, unit, found)


@fact_value("unit", "missing-program")
def missing_program(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """Which program of its Exec lines cannot be executed: it is not on the host, or is no program."""
    found = _privileges(host, unit)
    if found is None or found.fails not in ("203/EXEC", "exit-code") or _names_a_variable(unit):
        return Derived(())  # of a variable in its place `commands-for-a-shell` tells
    return _lacking(host, unit, found)


def _names_a_variable(unit: Unit) -> bool:
    from portwright.system.systemd.shell_habits import for_a_shell

    found = (for_a_shell(line.value) for line in unit.each("Service", "ExecStart"))
    return any(habit is not None and habit.kind == "program" for habit in found)


@fact_value("unit", "left-behind")
def left_behind(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What the shell of a service puts in the background before it ends, so that systemd kills it."""
    found = _privileges(host, unit)
    said = Derived[tuple[str, ...]](()) if found is None or found.fails != "ended" else _lacking(host, unit, found)
    started = [Note("the shell is started here", line.at) for line in unit.each("Service", "ExecStart")[-1:]]
    return replace(said, evidence=(*started, *said.evidence)) if said.value else said


@fact_value("unit", "awaited-in-vain")
def awaited_in_vain(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What Type= of a service expects of its program and does not get, so that systemd kills it."""
    found = _privileges(host, unit)
    if found is None or found.fails not in ("timeout", "daemonized") or unit.starts not in _ASKED:
        return Derived(())
    if not host.repository and not any(path.startswith(_OF_ADMIN) for path in unit.files):
        return Derived(())
    reason, at = found.because[-1]
    started = tuple(Note("the program is started here", line.at) for line in unit.each("Service", "ExecStart")[-1:] if line.at != at)
    return Derived((reason,), (Note("this line decides", at), *started), "likely")


@fact_value("unit", "requirement-not-met")
def requirement_not_met(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What a service requires that does not come up at a boot, so that it is not started, or is stopped again."""
    if unit.name not in host.unmet or not any(path.startswith(_OF_ADMIN) for path in unit.files):
        return Derived(())
    reason, at = host.unmet[unit.name]
    return Derived((reason,), (Note("it is required here", at),), "likely")


def _lacking(host: Host, unit: Unit, found: Privileges) -> Derived[tuple[str, ...]]:
    if found.lacking is None or host.repository or unit.starts not in _ASKED:
        return Derived(())
    if not any(path.startswith(_OF_ADMIN) for path in unit.files):
        return Derived(())  # a package's own unit is as the distribution wants it: kmod-static-nodes.service without a kmod
    reason, at = found.because[-1]
    status = "" if found.fails in _KILLED else f" ({found.fails})"
    return Derived((f"{reason}{status}",), (Note("this line decides", at),), found.lacking)


@fact_value("unit", "misread-script")
def misread_script(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """Why a script of a service cannot be executed: its first line ends as lines of Windows do."""
    found = _privileges(host, unit)
    if found is None or not found.misread or found.fails is None or unit.starts not in _ASKED:
        return Derived(())
    reason, at = found.because[-1]
    return Derived((f"{reason} ({found.fails})",), (Note("this line ends in CR LF", at),))


@fact_value("unit", "missing-sandbox-path")
def missing_sandbox_path(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """What is wrong where a path that a sandboxing setting names without a dash is not on the host."""
    return _kept_out(host, unit, ("226/NAMESPACE",))


def _kept_out(host: Host, unit: Unit, statuses: tuple[str, ...]) -> Derived[tuple[str, ...]]:
    found = _privileges(host, unit)
    if found is None or found.sandboxed is None or found.fails not in statuses or unit.starts not in _ASKED:
        return Derived(())
    reason, at = found.because[-1]
    status = "" if found.fails == "ENOENT" else f" ({found.fails})"
    return Derived((f"{reason}{status}",), (Note("this line decides", at),), found.sandboxed)


@fact_value("unit", "forbidden-sockets")
def forbidden_sockets(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The sockets that a service wants and that its own unit forbids: RestrictAddressFamilies=, SystemCallFilter= and their like."""
    found = _forbidden(host, unit)
    return Derived(
        tuple(str(socket(host, each).value) for each in found),
        tuple(dict.fromkeys(Note(each.because, each.because_at) for each in found)),
        "certain" if all(each.confidence == "certain" for each in found) else "likely",
    )


@fact_value("unit", "what-forbids-them")
def what_forbids_them(host: Host, unit: Unit) -> Derived[str | None]:
    """Why a service may not open its sockets, in words."""
    found = _forbidden(host, unit)
    return Derived(found[0].because if found else None)


@fact_value("listener", "stops-without-family")
def stops_without_family(host: Host, listener: Listener) -> Derived[bool]:
    """Whether it asks for an address family that the kernel is booted without, and its daemon is known to give up then."""
    unit = host.unit(listener.unit)
    forbidden = listener.error == "EAFNOSUPPORT" and listener.can_bind is False
    if not forbidden or (unit is not None and _is_of_unit(listener, unit)):
        return Derived(False)
    return Derived(listener.traits.port_taken == "exits" or (listener.traits.port_taken is None and listener.origin == "directive"))


def _forbidden(host: Host, unit: Unit) -> tuple[Listener, ...]:
    return tuple(
        each
        for each in host.listeners_of(unit.name)
        if each.can_bind is False and each.error in _SANDBOX and each.starts in ("boot", None) and _is_of_unit(each, unit)
    )


def _is_of_unit(listener: Listener, unit: Unit) -> bool:
    return listener.because_at is not None and listener.because_at.path in unit.files


def _privileges(host: Host, unit: Unit) -> Privileges | None:
    return host.privileges.get(unit.name) if unit.kind == "service" and unit.state == "loaded" else None
