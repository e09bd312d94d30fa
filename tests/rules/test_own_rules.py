"""`portwright rules --test DIR`: somebody's own rules, held against their examples and the cases beside them."""

import json
import os
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.shipped import rules_directory

UNIT = "[Service]\nExecStart=/usr/bin/python3 -m http.server {port}\n[Install]\nWantedBy=multi-user.target\n"
RULE = """\
id: port-of-the-office
title: A service takes a port of the office
severity: low
why: Ports from 8000 to 8009 are for the office.
references: [socket(7)]
each: listener
where:
  deployed: {is: true}
  ports: {overlaps: 8000-8009}
message: "{who} listens on {socket}"
"""
EXAMPLES = """\
bad: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 8001\\n"}
good: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 9001\\n"}
"""
REPORT = """\
/etc/systemd/system/a.service:2:43 port-of-the-office http.server (a.service) listens on tcp 0.0.0.0:8001
    certain
"""


def lay(folder: Path, text: str = RULE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "port-of-the-office.yaml").write_text(text)
    return folder


def host(case: Path, port: int) -> Path:
    """A case: a host with one service."""
    wants = case / "root/etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (case / "root/etc/systemd/system/a.service").write_text(UNIT.format(port=port))
    (wants / "a.service").symlink_to("../a.service")
    return case


def say(caught: pytest.CaptureFixture[bytes], *arguments: object) -> tuple[int, str]:
    code = main(["rules", "--test", *(str(argument) for argument in arguments)])
    heard = caught.readouterr()
    return code, (heard.out + heard.err).decode()


