"""Programs that start another one (env, nice, runuser, timeout, ...): where the command begins, and what they change for it."""

from collections.abc import Mapping

from portwright._start.records import dataclass, field, replace
from portwright.facts import weakest
from portwright.numbers import is_digits
from portwright.source import Word
from portwright.system.host_files.capabilities import ALL, capability
from portwright.system.processes.process import Process, Switch, is_name
from portwright.system.processes.spawned import shell_command
from portwright.system.spanned_text import SpannedText, tail
from portwright.system.words import words
from portwright.trees import Files


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How a wrapper's own arguments end.

    `short` are the option letters that take an argument, `long` the long ones that take it as the next word. `operands` come before
    the command; `number` says that the operand may be missing and is a number if it is there. `command` are options whose argument
    is shell text to run, `user` those that name a user. `variables`: `NAME=value` words may stand before the command. `mixed`:
    options may stand behind operands, unless an option names the user. With one of `ends` it starts nothing (a pid to act on).
    `unsure`: the command sees other files than the host's. `program` are options that name the program, what follows are its arguments.
    `two` are long options that take two words.
    """

    short: str = ""
    long: tuple[str, ...] = ()
    operands: int = 0
    number: bool = False
    command: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    variables: bool = False
    unsure: bool = False
    ends: tuple[str, ...] = ()
    mixed: bool = False
    program: tuple[str, ...] = ()
    two: tuple[str, ...] = ()


# From the programs' manuals: coreutils, util-linux, sudo, tini, dumb-init, numactl, authbind, daemontools, runit, bubblewrap, rootlesskit.
WRAPPERS: Mapping[str, Wrapper] = {
    "authbind": Wrapper(long=("--depth",)),
    "bwrap": Wrapper(
        long=(
            "--add-seccomp-fd",
            "--args",
            "--argv0",
            "--block-fd",
            "--cap-add",
            "--cap-drop",
            "--chdir",
            "--dev",
            "--dir",
            "--exec-label",
            "--file-label",
            "--gid",
            "--hostname",
            "--info-fd",
            "--json-status-fd",
            "--lock-file",
            "--mqueue",
            "--perms",
            "--pidns",
            "--proc",
            "--remount-ro",
            "--seccomp",
            "--size",
            "--sync-fd",
            "--tmp-overlay",
            "--tmpfs",
            "--uid",
            "--unsetenv",
            "--userns",
            "--userns-block-fd",
            "--userns2",
        ),
        two=(
            "--bind",
            "--bind-data",
            "--bind-fd",
            "--bind-try",
            "--chmod",
            "--dev-bind",
            "--dev-bind-try",
            "--file",
            "--ro-bind",
            "--ro-bind-data",
            "--ro-bind-fd",
            "--ro-bind-try",
            "--setenv",
            "--symlink",
        ),
    ),
    "catchsegv": Wrapper(),
    "cgexec": Wrapper(short="g"),
    "choom": Wrapper(short="np", long=("--adjust", "--pid"), ends=("-p", "--pid")),
    "chpst": Wrapper(short="uUbe/nlLmdofpcrt", user=("-u",)),
    "chroot": Wrapper(long=("--userspec", "--groups"), operands=1, unsure=True),
    "chrt": Wrapper(
        short="TPD", long=("--sched-runtime", "--sched-period", "--sched-deadline"), operands=1, number=True, ends=("-p", "--pid")
    ),
    "daemonize": Wrapper(short="ceoplEu", user=("-u",)),
    "dbus-run-session": Wrapper(long=("--config-file", "--dbus-daemon")),
    "doas": Wrapper(short="uC", user=("-u",)),
    "dumb-init": Wrapper(short="r", long=("--rewrite",)),
    "env": Wrapper(short="uCS", long=("--unset", "--chdir", "--split-string"), variables=True),
    "eatmydata": Wrapper(),
    "envdir": Wrapper(operands=1),
    "envuidgid": Wrapper(operands=1),
    "flock": Wrapper(short="wEc", long=("--timeout", "--conflict-exit-code", "--command"), operands=1, command=("-c", "--command")),
    "gosu": Wrapper(operands=1),
    "ionice": Wrapper(short="cnpPu", long=("--class", "--classdata", "--pid"), ends=("-p", "-P", "-u", "--pid", "--pgid", "--uid")),
    "nice": Wrapper(short="n", long=("--adjustment",)),
    "nohup": Wrapper(),
    "numactl": Wrapper(
        short="ipPNCmwo",
        long=("--interleave", "--preferred", "--preferred-many", "--cpunodebind", "--physcpubind", "--membind", "--weighted-interleave"),
    ),
    "prlimit": Wrapper(ends=("-p", "--pid")),
    "rootlesskit": Wrapper(
        short="p",
        long=(
            "--cidr",
            "--copy-up",
            "--copy-up-mode",
            "--evacuate-cgroup2",
            "--ifname",
            "--lxc-user-nic-binary",
            "--mtu",
            "--net",
            "--port-driver",
            "--propagation",
            "--publish",
            "--slirp4netns-binary",
            "--slirp4netns-sandbox",
            "--slirp4netns-seccomp",
            "--state-dir",
            "--subid-source",
            "--vpnkit-binary",
        ),
    ),
    "runuser": Wrapper(
        short="ugGcsTw",
        long=("--user", "--group", "--supp-group", "--command", "--session-command", "--shell", "--whitelist-environment"),
        command=("-c", "--command", "--session-command"),
        user=("-u", "--user"),
        mixed=True,
    ),
    "s6-envdir": Wrapper(short="n", operands=1),
    "s6-softlimit": Wrapper(short="acdflmoprst"),
    "setarch": Wrapper(operands=1),
    "setlock": Wrapper(operands=1),
    "setpriv": Wrapper(
        long=(
            "--reuid",
            "--ruid",
            "--euid",
            "--regid",
            "--rgid",
            "--egid",
            "--groups",
            "--inh-caps",
            "--ambient-caps",
            "--bounding-set",
            "--securebits",
            "--pdeathsig",
            "--selinux-label",
            "--apparmor-profile",
            "--landlock-access",
            "--landlock-rule",
        ),
        user=("--reuid", "--euid"),
    ),
    "setsid": Wrapper(),
    "setuidgid": Wrapper(operands=1),
    "s6-setuidgid": Wrapper(operands=1),
    "start-stop-daemon": Wrapper(
        short="pxnucgrRsNPIkaed",
        long=(
            "--chdir",
            "--chroot",
            "--chuid",
            "--exec",
            "--group",
            "--iosched",
            "--name",
            "--nicelevel",
            "--notify-timeout",
            "--output",
            "--pid",
            "--pidfile",
            "--ppid",
            "--procsched",
            "--retry",
            "--signal",
            "--startas",
            "--umask",
            "--user",
        ),
        user=("-c", "--chuid"),
        ends=("-K", "-T", "-t", "--stop", "--status", "--test"),
        program=("-a", "--startas", "-x", "--exec"),
    ),
    "softlimit": Wrapper(short="acdflmoprst"),
    "stdbuf": Wrapper(short="ioe", long=("--input", "--output", "--error")),
    "su": Wrapper(
        short="gGcsTw",
        long=("--group", "--supp-group", "--command", "--session-command", "--shell", "--whitelist-environment"),
        command=("-c", "--command", "--session-command"),
        mixed=True,
    ),
    "su-exec": Wrapper(operands=1),
    "sudo": Wrapper(
        short="ugpChrtTUDR",
        long=("--user", "--group", "--prompt", "--close-from", "--host", "--role", "--type", "--command-timeout", "--chdir", "--chroot"),
        user=("-u", "--user"),
        variables=True,
    ),
    "systemd-cat": Wrapper(short="tp", long=("--identifier", "--priority", "--stderr-priority", "--level-prefix")),
    "systemd-inhibit": Wrapper(),
    "systemd-run": Wrapper(
        short="HMupE",
        long=(
            "--background", "--description", "--gid", "--host", "--job-mode", "--machine", "--nice", "--path-property", "--property",
            "--service-type", "--setenv", "--slice", "--socket-property", "--timer-property", "--uid", "--unit", "--working-directory",
        ),
        user=("--uid",),
        ends=(
            "--user", "-H", "-M", "--host", "--machine", "--on-active", "--on-boot", "--on-calendar", "--on-clock-change", "--on-startup",
            "--on-timezone-change", "--on-unit-active", "--on-unit-inactive", "--path-property", "--socket-property", "--timer-property",
        ),
    ),
    "taskset": Wrapper(operands=1, ends=("-p", "--pid")),
    "timeout": Wrapper(short="ks", long=("--kill-after", "--signal"), operands=1),
    "tini": Wrapper(short="pe"),
    "unbuffer": Wrapper(),
    "unshare": Wrapper(
        short="SGRw",
        long=(
            "--boottime",
            "--map-group",
            "--map-groups",
            "--map-user",
            "--map-users",
            "--monotonic",
            "--propagation",
            "--root",
            "--setgid",
            "--setgroups",
            "--setuid",
            "--wd",
        ),
    ),
    "snap": Wrapper(operands=1),
    "xvfb-run": Wrapper(
        short="efnpsw", long=("--error-file", "--auth-file", "--server-num", "--xauth-protocol", "--server-args", "--wait")
    ),
}
_OF_SNAPS = "snap"
_SETS_LIMITS = {"chpst", "runuser", "su", "sudo"}
_NAMESPACES = {"bwrap", "rootlesskit", "unshare"}
_UNSHARE_USER = frozenset(
    ("-U", "-c", "-r", "--user", "--map-auto", "--map-current-user", "--map-root-user", "--map-user", "--map-users", "--map-group")
)
_SWITCHERS = {"gosu", "su-exec", "setuidgid", "s6-setuidgid"}


@dataclass
class _Read:
    """A wrapper's arguments taken apart."""

    options: list[tuple[str, SpannedText | None]] = field(default_factory=list)
    operands: list[SpannedText] = field(default_factory=list)
    variables: list[tuple[str, SpannedText]] = field(default_factory=list)
    rest: tuple[SpannedText, ...] = ()

    def of(self, *names: str) -> SpannedText | None:
        return next((value for name, value in reversed(self.options) if name in names), None)


