"""authbind(1): whose ports its set-user-ID helper binds, as the files of /etc/authbind permit."""

from portwright.numbers import is_digits
from portwright.system.host_files.accounts import account
from portwright.trees import Files

_ROOT = "/etc/authbind"


def permits(user: str, address: str, port: int, files: Files) -> bool:
    """Whether some file may let it bind this port for this user; whether one can be executed, no tree tells.

    `byport/PORT` and `byaddr/ADDRESS:PORT` (or `,PORT`) are files; from 512 to 1023 their names begin with `!`. The lines of `byuid/UID`
    are not judged. Where the tree has no /etc/authbind, it was not copied.
    """
    if files.kind(_ROOT) != "directory":
        return True
    mark = "!" if 512 <= port <= 1023 else ""
    addresses = ("0.0.0.0", "::") if address == "*" else (address,)  # noqa: S104  names of files
    names = [f"byport/{mark}{port}", *(f"byaddr/{mark}{text}{between}{port}" for text in addresses for between in ":,")]
    known = account(user, files)
    names += [f"byuid/{uid}" for uid in (user, "" if known is None else str(known.uid)) if is_digits(uid)]
    return any(files.kind(f"{_ROOT}/{name}") != "missing" for name in names)
