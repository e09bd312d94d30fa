"""Kernel settings that services write when a boot starts them."""

from collections.abc import Iterator

from portwright.system.started import SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.system.systemd.command_line import Command
from portwright.system.systemd.units import Units
from portwright.trees import Files

_KEYS = ("ExecStartPre", "ExecStart", "ExecStartPost")


def sysctl_writes(units: Units, files: Files) -> Iterator[SysctlWrite]:
    """What the commands of services that a boot starts write, in the order of unit names."""
    for unit in units.each:
        if unit.kind == "service" and unit.state == "loaded" and unit.starts == "boot" and unit.name != "systemd-sysctl.service":
            for key in _KEYS:
                for setting in unit.each("Service", key):
                    for command in units.commands(setting, unit):
                        if isinstance(command, Command):
                            words = [word.text for word in command.argv]
                            yield from writes_of(command.program.text, words, command.at, unit.name, files)
