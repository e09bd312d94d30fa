"""What a finding is about."""

from portwright._start.records import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about, in the words of CONTRACT.md; what does not apply is None."""

    unit: str | None = None
    app: str | None = None
    protocol: str | None = None
    address: str | None = None
    port: int | None = None
    end_port: int | None = None
    sysctl: str | None = None
