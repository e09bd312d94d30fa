"""What rules may ask of how a unit is enabled: an [Install] section that no boot reaches."""

from portwright.facts import Unit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.registry import Derived, fact_value

# systemd.special(7): the targets that a system or a user's manager has.
_TARGETS = (
    "basic.target", "bluetooth.target", "cryptsetup.target", "default.target", "emergency.target", "exit.target", "final.target",
    "first-boot-complete.target", "getty.target", "graphical.target", "graphical-session.target", "graphical-session-pre.target",
    "halt.target", "hibernate.target", "local-fs.target", "local-fs-pre.target", "multi-user.target", "network.target",
    "network-online.target", "network-pre.target", "nss-lookup.target", "nss-user-lookup.target", "paths.target", "poweroff.target",
    "printer.target", "reboot.target", "remote-fs.target", "remote-fs-pre.target", "rescue.target", "rpcbind.target", "shutdown.target",
    "sleep.target", "slices.target", "smartcard.target", "sockets.target", "sound.target", "suspend.target", "swap.target",
    "sysinit.target", "system-update.target", "time-set.target", "time-sync.target", "timers.target", "umount.target",
)  # fmt: skip
_INSTALL = ("WantedBy", "RequiredBy", "UpheldBy")
_OF_ADMIN = ("/etc/systemd/", "/run/systemd/")
_NEAR = 0.85  # as difflib measures it


@fact_value("unit", "enabled-for-nothing")
def enabled_for_nothing(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The targets of a unit's [Install] section that are misspelt, where no other one starts it, each with what was meant."""
    lines = [setting for key in _INSTALL for setting in unit.each("Install", key)]
    if not lines or unit.starts not in ("manual", None) or not (host.repository or lines[-1].at.path.startswith(_OF_ADMIN)):
        return Derived(())
    found: dict[str, Note] = {}
    for setting in lines:
        for word in setting.value.split():
            if word in _TARGETS or not word.endswith(".target") or "%" in word or host.unit(word) is not None:
                return Derived(())
            from difflib import get_close_matches

            near = get_close_matches(word, _TARGETS, 1, _NEAR)
            if not near:
                return Derived(())
            found[f"{word}, and {near[0]} was meant"] = Note(f"{word} is named here", setting.at)
    return Derived(tuple(found), tuple(found.values()), "likely")
