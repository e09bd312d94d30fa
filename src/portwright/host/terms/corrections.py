"""What rules may ask of lines that nothing reads: what was meant by them, where that is sure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from portwright.changes.edits import Edits
from portwright.facts import Assignment, Unit
from portwright.host import Host
from portwright.host.terms.registry import Derived, fact_value
from portwright.host.terms.unit import lines_about_others, lines_about_ports
from portwright.source import Rewrite, Rewriting, Source, Span
from portwright.system.spanned_text import UNKNOWN

if TYPE_CHECKING:
    from portwright.system.systemd.ignored_settings import Ignored

_CAUTION = "what was never read is read then: see that the service runs with it"


@fact_value("unit", "edits-that-correct")
def edits_that_correct(host: Host, unit: Unit) -> Derived[Edits | None]:
    """What puts the lines about ports or privileges right that systemd does not read; unknown where none is sure to be meant."""
    return Derived(_edits(host, unit, lines_about_ports(host, unit)))


@fact_value("unit", "edits-that-correct-others")
def edits_that_correct_others(host: Host, unit: Unit) -> Derived[Edits | None]:
    """What puts the other lines right that systemd does not read; unknown where none is sure to be meant."""
    return Derived(_edits(host, unit, lines_about_others(host, unit)))


def _edits(host: Host, unit: Unit, lines: Iterable["Ignored"]) -> Edits | None:
    lines = tuple(lines)
    if not lines or not any(line.section for line in lines):
        return None
    refused = next((reason for line in lines if (reason := _why_not(host, unit, line))), "")
    rewrites = () if refused else tuple(_rewrites(host, lines))
    meant = list(dict.fromkeys(f"{line.key}= in [{line.section}]" for line in lines))
    words = f"have {unit.name} say {', '.join(meant)} where systemd reads it"
    return Edits(unit.name, Rewriting(rewrites, words, refused, _CAUTION))


def _why_not(host: Host, unit: Unit, line: "Ignored") -> str:
    """Why a line is not put right by a program, "" where it is."""
    at = line.setting.at
    if not line.section:
        return f"{at}: {line.reason}"
    if (held := unit.value(line.section, line.key)) is not None:
        return f"{held.at} says {line.key}= too, and which of the two is meant cannot be determined"
    readers = host.once(_readers).get(at.path, ())
    if len(readers) > 1:
        return f"{at.path} is read for {' and '.join(readers[:2])}, and what is right for both cannot be determined"
    source = host.sources.get(at.path)
    if source is None or "\n" in _text(source, line):
        return f"{at} goes on in the next line, and is put right by hand"
    return ""


def _readers(host: Host) -> Mapping[str, list[str]]:
    """The units that are read from each file."""
    found: dict[str, list[str]] = {}
    for unit in host.units:
        for path in unit.files:
            found.setdefault(path, []).append(unit.name)
    return found


def _text(source: Source, line: "Ignored") -> str:
    start, end = source.stretch(line.setting.key_at.to(line.setting.at))
    return source.text[start:end]


def _rewrites(host: Host, lines: Iterable["Ignored"]) -> Iterator[Rewrite]:
    """Names spelt right where they stand; lines of another section go there, those of one section in their order."""
    moved: dict[tuple[str, str], list[str]] = {}
    gone: set[Span] = set()
    for line in lines:
        setting = line.setting
        source = host.sources[setting.at.path]
        right = f"{line.key}={_value(line)}"
        if line.section != setting.section:
            whole = setting.key_at.to(setting.at)
            yield Rewrite(whole, "", _text(source, line))
            gone.add(whole)
            moved.setdefault((setting.at.path, line.section), []).append(right)
        elif setting.key == "Environment" != line.key:
            yield Rewrite(setting.key_at.to(setting.at), setting.value.strip().strip("\"'"), _text(source, line))
        elif setting.key_at == setting.at:
            yield Rewrite(setting.at, right, _text(source, line))
        else:
            yield Rewrite(setting.key_at, line.key, setting.key)
    for (path, section), right_lines in moved.items():
        source = host.sources[path]
        # What stands in a last line without its end leaves none behind.
        is_ended = any(each.path == path and source.stretch(each)[1] == len(source.text) for each in gone)
        yield _put_into(source, section, right_lines, is_ended=is_ended or not source.text or source.text.endswith("\n"))


def _value(line: "Ignored") -> str:
    setting = line.setting
    return setting.key.partition(" ")[2].strip() if setting.key_at == setting.at else setting.value


def _put_into(source: Source, section: str, lines: Iterable[str], *, is_ended: bool) -> Rewrite:
    """Lines below the heading of a section, which is made at the end where the file has none."""
    text = source.text
    end = "\r\n" if "\r\n" in text else "\n"
    headings = list(re.finditer(rf"(?m)^[ \t]*\[{section}\][ \t]*\r?$", text))
    new = "".join(f"{line}{end}" for line in lines)
    if not headings:
        between = end if is_ended else end * 2
        return Rewrite(source.span(len(text), len(text)), f"{between}[{section}]{end}{new}")
    place = text.find("\n", headings[-1].end()) + 1
    if not place:
        return Rewrite(source.span(len(text), len(text)), f"{end}{new}".removesuffix(end))
    return Rewrite(source.span(place, place), new)


@fact_value("assignment", "key-as-meant")
def key_as_meant(host: Host, assignment: Assignment) -> Derived[str | None]:
    """The kernel setting that the name of a line is surely meant to be; unknown where it is like none, or another line sets that one."""
    is_known = UNKNOWN not in assignment.value  # what is filled in later nobody proves anything about
    if assignment.outcome != "ignored" or not assignment.reason.startswith("no such key") or not is_known:
        return Derived(None)
    from portwright.system.sysctl.kernel import meant_by

    key = meant_by(assignment.key)
    if key is None or any(each.key == key and each.value.split() != assignment.value.split() for each in host.assignments):
        return Derived(None)
    return Derived(key)
