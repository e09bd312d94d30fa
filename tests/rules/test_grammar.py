"""Reading a rule: what its author meant, or the line that is wrong and the nearest word that is right."""

import os
from pathlib import Path
from typing import Any

import pytest

from portwright.changes import ReservePorts, SetSysctl
from portwright.ports import PortSet
from portwright.rules import load
from portwright.rules.grammar import read
from portwright.rules.rule import Given, OfFact, OfHost, OfSysctl, Slot
from portwright.shipped import rules_directory
from portwright.source import RuleError

GOOD = """\
id: a-rule
title: Something is wrong
severity: medium
why: because it breaks
references: [socket(7)]
each: listener
where:
  ports: {within: {host: ephemeral-ports}}
  starts: {is: boot}
message: "{app} listens on {ports}"
"""


def test_a_rule_is_read_with_its_family_and_its_place() -> None:
    found = read(GOOD, "rules/some/a-rule.yaml")

    assert ("a-rule", "some", "medium") == (found.id, found.family, found.card.severity)
    assert ("rules/some/a-rule.yaml", 1, 5) == (found.at.path, found.at.line, found.at.column)
    assert ["ports", "starts"] == [condition.name.name for condition in found.where]
    assert isinstance(found.where[0].operand, OfHost)
    assert Given("boot") == found.where[1].operand
    first, middle, last = found.message
    assert isinstance(first, Slot)
    assert isinstance(last, Slot)
    assert ("app", " listens on ", "ports") == (first.name.name, middle, last.name.name)


def test_folded_text_becomes_one_line() -> None:
    found = read(GOOD.replace("why: because it breaks", "why: >\n  because\n  it breaks\n"), "rules/some/a-rule.yaml")

    assert "because it breaks" == found.card.why


def test_operands_come_from_the_rule_the_kernel_the_host_or_the_fact() -> None:
    where = "{is: 80}, at-least: {sysctl: net.core.somaxconn}, at-most: {host: usable-ports}, less-than: {fact: end_port}"
    found = read(
        GOOD.replace("  starts: {is: boot}", f"  port: {where.replace('{is: 80}', '{is: 80').rstrip()}}}"), "rules/some/a-rule.yaml"
    )

    kinds = [type(condition.operand) for condition in found.where if condition.name.name == "port"]
    assert [Given, OfSysctl, OfHost, OfFact] == kinds


def test_ports_are_written_as_the_kernel_prints_them() -> None:
    found = read(GOOD.replace("{within: {host: ephemeral-ports}}", "{overlaps: '80,8000-8010'}"), "rules/some/a-rule.yaml")

    assert Given(PortSet.of(80, (8000, 8010))) == found.where[0].operand


@pytest.mark.parametrize("text", ["no", "on", "yes", "010", "0x10", "1e3", "12:30"])
def test_only_true_false_and_plain_numbers_are_not_text(text: str) -> None:
    found = read(GOOD.replace("starts: {is: boot}", f"unit: {{is: {text}}}"), "rules/some/a-rule.yaml")

    assert Given(text) == found.where[1].operand


def test_a_fix_is_a_change_and_its_operands() -> None:
    found = read(GOOD + "fix:\n  reserve-ports: {ports: {fact: ports}, safety: review}\n", "rules/some/a-rule.yaml")

    assert found.wish is not None
    assert ReservePorts is found.wish.change
    assert ["ports", "safety"] == [name for name, _ in found.wish.operands]


def test_of_several_changes_the_first_is_proposed_first() -> None:
    fix = "fix:\n  set-sysctl: {key: net.core.somaxconn, value: '4096'}\n  reserve-ports: {ports: {fact: ports}}\n"
    found = read(GOOD + fix, "rules/some/a-rule.yaml")

    assert found.wish is not None
    assert [SetSysctl, ReservePorts] == [each.change for each in found.wish.each()]


