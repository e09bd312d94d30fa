"""What a wheel carries instead of YAML is the very same rules and the very same catalogue."""

import json
from pathlib import Path

import pytest

from portwright import shipped
from portwright.apps import catalogue
from portwright.rules import load
from portwright.rules.loading import of_packed, packed
from portwright.rules.marked import pack, parse, unpack
from portwright.shipped import rules_directory

RULE_FILES = sorted(rules_directory().glob("*/*.yaml"))


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.stem)
def test_a_rule_file_is_the_same_after_the_build_with_every_place_in_it(path: Path) -> None:
    node = parse(path.read_text(encoding="utf-8"), str(path))

    assert node == unpack(json.loads(json.dumps(pack(node))), str(path))


def test_the_rules_of_a_wheel_are_those_of_the_yaml() -> None:
    files = json.loads(json.dumps(packed(rules_directory())))

    assert load([rules_directory()]) == tuple(
        sorted(of_packed(files, rules_directory()), key=lambda rule: (rule.family, rule.id))
    )


def test_the_catalogue_of_a_wheel_is_that_of_the_yaml() -> None:
    made = json.loads(json.dumps(catalogue.packed()))

    assert catalogue.load() == made["files"]
    assert dict(catalogue.index()) == {name: tuple(where) for name, where in made["index"].items()}


def test_an_installation_with_compiled_files_reads_them_and_no_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, described = load([rules_directory()]), catalogue.named("mosquitto")
    folder = tmp_path / "_shipped"
    folder.mkdir()
    (folder / "rules").symlink_to(rules_directory())
    compiled = {"rules": packed(rules_directory()), "catalogue": catalogue.packed()}
    for name, data in compiled.items():
        (folder / f"{name}.json").write_text(json.dumps(data))
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path)
    monkeypatch.setattr("yaml.parse", None)
    monkeypatch.setattr("yaml.load", None)
    caches = (catalogue.index, catalogue.known, catalogue._file, catalogue._packed)
    for cache in caches:
        cache.cache_clear()
    try:
        assert [rule.id for rule in expected] == [rule.id for rule in load([shipped.rules_directory()])]
        assert described == catalogue.named("mosquitto")
    finally:
        for cache in caches:
            cache.cache_clear()
