"""What a service really runs: through variables, wrappers and shells, with the power that is left and the line each word came from."""

import pytest

from portwright.facts import Invocation
from portwright.host.join.privilege import may_bind
from portwright.system.host_files.captures import Captured, captured
from portwright.system.processes import following, starters, wrappers
from portwright.system.sysctl import commands, keepers
from portwright.system.systemd import invocations as of_units
from portwright.system.systemd import sandbox
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

NBS = "CAP_NET_BIND_SERVICE"
HOST = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nsvc:x:1000:1000::/home/svc:/bin/sh\n",
    "/etc/hostname": "web1\n",
    "/etc/systemd/system/multi-user.target.wants/x.service": "-> /etc/systemd/system/x.service",
    "/usr/lib/systemd/system/multi-user.target": "[Unit]\n",
    "/usr/lib/systemd/system/default.target": "-> multi-user.target",
    "/.portwright/filecaps": "",
}


def run(text: str, more: dict[str, str] | None = None, name: str = "x.service") -> tuple[Invocation, ...]:
    """What /etc/systemd/system/x.service with this text below [Service] starts and waits for, or leaves running."""
    files = Files(MemoryTree({**HOST, "/etc/systemd/system/x.service": f"[Service]\n{text}\n", **(more or {})}))
    units = load(files)
    unit = units.get(name)
    assert unit is not None
    return tuple(each for each in invocations(unit, units, files, captured(files)) if not each.passing)


