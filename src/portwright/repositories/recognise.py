"""Tell from a file's path and text what kind of config it is, whether a repository deploys it, and where it goes on a host."""

import re
from collections.abc import Container, Iterable
from itertools import pairwise

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.daemons import recognition
from portwright.daemons._engine.candidate import Candidate

ConfigKind = str
"""*sysctl*, *unit*, *drop-in*, *quadlet*, *environment*, *cron*, *fstab*, or the name of the daemon whose config it is."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A config file of a repository.

    `deployed` is false for samples, documentation, tests, and templates whose values are not filled in yet; `reason` then says why.
    `host_path` is the place it has on a host as far as its path shows one, else None. `unfilled` is the first place of a template that
    is deployed though not filled in: what it says besides is said wherever it is filled in.
    """

    kind: ConfigKind
    deployed: bool = True
    reason: str = ""
    host_path: str | None = None
    unfilled: str = ""


def recognise(path: str, text: str, explicit: bool = False, roles: Container[str] = ()) -> Recognised | None:
    """What a file is, by its path inside the repository (no leading slash needed) and its text; None for anything else.

    `asked`: its user named this very file (or piped it in), so that neither its path nor a remark in it makes it a sample, and its
    text tells what it is where its name does not. `roles` are folders that are no samples, whatever they are called.
    """
    parts = tuple(part for part in path.split("/") if part)
    if not parts or not (explicit or worth_reading(path)):
        return None
    folders, name = parts[:-1], _plain(parts[-1])
    file = Candidate(folders, name, text, explicit)
    kind = _kind(file)
    if kind is None:
        return None
    reason = _why_not_deployed(folders, parts[-1], text, kind, explicit, roles)
    unfilled = "" if reason else _unfilled(parts[-1], kind, text)
    if unfilled and kind in _HANGS_TOGETHER:
        reason = f"it is a template, and {unfilled} is not filled in"
    return Recognised(kind, not reason, reason, _host_path(file, kind), "" if reason else unfilled)


def recognised_as(kind: ConfigKind, path: str, text: str, explicit: bool = False) -> Recognised:
    """What a file is that was told by something else than its own path to be a config of this kind."""
    *folders, last = (part for part in path.split("/") if part)
    file = Candidate(tuple(folders), _plain(last), text, explicit)
    reason = _why_not_deployed(file.folders, last, text, kind, explicit)
    return Recognised(kind, not reason, reason, _host_path(file, kind), "" if reason else _unfilled(last, kind, text))


def without_remarks(path: str, text: str) -> str:
    """A template's text with blanks for what its language keeps to itself; every other character stays in its place."""
    suffixes = _lower(path.rpartition("/")[2]).split(".")[1:]
    remarks = {_REMARKS[suffix] for suffix in suffixes if suffix in _REMARKS}
    if "{%" in text:
        remarks.add(_REMARKS["j2"])  # Salt's templates bear the names of what they become
    for start, end in remarks:
        pieces, done = [], 0
        while (at := text.find(start, done)) >= 0 and (stop := text.find(end, at)) >= 0:
            stop += len(end)
            pieces += [text[done:at], _NOT_A_LINE_END.sub(" ", text[at:stop])]
            done = stop
        text = "".join((*pieces, text[done:]))
    return text


def without_blanks_to_fill(text: str) -> str:
    """A template's text as far as it is known: U+FFFD stands for what is filled in, a blank for what decides whether it is.

    Every other character stays in its place.
    """
    pieces, done = [], 0
    while (found := _BLANK.search(text, done)) is not None:
        end = _ENDS[found[0]]
        stop = text.find(end, found.end())
        if stop < 0:
            break
        stop += len(end)
        decides = found[0] != "{{" and not text.startswith("=", found.end())
        # What fills lines of its own is not part of what the lines around it say.
        nothing = decides or _DECIDES.match(text, found.end(), stop) or _is_alone(text, done, found.start(), stop)
        pieces += [text[done : found.start()], _NOT_A_LINE_END.sub(" " if nothing else "\ufffd", text[found.start() : stop])]
        done = stop
    return "".join((*pieces, text[done:]))


