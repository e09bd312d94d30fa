"""Postfix's master: the inet services of master.cf(5) on the addresses of inet_interfaces in main.cf."""

from collections.abc import Mapping
from itertools import pairwise

from portwright.daemons import DaemonFact, Packages
from portwright.facts import Confidence, Endpoint, Invocation
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_DIRECTORY = "/etc/postfix"
# postfix(1) and services(5): what master.cf names, for hosts whose /etc/services was not copied.
_SERVICES = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587, "qmqp": 628, "qmqpd": 628}
# postfix-script; Debian's since 3.9.1 starts in two steps.
_STARTS = frozenset(("start", "start-fg", "quick-start", "debian-systemd-start"))
_BLANK = " \t"
_MOST_ADDRESSES = 1000
_DEEPEST = 8  # $name of $name


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of the instance that is started; nothing for other commands of postfix(1) and postmulti(1)."""
    directory: str | None = _DIRECTORY
    words = [word.text for word in invocation.argv[1:]]
    if invocation.program == "master":
        if not invocation.argv[0].text.startswith("/usr/lib"):
            return ()  # other programs are called master too
    elif not _STARTS.intersection(words):
        return ()
    named = invocation.environment.get("MAIL_CONFIG")
    if named is not None and named.text:
        directory = named.text
    for option, value in pairwise(words):
        if option == "-c":
            directory = value
        elif option == "-i" and invocation.program == "postmulti":
            # postmulti(1): `-` is the primary instance; another's directory is named after it by custom.
            directory = None if UNKNOWN in value else _DIRECTORY if value == "-" else f"/etc/{value}"
    if directory is None:
        return ()
    source = files.read(f"{directory}/master.cf")
    if source is None:
        files.report_missing(invocation.at, f"postfix reads {directory}/master.cf, which is not there")
        return ()
    main = files.read(f"{directory}/main.cf")
    return _endpoints(source, _settings(main) if main is not None else {}, files)


def _endpoints(source: Source, settings: Mapping[str, Word], files: Files) -> tuple[Endpoint, ...]:
    families = _families(settings)
    disabled = {each.removesuffix(".inet").removesuffix("/inet") for each in _value("master_service_disable", settings).split()}
    found: dict[tuple[str, int], Endpoint] = {}
    for line in _logical_lines(source):
        fields = line[0].split(None, 8)
        if len(fields) < 8 or fields[1] != "inet":
            continue
        number, start = line[1], len(line[0]) - len(line[0].lstrip(_BLANK))
        at = Span(source.path, number, start + 1, number, start + 1 + len(fields[0]))
        host, port_text = _split(fields[0])
        if fields[0] in disabled or "inet" in disabled:
            continue
        port = names.port(port_text, "tcp", files) or _SERVICES.get(port_text)
        if not port:
            files.report_unreadable(at, f"not a port: {port_text[:60]}")
            continue
        for address, sure in _addresses(host, settings, files):
            if ("inet6" if ":" in address else "inet") not in families:
                continue
            # inet_listen.c: SO_REUSEADDR and, since 3.5, SO_REUSEPORT; inet_proto.c: IPV6_V6ONLY.
            found.setdefault(
                (address, port),
                Endpoint(
                    at=at,
                    app="postfix",
                    protocol="tcp",
                    address=address,
                    ports=PortSet.of(port),
                    origin="directive",
                    reuse_address=True,
                    reuse_port=True,
                    v6only=True if ":" in address else None,
                    binds_as="root",
                    confidence=sure,
                ),
            )
    return tuple(found.values())


def _split(service: str) -> tuple[str, str]:
    """`smtp`, `127.0.0.1:10025`, `[::1]:smtp` as (host, port)."""
    host, _, port = service.rpartition(":")
    return host.strip("[]"), port


def _addresses(host: str, settings: Mapping[str, Word], files: Files) -> list[tuple[str, Confidence]]:
    """master.cf(5): a service's own host, else the addresses of inet_interfaces."""
    interfaces = _value("inet_interfaces", settings) or "all"
    wanted = [host] if host else interfaces.replace(",", " ").split()
    found: list[tuple[str, Confidence]] = []
    for each in files.limited(wanted, _MOST_ADDRESSES, "addresses", lambda _: settings["inet_interfaces"].at):
        if each == "all":
            found += [("0.0.0.0", "certain"), ("::", "certain")]  # noqa: S104
        elif each == "loopback-only":
            found += [("127.0.0.1", "certain"), ("::1", "certain")]
        else:
            known = names.addresses(each, files)
            found += [(address, "certain") for address in known] or [(each, "possible")]
    return found


def _families(settings: Mapping[str, Word]) -> frozenset[str]:
    said = _value("inet_protocols", settings).replace(",", " ").split() or ["all"]
    every = "all" in said
    return frozenset(family for family, word in (("inet", "ipv4"), ("inet6", "ipv6")) if every or word in said)


# ── main.cf and master.cf ───────────────────────────────────────────────────────────────────────────────────────────


def _logical_lines(source: Source) -> list[tuple[str, int]]:
    """(text, number of its first line): a line that starts with a blank goes on the one before; comments and empty lines do not count."""
    found: list[tuple[list[str], int]] = []
    for number, text in enumerate(source.text.split("\n"), 1):
        stripped = text.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if text[0] in _BLANK and found:
            found[-1][0].append(stripped)
        else:
            found.append(([text.rstrip()], number))
    return [(" ".join(parts), number) for parts, number in found]


def _settings(source: Source) -> dict[str, Word]:
    """postconf(5): the last assignment of a name counts."""
    found: dict[str, Word] = {}
    for text, number in _logical_lines(source):
        name, equals, value = text.partition("=")
        if equals:
            found[name.strip()] = Word(value.strip(), Span(source.path, number, 1, number, len(text) + 1))
    return found


def _value(name: str, settings: Mapping[str, Word], depth: int = 0) -> str:
    """A setting with `$name` put in; "" for one that is not set."""
    word = settings.get(name)
    if word is None or depth > _DEEPEST:
        return ""
    parts = []
    for part in word.text.split():
        reference = part.rstrip(",")
        if reference.startswith("$"):
            parts.append(_value(reference.strip("${()}"), settings, depth + 1) or ("localhost" if depth else ""))
        else:
            parts.append(part)
    return " ".join(parts)[:10_000]