def test_a_rule_with_examples_alone_is_tested(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    said = say(capsysbinary, lay(tmp_path / "mine", RULE + EXAMPLES))

    assert (
        0,
        "port-of-the-office:\n  ok      bad example\n  ok      good example\n\n2 cases of 1 rule; all as they should be\n",
    ) == said


@pytest.mark.parametrize("family", ["", "office/"])
@pytest.mark.parametrize("apart", [False, True])
def test_cases_lie_beside_the_rule_or_in_a_folder_of_their_own(
    family: str, apart: bool, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path / "mine" / family)
    cases = tmp_path / ("cases" if apart else "mine")
    host(cases / f"{family}port-of-the-office/flags/a-low-one", 8001)
    host(cases / f"{family}port-of-the-office/accepts/another-port", 9001)

    code, said = say(capsysbinary, tmp_path / "mine", *(("--cases", cases) if apart else ()))

    assert (0, "2 cases of 1 rule; all as they should be") == (code, said.splitlines()[-1])
    assert "  ok      flags a low one\n  ok      accepts another port\n" in said


def test_a_case_may_be_a_repository(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path)
    for case, port in (("flags/in-a-role", 8001), ("accepts/in-a-role", 80)):
        place = tmp_path / "port-of-the-office" / case / "repo/roles/web/files"
        place.mkdir(parents=True)
        (place / "a.service").write_text(UNIT.format(port=port))

    assert 0 == say(capsysbinary, tmp_path)[0]


def test_a_case_that_goes_wrong_shows_what_was_expected_and_what_came(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path)
    missed = host(tmp_path / "port-of-the-office/flags/missed", 9001)
    other = host(tmp_path / "port-of-the-office/flags/said-otherwise", 8001)
    (other / "expected.txt").write_text(REPORT.replace("8001", "8002"))
    wrong = host(tmp_path / "port-of-the-office/accepts/all-the-same", 8001)

    code, said = say(capsysbinary, tmp_path, "-q")

    assert 1 == code
    assert f"""\
port-of-the-office:
  failed  flags missed
          nothing is flagged
          in {missed}
  failed  flags said otherwise
          the report is not the one kept in expected.txt
          in {other}
          --- expected
          +++ reported
          @@ -1,2 +1,2 @@
          -/etc/systemd/system/a.service:2:43 port-of-the-office http.server (a.service) listens on tcp 0.0.0.0:8002
          +/etc/systemd/system/a.service:2:43 port-of-the-office http.server (a.service) listens on tcp 0.0.0.0:8001
               certain
  failed  accepts all the same
          it is flagged
          in {wrong}
          --- expected
          +++ reported
          @@ -0,0 +1,2 @@
          +/etc/systemd/system/a.service:2:43 port-of-the-office http.server (a.service) listens on tcp 0.0.0.0:8001
          +    certain
3 cases of 1 rule; 3 failed
""" == said


def test_a_bad_example_that_is_accepted_and_a_good_one_that_is_flagged_fail(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path, RULE + EXAMPLES.replace("8001", "x").replace("9001", "8002"))

    code, said = say(capsysbinary, tmp_path)

    assert 1 == code
    assert "the bad example is not flagged" in said
    assert "the good example is flagged" in said


def test_what_is_reported_is_kept_where_it_is_accepted_and_nowhere_else(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path)
    flagged = host(tmp_path / "port-of-the-office/flags/one", 8001)
    accepted = host(tmp_path / "port-of-the-office/accepts/one", 9001)

    assert (0, True) == (say(capsysbinary, tmp_path)[0], not (flagged / "expected.txt").exists())
    assert "  kept    flags one\n" in say(capsysbinary, tmp_path, "--accept")[1]
    assert REPORT == (flagged / "expected.txt").read_text()
    assert ["root"] == os.listdir(accepted)
    assert "  ok      flags one\n" in say(capsysbinary, tmp_path)[1]


def test_a_kept_report_is_replaced_and_never_written_through_a_link(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path / "mine")
    flagged = host(tmp_path / "mine/port-of-the-office/flags/one", 8001)
    (tmp_path / "precious").write_text("mine")
    (flagged / "expected.txt").symlink_to("../../../../precious")

    assert 0 == say(capsysbinary, tmp_path / "mine", "--accept")[0]
    assert "mine" == (tmp_path / "precious").read_text()
    assert not (flagged / "expected.txt").is_symlink()


def test_a_rule_without_any_case_is_said(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / "other.yaml").write_text(RULE.replace("port-of-the-office", "other"))

    code, said = say(capsysbinary, tmp_path)

    assert 0 == code
    assert "other: no example and no case, so nobody knows what it does\n" in said
    assert "2 cases of 1 rule; all as they should be; 1 rule without any" == said.splitlines()[-1]


def test_nothing_to_test_is_no_pass(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, said = say(capsysbinary, lay(tmp_path))

    assert 2 == code
    assert "nothing was tested: no rule has an example (bad:, good:) or a case beside it" == said.splitlines()[-1]


def test_a_mistake_in_a_rule_is_told_before_anything_is_tested(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, said = say(capsysbinary, lay(tmp_path, RULE.replace("overlaps", "overlap")))

    place = f"{tmp_path}/port-of-the-office.yaml:9:11"
    assert (2, f"portwright: {place}: ports (ports) cannot be compared with overlap; did you mean overlaps?\n") == (code, said)


# (what lies in the folder of cases, what is said of it)
STRAY = [
    ("port-of-the-ofice/flags/x/root", "cases of no rule: there is no port-of-the-ofice.yaml; did you mean port-of-the-office?"),
    ("port-of-the-office/flags/x/etc", "a case holds either root/, the files of a host, or repo/, those of a repository"),
    ("port-of-the-office/flags/x/root/../repo", "a case holds either root/, the files of a host, or repo/, those of a repository"),
]


@pytest.mark.parametrize(("place", "complaint"), STRAY)
def test_a_folder_that_tests_nothing_is_said(
    place: str, complaint: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / place.partition("/..")[0]).mkdir(parents=True)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)

    code, said = say(capsysbinary, tmp_path)

    assert 2 == code
    assert complaint in " ".join(said.split())
    assert said.endswith("1 folder in vain\n")


@pytest.mark.parametrize("place", ["port-of-the-office/flags/x", "port-of-the-office/flags/x/root", "port-of-the-office/flags"])
def test_a_case_that_is_a_link_is_not_followed(place: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path / "mine", RULE + EXAMPLES)
    host(tmp_path / "outside/flags/x", 8001)
    (tmp_path / "mine" / place).parent.mkdir(parents=True)
    (tmp_path / "mine" / place).symlink_to(tmp_path / "outside" / place.partition("/")[2])

    said = say(capsysbinary, tmp_path / "mine")[1]

    assert "ok      flags" not in said
    assert "failed" not in said


def test_a_link_inside_the_folder_is_no_case_either(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path)
    host(tmp_path / "port-of-the-office/flags/x", 8001)
    (tmp_path / "port-of-the-office/flags/y").symlink_to("x")

    code, said = say(capsysbinary, tmp_path)

    assert 2 == code
    assert "flags/y: a link: a case holds its own files" in said


def test_there_is_an_end_to_the_folders_that_are_looked_into(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portwright.audit.cases._MOST_FOLDERS", 20)
    lay(tmp_path, RULE + EXAMPLES)
    for number in range(30):
        (tmp_path / f"f{number}").mkdir()

    code, said = say(capsysbinary, tmp_path)

    assert 2 == code
    assert f"{tmp_path}: more than 20 names in a folder of cases and those in it\n" in said


def test_a_case_that_holds_pipes_and_links_to_elsewhere_is_read_as_a_host_is(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path)
    system = host(tmp_path / "port-of-the-office/flags/one", 8001) / "root/etc/systemd/system"
    os.mkfifo(system / "b.service")
    (system / "c.service").symlink_to("/etc/passwd")

    assert "ok      flags one" in say(capsysbinary, tmp_path)[1]


def test_names_of_cases_do_not_steer_the_terminal(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path)
    host(tmp_path / "port-of-the-office/flags/x\x1b[2J\u202e", 8001)
    (tmp_path / "stray\x1b]0;x\x07/flags/x").mkdir(parents=True)

    said = say(capsysbinary, tmp_path)[1]

    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_the_same_as_json(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path)
    case = host(tmp_path / "port-of-the-office/flags/one", 8001)

    code, said = say(capsysbinary, tmp_path, "--format", "json")

    row = {"rule": "port-of-the-office", "case": "flags", "name": "one", "path": str(case), "ok": True, "problem": None}
    summary = {"rules": 1, "cases": 1, "failed": 0, "untested": [], "stray": []}
    assert 0 == code
    assert {"version": 1, "cases": [{**row, "expected": None, "report": REPORT}], "summary": summary} == json.loads(said)


def test_only_selected_rules_are_tested(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / "other.yaml").write_text((RULE + EXAMPLES).replace("port-of-the-office", "other"))

    assert "2 cases of 1 rule; all as they should be" == say(capsysbinary, tmp_path, "--select", "other")[1].splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--accept"], ["--cases", "x"]])
def test_what_belongs_to_testing_is_refused_without_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["rules", *arguments])
    assert f"{arguments[0]} goes with --test DIR" in capsys.readouterr().err


def test_a_folder_of_cases_that_is_not_there_is_said(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert (2, f"portwright: {tmp_path}/none: no such folder of cases\n") == say(
        capsysbinary, lay(tmp_path), "--cases", tmp_path / "none"
    )


def test_the_shipped_rules_pass_the_same_way(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    rules = rules_directory()

    code, said = say(capsysbinary, rules, "--cases", Path(__file__).parent, "-q")

    assert (0, 1) == (code, len(said.splitlines()))
