"""`portwright rules --test DIR`: somebody's own rules, held against their examples and the cases beside them."""

import errno
import json
import os
from pathlib import Path

import pytest

from portwright.audit import cases
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


def case(kind: str, name: str, port: int, report: str = "") -> str:
    """A case: a host with one service."""
    unit = "".join(f"    {line}\n" for line in UNIT.format(port=port).splitlines())
    link = "/etc/systemd/system/multi-user.target.wants/a.service -> ../a.service\n"
    kept = "report:\n" + "".join(f"    {line}\n" for line in report.splitlines()) if report else ""
    return f"{kind}: {name}\n/etc/systemd/system/a.service\n{unit}{link}{kept}\n"


def keep(folder: Path, *cases: str, name: str = "port-of-the-office") -> Path:
    """The case file of a rule."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text("".join(cases))
    return folder / f"{name}.txt"


def say(caught: pytest.CaptureFixture[bytes], *arguments: object) -> tuple[int, str]:
    code = main(["rules", "--test", *(str(argument) for argument in arguments)])
    heard = caught.readouterr()
    return code, (heard.out + heard.err).decode()


def test_a_rule_with_examples_alone_is_tested(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    said = say(capsysbinary, lay(tmp_path / "mine", RULE + EXAMPLES))

    assert (
        0,
        "port-of-the-office:\n  ok      bad example\n  ok      good example\n\n2 cases of 1 rule; all pass\n",
    ) == said


@pytest.mark.parametrize("family", ["", "office/"])
@pytest.mark.parametrize("apart", [False, True])
def test_cases_lie_beside_the_rule_or_in_a_folder_of_their_own(
    family: str, apart: bool, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path / "mine" / family)
    folder = tmp_path / ("cases" if apart else "mine")
    keep(folder / family, case("flags", "a low one", 8001), case("accepts", "another port", 9001))

    code, said = say(capsysbinary, tmp_path / "mine", *(("--cases", folder) if apart else ()))

    assert (0, "2 cases of 1 rule; all pass") == (code, said.splitlines()[-1])
    assert "  ok      flags a low one\n  ok      accepts another port\n" in said


def test_a_case_may_be_a_repository(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path)
    text = (case("flags", "in a role", 8001) + case("accepts", "another port", 80)).replace("/etc/systemd/system/a", "./roles/web/files/a")
    keep(tmp_path, "".join(line for line in text.splitlines(keepends=True) if "->" not in line))

    code, said = say(capsysbinary, tmp_path, "--format", "json")

    assert 0 == code
    assert json.loads(said)["cases"][0]["report"].startswith("roles/web/files/a.service:2:43 port-of-the-office")


def test_a_case_that_goes_wrong_shows_what_was_expected_and_what_came(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path)
    missed, other = case("flags", "missed", 9001), case("flags", "said otherwise", 8001, REPORT.replace("8001", "8002"))
    path = keep(tmp_path, missed, other, case("accepts", "all the same", 8001))

    code, said = say(capsysbinary, tmp_path, "-q")

    assert 1 == code
    assert f"""\
port-of-the-office:
  failed  flags missed
          nothing is flagged
          in {path}:1
  failed  flags said otherwise
          the report is not the one that is kept
          in {path}:9
          --- expected
          +++ reported
          @@ -1,2 +1,2 @@
          -/etc/systemd/system/a.service:2:43 port-of-the-office http.server (a.service) listens on tcp 0.0.0.0:8002
          +/etc/systemd/system/a.service:2:43 port-of-the-office http.server (a.service) listens on tcp 0.0.0.0:8001
               certain
  failed  accepts all the same
          it is flagged
          in {path}:20
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
    remark, accepted = "# agreed in May\n\n\n", case("accepts", "two", 9001)
    path = keep(tmp_path, remark, case("flags", "one", 8001), accepted, case("flags", "old", 8001, "not this\n"))
    before = path.read_text()

    assert (1, before) == (say(capsysbinary, tmp_path)[0], path.read_text())
    assert "  kept    flags one\n" in say(capsysbinary, tmp_path, "--accept")[1]
    assert remark + case("flags", "one", 8001, REPORT) + accepted + case("flags", "old", 8001, REPORT) == path.read_text()
    assert "  ok      flags one\n" in say(capsysbinary, tmp_path)[1]


