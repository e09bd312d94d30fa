"""Tree: the files of one host by absolute in-host path; Files: a tree as it was read, with what could not be."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Literal, Protocol, TypeVar

from portwright._start import debug_log
from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.source import Source, Span, Unreadable
from portwright.trees.budget import CHARACTERS_A_STEP, MOST_EXPANDED, MOST_WORK, READ_UP, Budget

T = TypeVar("T")
Kind = Literal["file", "directory", "special", "missing"]
HEAD = 4096
MOST_TROUBLE = 100
OF_THE_HOST = frozenset(("/etc/hosts", "/etc/services", "/etc/passwd", "/etc/group"))
"""What everybody asks for, and no config of a daemon."""

# What holds nothing but secrets is never opened, whoever names it: an Include of /etc/shadow, a link to a host key. A copy of one, and
# what one is made of, neither. playbooks/collect.sh has the same list, so this is written in what grep -E understands, too.
FILES_OF_SECRETS = (
    r"(/etc/(g?shadow-?|security/opasswd|krb5\.keytab)|/etc/ssh/ssh_host_[^/]+_key|/etc/ssl/private/.+|.*/\.ssh/[^/]+"
    r"|.*/((chap|pap|srp|l2tp)-secrets|[^/]+\.secrets|davfs2?/secrets|\.my(login)?\.cnf|userlist\.txt|sasl_passwd|smbpasswd|[^/]*\.?htpasswd"
    r"|htdigest|\.?pgpass(\.conf)?|[._]?netrc|tacacs\.secret|hostapd\.(wpa_psk|eap_user)|passwd\.client|mosquitto/(passwd|pwfile)"
    r"|deluge/auth|psk\.txt|authkeys?|(chrony|ntp)\.keys|\.erlang\.cookie|token\.csv|jmxremote\.password|pool_passwd|pcp\.conf|ocpasswd"
    r"|\.?passwd-s3fs|\.git-credentials|\.aws/credentials|\.smbcredentials|\.vault-token|collectd/auth(_file)?|\.vnc/passwd)"
    r"|.*\.(key|p12|pfx|jks|keystore|keytab|kdbx|KEY|P12|PFX|JKS)|(.*[/._-])?priv(ate)?[._-]?key[^/]*\.pem|.*[._-]key[0-9]{0,3}\.pem|.*/key\.pem)"
    r"(\.(j2|erb|epp|tmpl|tpl|in|bak|backup|old|orig|save|rpmsave|rpmnew|dpkg-[a-z]+)|~)?"
)
# No name of a file is longer (NAME_MAX).
_SECRET_FILES = lazy_regex(FILES_OF_SECRETS.replace("(", "(?:").replace("[^/]*", "[^/]{0,255}"), re.DOTALL)
# What each of these paths holds one of: most paths hold none, and the long pattern is not compiled for them.
_SECRET_WORDS = lazy_regex(
    r"shadow|passw|pw|key|ssl/private/|\.ssh/|secret|cnf|userlist|htdigest|pgpass|netrc|hostapd|/auth|psk|cookie|token|credentials|pcp\.conf"
    r"|p12|pfx|jks|kdbx|KEY|P12|PFX|JKS"
)
_OPEN_TO_ALL = ("/.ssh/config", "/.ssh/known_hosts")


def _is_of_secrets(path: str) -> bool:
    return _SECRET_WORDS.search(path) is not None and _SECRET_FILES.fullmatch(path) is not None and not path.endswith(_OPEN_TO_ALL)


def holds_only_secrets(path: str) -> bool:
    """Whether a path is that of a file that nobody opens, on a host or in a repository's copy of a host's folders."""
    at = path.rfind("/etc/")
    return _is_of_secrets(path) or (at > 0 and _is_of_secrets(path[at:]))


class ReadError(Exception):
    """A path is there and cannot be read; `reason` is a sentence for a report."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