# (what is written instead of a line of GOOD, line and column of the complaint, the complaint)
MISTAKES = [
    ("id: a-rule", "id: other-rule", "1:5", "the id is other-rule, the file is named a-rule.yaml: they must be the same"),
    ("id: a-rule", "id: A_rule", "1:5", "an id is lower-case words joined by single dashes, not 'A_rule'"),
    ("severity: medium", "severity: mediun", "3:11", "severity is never mediun; did you mean medium?"),
    ("why: because it breaks", "wy: because it breaks", "4:1", "a rule has no wy; did you mean why?"),
    ("why: because it breaks", "why:", "4:5", "why must be text"),
    ("references: [socket(7)]", "references: []", "5:13", "references must be a list with at least one item"),
    ("each: listener", "each: listner", "6:7", "each is never listner; did you mean listener?"),
    ("each: listener", "", "1:1", "a rule lacks each"),
    ("  starts:", "  start:", "9:3", "a listener has no start; did you mean starts?"),
    ("{is: boot}", "{iz: boot}", "9:12", "starts (text) cannot be compared with iz; did you mean is?"),
    ("{is: boot}", "{is: bot}", "9:16", "starts is never bot; did you mean boot?"),
    ("{is: boot}", "boot", "9:11", "starts needs a comparison, such as {is: ...}"),
    ("{is: boot}", "{}", "9:11", "starts needs a comparison: ends-with, in, is, is-not, not-in, starts-with"),
    ("{is: boot}", "{in: []}", "9:16", "in wants at least one value"),
    ("{is: boot}", "{is: }", "9:16", "is wants text"),
    ("ephemeral-ports", "ephemral-ports", "8:26", "a host has no ephemral-ports; did you mean ephemeral-ports?"),
    ("ephemeral-ports", "usable-ports", "8:26", "within wants ports, and usable-ports is a number"),
    ("{host: ephemeral-ports}", "{hosts: ephemeral-ports}", "8:20", "an operand has no hosts; did you mean host?"),
    ("{host: ephemeral-ports}", "{host: a, fact: b}", "8:19", "an operand is one of {sysctl: key}, {host: name}, {fact: field}"),
    ("{host: ephemeral-ports}", "{fact: port}", "8:26", "within wants ports, and port is a number"),
    ("{host: ephemeral-ports}", "9000-8000", "8:19", "not a port"),
    ("{host: ephemeral-ports}", "{sysctl: 'a b'}", "8:28", "not a kernel setting: 'a b'"),
    ("  starts: {is: boot}", "  random: {is: boot}", "9:16", "is wants true or false, not boot"),
    ("  starts: {is: boot}", "  port: {is: true}", "9:14", "is wants a number, not true"),
    ("  starts: {is: boot}", "  at: {is: x}", "9:3", "at is a place, which conditions cannot test"),
    ("  starts: {is: boot}", "  claim: {overlaps: x}", "9:21", "overlaps wants a claim of another fact, as {fact: claim}"),
    ("{app}", "{ap}", "10:10", "{ap}: a listener has no such word; did you mean app?"),
    ("{app}", "{claim}", "10:10", "{claim}: a listener has no such word; known:"),
    ("{app}", "{with.app}", "10:10", "{with.app}: this rule has no with"),
    ("{app}", "{app", "10:10", "a brace that is not part of a placeholder: write {name}, where name is a word of the fact"),
    ("each: listener", "", "1:1", "a rule lacks each: the kind of fact it examines"),
    ("severity: medium", "severity: critical", "3:11", "severity is never critical; did you mean high? known: high, medium, low, info"),
    ("severity: medium", "severity: MEDIUM", "3:11", "severity is never MEDIUM; did you mean medium?"),
    ("references: [socket(7)]", "references: socket(7)", "5:13", "references must be a list with at least one item, such as [socket(7)]"),
    ("  starts: {is: boot}", '  port: {is: "80"}', "9:14", "is wants a number without quotes, not 80"),
    ("title: Something", 'title: "Something', "10:11", "not YAML: did not find expected key: look at the quotes, brackets and indentation"),
    ("  starts: {is: boot}", '  random: {is: "true"}', "9:16", "is wants true or false without quotes, not true"),
    ("severity: medium", "level: medium", "3:1", "a rule has no level; did you mean severity?"),
    ("where:", "when:", "7:1", "a rule has no when; did you mean where?"),
    ("  starts:", "  keepalive:", "9:3", "a listener has no keepalive; an outbound has it"),
    ("{is: boot}", "{equals: boot}", "9:12", "starts (text) cannot be compared with equals; did you mean is?"),
    ("{is: boot}", "{matches: b.*}", "9:12", "starts (text) cannot be compared with matches; rules have no patterns; known: ends-with, in"),
    ("{is: boot}", "{is: bot}", "9:16", "starts is never bot; did you mean boot? known: boot, demand, manual, never"),
    ("ephemeral-ports", "usable-ports", "8:26", "within wants ports, and usable-ports is a number; fitting: ephemeral-ports, lend"),
    (
        "{host: ephemeral-ports}",
        "80 81",
        "8:19",
        "' ' after '80', where only a comma or a hyphen may stand; write ports as the kernel does: 80,8000-8010",
    ),
    ("{host: ephemeral-ports}", "{sysctl: /proc/sys/a b}", "8:28", "not a kernel setting: '/proc/sys/a b'; write it as /proc/sys has it"),
    ("title: Something", "title: wrong: Something", "2:13", "not YAML: mapping values are not allowed in this context: quote a text"),
    ("  starts:", "\tstarts:", "9:1", "not YAML: found character that cannot start any token: quote a text"),
    ('"{app} listens on {ports}"', "{app} listens", "10:16", "not YAML: "),
    ('"{app} listens on {ports}"', "{app}", "10:10", "message must be text: quote it where it begins with a brace"),
    ("[socket(7)]", "['javascript:alert(1)']", "5:14", "a reference is a document, such as socket(7), or an https:// address"),
    ("[socket(7)]", "['file:///etc/passwd']", "5:14", "a reference is a document, such as socket(7), or an https:// address"),
    ("{app}", "{app.__class__}", "10:10", "{app.__class__}: a listener has no such word; known:"),
    ("{app}", "{app!r:>100000000}", "10:10", "{app!r:>100000000}: a listener has no such word; known:"),
]


