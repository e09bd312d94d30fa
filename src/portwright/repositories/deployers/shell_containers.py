"""Containers that a script starts: what they publish, and what else they ask their host for."""

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.deployers.placed import Line
from portwright.repositories.deployers.shell_state import State
from portwright.repositories.deployers.shell_text import Piece, Value, text_of
from portwright.system.spanned_text import UNKNOWN

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
_SETTING = lazy_regex(r"[\w./*-]+=[^\"\\\n]*")
_NETWORK = ("--network", "--net")
_PLAIN = lazy_regex(r"[\w.:/\[\]@\ufffd-]+")


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
    host, image, title = False, "", ""
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
        if option == "--sysctl" and where:
            settings.append(where)
        index += 1 if equals and option.startswith("--") else 2
    if not image:
        return False
    head = ["services:", f"  {_name(title or image)}:", "    image: image", *(["    network_mode: host"] if host else [])]
    lines = [_line(each, place) for each in head]
    told = True
    for key, asked, reads in (("ports", [] if host else ports, _port), ("sysctls", settings, _setting)):
        found = [(text_of(each), reads(text_of(each)), each[0]) for each in asked if each]
        told = told and all(text and UNKNOWN not in text for _, text, _ in found)
        if any(text for _, text, _ in found):
            lines.append(_line(f"    {key}:", place))
            lines += [_item(text, where, len(whole) - len(text)) for whole, text, where in found if text]
    if host or len(lines) > len(head):
        run.pages.write(f"/srv/{run.pages.label.replace('/', '-')}-{place.number}/compose.yaml", lines)
    return told


def _line(text: str, place: Piece) -> Line:
    return Line(text, place.source, place.number, max(place.column - 1, 0))


def _item(text: str, place: Piece, behind: int) -> Line:
    """An item of a list in YAML, which stands so many columns behind the beginning of the word that it is part of."""
    before = "      - "
    quoted = f'{before}"{text}"' if text[0] in "[*&!%@`" or " #" in text or ": " in text else f"{before}{text}"
    return Line(quoted, place.source, place.number, max(place.column, 1) - 1 + behind - len(before))


def _name(text: str) -> str:
    last = text.rpartition("/")[2].partition(":")[0]
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in last) or "container"


def _port(text: str) -> str:
    """What is published, "" for what is none."""
    for option in ("--publish=", "-p"):
        text = text.removeprefix(option)
    text = text.removeprefix("=")
    return text if _PLAIN.fullmatch(text) else ""


def _setting(text: str) -> str:
    """The kernel setting that is asked for, "" for what is none."""
    text = text.removeprefix("--sysctl=")
    return text if _SETTING.fullmatch(text) else ""
