"""Configs of daemons edited in their lines: checked by the daemon's own command on the whole tree, written, and taken by the daemon."""

from collections.abc import Iterable, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes.drop_in_step import sockets
from portwright.changes.edits import Edits
from portwright.changes.kind import ContradictionError, Disruption, Host, Marks, Safety, Step
from portwright.changes.rewritten import rewritten, source_of
from portwright.source import Rewrite

_UNIT = lazy_regex(r"[A-Za-z0-9_:@][A-Za-z0-9_:@.\\-]{0,246}\.service")


@dataclass(frozen=True, slots=True)
class ConfigStep(Step):
    """Edit lines of the config of one unit's daemon. `rewrites` are in the order of their places; `check` is the daemon's own command."""

    unit: str
    rewrites: tuple[Rewrite, ...]
    because: tuple[str, ...]
    safety: Safety = "review"
    disruption: Disruption = "reload"
    check: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    moves: tuple[tuple[int, int], ...] = ()

    tasks = "config"
    about = "configs of daemons"
    why = "each is checked by the daemon before it is written and read"
    families = ("conflict", "pooling")
    has_handlers = True

    @property
    def path(self) -> str:
        return self.rewrites[0].at.path

    @property
    def order(self) -> tuple[int, str]:
        return 2, self.unit

    @property
    def units(self) -> tuple[str, ...]:
        return (self.unit,)

    @property
    def moved(self) -> Mapping[tuple[str | None, int | None], int]:
        return {(self.unit, old): new for old, new in self.moves}

    def in_words(self) -> str:
        lines = list(dict.fromkeys(f"{each.at.path}:{each.at.line}" for each in self.rewrites))
        return f"{'; '.join(self.words)} (in {', '.join(lines)})"

    @classmethod
    def edits(cls, host: Host, steps: Sequence["ConfigStep"]) -> dict[str, str]:
        found: dict[str, set[Rewrite]] = {}
        seen_as: dict[str, str] = {}
        for each in (each for step in steps for each in step.rewrites):
            real = host.real_path(each.at.path)
            if seen_as.setdefault(real, each.at.path) != each.at.path:
                raise ContradictionError(f"{each.at.path} and {seen_as[real]} are one file, and each is to be edited")
            found.setdefault(real, set()).add(each)
        return {real: rewritten(source_of(host, seen_as[real], real), rewrites) for real, rewrites in found.items()}

    def rests_on(self, host: Host) -> Iterable[str]:
        return {each.at.path for each in self.rewrites}

    def caution(self, host: Host) -> str:
        return "; ".join(self.cautions)

    @classmethod
    def variables(
        cls, host: Host, steps: Sequence["ConfigStep"], edits: Mapping[str, str], before: Mapping[str, bytes | None]
    ) -> dict[str, object]:
        written = sorted({host.real_path(each.at.path) for step in steps for each in step.rewrites})
        return {
            "portwright_configs": [{"path": path, "content": edits[path]} for path in written],
            "portwright_config_units": [
                {
                    "unit": step.unit,
                    "apply": step.disruption,
                    "restart": step.disruption == "restart",
                    "paths": (own := sorted({host.real_path(each.at.path) for each in step.rewrites})),
                    "candidates": [word for path in own for word in (str(written.index(path)), path)],
                    "check": list(step.check),
                    "sockets": list(sockets(host, step.unit, step.moves)),
                }
                for step in steps
            ],
        }


STEP = ConfigStep


def step_for(wished: Sequence[Edits], marks: Marks) -> ConfigStep:
    """The step for all edits of one unit's config: each once, whatever order they come in."""
    rewrites = tuple(sorted({each for edits in wished for each in edits.rewriting.rewrites}))
    checks = sorted({edits.check for edits in wished if edits.check})
    words = tuple(sorted({edits.rewriting.words for edits in wished}))
    cautions = tuple(sorted({edits.rewriting.caution for edits in wished if edits.rewriting.caution}))
    if len(checks) > 1:
        raise ContradictionError(f"{wished[0].unit} is started with more than one config: {checks[0][-1]} and {checks[1][-1]}")
    moves = tuple(sorted({move for edits in wished for move in edits.moves}))
    check = checks[0] if checks else ()
    return ConfigStep(wished[0].unit, rewrites, *marks, check=check, words=words, cautions=cautions, moves=moves)


def why_not(edits: Edits) -> str:
    """Why a config is not edited, as far as that can be told without the host's files."""
    if edits.rewriting.refused or not edits.rewriting.rewrites:
        return edits.rewriting.refused or "no line of the config is known that decides it"
    if not _UNIT.fullmatch(edits.unit):
        return f"{edits.unit!r} is not a name that systemd allows a service" if edits.unit else "no unit is known that runs the daemon"
    for each in edits.rewriting.rewrites:
        if not each.at.path.startswith("/") or not each.at.path.isprintable():
            return f"{each.at} is not a line of a file in /etc"
    return ""
