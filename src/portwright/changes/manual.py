"""What nobody but a person can do."""

from portwright._start.records import dataclass


@dataclass(frozen=True, slots=True)
class Manual:
    """What cannot be fixed safely from outside: the reason, and the step a person should take."""

    reason: str
    step: str