def argv(text: str, more: dict[str, str] | None = None) -> list[str]:
    """The words of the only invocation."""
    (found,) = run(text, more)
    return [word.text for word in found.argv]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("env PORT=1 A=b /bin/x a=b", ["/bin/x", "a=b"]),
        ("env -i -u HOME --chdir=/srv - /bin/x", ["/bin/x"]),
        ("env -S '/bin/x -p 80' y", ["/bin/x", "-p", "80", "y"]),
        ("nice -n 5 ionice -c2 -n7 chrt -f 10 /bin/x -n 1", ["/bin/x", "-n", "1"]),
        ("chrt --idle /bin/x", ["/bin/x"]),
        ("nice -10 nohup setsid -w /bin/x", ["/bin/x"]),
        ("timeout -k 5 --signal=TERM 10m stdbuf -oL -e 0 /bin/x --port=80", ["/bin/x", "--port=80"]),
        ("numactl --interleave=all -N 0 -- /bin/x", ["/bin/x"]),
        ("taskset -c 0,1 /bin/x", ["/bin/x"]),
        ("tini -g -- dumb-init --rewrite 15:3 /bin/x", ["/bin/x"]),
        ("flock -n -w 5 /run/lock/x /bin/x 80", ["/bin/x", "80"]),
        ("flock /run/lock/x -c 'exec /bin/x 80'", ["/bin/x", "80"]),
        ("authbind --deep /bin/x", ["/bin/x"]),
        ("runuser -u svc -- /bin/x -p 80", ["/bin/x", "-p", "80"]),
        ("runuser -l svc -c 'exec /bin/x 80'", ["/bin/x", "80"]),
        ("su svc -s /bin/sh -c '/bin/x 80'", ["/bin/x", "80"]),
        ("su - svc -c '/bin/x 80'", ["/bin/x", "80"]),
        ("sudo -E -u svc PORT=1 /bin/x", ["/bin/x"]),
        ("setpriv --reuid=svc --regid svc --clear-groups /bin/x", ["/bin/x"]),
        ("gosu svc:svc /bin/x", ["/bin/x"]),
        ("start-stop-daemon --start --chuid svc --exec /bin/x -- -p 80", ["/bin/x", "-p", "80"]),
        ("start-stop-daemon -S -b -m -p /run/x.pid -c svc -d /srv -a /bin/x -- 80", ["/bin/x", "80"]),
        ("daemonize -a -c /srv -e /tmp/e -o /tmp/o -p /run/x.pid -u svc -E A=1 /bin/x 80", ["/bin/x", "80"]),
        ("chpst -u svc -e /etc/env -/ /srv -n 5 /bin/x 80", ["/bin/x", "80"]),
        ("setuidgid svc softlimit -m 1000000 -o 512 envdir /etc/env /bin/x 80", ["/bin/x", "80"]),
        ("s6-setuidgid svc s6-softlimit -o 512 s6-envdir /etc/env /bin/x 80", ["/bin/x", "80"]),
        ("su-exec svc:svc /bin/x 80", ["/bin/x", "80"]),
        ("doas -u svc /bin/x 80", ["/bin/x", "80"]),
        ("setlock -nX /run/lock prlimit --nofile=1024:2048 choom -n -500 -- /bin/x 80", ["/bin/x", "80"]),
        ("setarch x86_64 cgexec -g cpu:web eatmydata /bin/x 80", ["/bin/x", "80"]),
        ("unshare -m --propagation private /bin/x 80", ["/bin/x", "80"]),
        ("systemd-inhibit --what=sleep --why='a backup' /bin/x 80", ["/bin/x", "80"]),
        ("xvfb-run -a --server-args='-screen 0 1x1x8' /bin/x 80", ["/bin/x", "80"]),
        ("systemd-cat -t web /bin/x 80", ["/bin/x", "80"]),
        ("ip netns exec blue /bin/x 80", ["/bin/x", "80"]),
        ("ip -n red vrf exec mgmt /bin/x 80", ["/bin/x", "80"]),
        ("ip vrf exec mgmt /bin/x 80", ["/bin/x", "80"]),
        ("ip link set eth0 up", ["ip", "link", "set", "eth0", "up"]),
        ("nsenter -t 1 -m -u -n -- /bin/x 80", ["/bin/x", "80"]),
        ("nsenter --net=/run/netns/blue /bin/x 80", ["/bin/x", "80"]),
        ("nsenter -t 1 -W /srv /bin/x 80", ["/bin/x", "80"]),
        ("nsenter -t 1 -m --wdns=/srv /bin/x 80", ["/bin/x", "80"]),
        ("nsenter -t 1 -m --wdns /bin/x 80", ["/bin/x", "80"]),
        ("scl enable rh-python36 -- /bin/x 80", ["/bin/x", "80"]),
        ("scl enable rh-python36 httpd24 'exec /bin/x 80'", ["/bin/x", "80"]),
        ("scl --list", ["scl", "--list"]),
        ("screen -DmS web -c /etc/screenrc /bin/x 80", ["/bin/x", "80"]),
        ("screen -dm -S web", ["screen", "-dm", "-S", "web"]),
        ("tmux -L web new-session -d -s web '/bin/x 80'", ["/bin/x", "80"]),
        ("tmux new -ds web -x 80 -y 24 /bin/x 80", ["/bin/x", "80"]),
        ("tmux kill-server", ["tmux", "kill-server"]),
        ("script -qfc '/bin/x 80' /dev/null", ["/bin/x", "80"]),
        ("script -q --command='/bin/x 80' /var/log/x", ["/bin/x", "80"]),
        ("taskset -p 0x3 123", ["taskset", "-p", "0x3", "123"]),
        ("env", ["env"]),
        ("nice -n", ["nice", "-n"]),
    ],
)
def test_a_wrapper_hands_over_to_its_command(command: str, expected: list[str]) -> None:
    assert expected == argv(f"ExecStart={command}")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("/bin/x a b", ["/bin/x", "a", "b"]),
        ("exec /bin/x --port ${PORT:-8080}", ["/bin/x", "--port", "8080"]),
        ("exec /bin/x --port $SET", ["/bin/x", "--port", "4000"]),
        ('exec /bin/x "$WORDS" $WORDS', ["/bin/x", "two words", "two", "words"]),
        ("PORT=1; PORT=$((PORT + 80)); exec /bin/x $PORT", ["/bin/x", "81"]),
        ("cd /srv && mkdir -p /run/x && exec -a name /bin/x", ["/bin/x"]),
        ('[ -n "$SET" ] && A=1 || A=2; exec /bin/x $A', ["/bin/x", "1"]),
        ('if [ -z "$SET" ]; then A=1; elif test $SET -gt 3000; then A=2; else A=3; fi; exec /bin/x $A', ["/bin/x", "2"]),
        ("if ! [ -f /etc/passwd ]; then exec /bin/y; fi; exec /bin/x", ["/bin/x"]),
        ('set -- a "b c"; exec /bin/x "$@" $# $2', ["/bin/x", "a", "b c", "2", "b", "c"]),
        ('set -- a b; shift; exec /bin/x "$@"', ["/bin/x", "b"]),
        ("F=/a/b.conf; exec /bin/x ${F##*/} ${F%/*} ${F%.conf} ${F#/a} ${#SET}", ["/bin/x", "b.conf", "/a", "/a/b", "/b.conf", "4"]),
        ("exec /bin/x ${SET:+-p $SET} ${NOT:+-q}", ["/bin/x", "-p", "4000"]),
        ('U="a b"; exec /bin/x ${U:+-h "$U"} -p', ["/bin/x", "-h", "a b", "-p"]),
        ('U="a b"; exec /bin/x ${U:-"c d"} ${V:-"c d" e} ${V:+"f"}', ["/bin/x", "a", "b", "c d", "e"]),
        ('main() { exec /bin/x "$1" -p 80; }; main one', ["/bin/x", "one", "-p", "80"]),
        ("case $SET in 1*) A=1;; 4*|5*) A=4;; *) A=0;; esac; exec /bin/x $A", ["/bin/x", "4"]),
        ("if [[ $SET == 4000 ]]; then A=yes; fi; exec /bin/x $A", ["/bin/x", "yes"]),
        ('eval "exec /bin/x $SET"', ["/bin/x", "4000"]),
        ('exec env -i A=1 nice sh -c "exec /bin/x 1"', ["/bin/x", "1"]),
        ("exec >/dev/null 2>&1; exec /bin/x", ["/bin/x"]),
        ("exec /bin/x $(hostname) a", ["/bin/x", "\ufffd", "a"]),
        ("echo hello; trap - TERM; umask 022", ["/bin/sh", "-c", "echo hello; trap - TERM; umask 022"]),
    ],
)
def test_a_shell_runs_its_text_as_far_as_it_tells(script: str, expected: list[str]) -> None:
    # A unit's own quoting is put aside: the text comes in a variable.
    more = {"/etc/text": "TEXT='" + script.replace("'", "'\\''") + "'\n"}

    text = "Environment=SET=4000 'WORDS=two words'\nEnvironmentFile=/etc/text\nExecStart=/bin/sh -c ${TEXT}"

    assert expected == argv(text, more)