def unwrapped(name: str, process: Process, files: Files) -> Process | None:
    """The command a wrapper starts, None where it starts none or nobody can tell which."""
    wrapper = WRAPPERS[name]
    read = _read(wrapper, process.argv[1:])
    if read is None or any(option in wrapper.ends for option, _ in read.options):
        return None
    if name == _OF_SNAPS and [word.text for word in read.operands] != ["run"]:
        return None
    if name in _SETS_LIMITS:
        process = replace(process, same_limits=False)
    if wrapper.unsure:
        process = replace(process, confidence=weakest(process.confidence, "possible"))
    process = _with_environment(name, process, read)
    process, rest = _switched(name, wrapper, process, read)
    for option in wrapper.program:
        if (program := read.of(option)) is not None:
            return process.starts((program, *rest), files)
    text = read.of(*wrapper.command)
    if text is not None:
        return process.starts((*shell_command(text), *rest), files)
    return process.starts(rest, files) if rest and rest[0].known else None


def _read(wrapper: Wrapper, arguments: tuple[SpannedText, ...]) -> _Read | None:
    """Take a wrapper's words apart as its getopt(3) does; None where an option's argument is missing."""
    read = _Read()
    todo = list(reversed(arguments))
    while todo:
        word = todo.pop()
        text = word.text
        if text == "--":
            missing = max(wrapper.operands - len(read.operands), 0)
            read.operands += [todo.pop() for _ in range(min(missing, len(todo)))]
            break
        name, equals, _ = text.partition("=")
        if text == "-" and wrapper.variables:
            read.options.append(("-i", None))
        elif text.startswith("-") and text != "-":
            options = _letters(wrapper, word) if text[1] != "-" else [(name, tail(word, len(name) + 1) if equals else None)]
            read.options += options
            last, value = options[-1]
            if value is None and (last in wrapper.long or (text[1] != "-" and last[1:] in wrapper.short)):
                if not todo:
                    return None
                value = todo.pop()
                read.options[-1] = (last, value)
            if value is None and last in wrapper.two:
                if len(todo) < 2:
                    return None
                value = todo.pop()
                read.options[-1] = (f"{last} {todo.pop().text}", value)
            if wrapper.variables and last in ("-S", "--split-string") and value is not None:
                todo += reversed(words(value)[0])
        elif wrapper.variables and equals and name and is_name(name):
            read.variables.append((name, tail(word, len(name) + 1)))
        elif (wrapper.mixed and read.of(*wrapper.user) is None) or (
            len(read.operands) < wrapper.operands and (not wrapper.number or is_digits(text))
        ):
            read.operands.append(word)
        else:
            todo.append(word)
            break
    read.rest = tuple(reversed(todo))
    return read


