"""From the command that is started to the programs that run in the end: through wrappers, shells and shell scripts."""

from portwright._start.records import replace
from portwright.system.processes.process import Process
from portwright.system.processes.programs import SHELLS, is_shell_script
from portwright.trees import Files

# The names in the tables of starters.py and wrappers.py, which a host without them does not need.
STARTERS = frozenset(("ip", "nsenter", "scl", "screen", "script", "tmux"))
WRAPPERS = frozenset(
    (
        "authbind", "bwrap", "catchsegv", "cgexec", "choom", "chpst", "chroot", "chrt", "daemonize", "dbus-run-session", "doas",
        "dumb-init", "eatmydata", "env", "envdir", "envuidgid", "flock", "gosu", "ionice", "nice", "nohup", "numactl", "prlimit",
        "rootlesskit", "runuser", "s6-envdir", "s6-setuidgid", "s6-softlimit", "setarch", "setlock", "setpriv", "setsid", "setuidgid",
        "snap", "softlimit", "start-stop-daemon", "stdbuf", "su", "su-exec", "sudo", "systemd-cat", "systemd-inhibit", "systemd-run",
        "taskset", "timeout", "tini", "unbuffer", "unshare", "xvfb-run",
    )
)  # fmt: skip
MOST_PROCESSES = 64
_DEEPEST = 12


def follow(process: Process, files: Files, depth: int = 0) -> tuple[Process, ...]:
    """The programs that run in the end: wrappers unwrapped, shells and shell scripts run as far as their text tells.

    A wrapper whose command cannot be made out stays what it is.
    """
    if not process.argv:
        return (process,)
    name = process.program.rpartition("/")[2]
    if depth > _DEEPEST:
        if name in WRAPPERS or name in STARTERS or name in SHELLS or is_shell_script(process.program, files) is not None:
            files.report_limit(process.argv[0].at, _DEEPEST, "programs that start one another")
        return (process,)
    if name in STARTERS:
        from portwright.system.processes.starters import handed_over

        inner = handed_over(name, process, files)
        return (process,) if inner is None else follow(inner, files, depth + 1)
    if name in WRAPPERS:
        from portwright.system.processes.wrappers import unwrapped

        inner = unwrapped(name, process, files)
        return (process,) if inner is None else follow(inner, files, depth + 1)
    ends: list[Process] = []
    for each in _in_a_shell(process, files):
        ends += (each,) if each.argv is process.argv else follow(replace(each, same_limits=False), files, depth + 1)
        if sum(not each.passing for each in ends) > MOST_PROCESSES:
            files.report_limit(process.at, MOST_PROCESSES, "programs that one command starts")
            ends = [each for each in ends if not each.passing][:MOST_PROCESSES]
            break
    return tuple(ends)


def _in_a_shell(process: Process, files: Files) -> tuple[Process, ...]:
    if process.program.rpartition("/")[2] not in SHELLS and is_shell_script(process.program, files) is None:
        return (process,)
    from portwright.system.processes import shells  # a host may well start nothing by a shell

    return shells.run(process, files)