def test_arguments_after_the_text_are_the_name_and_the_parameters() -> None:
    assert ["/bin/x", "one", "two", "three"] == argv("ExecStart=/bin/bash -e -o pipefail -c 'exec /bin/x \"$@\"' name one two three")


SCRIPT = """#!/bin/sh -e
# starts x
[ -r /etc/default/x ] && . /etc/default/x
export MODE=fast
ARGS="--port $PORT"
if grep -q debug /proc/cmdline; then
    ARGS="$ARGS --debug"
fi
exec /usr/bin/x $ARGS "$1"
"""


def test_a_script_is_followed_into_what_it_sources_and_execs() -> None:
    more = {"/usr/local/bin/start": SCRIPT.replace("ARGS --debug", "ARGS"), "/etc/default/x": "PORT=8080\n"}

    (found,) = run("WorkingDirectory=/srv\nExecStart=/usr/local/bin/start last", more)

    assert [
        ("/usr/bin/x", "/usr/local/bin/start:9:6"),
        ("--port", "/usr/local/bin/start:5:7"),
        ("8080", "/etc/default/x:1:6"),
        ("last", "/etc/systemd/system/x.service:3:32"),
    ] == [(word.text, str(word.at)) for word in found.argv]
    assert "/usr/local/bin/start:9:1" == str(found.at)
    assert ("fast", "/srv", "x.service") == (found.environment["MODE"].text, found.directory, found.unit)
    assert "PORT" not in found.environment


