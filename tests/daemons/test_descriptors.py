"""The rooms as a whole: every descriptor is read, found by its programs, and held by a case; a mistake in one is told with file and key."""

import re
import subprocess
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import portwright.daemons
from portwright.daemons import Daemon, daemon_of, daemons, fragment_reader, known
from portwright.daemons._engine import keys, reading, rooms
from portwright.daemons._engine.descriptor import ByFamily, Edit, InRepository
from portwright.daemons._engine.keys import descriptor
from portwright.daemons._engine.schema import CatalogueError
from portwright.facts import Endpoint, Invocation, Traits
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from tests.daemons.test_described_cases import ALL

HERE = Path(portwright.daemons.__path__[0])
INDEX = rooms.index()
ROOMS = {name: HERE / folder for name, folder in INDEX.folders.items()}
PLAIN = {name: rooms.load(str(folder / rooms.FILE)) for name, folder in ROOMS.items()}
WITH_READER = sorted(name for name, data in PLAIN.items() if "reader" in data)


# ── all of them ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_room_is_found_and_every_descriptor_is_one() -> None:
    assert sorted(HERE.rglob("descriptor.yaml")) == sorted(folder / rooms.FILE for folder in ROOMS.values())
    assert list(PLAIN) == [each.name for each in rooms.every()]


def test_no_two_daemons_are_called_alike() -> None:
    folders = [path.parent.name.replace("_", "-") for path in HERE.rglob("descriptor.yaml")]

    assert sorted(folders) == sorted(ROOMS)


def test_a_reader_stands_in_a_room_whose_descriptor_names_it_and_nowhere_else() -> None:
    named = [ROOMS[name] / "reader.py" for name in WITH_READER]

    assert sorted(named) == sorted(HERE.rglob("reader.py"))


def test_what_a_descriptor_names_stands_in_its_room() -> None:
    for found in rooms.every():
        for module in filter(None, (found.in_repository.recogniser, found.edit.listen)):
            assert (ROOMS[found.name] / module).is_file()


def test_scanning_lines_finds_the_programs_that_reading_yaml_finds() -> None:
    programs: dict[str, list[str]] = {}
    for name, data in PLAIN.items():
        for program in (*data["programs"], *(wrapper["path"] for wrapper in data.get("wrappers", ()))):
            programs.setdefault(program, []).append(name)
    exact = {program: names for program, names in programs.items() if not program.endswith("*")}

    assert set(exact) == set(INDEX.programs)
    assert [(program[:-1], *names) for program, names in sorted(programs.items()) if program.endswith("*")] == list(INDEX.patterns)
    assert [(name, tuple(data["shape"])) for name, data in PLAIN.items() if "shape" in data] == list(INDEX.shaped)
    for program, names in exact.items():
        # Of several daemons whose program has one name, one tells them apart.
        asked = INDEX.programs[program]

        assert asked in names
        assert set(names) <= {asked, *PLAIN[asked].get("really", ())}


@pytest.mark.parametrize("daemon", daemons(), ids=lambda daemon: daemon.name)
def test_every_program_leads_to_its_daemon_whose_reader_knows_it(daemon: Daemon) -> None:
    for program in daemon.programs:
        started = _started(program.replace("*", "9"))
        found = daemon_of(started)

        assert found is not None
        assert found is daemon or daemon.name in dict(found.descriptor.really)
        assert isinstance(daemon.read(started, Files(MemoryTree({})), {}), tuple)


def test_whether_a_daemon_has_fragments_is_the_same_whether_one_is_asked_for_or_all() -> None:
    for each in daemons():
        assert each.fragment is fragment_reader(each.name)
    assert fragment_reader("nobody-knows-this") is None


def test_every_daemon_that_sockets_describe_has_a_case() -> None:
    held = {case.daemon for cases in ALL.values() for case in cases}

    assert [] == sorted({name for name, data in PLAIN.items() if "sockets" in data} - held)
    assert [] == [stem for stem, cases in ALL.items() if {case.daemon for case in cases} != {stem}]


