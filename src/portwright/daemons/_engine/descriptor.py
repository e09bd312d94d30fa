"""A daemon's descriptor as a value: everything that is known of it, by the keys of its daemons/NAME/descriptor.yaml (daemons/README.md)."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts import Confidence, Protocol, Traits

Form = Literal["socket", "address", "at", "comma", "milter", "transport", "spoken", "dotted"]
Names = Literal["all", "first", "inet", "all-inet"]
Zero = Literal["off", "random"]
Take = Literal["last", "first", "every", "fitting"]
Apply = Literal["reload", "restart"]

FAMILIES = ("deb", "rpm", "apk", "arch")


@dataclass(frozen=True, slots=True)
class ByFamily:
    """Paths or names by the family of distributions that has them, named as its packages are; `any` holds for all of them."""

    any: tuple[str, ...] = ()
    deb: tuple[str, ...] = ()
    rpm: tuple[str, ...] = ()
    apk: tuple[str, ...] = ()
    arch: tuple[str, ...] = ()

    def of(self, family: str | None) -> tuple[str, ...]:
        """What one family has, its own first; everything that any of them has where the family is unknown, or has none."""
        own = (*getattr(self, family), *self.any) if family is not None else ()
        return tuple(dict.fromkeys(own)) or self.all

    @property
    def all(self) -> tuple[str, ...]:
        """What any family has, what all have first."""
        return tuple(dict.fromkeys((*self.any, *self.deb, *self.rpm, *self.apk, *self.arch)))


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value comes from: the first of `sources` that says it, else `default` (None: nowhere).

    `take` says which of several occurrences counts; `split` are characters between values; `word` is the one word of each occurrence
    that counts, `following` the word behind which the one that counts stands; `pattern` finds the value in a word, in its
    first group (`take: fitting` is the last that it finds);
    `after` and `until` cut a value at some text; `plus` is added to a port; `off` are values that mean none, `unset` those that mean the
    default. `joined`: the words of an occurrence are one value. `option`: the value is a
    command line, and what follows this option in it is meant.
    """

    sources: tuple[str, ...] = ()
    default: tuple[str, ...] | None = None
    take: Take = "last"
    split: str = ""
    word: int | None = None
    until: str = ""
    after: str = ""
    plus: int = 0
    off: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    option: str = ""
    following: str = ""
    pattern: str = ""
    joined: bool = False


Conditions = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Socket:
    """Sockets that one daemon opens for one purpose.

    `without` are conditions, one of which holding leaves out a protocol (`tcp`, `udp`) or a family (`inet`, `inet6`);
    `excepting` names interfaces whose addresses are none of `each`, `other_than` ports that are another socket's.
    """

    protocols: tuple[Protocol, ...] = ("tcp",)
    listen: Slot | None = None
    port: Slot | None = None
    end_port: Slot | None = None
    backlog: Slot | None = None
    excepting: Slot | None = None
    other_than: tuple[Slot, ...] = ()
    form: Form = "socket"
    schemes: tuple[tuple[str, str], ...] = ()
    any: tuple[str, ...] = ("", "*")
    wildcard: tuple[str, ...] = ("0.0.0.0",)  # noqa: S104
    zeros_are_dual: bool = False
    v6only: bool | None = None
    names: Names = "all"
    zero: Zero = "off"
    reuse_address: bool | Literal["tcp"] | None = None
    reuse_port: bool | None = False
    binds_as: str | None = None
    on_demand: bool = False
    random: bool = False
    each: str | None = None
    when: Conditions = ()
    unless: Conditions = ()
    without: tuple[tuple[str, Conditions], ...] = ()
    versions: str = ""
    confidence: Confidence = "certain"
    why: str = ""
    optional: bool = False
    survives_conflict: bool = False
    free_bind: Conditions = ()
    lists_interfaces: Conditions = ()


