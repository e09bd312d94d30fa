"""What changes of a kernel setting come to, laid upon the value it has."""

from collections.abc import Sequence

from portwright.changes import Change, ContradictionError, CorrectSysctlKey, ReservePorts, SetSysctl
from portwright.facts.sysctl import RESERVED
from portwright.ports import PortSet, union


def key_of(change: Change) -> str:
    return change.key if isinstance(change, CorrectSysctlKey | SetSysctl) else RESERVED


def value_for(was: str, changes: Sequence[Change]) -> str:
    """The value that grants all of these wishes. Raises ContradictionError where none does."""
    wanted = {change.value for change in changes if isinstance(change, SetSysctl)}
    ports = [change.ports for change in changes if isinstance(change, ReservePorts)]
    if len(wanted) > 1 or (wanted and ports):
        raise ContradictionError(f"two findings want another value of {key_of(changes[0])}")
    if wanted:
        return wanted.pop()
    try:
        return str(union((PortSet.parse(",".join(was.replace(",", " ").split())), *ports)))
    except ValueError as error:
        raise ContradictionError(f"{RESERVED} cannot be merged: {error}") from None
