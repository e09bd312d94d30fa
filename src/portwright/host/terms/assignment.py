"""What rules may ask of a line that tries to set a kernel setting."""

from itertools import takewhile

from portwright.facts import Assignment
from portwright.host import Host
from portwright.host.terms.host import reserved_ports
from portwright.host.terms.kernel_settings import PORT_SETTING_NAMES, PORT_SETTINGS, RANGE, RESERVED, evidence_for
from portwright.host.terms.registry import Derived, fact_value
from portwright.numbers import decimals, is_digits
from portwright.ports import PortSet, union
from portwright.source import Span


@fact_value("assignment", "misses-port-setting")
def misses_port_setting(host: Host, assignment: Assignment) -> Derived[bool]:
    """Whether a line seems meant to set something about ports and cannot: misspelt, unknown to this kernel, or a file without suffix.

    A file that another one replaces or masks, or that was put aside under another ending (.bak, .disabled), is left out on purpose.
    """
    if assignment.key in PORT_SETTINGS:
        return Derived("." not in assignment.at.path.rpartition("/")[2] or assignment.reason.startswith("no such key"))
    if any(name in PORT_SETTINGS for name in assignment.reason.split()):
        return Derived(True)
    return Derived(assignment.key.replace("/", ".").lower().rpartition(".")[2] in PORT_SETTING_NAMES)


@fact_value("assignment", "loses-to-a-package")
def loses_to_a_package(host: Host, assignment: Assignment) -> Derived[bool]:
    """Whether the deciding line about ports in a file of /etc is replaced by a file outside /etc, with a different value.

    Between files of /etc the later one is how a host's settings are overridden on purpose.
    """
    return _replaced_by_a_package(host, assignment) if assignment.key in PORT_SETTINGS else Derived(False)


@fact_value("assignment", "other-setting-loses-to-a-package")
def other_setting_loses_to_a_package(host: Host, assignment: Assignment) -> Derived[bool]:
    """Whether the deciding line of a file of /etc, about anything but ports, is replaced by a file outside /etc, with a different value."""
    return Derived(False) if assignment.key in PORT_SETTINGS else _replaced_by_a_package(host, assignment)


def _replaced_by_a_package(host: Host, assignment: Assignment) -> Derived[bool]:
    key, at = assignment.key, assignment.at
    sysctl = host.sysctl(key)
    if sysctl is None or not at.path.startswith("/etc/") or sysctl.at.path.startswith("/etc/") or sysctl.is_default:
        return Derived(False)
    last = host.once(_last)[key, at.path] == at
    other = last and sysctl.boot.split() != assignment.value.split()
    return Derived(other, (evidence_for(sysctl),) if other else (), sysctl.confidence)


def _last(host: Host) -> dict[tuple[str, str], Span]:
    """Where each file sets a key for the last time."""
    return {(each.key, each.at.path): each.at for each in sorted(host.assignments, key=lambda each: each.at)}


@fact_value("assignment", "not-applied-at-boot")
def not_applied_at_boot(host: Host, assignment: Assignment) -> Derived[bool]:
    """Whether the line about ports has no effect after a boot, as nothing that is started there reads the files at all."""
    sysctl = host.sysctl(assignment.key)
    if not host.files_not_applied or assignment.reason != host.files_not_applied or assignment.key not in PORT_SETTINGS:
        return Derived(False)
    return Derived(sysctl is not None and sysctl.boot.split() != assignment.value.split(), (), "likely")


@fact_value("assignment", "loses-to-its-neighbour")
def loses_to_its_neighbour(host: Host, assignment: Assignment) -> Derived[bool]:
    """Whether the line about ports that counts in a file of /etc is replaced by another file of /etc, with another value.

    Files are read by their names, so 99-web.conf comes before 99-sysctl.conf, which is /etc/sysctl.conf. What a file loses to one with
    a higher number, or called zz, is lost on purpose, and so is what /etc/sysctl.conf loses: it holds what a host began with.
    """
    key, at = assignment.key, assignment.at
    sysctl = host.sysctl(key)
    if sysctl is None or key not in PORT_SETTINGS or not all(each.startswith("/etc/") for each in (at.path, sysctl.at.path)):
        return Derived(False)
    last = host.once(_last)[key, at.path] == at
    other = last and _surprises(at.path, sysctl.at.path) and sysctl.boot.split() != assignment.value.split()
    return Derived(other, (evidence_for(sysctl),) if other else (), sysctl.confidence)


def _surprises(loser: str, winner: str) -> bool:
    """Whether nothing in the names of two files says that the second is meant to come last."""
    if loser in (winner, "/etc/sysctl.conf") or winner == "/etc/sysctl.conf":
        return loser not in (winner, "/etc/sysctl.conf")
    names = [path.rpartition("/")[2] for path in (loser, winner)]
    numbers = ["".join(takewhile(is_digits, name)) for name in names]
    return numbers[0] == numbers[1] and not names[1].startswith("zz")


@fact_value("assignment", "lost-ports")
def lost_ports(host: Host, assignment: Assignment) -> Derived[PortSet | None]:
    """The ports that a line of ip_local_reserved_ports lists and that are not reserved at boot; unknown for any other key."""
    reserved = reserved_ports(host)
    if assignment.key != RESERVED or reserved.value is None:
        return Derived(None)
    try:
        wanted = PortSet.parse(assignment.value)
    except ValueError:
        return Derived(None)
    return Derived(wanted.minus(reserved.value), reserved.evidence, reserved.confidence)


@fact_value("assignment", "mended-value")
def mended_value(host: Host, assignment: Assignment) -> Derived[str | None]:
    """The value that a rejected line surely means: without its quotes, without the comment behind it, a list without blanks; else unknown.

    Ports that are reserved by hand on the running kernel stay reserved.
    """
    text = assignment.value.partition("#")[0].partition(";")[0].strip()
    quote = text[:1]
    text = text[1:-1].strip() if quote in ("'", '"') and len(text) > 2 and text.endswith(quote) else text
    if assignment.key == RESERVED:
        text = "".join(text.split()) if "," in text else text
        try:
            ports = PortSet.parse(text)
        except ValueError:
            return Derived(None)
        sysctl = host.sysctl(RESERVED)
        held = "" if sysctl is None else sysctl.running or ""
        return Derived(str(union((ports, PortSet.parse(held)))) if ports and text != assignment.value else None)
    numbers = text.replace("-", " ").split() if assignment.key == RANGE else text.split()
    known = decimals(numbers, 65535)
    if known is None or not known or " ".join(numbers) == " ".join(assignment.value.split()):
        return Derived(None)
    # A range whose ends share their parity is another problem: which of them is meant to change, nobody can tell.
    if assignment.key == RANGE and (len(known) != 2 or known[0] > known[1] or not (known[0] + known[1]) % 2):
        return Derived(None)
    return Derived(" ".join(numbers))
