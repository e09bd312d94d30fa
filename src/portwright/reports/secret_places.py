"""Secrets that no word of their own line announces: the columns of some files, and what the lines around one say of it.

`bob * hunter2 *` is a secret in chap-secrets, `MONITOR ups@h 1 bob hunter2 primary` in upsmon.conf; `value: hunter2` is one below
`name: DB_PASSWORD`, and so is each line below `tokens:`, within a private key, or after `--password \\`.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from portwright._start.lazy_regex import lazy_regex
from portwright.source import Source

Stretch = tuple[int, int]
Meaning = Callable[[str], str]

# What configuration management and package managers append to the name of a file.
_APPENDED = lazy_regex(r"j2|jinja2?|erb|epp|tmpl|tpl|tt|in|sample|example|dist|bak|backup|old|orig|save|rpmsave|rpmnew|rpmorig|dpkg-\w+")

# Files by their path, and what of their lines is secret: every group is.
_COLUMNS: tuple[tuple[re.Pattern[str], tuple[re.Pattern[str], ...]], ...] = (
    (
        lazy_regex(r"/snmp[\w.-]*\.conf|/snmp/"),
        (
            lazy_regex(r"^\s*createuser\s+(?:-e\s+\S+\s+)?(?:\"[^\"]*\"|\S+)\s+\S+\s+(.+)", re.IGNORECASE),
            lazy_regex(r"^\s*com2sec(?:6|unix)?\s+(?:-Cn\s+\S+\s+)?\S+\s+\S+\s+(.+)", re.IGNORECASE),
            lazy_regex(r"^\s*usmuser\s+(.+)", re.IGNORECASE),
            lazy_regex(r"^\s*authcommunity\s+\S+\s+(\S+)", re.IGNORECASE),
            lazy_regex(r"^\s*(?:def\w*(?:passphrase|community)|oldengineid)\s+(.+)", re.IGNORECASE),
            lazy_regex(r"(?<=\s)-[cAX]\s*(\"[^\"]*\"|\S+)"),
        ),
    ),
    (
        lazy_regex(r"/raddb/clients|/radiusclient[\w.-]*/servers|/radcli/servers|/pam_radius[\w.-]*"),
        (lazy_regex(r"^\s*(?!#)\S+\s+(\S+)\s*(?:[0-9]+\s*)?$"),),
    ),
    (lazy_regex(r"/tac_?plus[\w.-]*"), (lazy_regex(r"\b(?:cleartext|des|crypt)\s+(.+)"),)),
    (lazy_regex(r"/upsmon\.conf"), (lazy_regex(r"^\s*MONITOR\s+\S+\s+\S+\s+\S+\s+(\"[^\"]*\"|\S+)"),)),
    (
        lazy_regex(r"/monit(?:rc|/.*|\.d/.*)"),
        (lazy_regex(r"^\s*allow\s+\"?[\w.@-]+\"?:(\"[^\"]*\"|[^\s:]+)(?=\s|$)", re.IGNORECASE),),
    ),
    (
        lazy_regex(r"/(?:tgt|iet|scst|ietd|istgt)[\w.-]*(?:/.*)?"),
        (lazy_regex(r"^\s*(?:incoming|outgoing)user\s*+=?\s*+\S++\s+(.+)", re.IGNORECASE),),
    ),
    (lazy_regex(r"/voicemail\.conf"), (lazy_regex(r"^\s*[0-9*#]+\s*=>\s*([^,]+)"),)),
    (lazy_regex(r"/(?:coturn/.*|turnserver[\w.-]*)"), (lazy_regex(r"^\s*(?:user|lt-cred-mech-user)\s*=\s*[^:\s]+:(.+)"),)),
    (lazy_regex(r"/squid[\w.-]*(?:/.*)?"), (lazy_regex(r"(?<=\s)-w\s*(\"[^\"]*\"|\S+)"),)),
    (
        lazy_regex(r"/exim[\w.-]*(?:/.*)?"),
        (lazy_regex(r"^\s*hide\s+[\w]+\s*=\s*(.+)"), lazy_regex(r"^\s*client_send\s*=\s*(?!.*\$\{)(.+)")),
    ),
    (
        lazy_regex(r"/(?:frr|quagga|bgpd|ospfd|ripd|isisd|zebra|eigrpd|ldpd|babeld)[\w.-]*(?:/.*)?"),
        (lazy_regex(r"\b(?:authentication\s+string|key-string|(?:area-|domain-)?password(?:\s+(?:clear|md5|8))?)\s+(.+)"),),
    ),
    (lazy_regex(r"/accel-ppp[\w.-]*"), (lazy_regex(r"^\s*(?:dae-)?server\s*=[^,]*+,([^,]+)"),)),
    (lazy_regex(r"/(?:(?>[^/]*bitcoin)[\w.-]*|[^/]*coin\.conf)"), (lazy_regex(r"^\s*rpcauth\s*=\s*[^:\s]*:(.+)"),)),
    (lazy_regex(r"/(?:x|v2)ray[\w.-]*(?:/.*)?|/sing-box/.*"), (lazy_regex(r"\"(?:id|uuid|shortIds?)\"\s*+:\s*+(?:\[\s*+)?\"([^\"]+)"),)),
    (
        lazy_regex(r"/(?>[^/]*jaas)[\w.-]*|/[^/]*\.properties"),
        (lazy_regex(r"(?<![\w.-])(?>[\w.-]*?\buser_)[\w.-]++\s*=\s*[\"']?([^\"';\s]+)"),),
    ),
    (lazy_regex(r"/(?:[\w.-]*-)?(?:realm|users)\.properties"), (lazy_regex(r"^\s*[\w.@-]+\s*[:=]\s*([^,]+)"),)),
    (lazy_regex(r"/tomcat[^/]*/.*|/server\.xml"), (lazy_regex(r"<Server\b[^<>]*\bshutdown=[\"']([^\"']+)"),)),
    (lazy_regex(r"/n2n/.*|/(?:edge|supernode)[\w.-]*\.conf"), (lazy_regex(r"^\s*-k[\s=]*(\S+)"),)),
    (lazy_regex(r"/caddy/.*|/caddyfile[\w.-]*"), (lazy_regex(r"^\s*(?:acme_)?dns\s+\w+\s+(?!\{)(\S+)"),)),
)  # fmt: skip

_BEFORE = 30
_NEAR = 8192
_LONGEST_KEY = 400  # lines; RSA of 16384 bits has two hundred
_MOST_ABOVE = 6
_NAMED_BY = frozenset(("name", "key", "id", "label", "variable", "env", "option"))
_HOLDS = frozenset(("value", "default", "content", "defaultvalue", "string", "val", "text", "data"))
# Below these stand names and passwords, or passwords alone, though they are called as no secret is.
_OF_USERS = frozenset((
    "admins", "basicauth", "basic_auth", "basic_auth_users", "basicauth_users", "auth_users", "chpasswd", "userpass",
    "users_plain", "users",
))  # fmt: skip
_ABOVE = lazy_regex(
    r"\s*(?:-\s{1,8})?(?P<open>[\"'<\[]?)(?P<name>[A-Za-z_][\w.-]{0,99})(?:\s{1,8}(?P<of>\"?[\w.$*/-]{1,99}\"?)){0,2}[\"'>\]]?"
    r"\s{0,8}(?P<sign>:=|=>|[:=])?\s{0,8}(?P<opener>[\[{(]|[|>][+-]?[0-9]?|\"{3}|'{3})?\s*$"
)
_ENTRY = lazy_regex(
    r"\s*(?:-\s{1,8})?[\"']?(?P<name>[A-Za-z_][\w.-]{0,99})[\"']?\s{0,8}(?::=|=>|[:=]|\s)\s{0,8}"
    r"(?P<value>\S(?:.*[^\s,;])?)[\s,;]*$"
)
_TAGGED = lazy_regex(r"\s*<(?P<name>[A-Za-z_][\w.-]{0,99})>(?P<value>[^<]+)")
_ITEM = lazy_regex(r"\s*(?:-\s{1,8})?(?P<value>\S(?:.*[^\s,;])?)[\s,;]*$")
_OF_A_USER = lazy_regex(r"\s*(?:-\s{1,8})?[\"']?[\w.@-]{1,99}[\"']?\s{0,8}[:=\s]\s{0,8}(?P<value>\S(?:.*[^\s,;])?)[\s,;]*$")
_PAIR = lazy_regex(r"\s*-\s{1,8}[\"']?[\w.@-]{1,99}:(?P<value>[^\s:\"']+)[\"']?\s*$")
_MAP = lazy_regex(r"\s*map\s{1,8}\$?(?P<name>[\w.-]{1,99})\s")
_ELEMENT = lazy_regex(r"\s*(?:-\s{1,8})?[\"']?(?P<name>-{1,2}\w[\w-]{0,99})[\"']?\s{0,8},?\s*$")
_LONG_STRING = lazy_regex(r"\s*[\"']?(?P<name>[A-Za-z_][\w.-]{0,99})[\"']?\s{0,8}[:=]\s{0,8}(?:\"{3}|'{3})")
_KIND_SECRET = lazy_regex(r"^kind:\s{0,8}[\"']?Secret\b", re.MULTILINE)
# What else may be said of a secret, or of who has it.
_ABOUT_ONE = frozenset((
    "name", "realm", "path", "file", "type", "user", "username", "host", "hostname", "address", "listen", "bind", "method", "algorithm",
    "kind", "provider", "backend", "engine", "format", "uid", "gid", "mode", "owner", "group", "groups", "shell", "home", "comment",
    "description",
))  # fmt: skip
# A port, a flag, a path and an address with its port are none, whatever stands above.
_NO_SECRET = lazy_regex(
    r"[\"']?(?:[0-9]{1,5}|[\w.*\[\]:-]*:[0-9]{1,5}|true|false|yes|no|on|off|none|null|~|[./$%{\[(&*|>][^\s]*)[\"']?\Z", re.IGNORECASE
)
_KEY_BEGINS = lazy_regex(r"-----BEGIN (?!CERT|X509|PUBLIC|TRUSTED|DH PARA|EC PARA|[A-Z ]*PUBLIC)[\w ]{1,60}-----")
_KEY_ENDS = lazy_regex(r"-----END [\w ]{1,60}-----")
_KEY_LINE = lazy_regex(r"\s*[\"']?(?P<value>[A-Za-z0-9+/=]{2,}(?:\\n)?)[\"',]*\s*$")


def by_file(path: str, line: str) -> Iterator[Stretch]:
    """What the columns of a file make a secret, whose kind its path tells."""
    for pattern in _patterns(path):
        for match in pattern.finditer(line):
            for group in range(1, pattern.groups + 1):
                if match[group]:
                    yield match.span(group)


@lru_cache(maxsize=256)
def _patterns(path: str) -> tuple[re.Pattern[str], ...]:
    place = _bare(path if path.startswith("/") else f"/{path}").casefold()
    found: list[re.Pattern[str]] = []
    for files, patterns in _COLUMNS:
        if any(files.fullmatch(place, start) for start in _slashes(place)):
            found += patterns
    return tuple(found)


def _bare(path: str) -> str:
    """A path without what is appended to the name of a file, once or again and again."""
    end = len(path)
    while end:
        dot = end - 1 if path[end - 1] == "~" else path.rfind(".", 0, end)
        if dot < 0 or (path[dot] == "." and not _APPENDED.fullmatch(path, dot + 1, end)):
            break
        end = dot
    return path[:end]


def _slashes(path: str) -> Iterator[int]:
    """Where the last folders and the name of a path begin; a file lies in no more than a few that say what it is."""
    start = len(path)
    for _ in range(_MOST_ABOVE):
        start = path.rfind("/", 0, start)
        if start < 0:
            return
        yield start


def by_neighbours(source: Source, number: int, meaning: Meaning) -> Iterator[Stretch]:
    """What the lines around a line make a secret of it; `meaning` says of a name whether it is that of one."""
    line = source.line(number)
    if not line.strip() or len(line) > _NEAR:
        return
    yield from _after_an_option(source, number, line, meaning)
    yield from _beside(source, number, line, meaning)
    yield from _below(source, number, line, meaning)
    if (match := _KEY_LINE.match(line)) is not None and any(number in lines for lines in _keys(source)):
        yield match.span("value")
    if _in_a_long_string(source, number, meaning):
        yield 0, len(line)


def _after_an_option(source: Source, number: int, line: str, meaning: Meaning) -> Iterator[Stretch]:
    """The element of a list after `--password`."""
    before = _ELEMENT.match(source.line(number - 1)[:_NEAR])
    item = _ITEM.match(line)
    if before is None or item is None or not meaning(before["name"]):
        return
    if not item["value"].strip("\"'").startswith("-") and not _NO_SECRET.match(item["value"]):
        yield item.span("value")


def _in_a_long_string(source: Source, number: int, meaning: Meaning) -> bool:
    """Whether a line is one of those between password = \"\"\" and its end."""
    if not _has_long_strings(source):
        return False
    for near in range(number - 1, max(number - 1 - _BEFORE, 0), -1):
        line = source.line(near)[:_NEAR]
        if (marks := line.count('"""') + line.count("'''")) > 0:
            opening = _LONG_STRING.match(line)
            return marks == 1 and opening is not None and meaning(opening["name"]) == "strong"
    return False