Trouble = Callable[[ReadError], None]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a file system knows of a file besides its text.

    `capability` is the extended attribute security.capability as it is stored, b"" where the file surely has none, None where nobody
    can tell: a copy may have lost it. `group` is None where nobody can tell.
    """

    mode: int
    owner: int
    capability: bytes | None = None
    group: int | None = None


class Watch:
    """What somebody asks of files for a while: the paths it reads, and what it says it could not read or understand."""

    __slots__ = ("asked", "troubles")

    def __init__(self) -> None:
        self.asked: dict[str, None] = {}
        self.troubles: list[Unreadable] = []


class Tree(Protocol):
    """The files of one host. Paths are absolute and in-host; links are resolved inside the tree, as a chroot would.

    A path that resolves to `/dev/null` (how systemd masks) is *special* and reads as empty, whether the tree holds a /dev or not.
    """

    def kind(self, path: str) -> Kind:
        """What a path is, links followed; a dangling link is missing. Raises ReadError for loops and paths too deep."""

    def link(self, path: str) -> str | None:
        """The text of the symbolic link at `path` (its last part not followed), None where it is none."""

    def resolve(self, path: str) -> str:
        """The canonical in-host path: every link followed as far as the path exists. Raises ReadError for a loop."""

    def names(self, directory: str) -> tuple[str, ...]:
        """The names in a directory in byte order, links (dangling ones too) included; () where there is none."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file, None where it is missing. Raises ReadError for what is there and cannot be read."""

    def head(self, path: str) -> bytes | None:
        """The first bytes of a regular file (HEAD of them, or all), whatever its size; otherwise as `read`."""

    def attributes(self, path: str) -> Attributes | None:
        """Mode, owner and capabilities of a regular file, links followed; None for another kind and where the tree has no such thing."""

    def label(self, path: str) -> str:
        """How reports show a path: itself on a host, the path inside the repository for a repository laid out like a host."""

    def walk(self, trouble: Trouble | None = None) -> Iterable[str]:
        """Every file and link in the tree by its own path, in byte order, links not followed; special files are among them.

        A directory that cannot be listed, or lies beyond a cap, is told to `trouble` and the walk goes on; without it, it raises.
        """