def _is_alone(text: str, done: int, start: int, stop: int) -> bool:
    while start > done and text[start - 1] in " \t":
        start -= 1
    while stop < len(text) and text[stop] in " \t\r":
        stop += 1
    return (start == 0 or text[start - 1] == "\n") and (stop == len(text) or text[stop] == "\n")


def worth_reading(path: str) -> bool:
    """Whether a path alone could be that of a config, so that a walk need not read everything."""
    *folders, last = path.split("/")
    name = _plain(last)
    stem, dot, suffix = name.rpartition(".")
    if dot and stem:
        # A site's file may be called as the site is.
        return suffix in _SUFFIXES or (suffix not in _NEVER and "sites-" in path) or _is_some_daemons(tuple(folders), name, suffix)
    named = name in _NAMES or name.startswith(".env") or _lower(folders[-1] if folders else "") in _FOLDERS
    return named or _is_some_daemons(tuple(folders), name, "")


def lies_aside(path: str, roles: Container[str] = ()) -> bool:
    """Whether a path is that of a sample, a document, a test or a copy put aside, which a repository does not deploy."""
    *folders, name = path.split("/")
    return bool(_why_not_deployed(tuple(folders), name, "", "environment", False, roles))


def roles_among(paths: Iterable[str]) -> frozenset[str]:
    """The folders that are called as samples are, but are roles: `salt/docs/init.sls`, `docs/tasks/main.yml` among others."""
    among: dict[tuple[str, str], set[str]] = {}
    for path in paths:
        for sign in _SIGNS_OF_A_ROLE:
            if path.endswith(sign):
                above, _, name = path.removesuffix(sign).rpartition("/")
                among.setdefault((above, sign), set()).add(name)
    return frozenset(
        f"{above}/{name}".lstrip("/")
        for (above, sign), names in among.items()
        for name in names
        if _lower(name) in _SAMPLE_FOLDERS and (len(names) > 1 or (sign == _SALT_STATE and _SAMPLE_FOLDERS[_lower(name)] != "tests"))
    )


def _is_some_daemons(folders: tuple[str, ...], name: str, suffix: str) -> bool:
    return recognition.named_so(folders, name) or (suffix not in _NEVER and recognition.worth_a_look(folders, name))


# ── what it is ──────────────────────────────────────────────────────────────────────────────────────────────────────

_UNITS = ("service", "socket", "target", "timer", "path", "mount", "automount", "slice", "swap", "device", "scope")
_QUADLETS = ("container", "kube", "pod")
_SUFFIXES = frozenset({*_UNITS, *_QUADLETS, "conf", "cfg", "cnf", "sysctl", "env", "default"})
_NEVER = frozenset(
    {"md", "txt", "rst", "html", "yml", "yaml", "json", "py", "rb", "sh", "pp", "sls", "js", "css", "lua", "png", "svg"}
    | {"key", "pem", "crt", "nix", "tf", "hcl"}
)
_NAMES = frozenset({"crontab", "fstab", "env", "default", "environment"})
_CRON = frozenset({"cron.d", "cron.hourly", "cron.daily", "cron.weekly", "cron.monthly"})
_FOLDERS = frozenset({*_CRON, "sites-available", "sites-enabled", "default", "sysconfig", "conf.d", "snippets", "vhosts", "vhosts.d"})

# What is added to a file's own name by those who fill it in, ship it or put it aside.
_TEMPLATE = ("j2", "jinja", "jinja2", "erb", "epp", "tmpl", "tpl", "template", "mustache", "hbs", "gotmpl", "in", "ctmpl", "m4")
_REMARKS = {
    **dict.fromkeys(("j2", "jinja", "jinja2"), ("{#", "#}")),
    **dict.fromkeys(("tmpl", "gotmpl", "tpl", "ctmpl"), ("{{/*", "*/}}")),
    "erb": ("<%#", "%>"),
}
# What a template of a daemon's config says it says line by line; here each line may change what another one means.
_HANGS_TOGETHER = ("unit", "drop-in", "sysctl", "environment")
_ENDS = {"{{": "}}", "{%": "%}", "<%": "%>"}
_BLANK = lazy_regex(r"\{\{|\{%|<%")
# text/template has one kind of braces for what is put in and for what decides.
_DECIDES = lazy_regex(r"-?\s*(?:if|else|end|range|with|define|block|template|\$\w+\s*:?=|/\*)(?!\w)")
_NOT_A_LINE_END = lazy_regex(r"[^\n]")
_ASIDE = (
    *("sample", "example", "dist", "bak", "backup", "orig", "old", "save", "rej", "swp", "tmp", "disabled", "off", "default-dist"),
    *("rpmnew", "rpmsave", "rpmorig", "dpkg-old", "dpkg-new", "dpkg-dist", "dpkg-bak", "ucf-dist", "ucf-old", "pacnew", "pacsave"),
)


