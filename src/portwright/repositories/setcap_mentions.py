"""Where files of a repository that are not read speak of giving a program a capability: tasks, install scripts, Dockerfiles."""

import re
from collections.abc import Iterable, Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.facts import Invocation
from portwright.repositories.not_read import LONGEST
from portwright.source import Span
from portwright.system.host_files.capabilities import file_capabilities

_BIND = "CAP_NET_BIND_SERVICE"
_NEAR = 5
"""Lines before and after one that names the capability, among which its program is named."""

# setcap(8): the capabilities, and the file they are given to, which a variable may name; and the same of Ansible's module.
_CALL = lazy_regex(r"""\bsetcap\s+(?:-q\s+)?(?P<quote>["']?)(?P<given>[^\s"']{3,200})(?P=quote)\s+["']?(?P<path>[/$][^\s"';|&]{1,400})""")
_GIVEN = lazy_regex(r"""\bcapability:\s*["']?(?P<given>[^\s"']{3,200})""")
_PATH = lazy_regex(r"""^[ \t-]{0,80}path:[ \t]*["']?(?P<path>/[^\s"']{1,400})["']?[ \t]*$""", re.MULTILINE)
_SPEAKS = lazy_regex(r"\bsetcap\b|(?i:\bcap_net_bind_service\b)")
_REMARK = ("#", "//", "{#", "<!--")
_FILLED_IN = ("$", "{{", "<%")
_LAST = ("makefile", "justfile", "postinst", "pkgbuild")
_ENDS = (".postinst", ".spec", ".install", ".mk")


@dataclass(frozen=True, slots=True)
class Mention:
    """A line that names setcap or the capability: the lines around it, all of its file, and whether its program is filled in later."""

    at: Span
    near: str
    text: str
    filled_in: bool
    role: str


def may_speak(label: str) -> bool:
    """Whether a file is looked through by its name although it configures nothing: what installs a program."""
    last = label.rpartition("/")[2].lower()
    return last in _LAST or last.endswith(_ENDS)


def mentions(label: str, text: str, role: str) -> Iterator[Mention]:
    """The lines of a file that speak of capabilities, remarks left out."""
    text = text[:LONGEST]
    # A pattern looks at every word of a repository; most files do not have these letters at all.
    if not ("setcap" in text or "cap_" in text.lower()) or not _SPEAKS.search(text):
        return
    lines = ["" if line.lstrip().startswith(_REMARK) else line for line in text.split("\n")]
    text = "\n".join(lines)
    told = [n for n, line in enumerate(lines) if _SPEAKS.search(line)]
    for number in told:
        near = "\n".join(lines[max(0, number - _NEAR) : number + _NEAR + 1])
        at = Span(label, number + 1, 1, number + 1, len(lines[number]) + 1)
        yield Mention(at, near, text, any(sign in near for sign in _FILLED_IN), role)


def perhaps_given(invocation: Invocation, role: str, said: Iterable[Mention]) -> Invocation:
    """The invocation with the line that may give its program a capability of its file, if there is one.

    A program whose path the line itself gives it to has it. One is meant that is named near that line; where a variable stands there, one
    that the file names at all or that its role starts.
    """
    name = invocation.argv[0].text.rpartition("/")[2] if invocation.argv else ""
    if not name or "\ufffd" in name:
        return invocation
    for each in said:
        if _gives(each, invocation.argv[0].text):
            privileges = invocation.privileges
            held = privileges.file_permitted | {_BIND}
            return replace(invocation, privileges=replace(privileges, file_permitted=held, file_known=True))
        if _names(each.near, name) or (each.filled_in and (_names(each.text, name) or (role and role == each.role))):
            return replace(invocation, privileges=replace(invocation.privileges, file_perhaps=each.at))
    return invocation


def _gives(said: Mention, program: str) -> bool:
    """Whether its line gives the file at this path the capability to bind low ports."""
    line = said.text.split("\n")[said.at.line - 1]
    call = _CALL.search(line)
    if call is not None:
        return _filled(call["path"], said.text) == program and _binds(call["given"])
    task = _GIVEN.search(line)
    return task is not None and _binds(task["given"]) and program in {found["path"] for found in _PATH.finditer(said.near)}


def _binds(given: str) -> bool:
    held = file_capabilities(given)
    return held.effective and _BIND in held.permitted


def _filled(path: str, text: str) -> str:
    """A path whose beginning is a variable, with what the script assigns to that last put in; as it is where nothing plain is."""
    if not path.startswith("$"):
        return path
    name = path[1:].partition("}")[0].removeprefix("{").partition("/")[0]
    said = re.findall(rf"""^\s*(?:readonly |export |local )?{re.escape(name)}=["']?(/[^\s"'$`]{{1,400}})["']?\s*$""", text, re.MULTILINE)
    return said[-1] + path.removeprefix(f"${name}").removeprefix(f"${{{name}}}") if said else path


def _names(text: str, name: str) -> bool:
    """Whether a text has this name as a word of its own."""
    start = text.find(name)
    while start >= 0:
        before, after = text[start - 1 : start] if start else "", text[start + len(name) : start + len(name) + 1]
        if not (before.isalnum() or before in ("_", "-")) and not (after.isalnum() or after in ("_", "-")):
            return True
        start = text.find(name, start + 1)
    return False