def _reader(name: str) -> ModuleType:
    return import_module(f"portwright.daemons.{rooms.index().folders[name].replace('/', '.')}.reader")


@pytest.mark.parametrize("name", WITH_READER)
def test_a_reader_has_the_functions_that_are_asked_for(name: str) -> None:
    daemon = known(name)

    assert ["invocation", "files", "packages"] == list(signature(daemon.read).parameters)
    assert daemon.fragment is None or ["path", "files", "packages"] == list(signature(daemon.fragment).parameters)
    assert (daemon.shape is not None) == bool(daemon.descriptor.shape) == hasattr(_reader(name), "shape")


@pytest.mark.parametrize("name", WITH_READER)
def test_a_reader_can_be_the_first_module_to_be_imported(name: str) -> None:
    module = f"portwright.daemons.{INDEX.folders[name].replace('/', '.')}.reader"
    run = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False, text=True)

    assert "" == run.stderr


def test_a_daemon_that_is_met_imports_no_reader_of_another() -> None:
    code = "import sys, portwright.daemons as daemons; daemons.known('nginx'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    readers = [module for module in run.stdout.split() if module.startswith("portwright.") and module.endswith(".reader")]

    assert ["portwright.daemons.nginx.reader"] == readers


def test_what_is_loaded_is_plain_data_whichever_loader_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(value: object) -> bool:
        match value:
            case str():
                return True
            case list():
                return all(map(plain, value))
            case dict():
                return all(isinstance(key, str) and plain(item) for key, item in value.items())
            case _:
                return False

    assert plain(PLAIN)
    monkeypatch.delattr(yaml, "CBaseLoader", raising=False)
    assert PLAIN == {name: rooms.load(str(folder / rooms.FILE)) for name, folder in ROOMS.items()}


@pytest.mark.parametrize("key", sorted({*keys._KEYS, *keys._OF_SOCKETS}))
def test_the_readme_explains_every_key(key: str) -> None:
    assert re.search(rf"^\| .*`{key}(?:`|: \w+`).* \|", (HERE / "README.md").read_text(), re.MULTILINE)


# ── one of them ─────────────────────────────────────────────────────────────────────────────────────────────────────


KINDS = {"inet": {"wildcard": "inet"}}
GOOD: dict[str, Any] = {"programs": ["xd"], "sockets": [{"port": "80"}]}
READ: dict[str, Any] = {"programs": ["xd"], "reader": "reader.py"}
FROM_LOOPBACK: dict[str, Any] = {"programs": ["xd"], "server": {"host": "127.0.0.1"}}


