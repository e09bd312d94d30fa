"""Secrets in what a report shows, struck out character by character, so that carets stay where they are.

A line of a file is read for what grammars and command lines call a secret: settings, variables, headers and options by their names
(`requirepass`, `DB_PASSWORD`, `Authorization`, `--token`), options that programs are known to have (`mysql -p`), and what addresses
carry before an `@`. A secret ends where its quotes do, else at a blank, else with the line where a setting has the line for itself.

Sentences are composed of such words, and no name in one is the beginning of a secret: `token-server.service: ...`. In them is struck
out what the lines they speak of say is secret, and what is one by its own form.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.coverage import Coverage
from portwright.facts import Listener, Outbound
from portwright.finding import Finding
from portwright.numbers import is_digits
from portwright.source import Source, Span, Unreadable

_Stretch = tuple[int, int]

# A name is that of a secret by its last word, or by how that ends.
_STRONG = frozenset((
    "password", "passwords", "passwd", "passwort", "passphrase", "passcode", "secret", "secrets", "token", "tokens", "credential",
    "credentials", "creds", "cred", "apikey", "psk", "pin", "jwt", "otp", "authorization", "requirepass", "masterauth", "proxyauth",
    "authtok", "icesecretread", "icesecretwrite", "radiussecrets",
    "masterpass", "userpass", "community", "rocommunity", "rwcommunity", "com2sec", "com2sec6", "createuser", "trapsink", "trap2sink",
    "informsink",
))  # fmt: skip
_ENDS_STRONG = ("password", "passwd", "passphrase", "secret", "token", "apikey", "secretkey", "accesskey", "privatekey", "authkey",
                "community")
# These are also the names of other things: what stands after one is secret where it is an option's, a compound's or assigned.
_WEAK = frozenset((
    "pass", "pwd", "pw", "key", "auth", "salt", "unseal", "nonce", "csrf", "license", "licence",
    "cookie", "session", "pat", "sig", "signature", "pair", "basic", "encrypt", "hmac",
))
# One word that ends like these: rootpw, sshpass; but not a way around something.
_ENDS_WEAK = lazy_regex(r"(?!(?:by|com|tres|proxy|sur|over)pass$)\w{2,}(?:pass|pw|pwd)")  # fmt: skip
_KEYS_ARE_STRONG = frozenset((
    "api", "private", "access", "secret", "encryption", "signing", "account", "shared", "license", "presharedkey", "preshared",
))  # fmt: skip
# proxy_pass and its like name a server
_PASSED_ON = frozenset((
    "proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached",
))  # fmt: skip
# What a name may have after the word that makes it one of a secret.
_TAILS = frozenset(
    ("value", "pbkdf2", "pbkdf", "text", "string", "raw", "base", "base64", "b64", "hash", "plain", "old", "new", "prod", "dev", "id",
     "encrypted", "command", "data")
)  # fmt: skip
_LONGEST_COUNT = 4  # digits of a number that counts secrets

_NAME = lazy_regex(r"-{0,2}\w[\w.-]*")
_CAMEL = lazy_regex(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = lazy_regex(r"[\s._\[\]-]+")
# Besides signs of assignment: a value's own element, <password>x, and the second argument of a call, define('PASSWORD', 'x').
_SIGN = lazy_regex(r"[\"'\]]{0,2}\s{0,8}(?:=>|:=|\|\|=|<<<|[!=+?]?=~?|[=:])\s{0,8}|[\"']?>(?=[^\s<])|[\"'],\s{0,8}(?=[\"'])")
_BLANK = lazy_regex(r"[\"']?\s{1,8}(?![-=:!])")
_HARMLESS = lazy_regex(r"[\"']?(?:[/.$~%<{]|(?:true|false|yes|no|on|off|none|null|auto|required|optional)\b)", re.IGNORECASE)
_WORD = lazy_regex(r"(?:[^\s\"'\\]|\\.)+")
_MOST_NAME = 200

# user:password before an @ (in a URL the user may be missing or be the token itself), and after the flags that take the pair.
# Inside one, a quote may be a letter as any other.
_REST = r"[^\s@\"'/]{1,256}(?:[\"'][^\s@\"'/]{1,256})?"
_URL = lazy_regex(r"://[^\s/@:\"']{0,256}:(?!(?:[0-9]{1,5})(?:[/?#,;&]|\Z))([^\s\"']{1,256}(?:[\"'][^\s\"']{1,256})?)@(?=[\w\[.:$%{*<])")
_URL_ALONE = lazy_regex(r"://([\w+=-]{12,256})@|://([^\s/@:\"]{8,256}):(?:x-oauth-basic)?@")
_BARE = lazy_regex(
    r"(?<![\w.+@/:-])(?!(?:inet6?|unix|local|tcp[46]?|udp[46]?|fd|vsock|file|host|ssl|pipe):)[\w.+-]{1,64}:"
    rf"(?![0-9]{{1,5}}@)({_REST})@(?=[\w\[(])"
)
_ORACLE = lazy_regex(
    r"(?:(?<=[\s=\"'])|(?<=thin:)|(?<=oci:)|^)[A-Za-z][\w$#]{0,63}/"
    rf"({_REST})@(?=(?://)?[\w\[])(?!\S{{1,200}}\.(?:service|socket|timer|target|path)\b)"
)
_PAIR = lazy_regex(
    r"(?:[\s\"']-u|--user|--proxy-user|\bauth|\bbasic|auth_users?|auth\.users|\bauth users|\blogin(?==))"
    r"(?:[\s=]{1,8}[\"']?|[\"'],\s{0,4}[\"'])"
    r"(?!(?-i:[A-Z0-9]+-[A-Z0-9]+:[0-9]))[\w.@-]{1,64}[:%,](\S)",  # what socat -u is given are addresses: UDP4-RECV:514
    re.IGNORECASE,
)
# curl writes its options together: -sub:p is -s -u b:p; a certificate's password follows its file.
_CURL = lazy_regex(r"[\s\"'](?:-[a-z#0-9]{0,8}[uUE]|--(?:proxy-)?cert)[\s=\"',]{0,4}[\w.@/\\-]{1,200}:(\S)")
_USERS = lazy_regex(r"\busers?\s{0,4}=\s{0,4}\[\s{0,4}[\"'][\w.@-]{1,64}:(\S)|\buser(?:name)?=[\w.@\\-]{1,64}%(\S)")
_AUTHORIZATION = lazy_regex(r"\b(?:basic|bearer)\s{1,8}([A-Za-z0-9+/=._~-]{6,4096})", re.IGNORECASE)
# Of a password: as crypt(5) and LDAP (RFC 2307) write it.
_HASH = lazy_regex(r"(\$(?:[1567y]|2[abxy]?|gy|apr1|argon2\w{0,2}|scrypt|pbkdf2[\w-]{0,16})\$[^\s:\"']{6,512})")
_SCHEME = lazy_regex(
    r"\{(?:S?SHA(?:256|384|512)?|S?MD5|CRYPT|ARGON2|PBKDF2|PLAIN|CLEAR(?:TEXT)?|LANMAN|NTLM|NT"
    r"|(?:PLAIN|LDAP|CRAM|DIGEST|HMAC|BLF|SHA256|SHA512|MD5|SCRAM|DES)-[\w-]{1,16})\}(\S)",
    re.IGNORECASE,
)
# What is asked for by name only: a login to a registry, a user of htpasswd, and what a shell pipes into a prompt.
_LOGIN = lazy_regex(r"\b(?:docker|podman|nerdctl|buildah|skopeo|helm) (?:registry )?login\b[^|;&]{0,200}?\s-p[\s=]{0,2}(\S)")
_HTPASSWD = lazy_regex(r"\b(?:htpasswd|mosquitto_passwd)\s{1,8}-\w{0,8}b\w{0,8}(?:\s{1,8}\S{1,256}){2}\s{1,8}(\S)")
_PIPED = lazy_regex(
    r"\b(?:echo|printf)\s{1,8}(?:-[\w-]{1,4}\s{1,8})?(\S)[^|;&]{0,200}\|[^|;&]{0,200}?"
    r"(?:password-stdin|cryptsetup|passwd|sudo\s{1,4}-S|openssl|gpg)"
)
# strongSwan's secrets, Squid's and Dovecot's fixed users.
_TYPED = lazy_regex(r":\s{0,8}(?:EAP|XAUTH|NTLM|(?:RSA|ECDSA|BLISS|PKCS8|P12|PIN)\s{1,8}\S{1,256})\s{1,8}(\S)")
_STATIC = lazy_regex(r"\bstatic:[^\s:]{1,64}:(\S)")
_ENTRY = lazy_regex(r"\bkey=[\"'][\w.-]{0,99}(?:password|secret|token)[\"']\s{0,4}>(\S)", re.IGNORECASE)
# What a command takes by its place, a server by its word.
_TAKEN = lazy_regex(
    r"\b(?:vault login|cloudflared service install|wpa_passphrase\s{1,8}\S{1,64}|iwconfig\s{1,8}\S{1,32}\s{1,8}key)\s{1,8}(?!-)(\S)"
)
_KIND_OF_3PROXY = lazy_regex(r":(?:CL|CR|NT):([^\s:])")
_DIALOG = lazy_regex(r"passphrasedialog\s{1,8}[\"']?(?:\||exec:)\S{1,256}\s{1,8}(\S)", re.IGNORECASE)
_TYPED_IN = lazy_regex(r"\bsend(?:\s{1,4}--)?\s{1,4}[\\\"{]{0,2}([^\"\s\\{}]{1,200})\\r(?!\\n)")
_AUTH = lazy_regex(r"\b(?:AUTH(?:\\\s|\\x20)|send\s{1,4}\"?AUTH\s)(\S)")
_BY_SQL = lazy_regex(r"\bidentified\s{1,8}(?:with\s{1,8}\S{1,64}\s{1,8})?(?:by|as)\s{1,8}(?:password\s{1,8})?[\"'](\S)", re.IGNORECASE)
_CALL = lazy_regex(
    r"\b(?:(?:\w{0,64}connect|mysqli|PDO)\(\s{0,8}[^,()]{1,200},[^,()]{1,200}|(?:\w{0,32}login|\w{0,32}auth\w{0,32})\(\s{0,8}[^,()]{1,200})"
    r",\s{0,8}([\"'])"
)
# A name and its value as two fields: name="password" value="x", <name>password</name><value>x, variable "password" { default = "x".
_FIELDS = lazy_regex(
    r"(?:\b(?:name|key|id|variable|Name|Key)[\"']?[\s:=>]{1,4}[\"']?|<key>)([\w.-]{1,99})[\"']?(?:</\w{1,32}>)?[\s,;{/]{0,8}[^=:>]{0,40}?"
    r"(?:\b(?:value|default|content|string|text|val|Value)[\"']?\s{0,8}[=:>]\s{0,8})[\"']?(\S)"
)
_ERLANG = lazy_regex(r"\{\s{0,8}'?([\w.-]{1,99})'?\s{0,8},\s{0,8}(?:<<)?\"([^\"]{1,256})")
_MATCHED = lazy_regex(r"\bhdr\w{0,8}\(([\w-]{1,64})[^)]{0,64}\)\s{1,8}(?:-\w\s{1,4}\w{1,8}\s{1,8})?(?!-)(\S)")
_OPENED = lazy_regex(r"[\"']?[\[{(]\s{0,8}(?:$|[\"']?[\w.-]{1,99}[\"']?\s{0,8}[:=])")
_INSIDE = lazy_regex(r"[\w.-][\"']?\s{0,8}[:=]\s{0,8}(\"[^\"]{0,4096}\"|'[^']{0,4096}'|[^\s,\[\](){}\"']{1,4096})")
_IN_BRACES = lazy_regex(r",\s{0,8}[\"']?[\w.-]{1,99}[\"']?\s{0,8}[:=]|\s{0,8}\}")
_PLAIN = lazy_regex(r"[\"']?(?:[0-9]{1,5}|true|false|null|[./$%][^\"']*)[\"']?", re.IGNORECASE)
_ACCESS_KEY = lazy_regex(r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b")
# Who knows the address of a hook may call it.
_HOOK = lazy_regex(
    r"://(?:hooks?\.[\w.-]{1,200}/|[^\s\"'/]{1,200}/(?:[\w.-]{1,64}/){0,6}(?:web)?hooks?/|api\.telegram\.org/bot)([^\s\"']{1,1024})",
    re.IGNORECASE,
)
_ASSIGNED = lazy_regex(r"([\w.-]{1,200})[\"']?=[\"']?([^\s\"'&;,]{1,4096})")
_LONG = lazy_regex(r"(?<![\w+/.-])[\w+-]{24,4096}={0,2}(?![\w+/.=-])", re.ASCII)

# Options of one letter that carry a secret in these programs; `=` where nothing may stand between the two, ` ` where a blank must.
_OPTIONS = {
    "mysql": "p=", "mysqldump": "p=", "mysqladmin": "p=", "mysqlcheck": "p=", "mysqlimport": "p=", "mariadb": "p=", "mariadb-dump": "p=",
    "mariadb-admin": "p=", "mycli": "p", "redis-cli": "a", "redis-benchmark": "a", "sshpass": "p", "ldapsearch": "w", "ldapmodify": "w",
    "ldapadd": "w", "ldapwhoami": "w", "mosquitto_pub": "P", "mosquitto_sub": "P", "ipmitool": "P", "mongo": "p", "mongosh": "p",
    "mongodump": "p", "sqlcmd": "P", "bcp": "P", "isql": "P", "ss-server": "k", "ss-local": "k", "ssserver": "k", "ttyd": "c", "gotty": "c",
    "snmpwalk": "cAX", "snmpget": "cAX", "snmpd": "AX", "rabbitmqadmin": "p", "clickhouse-client": "p", "xfreerdp": "p", "vncviewer": "p",
    "docker-login": "p", "openssl": "kK ", "transmission-daemon": "v",
    "frpc": "t", "zip": "P", "unzip": "P", "7z": "p=", "kinit": "w", "hydra": "p",
    "nordvpn": "p", "ncftpput": "p", "ncftpget": "p", "microsocks": "P", "mtproto-proxy": "S", "mtproxy": "S", "usermod": "p",
    "useradd": "p", "k3s": "t", "check_mysql": "p", "check_http": "ab", "check_pgsql": "p", "trapsess": "cAX",
}  # fmt: skip
_PROGRAM = lazy_regex(r"[\w.-]+")
_SHORT = lazy_regex(r"(?<=[\s\"'])-([A-Za-z])([\"'],\s{0,4}|\s{0,4})(?=[^\s-])")

# A user of Redis: user NAME on >PASSWORD #HASH.
_ACL = lazy_regex(r"\s{0,80}user\s", re.IGNORECASE)
_OF_A_USER = lazy_regex(r"(?<=\s)\"?[><#!](\S)")

# Of which a name or an address with a secret holds one, in small letters.
_STEMS = (
    "pass", "pw", "secret", "token", "key", "cred", "auth", "psk", "pin", "jwt", "otp", "salt", "cookie", "session", "pat", "sig",
    "community", "basic", "bearer", "@", "hook", "user", "telegram", "akia", "asia", " -", "encrypt", "hmac", "com2sec", "sink", "$", "}",
    "\"-", "'-", "curl", "login", "vault", "install", ":cl:", ":cr:", ":nt:", "send", "identified", "connect", "mysqli", "pdo", "plain",
    "clear", "ntlm",
    "echo", "printf", "unseal", "nonce", "csrf", "licen", "eap", "xauth", "static:",
)  # fmt: skip
# Each pattern with what its matches hold one of, in small letters: most lines hold none, and no pattern is compiled for them.
_Sought = tuple[re.Pattern[str], tuple[str, ...]]
_ADDRESSED: tuple[_Sought, ...] = ((_URL, ("@",)), (_URL_ALONE, ("@",)), (_BARE, ("@",)))
_BY_FORM: tuple[_Sought, ...] = ((_AUTHORIZATION, ("basic", "bearer")), (_ACCESS_KEY, ("akia", "asia")), (_HASH, ("$",)))
_CALLED: _Sought = (_HOOK, ("://",))
_PATTERNS = (*_ADDRESSED, (_ORACLE, ("@",)), *_BY_FORM, (_TYPED_IN, ("send",)))
_BEGINNINGS = (
    (_PAIR, ("-u", "--user", "auth", "basic", "login")), _CALLED, (_SCHEME, ("}",)), (_ENTRY, ("key=",)), (_LOGIN, ("login",)),
    (_HTPASSWD, ("htpasswd", "mosquitto_passwd")), (_PIPED, ("|",)),
    (_TYPED, ("eap", "xauth", "ntlm", "rsa", "ecdsa", "pkcs8", "p12", "pin")),
    (_STATIC, ("static:",)), (_CURL, ("curl",)), (_USERS, ("user",)), (_TAKEN, ("vault", "cloudflared", "wpa_", "iwconfig")),
    (_KIND_OF_3PROXY, (":cl:", ":cr:", ":nt:")), (_DIALOG, ("passphrasedialog",)),
    (_AUTH, ("auth",)), (_BY_SQL, ("identified",)), (_CALL, ("connect", "mysqli", "pdo", "login", "auth")),
)  # fmt: skip
_IN_SENTENCES = (*_ADDRESSED, *_BY_FORM, _CALLED)

_NEAR = 8192
_MOST_LINES = 50  # of one span
# Of a secret that is more than a word, what a reader may quote by itself; but not the name in a=b.
_PARTS = lazy_regex(r"[^\s=:,;&\"'<>]++(?!\s*=\s*[^\s=])")
_LEAST_KNOWN = 4  # characters of a secret that is looked for elsewhere


@lru_cache(maxsize=256)  # a rule says the same of all it finds
def hide(text: str) -> str:
    """A sentence without what is a secret by its own form: in an address, after a name and `=`, or as only keys and tokens look."""
    small = text.casefold()
    if any(stem in small for stem in _STEMS):
        stretches = [match.span(match.lastindex or 1) for match in _matches(_IN_SENTENCES, text, small)]
        if "=" in text:
            stretches += [match.span(2) for match in _ASSIGNED.finditer(text) if _of_a_secret(match[1]) and not _passes_on(match)]
        text = _struck(text, stretches)
    return _LONG.sub(_struck_if_random, text)


def hide_value(key: str, value: str, at: Span | None = None, sources: Mapping[str, Source] | None = None) -> str:
    """A setting's value, struck out where its key names a secret (net.ipv4.tcp_fastopen_key), else what of it is one on its line."""
    if _of_a_secret(key.replace("/", ".").rpartition(".")[2]):
        return "*" * len(value)
    value = hide(hide_in_line(value))
    return value if at is None or is_digits(value) else hide_at(value, at, sources or {})


