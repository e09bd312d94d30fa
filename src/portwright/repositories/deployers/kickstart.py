"""Kickstart files' `%post` scripts, and the late command of a preseed: what an installation does to the new machine."""

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages

_BEGINS = lazy_regex(r"%(post|pre|pre-install|packages|addon|onerror|traceback|certificate|include)\b(.*)")
_OTHER_SHELL = lazy_regex(r"--interpreter[= ]{1,8}(?!\S{0,80}sh\b)")
_LATE = lazy_regex(r"[ \t]*\S+[ \t]+preseed/late_command[ \t]+string[ \t]+")


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the scripts for the new machine do."""
    pages = Pages(label, cut=len(text) > LONGEST)
    lines = text[:LONGEST].split("\n")
    script: list[Line] = []
    section, late = "", False
    for number, line in enumerate(lines, 1):
        begins = _BEGINS.match(line)
        if begins is not None and begins[1] != "include":
            section = begins[1] if not _OTHER_SHELL.search(begins[2]) else "other"
            pages.understood.add(number)
        elif line.startswith("%end"):
            section = ""
        elif section == "post":
            script.append(Line(line.rstrip("\r"), label, number))
        elif section in ("packages", "addon", "pre", "pre-install") or line.startswith(("firewall", "services", "network", "url", "repo")):
            pages.understood.add(number)
        if not section and (late or (found := _LATE.match(line)) is not None):
            begin = 0 if late else found.end()  # type: ignore[union-attr]
            late = line.endswith("\\")
            said = line[begin:].removesuffix("\\").replace("in-target ", "")
            # A command that goes on in the next line is one, whose parts end with `;`.
            script.append(Line(said + (" \\" if late and not said.rstrip().endswith((";", "&&")) else ""), label, number, begin))
    shell.write(script, pages, checkout)
    return pages.deployed()