def _plain(name: str) -> str:
    """A file's name without what templates and copies add to it: `app.conf.j2` and `app.conf.sample` are `app.conf`."""
    while True:
        shorter = name.rstrip("~")
        stem, dot, suffix = shorter.rpartition(".")
        if dot and stem and (_lower(suffix) in _TEMPLATE or _lower(suffix) in _ASIDE):
            shorter = stem
        if shorter == name or not shorter:
            return name
        name = shorter


def _kind(file: Candidate) -> ConfigKind | None:
    name, text, parent, suffix = file.name, file.text, file.parent, file.suffix
    if (daemon := recognition.named(file)) is not None:
        return daemon
    if "override." in name and _OVERRIDE.fullmatch(name):
        return "drop-in" if _is_unit(text, suffix) else None
    if suffix in _UNITS and "." in name:
        return "unit" if _is_unit(text, suffix) else None
    if suffix in _QUADLETS and "." in name:
        return "quadlet" if f"[{suffix.capitalize()}]" in text else None
    if suffix == "conf" and (_is_drop_in_folder(parent) or _FLAT_DROP_IN.fullmatch(name)):
        return "drop-in" if _first_section(text) is not None else None
    if name == "fstab":
        return "fstab"
    if parent in _CRON or (name == "crontab" and parent == "etc"):
        is_script = text.startswith("#!")
        return "cron" if "." not in name and is_script is (parent not in ("cron.d", "etc")) else None
    if parent == "sysctl.d" or name == "sysctl.conf":
        # sysctl.d(5): files without the suffix are not read, and distributions put a README.sysctl beside them.
        return "sysctl" if suffix == "conf" and not file.has_block else None
    if suffix == "sysctl":
        return "sysctl" if not file.has_block else None
    told = recognition.told(file)
    if told is not None and told[1] != "piece":
        return told[0]
    if (file.explicit or suffix in ("cfg", "conf")) and _is_sysctl(text, "sysctl" in file.lower_name):
        return "sysctl"
    if told is not None:
        return told[0]
    if suffix in ("env", "default") or name in _NAMES or file.lower_name.startswith(".env") or _is_defaults_folder(file.folders):
        return "environment" if _is_environment(file) else None
    return None


_FLAT_DROP_IN = lazy_regex(r"([^/]{1,255}\.(?:service|socket|target|timer|path|mount|slice)\.d)[-_.]([^/]+\.conf)")
# A drop-in under the name of its unit, put beside others of its kind: app.override.service.
_OVERRIDE = lazy_regex(r"([^/]+)[-_.]override\.(service|socket|target|timer|path|mount|slice)")
_SETTING = lazy_regex(r"-?[A-Za-z0-9_*?./-]+(?:[ \t]*=.*)?|-[A-Za-z0-9_*?./-]+")
_KERNEL = lazy_regex(
    r"-?(?:net[./](?:core|ipv[46]|netfilter|bridge|unix|mptcp|sctp|nf_conntrack_max|vsock|mpls|fan)\b.*"
    r"|(?:vm[./](?:swappiness|max_map_count|overcommit_\w+|dirty_\w+|nr_hugepages|min_free_kbytes|vfs_cache_pressure|zone_reclaim_mode)"
    r"|fs[./](?:file-max|nr_open|aio-max-nr|suid_dumpable|inotify[./]\w+|protected_\w+|pipe-\S+|mqueue[./]\w+)"
    r"|kernel[./](?:pid_max|threads-max|panic\w*|sysrq|shm\w+|msg\w+|sem|core_pattern|core_uses_pid|kptr_restrict|dmesg_restrict"
    r"|randomize_va_space|perf_event_paranoid|yama[./]\w+|unprivileged_\w+|numa_balancing|sched_\w+|kexec_load_disabled|keys[./]\w+))"
    r"[ \t]*)="
)
_SECTION = lazy_regex(r"\[([^\]\n]+)\]")
_ASSIGNMENT = lazy_regex(r"(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=.*")