class Files:
    """One tree as it was read: each file once, how many they were, and what could not be read.

    The only mutable thing in a run: the readers above are pure but for what they ask of it. A Source's path is the tree's label
    for it, so follow includes by the path you asked for, not by `source.path`. `partial`: these are some files of a host, as a
    repository has them, so that a file which another one names may well be there when both are deployed.
    """

    def __init__(self, tree: Tree, partial: bool = False) -> None:
        self.tree = tree
        self.partial = partial
        self._read: dict[str, Source | None] = {}
        self._trouble: dict[Unreadable, None] = {}
        self._said: dict[str, int] = {}
        self._limits: set[tuple[str, str]] = set()
        self._doubts: dict[tuple[Span, str], None] = {}
        self._answers: dict[Hashable, object] = {}
        self._budget = Budget()
        self._again = 0
        self._watch: Watch | None = None

    def watched(self, work: Callable[[], T]) -> tuple[T, Watch]:
        """What `work` returns, and what it asked of these files meanwhile; what the whole host is asked (`once`) is not counted."""
        outer, own = self._watch, Watch()
        self._watch = own
        try:
            return work(), own
        finally:
            self._watch = outer
            if outer is not None:
                outer.asked |= own.asked
                outer.troubles += own.troubles

    def read(self, path: str) -> Source | None:
        """A file's text; None where it is missing or cannot be read (then it is in `unreadable`)."""
        if self._watch is not None and path not in OF_THE_HOST:
            self._watch.asked[path] = None
        if path not in self._read:
            try:
                self._refuse_secrets(path)
                self._refuse_more(path)
                data = self.tree.read(path)
                reason = "" if data is None else self._budget.take(data, self._texts)
                if reason:
                    raise ReadError(path, reason)
            except ReadError as error:
                self.report_unreadable(Span.whole(self.tree.label(path)), error.reason)
                data = None
            if debug_log.ENABLED:
                debug_log.say("files", "%s %s", "not there:" if data is None else f"read, {len(data)} bytes:", path)
            self._read[path] = None if data is None else Source(self.tree.label(path), data.decode("utf-8", "surrogateescape"))
        elif (known := self._read[path]) is not None:
            self._again += len(known.text)
        return self._read[path]

    def has_read(self, path: str) -> bool:
        """Whether somebody has asked for this file's text."""
        return path in self._read

    def known(self, path: str) -> Source | None:
        """The text of a file that was read before, for what looks at it once (`once`): that is no step taken again."""
        return self._read.get(path)

    def _texts(self) -> Iterable[str]:
        return (source.text for source in self._read.values() if source is not None)

    def _refuse_more(self, path: str) -> None:
        if self._budget.is_read_up and self.tree.kind(path) == "file":
            raise ReadError(path, READ_UP)

    def spend(self, amount: int, at: Span, what: str) -> bool:
        """Whether `amount` characters more may be made of what files hold; where not, that is said of `what`, at its place."""
        if self._budget.expand(amount):
            return True
        self.report_spent(at, f"{what} is left out: more than {MOST_EXPANDED:,} characters were made of what this host's files hold")
        return False

    def work(self, steps: int, at: Callable[[], Span], what: str) -> bool:
        """Whether so many steps more may be taken on this host; where not, that is said of `what`, at its place."""
        if self._budget.work(steps):
            return True
        self.report_spent(at(), f"{what} is left out: this host took more than {MOST_WORK:,} steps")
        return False

    def take_again(self) -> int:
        """The steps it took to read files once more since this was last asked."""
        again, self._again = self._again, 0
        return again // CHARACTERS_A_STEP

    def report_spent(self, at: Span, reason: str) -> None:
        """Once of each file, at the first place."""
        if (at.path, reason) not in self._limits:
            self._limits.add((at.path, reason))
            self.report_unreadable(at, reason)

    def once(self, work_out: Callable[["Files"], T]) -> T:
        """What a function makes of these files, worked out when it is first asked for."""
        if work_out not in self._answers:
            watch, self._watch = self._watch, None
            try:
                self._answers[work_out] = work_out(self)
            finally:
                self._watch = watch
        return self._answers[work_out]  # type: ignore[return-value]  # what it returned

    def head(self, path: str) -> bytes:
        """How a file begins, enough to tell a script from a program; it does not count as read. b"" where nothing can be read."""
        try:
            self._refuse_secrets(path)
            return self.tree.head(path) or b""
        except ReadError as error:
            self.report_unreadable(Span.whole(self.tree.label(path)), error.reason)
            return b""

    def names(self, directory: str) -> tuple[str, ...]:
        try:
            return self.tree.names(directory)
        except ReadError as error:
            self.report_unreadable(Span.whole(self.tree.label(directory)), error.reason)
            return ()

    def kind(self, path: str) -> Kind:
        try:
            return self.tree.kind(path)
        except ReadError as error:
            self.report_unreadable(Span.whole(self.tree.label(path)), error.reason)
            return "missing"

    def link(self, path: str) -> str | None:
        try:
            return self.tree.link(path)
        except ReadError as error:
            self.report_unreadable(Span.whole(self.tree.label(path)), error.reason)
            return None

    def attributes(self, path: str) -> Attributes | None:
        """What the file system knows of a program besides its text; None where that cannot be told."""
        try:
            return self.tree.attributes(path)
        except ReadError:
            return None  # whoever reads the file says why

    def resolve(self, path: str) -> str:
        """The canonical in-host path of `path`; `path` itself where a loop makes that impossible."""
        try:
            return self.tree.resolve(path)
        except ReadError as error:
            self.report_unreadable(Span.whole(self.tree.label(path)), error.reason)
            return path

    def walk(self) -> Iterable[str]:
        """Every file and link in the tree; what could not be looked at is in `unreadable` once the walk is over."""
        return self.tree.walk(lambda error: self.report_unreadable(Span.whole(self.tree.label(error.path)), error.reason))

    def _refuse_secrets(self, path: str) -> None:
        real = self.tree.resolve(path)
        if real not in OF_THE_HOST and _is_of_secrets(real) and self.tree.kind(real) == "file":
            raise ReadError(path, "it contains secrets, so it is not read")

    def report_unreadable(self, at: Span, reason: str) -> None:
        """Say that something could not be read or parsed; the same thing is said once, and of one file no more than a reader will read."""
        found = Unreadable(at, reason)
        if self._watch is not None:
            self._watch.troubles.append(found)
        if found in self._trouble:
            return
        if debug_log.ENABLED:
            debug_log.say("files", "unreadable: %s", at)  # the report says why, without a secret of the line
        said = self._said[at.path] = self._said.get(at.path, 0) + 1
        if said <= MOST_TROUBLE:
            self._trouble[found] = None
        elif said == MOST_TROUBLE + 1:
            more = f"more than {MOST_TROUBLE} places in it cannot be read; the others are not listed"
            self._trouble[Unreadable(Span.whole(at.path), more)] = None

    def report_limit(self, at: Span, most: int, what: str) -> None:
        """Say that no more than so many of something are read: of each file and kind once, at the first that is left out."""
        if (at.path, what) not in self._limits:
            self._limits.add((at.path, what))
            self.report_unreadable(at, f"more than {most:,} {what}: the rest is not read")

    def limited(self, items: Iterable[T], most: int, what: str, at: Callable[[T], Span]) -> Iterator[T]:
        """The first so many of something; that there are more is said where the next one stands."""
        for number, item in enumerate(items):
            if number == most:
                self.report_limit(at(item), most, what)
                return
            yield item

    def report_missing(self, at: Span, reason: str) -> None:
        """Say that a file which something needs is not there; of a host of which these are only some files that says nothing."""
        if not self.partial:
            self.report_unreadable(at, reason)

    def report_not_understood(self, at: Span, reason: str) -> None:
        """Say that a program listens at a place which nobody can make out, though there is nothing wrong with what is written there."""
        if len(self._doubts) < MOST_TROUBLE:
            self._doubts[at, reason] = None

    def take_not_understood(self) -> tuple[tuple[Span, str], ...]:
        """What was not understood since this was last asked: whoever reads a program's files asks after each program."""
        doubts = tuple(self._doubts)
        self._doubts.clear()
        return doubts

    def is_unreadable(self, path: str) -> bool:
        """Whether a path that was asked for is a file whose text could not be had."""
        return path in self._read and self._read[path] is None and self.kind(path) == "file"

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        return tuple(sorted(self._trouble))

    @property
    def sources(self) -> dict[str, Source]:
        """Every file that was read, by the path that spans carry."""
        return {source.path: source for source in self._read.values() if source is not None}