def hide_at(text: str, at: Span, sources: Mapping[str, Source]) -> str:
    """Words of a line without what is secret on that line."""
    return _masked(hide_in_line(text), _known((at,), sources))


@lru_cache(maxsize=16)
def hide_in_line(line: str) -> str:
    """A line of a file with its secrets struck out."""
    return _LONG.sub(_struck_if_random, _struck(line, _stretches(line)))


@lru_cache(maxsize=16)
def hide_in_source(source: Source, number: int) -> str:
    """A line of a file with its secrets struck out, those too that its place or the lines around it make some."""
    line = source.line(number)
    return _LONG.sub(_struck_if_random, _struck(line, (*_stretches(line), *_by_place(source, number))))


def without_secrets(finding: Finding, sources: Mapping[str, Source]) -> Finding:
    """A finding that says no secret of the lines it points to, in no field."""
    spans = (finding.at, *(note.at for note in finding.notes if note.at is not None))
    known = _known(spans, sources)

    def clean(text: str) -> str:
        return _masked(hide(text), known)

    address = finding.subject.address
    subject = finding.subject if address is None else replace(finding.subject, address=clean(address))
    cleaned = replace(
        finding,
        message=clean(finding.message),
        subject=subject,
        likelihood_because=clean(finding.likelihood_because),
        notes=tuple(replace(note, text=clean(note.text)) for note in finding.notes),
        manual=finding.manual and replace(finding.manual, step=clean(finding.manual.step), reason=clean(finding.manual.reason)),
        summary=clean(finding.summary),
    )
    return finding if cleaned == finding else cleaned