def _lines(text: str, comments: str = "#;") -> list[str]:
    """The lines that say something, without blanks around them."""
    return [line for line in map(str.strip, text.split("\n")) if line and line[0] not in comments]


def _first_section(text: str) -> str | None:
    """The first section's name where a section comes first, as in a unit file."""
    for line in text.split("\n"):
        line = line.strip()
        if line and line[0] not in "#;" and not _is_template_line(line):
            found = _SECTION.fullmatch(line)
            return found[1] if found else None
    return None


def _is_unit(text: str, suffix: str) -> bool:
    """systemd's files begin with a section of systemd's; D-Bus, Avahi and others use the suffix .service too."""
    first = _first_section(text)
    return first in ("Unit", "Install", suffix.capitalize()) or (first or "").startswith("X-")


def _is_drop_in_folder(name: str) -> bool:
    """`nginx.service.d`, or `service.d` for all services."""
    stem, dot, d = name.rpartition(".")
    return bool(dot) and d == "d" and stem.rpartition(".")[2] in _UNITS


def _is_defaults_folder(folders: tuple[str, ...]) -> bool:
    """/etc/default or /etc/sysconfig; Chef has templates/default/ for templates of every platform."""
    return folders[-1:] in (("default",), ("sysconfig",)) and folders[-2:-1] not in (("templates",), ("files",))


def _is_sysctl(text: str, named: bool) -> bool:
    """Nothing but `key = value`, a kernel's key among them; where the name says so too, the other lines may be odd."""
    lines = [line for line in _lines(text) if not _is_template_line(line)]
    if not any(_KERNEL.match(line) for line in lines):
        return False
    return named or all(_SETTING.fullmatch(line) and "." in line.partition("=")[0].replace("/", ".") for line in lines)


def _is_environment(file: Candidate) -> bool:
    lines = file.lines()
    return bool(lines) and all(_ASSIGNMENT.match(line) for line in lines[:200])


def _is_template_line(line: str) -> bool:
    return line.startswith(("{%", "{{", "{#", "<%", "%}", "-%>"))


# ── whether it is deployed ──────────────────────────────────────────────────────────────────────────────────────────

_SAMPLE_FOLDERS = {
    **dict.fromkeys(("example", "examples", "sample", "samples", "demo", "demos", "contrib", "skeleton", "skel"), "samples"),
    **dict.fromkeys(("playground", "tutorial", "tutorials", "quickstart"), "samples"),
    **dict.fromkeys(("doc", "docs", "documentation", "man", "manual"), "documentation"),
    **dict.fromkeys(("test", "tests", "testing", "spec", "specs", "testdata", "test_data", "test-data", "e2e", "itest"), "tests"),
    **dict.fromkeys(("fixture", "fixtures", "__tests__", "__fixtures__", "mock", "mocks", "molecule", ".kitchen"), "tests"),
    **dict.fromkeys(("integration-test", "integration-tests", "integration_tests", "test-integration", "benchmark"), "tests"),
    **dict.fromkeys(("benchmarks", "testcases", "test-cases", "test_cases", "unittest", "unittests", "unit-tests"), "tests"),
    **dict.fromkeys((".github", ".gitlab", ".circleci", ".travis", ".ci", ".buildkite", ".devcontainer"), "tests"),
    **dict.fromkeys(("vendor", "vendored", "_vendor", "third_party", "third-party", "thirdparty", "3rdparty"), "other projects' files"),
    **dict.fromkeys(("attic", "archived", "unused", "disabled", "old", "trash"), "disabled files"),
}
# A folder in one of these bears the name of what it sets up: roles/docs/ sets up a server of documentation.
_NAMED = ("roles", "cookbooks", "modules", "profile", "profiles")
_SALT_STATE = "/init.sls"
_SIGNS_OF_A_ROLE = (_SALT_STATE, "/tasks/main.yml", "/tasks/main.yaml", "/manifests/init.pp", "/recipes/default.rb")
_SAMPLE_WORDS = {
    **dict.fromkeys(("sample", "samples", "example", "examples", "demo", "skeleton"), "a sample"),
    **dict.fromkeys(("test", "tests", "testing", "fixture", "mock"), "a test"),
    **dict.fromkeys(("bak", "orig"), "put aside"),
}
# example.com and its kind stand for a name, not for a sample of one.
_DOMAINS = frozenset({"com", "org", "net", "edu", "local", "test", "io"})

