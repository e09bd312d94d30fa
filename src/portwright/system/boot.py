"""What a host starts, as the reader of the init system in charge of it says."""

from collections.abc import Mapping

from portwright._start.records import replace
from portwright.source import Span
from portwright.system.host_files.captures import Captured
from portwright.system.init import NAMES, InitName, init_system, unread
from portwright.system.started import Packaged, Reader, Started
from portwright.trees import Files

# A host has one of them, and each brings modules of its own.


def _systemd(files: Files, known: Captured, packaged: Packaged | None = None) -> Started:
    from portwright.system.systemd import reader

    return reader.read(files, known, packaged=packaged)


def _openrc(files: Files, known: Captured) -> Started:
    from portwright.system.openrc import reader

    return reader.read(files, known)


def _runit(files: Files, known: Captured) -> Started:
    from portwright.system.runit import reader

    return reader.read(files, known)


def _sysvinit(files: Files, known: Captured) -> Started:
    from portwright.system.sysvinit import reader

    return reader.read(files, known)


def _upstart(files: Files, known: Captured) -> Started:
    from portwright.system.upstart import reader

    return reader.read(files, known)


def _finit(files: Files, known: Captured) -> Started:
    from portwright.system.finit import reader

    return reader.read(files, known)


def _dinit(files: Files, known: Captured) -> Started:
    from portwright.system.dinit import reader

    return reader.read(files, known)


def _s6(files: Files, known: Captured) -> Started:
    from portwright.system.s6 import reader

    return reader.read(files, known)


READERS: Mapping[InitName, Reader] = {
    "systemd": _systemd,
    "openrc": _openrc,
    "runit": _runit,
    "sysvinit": _sysvinit,
    "upstart": _upstart,
    "finit": _finit,
    "dinit": _dinit,
    "s6": _s6,
}
"""The init systems that are read."""


_INSIGHTS = "/insights_commands"
# Folders of configuration that may be links; NixOS and Guix have all of it in a store, behind the first of them.
_LINKED = ("/etc/static", "/etc/systemd", "/etc/systemd/system", "/etc/sysctl.d")


def started(files: Files, known: Captured, packaged: Packaged | None = None) -> Started:
    """What is started on a host; nothing, and said to be unreadable, where no reader is there for its init system.

    `packaged` knows what packages' units start whose files are not in the copy.
    """
    _report_links_to_nowhere(files)
    init = files.once(init_system)
    reason = unread(init, READERS)
    if reason:
        files.report_unreadable(init.at or Span.whole(files.tree.label("/")), reason)
        return Started(unread=reason)
    from portwright.system.systemd.script_calls import script_calls

    if init.name == "systemd":
        found = _systemd(files, known, packaged)
    else:
        why = f"{NAMES[init.name]} is the init system of this host, and playbooks are written for systemd alone"
        found = replace(READERS[init.name](files, known), unplanned=why)
    if not found.units and files.kind(_INSIGHTS) == "directory":
        files.report_unreadable(Span.whole(files.tree.label(_INSIGHTS)), "this archive of Insights has no units: what starts is not known")
    return replace(found, calls=script_calls(found.units, files, repository=False))


def _report_links_to_nowhere(files: Files) -> None:
    """Say which folder of configuration a copy has the link to only: what is in force there is not known."""
    for path in _LINKED:
        target = files.link(path)
        if target is not None and target != "/dev/null" and files.kind(path) == "missing":
            at = Span.whole(files.tree.label(path))
            files.report_unreadable(at, f"leads to {target}, which is not in this copy: nothing of what it holds was read")
            return