def test_what_a_test_nobody_can_decide_would_change_is_unknown_and_less_sure() -> None:
    (found,) = run("ExecStart=sh /usr/local/bin/start", {"/usr/local/bin/start": SCRIPT, "/etc/default/x": "PORT=8080\n"})

    assert (["/usr/bin/x", "\ufffd", ""], "likely") == ([word.text for word in found.argv], found.confidence)


def test_a_script_that_cannot_be_followed_stays_what_it_is() -> None:
    text = "#!/bin/sh\n. /opt/x/lib.sh\nif start_everything; then $DAEMON; fi\n"

    (found,) = run("ExecStart=/usr/local/bin/start", {"/usr/local/bin/start": text})

    assert (["/usr/local/bin/start"], "likely") == ([word.text for word in found.argv], found.confidence)


def test_background_commands_and_pipelines_at_the_end_all_run() -> None:
    found = run("ExecStart=sh -c '/bin/a 1 & /bin/b | grep x; /bin/c 2 | /bin/d'")

    assert [["/bin/a", "1"], ["/bin/c", "2"], ["/bin/d"]] == [[word.text for word in each.argv] for each in found]


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\n. /s\n. /s\n/s &\n/s &\n",
        "#!/bin/sh\n" + "A=$A$A$A$A\n" * 1000 + "exec x $A",
        "#!/bin/sh\n" + 'set -- "$@" "$@" a\n' * 1000 + 'exec x "$@"',
        "#!/bin/sh\nf() {\nf\nf\n}\nf\n",
        "#!/bin/sh\nexec /s\n",
        "#!/bin/sh\n" + "if x; then\n" * 5000,
        "#!/bin/sh\n" + "case a in b) c;; esac\n" * 2000 + "${" * 2000,
        '#!/bin/sh\neval "$0 \\"$@\\""\n' + "eval " * 5000,
    ],
    ids=["sources and starts itself", "doubling", "doubling arguments", "calls itself", "execs itself", "never closed", "cases", "eval"],
)
def test_hostile_scripts_end_soon(text: str) -> None:
    assert run("ExecStart=/s", {"/s": text})


# ── power ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "user", "error"),
    [
        ("ExecStart=runuser -u svc -- /bin/bt", "svc", "EACCES"),
        ("ExecStart=su svc -c /bin/bt", "svc", "EACCES"),
        ("ExecStart=setpriv --reuid svc /bin/bt", "svc", "EACCES"),
        ("ExecStart=setpriv --reuid svc --inh-caps +net_bind_service --ambient-caps +net_bind_service /bin/bt", "svc", None),
        ("ExecStart=setpriv --reuid svc --ambient-caps +net_bind_service /bin/bt", "svc", "EACCES"),
        (f"User=svc\nAmbientCapabilities={NBS}\nExecStart=sh -c 'exec /bin/bt'", "svc", None),
        ("ExecStart=sudo /bin/bt", "root", None),
        ("User=svc\nExecStart=runuser -u root -- /bin/bt", "svc", "EACCES"),
        ("User=svc\nExecStart=authbind /bin/bt", "svc", None),
        ("User=svc\nExecStart=+sh -c 'exec /bin/bt'", "root", None),
    ],
)
def test_a_wrapper_that_changes_the_user_changes_who_binds(lines: str, user: str, error: str | None) -> None:
    (found,) = run(lines)

    answer = may_bind(found.privileges, "inet", "tcp", 80, 1024)

    assert (user, error) == (found.privileges.user, answer.error)


def test_the_wrapper_s_user_is_the_line_to_blame() -> None:
    (found,) = run("ExecStart=runuser -u svc -- /bin/bt")

    assert "/etc/systemd/system/x.service:2:22" == str(may_bind(found.privileges, "inet", "tcp", 80, 1024).at)


def test_the_file_capabilities_that_count_are_those_of_the_program_in_the_end() -> None:
    (found,) = run("User=svc\nExecStart=sh -c 'exec /opt/bt'", {"/.portwright/filecaps": "/opt/bt cap_net_bind_service=ep\n"})

    assert may_bind(found.privileges, "inet", "tcp", 80, 1024).allowed is True


# ── units ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "ExecStart=/bin/x\nExecStart=", "ExecStart=-/bin/x 'open"])
def test_a_service_without_a_command_runs_nothing(text: str) -> None:
    assert () == run(text)


