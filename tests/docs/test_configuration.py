"""docs/configuration.md: its example is a configuration that says every setting, and its profiles are those that ship."""

import re
from pathlib import Path

from portwright.audit.check import Selection
from portwright.audit.configuration import KEYS, Configuration, profile, read
from portwright.rules import load

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


def _examples(text: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


def _read(text: str) -> Configuration:
    made = read(text, "portwright.toml", "/", is_named=False)
    assert made is not None
    changed = {each.word: (each.severity, each.origin) for each in made.severities}
    words = tuple(word for each in made.per_path for word in each.ignore)
    Selection(ignore=words, severities=changed).of(load([ROOT / "rules"]))  # which refuses a rule that there is not
    return made


def test_the_example_says_every_setting_but_the_one_that_only_a_named_file_has() -> None:
    (example,) = _examples(GUIDE)
    made = _read(example)

    assert set(KEYS) - {"rules", "severity", "per-path", "facts"} | {"rate", "kernel", "systemd"} == set(made.values)
    assert made.severities
    assert made.per_path
    assert 'rules = ["rules"]' in GUIDE


def test_the_example_of_the_readme_is_one() -> None:
    (example,) = _examples(README)

    assert "proxy" == _read(example).values["profile"].value


def test_the_table_has_each_profile_with_its_rate() -> None:
    said = re.findall(r"^\| `([a-z-]+)` \|.*\| ?(\d*) ?\|$", GUIDE, re.MULTILINE)
    folder = ROOT / "profiles"
    there = [(path.stem, profile(path.stem, str(folder)).values.get("rate")) for path in folder.glob("*.toml")]

    assert sorted(said) == sorted((name, "" if rate is None else str(rate.value)) for name, rate in there)
