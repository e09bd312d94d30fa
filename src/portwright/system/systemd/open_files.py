"""systemd.exec(5), LimitNOFILE=: how many files the processes of a unit may open, and the line that decides it."""

from collections.abc import Iterable

from portwright.facts import OpenFiles, Setting, Unit
from portwright.formats import unit as unit_format
from portwright.numbers import decimal
from portwright.trees import Files

_MANAGER = "/etc/systemd/system.conf"
_DROP_INS = tuple(f"{root}/systemd/system.conf.d" for root in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"))
# What systemd gives every service since 240 (NEWS): 1024, because of select(2), and no more than the kernel has for the hard limit.
BUILT_IN = OpenFiles(1024, 524288)
_INFINITY = 1 << 30  # fs.nr_open, which systemd raises as far as the kernel lets it


def of_unit(unit: Unit, default: OpenFiles) -> OpenFiles:
    """The limit a service's processes are started with: the last LimitNOFILE= that systemd can read, else the manager's default."""
    return _last((each for each in unit.settings if each.section == "Service"), "LimitNOFILE") or default


def of_manager(files: Files) -> OpenFiles:
    """DefaultLimitNOFILE= of system.conf and what is dropped into it (systemd-system.conf(5)), else what is built in."""
    names: dict[str, str] = {}
    for directory in _DROP_INS:
        for name in files.names(directory):
            if name.endswith(".conf"):
                names.setdefault(name, f"{directory}/{name}")
    settings: list[Setting] = []
    for path in (_MANAGER, *(path for _, path in sorted(names.items()))):
        source = files.read(path) if files.kind(path) == "file" else None
        if source is not None and "DefaultLimitNOFILE" in source.text:
            settings += (each for each in unit_format.parse(source).settings if each.section == "Manager")
    return _last(settings, "DefaultLimitNOFILE") or BUILT_IN


def _last(settings: Iterable[Setting], key: str) -> OpenFiles | None:
    found: OpenFiles | None = None
    for setting in settings:
        if setting.key == key:
            read = _read(setting)
            # What systemd cannot read it passes over; an empty line takes back what stood before.
            found = None if not setting.value else read or found
    return found


def _read(setting: Setting) -> OpenFiles | None:
    """`N`, `soft:hard` or `infinity` (rlimit_parse()); None for what systemd ignores."""
    soft, colon, hard = setting.value.partition(":")
    ends = [_number(part.strip()) for part in ((soft, hard) if colon else (soft,))]
    low, high = ends[0], ends[-1]
    if low is None or high is None or low > high:
        return None
    return OpenFiles(low, high, setting.at, f"{setting.key}={setting.value}")


def _number(text: str) -> int | None:
    if text == "infinity":
        return _INFINITY
    number = decimal(text, 10**20 - 1)
    return None if number is None else min(number, _INFINITY)