@pytest.mark.parametrize(("written", "instead", "place", "complaint"), MISTAKES, ids=[f"{m[1] or m[0]}" for m in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_the_nearest_word(written: str, instead: str, place: str, complaint: str) -> None:
    with pytest.raises(RuleError) as told:
        read(GOOD.replace(written, instead, 1), "rules/some/a-rule.yaml")

    assert f"rules/some/a-rule.yaml:{place}" == str(told.value.at)
    assert told.value.reason.startswith(complaint)


# (what follows GOOD, line and column of the complaint, the complaint)
MISTAKES_BELOW = [
    ("fix: {}\n", "11:6", "fix is empty"),
    ("fix: {reserve-port: {}}\n", "11:7", "a fix has no reserve-port; did you mean reserve-ports?"),
    ("fix: {reserve-ports: {}}\n", "11:22", "reserve-ports lacks ports"),
    ("fix: {reserve-ports: {ports: 80, safety: sure}}\n", "11:42", "safety is never sure; did you mean safe?"),
    ("fix: {reserve-ports: {ports: {fact: unit}}}\n", "11:37", "ports wants ports, and unit is text"),
    ("fix: {manual: {reason: x}}\n", "11:15", "manual lacks step"),
    ("with: {listener: {unit: {is-not: {fact: unit}}}}\n", "11:18", "a join that compares two facts needs one comparison that pairs them"),
    ("with: {listner: {unit: {is: a}}}\n", "11:8", "there is no kind of fact listner; did you mean listener?"),
    ("with: {listener: {unit: {is: a}}, sysctl: {key: {is: a}}}\n", "11:7", "with names one kind of fact"),
    ("likelihood: high\n", "11:13", "likelihood wants {fact: name}"),
    ("likelihood: {fact: scope}\n", "11:13", "likelihood wants a value of the fact that is one of high, medium, low; fitting: coll"),
    ("predicts: {fact: who}\n", "11:11", "predicts wants a value of the fact that is one of EACCES, EADDRINUSE, EADDRNOTAVAIL, EINVAL"),
    ("references: socket(7)\n", "11:1", "references is repeated here; first in line 5"),
    ("notes: {text: x}\n", "11:8", "notes must be a list with at least one item, such as [{text: ..., at: at}]"),
    ("likelihood: {fact: app}\n", "11:13", "likelihood wants a value of the fact that is one of high, medium, low"),
    ("predicts: ENOENT\n", "11:11", "predicts is never ENOENT; known: EACCES"),
    ("confidence: sure\n", "11:13", "confidence is never sure; known: certain, likely, possible"),
    ("notes: [{text: x, at: app}]\n", "11:23", "{app}: a listener has no such place; known: at, because_at"),
    ("bad: {nginx.conf: listen 80}\n", "11:7", "an example is a file by its path on the host, not nginx.conf"),
    ("import: os\n", "11:1", "a rule has no import; known:"),
    ("fix: {reserve-ports: {}}\n", "11:22", "reserve-ports lacks ports: the ports to reserve, such as {fact: ports}"),
    ("fix: {reserve-ports: {port: 80}}\n", "11:23", "reserve-ports has no port; did you mean ports?"),
    ("fix: {manual: restart it}\n", "11:15", "manual must be a mapping with reason and step"),
    ("fix: restart it\n", "11:6", "fix must be a mapping, such as {reserve-ports: {ports: {fact: ports}}}"),
    ("unless: [random]\n", "11:9", "unless must be a mapping, such as {random: {is: true}}"),
    ("with: {outbound: {keepalve: {is: true}}}\n", "11:19", "an outbound has no keepalve; did you mean keepalive?"),
    ("with: {listener: {port: {is: {fact: prot}}}}\n", "11:37", "a listener has no prot; did you mean port?"),
    ("notes: [{text: '{with.app}'}]\n", "11:16", "{with.app}: this rule has no with"),
    ("notes: [{txt: x}]\n", "11:10", "a note has no txt; did you mean text?"),
    ("predicts: {fact: app, host: x}\n", "11:11", "an operand is one of {sysctl: key}, {host: name}, {fact: field}"),
    ("fix: {grant-capability: {unit: {fact: unit}, capability: CAP_NET_BIND}}\n", "11:58", "there is no capability CAP_NET_BIND; did you"),
]

# What a rule may not ask of a host, whoever wrote it.
FORBIDDEN = [
    ("fix: {set-sysctl: {key: kernel.core_pattern, value: '|/tmp/x'}}\n", "11:25", "a rule may propose settings of the network only"),
    ("fix: {set-sysctl: {key: kernel/modprobe, value: /tmp/x}}\n", "11:25", "a rule may propose settings of the network only"),
    (
        'fix: {grant-capability: {unit: {fact: unit}, capability: "CAP_NET_BIND_SERVICE\\nExecStartPre=/tmp/x"}}\n',
        "11:58",
        "there is no capability CAP_NET_BIND_SERVICE",
    ),
    (
        'fix: {limit-capabilities: {unit: {fact: unit}, capabilities: ["CAP_CHOWN\\nUser=root"]}}\n',
        "11:62",
        "there is no capability CAP_CHOWN",
    ),
    ("fix: {grant-capability: {unit: {fact: unit}, capability: CAP_SYS_ADMIN}}\n", "11:25", "a fix that grants more than CAP_NET_BIND"),
    ("fix: {grant-capability: {unit: {fact: unit}, capability: {fact: app}}}\n", "11:25", "a fix that grants more than CAP_NET_BIND"),
    *(
        (f"bad: {{{path}: x}}\n", "11:7", "an example is a file by its path on the host, not")
        for path in ("/../../etc/x", "../x", "/a/./b", "/a//b", "/", '"/a\\nb"', "C:x")
    ),
    ("bad: {}\n", "11:6", "bad is empty: an example is at least one file"),
    ('bad: {/a: "x\\0y"}\n', "11:11", "an invisible character: U+0000"),
]

# (what follows GOOD, or is written instead of the why; the complaint)
TOO_MUCH = [
    ("message", '"' + "{app}" * 21 + '"', "message has more than 20 placeholders"),
    ("message", "x" * 1001, "message is longer than 1000 characters"),
    ("title", "x" * 201, "title is longer than 200 characters"),
    ("why", "x" * 4001, "why is longer than 4000 characters"),
    ("references", "[" + "a, " * 21 + "]", "references has 21 items, and 20 are the most"),
    ("where", "{port: {in: [" + "1, " * 257 + "]}}", "in has 257 values, and 256 are the most"),
    ("where", "{ports: {within: '" + ",".join(str(n) for n in range(1, 1000, 2)) + "'}}", "within has 500 ranges of ports, and 256"),
    ("notes", "[" + "{text: x}, " * 9 + "]", "notes has 9 items, and 8 are the most"),
    ("good", "{" + "".join(f"/f{n}: x, " for n in range(17)) + "}", "good has 17 files, and 16 are the most"),
    ("x" * 1000, "y", f"a rule has no {'x' * 59}…; known: "),
    ("severity", "x" * 50_000, "severity is longer than 200 characters"),
]


def _instead(key: str, value: str) -> str:
    """GOOD with another value for one key."""
    where = "where:\n  ports: {within: {host: ephemeral-ports}}\n  starts: {is: boot}"
    lines = GOOD.replace(where, "where: {starts: {is: boot}}").splitlines()
    return "\n".join([*(line for line in lines if not line.startswith(f"{key}:")), f"{key}: {value}", ""])


@pytest.mark.parametrize(("key", "value", "complaint"), TOO_MUCH, ids=[complaint[:40] for _, _, complaint in TOO_MUCH])
def test_what_would_blow_up_is_refused_in_a_short_sentence(key: str, value: str, complaint: str) -> None:
    with pytest.raises(RuleError) as told:
        read(_instead(key, value), "rules/some/a-rule.yaml")

    assert told.value.reason.startswith(complaint)
    assert len(told.value.reason) < 400


@pytest.mark.parametrize("hidden", ["\\e[2J", "\\x9b31m", "\\u202e", "\\u200b", "\\uFEFF", "\\b", "\\0", "\\x7f"])
@pytest.mark.parametrize("key", ["title", "why", "message", "good", "references"])
def test_text_that_would_steer_a_terminal_or_hide_is_refused(key: str, hidden: str) -> None:
    value = {"good": f'{{/a: "x{hidden}"}}', "references": f'["x{hidden}"]'}.get(key, f'"x{hidden}"')

    with pytest.raises(RuleError, match=r"an invisible character: U\+"):
        read(_instead(key, value), "rules/some/a-rule.yaml")


@pytest.mark.parametrize(("more", "place", "complaint"), FORBIDDEN, ids=[more.strip() for more, _, _ in FORBIDDEN])
def test_what_a_rule_may_not_do_is_told_with_its_place(more: str, place: str, complaint: str) -> None:
    with pytest.raises(RuleError) as told:
        read(GOOD + more, "rules/some/a-rule.yaml")

    assert told.value.reason.startswith(complaint)
    assert f"rules/some/a-rule.yaml:{place}" == str(told.value.at)




@pytest.mark.parametrize(("more", "place", "complaint"), MISTAKES_BELOW, ids=[m[0].strip() for m in MISTAKES_BELOW])
def test_a_mistake_in_an_optional_part_is_told_too(more: str, place: str, complaint: str) -> None:
    with pytest.raises(RuleError) as told:
        read(GOOD + more, "rules/some/a-rule.yaml")

    assert f"rules/some/a-rule.yaml:{place}" == str(told.value.at)
    assert told.value.reason.startswith(complaint)


# (the whole file, line, the complaint)
HOSTILE = [
    ("[" * 100_000, None, "a rule file of more than 64 KiB"),
    ("[" * 60_000, 1, "nested deeper than 8 levels"),
    ("{a: " * 10_000, 1, "nested deeper than 8 levels"),
    (GOOD + "severity: high\n", 11, "severity is repeated here; first in line 3"),
    ("a: &x [1]\nb: *x\n", 1, "anchors and aliases are not allowed in a rule"),
    ("a: *x\n", 1, "anchors and aliases are not allowed in a rule"),
    ("<<: {a: 1}\n", 1, "merge keys are not allowed in a rule"),
    ("a: !!python/object/apply:os.system [id]\n", 1, "tags are not allowed in a rule"),
    ("a: !include /etc/passwd\n", 1, "tags are not allowed in a rule"),
    ("a: !!str 1\n", 1, "tags are not allowed in a rule"),
    ("? [a]\n: b\n", 1, "a key must be a word"),
    ("a: 1\n---\nb: 2\n", 2, "a second document: a file holds one rule"),
    ("", 1, "the file is empty"),
    ("# nothing\n", 1, "the file is empty"),
    ("- a\n", 1, "a rule is a mapping: id, title, severity, why, ..."),
    ("a: [1\nb: 2\n", 2, "not YAML: "),
    ("a: 1\n\tb: 2\n", 2, "not YAML: "),
    ("a: \ufeffb\n", 1, "an invisible character: U+FEFF"),
    ("a: \x00\n", 1, "not YAML: "),
    ("a: b\x07\n", 1, "not YAML: "),
]


@pytest.mark.parametrize(
    ("text", "line", "complaint"), HOSTILE, ids=[complaint[:40] + str(n) for n, (_, _, complaint) in enumerate(HOSTILE)]
)
def test_a_hostile_file_is_refused_with_its_place(text: str, line: int | None, complaint: str) -> None:
    with pytest.raises(RuleError) as told:
        read(text, "rules/some/a-rule.yaml")

    assert told.value.reason.startswith(complaint)
    assert (line or 1) == told.value.at.line


@pytest.mark.parametrize("family", ["some thing", "x\n", "\x1b[2J", "-x", "a" * 65])
def test_a_family_is_a_word(family: str) -> None:
    with pytest.raises(RuleError, match="a family is the name of the folder, of letters, digits, dots and dashes, not "):
        read(GOOD, f"rules/{family}/a-rule.yaml")


def test_two_rules_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "some").mkdir(parents=True)
        (tmp_path / folder / "some" / "a-rule.yaml").write_text(GOOD)

    with pytest.raises(RuleError, match=r"there is already a rule a-rule: .*one/some/a-rule.yaml"):
        load([tmp_path / "one", tmp_path / "two"])


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such folder of rules"):
        load([tmp_path / "none"])


def test_a_persons_own_folder_may_hold_the_rules_themselves(tmp_path: Path) -> None:
    (tmp_path / "a-rule.yml").write_text(GOOD)

    assert [("a-rule", tmp_path.name)] == [(rule.id, rule.family) for rule in load([tmp_path])]


def test_a_folder_of_rules_without_a_good_name_is_the_family_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my rules"
    folder.mkdir()
    (folder / "a-rule.yaml").write_text(GOOD)
    monkeypatch.chdir(folder)

    assert ["own", "own"] == [rule.family for where in (folder, Path()) for rule in load([where])]


def test_a_shipped_rule_is_replaced_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "narrow-ephemeral-range.yaml").write_text(GOOD.replace("a-rule", "narrow-ephemeral-range"))

    with pytest.raises(RuleError, match=r"there is already a rule narrow-ephemeral-range: .*; no rule replaces another"):
        load([rules_directory(), tmp_path])


