"""What a service really runs: ExecStart= after drop-ins, specifiers, variables, wrappers and shells, as Invocations."""

from portwright._start.records import replace
from portwright.facts import Confidence, Invocation, OpenFiles, Unit, weakest
from portwright.source import Span, Word
from portwright.system.host_files.accounts import account
from portwright.system.host_files.captures import Captured
from portwright.system.processes.following import follow
from portwright.system.processes.privileges import after_switches
from portwright.system.processes.process import Process
from portwright.system.processes.programs import SEARCH_PATH, SHELLS, find_program, is_shell_script, misread_interpreter
from portwright.system.spanned_text import UNKNOWN
from portwright.system.systemd import environment, working_directory
from portwright.system.systemd.command_line import Command, Expand, Refused, substitute
from portwright.system.systemd.conditions import whole
from portwright.system.systemd.privileges import unit_privileges
from portwright.system.systemd.specifiers import OWN_DIRECTORIES
from portwright.system.systemd.units import Units
from portwright.trees import Files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from portwright.system.systemd import sandbox, start_needs

# What gives a unit another view of the file system, or names paths that must be there (systemd.exec(5), Sandboxing).
_SANDBOX = frozenset((
    "ProtectHome", "PrivateTmp", "DynamicUser", "InaccessiblePaths", "TemporaryFileSystem", "ReadWritePaths", "ReadOnlyPaths", "ExecPaths",
    "NoExecPaths", "BindPaths", "BindReadOnlyPaths", "InaccessibleDirectories", "ReadWriteDirectories", "ReadOnlyDirectories",
))  # fmt: skip

# What names files that must be there before anything is executed.
_NEEDING = frozenset((
    "StandardInput", "StandardOutput", "StandardError", "LoadCredential", "LoadCredentialEncrypted", "OpenFile", "RootDirectory",
    "RootImage", "AppArmorProfile",
))  # fmt: skip

_EXECUTED = frozenset(("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost"))
_OF_PACKAGES = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/bin/", "/sbin/", "/lib/")

_SETTINGS_A_STEP = 8
_OF_SHELLS = frozenset("#|><&`$")