def _letters(wrapper: Wrapper, word: SpannedText) -> list[tuple[str, SpannedText | None]]:
    """A bundle of short options; the rest of the word after one that takes an argument is the argument."""
    found: list[tuple[str, SpannedText | None]] = []
    for index, letter in enumerate(word.text[1:], 1):
        if letter in wrapper.short and index + 1 < len(word.text):
            return [*found, (f"-{letter}", tail(word, index + 1))]
        found.append((f"-{letter}", None))
    return found


def _with_environment(name: str, process: Process, read: _Read) -> Process:
    """What is cleared, taken away and set: env(1), sudo(8) with env_reset, a login by su(1), setpriv(1)."""
    environment = dict(process.environment)
    directory = process.directory
    given = {option for option, _ in read.options}
    kept = name != "sudo" or given & {"-E", "--preserve-env"}
    login = name in ("su", "runuser") and (given & {"-l", "--login"} or any(word.text == "-" for word in read.operands))
    if not kept or login or "--reset-env" in given:
        environment.clear()
    if name == "systemd-run" and "--scope" not in given:
        # systemd starts it, as the service of another unit (systemd-run(1)).
        environment = {key: value for key, value in environment.items() if key == "PATH"}
        directory = "/"
        for option, value in read.options:
            if option in ("-E", "--setenv") and value is not None and "=" in value.text:
                environment[value.text.partition("=")[0]] = tail(value, value.text.index("=") + 1).word()
        if (there := read.of("--working-directory")) is not None:
            directory = there.text
        process = replace(process, passing=process.passing and bool(given & {"-P", "--pipe", "-t", "--pty", "--wait"}))
    chdir = read.of("-d", "--chdir") if name == "start-stop-daemon" else None
    directory = chdir.text if chdir is not None else directory
    for option, value in read.options if name == "env" else ():
        if option in ("-i", "--ignore-environment"):
            environment.clear()
        elif option in ("-u", "--unset") and value is not None:
            environment.pop(value.text, None)
        elif option in ("-C", "--chdir") and value is not None:
            directory = value.text
    for variable, value in read.variables:
        environment[variable] = value.word()
    return replace(process, environment=environment, directory=directory)