def test_a_case_file_that_is_a_link_is_neither_read_nor_written(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path / "mine", RULE + EXAMPLES)
    precious = keep(tmp_path / "mine/kept", case("flags", "one", 8001), name="precious")
    before = precious.read_text()
    (tmp_path / "mine/port-of-the-office.txt").symlink_to("kept/precious.txt")

    code, said = say(capsysbinary, tmp_path / "mine", "--accept")

    assert 2 == code
    assert "port-of-the-office.txt: a link: a case file lies where it is named\n" in said
    assert before == precious.read_text()


def test_case_49_a_case_file_that_became_a_link_meanwhile_is_not_followed(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path / "mine")
    path = keep(tmp_path / "mine", case("flags", "one", 8001))
    precious = tmp_path / "precious"
    precious.write_text("mine")

    def swap(tested: cases.Tested) -> dict[str, str]:
        path.unlink()
        path.symlink_to(precious)
        return accepted(tested)

    accepted = cases.Tested.accepted
    monkeypatch.setattr(cases.Tested, "accepted", swap)

    refusal = f"portwright: cannot write {path}: it is a symbolic link, and portwright writes through none\n"
    assert (2, refusal) == say(capsysbinary, tmp_path / "mine", "--accept")
    assert "mine" == precious.read_text()


def test_a_case_file_that_cannot_be_written_is_said(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path)
    path = keep(tmp_path, case("flags", "one", 8001))
    monkeypatch.setattr(os, "fsync", _full)

    assert (2, f"portwright: cannot write {path}: No space left on device\n") == say(capsysbinary, tmp_path, "--accept")
    assert case("flags", "one", 8001) == path.read_text()


def _full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_rule_without_any_case_is_said(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / "other.yaml").write_text(RULE.replace("port-of-the-office", "other"))

    code, said = say(capsysbinary, tmp_path)

    assert 0 == code
    assert "other: no example and no case, so it is not tested\n" in said
    assert "2 cases of 1 rule; all pass; 1 rule without any" == said.splitlines()[-1]


