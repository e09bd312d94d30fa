"""Every YAML that ships reads the same with and without PyYAML's C loader: an installation may have either."""

from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).parents[1]
SHIPPED = [
    *sorted((TOP / "rules").rglob("*.yaml")),
    *sorted((TOP / "playbooks").rglob("*.yml")),
    *sorted((TOP / "src").rglob("*.yaml")),
]


def test_rules_playbooks_and_descriptions_of_daemons_are_among_them() -> None:
    assert all(any(path.is_relative_to(TOP / folder) for path in SHIPPED) for folder in ("rules", "playbooks", "src/portwright/daemons"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(TOP)))
def test_both_loaders_read_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert yaml.load(text, yaml.CSafeLoader) == yaml.load(text, yaml.SafeLoader)
    assert yaml.load(text, yaml.CBaseLoader) == yaml.load(text, yaml.BaseLoader)  # noqa: S506  makes nothing but text, lists and mappings
