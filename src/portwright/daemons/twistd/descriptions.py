"""Twisted's endpoint descriptions (`tcp:8080:interface=127.0.0.1`) become endpoints."""

from portwright.daemons._engine.binding import Binder, Given
from portwright.facts import Endpoint
from portwright.source import Word
from portwright.trees import Files

_TCP = ("tcp", "tcp6", "ssl", "tls")


def described(word: Word, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    """What one description of a server endpoint binds (twisted.internet.endpoints.serverFromString)."""
    parts = _parts(word.text)
    if parts and parts[0] == "haproxy":
        parts = parts[1:]
    if not parts or parts[0] not in (*_TCP, "unix", "systemd", "fd", "stdio"):
        files.report_unreadable(word.at, f"{binder.app} does not start: not the description of an endpoint")
        return ()
    if parts[0] not in _TCP:
        return ()
    named = dict(part.split("=", 1) for part in parts[1:] if "=" in part)
    unnamed = [part for part in parts[1:] if "=" not in part]
    port = unnamed[0] if unnamed else named.get("port", "")
    host = named.get("interface", "::" if parts[0] == "tcp6" else "")
    return binder.bind(Given(host, word.at, "argument"), Given(port, word.at, "argument"), files)


def _parts(text: str) -> list[str]:
    """The parts between colons; a backslash keeps the one behind it."""
    parts, at = [""], 0
    pieces: list[str] = []
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            pieces.append(text[at + 1])
            at += 1
        elif text[at] == ":":
            parts[-1] = "".join(pieces)
            pieces = []
            parts.append("")
        else:
            pieces.append(text[at])
        at += 1
    parts[-1] = "".join(pieces)
    return parts
