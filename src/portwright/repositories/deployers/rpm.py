"""RPM specs: the files that `%install` puts into a package, and what its scriptlets do to the host that installs it."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages
from portwright.system.spanned_text import UNKNOWN

_SECTION = lazy_regex(
    r"%(package|description|prep|generate_buildrequires|conf|build|install|check|clean|pre|post|preun|postun|pretrans|posttrans|preuntrans"
    r"|postuntrans|triggerin|triggerun|triggerprein|triggerpostun|filetriggerin|filetriggerun|transfiletriggerin|transfiletriggerun"
    r"|verifyscript|files|changelog|sepolicy)\b"
)
_WALKED = frozenset(("install", "post", "posttrans", "pre"))
_DEFINES = lazy_regex(r"%(?:define|global)[ \t]+([A-Za-z_]\w{0,63})[ \t]+(.{1,400})")
_TAG = lazy_regex(r"(?i:(name|version|release)|(source|patch)([0-9]{0,5}))[ \t]*:[ \t]*(\S.{0,400})")
_MACRO = lazy_regex(
    r"%%|%\{(\??!?\??)(S:[0-9]{1,5}|[A-Za-z_]\w{0,63})(:[^{}]{0,200})?\}|%([A-Za-z_]\w{2,63})|%\([^()\n]{0,200}\)|\$RPM_BUILD_ROOT|\$\{RPM_BUILD_ROOT\}"
)
_DIRECTORY = {
    "_prefix": "/usr",
    "_sysconfdir": "/etc",
    "_bindir": "/usr/bin",
    "_sbindir": "/usr/sbin",
    "_datadir": "/usr/share",
    "_libdir": "/usr/lib64",
    "_libexecdir": "/usr/libexec",
    "_localstatedir": "/var",
    "_sharedstatedir": "/var/lib",
    "_unitdir": "/usr/lib/systemd/system",
    "_sysctldir": "/usr/lib/sysctl.d",
    "_initddir": "/etc/rc.d/init.d",
    "_initrddir": "/etc/rc.d/init.d",
    "_tmpfilesdir": "/usr/lib/tmpfiles.d",
    "__install": "install",
    "__mkdir": "mkdir",
    "__mkdir_p": "mkdir -p",
    "__cp": "cp",
    "__rm": "rm",
    "__mv": "mv",
    "__cat": "cat",
    "__sed": "sed",
    "__ln_s": "ln -s",
    "buildroot": "",
    "dist": "",
}
_DEEPEST = 8


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the package puts on a host."""
    pages = Pages(label, cut=len(text) > LONGEST)
    lines = text[:LONGEST].split("\n")
    macros = _macros(lines)
    section = ""
    script: list[Line] = []
    for number, line in enumerate(lines, 1):
        begins = _SECTION.match(line)
        if begins is not None:
            section = begins[1]
        # Conditions on what builds it, and what rpm itself writes there, are of no matter.
        if begins is not None or section not in _WALKED or line.startswith(("%if", "%else", "%endif", "%elif", "%systemd_")):
            if section not in ("", "build", "check") or line.startswith(("%if", "%else", "%endif")):
                pages.understood.add(number)
            script.append(Line("", label, number))
            continue
        script.append(Line(_expanded(line, macros, 0), label, number))
    shell.write(script, pages, checkout)
    return pages.deployed()


def _macros(lines: list[str]) -> dict[str, str]:
    found = dict(_DIRECTORY)
    for line in lines:
        if (defined := _DEFINES.match(line.strip())) is not None:
            found[defined[1]] = _expanded(defined[2].strip(), found, 0)
        elif (tag := _TAG.match(line)) is not None:
            value = _expanded(tag[4].strip(), found, 0)
            if tag[1] is not None:
                found.setdefault(tag[1].lower(), value)
            elif tag[2].lower() == "source":
                number = tag[3] or "0"
                found[f"SOURCE{number}"] = found[f"S:{number}"] = value.rpartition("/")[2]
    return found


def _expanded(text: str, macros: dict[str, str], depth: int) -> str:
    """A text with its macros filled in, U+FFFD for those that nobody knows."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if "RPM_BUILD_ROOT" in found[0]:
            return ""
        name = found[2] or found[4] or ""
        asked, otherwise = found[1] or "", found[3]
        if "?" in asked:
            is_set = name in macros
            if "!" in asked:
                return "" if is_set or otherwise is None else _expanded(otherwise[1:], macros, depth + 1) if depth < _DEEPEST else UNKNOWN
            if otherwise is not None:
                return _expanded(otherwise[1:], macros, depth + 1) if is_set and depth < _DEEPEST else ""
            return macros.get(name, "")
        if found[4] is not None and name not in macros:
            return found[0]
        return macros.get(name, UNKNOWN)

    return _MACRO.sub(value, text)