def test_a_folder_without_rules_is_an_error_that_says_where_rules_lie(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.yaml").write_text("x")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep.yaml").write_text("x")

    with pytest.raises(RuleError, match=r"no rule is in this folder: a rule is a file ID.yaml or FAMILY/ID.yaml in it"):
        load([tmp_path])


# (how the file a-rule.yaml is made, the complaint)
FILES = {
    "a link out of it": (lambda path: path.symlink_to("/etc/passwd"), "a link to /etc/passwd, where this folder of rules has nothing"),
    "a link upwards": (lambda path: path.symlink_to("../../../../etc/passwd"), r"a link to \.\./\.\./\.\./\.\./etc/passwd, where"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "too many levels of symbolic links"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "a link to /dev/zero, where this folder of rules has nothing"),
    "a pipe": (os.mkfifo, "a FIFO is not a file to read"),
    "a file without end": (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 40), "larger than 16 MiB"),
    "a large file": (lambda path: path.write_text("a" * (5 << 20)), "more than 4 MiB of rules in one folder"),
}


@pytest.mark.parametrize(("make", "complaint"), FILES.values(), ids=FILES)
def test_what_is_no_file_of_the_folder_is_not_read(make: Any, complaint: str, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    make(folder / "a-rule.yaml")

    with pytest.raises(RuleError, match=f"a-rule.yaml:1:1: {complaint}"):
        load([folder])


def test_a_folder_of_very_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.trees.directory.MOST_NAMES", 100)
    for number in range(101):
        (tmp_path / f"{number}").touch()

    with pytest.raises(RuleError, match="more than 100 names in one directory"):
        load([tmp_path])


def test_very_many_folders_of_very_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.rules.loading._MOST_NAMES", 50)
    for family in range(8):
        (tmp_path / f"f{family}").mkdir()
        for number in range(8):
            (tmp_path / f"f{family}" / f"{number}").touch()

    with pytest.raises(RuleError, match="f4:1:1: more than 50 names in a folder of rules and those in it"):
        load([tmp_path])


def test_more_rules_than_anybody_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.rules.loading._MOST_RULES", 3)
    for number in range(4):
        (tmp_path / f"r{number}.yaml").write_text(GOOD.replace("a-rule", f"r{number}"))

    with pytest.raises(RuleError, match="more than 3 rules"):
        load([tmp_path])


def test_a_file_that_is_not_utf_8_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a-rule.yaml").write_bytes(b"id: a\nwhy: \xff\n")

    with pytest.raises(RuleError, match=r"a-rule.yaml:2:1: not UTF-8"):
        load([tmp_path])
