"""Lines of unit files that systemd drops although they look like settings of ports and power: misspelt, or in the wrong section."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from portwright._start.records import dataclass
from portwright.facts import Setting, Unit

_COMMANDS = ("Service", "Socket", "Mount", "Swap")  # systemd.exec(5): the types of unit that run commands
_EXEC = """
    User Group DynamicUser AmbientCapabilities CapabilityBoundingSet NoNewPrivileges SecureBits PrivateUsers PrivateNetwork
    NetworkNamespacePath RestrictAddressFamilies SystemCallFilter Environment EnvironmentFile PassEnvironment UnsetEnvironment
    WorkingDirectory
"""
_SOCKET = "ListenStream ListenDatagram Accept BindIPv6Only BindToDevice FreeBind ReusePort"
_UNIT = "After Before Requires Wants BindsTo JoinsNamespaceOf"
_INSTALL = "WantedBy RequiredBy Alias Also"
_BELONGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_EXEC.split(), _COMMANDS),
    **dict.fromkeys(_SOCKET.split(), ("Socket",)),
    **dict.fromkeys(_UNIT.split(), ("Unit",)),
    **dict.fromkeys(_INSTALL.split(), ("Install",)),
    "ExecStart": ("Service",),
    "ExecStartPre": ("Service", "Socket"),
    "PermissionsStartOnly": ("Service",),
    "Sockets": ("Service",),
}
"""The settings that decide what is started, listens, as whom and with what power, and the sections systemd reads them in."""

_OTHERS_NAMES = """
    Description Documentation Conflicts PartOf Requisite RequiresMountsFor DefaultDependencies OnFailure StopWhenUnneeded RefuseManualStop
    IgnoreOnIsolate StartLimitIntervalSec StartLimitBurst SuccessAction ConditionPathExists ConditionPathIsReadWrite ConditionVirtualization
    ConditionFileNotEmpty ConditionFileIsExecutable ConditionDirectoryNotEmpty ConditionPathIsSymbolicLink ConditionPathIsMountPoint
    ConditionCapability ConditionKernelCommandLine ConditionSecurity ConditionNeedsUpdate ConditionFirstBoot ConditionACPower
    Type ExecReload ExecStop ExecStartPost ExecStopPost Restart RestartSec KillMode KillSignal SendSIGHUP SendSIGKILL PIDFile BusName
    GuessMainPID NotifyAccess RemainAfterExit SuccessExitStatus TimeoutSec TimeoutStartSec TimeoutStopSec WatchdogSec Slice Delegate
    FileDescriptorStoreMax IgnoreSIGPIPE KeyringMode LimitNOFILE LimitMEMLOCK LimitNPROC LockPersonality MemoryDenyWriteExecute Nice
    OOMScoreAdjust PAMName PrivateDevices PrivateTmp ProtectClock ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs
    ProtectKernelModules ProtectKernelTunables ProtectProc ProtectSystem ReadWritePaths ReadWriteDirectories RemoveIPC RestrictNamespaces
    RestrictRealtime RestrictSUIDSGID RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve StateDirectory LogsDirectory
    CacheDirectory ConfigurationDirectory StandardError StandardInput StandardOutput SupplementaryGroups SyslogIdentifier
    SystemCallArchitectures SystemCallErrorNumber TasksMax TTYPath TTYReset TTYVHangup TTYVTDisallocate UMask UtmpIdentifier
    DeviceAllow DevicePolicy IPAddressDeny IOSchedulingClass IOSchedulingPriority CPUSchedulingPolicy DefaultInstance
    OnCalendar OnBootSec OnUnitActiveSec Persistent RandomizedDelaySec AccuracySec What Where Options
    ListenFIFO ListenNetlink ListenSpecial SocketMode SocketUser SocketGroup Symlinks Writable PassCredentials PassSecurity ReceiveBuffer
"""
OTHERS = frozenset(_OTHERS_NAMES.split())
"""Settings that most units have and that nobody meant otherwise: no names need to be compared to tell."""

_KNOWN_TOO = frozenset(("AssertEnvironment", "BindTo"))  # they look like others, and systemd takes them


@dataclass(frozen=True, slots=True)
class Ignored:
    """A line that changes nothing: what was meant (`key` in one of `sections`), and why systemd does not read it."""

    setting: Setting
    key: str
    sections: tuple[str, ...]
    reason: str


def ignored(unit: Unit) -> tuple[Ignored, ...]:
    """The lines of a unit that were meant to decide about ports or power and that systemd passes over with a warning in its log.

    systemd.syntax(7): names are case-sensitive, unknown ones and those in a section that does not have them are ignored; those that
    start with `X-` are somebody's own on purpose.
    """
    return tuple(_each(unit.settings))


def _each(settings: Iterable[Setting]) -> Iterator[Ignored]:
    for setting in settings:
        if setting.key in OTHERS:
            continue
        meant = meant_by(setting.key)
        if meant is None or setting.section.startswith("X-"):
            continue
        sections = _BELONGS[meant]
        if meant == setting.key and setting.section in sections:
            continue
        place = sections[0] if setting.section not in sections else setting.section
        if meant != setting.key:
            yield Ignored(setting, meant, sections, f"systemd ignores {setting.key}=; did you mean {meant}= in [{place}]?")
        else:
            yield Ignored(setting, meant, sections, f"systemd reads {meant}= in [{place}] only, not in [{setting.section}]")


@lru_cache(maxsize=4096)
def meant_by(key: str) -> str | None:
    """The setting that a key is, or that it was surely meant to be; None for any other."""
    if key in _BELONGS:
        return key
    if key in _KNOWN_TOO or key.startswith(("X-", "-")) or not 3 < len(key) <= 40:
        return None
    bare = _bare(key)
    letters = _letters(bare)
    for each, known, its, allowed in _known(len(bare)):
        # One slip brings in one letter and loses one, at most: where more differ, nobody needs to count the slips.
        if (
            (letters & ~its).bit_count() <= allowed
            and (its & ~letters).bit_count() <= allowed
            and _near(bare, known, allowed)
        ):
            return each
    return None


@lru_cache(maxsize=64)
def _known(length: int) -> tuple[tuple[str, str, int, int], ...]:
    """(setting, how it is compared, its letters, how many slips of the hand may lie between) of each that is near this length."""
    return tuple(each for each in _every() if abs(length - len(each[1])) <= each[3])


@lru_cache(maxsize=1)
def _every() -> tuple[tuple[str, str, int, int], ...]:
    return tuple((each, bare, _letters(bare), min(1 + len(bare) // 8, 3)) for each, bare in ((each, _bare(each)) for each in _BELONGS))


def _bare(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")


def _letters(bare: str) -> int:
    """The set of characters of a name, one bit each; those that share a bit make it smaller."""
    found = 0
    for char in bare:
        found |= 1 << ord(char) % 64
    return found


def _near(one: str, other: str, allowed: int) -> bool:
    """Whether two names are one slip of the hand apart, two or three for a long one; no other name systemd knows is as near as that."""
    # Damerau-Levenshtein over names of at most 40 characters.
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        latest = [i]
        for j, wanted in enumerate(other, 1):
            steps = min(latest[-1] + 1, row[j] + 1, row[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                steps = min(steps, before[j - 2] + 1)
            latest.append(steps)
        before, row = row, latest
        if min(row) > allowed < min(before):
            return False
    return row[-1] <= allowed
