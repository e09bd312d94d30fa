"""What a daemon's own command said of a config that a plan edits."""

from typing import Literal

from portwright._start.records import dataclass


@dataclass(frozen=True, slots=True)
class Verified:
    """What was seen of one unit's config: its daemon's command takes it, refuses it in the words of `said`, or was not asked, and why."""

    unit: str
    outcome: Literal["taken", "refused", "not asked"]
    said: str
