"""What a run is asked to do: its options, and where they say nothing a configuration, a profile and the defaults, each with its origin."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from portwright._start.records import dataclass, replace
from portwright.audit import configuration
from portwright.audit.check import PathRule
from portwright.audit.configuration import Configuration, ConfigurationError, Said, Value
from portwright.finding import Severity
from portwright.reports.settings import Setting

if TYPE_CHECKING:
    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options

_ADDED = ("ignore", "extend-select", "exclude", "rules")
_CHOSEN: tuple[tuple[str, Value], ...] = (
    *(("select", ()), ("fail-on", "low"), ("min-confidence", "possible")),
    *(("rate", None), ("kernel", None), ("systemd", None)),
)


@dataclass(frozen=True, slots=True)
class Settled:
    """All that was settled; `path` is the file that was taken, as reports name it, "" for none."""

    settings: tuple[Setting, ...]
    file: Configuration
    profile: Configuration

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def severities(self) -> dict[str, tuple[Severity, str]]:
        """The severity of each rule or family that has another one here, and what says so; the file's before the profile's."""
        return {each.word: (each.severity, each.origin) for each in (*self.profile.severities, *self.file.severities)}

    @property
    def path_rules(self) -> tuple[PathRule, ...]:
        """The rules that are not counted in some files of the repository."""

        def covering(each: configuration.PerPath) -> Callable[[str, str, str], bool]:
            def covers(path: str, rule: str, family: str) -> bool:
                inside = _below(path, self.file.folder)
                return inside is not None and each.covers(inside, rule, family)

            return covers

        return tuple(PathRule(covering(each), each.ignore, each.reason, each.origin) for each in self.file.per_path)

    def values(self, name: str) -> tuple[str, ...]:
        """The texts of a list, whoever said them."""
        return tuple(text for each in self.settings if each.name == name and isinstance(each.value, tuple) for text in each.value)

    def value(self, name: str) -> Value:
        return next(each.value for each in self.settings if each.name == name)

    def told(self, given: Input) -> Input:
        """An input with what is said of it: of a repository's hosts their releases, and what of it is left out."""
        if given.kind != "host":
            said = tuple((name, str(value)) for name in ("kernel", "systemd") if (value := self.value(name)) is not None)
            given = replace(given, said=said)
        return self._without_what_is_excluded(given)

    def _without_what_is_excluded(self, given: Input) -> Input:
        """The patterns of the file are relative to its own directory."""
        patterns = self.file.values.get("exclude")
        inside = _below(given.path, self.file.folder)
        if patterns is None or inside is None or given.kind != "repository" or not isinstance(patterns.value, tuple):
            return given
        by = f"{given.excluded_by} and {patterns.origin}" if given.exclude else patterns.origin
        return replace(given, exclude=(*given.exclude, *_relative(patterns.value, inside)), excluded_by=by)


def settled(options: Options, root: str) -> Settled:
    """What the options say, the file that they or the root of the repository name ("" for none), and its profile. Raises
    ConfigurationError."""
    from portwright.shipped import folder

    named = getattr(options, "config", None)
    file = (configuration.named(named) if named is not None else configuration.found(root) if root else None) or Configuration()
    chosen = getattr(options, "profile", None) or _value(file.values.get("profile"))
    profile = configuration.profile(str(chosen), folder("profiles")) if chosen else Configuration()
    said = list(_said(options, file, profile))
    said.append(
        Setting("profile", chosen or None, "--profile" if getattr(options, "profile", None) else _origin(file.values.get("profile")))
    )
    for config in (profile, file):
        said += [Setting("severity", f"{each.word} = {each.severity}", each.origin, each.reason) for each in config.severities]
        for rule in config.per_path:
            said.append(Setting("per-path", f"{', '.join(rule.written)}: ignore {', '.join(rule.ignore)}", rule.origin, rule.reason))
    return Settled(tuple(said), file, profile)


def _said(options: Options, file: Configuration, profile: Configuration) -> Iterator[Setting]:
    for name, default in _CHOSEN:
        given = _option(options, name)
        if given:
            yield Setting(name, given, f"--{name}")
            continue
        said = file.values.get(name) or profile.values.get(name)
        yield Setting(name, _value(said, default), _origin(said))
    for name in _ADDED:
        rows = [Setting(name, _option(options, name), f"--{name}")]
        for config in (file, profile):
            if name in config.values:
                rows.append(Setting(name, _found(name, config), config.values[name].origin))
        rows = [row for row in rows if row.value]
        yield from rows or [Setting(name, (), "default")]


def _found(name: str, config: Configuration) -> Value:
    value = config.values[name].value
    if name == "rules" and isinstance(value, tuple):
        return tuple(os.path.join(config.folder, each) for each in value)
    return value


def _option(options: Options, name: str) -> Value:
    value = getattr(options, name.replace("-", "_"), None)
    if not isinstance(value, list):
        return value if isinstance(value, str | int) else None
    return tuple(part for word in value for part in (word.split(",") if name in ("select", "ignore", "extend-select") else [word]) if part)


def _value(said: Said | None, default: Value = None) -> Value:
    return default if said is None else said.value


def _origin(said: Said | None) -> str:
    return "default" if said is None else said.origin


def _below(path: str, folder: str) -> str | None:
    """A path relative to a directory that it lies in, "." for that itself; None for one that lies elsewhere."""
    if not folder:
        return None
    relative = os.path.relpath(path, folder)
    return None if relative.split("/")[0] == ".." else relative


def _relative(patterns: tuple[str, ...], inside: str) -> Iterator[str]:
    """Patterns of a directory as they are in one below it: those with a slash begin with the way there, or mean something else."""
    way = () if inside == "." else tuple(inside.split("/"))
    for pattern in patterns:
        taken_back = pattern.startswith("!")
        text = pattern.removeprefix("!")
        parts = text.removeprefix("/").removesuffix("/").split("/")
        if "/" not in text.removesuffix("/") or parts[0] == "**" or not way:
            yield pattern
        elif tuple(parts[: len(way)]) == way and len(parts) > len(way):
            yield f"{'!' if taken_back else ''}/{'/'.join(parts[len(way):])}{'/' if text.endswith('/') else ''}"


__all__ = ["ConfigurationError", "Settled", "settled"]
