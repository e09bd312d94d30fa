"""Conditions of systemd.unit(5) about the machine, answered where a copy of its files tells: architecture, kernel, distribution, security.

What a value means was measured with systemd 252 and 257: a word that is none of a condition's own never holds.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase

from portwright.formats.unit import NO, YES
from portwright.numbers import decimal, is_digits
from portwright.system.host_files.capabilities import ALL
from portwright.system.host_files.captures import captured
from portwright.system.host_files.distribution import fields
from portwright.system.host_files.selinux import is_switched_off
from portwright.system.releases.of_host import kernel
from portwright.trees import Files

# architecture_to_string() in src/basic/architecture.c.
_ARCHITECTURES = frozenset((
    "x86", "x86-64", "ppc", "ppc-le", "ppc64", "ppc64-le", "ia64", "parisc", "parisc64", "s390", "s390x", "sparc", "sparc64", "mips",
    "mips-le", "mips64", "mips64-le", "alpha", "arm", "arm-be", "arm64", "arm64-be", "sh", "sh64", "m68k", "tilegx", "cris", "arc",
    "arc-be", "nios2", "riscv32", "riscv64", "loongarch64",
))  # fmt: skip
# Folders of libraries by architecture, which Debian and its kin have, and the ends of kernel releases.
_LIBRARIES = {
    "x86_64-linux-gnu": "x86-64",
    "aarch64-linux-gnu": "arm64",
    "arm-linux-gnueabihf": "arm",
    "i386-linux-gnu": "x86",
    "riscv64-linux-gnu": "riscv64",
    "powerpc64le-linux-gnu": "ppc64-le",
    "s390x-linux-gnu": "s390x",
}
_KERNELS = {"amd64": "x86-64", "x86_64": "x86-64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "arm", "s390x": "s390x"}
_SECURITY = frozenset(("selinux", "smack", "apparmor", "audit", "ima", "tomoyo", "uefi-secureboot", "tpm2", "cvm", "measured-uki"))
_VIRTUAL_MACHINES = (
    "kvm amazon qemu bochs xen uml vmware oracle microsoft zvm parallels bhyve qnx acrn powervm apple sre google vm-other vm"
)
_CONTAINERS = "systemd-nspawn lxc-libvirt lxc openvz docker podman rkt wsl proot pouch container-other container"
_VIRTUALIZATION = frozenset((*YES, *NO, *_VIRTUAL_MACHINES.split(), *_CONTAINERS.split(), "private-users"))
_OPERATORS = ("!=", "<=", ">=", "==", "<", ">", "=")
_MACHINE_ID = 32  # digits


def condition(kind: str, value: str, files: Files) -> bool | None:
    """Whether Condition{kind}={value} holds, its `!` left aside; None where only the running machine tells."""
    answer = _ANSWERS.get(kind)
    return None if answer is None or "\ufffd" in value else answer(value, files)


def is_taken(kind: str, value: str) -> bool:
    """Whether systemd takes a value at all: of a capability it does not know it assumes that the condition fails, negated or not."""
    return kind != "Capability" or "\ufffd" in value or value.upper() in ALL or is_digits(value)


def _architecture(value: str, files: Files) -> bool | None:
    if value == "native":
        return True
    own = files.once(_own_architecture)
    return (own == value if own else None) if value in _ARCHITECTURES else False


def _own_architecture(files: Files) -> str:
    """The architecture of the host, "" where nothing tells."""
    there = {own for name, own in _LIBRARIES.items() if files.kind(f"/usr/lib/{name}") == "directory"}
    release = files.once(kernel)
    if release is not None and release.is_sure:
        ends = {own for end, own in _KERNELS.items() if release.text.endswith((f"-{end}", f".{end}"))}
        there = ends or there
    return there.pop() if len(there) == 1 else ""


def _security(value: str, files: Files) -> bool | None:
    if value not in _SECURITY:
        return False
    # Nobody loads a policy that is not configured.
    return False if value == "selinux" and files.once(is_switched_off) else None


def _virtualization(value: str, _files: Files) -> bool | None:
    return None if value.lower() in _VIRTUALIZATION else False


def _kernel_version(value: str, files: Files) -> bool | None:
    """One or more comparisons or patterns, all of which must hold."""
    release = files.once(kernel)
    if release is None or not release.is_sure:
        return None
    words = _words(value)
    return all(_compares(release.text, word) for word in words) if words else None


def _os_release(value: str, files: Files) -> bool | None:
    known = files.once(fields)
    if not known:
        return None
    for word in _words(value):
        operator = next((each for each in _OPERATORS if each in word), None)
        if operator is None:
            return None
        key, _, wanted = word.partition(operator)
        if not _compares(known.get(key, ""), f"{operator}{wanted}".lower()):
            return False
    return True


def _words(value: str) -> list[str]:
    """The words of a list, an operator with the word behind it."""
    found: list[str] = []
    for word in value.replace('"', "").replace("'", "").split():
        if found and found[-1] in _OPERATORS:
            found[-1] += word
        else:
            found.append(word)
    return found


def _compares(version: str, wanted: str) -> bool:
    operator = next((each for each in _OPERATORS if wanted.startswith(each)), None)
    if operator is None:
        return fnmatchcase(version, wanted)
    other = wanted.removeprefix(operator)
    if operator == "=":
        return version == other
    mine, theirs = _parts(version), _parts(other)
    found = {"<": mine < theirs, "<=": mine <= theirs, ">=": mine >= theirs, ">": mine > theirs, "!=": mine != theirs}
    return found.get(operator, mine == theirs)


def _parts(version: str) -> list[tuple[int, str]]:
    """The numbers of a version, as strverscmp_improved() orders them: what stands between them counts only where they are the same."""
    numbers: list[tuple[int, str]] = []
    for part in version.replace("-", ".").replace("+", ".").replace("~", ".").split("."):
        number = decimal(part)
        numbers.append((-1, part) if number is None else (number, ""))
    return numbers


def _first_boot(value: str, files: Files) -> bool | None:
    """systemd takes a host for new that has no ID yet."""
    source = files.read("/etc/machine-id") if files.kind("/etc/machine-id") == "file" else None
    if source is None or len(source.text.strip()) != _MACHINE_ID or value.lower() not in (*YES, *NO):
        return None
    return value.lower() in NO


def _group(value: str, _files: Files) -> bool | None:
    return value in ("root", "0") if value else None


def _kernel_command_line(value: str, files: Files) -> bool | None:
    words = files.once(captured).cmdline
    if words is None:
        return None
    wanted = (value,) if "=" in value else (value, f"{value}=")
    return any(word.text == wanted[0] or (len(wanted) > 1 and word.text.startswith(wanted[1])) for word in words)


def _unknown(_value: str, _files: Files) -> bool | None:
    return None


_ANSWERS: dict[str, Callable[[str, Files], bool | None]] = {
    "Architecture": _architecture,
    "Security": _security,
    "Virtualization": _virtualization,
    "KernelVersion": _kernel_version,
    "OSRelease": _os_release,
    "FirstBoot": _first_boot,
    "Group": _group,
    "KernelCommandLine": _kernel_command_line,
    "Capability": _unknown,
    "Environment": _unknown,
    "Firmware": _unknown,
    "ACPower": _unknown,
    "Memory": _unknown,
    "CPUs": _unknown,
    "CPUFeature": _unknown,
    "ControlGroupController": _unknown,
}
KINDS = frozenset(_ANSWERS)
