"""The catalogue as a whole: every entry is read, found, and held by a case; a mistake in one is told with its file and key."""

from pathlib import Path
from typing import Any

import pytest

from portwright.daemons import _engine as catalogue
from portwright.daemons._engine.entry import CatalogueError, entry
from tests.daemons.catalogue.test_cases import ALL

PLAIN = catalogue.load()
NAMES = sorted(name for stem, entries in PLAIN.items() if stem != catalogue.KINDS for name in entries)


def test_every_entry_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_every_entry_is_what_an_entry_must_be() -> None:
    assert NAMES == [each.name for each in catalogue.every()]


def test_scanning_lines_finds_the_programs_that_reading_yaml_finds() -> None:
    expected = {}
    for stem, entries in PLAIN.items():
        for name, data in entries.items():
            if stem != catalogue.KINDS:
                for program in (*data["programs"], *(wrapper["path"] for wrapper in data.get("wrappers", ()))):
                    assert program not in expected
                    expected[program] = (stem, name)

    assert expected == dict(catalogue.index())


def test_every_entry_has_a_case() -> None:
    held = {case.entry for cases in ALL.values() for case in cases}

    assert [] == sorted(set(NAMES) - held)


KINDS = {"inet": {"wildcard": "inet"}}
GOOD: dict[str, Any] = {"programs": ["xd"], "sockets": [{"port": "80"}]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"programs": []}, "x.yaml: xd: `programs` says which programs start it; without one it is never read"),
        ({"sockets": "80"}, "x.yaml: xd.sockets: a list of what it binds (an empty one for a daemon that binds nothing)"),
        ({"port": "80"}, "x.yaml: xd.port: no such key; it may be one of: activated, config, files, one-dash, package, programs, really, "
                         "unless, values, variables, when"),
        ({"like": "rust"}, "x.yaml: xd.like: 'rust' is none of the kinds: inet"),
        ({"sockets": [{}]}, "x.yaml: xd.sockets[0]: neither `port` nor `listen` nor `random`: nothing says what it binds"),
        ({"sockets": [{"port": "80", "protocols": ["sctp"]}]}, "x.yaml: xd.sockets[0].protocols: 'sctp' is none of: tcp, udp"),
        ({"sockets": [{"port": "80", "wildcard": "all"}]},
         "x.yaml: xd.sockets[0].wildcard: 'all' is none of: dual, both, inet, inet6, loopback, loopback-inet"),
        ({"sockets": [{"port": "80", "v6only": "true"}]}, "x.yaml: xd.sockets[0].v6only: yes or no, not 'true'"),
        ({"sockets": [{"port": {"or": "80"}}]},
         "x.yaml: xd.sockets[0].port: `from` says where the value is written; a constant is written without it"),
        ({"sockets": [{"port": {"from": "port", "plus": "one"}}]}, "x.yaml: xd.sockets[0].port.plus: a number, not 'one'"),
        ({"sockets": [{"port": "80", "versions": "2.0"}]}, "x.yaml: xd.sockets[0].versions: a comparison such as `<2.0` or `>=2.0`"),
        ({"config": {"or": "/etc/x"}}, "x.yaml: xd.config: a config has a `format`"),
        ({"config": "ini"}, "x.yaml: xd.config: a mapping of keys to values"),
        ({"files": {"connections": "max"}},
         "x.yaml: xd.files: files has `connections`, the `setting` as people know it, and what happens `otherwise`"),
        ({"wrappers": [{"path": "/etc/init.d/x"}]}, "x.yaml: xd.wrappers[0]: a wrapper has a `path` and the `argv` it starts"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_file_and_key(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(CatalogueError) as told:
        entry("xd", {**GOOD, **change}, KINDS, "x.yaml")

    assert expected == str(told.value)


def test_a_file_that_is_no_yaml_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [\n")

    with pytest.raises(CatalogueError, match=r"^x\.yaml: not YAML: "):
        catalogue.load(str(tmp_path))


def test_what_is_loaded_is_plain_data() -> None:
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
