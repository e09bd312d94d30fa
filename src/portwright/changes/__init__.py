"""What rules wish for and plans do: a file each kind of change, with its step, its edit, its tasks and its words."""

from portwright.changes.correct_sysctl_key import CorrectSysctlKey
from portwright.changes.correct_unit import CorrectUnit
from portwright.changes.edit_config import EditConfig
from portwright.changes.edit_unit import EditUnit
from portwright.changes.grant_capability import GrantCapability
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Safety, Step, kinds
from portwright.changes.label_port import LabelPort
from portwright.changes.leave_user_namespace import LeaveUserNamespace
from portwright.changes.limit_capabilities import LimitCapabilities
from portwright.changes.manual import Manual
from portwright.changes.move_service import MoveService
from portwright.changes.raise_file_limit import RaiseFileLimit
from portwright.changes.reserve_ports import ReservePorts
from portwright.changes.set_in_unit import SetInUnit
from portwright.changes.set_sysctl import SetSysctl

__all__ = [
    "Change",
    "ChangeKind",
    "ContradictionError",
    "CorrectSysctlKey",
    "CorrectUnit",
    "Disruption",
    "EditConfig",
    "EditUnit",
    "GrantCapability",
    "LabelPort",
    "LeaveUserNamespace",
    "LimitCapabilities",
    "Manual",
    "MoveService",
    "RaiseFileLimit",
    "ReservePorts",
    "Safety",
    "SetInUnit",
    "SetSysctl",
    "Step",
    "kinds",
]