def test_a_masked_service_runs_nothing() -> None:
    assert () == run("", {"/etc/systemd/system/x.service": "-> /dev/null"})


def test_only_a_oneshot_service_may_have_several_commands() -> None:
    lines = "ExecStart=/bin/a ; /bin/b\nExecStart=/bin/c"

    assert ["a", "b", "c"] == [each.program for each in run(f"Type=oneshot\n{lines}")]
    (refused,) = run(lines)
    assert ("c", "never-started") == (refused.program, refused.privileges.fails)
    assert "more than one ExecStart= is only for Type=oneshot" in may_bind(refused.privileges, "inet", "tcp", 8080, 1024).reason


def test_a_drop_in_resets_and_replaces_the_command() -> None:
    assert ["/bin/new"] == argv(
        "ExecStart=/bin/old", {"/etc/systemd/system/x.service.d/10.conf": "[Service]\nExecStart=\nExecStart=/bin/new\n"}
    )


def test_an_environment_file_that_must_be_there_and_is_not_keeps_the_service_from_starting() -> None:
    (found,) = run("EnvironmentFile=/etc/default/gone\nExecStart=/bin/x")

    answer = may_bind(found.privileges, "inet", "tcp", 8080, 1024)

    assert ("resources", "/etc/systemd/system/x.service:2:17") == (answer.error, str(answer.at))


def test_the_environment_has_what_the_files_and_systemd_itself_set() -> None:
    lines = (
        "User=svc",
        "StateDirectory=x y",
        "Environment=A=1 'B=two words' C=3 PORT=1",
        "EnvironmentFile=/etc/default/x",
        "UnsetEnvironment=C B=other",
        "ExecStart=/bin/x",
    )

    (found,) = run("\n".join(lines), {"/etc/default/x": "PORT=2\n"})

    names = ("A", "B", "PORT", "HOME", "USER", "STATE_DIRECTORY")
    assert ["1", "two words", "2", "/home/svc", "svc", "/var/lib/x:/var/lib/y"] == [found.environment[name].text for name in names]
    assert "C" not in found.environment
    assert "/etc/default/x:1:6" == str(found.environment["PORT"].at)


@pytest.mark.parametrize(
    ("lines", "directory"),
    [("", "/"), ("WorkingDirectory=-/srv/%N", "/srv/x"), ("WorkingDirectory=~\nUser=svc", "/home/svc"), ("WorkingDirectory=~", "/root")],
)
def test_a_command_starts_in_the_directory_the_unit_names(lines: str, directory: str) -> None:
    (found,) = run(f"{lines}\nExecStart=/bin/x")

    assert directory == found.directory


SOCKET = "[Socket]\nListenStream=80\n"
WANTED = "/etc/systemd/system/sockets.target.wants"


def test_a_service_is_handed_the_sockets_that_activate_it() -> None:
    directory = "/etc/systemd/system"
    more = {
        f"{directory}/x.socket": SOCKET,
        f"{directory}/other.socket": f"{SOCKET}Service=x.service\n",
        f"{directory}/named.socket": SOCKET,
        f"{directory}/accept.socket": f"{SOCKET}Service=x.service\nAccept=yes\n",
        f"{directory}/manual.socket": f"{SOCKET}Service=x.service\n",
        f"{directory}/unrelated.socket": SOCKET,
        "/usr/lib/systemd/system/sockets.target": "[Unit]\n",
        "/usr/lib/systemd/system/basic.target": "[Unit]\nWants=sockets.target\n",
        "/usr/lib/systemd/system/multi-user.target": "[Unit]\nRequires=basic.target\n",
    }
    more |= {f"{WANTED}/{name}.socket": f"-> {directory}/{name}.socket" for name in ("x", "other", "named", "accept", "unrelated")}

    (found,) = run("Sockets=named.socket\nExecStart=/bin/x", more)

    assert ("named.socket", "other.socket", "x.socket") == found.sockets


def test_a_command_takes_over_when_its_unit_starts_and_why() -> None:
    (found,) = run("ExecStart=/bin/x")

    assert "boot" == found.starts
    assert found.why


