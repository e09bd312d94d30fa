"""What is known of a daemon stands in its room: its name, and those of its programs, stand nowhere else in the code."""

import io
import re
import tokenize
from pathlib import Path

import portwright
from portwright.daemons import daemons

SOURCE = Path(portwright.__file__).parent

# Where a daemon's name stands for something else than the daemon.
ELSEWHERE = {
    "cli/commands/audit.py": "a format of reports, called as who collects it",
    "changes/kind.py": "remarks of tools that keep a file, one of them called as its agent is",
    "repositories/deployers/ansible/effects.py": "modules of Ansible are called as what they set up",
    "daemons/__init__.py": "perl loads what it runs with words of its own",
    "daemons/_engine/grammars.py": "grammars are called as the daemons that brought them",
    "daemons/_engine/keys.py": "the same, where a descriptor names one",
    "daemons/_engine/pods.py": "images, which are called as what they hold",
    "daemons/_engine/unknown_program.py": "words of flags, and clients that are called as their servers' suites are",
    "host/join/addresses.py": "interfaces that programs make, and whose names begin as theirs do",
    "system/s6/reader.py": "a word of s6-rc, which a command of Ruby is called as, too",
    "system/host_files/leases.py": "files that say which interface asks for a lease, called as who reads them",
    "facts/listen_line.py": "examples in the words for rules",
    "facts/listener.py": "examples in the words for rules",
    "facts/outbound.py": "examples in the words for rules",
    "formats/": "a grammar of its own each, called as who reads it",
    "reports/secrets.py": "which options carry secrets, of clients too",
    "reports/secret_places.py": "which columns of files hold secrets, of many programs that are no daemons",
    "repositories/recognise.py": "remarks that distributions ship in configs which people deploy as they are",
    "repositories/deployers/kubernetes.py": "configs that are objects, and the files in which their programs read them",
    "repositories/not_read.py": "kinds of files of other tools",
    "repositories/deployers/__init__.py": "kinds of files, some called as the programs that take them",
    "repositories/deployers/nixos.py": "options whose units are called otherwise, and words in the names of ports",
    "repositories/deployers/puppet.py": "types of modules, which are called as what they set up, and whose site each is",
    "repositories/deployers/shell.py": "commands without which a script is not walked",
    "repositories/deployers/shell_commands.py": "commands of scripts, some of them called as daemons are, and folders that they copy into",
    "repositories/deployers/shell_containers.py": "the engines that scripts call to start a container",
    "repositories/deployers/ansible/containers.py": "the engines whose modules start a container",
    "repositories/deployers/container_lines.py": "the engine whose containers have a room of their own",
    "repositories/deployers/workflow.py": "the engine that a runner starts its services with",
    "repositories/deployers/shell_installers.py": "an installer, the program that it installs and the units that it writes",
    "repositories/deployers/shell_edits.py": "folders of configs that a script edits",
    "repositories/deployers/shell_files.py": "folders that a script copies into",
    "trees/tree.py": "files of nothing but secrets, some in the folder of who reads them",
    "system/host_files/networks.py": "folders of everything that configures an address",
    "system/init.py": "init systems, one of which is a program of many uses",
    "system/processes/supervisor.py": "what starts other programs is read here, what it binds itself in its room",
    "system/processes/monit.py": "the same",
    "system/processes/pm2.py": "interpreters that it takes by a script's suffix",
    "system/processes/spawners.py": "the same",
    "system/systemd/machine_conditions.py": "the kinds of containers that systemd tells apart",
    "system/systemd/network_hooks.py": "hooks, which stand in the folders of who runs them",
    "system/systemd/sysctl_writes.py": "the same",
    "system/systemd/package_generators.py": "what a package ships for the manager is named as the package is",
    "system/systemd/generators.py": "quadlets are made into units that start a container engine",
}
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
# Words of every day, and a tool of many commands, that a daemon is called by, too.
_COMMON = frozenset(("named", "master", "node", "thin", "git"))


def _strings(path: Path) -> list[tuple[int, str]]:
    """The strings of a module that are no documentation, with their lines."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.STRING and '"""' not in token.string]


def test_no_name_of_a_daemon_stands_outside_its_room() -> None:
    names = {name for daemon in daemons() for name in (daemon.name, *daemon.programs) if not name.endswith("*")} - _COMMON
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith("_shipped/"):  # what a wheel is built with, made of the rooms
            continue
        in_a_room = place.startswith("daemons/") and place.count("/") > 1 and not place.startswith("daemons/_engine/")
        if in_a_room or any(place.startswith(each) for each in ELSEWHERE):
            continue
        found += [f"{place}:{line}: {word}" for line, text in _strings(path) for word in _WORD.findall(text) if word in names]

    assert [] == found


def test_every_place_that_is_let_off_is_there() -> None:
    assert [] == [place for place in ELSEWHERE if not (SOURCE / place).exists()]