def reasons_without_secrets(troubles: Iterable[Unreadable], sources: Mapping[str, Source]) -> tuple[Unreadable, ...]:
    """What could not be read, with reasons that say no secret of the lines they are about."""
    return tuple(replace(trouble, reason=_masked(hide(trouble.reason), _known((trouble.at,), sources))) for trouble in troubles)


# What no secret is: most listeners have one of these, and no line is looked at for them.
_ADDRESS = lazy_regex(r"[0-9a-f.:*]*|localhost")


def listeners_without_secrets(listeners: tuple[Listener, ...], sources: Mapping[str, Source]) -> tuple[Listener, ...]:
    """Listeners whose addresses, where these are words, say no secret of their lines: `Address https://user:password@host/`."""
    if all(_ADDRESS.fullmatch(each.address) for each in listeners):
        return listeners
    return tuple(
        each if _ADDRESS.fullmatch(each.address) else replace(each, address=hide(_masked(each.address, _near_to(each, sources))))
        for each in listeners
    )


def _near_to(listener: Listener, sources: Mapping[str, Source]) -> tuple[str, ...]:
    """The secrets of a listener's line, and of the lines near to it that say its address: it may be the port's line."""
    at, source = listener.at, sources.get(listener.at.path)
    known = _known((at,), sources)
    if source is None:
        return known
    start, _ = source.stretch(replace(at, column=1, end_line=at.line, end_column=1))
    first = max(0, start - _NEAR)
    said = [line for line in source.text[first : start + _NEAR].split("\n") if listener.address in line]
    return (*known, *(each for line in said for each in _told_by(line) if len(each) >= _LEAST_KNOWN and not is_digits(each)))