def test_without_any_list_of_file_capabilities_nothing_is_lost_but_certainty() -> None:
    files = Files(MemoryTree({"/etc/systemd/system/x.service": "[Service]\nExecStart=/bin/x\n"}))
    units = load(files)
    unit = units.get("x.service")
    assert unit is not None

    (found,) = invocations(unit, units, files, Captured())

    assert (["/bin/x"], False) == ([word.text for word in found.argv], found.privileges.file_known)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("7001", ["7001"]),
        ("7001 7002", ["7001", "7002"]),
        ("$(seq 2)", ["1", "2"]),
        ("`seq 8 2 12`", ["8", "10", "12"]),
        ("$(seq $(nproc))", ["\ufffd"]),
        ("$(ls /etc/x.d)", ["a.conf", "b.conf"]),
        ("`/bin/ls -1 /etc/x.d`", ["a.conf", "b.conf"]),
        ("$(ls /opt)", ["\ufffd"]),
        ("$(ls -t /etc/x.d)", ["\ufffd"]),
        ("$(ls /etc/x.d | wc -l)", ["2"]),
        ("$(ls /etc/x.d | head -1)", ["\ufffd"]),
        ("$(basename /etc/x.d/a.conf .conf)", ["a"]),
        ("$(dirname /etc/x.d/a.conf)", ["/etc/x.d"]),
        ('$(dirname "$0")', ["/usr/local/bin"]),
        ('$(cd "$(dirname "$0")/.." && pwd)', ["/usr/local/bin/.."]),
        ('$(cd "$(dirname "$0")" >/dev/null 2>&1; pwd)', ["/usr/local/bin"]),
        ("$(echo 7001 7002)", ["7001", "7002"]),
        ("$(echo 7001 >&2)", ["\ufffd"]),
        ("$NONE", ["\ufffd"]),
        ("/etc/x.d/*.conf", ["/etc/x.d/a.conf", "/etc/x.d/b.conf"]),
        ("{7001..7003}", ["{7001..7003}"]),
    ],
)
def test_the_variable_of_a_loop_is_each_of_its_words_or_unknown_and_never_empty(words: str, expected: list[str]) -> None:
    script = f"#!/bin/sh\nfor port in {words}; do\n  /usr/bin/x --port $port &\ndone\nwait\n"

    found = run("ExecStart=/usr/local/bin/start", {"/usr/local/bin/start": script, "/etc/x.d/b.conf": "", "/etc/x.d/a.conf": ""})

    assert [["/usr/bin/x", "--port", each] for each in expected] == [[word.text for word in each.argv] for each in found]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("for p in {7001..7002}; do x -p $p & done\n", ["x -p 7001", "x -p 7002"]),
        ("for p in 1 2 3; do [ $p = 2 ] && continue; [ $p = 3 ] && break; x $p & done; x $p &\n", ["x 1", "x 3"]),
        ("for u in nobody-here svc; do getent passwd $u >/dev/null && break; done; exec x $u\n", ["x svc"]),
        ("ARGS=(-a 'b c')\nARGS+=(-p 80)\nexec x \"${ARGS[@]}\"\n", ["x -a b c -p 80"]),
        ("declare -a ARGS=(-p 80)\nexec x ${ARGS[*]}\n", ["x -p 80"]),
        ("ARGS=()\nexec x \"${ARGS[@]}\" end\n", ["x end"]),
        ("OPTS=-a\nOPTS+=' -p 80'\nexec x $OPTS\n", ["x -a -p 80"]),
        ("if grep -q a /sys/x; then ARGS=(1); fi\nexec x \"${ARGS[@]}\"\n", ["x \ufffd"]),
    ],
)
def test_loops_and_arrays_of_bash_become_the_words_they_stand_for(script: str, expected: list[str]) -> None:
    found = run("ExecStart=/usr/local/bin/start", {"/usr/local/bin/start": f"#!/bin/bash\n{script}"})

    assert expected == [" ".join(word.text for word in each.argv) for each in found]


