"""Installers that a script fetches and runs, as far as what they make of a host is known: the unit that the one of k3s writes."""

from collections.abc import Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.repositories.deployers.placed import Line
from portwright.repositories.deployers.shell_state import State
from portwright.repositories.deployers.shell_text import Piece, Value, text_of
from portwright.system.spanned_text import UNKNOWN

_OF_K3S = ("get.k3s.io", "rancher-mirror.rancher.cn/k3s/k3s-install.sh", "rancher-mirror.cnrancher.com/k3s/k3s-install.sh")
_UNITS = "/etc/systemd/system"
_PARTS = lazy_regex(r"\s+|\S+")
_PROGRAM = "/usr/local/bin/k3s"


def is_k3s(fetched: str) -> bool:
    """Whether what was fetched is the installer of k3s."""
    return any(each in fetched for each in _OF_K3S)


def k3s(run: State, given: Mapping[str, Value], rest: Sequence[Value], place: Piece) -> None:
    """The unit that it enables and starts: a server, or an agent where it is given a server to join (get.k3s.io, setup_env)."""
    if rest and text_of(rest[0]) in ("-s", "-"):
        rest = rest[1:]
    if rest and text_of(rest[0]) in ("-", "--"):
        rest = rest[1:]
    words = [*_split(_value(run, given, "INSTALL_K3S_EXEC")), *rest]
    is_agent = bool(_value(run, given, "K3S_URL"))
    verb: Value = (replace(place, text="agent" if is_agent else "server"),)
    if words and text_of(words[0]) in ("server", "agent"):
        verb, words = words[0], words[1:]
    if UNKNOWN in text_of(words[0] if words else ()) and not text_of(words[0]).startswith("-"):
        return  # whether it is a server is not known
    name, other = ("k3s", "k3s-agent") if text_of(verb) == "server" else ("k3s-agent", "k3s")
    if f"{_UNITS}/{other}.service" in run.pages.lines:
        return  # a script that can do both does one on each machine
    at = Line("", place.source, place.number, max(place.column - 1, 0))
    said = [replace(at, text=text) for text in ("[Service]", "Restart=always", f"ExecStart={_PROGRAM} \\")]
    argv = [verb, *words]
    for number, word in enumerate(argv):
        # Units of which all lines are of one script are not taken to be on the machines of other scripts.
        first = word[0] if word and word[0].source == place.source else place
        end = " \\" if number < len(argv) - 1 else ""
        quoted = text_of(word).replace("\\", "\\\\").replace("'", "\\'").replace("\n", " ").replace("%", "%%").replace("$", "$$")
        said.append(Line(f"'{quoted}'{end}", first.source, first.number, max(first.column - 2, 0)))
    said += [replace(at, text=text) for text in ("[Install]", "WantedBy=multi-user.target")]
    run.pages.write(f"{_UNITS}/{name}.service", said)


def _value(run: State, given: Mapping[str, Value], name: str) -> Value:
    return given.get(name, run.variables.get(name, ()))


def _split(value: Value) -> list[Value]:
    """The words of a value, each with its place as near as one knows."""
    found: list[Value] = []
    word: list[Piece] = []
    for piece in value:
        done = 0
        for part in _PARTS.findall(piece.text):
            if part.isspace():
                found += [tuple(word)] if word else []
                word = []
            else:
                word.append(replace(piece, text=part, column=piece.column if piece.passed else piece.column + done))
            done += len(part)
    return [*found, tuple(word)] if word else found
