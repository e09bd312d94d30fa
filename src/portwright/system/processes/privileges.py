"""What power is left to a program: after its wrappers changed user and capabilities, and with what its own file gives."""

import stat
from collections.abc import Callable, Iterable, Iterator

from portwright._start.records import replace
from portwright.facts import Privileges
from portwright.source import Span
from portwright.system.host_files.accounts import account
from portwright.system.host_files.capabilities import ALL, FileCapabilities, file_capabilities, stored_capabilities
from portwright.system.host_files.captures import Captured
from portwright.system.processes.process import Process
from portwright.system.processes.programs import interpreter
from portwright.trees import Files

IN_NAMESPACE = "enters a user namespace of "
CLEARED = "loses its ambient capabilities by the "


def after_switches(privileges: Privileges, process: Process, files: Files) -> Privileges:
    """The power that is left to a process after all that its wrappers changed."""
    for switch in process.switches:
        if switch.by_manager:
            privileges = _anew(privileges)
        if switch.user is not None:
            privileges = after_switching_user(privileges, switch.user, files, switch.kept, switch.at)
        elif switch.kept:
            privileges = replace(privileges, ambient=privileges.ambient | switch.kept)
        if switch.no_new_privileges:
            privileges = replace(privileges, no_new_privileges=True, because=(*privileges.because, ("NoNewPrivileges=yes", switch.at)))
        if switch.private_network:
            privileges = replace(privileges, private_network=True)
        if switch.bind_helper:
            privileges = replace(privileges, bind_helper=switch.at)
        if switch.user_namespace and not (switch.unless_root and privileges.uid0):
            privileges = in_user_namespace(privileges, switch.user_namespace, switch.at)
    return privileges


def _anew(privileges: Privileges) -> Privileges:
    """What systemd gives to a service that says nothing of its power; the program's file stays what it is."""
    return replace(
        Privileges(),
        file_known=privileges.file_known,
        file_permitted=privileges.file_permitted,
        file_inheritable=privileges.file_inheritable,
        setuid_root=privileges.setuid_root,
    )


def in_user_namespace(privileges: Privileges, maker: str, at: Span) -> Privileges:
    """The same power in a user namespace that `maker` makes: what it holds there counts for nothing that belongs to the host's."""
    return replace(privileges, private_users=True, because=(*privileges.because, (f"{IN_NAMESPACE}{maker}", at)))


def after_switching_user(privileges: Privileges, user: str, files: Files, kept: Iterable[str] = (), at: Span | None = None) -> Privileges:
    """The power left to a program that a root wrapper (runuser, su, setpriv, ...) starts as `user`.

    Leaving uid 0 clears every capability but those the wrapper made ambient (`kept`); a wrapper that is not root changes nothing.
    """
    if not privileges.uid0:
        return privileges
    known = account(user, files)
    because = privileges.because if at is None else ((f"switches to {user}", at), *privileges.because)
    uid0 = known.uid == 0 if known else False
    ambient = frozenset(kept) & (privileges.bounding if privileges.bounding is not None else ALL)
    return replace(privileges, user=known.name if known else user, uid0=uid0, ambient=ambient, dynamic=False, because=because)


def with_file(
    privileges: Privileges, program: str, files: Files, captured: Captured, given: Callable[[str], FileCapabilities | None] | None = None
) -> Privileges:
    """The same power with what the program's file adds; what cannot be told leaves `file_known` False.

    `given` says what the file will have been given by the time it is executed, whatever it has now.
    """
    path = interpreter(program, files) if program else ""
    own = files.attributes(path) if path and (captured.filecaps is None or captured.setuid is None) else None
    held = FileCapabilities()
    known = captured.filecaps is not None
    if captured.filecaps is not None:
        text = next((text for name in _spellings(path, files) if (text := captured.filecaps.get(name))), None)
        held = file_capabilities(text) if text else held
    elif own is not None and own.capability is not None:
        stored = stored_capabilities(own.capability) if own.capability else held
        known, held = stored is not None, stored or held
    if given is not None and path and (later := given(path)) is not None:
        known, held = True, later
    if captured.setuid is not None:
        setuid_root = any(name in captured.setuid for name in _spellings(path, files))
    else:
        setuid_root = own is not None and own.owner == 0 and bool(own.mode & stat.S_ISUID)
    permitted = held.permitted
    if held.effective:
        # P'(permitted) also has what is inheritable on both sides; systemd makes ambient capabilities inheritable.
        permitted |= held.inheritable & privileges.ambient
    bounding = privileges.bounding if privileges.bounding is not None else ALL
    fails = privileges.fails
    if fails is None and held.effective and not held.permitted <= bounding:
        # A file whose capabilities cannot all be had is not executed (capabilities(7), "Safety checking").
        fails = "203/EXEC"
    return replace(
        privileges,
        file_permitted=permitted,
        file_inheritable=held.inheritable,
        setuid_root=setuid_root,
        file_known=known and "\ufffd" not in path,
        fails=fails,
    )


def cleared_by_its_bits(privileges: Privileges, program: str, group: int | None, files: Files) -> str:
    """Which bit of the program's file empties the ambient set, "" where none does: that of another user than root, or of another group.

    capabilities(7): a file that changes the user or the group of who runs it is a privileged one (measured with Linux 6.18).
    """
    if not privileges.ambient or privileges.uid0 or privileges.no_new_privileges or not program:
        return ""
    own = files.attributes(interpreter(program, files))
    known = account(privileges.user, files)
    if own is None or known is None or (group := known.group if group is None else group) is None:
        return ""
    if own.mode & stat.S_ISUID and own.owner not in (0, known.uid):
        return "set-user-ID"
    # Without the right to execute it for the group, the bit means something else.
    changes = own.mode & stat.S_ISGID and own.mode & stat.S_IXGRP and own.group not in (None, group)
    return "set-group-ID" if changes else ""


def _spellings(path: str, files: Files) -> Iterator[str]:
    """The paths a list made on the host may have for this file: /bin and /usr/bin are one where the tree holds no /bin."""
    yield path
    if path.startswith("/usr/"):
        yield path[4:]
    elif path.startswith(("/bin/", "/sbin/")) and files.kind(path) == "missing":
        yield f"/usr{path}"