def test_what_is_known_of_a_daemon_besides_its_sockets_is_on_its_descriptor() -> None:
    found = descriptor(
        "xd",
        {
            **READ,
            "packages": {"deb": ["x-server", "x-light"], "rpm": "x"},
            "units": ["x.service", "x@.service"],
            "config": {"from": "-c", "paths": {"any": "/etc/x.conf", "rpm": ["/etc/x/x.conf"]}, "when-missing": "possible"},
            "environment": {"deb": "/etc/default/x", "rpm": "/etc/sysconfig/x"},
            "in-repository": {"names": ["x.conf"], "under": ["x.d/*.conf"], "suffixes": "xc", "folders": {"sites": "/etc/x/sites"},
                              "text": [r"^\[x\]"], "recogniser": "recognise.py"},
            "traits": {"root": "by-design", "port-taken": "survives", "inherited-sockets": "taken", "closes-first": "sometimes",
                       "confined-by": ["x_t"]},
            "edit": {"validate": ["xd", "-t", "{}"], "apply": "reload", "listen": "edits.py"},
            "source": "xd(8)",
        },
        KINDS,
        "x/descriptor.yaml",
    )  # fmt: skip

    assert ByFamily(deb=("x-server", "x-light"), rpm=("x",)) == found.packages
    assert ("x.service", "x@.service") == found.units
    assert ByFamily(deb=("/etc/default/x",), rpm=("/etc/sysconfig/x",)) == found.environment
    told = found.in_repository
    assert InRepository(("x.conf",), ("x.d/*.conf",), ("xc",), (("sites", "/etc/x/sites"),), (), (r"^\[x\]",), "recognise.py") == told
    assert Traits("by-design", "survives", "taken", "sometimes", ("x_t",)) == found.traits
    assert Edit(("xd", "-t", "{}"), "reload", "edits.py") == found.edit
    assert found.config is not None
    assert "possible" == found.config.when_missing
    assert (("/etc/x/x.conf", "/etc/x.conf"), ("/etc/x.conf",), ("/etc/x.conf", "/etc/x/x.conf")) == tuple(
        found.config.paths.of(family) for family in ("rpm", "deb", None)
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({**GOOD, "programs": []}, "x.yaml: `programs` says which programs start it; without one it is never read"),
        ({**GOOD, "sockets": "80"}, "x.yaml: sockets: a list of what it binds (an empty one for a daemon that binds nothing)"),
        ({**GOOD, "socket": []}, "x.yaml: socket: no such key; did you mean sockets?"),
        ({**GOOD, "port": "80"}, "x.yaml: port: no such key; it may be one of: activated, attached, background-where, "
                                 "changes-to, config, connects, dropped, edit, endings, "
                                 "ends-where, ends-without, environment, files, in-repository, in-unit, missing-file, "
                                 "node-ports, one-dash, options-of, "
                                 "package, "
                                 "packages, pods, programs, reader, "
                                 "really, server, shape, sockets, source, traits, understands, units, unless, values, variables, when, "
                                 "wrappers"),
        ({**GOOD, "like": "rust"}, "x.yaml: like: 'rust' is none of the kinds: inet"),
        ({"programs": ["xd"]}, "x.yaml: one of `sockets`, `server` and `reader` says what it binds, not none"),
        ({**GOOD, **READ}, "x.yaml: one of `sockets`, `server` and `reader` says what it binds, not reader and sockets"),
        ({**READ, "reader": "nginx.py"}, "x.yaml: reader: 'nginx.py' is none of: reader.py"),
        ({**GOOD, "shape": ["X"]}, "x.yaml: shape: a shape is told by the module of a `reader`"),
        ({**GOOD, "sockets": [{}]}, "x.yaml: sockets[0]: neither `port` nor `listen` nor `random`: nothing says what it binds"),
        ({**GOOD, "sockets": [{"port": "80", "protocols": ["sctp"]}]}, "x.yaml: sockets[0].protocols: 'sctp' is none of: tcp, udp"),
        ({**GOOD, "sockets": [{"port": "80", "wildcard": "all"}]},
         "x.yaml: sockets[0].wildcard: 'all' is none of: dual, both, inet, inet6, loopback, loopback-inet"),
        ({**GOOD, "sockets": [{"port": "80", "v6only": "true"}]}, "x.yaml: sockets[0].v6only: yes or no, not 'true'"),
        ({**GOOD, "sockets": [{"port": {"or": "80"}}]},
         "x.yaml: sockets[0].port: `from` says where the value is written; a constant is written without it"),
        ({**GOOD, "sockets": [{"port": {"from": "port", "plus": "one"}}]}, "x.yaml: sockets[0].port.plus: a number, not 'one'"),
        ({**GOOD, "sockets": [{"port": "80", "versions": "2.0"}]}, "x.yaml: sockets[0].versions: a comparison such as `<2.0` or `>=2.0`"),
        ({**GOOD, "config": "ini"}, "x.yaml: config: a mapping of keys to values"),
        ({**GOOD, "config": {"format": "ini", "paths": {"debian": "/x"}}}, "x.yaml: config.paths.debian: no such key; did you mean deb?"),
        ({**GOOD, "config": {"format": "ini", "when-missing": "never"}},
         "x.yaml: config.when-missing: 'never' is none of: certain, likely, possible"),
        ({**GOOD, "files": {"connections": "max"}},
         "x.yaml: files: files has `connections`, the `setting` as people know it, and what happens `otherwise`"),
        ({**GOOD, "ends-without": {"paths": "/etc/x.acl"}},
         "x.yaml: ends-without: a file without which it ends has the settings that name it (`from`), and `what` it is"),
        ({**GOOD, "ends-where": [{"why": "it does"}]},
         "x.yaml: ends-where[0]: the settings are said by `when` or `unless`, and what they do by `why`"),
        ({**GOOD, "wrappers": [{"path": "/etc/init.d/x"}]}, "x.yaml: wrappers[0]: a wrapper has a `path` and the `argv` it starts"),
        ({**GOOD, "wrappers": {}}, "x.yaml: wrappers: a list of scripts that start it"),
        ({**GOOD, "connects": [{"name": "x"}]},
         "x.yaml: connects[0]: a connection has a `why`, and where it leads `to`, or a `name` and a setting that `keeps` it or is `bound`"),
        ({**FROM_LOOPBACK, "server": {"port": "80"}},
         "x.yaml: server: a server has a `host` with the address it binds where nothing is said (`or`)"),
        ({**FROM_LOOPBACK, "server": {"host": {"from": "--host"}}},
         "x.yaml: server: a server has a `host` with the address it binds where nothing is said (`or`)"),
        ({**GOOD, "traits": {"root": "yes"}}, "x.yaml: traits.root: 'yes' is none of: by-design, needless"),
        ({**GOOD, "traits": {"port-takn": "exits"}}, "x.yaml: traits.port-takn: no such key; did you mean port-taken?"),
        ({**GOOD, "edit": {"listen": "../edits.py"}}, "x.yaml: edit.listen: a Python file in the room, not '../edits.py'"),
        ({**GOOD, "packages": ["x", ["y"]]}, "x.yaml: packages: one text or a list of them"),
        ([], "x.yaml: a mapping of keys to values"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_file_and_key(data: Any, expected: str) -> None:
    with pytest.raises(CatalogueError) as told:
        descriptor("xd", data, KINDS, "x.yaml")

    assert expected == str(told.value)


def test_a_config_without_a_format_is_known_and_not_read() -> None:
    found = descriptor("xd", {**GOOD, "config": {"paths": "/etc/x.yml"}}, KINDS, "x.yaml")
    files = Files(MemoryTree({"/etc/x.yml": "port: [\n"}))
    (said,) = reading.read(found, _started("xd"), files, {})

    assert found.config is not None
    assert ("/etc/x.yml",) == found.config.paths.all
    assert isinstance(said, Endpoint)
    assert "80" == str(said.ports)
    assert [] == list(files.unreadable)


def test_a_file_that_is_no_yaml_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [\n")

    with pytest.raises(CatalogueError, match=r"x\.yaml: not YAML: "):
        rooms.load(str(tmp_path / "x.yaml"))


def test_of_two_rooms_with_one_program_the_one_that_tells_them_apart_is_asked(tmp_path: Path) -> None:
    for name, lines in {"a": "programs: [erl]", "b": "programs: [erl, b]\nreally:\n  a: {-x: set}", "c": "programs: [erl]"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / rooms.FILE).write_text(f"{lines}\n")
    (tmp_path / "interpreters").mkdir()
    (tmp_path / "no_room").mkdir()

    expected = rooms.Index({"a": "a", "b": "b", "c": "c"}, {"erl": "b", "b": "b"}, (), (), {}, {}, (), (), (), {}, {})
    assert expected == rooms.scanned(str(tmp_path))


def _started(program: str) -> Invocation:
    return Invocation(unit="a.service", at=Span.whole("/etc/a"), argv=(Word(f"/usr/bin/{program}", Span.whole("/etc/a")),))