def _switched(name: str, wrapper: Wrapper, process: Process, read: _Read) -> tuple[Process, tuple[SpannedText, ...]]:
    """The process with the user and capabilities the wrapper gives it, and the words that are left for the command."""
    rest = read.rest
    user = read.of(*wrapper.user)
    kept: frozenset[str] = frozenset()
    if name in _SWITCHERS:
        user = read.operands[0] if read.operands else None
    elif wrapper.mixed and user is None:
        words_left = [word for word in (*read.operands, *rest) if word.text != "-"]
        user = words_left[0] if words_left else SpannedText.of(Word("root", process.at))
        rest = tuple(words_left[1:])
    elif name in ("doas", "sudo") and user is None:
        user = SpannedText.of(Word("root", process.at))
    elif name == "chroot":
        user = read.of("--userspec")
    elif name == "systemd-run":
        if all(option != "--scope" for option, _ in read.options):
            process = replace(process, switches=(*process.switches, Switch(process.argv[0].word().at, by_manager=True)))
        for option, value in read.options:
            key, _, text = value.text.partition("=") if option in ("-p", "--property") and value is not None else ("", "", "")
            if key == "User" and value is not None:
                user = tail(value, len(key) + 1)
            elif key == "AmbientCapabilities":
                kept |= frozenset(each for word in text.split() if (each := capability(word.lower())))
            elif key and key not in ("Description", "Type", "Restart", "RestartSec", "SyslogIdentifier", "StandardOutput", "StandardError"):
                process = replace(process, confidence=weakest(process.confidence, "likely"))
    elif name == "setpriv":
        kept = _granted(read.of("--ambient-caps")) & _granted(read.of("--inh-caps"))
        if any(option == "--no-new-privs" for option, _ in read.options):
            process = replace(process, switches=(*process.switches, Switch(process.at, no_new_privileges=True)))
    elif name == "authbind":
        # A helper binds for it where /etc/authbind permits.
        helped = Switch(process.argv[0].word().at, bind_helper=True)
        process = replace(process, switches=(*process.switches, helped), confidence=weakest(process.confidence, "likely"))
    elif name in _NAMESPACES:
        process = _in_namespaces(name, process, read)
    if user is not None:
        word = user.word()
        account = word.text.partition(":")[0]
        process = replace(process, switches=(*process.switches, Switch(word.at, account, kept)))
    return process, rest


