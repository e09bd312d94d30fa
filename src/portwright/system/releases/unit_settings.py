"""Which settings systemd reads in which section of a unit file: those of systemd 252 and 257, and the ones that it no longer has."""

from collections.abc import Mapping

from portwright.numbers import decimal

# `systemd --dump-configuration-items` of 252 and 257; a name that came with 227 or later has that release behind it
# ("Added in version" in the manual pages of 257).
_LISTED: tuple[tuple[str, str], ...] = (
    # systemd.exec(5), systemd.kill(5)
    (
        "Service Socket Mount Swap",
        """
        AmbientCapabilities:229 AppArmorProfile BindLogSockets:257 BindPaths:233 BindReadOnlyPaths:233 CPUAffinity
        CPUSchedulingPolicy CPUSchedulingPriority CPUSchedulingResetOnFork CacheDirectory CacheDirectoryMode:234
        CapabilityBoundingSet ConfigurationDirectory ConfigurationDirectoryMode:234 CoredumpFilter:246 DynamicUser:232
        Environment EnvironmentFile ExecPaths:231 ExecSearchPath:250 ExtensionDirectories:251 ExtensionImagePolicy:254
        ExtensionImages:248 FinalKillSignal:240 Group IOSchedulingClass IOSchedulingPriority IPCNamespacePath:248 IgnoreSIGPIPE
        ImportCredential:254 InaccessibleDirectories InaccessiblePaths:231 KeyringMode:235 KillMode KillSignal LimitAS LimitCORE
        LimitCPU LimitDATA LimitFSIZE LimitLOCKS LimitMEMLOCK LimitMSGQUEUE LimitNICE LimitNOFILE LimitNPROC LimitRSS
        LimitRTPRIO LimitRTTIME LimitSIGPENDING LimitSTACK LoadCredential:247 LoadCredentialEncrypted:247 LockPersonality:235
        LogExtraFields:236 LogFilterPatterns:253 LogLevelMax:236 LogNamespace:245 LogRateLimitBurst:240
        LogRateLimitIntervalSec:240 LogsDirectory LogsDirectoryMode:234 MemoryDenyWriteExecute:231 MemoryKSM:254 MountAPIVFS:233
        MountFlags MountImagePolicy:254 MountImages:247 NUMAMask:243 NUMAPolicy:243 NetworkNamespacePath:242 Nice
        NoExecPaths:231 NoNewPrivileges OOMScoreAdjust PAMName PassEnvironment:228 Personality PrivateDevices PrivateIPC:248
        PrivateMounts:239 PrivateNetwork PrivatePIDs:257 PrivateTmp PrivateUsers:232 ProcSubset:247 ProtectClock:245
        ProtectControlGroups:232 ProtectHome ProtectHostname:242 ProtectKernelLogs:244 ProtectKernelModules:232
        ProtectKernelTunables:232 ProtectProc:247 ProtectSystem ReadOnlyDirectories ReadOnlyPaths:231 ReadWriteDirectories
        ReadWritePaths:231 RemoveIPC:232 RestartKillSignal:244 RestrictAddressFamilies RestrictFileSystems:250
        RestrictNamespaces:233 RestrictRealtime:231 RestrictSUIDSGID:242 RootDirectory RootEphemeral:254 RootHash:246
        RootHashSignature:246 RootImage:233 RootImageOptions:247 RootImagePolicy:254 RootVerity:246 RuntimeDirectory
        RuntimeDirectoryMode:234 RuntimeDirectoryPreserve:235 SELinuxContext SecureBits SendSIGHUP SendSIGKILL SetCredential:247
        SetCredentialEncrypted:247 SetLoginEnvironment:255 SmackProcessLabel StandardError StandardInput StandardInputData:236
        StandardInputText:236 StandardOutput StateDirectory StateDirectoryMode:234 SupplementaryGroups SyslogFacility
        SyslogIdentifier SyslogLevel SyslogLevelPrefix SystemCallArchitectures SystemCallErrorNumber SystemCallFilter
        SystemCallLog:247 TTYColumns:250 TTYPath TTYReset TTYRows:250 TTYVHangup TTYVTDisallocate TemporaryFileSystem:238
        TimeoutCleanSec:244 TimeoutSec TimerSlackNSec UMask UnsetEnvironment:235 User UtmpIdentifier UtmpMode WatchdogSignal:240
        WorkingDirectory
        """,
    ),
    # systemd.resource-control(5)
    (
        "Service Socket Mount Swap Slice Scope",
        """
        AllowedCPUs:244 AllowedMemoryNodes:244 BPFProgram:249 BlockIOAccounting BlockIODeviceWeight BlockIOReadBandwidth
        BlockIOWeight BlockIOWriteBandwidth CPUAccounting CPUQuota CPUQuotaPeriodSec:242 CPUShares CPUWeight:232
        CoredumpReceive:255 DefaultMemoryLow DefaultMemoryMin DefaultStartupMemoryLow:240 Delegate DelegateSubgroup:254
        DeviceAllow DevicePolicy DisableControllers:240 IOAccounting:230 IODeviceLatencyTargetSec:240 IODeviceWeight:230
        IOReadBandwidthMax:230 IOReadIOPSMax:230 IOWeight:230 IOWriteBandwidthMax:230 IOWriteIOPSMax:230 IPAccounting:235
        IPAddressAllow:235 IPAddressDeny:235 IPEgressFilterPath:243 IPIngressFilterPath:243 ManagedOOMMemoryPressure:247
        ManagedOOMMemoryPressureDurationSec:257 ManagedOOMMemoryPressureLimit:247 ManagedOOMPreference:248 ManagedOOMSwap:247
        MemoryAccounting MemoryHigh:231 MemoryLimit MemoryLow:240 MemoryMax:231 MemoryMin:240 MemoryPressureThresholdSec:254
        MemoryPressureWatch:254 MemorySwapMax:232 MemoryZSwapMax:253 MemoryZSwapWriteback:256 NFTSet:255
        RestrictNetworkInterfaces:250 Slice SocketBindAllow:249 SocketBindDeny:249 StartupAllowedCPUs:244
        StartupAllowedMemoryNodes:244 StartupBlockIOWeight StartupCPUShares StartupCPUWeight:232 StartupIOWeight:230
        StartupMemoryHigh:231 StartupMemoryLow:240 StartupMemoryMax:231 StartupMemorySwapMax:232 StartupMemoryZSwapMax:253
        TasksAccounting:227 TasksMax:227
        """,
    ),
    # systemd.unit(5)
    (
        "Unit",
        """
        After AllowIsolate AssertACPower AssertArchitecture AssertCPUFeature AssertCPUPressure AssertCPUs AssertCapability
        AssertControlGroupController AssertCredential AssertDirectoryNotEmpty AssertEnvironment AssertFileIsExecutable
        AssertFileNotEmpty AssertFirstBoot AssertGroup AssertHost AssertIOPressure AssertKernelCommandLine AssertKernelVersion
        AssertMemory AssertMemoryPressure AssertNeedsUpdate AssertOSRelease AssertPathExists AssertPathExistsGlob
        AssertPathIsDirectory AssertPathIsEncrypted AssertPathIsMountPoint AssertPathIsReadWrite AssertPathIsSymbolicLink
        AssertSecurity AssertUser AssertVirtualization Before BindTo BindsTo CollectMode:236 ConditionACPower
        ConditionArchitecture ConditionCPUFeature:248 ConditionCPUPressure:250 ConditionCPUs:244 ConditionCapability
        ConditionControlGroupController ConditionCredential:252 ConditionDirectoryNotEmpty ConditionEnvironment:246
        ConditionFileIsExecutable ConditionFileNotEmpty ConditionFirmware:249 ConditionFirstBoot ConditionGroup
        ConditionHost ConditionIOPressure:250 ConditionKernelCommandLine ConditionKernelVersion ConditionMemory:244
        ConditionMemoryPressure:250 ConditionNeedsUpdate ConditionOSRelease:249 ConditionPathExists
        ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsEncrypted:246 ConditionPathIsMountPoint
        ConditionPathIsReadWrite ConditionPathIsSymbolicLink ConditionSecurity ConditionUser
        ConditionVirtualization Conflicts DefaultDependencies Description Documentation FailureAction:236
        FailureActionExitStatus:240 IgnoreOnIsolate JobRunningTimeoutSec JobTimeoutAction:240 JobTimeoutRebootArgument:240
        JobTimeoutSec JoinsNamespaceOf OnFailure OnFailureIsolate OnFailureJobMode OnSuccess:249 OnSuccessJobMode PartOf
        PropagateReloadFrom PropagateReloadTo PropagatesReloadTo PropagatesStopTo:249 RebootArgument:229 RefuseManualStart
        RefuseManualStop ReloadPropagatedFrom Requires RequiresMountsFor RequiresOverridable Requisite RequisiteOverridable
        SourcePath StartLimitAction StartLimitBurst StartLimitInterval StartLimitIntervalSec:229 StopPropagatedFrom:249
        StopWhenUnneeded SuccessAction:236 SuccessActionExitStatus:240 SurviveFinalKillSignal:255 Upholds:249 Wants
        WantsMountsFor:256
        """,
    ),
    # systemd.service(5)
    (
        "Service",
        """
        BusName ExecCondition:243 ExecReload ExecStart ExecStartPost ExecStartPre ExecStop ExecStopPost ExitType:250
        FailureAction:236 FileDescriptorStoreMax FileDescriptorStorePreserve:254 GuessMainPID NonBlocking NotifyAccess
        OOMPolicy:243 OpenFile:253 PIDFile PermissionsStartOnly RebootArgument:229 ReloadSignal:253 RemainAfterExit Restart
        RestartForceExitStatus RestartMaxDelaySec:254 RestartMode:254 RestartPreventExitStatus RestartSec RestartSteps:254
        RootDirectoryStartOnly RuntimeMaxSec:229 RuntimeRandomizedExtraSec:250 Sockets StartLimitAction StartLimitBurst
        StartLimitInterval SuccessExitStatus TimeoutAbortSec:243 TimeoutStartFailureMode:246 TimeoutStartSec
        TimeoutStopFailureMode:246 TimeoutStopSec Type USBFunctionDescriptors:227 USBFunctionStrings:227 WatchdogSec
        """,
    ),
    # systemd.socket(5)
    (
        "Socket",
        """
        Accept Backlog BindIPv6Only BindToDevice Broadcast DeferAcceptSec DirectoryMode ExecStartPost ExecStartPre ExecStopPost
        ExecStopPre FileDescriptorName:227 FlushPending:247 FreeBind IPTOS IPTTL KeepAlive KeepAliveIntervalSec KeepAliveProbes
        KeepAliveTimeSec ListenDatagram ListenFIFO ListenMessageQueue ListenNetlink ListenSequentialPacket ListenSpecial
        ListenStream ListenUSBFunction:227 Mark MaxConnections MaxConnectionsPerSource:232 MessageQueueMaxMessages
        MessageQueueMessageSize NoDelay PassCredentials PassFileDescriptorsToExec:256 PassPacketInfo:246 PassSecurity PipeSize
        PollLimitBurst:255 PollLimitIntervalSec:255 Priority ReceiveBuffer RemoveOnStop ReusePort SELinuxContextFromNet
        SendBuffer Service SmackLabel SmackLabelIPIn SmackLabelIPOut SocketGroup SocketMode SocketProtocol:229 SocketUser
        Symlinks TCPCongestion Timestamping:247 Transparent TriggerLimitBurst:230 TriggerLimitIntervalSec:230 Writable:227
        """,
    ),
    # systemd.mount(5)
    (
        "Mount",
        """
        DirectoryMode ForceUnmount:232 LazyUnmount:232 Options ReadWriteOnly:246 SloppyOptions Type What Where
        """,
    ),
    # systemd.automount(5)
    (
        "Automount",
        """
        DirectoryMode ExtraOptions:250 TimeoutIdleSec Where
        """,
    ),
    # systemd.swap(5)
    (
        "Swap",
        """
        Options Priority What
        """,
    ),
    # systemd.timer(5)
    (
        "Timer",
        """
        AccuracySec DeferReactivation:257 FixedRandomDelay:247 OnActiveSec OnBootSec OnCalendar OnClockChange:242 OnStartupSec
        OnTimezoneChange:242 OnUnitActiveSec OnUnitInactiveSec Persistent RandomizedDelaySec:229 RemainAfterElapse:229 Unit
        WakeSystem
        """,
    ),
    # systemd.path(5)
    (
        "Path",
        """
        DirectoryMode DirectoryNotEmpty MakeDirectory PathChanged PathExists PathExistsGlob PathModified TriggerLimitBurst:230
        TriggerLimitIntervalSec:230 Unit
        """,
    ),
    # systemd.scope(5)
    (
        "Scope",
        """
        FinalKillSignal:240 KillMode KillSignal OOMPolicy:243 RestartKillSignal:244 RuntimeMaxSec:229
        RuntimeRandomizedExtraSec:250 SendSIGHUP SendSIGKILL TimeoutStopSec WatchdogSignal:240
        """,
    ),
    # systemd.unit(5)
    (
        "Install",
        """
        Alias Also DefaultInstance RequiredBy UpheldBy WantedBy
        """,
    ),
)


def _by_name() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for sections, names in _LISTED:
        for word in names.split():
            name = word.partition(":")[0]
            found[name] = (*found.get(name, ()), *sections.split())
    return found


SECTIONS: Mapping[str, tuple[str, ...]] = _by_name()
"""The sections in which systemd reads a setting, by its name."""

READ_IN: frozenset[str] = frozenset(section for sections in SECTIONS.values() for section in sections)
"""The sections that unit files have."""

SINCE: Mapping[str, int] = {
    name: number
    for _, names in _LISTED
    for name, _, release in (word.partition(":") for word in names.split())
    if (number := decimal(release)) is not None
}
"""The release of systemd that brought a setting; none for what is older than 227, which nobody runs."""

GONE: Mapping[str, str] = {
    "Capabilities": "systemd dropped Capabilities= in 230 and ignores it; AmbientCapabilities= gives a service capabilities",
    "NetClass": "systemd dropped NetClass= in 229 and ignores it",
    "TCPWrapName": "systemd dropped TCPWrapName= and ignores it",
    "SysVStartPriority": "systemd dropped SysVStartPriority= and ignores it",
}
"""What is said of a setting that systemd had once (systemd's NEWS)."""
