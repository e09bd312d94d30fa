"""Containers that a script starts: what they publish, and what else they ask their host for."""

from collections.abc import Callable

from portwright.repositories.deployers.container_lines import Asked, is_told, lines, path_of, port, setting
from portwright.repositories.deployers.placed import Line
from portwright.repositories.deployers.shell_state import State
from portwright.repositories.deployers.shell_text import Piece, Value, text_of

# docker run's options without a value (docker-run(1)); all others have one.
_SWITCHES = frozenset(
    (
        "-d", "--detach", "-i", "--interactive", "-t", "--tty", "--rm", "--init", "-P", "--publish-all", "--privileged", "--read-only",
        "--no-healthcheck", "--oom-kill-disable", "--sig-proxy", "--help", "-q", "--quiet", "--disable-content-trust", "--replace",
        "--rmi", "--no-hosts", "--env-host", "--http-proxy", "-it", "-ti", "-dit", "-itd", "-dti", "-tid", "-id", "-td", "-dt", "-di",
    )
)  # fmt: skip
_PUBLISHES = ("-p", "--publish")
_LETTERS = frozenset("diPqt")
_NETWORK = ("--network", "--net")


def container(run: State, name: str, rest: list[Value], plain: list[str], place: Piece) -> bool:
    """`docker run`: what it publishes goes into a Compose file, as if there were one; False where something is left unsaid."""
    position = next((index for index, word in enumerate(plain) if not word.startswith("-")), len(plain))
    if plain[position : position + 1] == ["container"]:
        position += 1
    verb = plain[position] if position < len(plain) else ""
    if verb not in ("run", "create"):
        return verb != "compose" and verb not in ("service", "stack", "play", "kube")
    ports: list[Value] = []
    settings: list[Value] = []
    host, image, title, entrypoint = False, "", "", False
    index = position + 1
    while index < len(plain):
        word = plain[index]
        if not word.startswith("-") or word == "-":
            image = word
            break
        option, equals, value = word.partition("=")
        if option[1:2] != "-" and len(option) > 2 and set(option[1:-1]) <= _LETTERS:
            option = f"-{option[-1]}"  # -dp 80:80
        if option.startswith("-p") and not option.startswith("--") and len(option) > 2:
            ports.append(rest[index])
            index += 1
            continue
        if word in _SWITCHES:
            index += 1
            continue
        held = value if equals and option.startswith("--") else plain[index + 1] if index + 1 < len(plain) else ""
        where = rest[index] if equals and option.startswith("--") else rest[index + 1] if index + 1 < len(rest) else ()
        if option in _PUBLISHES and where:
            ports.append(where)
        host = host or (option in _NETWORK and held == "host")
        title = held if option == "--name" else title
        entrypoint = entrypoint or option == "--entrypoint"
        if option == "--sysctl" and where:
            settings.append(where)
        index += 1 if equals and option.startswith("--") else 2
    if not image:
        return False
    asked = [_asked(where, _port) for where in ports if where]
    wanted = [_asked(where, _setting) for where in settings if where]
    at = Line("", place.source, place.number, max(place.column - 1, 0))
    command = [_asked(where, str) for where in rest[index + 1 :] if where]
    if said := lines(title or image, at, host, asked, wanted, "" if entrypoint else image, command):
        run.pages.write(path_of(name, f"{run.pages.label}-{place.number}"), said)
    return is_told((*asked, *wanted))


def _asked(where: Value, reads: Callable[[str], str]) -> Asked:
    """A word that asks for something, at the columns of what it asks for."""
    whole, place = text_of(where), where[0]
    text = reads(whole)
    return Asked(text, place.source, place.number, max(place.column, 1) - 1 + len(whole) - len(text))


def _port(text: str) -> str:
    for option in ("--publish=", "-p"):
        text = text.removeprefix(option)
    return port(text.removeprefix("="))


def _setting(text: str) -> str:
    return setting(text.removeprefix("--sysctl="))
