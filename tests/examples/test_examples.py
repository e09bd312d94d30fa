"""The bundled examples give exactly the findings a reviewer would want, at the right lines, and none beside them."""

import json
import re
from pathlib import Path

import pytest

from portwright.cli import main
from tests.golden import expected

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"


@pytest.mark.parametrize("example", ["web1", "shop", "platform"])
def test_an_example_gives_the_findings_kept_beside_this_test(example: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["check", str(EXAMPLES / example), "-v"])

    # How many rules there are is not what these reports are kept for.
    report = re.sub(r"\d+( of \d+)? rules", "N rules", capsysbinary.readouterr().out.decode())

    assert expected(HERE / f"{example}.check.txt", report) == report


def test_the_ports_of_the_example_host_are_drawn(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["ports", str(EXAMPLES / "web1")])

    picture = capsysbinary.readouterr().out.decode()

    assert expected(HERE / "web1.ports.txt", picture) == picture


def test_the_samples_and_tests_of_the_example_repository_are_no_deployments(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["facts", str(EXAMPLES / "shop"), "--format", "json"])

    (host,) = json.loads(capsysbinary.readouterr().out)["hosts"]

    assert ["docs/samples/haproxy.cfg", "tests/fixtures/broken.service"] == [each["path"] for each in host.pop("coverage")["left_out"]]
    assert "docs/samples" not in json.dumps(host)
    assert "tests/fixtures" not in json.dumps(host)


def test_what_the_report_calls_fixable_is_what_fix_plans(capsys: pytest.CaptureFixture[str]) -> None:
    web1 = str(EXAMPLES / "web1")
    main(["check", web1, "--format", "json"])
    (host,) = json.loads(capsys.readouterr().out)["hosts"]
    fixable = [each["message"] for each in host["findings"] if each["fix"] is not None and each["fix"]["needs"] is None]

    main(["fix", web1, "--quiet"])
    left = capsys.readouterr().out

    assert 2 == len(fixable)
    assert [] == [message for message in fixable if f": {message}\n" in left]
    # That the widened range has nothing reserved is mended along the way: one of the two plans reserves a port.
    along = [each for each in host["findings"] if each["rule"] == "range-widened-without-reserved-ports"]
    assert 1 == len(along)
    assert len(host["findings"]) - len(fixable) - len(along) == left.count("not planned")


def test_a_sample_that_its_user_names_is_checked() -> None:
    assert 1 == main(["check", str(EXAMPLES / "shop/docs/samples/haproxy.cfg")])
