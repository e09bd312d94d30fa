"""Profiles of tuned: the kernel settings that they make."""

from collections.abc import Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.literal import rows
from portwright.repositories.deployers.placed import Deployed, Line, Pages
from portwright.system.spanned_text import UNKNOWN

# `=>` and `=<` set a value only where the one of the kernel is lower or higher (tuned-profiles(7)).
_SETTING = lazy_regex(r"^\s*([a-z0-9_-]+(?:[./][\w*-]+)+)\s*=\s*[<>]?\s*(?:\"([^\"]*)\"|'([^']*)'|([^#\n]*))")
_SECTION = lazy_regex(r"^\s*\[([^\]\n]+)\]")
_VARIABLE = lazy_regex(r"\$\{[^}\n]*+\}|(\$\{[^}\n]*+)")  # what is not closed is none


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What a profile sets once it is the active one."""
    del checkout
    pages = Pages(label)
    _profile(rows(label, text, pages), pages)
    return pages.deployed()


def _profile(lines: Sequence[Line], pages: Pages) -> None:
    section = ""
    for line in lines:
        head = _SECTION.match(line.text)
        if head is not None:
            section = head[1].strip()
            pages.understood.add(line.number)
            continue
        if not line.text.strip() or line.text.lstrip().startswith(("#", ";")) or line.text.strip() == "type=sysctl":
            pages.understood.add(line.number)
            continue
        found = _SETTING.match(line.text) if section == "sysctl" else None
        if found is not None:
            group = next(each for each in (2, 3, 4) if found[each] is not None)
            value = _VARIABLE.sub(lambda name: name[1] or UNKNOWN, found[group].strip())
            pages.set(line.number, line.shift + found.start(1) + 1, found[1], value, line.source)