def _beside(source: Source, number: int, line: str, meaning: Meaning) -> Iterator[Stretch]:
    """`value: x` beside `name: DB_PASSWORD`, in the order either has."""
    entry = _TAGGED.match(line) or _ENTRY.match(line)
    if entry is None or entry["name"].casefold() not in _HOLDS:
        return
    first_of_item = line.lstrip().startswith(("- ", "{"))
    for near in (*(() if first_of_item else range(number - 1, max(number - 4, 0), -1)), number + 1, number + 2):
        other = source.line(near)[:_NEAR]
        named = _TAGGED.match(other) or _ENTRY.match(other) or _ABOVE.match(other)
        if named is None or (near > number and other.lstrip().startswith("- ")):
            if near > number:
                return
            continue
        said = named["value"] if "value" in named.re.groupindex else named["of"] or ""
        if named["name"].casefold() in _NAMED_BY:
            if meaning(said.strip("\"' ,;<>")):
                yield entry.span("value")
            return


def _below(source: Source, number: int, line: str, meaning: Meaning) -> Iterator[Stretch]:
    """What stands in a block: a list or a text of secrets, users with their passwords."""
    item = _ITEM.match(line)
    entry = _ENTRY.match(line)
    if item is None or (_NO_SECRET.match((entry or item)["value"]) and not _has_map(source)):
        return
    if entry is None and (opens := _ABOVE.match(line)) is not None and (opens["sign"] or opens["opener"]):
        return
    for above, other in enumerate(_blocks(source, number, line)):
        if above == 0 and (mapped := _MAP.match(other)) is not None and meaning(mapped["name"]):
            if not line.lstrip().startswith(("default", "include", "volatile", "hostnames")):
                yield item.start("value"), _end_of_word(line, item.start("value"))
            return
        found = _ABOVE.match(other)
        if found is None or not (found["sign"] or found["opener"] or found["open"] in ("<", "[")):
            continue
        name = found["name"].casefold().replace("-", "_")
        if name in _OF_USERS and (above == 0 or name == "chpasswd"):
            match = _PAIR.match(line) if name == "users" else _OF_A_USER.match(line)
        elif above == 0 and name in ("data", "stringdata") and _is_of_kind_secret(source):
            match = entry
        elif above == 0 and "strong" in (meaning(found["name"]), meaning((found["of"] or "").strip('"'))):
            match = item if (found["opener"] or "")[:1] in ("|", ">", '"', "'") else entry or item
        else:
            match = None
        if match is not None and not _NO_SECRET.match(match["value"]) and not (entry and entry["name"].casefold() in _ABOUT_ONE):
            yield match.span("value")
            return