@dataclass(frozen=True, slots=True)
class Connects:
    """Connections that one daemon makes again and again.

    To `name`: `keeps` says whether it keeps them open, `why` what it does if not. To each value of `to` (of each block `each`, where
    there is one), one for each client, as a proxy of TCP does. From each value of `bound`: it binds that address before it connects.
    With a value of `anew` it opens a connection to `to` for each request.
    """

    name: str = ""
    keeps: Slot | None = None
    why: str = ""
    to: Slot | None = None
    bound: Slot | None = None
    anew: Slot | None = None
    each: str = ""
    when: Conditions = ()
    unless: Conditions = ()
    versions: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """Which files a daemon reads, in which grammar, and what includes others (directive to what is appended to its value).

    `under` names files whose settings stand in a section of a name that only the file's own name tells. `when_missing` is how sure a
    built-in default is where none of its files was found. `format` are the grammars it may be written in. `passes_over` are patterns of
    settings that look like those of a socket and open none. `usual_drop_ins` are what the config that a package installs includes, read
    where it is not there; a file is `optional` that is named and says nothing of sockets; `unread` are files in a grammar that nobody
    reads here, one of which may say anything. Without a `format` the engine reads none of them: the daemon's reader does, or nothing in
    them says where it listens. `directory` is where it goes before it looks for a file with a relative name.
    """

    format: str = ""
    named: Slot = Slot()
    paths: ByFamily = ByFamily()
    when_missing: Confidence = "likely"
    every: bool = False
    include: tuple[tuple[str, str], ...] = ()
    relative: str = ""
    drop_ins: tuple[str, ...] = ()
    directories: Slot = Slot()
    directory: Slot = Slot()
    unless: Conditions = ()
    under: tuple[tuple[str, str], ...] = ()
    needed: bool = False
    once: bool = False
    passes_over: tuple[str, ...] = ()
    usual_drop_ins: tuple[str, ...] = ()
    optional: bool = False
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A script that starts the daemon: the variables it reads, and the command line it makes of them."""

    path: str
    argv: tuple[str, ...]
    variables: tuple[str, ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()
    when: Conditions = ()
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """The setting that says how many connections a daemon takes, a descriptor each, and what becomes of it where it may not have them."""

    connections: Slot
    setting: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class InUnit:
    """How packages' units start it where that is more than the name of its program; `{}` in `arguments` is the config that is there."""

    program: str = ""
    arguments: tuple[str, ...] = ()
    user: str = ""


@dataclass(frozen=True, slots=True)
class EndsWithout:
    """A file without which a daemon ends: the settings that name it, where it is otherwise, and what it is in words."""

    named: Slot
    paths: ByFamily
    what: str


