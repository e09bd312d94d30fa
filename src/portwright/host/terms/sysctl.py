"""What rules may ask of a kernel setting."""

from portwright.facts import Sysctl
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.kernel_settings import PORT_SETTINGS, RANGE, number_in, pair_in, written_later
from portwright.host.terms.registry import Derived, fact_value
from portwright.system.spanned_text import UNKNOWN

_MOST_LOST = 6  # lines in notes


@fact_value("sysctl", "number")
def number(host: Host, sysctl: Sysctl) -> Derived[int | None]:
    """The value at boot as a number; unknown where it is not a number."""
    return Derived(number_in(sysctl.boot))


@fact_value("sysctl", "one-parity")
def one_parity(host: Host, sysctl: Sysctl) -> Derived[bool | None]:
    """Whether the two ends of the ephemeral range are both even or both odd; unknown for any other key."""
    ends = pair_in(sysctl.boot) if sysctl.key == RANGE else None
    return Derived(None if ends is None else ends[0] < ends[1] and ends[0] % 2 == ends[1] % 2)


@fact_value("sysctl", "loaders-disagree")
def loaders_disagree(host: Host, sysctl: Sysctl) -> Derived[bool]:
    """Whether boot and `sysctl --system` leave different values, with the overridden lines and the reasons."""
    unknown = UNKNOWN in sysctl.boot or UNKNOWN in sysctl.reload
    if sysctl.boot == sysctl.reload or unknown or host.files_not_applied or (host.repository and _by_scripts(host, sysctl)):
        return Derived(False)
    overridden = [each for each in sysctl.overridden if each.at not in (sysctl.at, sysctl.reload_at)]
    notes = (Note(f"{each.value or 'an empty value'} is not in force: {each.reason}", each.at) for each in overridden[:_MOST_LOST])
    return Derived(True, tuple(notes))


def _by_scripts(host: Host, sysctl: Sysctl) -> bool:
    """Whether it is no loader of files that leaves the value, but a command, or two scripts of which one may never run."""
    places = (sysctl.at, sysctl.reload_at)
    sources = [host.sources.get(at.path) for at in places]
    said = [source.line(at.line) for at, source in zip(places, sources, strict=True) if source is not None]
    apart = sysctl.at.path != sysctl.reload_at.path
    scripts = any(source is not None and (source.text.startswith("#!") or source.path.endswith(".sh")) for source in sources)
    return any("sysctl " in line or "/proc/sys/" in line for line in said) or (apart and scripts)


@fact_value("sysctl", "written-later")
def written_after_files(host: Host, sysctl: Sysctl) -> Derived[tuple[str, ...]]:
    """Who sets it once the files have been read, and to what, where that is what a boot ends with or may end with."""
    others = [each for each in sysctl.later if each.value != sysctl.boot]
    said = [f"{each.reason.removesuffix(' writes it')} sets it to {each.value or 'nothing'}" for each in others]
    return Derived(
        tuple(said),
        tuple(written_later(sysctl, each) for each in others),
        "likely" if len(sysctl.later) == 1 else "possible",
    )


@fact_value("sysctl", "drifted")
def drifted(host: Host, sysctl: Sysctl) -> Derived[bool]:
    """Whether the running kernel is known to have a different value than the files."""
    return Derived(sysctl.running is not None and sysctl.running != sysctl.boot)


@fact_value("sysctl", "is-port-setting")
def is_port_setting(host: Host, sysctl: Sysctl) -> Derived[bool]:
    """Whether the key is one that decides about ports, addresses or connections."""
    return Derived(sysctl.key in PORT_SETTINGS)