@lru_cache(maxsize=16)
def _has_long_strings(source: Source) -> bool:
    return '"""' in source.text or "'''" in source.text


@lru_cache(maxsize=16)
def _has_map(source: Source) -> bool:
    return "map " in source.text


@lru_cache(maxsize=16)
def _is_of_kind_secret(source: Source) -> bool:
    return _KIND_SECRET.search(source.text) is not None


def _blocks(source: Source, number: int, line: str) -> Iterator[str]:
    """The lines that open what a line stands in, the nearest first: each is indented less, but for the sections of an INI file."""
    indent, is_item = _indent(line), line.lstrip().startswith("- ")
    found = 0
    for near in range(number - 1, max(number - 1 - _BEFORE, 0), -1):
        other = source.line(near)
        if not indent and not is_item and not other.startswith("["):
            continue
        if not other.strip() or len(other) > _NEAR or other.lstrip().startswith("#"):
            continue
        depth = _indent(other)
        is_section = depth == indent == 0 and other.startswith("[")
        if depth < indent or is_section or (is_item and depth == indent and not other.lstrip().startswith("- ")):
            yield other
            indent, is_item = depth, False
            found += 1
            if is_section or found == _MOST_ABOVE:
                return


@lru_cache(maxsize=16)
def _keys(source: Source) -> tuple[range, ...]:
    """The lines between the beginning and the end of each private key in a file."""
    found: list[range] = []
    last = source.text.count("\n") + 1
    for begins in _KEY_BEGINS.finditer(source.text):
        first = end = source.span(*begins.span()).line + 1
        while end <= min(last, first + _LONGEST_KEY) and _may_be_of_a_key(source.line(end)[:_NEAR]):
            end += 1
        found.append(range(first, end))
    return tuple(found)


def _may_be_of_a_key(line: str) -> bool:
    return _KEY_ENDS.search(line) is None and (_KEY_LINE.match(line) is not None or ":" in line or not line.strip())


def continued(source: Source, number: int) -> str:
    """The lines before one that end in a backslash, as what stands before it; "" where it begins on its own."""
    parts: list[str] = []
    size = 0
    for near in range(number - 1, max(number - 1 - _BEFORE, 0), -1):
        line = source.line(near)
        size += len(line)
        if not line.endswith("\\") or size > _NEAR:
            break
        parts.append(f"{line[:-1]} ")
    return "".join(reversed(parts))


def _indent(line: str) -> int:
    blanks = line[: len(line) - len(line.lstrip())]
    return len(blanks.expandtabs(8))


def _end_of_word(line: str, at: int) -> int:
    if line[at] in "\"'" and (end := line.find(line[at], at + 1)) >= 0:
        return end
    while at < len(line) and not line[at].isspace():
        at += 1
    return at
