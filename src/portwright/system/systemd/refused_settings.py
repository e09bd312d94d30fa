"""Lines of a service for which systemd does not load it at all ("bad-setting"); most bad values are only passed over.

load-fragment.c calls these errors fatal, in the unit's own file: of a drop-in only the rest is not read, other sections and an
ExecStart= after an empty one among it. Each was measured with systemd 252 and 257.
"""

from collections.abc import Callable, Sequence

from portwright.facts import Setting, Unit
from portwright.formats.unit import NO, YES
from portwright.source import Span
from portwright.system.spanned_text import UNKNOWN
from portwright.system.systemd.command_line import Refused, commands

_PLACES = ("WorkingDirectory", "RootDirectory", "RootImage")
_COMMANDS = ("ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost")
_NO_USERS = ("65535", "4294967295")  # uid_is_valid()
_ODD = frozenset("'\"\\%")


def refused_setting(unit: Unit, expand: Callable[[str], str]) -> tuple[str, Span] | None:
    """Why systemd does not load a service, and the line; None where it does, as far as single lines tell."""
    for key in (*_PLACES, "DynamicUser", "User", *_COMMANDS):
        for setting in _own(unit, key):
            if (reason := _fatal(setting, expand)) is not None:
                return reason, setting.at
    return _contradiction(unit)


def stop_of(settings: Sequence[Setting]) -> tuple[int, str] | None:
    """The number of the line of a drop-in at which systemd reads no further, and why; None where it reads all of it."""
    for number, setting in enumerate(settings):
        # What a specifier stands for is known of a unit, not of a file that is dropped into several.
        if setting.section == "Service" and setting.value and "%" not in setting.value:
            reason = _fatal(setting, str)
            if reason is not None:
                return number, reason
    return None


def _fatal(setting: Setting, expand: Callable[[str], str]) -> str | None:
    """Why a line of a service is an error for which systemd stops reading; None where it is none."""
    key = setting.key
    if key in _PLACES:
        value = expand(setting.value)
        return None if UNKNOWN in value or _is_place(key, value) else f"{key}={setting.value} is not an absolute path"
    if key == "DynamicUser":
        return None if setting.value.lower() in (*YES, *NO) else f"DynamicUser={setting.value} is neither yes nor no"
    if key == "User":
        return f"User={setting.value} is not the number of a user" if setting.value in _NO_USERS else None
    reason = _refused_command(setting, expand) if key in _COMMANDS else None
    return None if reason is None else f"{key}= is rejected: {reason}"


def _own(unit: Unit, key: str) -> list[Setting]:
    """The lines of a setting in the unit's own file, with a value; a later empty one does not take back that they are wrong."""
    return [setting for setting in unit.lines("Service", key) if setting.value and setting.at.path == unit.files[0]]


def _refused_command(setting: Setting, expand: Callable[[str], str]) -> str | None:
    if setting.value.lstrip("-@:+!")[:1] == "/" and _ODD.isdisjoint(setting.value):
        return None  # as most are
    for command in commands(setting, expand):
        if isinstance(command, Refused) and not command.forgiven and UNKNOWN not in command.reason:
            return command.reason
    return None


def _is_place(key: str, value: str) -> bool:
    return value.startswith("/") or (key == "WorkingDirectory" and (value.startswith("-") or value == "~"))


def _contradiction(unit: Unit) -> tuple[str, Span] | None:
    """Settings that service_verify() does not take together."""
    kind, again = unit.value("Service", "Type"), unit.value("Service", "Restart")
    if kind is None:
        return None
    if kind.value == "dbus" and unit.value("Service", "BusName") is None:
        return "Type=dbus requires BusName=", kind.at
    if kind.value == "oneshot" and again is not None and again.value in ("always", "on-success"):
        return f"Type=oneshot does not allow Restart={again.value}", again.at
    return None