_REMARK = lazy_regex(
    r"(?:this (?:file )?is (?:just |only |merely )?(?:an? )?(?:sample|example|template|demo)\b"
    r"|(?:an? )?(?:sample|example|demo) (?:[\w.-]+ ){0,4}(?:config|configuration|conf|file|unit|vhost|site|settings|setup|server block)\b"
    r"|(?:an? )(?:sample|example) of\b"
    r"|do not use (?:this )?in production|not (?:meant |intended |suitable )?for production"
    r"|for (?:testing|demonstration) (?:purposes )?only)"
)
# Above a unit; above a setting it would speak of that one.
_RETIRED = lazy_regex(r"(?:this (?:unit|service|file) is )?(?:not (?:in use|used) any ?more|no longer (?:in use|used))\b")
# What distributions ship, and people deploy with these remarks still in it.
_STOCK = lazy_regex(
    r"redis configuration file example|example configuration for a possible web application|valkey configuration file"
    r"|sample nrpe config file|example config-file for munin-node|sample configuration file for the samba suite"
    r"|example config file for the clam ?av daemon|this is a sample configuration file for the nrpe daemon"
    r"|an example configuration file for configuring the net-snmp agent|example (?:mariadb|mysql) config file"
)
_REMARK_LINES = 15

# Terraform's %{ if } counts, too; a `{%` that nothing ends is a slip of the pen.
_JINJA = lazy_regex(r"\{\{|\{%(?![^%\n]*$)|\{%[-+~ ]|<%[-=#\s]|<%$|%\{[~ ]*(?:if|for|else|endif|endfor)\b")
_JINJA_MARKS = ("{{", "{%", "<%", "%{")
_GO_FORMAT = lazy_regex(r"\{\{ ?[.\"(]|\{\{ ?(?:range|json|index|if|with|end)\b")
# What str.format() fills in, in a file that is called a template.
_BRACED = lazy_regex(r"(?<![$\w{])\{[A-Z][A-Z0-9_]*\}|(?<=[0-9])\{[A-Z][A-Z0-9_]*\}")
_PLACEHOLDER = lazy_regex(
    r"(?<![\w@.])@[A-Za-z_]{2,}@|%%[A-Za-z_]+%%|(?<!\w)__[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*__(?!\w)"
    r"|<(?:your|my)[-_ ][\w -]{1,40}>|<[A-Z]{2,}(?:_[A-Z]+)*>"
)
_PLACE_MARKS = ("@", "%%", "__", "<")  # what each of these begins with
# What containers fill in when they start, and what lighttpd and others take from their environment themselves.
_VARIABLE = lazy_regex(r"\$[{(]?[A-Za-z_]|(?<![\w.])env\.[A-Za-z_]")
_ENVSUBST = lazy_regex(r"\$\{[A-Z][A-Z0-9_]*\}|\$[A-Z][A-Z0-9_]+")


