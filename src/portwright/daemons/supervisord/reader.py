"""supervisord(1): its HTTP server, and the sockets it binds for FastCGI programs."""

from portwright.daemons import DaemonFact, Packages
from portwright.facts import Endpoint, Invocation
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.host_files import names
from portwright.system.processes.supervisor import configuration
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`port` of [inet_http_server] and `socket = tcp://host:port` of [fcgi-program:x]; all IPv4 addresses where none is named.

    Both set SO_REUSEADDR (supervisor's http.py and socket_manager.py). The programs themselves are Invocations of their own.
    """
    found: list[DaemonFact] = []
    for section, _ in configuration(invocation, files).sections:
        word = None
        if section.header.text == "inet_http_server":
            word = section.values.get("port")
        elif section.kind == "fcgi-program" and (socket := section.values.get("socket")) is not None:
            word = Word(socket.text.removeprefix("tcp://"), socket.at) if socket.text.startswith("tcp://") else None
        if word is not None and (endpoint := _endpoint(word, files)) is not None:
            found.append(endpoint)
    return tuple(found)


def _endpoint(word: Word, files: Files) -> Endpoint | None:
    host, _, service = word.text.rpartition(":")
    port = names.port(service, "tcp", files)
    addresses = ("0.0.0.0",) if host in ("", "*") else names.addresses(host, files)  # noqa: S104  reported, never bound
    if port is None or not addresses:
        files.report_unreadable(word.at, f"not a port or address: {word.text}")
        return None
    at = word.at
    return Endpoint(at, "supervisord", "tcp", addresses[0], PortSet.of(port), "directive", reuse_address=True)