def invocations(unit: Unit, units: Units, files: Files, captured: Captured) -> tuple[Invocation, ...]:
    """The programs a service starts with ExecStart=, in order; () for what starts nothing (masked, no ExecStart=, a template).

    Where systemd refuses the unit, the programs are returned with `fails` "never-started"; where a file it must have is not there,
    with "resources"; where its working directory is not there, with "200/CHDIR"; with the status of systemd where something else is not
    there that its start needs.
    """
    if unit.kind != "service" or unit.state != "loaded":
        return ()

    def expand(text: str) -> str:
        return units.expand(text, unit)

    found, refused = _commands(unit, units)
    given = environment.environment(unit, files, expand)
    known = {**_of_systemd(unit, files, expand), **given.variables}
    failure = "never-started"
    if given.fails is not None and refused is None:
        refused, failure = Refused(given.fails[1], given.fails[0]), "resources"
    lack = _lacking_file(unit, files, expand) if refused is None and unit.starts in ("boot", "demand") else None
    if (
        refused is None
        and lack is None
        and unit.starts in ("boot", "demand")
        and (gone := working_directory.missing(unit, files, expand)) is not None
    ):
        refused, failure = Refused(gone[1], gone[0]), working_directory.FAILS
    at_most: Confidence = "certain"
    if refused is None and unit.starts in ("boot", "demand") and working_directory.is_doubtful(unit, files, expand):
        at_most = "likely"
    directory = _directory(unit, files, expand)
    # The manager of a user mounts nothing over anything (systemd issue 25014).
    beside = refused is not None or bool(units.machine.of_user)
    box = None if beside or unit.starts in ("manual", "never") else _sandbox(unit, directory, files, expand)
    sockets = _sockets(unit, units)
    before = _misread_before(unit, units, files, expand) if found and unit.starts != "never" else None
    found_wanting = _lacking_program(unit, units, files, expand) if lack is None and refused is None else None
    odd = _for_a_shell(unit)
    done: list[Invocation] = []
    for number, command in enumerate(found):
        # The unit's settings are looked at again for each command.
        if number and not files.work(len(unit.settings) // _SETTINGS_A_STEP, lambda at=command.at: at, "the command"):  # type: ignore[misc]
            break
        variables = known if given.unknown is None else {**given.of_words(" ".join(each.text for each in command.argv)), **known}
        argv = substitute(command, variables, files.spend)
        program = find_program(command.program.text, files, _search_path(unit, expand))
        behind = _left_behind(unit, [each.text for each in argv], program, command.at, files)
        started = Process(program, argv, variables, command.at, directory)
        for process in follow(started, files):
            limit = units.open_files(unit) if process.same_limits else None
            if (confidence := weakest(given.at_most(process.confidence), at_most)) != process.confidence:
                process = replace(process, confidence=confidence)
            made = _invocation(unit, command, process, files, captured, expand, sockets, refused, failure, limit)
            if (script := before or _misread(program, files)) is not None and made.privileges.fails is None:
                reason, status, at = script
                because = (*made.privileges.because, (reason, at))
                made = replace(made, privileges=replace(made.privileges, fails=status, misread=True, because=because))
            if lack is not None:
                made = _lacks(made, lack)
            elif box is not None:
                made = box.kept(made, command.prefixes, [each.text for each in argv], program)
            if (habit := odd.get(command.at)) is not None:
                made = _lacks(made, habit) if habit.status else replace(made, confidence=weakest(made.confidence, "possible"))
            if made.privileges.fails is None and (kept := found_wanting or behind) is not None:
                made = _lacks(made, kept)
            done.append(made)
    return tuple(done)


def _lacking_file(unit: Unit, files: Files, expand: Expand) -> "start_needs.Lacking | None":
    """The first file that the unit's settings need and the host lacks; few units have such settings."""
    if not any(setting.key in _NEEDING for setting in unit.settings):
        return None
    from portwright.system.systemd.start_needs import lacking_file

    return lacking_file(unit, files, expand)


def _lacking_program(unit: Unit, units: Units, files: Files, expand: Expand) -> "start_needs.Lacking | None":
    """The first command that surely cannot be executed: what is not there only a tree tells that has the programs of its host."""
    if unit.starts not in ("boot", "demand") or files.partial:
        return None
    if not files.once(whole):
        if not any(each.key in _EXECUTED and _is_by_hand(each.value) for each in unit.settings):
            return None
        from portwright.system.systemd.start_needs import unreadable_script

        return unreadable_script(unit, units.commands, files, expand)
    from portwright.system.systemd.start_needs import lacking_program

    return lacking_program(unit, units.commands, files, expand)


def _is_by_hand(command: str) -> bool:
    """Whether a command names a program by a path that no package has its programs at: what is there may be a script of the host's own."""
    path = command.lstrip("-+!:@|\"'")
    return path.startswith("/") and not path.startswith(_OF_PACKAGES)


def _left_behind(unit: Unit, argv: list[str], program: str, at: Span, files: Files) -> "start_needs.Lacking | None":
    """What the shell of a service puts in the background before it ends; few services start with a shell."""
    if unit.starts not in ("boot", "demand") or (program.rpartition("/")[2] not in SHELLS and is_shell_script(program, files) is None):
        return None
    from portwright.system.systemd.left_behind import ENDED, left_behind
    from portwright.system.systemd.start_needs import Lacking

    found = left_behind(unit, argv, program, at, files)
    return None if found is None else Lacking(ENDED, *found)


def _for_a_shell(unit: Unit) -> "dict[Span, start_needs.Lacking]":
    """The commands of which only a shell would do what is written, by their place: one whose program is a variable is never executed
    (203/EXEC, measured with systemd 252 and 257); what becomes of the others, which are given more words, depends on the program."""
    found: dict[Span, start_needs.Lacking] = {}
    for setting in unit.each("Service", "ExecStart"):
        if not _OF_SHELLS.isdisjoint(setting.value):
            from portwright.system.systemd.shell_habits import for_a_shell
            from portwright.system.systemd.start_needs import Lacking

            if (habit := for_a_shell(setting.value)) is not None:
                status = "203/EXEC" if habit.kind == "program" else ""
                reason = f"{habit.text} is no program, and systemd puts no variable there"
                found[setting.at] = Lacking(status, reason, setting.at, "certain")
    return found


def _lacks(made: Invocation, lack: "start_needs.Lacking") -> Invocation:
    if made.privileges.fails is not None:
        return made
    because = (*made.privileges.because, (lack.reason, lack.at))
    return replace(made, privileges=replace(made.privileges, fails=lack.status, lacking=lack.confidence, because=because))


def _misread_before(unit: Unit, units: Units, files: Files, expand: Expand) -> tuple[str, str, Span] | None:
    """The first script of ExecStartPre= that cannot be executed, without which the service is not started."""
    for setting in unit.each("Service", "ExecStartPre"):
        for command in units.commands(setting, unit):
            if isinstance(command, Command) and "-" not in command.prefixes:
                found = _misread(find_program(command.program.text, files, _search_path(unit, expand)), files)
                if found is not None:
                    return found
    return None


def _misread(program: str, files: Files) -> tuple[str, str, Span] | None:
    """Why a script cannot be executed whose lines end as those of Windows do, the status it ends with, and its first line."""
    found = misread_interpreter(program, files)
    if found is None:
        return None
    path = files.tree.label(files.resolve(program))
    return f"the first line of {program} ends in CR LF and so asks for {found[0]}, which does not exist", found[1], Span(path, 1, 1, 1, 3)


def _sandbox(unit: Unit, directory: str, files: Files, expand: Expand) -> "sandbox.Sandbox | None":
    """What the unit's own file system may keep from it; None where nothing in it asks for another one, or names the home of root."""
    if not any(setting.key in _SANDBOX or "/root" in setting.value for setting in unit.settings):
        return None
    from portwright.system.systemd.sandbox import Sandbox

    stated = unit.value("Service", "WorkingDirectory")
    place = None if stated is None or stated.value.startswith("-") else Word(directory, stated.at)
    return Sandbox(unit, place, files, expand)


def _invocation(
    unit: Unit,
    command: Command,
    process: Process,
    files: Files,
    captured: Captured,
    expand: Expand,
    sockets: tuple[str, ...],
    refused: Refused | None,
    failure: str,
    open_files: OpenFiles | None,
) -> Invocation:
    privileges = unit_privileges(unit, command.prefixes, process.program, files, captured, expand)
    privileges = after_switches(privileges, process, files)
    if refused is not None:
        privileges = replace(privileges, fails=privileges.fails or failure, because=(*privileges.because, (refused.reason, refused.at)))
    argv = tuple(each.word() for each in process.argv)
    return Invocation(
        unit=unit.name,
        argv=argv,
        at=process.at,
        environment=process.environment,
        privileges=privileges,
        directory=process.directory,
        sockets=sockets,
        starts=unit.starts,
        why=unit.why,
        confidence=process.confidence,
        open_files=open_files,
        passing=process.passing,
        executed=process.program,
    )


def _commands(unit: Unit, units: Units) -> tuple[list[Command], Refused | None]:
    """The commands in force and the line that makes systemd refuse the unit, if there is one (service_verify() in service.c)."""
    found: list[Command] = []
    refused: Refused | None = None
    for setting in unit.each("Service", "ExecStart"):
        for each in units.commands(setting, unit):
            if isinstance(each, Command):
                found.append(each)
            elif not each.forgiven:
                refused = refused or each
    kind = unit.value("Service", "Type")
    if len(found) > 1 and (kind is None or kind.value != "oneshot"):
        last = found[-1]
        reason = "more than one ExecStart= is only for Type=oneshot, so systemd rejects the unit"
        return [last], refused or Refused(last.at, reason)
    return found, refused


def _search_path(unit: Unit, expand: Expand) -> tuple[str, ...]:
    """ExecSearchPath= (systemd.exec(5)) or the path systemd is built with."""
    found: list[str] = []
    for setting in unit.each("Service", "ExecSearchPath"):
        found += [each for each in expand(setting.value).split(":") if each.startswith("/")]
    return tuple(found) or SEARCH_PATH


def _directory(unit: Unit, files: Files, expand: Expand) -> str:
    found = unit.value("Service", "WorkingDirectory")
    if found is None:
        return "/"
    path = expand(found.value.removeprefix("-"))
    if path == "~":
        user = unit.value("Service", "User")
        known = account(expand(user.value), files) if user else None
        return known.home if known else "/root"
    return path if path.startswith("/") else "/"


def _sockets(unit: Unit, units: Units) -> tuple[str, ...]:
    """The .socket units whose descriptors the service is handed: those that activate it and those of Sockets=.

    A socket unit with Accept=yes hands over connections, not what it listens on; one that nobody starts hands over nothing.
    """
    named = (word for setting in unit.each("Service", "Sockets") for word in setting.value.split())
    found = {socket for name in (unit.name, *unit.names) for socket in units.activating.get(name, ())}
    found.update(name for name in named if name in units.handing)
    return tuple(sorted(found))


# ── environment ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_systemd(unit: Unit, files: Files, expand: Expand) -> dict[str, Word]:
    """What systemd itself sets (systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager")."""
    block = {"PATH": Word(":".join(SEARCH_PATH), unit.at)}
    block |= _of_user(unit, files, expand)
    block |= _of_directories(unit, expand)
    for setting in unit.each("Service", "PassEnvironment"):
        # The manager's own environment is not in the host's files.
        block |= {name: Word(UNKNOWN, setting.at) for name in setting.value.split() if name not in block}
    return block


def _of_user(unit: Unit, files: Files, expand: Expand) -> dict[str, Word]:
    """HOME, USER, LOGNAME and SHELL, which the manager sets where User= is set (systemd.exec(5))."""
    user = unit.value("Service", "User")
    known = account(expand(user.value), files) if user else None
    if user is None or known is None:
        return {}
    values = {"HOME": known.home, "LOGNAME": known.name, "USER": known.name, "SHELL": known.shell}
    return {name: Word(value, user.at) for name, value in values.items()}


def _of_directories(unit: Unit, expand: Expand) -> dict[str, Word]:
    found: dict[str, Word] = {}
    for key, root in OWN_DIRECTORIES.items():
        paths = [f"{root}/{word.partition(':')[0]}" for each in unit.each("Service", key) for word in expand(each.value).split()]
        if paths:
            # RuntimeDirectory= is in RUNTIME_DIRECTORY.
            found[key.upper().replace("DIRECTORY", "_DIRECTORY")] = Word(":".join(paths), unit.each("Service", key)[-1].at)
    return found