def _why_not_deployed(
    folders: tuple[str, ...], name: str, text: str, kind: ConfigKind, explicit: bool, roles: Container[str] = ()
) -> str:
    """A sentence saying why a repository does not deploy a file, "" where it does."""
    if not explicit:
        for depth, (above, folder) in enumerate(zip(("", *folders), folders, strict=False), 1):
            what = _SAMPLE_FOLDERS.get(_lower(folder))
            if what is not None and above not in _NAMED and "/".join(folders[:depth]) not in roles:
                return f"it lies in {folder}/, which contains {what}"
        if name.startswith(".") and kind != "environment":
            return "its name begins with a dot, so programs ignore it"
        suffix = _aside(name)
        if suffix:
            return f"its name ends in {suffix}, so programs do not read it"
        what = _sample_word(name)
        if what is not None:
            return f"its name says that it is {what}"
        if kind in ("unit", "drop-in") and _is_users_own(folders):
            return "it is a user unit, not a system unit"
        remark = _remark(text, kind)
        if remark:
            return f"its text says: {remark}"
    return ""


def _aside(name: str) -> str:
    if name.endswith("~"):
        return "~"
    for part in reversed(_lower(name).split(".")[1:]):
        if part in _ASIDE:
            return f".{part}"
        if part not in _TEMPLATE:
            return ""
    return ""


def _sample_word(name: str) -> str | None:
    words = [word for word in re.split(r"[._@ -]", _lower(_plain(name))) if word]
    for word, after in pairwise((*words, "")):
        if word in _SAMPLE_WORDS and not (word == "example" and after in _DOMAINS):
            return _SAMPLE_WORDS[word]
    return None


def _is_users_own(folders: tuple[str, ...]) -> bool:
    return any((one, two) in (("systemd", "user"), (".config", "containers")) for one, two in pairwise(folders))


def _home_of(folders: tuple[str, ...]) -> str:
    """The user in whose home, or among whose quadlets, a file lies by its folders; `user` where they name none, "" for no user's."""
    steps = tuple(pairwise(folders))
    of_user = any((one in (".config", "dot_config") and two == "containers") or (one, two) == ("systemd", "users") for one, two in steps)
    return next((two for one, two in steps if one == "home"), "user") if of_user else ""


def _remark(text: str, kind: ConfigKind) -> str:
    """The comment among a file's first lines that calls it a sample, or a unit retired, "" without one."""
    for line in text[:4096].split("\n")[:_REMARK_LINES]:
        line = line.strip()
        if line and line[0] not in "#;":
            break
        remark = line.strip("#;*-=_ \t").rstrip(".")
        said = _lower(remark)
        if (_REMARK.match(said) and not _STOCK.match(said)) or (kind == "unit" and _RETIRED.match(said)):
            return remark if len(remark) <= 60 else f"{remark[:57]}..."
    return ""


def _unfilled(name: str, kind: ConfigKind, text: str) -> str:
    """The first place of a template that is not filled in, "" where there is none; comments do not count."""
    suffixes = set(_lower(name).split(".")[1:])
    own = recognition.traits_in_repository(kind)
    is_template = not suffixes.isdisjoint(_TEMPLATE)
    # What finds its .env beside it fills variables in itself, and what nobody fills in there is unknown where it stands.
    name_of_its_own = recognition.has_own_name(_plain(name)) and not own.beside
    # Most texts have no mark of either kind, and their long patterns are not compiled for them.
    may_be_jinja = any(mark in text for mark in _JINJA_MARKS)
    may_hold_places = not own.beside and any(mark in text for mark in _PLACE_MARKS)
    for line in text.split("\n"):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        found = _JINJA.search(line) if may_be_jinja else None
        # docker and podman have a language of their own with the same braces, which reaches the command as it is.
        if found and not ((kind in ("unit", "drop-in") or own.own_braces) and _GO_FORMAT.match(line, found.start())):
            return _marker(line[found.start() :])
        found = _PLACEHOLDER.search(line) if may_hold_places else None
        if found is None and own.filled_by == "envsubst" and ("template" in suffixes or "tmpl" in suffixes or _ENVSUBST_PORT.search(line)):
            found = _ENVSUBST.search(line)
        if found is None and name_of_its_own:
            found = _VARIABLE.search(line)
        if found is None and is_template:
            found = _BRACED.search(line)
        if found:
            return found[0]
    return ""


