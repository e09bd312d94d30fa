"""What every kind of change and every step of a plan answers; a module of this package that has one says so in its `KIND` or `STEP`.

A **Change** is a typed wish about the host, not an edit of text: rules wish for it, findings carry it. A **Step** is what a plan does for
the changes that aim at one setting or file. To add a kind is to add a file with all of it: what rules may wish for, how wishes unite, what
is written, which constant task file of playbooks/ applies it and with which variables, and what is said of it. Nothing else lists them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.facts import Assignment, Listener, Privileges, Sysctl, Unit
from portwright.registry import member, members
from portwright.source import Source

if TYPE_CHECKING:
    from typing import Self

Disruption = Literal["none", "reload", "restart", "reboot"]
Safety = Literal["safe", "review"]
DISRUPTIONS: tuple[Disruption, ...] = ("none", "reload", "restart", "reboot")

Marks = tuple[tuple[str, ...], Safety, Disruption]
"""What a step takes from the wishes it is made of: the rules that ask for it, the least safe, the most disruptive."""

OWNED = "# Written by portwright. Its playbook leaves an edited file alone; its next plan keeps the settings, not the comments."
"""The first line of every file that portwright owns."""

# An edit of what a tool keeps would be gone at its next run.
MANAGED = lazy_regex(
    r"(?i)\b(ansible|puppet|chef|salt|cfengine|cloud-init)[ _-]managed|managed (?:by|with) (\w+)|\b(do not (?:edit|modify))\b"
    r"|\b((?:auto-?|automatically )generated)\b"
)
"""Finds in a file that some tool keeps it."""


class Host(Protocol):
    """What a change asks of the host it is for."""

    @property
    def assignments(self) -> tuple[Assignment, ...]: ...
    @property
    def privileges(self) -> Mapping[str, Privileges]: ...
    @property
    def sources(self) -> Mapping[str, Source]: ...
    def sysctl(self, key: str) -> Sysctl | None: ...
    def unit(self, name: str | None) -> Unit | None: ...
    def drop_in_names(self, unit: str) -> tuple[str, ...]: ...
    def listeners_of(self, unit: str) -> tuple[Listener, ...]: ...
    def real_path(self, path: str) -> str: ...


class ContradictionError(Exception):
    """These wishes cannot be granted together; the message is the reason."""


class Step(ABC):
    """One thing that a plan does. `tasks` is the task file of playbooks/ that does it (with TASKS_analysed.yml, which looks first).

    `about` is what such steps change and `why` why in their place, as a playbook names them; `families` are those of the rules that ask
    for them, by which a part of a playbook may be run.
    """

    __slots__ = ()
    tasks = ""
    about = ""
    why = ""
    families: tuple[str, ...] = ()
    has_handlers = False

    if TYPE_CHECKING:

        @property
        def because(self) -> tuple[str, ...]: ...
        @property
        def safety(self) -> Safety: ...
        @property
        def disruption(self) -> Disruption: ...

    @property
    @abstractmethod
    def path(self) -> str:
        """The file it writes."""

    @property
    @abstractmethod
    def order(self) -> tuple[Any, ...]:
        """Its place among the steps of a plan; the first part tells the kind."""

    @property
    def moves_ephemeral_ports(self) -> bool:
        """Whether it changes which ports the kernel lends."""
        return False

    @property
    def units(self) -> tuple[str, ...]:
        """The units that it disrupts."""
        return ()

    @property
    def moved(self) -> Mapping[tuple[str | None, int | None], int]:
        """The unit and its port that the step moves, each with the port it has then."""
        return {}

    @abstractmethod
    def in_words(self) -> str:
        """The step as a person would do it."""

    @classmethod
    @abstractmethod
    def edits(cls, host: Host, steps: "Sequence[Self]") -> dict[str, str]:
        """The whole content of every file that these steps write; what an earlier plan wrote there stays unless it is set anew."""

    def captured(self, host: Host, laid: Mapping[str, bytes | None]) -> Mapping[str, bytes]:
        """What a capture of the running system in the host's files would hold after the step; `laid` is what other steps made of them."""
        return {}

    def why_not_in_force(self, after: Host) -> str:
        """Why the step does not do what it should on a copy of the host, "" where it does."""
        return ""

    @abstractmethod
    def rests_on(self, host: Host) -> Iterable[str]:
        """The files whose lines decided what the step changes."""

    def folders(self, host: Host) -> Iterable[str]:
        """The folders in which a new *.conf would also decide."""
        return ()

    def caution(self, host: Host) -> str:
        """What a person should look at before the step is done, "" where nothing is known."""
        return ""

    @classmethod
    @abstractmethod
    def variables(
        cls, host: Host, steps: "Sequence[Self]", edits: Mapping[str, str], before: Mapping[str, bytes | None]
    ) -> dict[str, object]:
        """What its task files take, without steps too: restore.yml runs in every plan. `before` holds files and folders as they are."""


