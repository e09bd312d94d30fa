"""portwright.toml: what it may say, with the line of each mistake, and where a file is obeyed that nobody named."""

import contextlib
import json
import os
import time
import tomllib
from pathlib import Path

import jsonschema
import pytest

from portwright.audit.check import Selection
from portwright.audit.configuration import KEYS, Configuration, ConfigurationError, found, named, profile, read
from portwright.rules import load

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "config-v1.schema.json").read_text("utf-8"))
PROFILES = sorted(path.stem for path in (ROOT / "profiles").glob("*.toml"))

WHOLE = """\
profile = "proxy"
select = ["ephemeral", "reuse"]
ignore = ["narrow-ephemeral-range"]
extend-select = ["port-claimed-twice"]
exclude = ["vendor/", "!vendor/ours.conf"]
fail-on = "medium"
min-confidence = "likely"

[severity]
fin-timeout-as-time-wait-cure = {is = "info", reason = "we know"}

[severity.listener-without-reuseaddr]
is = "high"
reason = "clients stay"

[[per-path]]
paths = ["staging/**", "*.local"]
ignore = ["ephemeral"]
reason = "nobody uses it"

[facts]
rate = 300
kernel = "6.1.0-18-amd64"
systemd = "252"
"""


def said(text: str, *, is_named: bool = False, path: str = "portwright.toml") -> Configuration:
    made = read(text, path, "/repository", is_named=is_named)
    assert made is not None
    return made


def test_each_value_has_the_line_that_says_it() -> None:
    made = said(WHOLE)

    assert ("medium", "portwright.toml:6") == (made.values["fail-on"].value, made.values["fail-on"].origin)
    assert (("ephemeral", "reuse"), "portwright.toml:2") == (made.values["select"].value, made.values["select"].origin)
    assert (300, "portwright.toml:22") == (made.values["rate"].value, made.values["rate"].origin)
    assert [("info", "we know", "portwright.toml:10"), ("high", "clients stay", "portwright.toml:12")] == [
        (each.severity, each.reason, each.origin) for each in made.severities
    ]
    assert [("nobody uses it", "portwright.toml:16")] == [(each.reason, each.origin) for each in made.per_path]


def test_a_table_of_pyproject_says_the_same_and_a_project_without_one_says_nothing() -> None:
    text = '[project]\nname = "x"\n\n[tool.portwright]\nfail-on = "high"\n[tool.portwright.facts]\nrate = 5\n'
    made = said(text, path="pyproject.toml")

    assert ("high", "pyproject.toml:5") == (made.values["fail-on"].value, made.values["fail-on"].origin)
    assert (5, "pyproject.toml:7") == (made.values["rate"].value, made.values["rate"].origin)
    assert read('[tool.other]\nx = "tool.portwright"\n', "pyproject.toml", "/", is_named=False) is None