def test_what_a_script_starts_before_it_goes_on_passes_and_what_comes_last_stays() -> None:
    files = Files(MemoryTree({
        **HOST,
        "/etc/systemd/system/x.service": "[Service]\nExecStart=/usr/local/bin/start\n",
        "/usr/local/bin/start": "#!/bin/sh\nfirst -p 1\nsecond -p 2 &\nthird -p 3\n",
    }))  # fmt: skip
    units = load(files)
    unit = units.get("x.service")
    assert unit is not None

    found = invocations(unit, units, files, captured(files))

    assert [("second", False), ("third", False), ("first", True)] == [(each.program, each.passing) for each in found]


@pytest.mark.parametrize(
    ("command", "user", "ambient"),
    [
        ("systemd-run --uid=svc --unit=z x -p 80", "svc", []),
        ("systemd-run -p User=svc -p AmbientCapabilities=CAP_NET_BIND_SERVICE -- x -p 80", "svc", ["CAP_NET_BIND_SERVICE"]),
        ("systemd-run --collect -E A=b --property=Restart=always x -p 80", "root", []),
        ("systemd-run --scope x -p 80", "svc", []),
    ],
)
def test_systemd_run_starts_a_service_of_its_own_with_the_power_that_is_asked_for(command: str, user: str, ambient: list[str]) -> None:
    (found,) = run(f"User={'svc' if '--scope' in command else 'root'}\nCapabilityBoundingSet=CAP_CHOWN\nExecStart=/usr/bin/{command}")

    assert ["x", "-p", "80"] == [word.text for word in found.argv]
    assert (user, ambient) == (found.privileges.user, sorted(found.privileges.ambient))
    assert ("--scope" not in command) == (found.privileges.bounding is None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("return 0", ["8080"]),
        ("return 1", ["9090"]),
        ("[ -d /etc/x.d ]", ["8080"]),
        ("[ -d /etc/y.d ]\n  return", ["9090"]),
        ("[ $(ls /etc/x.d | wc -l) -gt 0 ] && return 1\n  return 0", ["9090"]),
    ],
)
def test_a_function_answers_with_what_it_returns(answer: str, expected: list[str]) -> None:
    script = f"#!/bin/sh\nasked() {{\n  {answer}\n}}\nport=9090\nif asked; then\n  port=8080\nfi\nexec /usr/bin/x --port $port\n"

    (found,) = run("ExecStart=/usr/local/bin/start", {"/usr/local/bin/start": script, "/etc/x.d/a.conf": ""})

    assert ["/usr/bin/x", "--port", *expected] == [word.text for word in found.argv]


def test_what_a_function_answers_is_unknown_where_one_of_its_returns_may_not_run() -> None:
    script = """#!/bin/sh
asked() {
  if grep -q x /etc/x.conf; then
    return 1
  fi
  return 0
}
asked || exit 0
exec /usr/bin/x
"""

    found = run("ExecStart=/usr/local/bin/start", {"/usr/local/bin/start": script})

    assert [["/usr/bin/x"]] == [[word.text for word in each.argv] for each in found if not each.passing]


@pytest.mark.parametrize(
    ("command", "private"),
    [
        ("ip netns exec blue /bin/x", True),
        ("ip vrf exec mgmt /bin/x", False),
        ("nsenter -t 1 -m -n /bin/x", True),
        ("nsenter --net=/run/netns/blue /bin/x", True),
        ("nsenter -t 1 -m /bin/x -n", False),
        ("unshare -n /bin/x", True),
        ("screen -Dm /bin/x", False),
    ],
)
def test_what_is_started_in_another_network_is_not_in_the_one_of_the_host(command: str, private: bool) -> None:
    (found,) = run(f"ExecStart={command}")

    assert private is found.privileges.private_network


def test_what_few_hosts_need_is_asked_for_wherever_it_has_an_answer() -> None:
    """Names that stand in a module for the start's sake are those of the module that is imported for them."""
    assert set(starters.STARTERS) == following.STARTERS
    assert set(wrappers.WRAPPERS) == following.WRAPPERS
    assert set(keepers.KEEPERS) == commands.KEEPERS
    assert sandbox._MUST_EXIST < of_units._SANDBOX
