"""What a wheel carries instead of YAML is the very same rules and the very same descriptors."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from portwright.daemons._engine import cases, rooms
from portwright.rules import compiling, load
from portwright.rules.loading import read_all
from portwright.shipped import folder

CACHES = (rooms.index, rooms.room, rooms._kinds, cases.tally)


def _module(name: str, source: str) -> ModuleType:
    made = ModuleType(f"portwright._shipped.compiled_{name}")
    exec(compile(source, name, "exec"), vars(made))  # noqa: S102  what we just made
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in an installation: with the modules that the build makes, and no YAML to be read."""
    shipped = ModuleType("portwright._shipped")
    shipped.__path__ = []
    monkeypatch.setitem(sys.modules, "portwright._shipped", shipped)
    catalogue, texts = rooms.source()
    (tmp_path / rooms.TEXTS).write_bytes(texts)
    written = {"rules": compiling.source(read_all(folder("rules")), folder("rules")), "catalogue": catalogue, "cases": cases.source()}
    for name, source in written.items():
        monkeypatch.setitem(sys.modules, f"portwright._shipped.compiled_{name}", made := _module(name, source))
        made.__file__ = str(tmp_path / f"compiled_{name}.py")
    monkeypatch.setattr("yaml.parse", None)
    monkeypatch.setattr("yaml.load", None)
    for cache in CACHES:
        cache.cache_clear()


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    for cache in CACHES:
        cache.cache_clear()


RULES, DESCRIPTORS, INDEX, CASES = load([folder("rules")]), rooms.every(), rooms.index(), cases.tally()


@pytest.mark.usefixtures("installed")
def test_the_rules_of_a_wheel_are_those_of_the_yaml_with_every_place_in_them() -> None:
    assert load([folder("rules")]) == RULES


@pytest.mark.usefixtures("installed")
def test_the_descriptors_of_a_wheel_are_those_of_the_yaml() -> None:
    assert rooms.index() == INDEX
    assert rooms.every() == DESCRIPTORS
    assert cases.tally() == CASES