# What is wrong, and the words that say so.
MISTAKES = [
    ("fail-on = high", "portwright.toml: it is no TOML"),
    ('fail-on = "hgih"', "portwright.toml:1: fail-on: it is none of high, medium, low, info, never"),
    ('\nfail_on = "high"', "portwright.toml:2: fail_on: there is no setting 'fail_on'; did you mean fail-on?"),
    ('select = "ephemeral"', "portwright.toml:1: select: it is no list of at most 1000 texts"),
    ("ignore = [1]", "portwright.toml:1: ignore: it is no list of at most 1000 texts"),
    ('[severity]\nx = "low"', "portwright.toml:2: severity.x: it is no table of at most 1000 entries"),
    ('[severity]\nx = {is = "low"}', 'portwright.toml:2: severity.x: write it as {is = "low", reason = "why"}; is: high'),
    ('[severity]\nx = {is = "low", reason = " "}', "portwright.toml:2: severity.x: write it as"),
    ('[severity]\nx = {is = "bad", reason = "y"}', "portwright.toml:2: severity.x: write it as"),
    ('[[per-path]]\npaths = ["a"]\nignore = ["b"]', 'portwright.toml:1: per-path.0: it has no reason: add reason = "why"'),
    ('[[per-path]]\npaths = []\nignore = ["b"]\nreason = "c"', "portwright.toml:1: per-path.0: it needs paths and ignore"),
    ('[[per-path]]\npath = ["a"]', "portwright.toml:2: per-path.0.path: there is no 'path' here; did you mean paths?"),
    ("[facts]\nrate = 0", "portwright.toml:2: facts.rate: it is no number from 1 to 9999999"),
    ("[facts]\nrate = true", "portwright.toml:2: facts.rate: it is no number from 1 to 9999999"),
    ("[facts]\nkernel = 6.1", 'portwright.toml:2: facts.kernel: it is no release, such as "6.1"'),
    ('[facts]\nsystemd = "new"', "portwright.toml:2: facts.systemd: it is no release"),
    ("[facts]\nrat = 1", "portwright.toml:2: facts.rat: there is no fact 'rat'; did you mean rate?"),
    ('rules = ["r"]', "portwright.toml:1: rules: a repository's own file names no rules to load"),
    ("x = " + "[" * 3000, "portwright.toml: it is no TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "trouble"), MISTAKES, ids=[text[:40] for text, _ in MISTAKES])
def test_a_mistake_is_told_with_its_line(text: str, trouble: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        said(text)

    assert str(caught.value).startswith(trouble)


def test_only_a_file_that_its_user_names_brings_rules() -> None:
    assert ("r",) == said('rules = ["r"]', is_named=True).values["rules"].value


@pytest.mark.parametrize("text", ["[" + " " * 200_000, "a." * 100_000 + "b = 1", "x = " + "[" * 100_000, '"' * 200_000, "[[a]]\n" * 40_000])
def test_a_hostile_file_is_refused_or_read_in_a_moment(text: str) -> None:
    before = time.process_time()
    with contextlib.suppress(ConfigurationError):
        said(text)

    assert time.process_time() - before < 5


# ── the schema ──


def _schema_accepts(text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(tomllib.loads(text)))


def test_the_published_schema_accepts_what_is_read_and_names_every_setting() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert _schema_accepts(WHOLE)
    assert set(KEYS) == set(SCHEMA["properties"])
    assert PROFILES == SCHEMA["properties"]["profile"]["enum"]


@pytest.mark.parametrize("text", [text for text, trouble in MISTAKES if "no TOML" not in trouble and not text.startswith("rules")])
def test_the_published_schema_refuses_what_is_refused(text: str) -> None:
    assert not _schema_accepts(text)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_a_configuration_whose_rules_there_are(name: str) -> None:
    text = (ROOT / "profiles" / f"{name}.toml").read_text("utf-8")
    made = profile(name, str(ROOT / "profiles"))

    assert _schema_accepts(text)
    assert made.severities
    changed = {each.word: (each.severity, each.origin) for each in made.severities}
    rules = Selection(severities=changed).of(load([ROOT / "rules"]))
    assert {word for word, _ in changed.items()} == {rule.card.id for rule in rules if rule.card.remapped is not None}
    assert all(rule.card.remapped != rule.card.severity for rule in rules)


# ── where it is obeyed ──


def test_the_root_of_a_repository_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.portwright]\nfail-on = "low"\n')
    assert "low" == _value(tmp_path)
    (tmp_path / "portwright.toml").write_text('fail-on = "high"\n')
    assert "high" == _value(tmp_path)


def _value(root: Path) -> object:
    made = found(str(root))
    return None if made is None else made.values["fail-on"].value


@pytest.mark.parametrize("inside", ["", "opt/app", "etc", "etc/nginx"])
def test_nothing_in_a_host_is_obeyed(tmp_path: Path, inside: str) -> None:
    for folder in ("etc/nginx", "usr", "opt/app"):
        (tmp_path / "host" / folder).mkdir(parents=True)
    here = tmp_path / "host" / inside
    (here / "portwright.toml").write_text('fail-on = "never"\n')

    assert found(str(here)) is None


def test_the_folder_of_a_hosts_settings_is_a_host_too(tmp_path: Path) -> None:
    for name in ("passwd", "fstab"):
        (tmp_path / name).write_text("")
    (tmp_path / "sysctl.d").mkdir()
    (tmp_path / "portwright.toml").write_text('fail-on = "never"\n')

    assert found(str(tmp_path)) is None


def test_a_file_that_was_found_is_no_link_no_pipe_and_not_endless(tmp_path: Path) -> None:
    file = tmp_path / "portwright.toml"
    (tmp_path / "secret").write_text("root:$6$x:1::::::\n")
    file.symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigurationError, match="reached through no link"):
        found(str(tmp_path))
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ConfigurationError, match="no regular file"):
        found(str(tmp_path))
    file.unlink()
    file.write_bytes(b"#" * ((256 << 10) + 1))
    with pytest.raises(ConfigurationError, match="larger than 256 KiB"):
        found(str(tmp_path))
    file.write_bytes(b'x = "\xff"')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        found(str(tmp_path))


def test_a_file_that_is_named_says_so_if_it_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")

    with pytest.raises(ConfigurationError, match=r"it has no table \[tool.portwright\]"):
        named(str(tmp_path / "pyproject.toml"))
    with pytest.raises(ConfigurationError, match="no such file"):
        named(str(tmp_path / "other.toml"))


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("staging/", "staging/deep/app.conf", True),
        ("staging/**", "staging/app.conf", True),
        ("*.local", "deploy/app.local", True),
        ("/app.conf", "deploy/app.conf", False),
        ("deploy/*.conf", "deploy/app.conf", True),
        ("deploy/*.conf", "deploy/deep/app.conf", False),
    ],
)
def test_a_path_rule_covers_what_a_line_of_a_gitignore_would(pattern: str, path: str, covered: bool) -> None:
    (rule,) = said(f'[[per-path]]\npaths = ["{pattern}"]\nignore = ["ephemeral"]\nreason = "why"\n').per_path

    assert covered == rule.covers(path, "listener-in-ephemeral-range", "ephemeral")
    assert not rule.covers(path, "listener-without-reuseaddr", "reuse")
