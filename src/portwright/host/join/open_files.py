"""What a daemon needs open files for, joined with the limit of its unit: how many it may have in the end."""

from portwright.facts import FileLimit, FileNeed, Invocation, OpenFiles, Privileges, weakest
from portwright.host.join.privilege import effective_capabilities
from portwright.numbers import decimal

_RESOURCE = "CAP_SYS_RESOURCE"


def file_limit(need: FileNeed, invocation: Invocation) -> FileLimit | None:
    """The limit that a daemon so started comes to; None where nobody knows what it is started with."""
    given = invocation.open_files
    if given is None:
        return None
    limit, rests_on_default = _limit(need, given, _may_exceed(invocation.privileges))
    decided, at, own = given.said or "no file sets LimitNOFILE=, so systemd's default applies", given.at, None
    if need.own is not None and limit == decimal(need.own[1].value):
        own, at = need.own[0], need.own[1].at
        decided = f"{own} {need.own[1].value}"
    # The soft limit is 1024 everywhere; the hard one is another before systemd 240 and may be raised where the machine runs in another.
    unsure = rests_on_default and at is None
    return FileLimit(
        at=need.at,
        app=need.app,
        unit=invocation.unit,
        setting=need.setting,
        connections=need.connections,
        needed=need.files,
        limit=limit,
        decided=decided,
        decided_at=at,
        otherwise=need.otherwise,
        own=own,
        starts=invocation.starts,
        why=invocation.why,
        confidence=weakest(need.confidence, invocation.confidence, "likely" if unsure else "certain"),
    )


def _limit(need: FileNeed, given: OpenFiles, may_exceed: bool) -> tuple[int | None, bool]:
    """(how many files it may open, None for all it wants; whether that is the hard limit): setrlimit(2) as these daemons call it.

    A limit between the soft and the hard one anybody may set; beyond the hard one only who has CAP_SYS_RESOURCE.
    """
    wanted = decimal(need.own[1].value) if need.own is not None else None if need.raises == "no" else need.asks or need.files
    if wanted is None:
        return given.soft, False
    if may_exceed or wanted <= given.hard:
        return (wanted, False) if need.own is not None else (None, False)
    return (given.hard, True) if need.raises == "as far as it is permitted" else (given.soft, False)


def _may_exceed(privileges: Privileges) -> bool:
    held = effective_capabilities(privileges)
    return (held is None or _RESOURCE in held) and not privileges.private_users