def _marker(text: str) -> str:
    ends = [text.find(end, 2) + 2 for end in ("}}", "%}", "%>")]
    end = min((end for end in ends if end > 1), default=len(text))
    return text[: min(end, 40)]


# Where variables are never in upper case, and none stands in `listen`, envsubst(1) fills these in when a container starts.
_ENVSUBST_PORT = lazy_regex(r"\$\{[A-Z]|^(?:listen|server|worker_connections)[ \t][^#]*\$[A-Z]")


# ── where it goes ───────────────────────────────────────────────────────────────────────────────────────────────────

# Where a path may begin to be one of a host, and what it must then hold to be a place that the daemon looks at.
_ROOTS = (
    ("etc",),
    ("usr", "lib"),
    ("usr", "local"),
    ("usr", "share"),
    ("lib", "systemd"),
    ("run", "systemd"),
    ("run", "sysctl.d"),
    ("opt",),
)
_PLACES: dict[ConfigKind, tuple[str, ...]] = {
    "unit": ("/systemd/system/",),
    "drop-in": ("/systemd/system/",),
    "sysctl": ("/etc/sysctl.conf", "/etc/sysctl.d/", "/lib/sysctl.d/", "/run/sysctl.d/"),
}
# Some roles spell a place out in the file's name.
_FLAT = {
    "etc_systemd_system_": "/etc/systemd/system",
    "etc_sysctl.d_": "/etc/sysctl.d",
    "etc_default_": "/etc/default",
}


def _host_path(file: Candidate, kind: ConfigKind) -> str | None:
    folders, name, parent = file.folders, file.name, file.parent
    is_daemons = recognition.is_daemon(kind)
    if is_daemons and (own := recognition.traits_in_repository(kind)).beside:
        return own.place.replace("{}", "/".join((*folders, name)))
    for at in range(len(folders)):
        if kind == "quadlet" and _home_of(folders):
            break
        if any(folders[at : at + len(root)] == root for root in _ROOTS):
            rooted = "/" + "/".join((*folders[at:], name))
            rooted = f"/usr{rooted}" if rooted.startswith("/lib/") else rooted  # file-hierarchy(7): /lib is a link to it
            if recognition.is_place(kind, rooted) if is_daemons else any(place in rooted for place in _PLACES.get(kind, ("/",))):
                return rooted
            break
    for flat, place in _FLAT.items():
        if name.startswith(flat):
            return f"{place}/{name.removeprefix(flat)}"
    if is_daemons:
        return recognition.spelt_out(kind, name) or recognition.place(kind, file)
    packaged = parent == "debian"  # debhelper(7): debian/NAME.service is installed as a vendor's unit
    match kind:
        case "fstab":
            return "/etc/fstab"
        case "cron":
            return f"/etc/{parent}/{name}" if parent in _CRON else "/etc/crontab"
        case "unit":
            return f"/usr/lib/systemd/system/{name}" if packaged else f"/etc/systemd/system/{name}"
        case "quadlet":
            home = _home_of(folders)
            return f"/home/{home}/.config/containers/systemd/{name}" if home else f"/etc/containers/systemd/{name}"
        case "drop-in":
            override = _OVERRIDE.fullmatch(name) if "override." in name else None
            if override:
                return f"/etc/systemd/system/{override[1]}.{override[2]}.d/override.conf"
            flat_drop_in = None if _is_drop_in_folder(parent) else _FLAT_DROP_IN.fullmatch(name)
            return f"/etc/systemd/system/{'/'.join(flat_drop_in.groups()) if flat_drop_in else f'{parent}/{name}'}"
        case "sysctl":
            if name == "sysctl.conf":
                return "/etc/sysctl.conf"
            plain = name if name.endswith(".conf") else name.removesuffix(".sysctl") + ".conf"
            return f"/usr/lib/sysctl.d/{plain}" if packaged else f"/etc/sysctl.d/{plain}"
        case "environment":
            if packaged:
                return f"/etc/default/{name.removesuffix('.default')}"
            return f"/etc/{parent}/{name}" if _is_defaults_folder(folders) else None
        case _:
            return None


def _lower(text: str) -> str:
    return text.lower()