def _in_namespaces(name: str, process: Process, read: _Read) -> Process:
    """The namespaces that unshare(1), bwrap(1) and rootlesskit give their command, and whether it sees the host's files."""
    given = {option.partition(" ")[0].rstrip("=") for option, _ in read.options}
    at = process.argv[0].word().at
    match name:
        case "unshare":
            switch = Switch(at, user_namespace=name if given & _UNSHARE_USER else "", private_network=bool(given & {"-n", "--net"}))
            inside = "-R" in given or "--root" in given
        case "bwrap":
            alone = "--unshare-net" in given or ("--unshare-all" in given and "--share-net" not in given)
            always = bool(given & {"--unshare-user", "--unshare-all", "--unshare-user-try", "--userns"})
            switch = Switch(at, user_namespace=name, unless_root=not always, no_new_privileges=True, private_network=alone)
            inside = not any(value is not None and value.text == "/" and "bind" in option for option, value in read.options)
        case _:
            net = read.of("--net")
            switch = Switch(at, user_namespace=name, private_network=net is not None and net.text != "host")
            inside = False
    confidence = weakest(process.confidence, "possible") if inside else process.confidence
    return replace(process, switches=(*process.switches, switch), confidence=confidence)


def _granted(text: SpannedText | None) -> frozenset[str]:
    """setpriv(1): `+name` and `-name`, comma-separated, without CAP_; `all` for all."""
    found: frozenset[str] = frozenset()
    for item in text.text.split(",") if text is not None else ():
        name = item.strip()[1:]
        named = ALL if name == "all" else frozenset(each for each in (capability(f"cap_{name}"), capability(name)) if each)
        found = found - named if item.strip().startswith("-") else found | named
    return found