class Change(ABC):
    """A typed wish about the host. Its fields are the operands of a rule's `fix`, and how safe and how disruptive it is."""

    __slots__ = ()
    harmless = False
    """Whether it may be planned for a finding that is not sure, where another change of the plan brings that finding."""
    merges = False
    """Whether it adds to what other kinds of change make of its target; otherwise they contradict it."""

    if TYPE_CHECKING:

        @property
        def safety(self) -> Safety: ...
        @property
        def disruption(self) -> Disruption: ...

    @property
    @abstractmethod
    def target(self) -> str:
        """The setting or file it aims at: one step is made for all changes with the same target."""

    @abstractmethod
    def in_words(self) -> str:
        """The change as a person would ask for it."""

    @abstractmethod
    def written(self) -> dict[str, object]:
        """Its fields in JSON, beside the name of its kind."""

    @classmethod
    @abstractmethod
    def unite(cls, host: Host, wished: "Sequence[Self]", step: Step | None, marks: Marks) -> Step:
        """The step for wishes with one target, on top of the one other kinds made. Raises ContradictionError."""

    def parts(self) -> "Sequence[Change]":
        """The changes it is made of, each united with others that aim at the same: itself, unless it aims at several places."""
        return (self,)

    def rivalry(self) -> str:
        """What is wrong where another kind of change has the same target and cannot be merged."""
        return f"another finding proposes a different change of {self.target}"

    def unwritable(self) -> str:
        """Why it cannot be written into a file, "" where it can: what a path or a line is made of must not say more than it should."""
        return ""

    def unpatchable(self) -> str:
        """Why it cannot be written into a file of a repository, "" where it can."""
        return self.unwritable()

    def together(self, others: "Sequence[Self]") -> "Self | None":
        """One change that does what this and the others do, None where each has to be named."""
        return None


C = TypeVar("C", bound=Change)
Misuse = tuple[str, str]
"""(an operand, or "" for all of the wish; why no rule may ask for that)."""


def _anything(given: Mapping[str, Any]) -> Misuse | None:
    return None


@dataclass(frozen=True)
class ChangeKind(Generic[C]):
    """One kind of change: `does` in a sentence of a rule's page, `operands` what each operand a rule must give is.

    `names` are the only words that an operand may be, with what they are called. `misuse` says what no rule may ask for, from the
    operands that are written in the rule. `rank` is its place in tables.
    """

    change: type[C]
    does: str
    operands: Mapping[str, str]
    names: Mapping[str, tuple[str, Collection[str]]] = field(default_factory=dict)
    misuse: Callable[[Mapping[str, Any]], Misuse | None] = field(default=_anything)
    rank: int = 100

    @property
    def name(self) -> str:
        """As rules write it: ReservePorts is reserve-ports."""
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.change.__name__).lstrip("-")


@cache
def kinds() -> Mapping[str, ChangeKind[Any]]:
    """Every kind of change by its name in a rule, in the order of tables."""
    return {kind.name: kind for kind in sorted(_all("KIND"), key=lambda kind: (kind.rank, kind.name))}


@cache
def steps() -> tuple[type[Step], ...]:
    """Every kind of step."""
    return tuple(_all("STEP"))


@cache
def _names() -> Mapping[type[Change], str]:
    return {kind.change: name for name, kind in kinds().items()}


def name_of(change: Change | type[Change]) -> str:
    """The name of a change's kind."""
    return _names()[change if isinstance(change, type) else type(change)]


def _all(name: str) -> list[Any]:
    modules = (member("portwright.changes", module) for module in members("portwright.changes"))
    return [getattr(module, name) for module in modules if hasattr(module, name)]
