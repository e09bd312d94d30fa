"""passwd(5), group(5), sysusers.d(5): who a name in User= or Group= is on this host, and whether that can be told from its files."""

from collections.abc import Container
from functools import lru_cache

from portwright._start.records import dataclass
from portwright.numbers import decimal
from portwright.trees import Files

_SYSUSERS = ("/etc/sysusers.d", "/run/sysusers.d", "/usr/local/lib/sysusers.d", "/usr/lib/sysusers.d")
_LAST_SYSTEM_UID = 999
_USERDB = ("/etc/userdb", "/run/userdb", "/run/host/userdb", "/usr/lib/userdb")


@dataclass(frozen=True, slots=True)
class Account:
    """A line of /etc/passwd."""

    name: str
    uid: int
    home: str
    shell: str
    group: int | None = None


def account(name: str, files: Files) -> Account | None:
    """The account of a name or a numeric uid; root and nobody need no line (get_user_creds() in systemd)."""
    known = files.once(_asked)
    if name not in known:
        known[name] = _account(name, files)
    return known[name]


def _asked(files: Files) -> dict[str, Account | None]:
    """The answers that were given already."""
    return {}


def _account(name: str, files: Files) -> Account | None:
    if name in ("root", "0"):
        return Account("root", 0, "/root", "/bin/sh")
    source = files.read("/etc/passwd")
    if source is not None and name:
        text = f"\n{source.text}"
        number = _uid(name)
        position = text.find(f":{number}:", 1) if number is not None else text.find(f"\n{name}:")
        while position >= 0:
            start = text.rfind("\n", 0, position + 1) + 1
            end = text.find("\n", start)
            fields = text[start : end if end >= 0 else len(text)].split(":")
            uid = _uid(fields[2]) if len(fields) == 7 else None
            if uid is not None and (fields[0] == name or uid == number):
                return Account(fields[0], uid, fields[5], fields[6], _uid(fields[3]))
            position = text.find(f":{number}:" if number is not None else f"\n{name}:", position + 1)
    if name in ("nobody", "65534"):
        return Account("nobody", 65534, "/", "/usr/sbin/nologin")
    return None


def group_number(name: str, files: Files) -> int | None:
    """The number of a group, None where no file tells it."""
    if name == "root" or (number := _uid(name)) is not None:
        return 0 if name == "root" else number
    source = files.read("/etc/group")
    for line in () if source is None else source.text.split("\n"):
        fields = line.split(":")
        if len(fields) == 4 and fields[0] == name:
            return _uid(fields[2])
    return None


def is_unknown(name: str, files: Files) -> bool:
    """Whether starting as this user surely fails: the files that would know it are here, and none does."""
    if account(name, files) is not None or files.read("/etc/passwd") is None or not _only_files(files):
        return False
    if any(files.names(directory) for directory in _USERDB):
        return False
    return not _is_made(name, files)


def is_unknown_group(name: str, files: Files) -> bool:
    """Whether starting with this group surely fails: the files that would know it are here, and none does (get_group_creds())."""
    source = files.read("/etc/group")
    if source is None or name in ("root", "0") or not _only_files(files, "group") or any(files.names(each) for each in _USERDB):
        return False
    known = {fields[0]: fields[2] for line in source.text.split("\n") if len(fields := line.split(":")) == 4}
    if name in known or name in known.values() or name in (_group_of_nobody(known), "65534"):
        return False
    # A `u` line makes a group of the same name, too.
    return not _is_made(name, files, "gu")


def _group_of_nobody(known: Container[str]) -> str:
    """The group that systemd knows without asking anybody; its name is set where systemd is built: nogroup on Debian and its kin."""
    return "nogroup" if "nogroup" in known else "nobody"


def _only_files(files: Files, database: str = "passwd") -> bool:
    """Whether nsswitch.conf(5) asks nobody but files and systemd for accounts."""
    source = files.read("/etc/nsswitch.conf")
    if source is None:
        return True
    for line in source.text.split("\n"):
        key, colon, rest = line.partition("#")[0].partition(":")
        if colon and key.strip() == database:
            return all(word in ("files", "compat", "systemd") or word.startswith("[") for word in rest.split())
    return True


def _is_made(name: str, files: Files, kinds: str = "u") -> bool:
    for directory in _SYSUSERS:
        for file in files.names(directory):
            source = files.read(f"{directory}/{file}") if file.endswith(".conf") else None
            if source is None:
                continue
            for line in source.text.split("\n"):
                words = line.split(maxsplit=3)
                if len(words) > 1 and words[0][:1] in kinds and _makes(words, name, files):
                    return True
    return False


def _makes(words: list[str], name: str, files: Files) -> bool:
    """Whether a `u` line of sysusers.d may make an account of this name or number that /etc/passwd does not have yet."""
    made = words[1].strip("\"'")
    if made == name or "%" in made:
        return True
    if _uid(name) is None or account(made, files) is not None:
        return False
    # Without a number it gets one of a system account; a path stands for its owner's.
    number = words[2].partition(":")[0] if len(words) > 2 else "-"
    return number == name or number.startswith("/") or (number == "-" and (_uid(name) or 0) <= _LAST_SYSTEM_UID)


def _uid(text: str) -> int | None:
    return decimal(text, 9_999_999_999)


@lru_cache(maxsize=1024)
def is_account_name(text: str) -> bool:
    """Whether systemd takes a value of User= for a name or number at all (valid_user_group_name() in user-util.c, relaxed)."""
    if not text or text != text.strip() or text[0] == "-" or len(text) > 255:
        return False
    return not any(char in ":/" or char < " " or char == "\x7f" for char in text)
