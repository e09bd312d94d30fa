"""vsftpd: vsftpd.conf and -o settings become the port it listens on, and the ports of passive transfers where somebody names them."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Confidence, Endpoint, Invocation, Origin
from portwright.formats.vsftpd import Setting, parse, read_option
from portwright.numbers import based, decimal
from portwright.ports import PortSet
from portwright.source import Span, Unreadable, Word
from portwright.system.host_files import names
from portwright.trees import Files

_DEFAULTS = ("/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf")  # VSFTP_DEFAULT_CONFIG as Debian and Red Hat build it
_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_SWITCHES = frozenset(("listen", "listen_ipv6", "pasv_enable"))
_NUMBERS = frozenset(("listen_port", "pasv_min_port", "pasv_max_port"))
_DIGITS = lazy_regex("[0-9]{0,9}")
_Settings = dict[str, tuple[Word, Origin]]


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What a vsftpd binds: files and -o settings count in the order of the command line, the built-in file comes after all of them."""
    settings: _Settings = {}
    broken = False
    confidence: Confidence = "certain"
    paths: list[Word] = []
    for word in invocation.argv[1:]:
        if word.text.startswith("-v"):
            return ()
        if word.text.startswith("-o"):
            broken |= _take((read_option(Word(word.text[2:], word.at)),), "argument", settings, files)
        elif not word.text.startswith("-"):
            paths.append(word)
            path = invocation.path(word.text)
            broken |= _read_file(path, word.at, settings, files)
    if not paths:
        default = next((path for path in _DEFAULTS if files.kind(path) == "file"), None)
        if default is not None:
            broken |= _read_file(default, invocation.at, settings, files)
    if broken or invocation.sockets:
        return ()
    return _endpoints(settings, invocation.at, files, confidence)


def _read_file(path: str, at: Span, settings: _Settings, files: Files) -> bool:
    """Whether vsftpd refuses to start with this file."""
    source = files.read(path)
    if source is None:
        files.report_missing(at, f"vsftpd does not start: {path} is not there")
        return True
    found, wrong = parse(source)
    return _take((*found, *wrong), "directive", settings, files)


def _take(found: tuple[Setting | Unreadable, ...], origin: Origin, settings: _Settings, files: Files) -> bool:
    broken = False
    for each in found:
        if isinstance(each, Unreadable):
            broken |= _refuse(files, each)
        elif each.key.text in _SWITCHES and each.value.text.lower() not in _BOOLEANS:
            broken |= _refuse(files, Unreadable(each.value.at, f"{each.key.text} takes YES or NO"))
        elif each.key.text in _NUMBERS and not each.value.text:
            broken |= _refuse(files, Unreadable(each.value.at, f"{each.key.text} has no value"))
        else:
            settings[each.key.text] = (each.value, origin)
    return broken


def _refuse(files: Files, wrong: Unreadable) -> bool:
    files.report_unreadable(wrong.at, f"vsftpd does not start: {wrong.reason}")
    return True


def _endpoints(settings: _Settings, at: Span, files: Files, confidence: Confidence) -> tuple[DaemonFact, ...]:
    v4, v6 = _is_on(settings, "listen"), _is_on(settings, "listen_ipv6")
    if v4 is v6:
        if v4:
            _refuse(files, Unreadable(settings["listen"][0].at, "listen and listen_ipv6 are both on, that takes two instances"))
        return ()  # with neither it waits for a connection from inetd
    key = "listen_address6" if v6 else "listen_address"
    given = settings.get(key)
    address = given[0].text if given and given[0].text else "::" if v6 else "0.0.0.0"  # noqa: S104
    if not names.is_address(address) or (":" in address) is not v6:
        _refuse(files, Unreadable(given[0].at if given else at, f"bad {key}"))
        return ()
    port, where, origin = _port(settings, at)
    found = [
        Endpoint(
            at=where,
            app="vsftpd",
            protocol="tcp",
            address=address,
            ports=PortSet.of(port) if port else PortSet(),
            random=not port,
            origin=origin,
            reuse_address=True,  # standalone.c; for `::` it leaves IPV6_V6ONLY as net.ipv6.bindv6only has it
            v6only=None if address == "::" else True if v6 else None,
            confidence=confidence,
        )
    ]
    passive = _passive(settings)
    if passive is not None:
        ports, passive_at, passive_origin = passive
        # privops.c: each transfer binds the address its client came to.
        found.append(
            Endpoint(
                at=passive_at,
                app="vsftpd",
                protocol="tcp",
                address=address,
                ports=ports,
                origin=passive_origin,
                reuse_address=True,
                v6only=None if address == "::" else True if v6 else None,
                on_demand=True,
                why="bound while a passive transfer lasts",
                confidence=confidence,
            )
        )
    return tuple(found)


def _is_on(settings: _Settings, key: str, default: bool = False) -> bool:
    return _BOOLEANS[settings[key][0].text.lower()] if key in settings else default


def _port(settings: _Settings, at: Span) -> tuple[int, Span, Origin]:
    if "listen_port" in settings:
        word, origin = settings["listen_port"]
        return _number(word.text) & 0xFFFF, word.at, origin
    for key in ("listen", "listen_ipv6"):
        # Nothing names port 21: the line to show is the one that makes it listen.
        if _is_on(settings, key):
            return 21, settings[key][0].at, "default"
    return 21, at, "default"


def _passive(settings: _Settings) -> tuple[PortSet, Span, Origin] | None:
    """The ports of passive transfers; None where they are off, or any port will do because nobody names one."""
    if not _is_on(settings, "pasv_enable", default=True):
        return None
    given = [settings[key] for key in ("pasv_min_port", "pasv_max_port") if key in settings and _number(settings[key][0].text)]
    if not given:
        return None
    low = _number(settings["pasv_min_port"][0].text) if "pasv_min_port" in settings else 0
    high = _number(settings["pasv_max_port"][0].text) if "pasv_max_port" in settings else 0
    low = low if 1024 <= low <= 65535 else 1024
    high = high if 1024 <= high <= 65535 else 65535
    if low > high:
        low = high
    return PortSet.of((low, high)), given[0][0].at, given[0][1]


def _number(text: str) -> int:
    """A number as parseconf.c reads it: digits up to the first other character, octal with a leading 0."""
    found = _DIGITS.match(text)
    digits = found[0] if found else ""
    if digits.startswith("0"):
        octal = re.match("[0-7]*", digits)
        return (based(octal[0], 8) or 0) if octal else 0
    return decimal(digits) or 0
