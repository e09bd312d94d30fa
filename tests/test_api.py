"""`portwright.check`: what it takes and gives is written here word for word, so that a change of it is a decision."""

import inspect
import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import portwright

ROOT = Path(__file__).parents[1]
WEB1 = ROOT / "examples" / "web1"

FINDING = (
    *("host", "rule", "severity", "rule_severity", "confidence", "likelihood", "message", "at", "unit", "app", "protocol", "address"),
    *("port", "end_port", "sysctl", "predicts", "fix", "manual", "fingerprint"),
)


def _fields(kind: type) -> tuple[str, ...]:
    return tuple(inspect.signature(kind).parameters)


def test_its_words_stay() -> None:
    assert ("Error", "Finding", "Gap", "Place", "Result", "__version__", "check") == portwright.__all__
    parameters = inspect.signature(portwright.check).parameters
    assert ["path", "more", "select", "ignore", "rules", "exclude", "min_confidence", "rate"] == list(parameters)
    assert {each.kind for name, each in parameters.items() if name not in ("path", "more")} == {inspect.Parameter.KEYWORD_ONLY}
    assert FINDING == _fields(portwright.Finding)
    assert ("path", "line", "column", "end_line", "end_column") == _fields(portwright.Place)
    assert ("host", "at", "reason", "unreadable") == _fields(portwright.Gap)
    assert ("findings", "gaps", "files_read", "results") == _fields(portwright.Result)
    assert issubclass(portwright.Error, ValueError)


def test_a_check_says_what_the_command_says() -> None:
    result = portwright.check(WEB1)
    (host,) = json.loads(result.json())["hosts"]

    assert not result
    assert result.complete
    assert host["files_read"] == result.files_read
    documented = sorted(host["findings"], key=lambda each: str(each["fingerprint"]))
    for finding, said in zip(sorted(result.findings, key=lambda each: each.fingerprint), documented, strict=True):
        assert [said[name] for name in ("rule", "severity", "rule_severity", "confidence", "likelihood", "message", "predicts")] == [
            *(finding.rule, finding.severity, finding.rule_severity, finding.confidence, finding.likelihood),
            *(finding.message, finding.predicts),
        ]
        assert said["at"] == {name: getattr(finding.at, name) for name in _fields(portwright.Place)}
        assert said["subject"] == {name: getattr(finding, name) for name in said["subject"]}
        assert (said["fix"] and said["fix"]["summary"], said["manual"] and said["manual"]["step"]) == (finding.fix, finding.manual)


def test_options_choose_rules_and_findings() -> None:
    one = "listener-in-ephemeral-range"
    assert {one} == {each.rule for each in portwright.check(WEB1, select=[one]).findings}
    assert not {each.rule for each in portwright.check(WEB1, ignore=["reuse"]).findings} & {"listener-without-reuseaddr"}
    assert portwright.check(WEB1, ROOT / "examples" / "shop").findings[-1].host == "shop"


def test_what_could_not_be_read_is_a_gap_and_the_result_is_not_complete(tmp_path: Path) -> None:
    (tmp_path / "big.conf").write_text("listen 80;\n" * (1 << 19))
    nothing = portwright.check(tmp_path)

    assert nothing
    assert not nothing.complete
    assert all(gap.reason for gap in nothing.gaps)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"select": ["reus"]}, "there is no rule or family named 'reus'; did you mean 'reuse'?"),
        ({"rules": ["nowhere"]}, "no such folder of rules"),
        ({"min_confidence": "sure"}, "'sure' is none of certain, likely, possible"),
    ],
)
def test_what_cannot_be_done_is_an_error_that_says_why(words: dict[str, list[str]], said: str) -> None:
    with pytest.raises(portwright.Error, match=said.replace("?", r"\?")):
        portwright.check(WEB1, **words)  # type: ignore[arg-type]


def test_a_path_that_is_not_there_is_an_error_and_standard_input_is_not_asked() -> None:
    for path in ("nowhere", "-", ""):
        with pytest.raises(portwright.Error):
            portwright.check(path)


def test_values_are_frozen() -> None:
    finding = portwright.check(WEB1, select=["reuse"]).findings[0]

    with pytest.raises((FrozenInstanceError, AttributeError)):
        finding.rule = "other"  # type: ignore[misc]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'chekc'"):
        portwright.chekc  # type: ignore[attr-defined]  # noqa: B018


def test_the_command_does_not_pay_for_it() -> None:
    program = "import sys\nfrom portwright.cli import main\nmain(['check', '-q', sys.argv[1]])\nprint('portwright.api' in sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", program, str(WEB1)], capture_output=True, check=True, text=True)

    assert "False" == done.stdout.splitlines()[-1]


def test_the_example_of_the_readme_runs() -> None:
    (example,) = (part.partition("```")[0] for part in (ROOT / "README.md").read_text("utf-8").split("```python\n")[1:])
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, check=True, text=True, cwd=ROOT)

    assert 6 == len(done.stdout.splitlines())
