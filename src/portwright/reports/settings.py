"""What a run is asked to do, and what says each part of it: a table for a reader, a document for programs."""

import json
from collections.abc import Iterator, Sequence

from portwright._start.records import dataclass
from portwright.reports.escape import safe, width, wrap


@dataclass(frozen=True, slots=True)
class Setting:
    """One value and its origin: an option, a line of a file, a profile, or `default`; `reason` where its author gave one."""

    name: str
    value: str | int | tuple[str, ...] | None
    origin: str
    reason: str = ""


def render(settings: Sequence[Setting], taken: str, *, columns: int) -> str:
    """The table under the file that was taken."""
    return "".join(f"{line}\n" for line in _lines(settings, taken, columns))


def document(settings: Sequence[Setting], taken: str) -> str:
    """The same for programs."""
    listed = [
        {
            "name": each.name,
            "value": list(map(safe, each.value)) if isinstance(each.value, tuple) else _safe(each.value),
            "origin": safe(each.origin),
            "reason": safe(each.reason) or None,
        }
        for each in settings
    ]
    return json.dumps({"version": 1, "config": safe(taken) or None, "settings": listed}, indent=2) + "\n"


def _safe(value: str | int | None) -> str | int | None:
    return safe(value) if isinstance(value, str) else value


def _lines(settings: Sequence[Setting], taken: str, columns: int) -> Iterator[str]:
    yield f"settings of {safe(taken)}" if taken else "no configuration file is obeyed here"
    rows = [(each.name, _shown(each), safe(each.origin), safe(each.reason)) for each in settings]
    first = max(len(row[0]) for row in rows)
    second = min(max(width(row[1]) for row in rows), max(columns - first - 24, 20))
    for name, value, origin, reason in rows:
        value, *more = wrap(value, second)
        yield f"  {name:{first}}  {value}{' ' * (second - width(value))}  {origin}".rstrip()
        for line in (*more, *(wrap(f"because {reason}", second) if reason else ())):
            yield f"  {'':{first}}  {line}"


def _shown(setting: Setting) -> str:
    value = setting.value
    if isinstance(value, tuple):
        return ", ".join(map(safe, value)) or ("all" if setting.name == "select" else "none")
    return "none" if value is None else safe(str(value))