@dataclass(frozen=True, slots=True)
class EndsWhere:
    """Settings with which a daemon of some versions ends before it serves anything, or goes to the background, and why; `handed_none`:
    only where no socket unit hands it a descriptor."""

    why: str
    when: Conditions = ()
    unless: Conditions = ()
    versions: str = ""
    handed_none: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """Settings that a daemon of some versions has no longer, and ends at."""

    settings: tuple[str, ...]
    versions: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server whose whole say is on its command line, in its variables and its defaults.

    `listen` are flags that give address and port together (given several times, or several in one value); `host` and `port` give one
    of both, and with no `port` at all it binds nothing. `needs` are words without which it is no server (`run`, `-s`). With one of
    `elsewhere` it binds no port but a Unix socket or a descriptor it was given, or takes its address from a file nobody reads here.
    `single` are flags after which it binds one socket only. `ipv4` and `ipv6` restrict the family. `application` are flags that name
    the application; where its file is there and never says `speaks`, the server finds nothing to serve and gives up before it binds.
    `count` says how many ports it takes. `backlog` says how long an accept queue it asks for, `queue` is the one it asks for by itself.
    `any` are the texts that mean no address. The other fields are those of binding.Binder.
    """

    host: Slot
    port: Slot = Slot()
    listen: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    count: tuple[str, ...] = ()
    backlog: tuple[str, ...] = ()
    queue: int | None = None
    application: tuple[str, ...] = ()
    speaks: str = ""
    names: Names = "first"
    wildcard: tuple[str, ...] = ("0.0.0.0",)  # noqa: S104
    any: tuple[str, ...] = ("", "*")
    v6only: bool | None = None
    confidence: Confidence = "certain"


@dataclass(frozen=True, slots=True)
class InRepository:
    """How a config of the daemon is told in a repository.

    `names` are file names that only its config goes by, `under` ends of paths, `suffixes` endings of names without the dot, `folders`
    the folders its files lie in and the places these have on a host. `text` are patterns of which one stands in the file; `recogniser`
    is the module of the room that decides where patterns cannot. `apart`: what the rest of the repository configures runs elsewhere, in a
    container or on another machine. `beside`: it is laid below its place under its whole path, where the repository's other files
    lie beside it. `kinds` are the kinds of files (repositories/not_read.py) that the room reads on their own, whatever their names.
    """

    names: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    recogniser: str = ""
    place: str = ""
    places: tuple[str, ...] = ()
    siblings: bool = False
    apart: bool = False
    beside: bool = False
    kinds: tuple[str, ...] = ()
    enables: tuple[tuple[str, str], ...] = ()
    filled_by: Literal["envsubst"] | None = None
    own_braces: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """How a change of its config is proven and put in force: a command that checks it (`{}` is the file), and how it is applied.

    `listen` is the module of the room that finds the lines that say where it listens, `reuse` the one that has it set SO_REUSEADDR.
    """

    validate: tuple[str, ...] = ()
    apply: Apply | None = None
    listen: str = ""
    reuse: str = ""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One daemon; what it binds is told by `sockets`, by `server`, or by the module of its room (`reader`).

    `endings`: those of the names of scripts that an interpreter runs. `shape`: the reader also tells the daemon by its arguments, where
    the program has another name; asked where one of these is an argument or names an environment variable. `attached` are options whose
    value, where they have one, stands in the same word. `understands` are patterns of the settings, of those that sound like a socket's,
    that the reader reads or that open none. `node_ports` is the range of Kubernetes' node ports, `pods` the folder of static pods, which
    it starts. `changes_to`: the settings of the user that it changes to. `missing_file`: what it does without a certificate that is
    not there; None: it may end. `really` names another daemon whose program has the same name, and how it is told apart. `options_of`: the
    interpreter that its start script runs, with the variables and files whose words are options of that.
    """

    name: str
    programs: tuple[str, ...]
    endings: tuple[str, ...] = ()
    reader: str = ""
    shape: tuple[str, ...] = ()
    understands: tuple[str, ...] = ()
    sockets: tuple[Socket, ...] = ()
    server: Server | None = None
    connects: tuple[Connects, ...] = ()
    config: Config | None = None
    wrappers: tuple[Wrapper, ...] = ()
    package: str = ""
    one_dash: bool = False
    activated: Literal["instead", "also"] = "also"
    when: Conditions = ()
    unless: Conditions = ()
    values: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    options_of: tuple[tuple[str, tuple[str, ...]], ...] = ()
    really: tuple[tuple[str, Conditions], ...] = ()
    files: Files | None = None
    ends_without: EndsWithout | None = None
    ends_where: tuple[EndsWhere, ...] = ()
    background_where: tuple[EndsWhere, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    changes_to: Slot | None = None
    missing_file: Literal["survives"] | None = None
    node_ports: Slot | None = None
    pods: Slot | None = None
    in_unit: InUnit = InUnit()
    packages: ByFamily = ByFamily()
    units: tuple[str, ...] = ()
    environment: ByFamily = ByFamily()
    in_repository: InRepository = InRepository()
    traits: Traits = Traits()
    edit: Edit = Edit()
    source: str = ""