def test_nothing_to_test_is_no_pass(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, said = say(capsysbinary, lay(tmp_path))

    assert 2 == code
    assert "nothing was tested: no rule has an example (bad:, good:) or a case" == said.splitlines()[-1]


def test_a_mistake_in_a_rule_is_told_before_anything_is_tested(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, said = say(capsysbinary, lay(tmp_path, RULE.replace("overlaps", "overlap")))

    place = f"{tmp_path}/port-of-the-office.yaml:9:11"
    assert (2, f"portwright: {place}: ports (ports) cannot be compared with overlap; did you mean overlaps?\n") == (code, said)


FROM_FOLDERS = "cases are read from one text, {rule}.txt, not from folders: write each as `flags: NAME` or `accepts: NAME`"
LINES = "a line is /PATH or ./PATH, like: NAME, report:, flags: NAME, accepts: NAME"

# (where it lies among the cases, what stands there, what is said of it)
STRAY = [
    (
        "port-of-the-ofice.txt",
        "# remark\n\nflags: x\n/a\n",
        ": no rule has these cases: there is no port-of-the-ofice.yaml; did you mean port-of-the-office?",
    ),
    ("office/port-of-the-office.txt", "flags: x\n/a\netc\n", f":3:1: {LINES}"),
    ("port-of-the-office.txt", "flags: x\n/a\nflags: x\n/a\n", ":3:1: there is already a case of this name: x"),
]


@pytest.mark.parametrize(("place", "text", "complaint"), STRAY)
def test_what_tests_nothing_is_said(
    place: str, text: str, complaint: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(text)

    code, said = say(capsysbinary, tmp_path)

    assert 2 == code
    assert f"{tmp_path}/{place}{complaint}" in said
    assert said.endswith("1 file or folder without effect\n")


@pytest.mark.parametrize("place", ["port-of-the-office", "office/port-of-the-office", "gone-long-ago"])
def test_cases_in_folders_are_not_read_and_it_is_said_how_to_write_them(
    place: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / place / "flags/x/root").mkdir(parents=True)

    code, said = say(capsysbinary, tmp_path)

    assert 2 == code
    assert f"{tmp_path}/{place}: {FROM_FOLDERS.format(rule=place.rpartition('/')[2])}" in said


def test_a_text_that_holds_no_cases_is_nobodys_mistake(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / "notes.txt").write_text("# remarks\nour rules\nflags: none\n")

    assert (0, "2 cases of 1 rule; all pass") == (0, say(capsysbinary, tmp_path)[1].splitlines()[-1])


@pytest.mark.parametrize("folder", ["inside", "../outside"])
def test_a_folder_of_cases_that_is_a_link_is_not_followed(
    folder: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path / "mine", RULE + EXAMPLES)
    keep(tmp_path / "mine" / folder / "deeper", case("flags", "x", 8001))
    (tmp_path / "mine/office").symlink_to(f"{folder}/deeper")

    said = say(capsysbinary, tmp_path / "mine", "--accept")[1]

    assert "flags x" not in said
    assert case("flags", "x", 8001) == (tmp_path / "mine" / folder / "deeper/port-of-the-office.txt").read_text()


def test_there_is_an_end_to_the_folders_that_are_looked_into(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portwright.audit.cases._MOST_NAMES", 20)
    lay(tmp_path, RULE + EXAMPLES)
    for number in range(30):
        (tmp_path / f"f{number}").mkdir()

    code, said = say(capsysbinary, tmp_path)

    assert 2 == code
    assert f"{tmp_path}: more than 20 names in a folder of cases and those in it\n" in said


def test_a_link_in_a_case_leads_to_what_the_case_has_and_nowhere_else(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(tmp_path)
    outside = tmp_path / "outside.service"
    outside.write_text(UNIT.format(port=8002))
    up = "../" * 30
    links = f"/etc/systemd/system/b.service -> {outside}\n/etc/systemd/system/c.service -> {up.rstrip('/')}{outside}\n"
    units = "".join(f"/etc/systemd/system/multi-user.target.wants/{name}.service -> ../{name}.service\n" for name in "bc")
    keep(tmp_path, case("flags", "one", 8001, REPORT).replace("report:", f"{links}{units}report:"))

    assert "ok      flags one" in say(capsysbinary, tmp_path)[1]


def test_names_of_cases_do_not_steer_the_terminal(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path)
    keep(tmp_path, case("flags", "x\u202ey", 8001))
    (tmp_path / "stray\x1b]0;x\x07/flags/x").mkdir(parents=True)
    keep(tmp_path, "flags: a\x1b[2J\n", name="other\x1b[2J")

    said = say(capsysbinary, tmp_path)[1]

    assert "flags x\\u202ey" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_the_same_as_json(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path)
    path = keep(tmp_path, "\n", case("flags", "one", 8001))

    code, said = say(capsysbinary, tmp_path, "--format", "json")

    row = {"rule": "port-of-the-office", "case": "flags", "name": "one", "path": str(path), "line": 2, "ok": True, "problem": None}
    summary = {"rules": 1, "cases": 1, "failed": 0, "untested": [], "stray": []}
    assert 0 == code
    assert {"version": 1, "cases": [{**row, "expected": None, "report": REPORT}], "summary": summary} == json.loads(said)


def test_only_selected_rules_are_tested(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lay(tmp_path, RULE + EXAMPLES)
    (tmp_path / "other.yaml").write_text((RULE + EXAMPLES).replace("port-of-the-office", "other"))

    assert "2 cases of 1 rule; all pass" == say(capsysbinary, tmp_path, "--select", "other")[1].splitlines()[-1]


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