def outbounds_without_secrets(outbounds: tuple[Outbound, ...], sources: Mapping[str, Source]) -> tuple[Outbound, ...]:
    """Connections whose names say no secret of their lines."""
    return tuple(replace(each, name=_masked(hide(each.name), _known((each.at,), sources))) for each in outbounds)


def coverage_without_secrets(coverage: Coverage, sources: Mapping[str, Source]) -> Coverage:
    """What is not covered, in sentences and names of programs that say no secret of the lines they are about."""

    def clean(text: str, at: Span) -> str:
        return _masked(hide(text), _known((at,), sources))

    return replace(
        coverage,
        not_understood=tuple(
            replace(each, program=clean(each.program, each.at), reason=clean(each.reason, each.at)) for each in coverage.not_understood
        ),
        left_out=tuple(replace(each, reason=hide(each.reason)) for each in coverage.left_out),
        not_read=tuple(replace(each, reason=hide(each.reason)) for each in coverage.not_read),
    )


# What a line or the few above it hold one of, and the path of a file, in small letters, where places make secrets.
_AROUND = ("pass", "secret", "token", "key", "cred", "admins", "basic", "user", "\\\n")
_PLACES = (
    "snmp", "rad", "tac", "upsmon", "monit", "tgt", "iet", "scst", "istgt", "voicemail", "turn", "squid", "exim", "frr", "quagga", "zebra",
    "ripd", "bgpd", "ospfd", "isisd", "eigrpd", "babeld", "ldpd", "ppp", "coin", "ray", "sing-box", "jaas", ".properties", "n2n", "edge",
    "supernode", "caddy", "tomcat", "server.xml",
)  # fmt: skip
_LINES_ABOVE = 30
# A word by itself, in a file that is called as a secret is: /run/secrets/db_password, token.txt.
_ALONE = lazy_regex(r"\s*(?![\[\]{}()<#;$/])[^\s=:]+\s*\Z")
_EXTENSION = lazy_regex(r"\.\w{1,8}\Z")


