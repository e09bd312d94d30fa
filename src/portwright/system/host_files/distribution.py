"""os-release(5): which family of distributions a host is of, named as its packages are."""

from typing import Literal

from portwright.trees import Files

Family = Literal["deb", "rpm", "apk", "arch"]

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("debian", "ubuntu", "raspbian", "devuan"), "deb"),
    **dict.fromkeys(("rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn", "suse", "opensuse", "sles", "opensuse-leap"), "rpm"),
    **dict.fromkeys(("mageia", "openmandriva", "azurelinux", "photon"), "rpm"),
    **dict.fromkeys(("alpine", "postmarketos", "wolfi"), "apk"),
    **dict.fromkeys(("arch", "manjaro", "endeavouros"), "arch"),
}


def family(files: Files) -> Family | None:
    """The family by ID=, else by the first word of ID_LIKE= that is known; None where os-release is missing or names none."""
    return next((_FAMILIES[name] for name in names(files) if name in _FAMILIES), None)


def names(files: Files) -> tuple[str, ...]:
    """The distribution (ID=) and those it is derived from (ID_LIKE=), the nearest first; () where os-release is missing."""
    known = files.once(fields)
    return tuple(filter(None, (known.get("ID", ""), *known.get("ID_LIKE", "").split())))


def identity(files: Files) -> tuple[str, str]:
    """ID= and VERSION_ID= of os-release, "" where it does not say."""
    known = files.once(fields)
    return known.get("ID", ""), known.get("VERSION_ID", "")


def fields(files: Files) -> dict[str, str]:
    """The fields of os-release with their values in lower case; none where no file has them."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        source = files.read(path) if files.kind(path) == "file" else None
        if source is not None:
            lines = (line.partition("=") for line in source.text.split("\n") if not line.startswith("#"))
            return {key.strip(): value.strip().strip("\"'").lower() for key, equals, value in lines if equals}
    return {}
