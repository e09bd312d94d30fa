"""Kernel settings that services write when a boot starts them."""

from collections.abc import Iterator, Mapping
from functools import cache, partial

from portwright._start.records import replace
from portwright.facts import Unit
from portwright.source import Word
from portwright.system.started import SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.system.systemd.activation import takes_defaults
from portwright.system.systemd.command_line import Command
from portwright.system.systemd.environment import environment
from portwright.system.systemd.units import Units
from portwright.trees import Files

_LOADED = frozenset(("systemd-sysctl.service", "sysinit.target"))
_KEYS = ("ExecStartPre", "ExecStart", "ExecStartPost")


def sysctl_writes(units: Units, files: Files) -> Iterator[SysctlWrite]:
    """What the commands of services that a boot starts write, in the order of unit names."""
    for unit in units.each:
        if unit.kind == "service" and unit.state == "loaded" and unit.starts == "boot" and unit.name != "systemd-sysctl.service":
            given = partial(_environment, unit, units, files)
            after_files = cache(partial(_after_files, unit, units))
            for key in _KEYS:
                for setting in unit.each("Service", key):
                    for command in units.commands(setting, unit):
                        if isinstance(command, Command):
                            words = [word.text for word in command.argv]
                            for write in writes_of(command.program.text, words, command.at, unit.name, files, given):
                                yield replace(write, after_files=after_files())
    if files.names("/etc/network") or files.names("/etc/NetworkManager") or files.names("/etc/networkd-dispatcher"):
        from portwright.system.systemd.network_hooks import hook_writes

        for write in hook_writes(units, files):
            unit_of = units.get(write.unit)
            yield replace(write, after_files=unit_of is not None and _after_files(unit_of, units))
    if files.names("/etc/udev/rules.d") or files.names("/etc/modprobe.d"):
        from portwright.system.sysctl.device_rules import device_writes

        yield from device_writes(files)


def _environment(unit: Unit, units: Units, files: Files, text: str) -> Mapping[str, Word]:
    """The variables that a command whose text is this is given."""
    given = environment(unit, files, lambda word: units.expand(word, unit))
    return {**given.of_words(text), **given.variables}


def _after_files(unit: Unit, units: Units) -> bool:
    """Whether it is ordered after systemd-sysctl.service, as every service is that keeps its default dependencies."""
    named = {word for setting in unit.lines("Unit", "After") for word in setting.value.split()}
    earlier = units.before(unit.name)
    return takes_defaults(unit) or any(each in named or each in earlier for each in _LOADED)