@lru_cache(maxsize=64)
def _by_place(source: Source, number: int) -> list[_Stretch]:
    """What a line's place makes a secret: the kind of its file, and the lines around it."""
    line = source.line(number)
    if len(line) > _NEAR:
        return []
    if _ALONE.match(line) and _of_a_secret(_EXTENSION.sub("", source.path.rpartition("/")[2])):
        return [(len(line) - len(line.lstrip()), len(line.rstrip()))]
    near = source.near(number, _LINES_ABOVE, 2)
    near = (near if len(near) <= 4 * _NEAR else line).casefold()
    # A word by itself may be of a key, which begins farther above.
    path = source.path.casefold()
    has_columns = any(word in path for word in _PLACES)
    if not has_columns and not any(stem in near for stem in _AROUND) and len(line.split(None, 1)) != 1:
        return []
    from portwright.reports.secret_places import by_file, by_neighbours, continued

    found = [*(by_file(source.path, line) if has_columns else ()), *by_neighbours(source, number, lambda name: _meaning(name)[0])]
    if before := continued(source, number):
        start = len(before)
        found += [(max(begin - start, 0), end - start) for begin, end in _stretches(before + line) if end > start]
    return found


# ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _stretches(line: str) -> list[_Stretch]:
    """Where the secrets of a line stand."""
    small = line.casefold()
    if not any(stem in small for stem in _STEMS):
        return []
    quotes = _quotes(line)
    found = [match.span(match.lastindex or 1) for match in _matches(_PATTERNS, line, small)]
    begins = [match.start(match.lastindex or 1) for match in _matches(_BEGINNINGS, line, small)]
    if _ACL.match(line):
        begins += [match.start(1) for match in _OF_A_USER.finditer(line)]
    found += [(start, quotes.end_of(start, start, to_the_end=False)) for start in begins]
    found += _named(line, quotes)
    found += _in_fields(line, quotes)
    if "-" in line:
        found += _given_by_letter(line, quotes)
    return found


def _matches(sought: Iterable[_Sought], text: str, small: str) -> Iterator[re.Match[str]]:
    return (match for pattern, holds in sought if any(part in small for part in holds) for match in pattern.finditer(text))


def _named(line: str, quotes: "_Quotes") -> Iterator[_Stretch]:
    done, first = 0, len(line) - len(line.lstrip(" \t-\"'{"))
    for match in _NAME.finditer(line):
        start, end = match.span()
        if start < done or end - start > _MOST_NAME:
            continue
        name = match.group()
        kind, words = _meaning(name)
        if not kind:
            continue
        option = name.startswith("-")
        sign = _SIGN.match(line, end)
        blank = None if sign or (kind == "weak" and not (option or len(words) > 1)) else _BLANK.match(line, end)
        found = sign or blank
        # The name of a file is none of a setting.
        if found is None or (line[start - 1 : start] == "/" and "=" not in found.group()):
            continue
        at = found.end()
        if at >= len(line) or (kind == "weak" and _HARMLESS.match(line, at)):
            continue
        if _OPENED.match(line, at):
            if kind == "strong":
                inside = _INSIDE.finditer(line, at, _closing_bracket(line, at))
                yield from (inner.span(1) for inner in inside if not _PLAIN.fullmatch(inner[1]))
            done = at
            continue
        if line[at] == "[" and sign and (end := _closing_bracket(line, at)) < len(line):
            done = end
            yield at + 1, end
            continue
        own = start <= first or words[-1] in ("authorization", "cookie") or name in _WITH_A_NAME or ">" in found.group()
        done = quotes.end_of(at, start, to_the_end=own)
        # In braces a value has less than the line for itself: {password: x, port: 80}.
        if own and "{" in line[:start] and line[at] not in "\"'" and (closing := _IN_BRACES.search(line, at + 1, done)):
            done = closing.start()
        yield at, done


def _closing_bracket(line: str, at: int) -> int:
    """Where what opens at a bracket (a quote may stand before it) is closed, or the line ends."""
    depth = 0
    for place in range(at, len(line)):
        if line[place] in "[{(":
            depth += 1
        elif line[place] in "]})":
            depth -= 1
            if depth == 0:
                return place
    return len(line)


def _in_fields(line: str, quotes: "_Quotes") -> Iterator[_Stretch]:
    """Secrets whose name is a value itself: beside their own in a pair, in a tuple, of the header that is matched."""
    for match in _FIELDS.finditer(line):
        if _of_a_secret(match[1]):
            yield match.start(2), quotes.end_of(match.start(2), match.start(1), to_the_end=False)
    if "{" in line and '"' in line:
        yield from (match.span(2) for match in _ERLANG.finditer(line) if _of_a_secret(match[1]))
    if "hdr" in line:
        for match in _MATCHED.finditer(line):
            if _of_a_secret(match[1]):
                yield match.start(2), quotes.end_of(match.start(2), match.start(2), to_the_end=False)


# Between these and the secret stands the name of whose it is.
_WITH_A_NAME = ("auth-pass", "message-digest-key")


def _given_by_letter(line: str, quotes: "_Quotes") -> Iterator[_Stretch]:
    programs = [(match.end(), _OPTIONS[match.group()]) for match in _PROGRAM.finditer(line) if match.group() in _OPTIONS]
    if not programs:
        return
    starts = [start for start, _ in programs]
    for match in _SHORT.finditer(line):
        index = bisect_right(starts, match.start()) - 1
        letters = programs[index][1] if index >= 0 else ""
        if match[1] in letters and not letters.endswith("=" if match[2] else " "):
            yield match.end(), quotes.end_of(match.end(), match.start(), to_the_end=False)


class _Quotes:
    """The quoted parts of a line, each from its first character inside to its closing quote or the end of the line."""

    def __init__(self, line: str, parts: list[_Stretch]) -> None:
        self._line = line
        self._parts = parts
        self._starts = [start for start, _ in parts]

    def end_of(self, value: int, name: int, *, to_the_end: bool) -> int:
        """Where a secret ends that begins at `value` and whose name begins at `name`."""
        line = self._line
        around = self._around(name)
        if around is not None and value > around[1]:
            around = None
        last = len(line) if around is None else around[1]
        if line[value] in "\"'":
            if line.startswith(('"""', "'''"), value):
                closing = line.find(line[value] * 3, value + 3)
                return closing if closing >= 0 else len(line)
            closing = _closing(line, value)
            return closing if closing < len(line) else last if around else closing
        # With its name in quotes ("Cookie: a b", 'PASSWORD=a b'), what is quoted is one word of the outer text.
        whole = around is not None and _WHITE.search(line, around[0], name) is None
        if around is not None and whole and not _OF_A_SHELL.search(line, max(0, around[0] - 20), around[0] - 1):
            return last
        if to_the_end:
            return len(line[:last].rstrip(" \t;,)}]\r")) if around is None else last
        return self._end_of_word(value, last)

    def _end_of_word(self, value: int, last: int) -> int:
        at = value
        while at < last:
            if (word := _WORD.match(self._line, at, last)) is not None:
                at = word.end()
            elif self._line[at] in "\"'":
                # A quote inside a word: its other half is there, or it is a letter as any other.
                closing = _closing(self._line, at)
                at = closing + 1 if closing < last else at + 1
            else:
                break
        return max(at, value + 1)

    def _around(self, place: int) -> _Stretch | None:
        index = bisect_right(self._starts, place) - 1
        return self._parts[index] if index >= 0 and place < self._parts[index][1] else None


def _quotes(line: str) -> _Quotes:
    parts: list[_Stretch] = []
    at = 0
    while (match := _QUOTE.search(line, at)) is not None:
        closing = _closing(line, match.start())
        if closing == len(line) and line[match.start() - 1 : match.start()].isalnum():
            at = match.end()  # an apostrophe
            continue
        parts.append((match.end(), closing))
        at = closing + 1
    return _Quotes(line, parts)


_WHITE = lazy_regex(r"\s")
_OF_A_SHELL = lazy_regex(r"\s-[a-z]{0,8}c[\s=]{1,8}\Z")
_QUOTE = lazy_regex("[\"']")
_CLOSING = {'"': lazy_regex(r'(?:[^"\\]|\\.)*'), "'": lazy_regex(r"(?:[^'\\]|\\.)*")}


def _closing(line: str, quote: int) -> int:
    match = _CLOSING[line[quote]].match(line, quote + 1)
    return len(line) if match is None else match.end()


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)
def _meaning(name: str) -> tuple[str, tuple[str, ...]]:
    """`strong` or `weak` as the last word of a name is, empty for a name of something else; and the words."""
    words = _words(name)
    last = words[-1].rstrip("0123456789") if words else ""
    before = words[-2] if len(words) > 1 else ""
    if last in _STRONG or last.endswith(_ENDS_STRONG) or "".join(words) in _STRONG:
        return "strong", words
    if last == "pass":
        return "" if before in _PASSED_ON else "strong" if before else "weak", words
    if last == "key" and before in _KEYS_ARE_STRONG:
        return "strong", words
    return "strong" if last in ("rootpw", "bindpw") else "weak" if last in _WEAK or _ENDS_WEAK.fullmatch(last) else "", words


def _words(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters: API_TOKEN, keyStorePassword, auth-pass."""
    spaced = _CAMEL.sub(" ", name) if name.isascii() else name
    words = [word for word in _BETWEEN.split(spaced.casefold()) if word]
    while len(words) > 1 and (words[-1] in _TAILS or (len(words[-1]) <= _LONGEST_COUNT and is_digits(words[-1]))):
        words.pop()
    return tuple(words)


def _of_a_secret(name: str) -> bool:
    return bool(_meaning(name)[0])


def _passes_on(match: re.Match[str]) -> bool:
    return _meaning(match[1])[0] == "weak" and _HARMLESS.match(match[2]) is not None


# ── what is known ───────────────────────────────────────────────────────────────────────────────────────────────────


def _known(spans: Iterable[Span], sources: Mapping[str, Source]) -> tuple[str, ...]:
    """The secrets of the lines that spans point to, the longest first, whole and by their words."""
    found: set[str] = set()
    for path, number, column in {(span.path, number, span.column) for span in spans for number in _lines(span)}:
        if path in sources:
            # A sentence says words that stand near the place it speaks of, so a line of a megabyte costs no more than a page, and
            # the many places of a page cost it once.
            whole, page = sources[path].line(number), column // _NEAR
            found.update(_told_by(whole[max(0, page - 1) * _NEAR : (page + 2) * _NEAR]))
            for start, end in _by_place(sources[path], number):
                secret = whole[start:end].strip("\"' ")
                found |= {secret, *_PARTS.findall(secret)}
    return tuple(sorted((each for each in found if len(each) >= _LEAST_KNOWN and not is_digits(each)), key=lambda each: (-len(each), each)))


@lru_cache(maxsize=64)
def _told_by(line: str) -> frozenset[str]:
    """The secrets of a line, whole and by their words. Many findings may be about one line."""
    found: set[str] = set()
    for start, end in _stretches(line):
        secret = line[start:end].strip("\"' ")
        found |= {secret, *_PARTS.findall(secret)}
    return frozenset(found)


def _lines(span: Span) -> range:
    return range(span.line, min(span.end_line, span.line + _MOST_LINES) + 1)


def _masked(text: str, known: Iterable[str]) -> str:
    for secret in known:
        if secret in text:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "*" * len(secret), text)
    return text


def _struck(text: str, stretches: Iterable[_Stretch]) -> str:
    pieces, at = [], 0
    for start, end in sorted(stretches):
        start = max(start, at)
        if end > start:
            pieces += [text[at:start], _stars(text[start:end])]
            at = end
    return "".join((*pieces, text[at:]))


def _stars(secret: str) -> str:
    """Quotes around it stay."""
    first = secret[:1] if secret[:1] in "\"'" else ""
    return first + "*" * (len(secret) - len(first))


def _struck_if_random(match: re.Match[str]) -> str:
    """Letters of both cases and digits in one long word are a key or token; a name has words of one kind."""
    word = match.group()
    cases = (any(c.islower() for c in word), any(c.isupper() for c in word), any(is_digits(c) for c in word))
    return "*" * len(word) if all(cases) else word
