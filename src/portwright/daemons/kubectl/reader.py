"""kubectl: the ports of this host that `proxy` and `port-forward` open, and what the manifests that it applies take of a node."""

from collections.abc import Iterator

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import pods, reading
from portwright.daemons.docker.asked import settings
from portwright.facts import ContainerLine, Endpoint, Invocation
from portwright.formats import yaml_nodes
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.host_files import names
from portwright.trees import Files

_FLAGS_OF_ALL = ("-n", "--namespace", "--context", "--kubeconfig", "--cluster", "--user", "-s", "--server", "--token", "--as", "-v")
_WITH_VALUE = frozenset((*_FLAGS_OF_ALL, "--address", "-p", "--port", "-w", "--www", "-P", "--www-prefix", "--pod-running-timeout"))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`proxy` opens 127.0.0.1:8001, `port-forward` the ports it is given on localhost; nothing else of it listens."""
    words, options = _told_apart(invocation.argv[1:])
    verb = words[0].text if words else ""
    if verb == "proxy":
        port = options.get("--port") or options.get("-p")
        number = 8001 if port is None else decimal(port.text, 65535)
        address = options.get("--address")
        where = address or Word("127.0.0.1", invocation.at)
        return tuple(_endpoints(port or where, number, where))
    if verb == "port-forward":
        address = options.get("--address") or Word("localhost", invocation.at)
        return tuple(
            endpoint
            for word in words[2:]
            for endpoint in _endpoints(word, decimal(word.text.partition(":")[0] or "0", 65535), address)
        )
    return ()


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What a manifest takes of a node, and the kernel settings that its pods ask for in a network of their own."""
    return (*pods.of_file(path, files, packages, reading.read), *_asked(path, files))


def _asked(path: str, files: Files) -> Iterator[ContainerLine]:
    source = files.read(path)
    nodes = () if source is None else yaml_nodes.parse(source)[0]
    for pod in pods.pods(nodes):
        wanted = []
        for context in pods.children(pod.spec, "securityContext"):
            for sysctl in pods.children(context, "sysctls"):
                name, value = pods.word_of(sysctl, "name"), pods.word_of(sysctl, "value")
                if name is not None and value is not None:
                    wanted.append((name, value))
        yield from settings(wanted, pod.name or "the pod", "Kubernetes", on_host=pod.on_host)


def _told_apart(argv: tuple[Word, ...]) -> tuple[list[Word], dict[str, Word]]:
    """Words that are no options, and the values of those that are."""
    words: list[Word] = []
    options: dict[str, Word] = {}
    todo = iter(argv)
    for word in todo:
        if not word.text.startswith("-"):
            words.append(word)
            continue
        name, equals, value = word.text.partition("=")
        if equals:
            options[name] = Word(value, word.at)
        elif name in _WITH_VALUE and (following := next(todo, None)) is not None:
            options[name] = following
    return words, options


def _endpoints(word: Word, number: int | None, addresses: Word) -> Iterator[Endpoint]:
    if number is None:
        return
    for text in addresses.text.split(","):
        for address in ("127.0.0.1", "::1") if text == "localhost" else (text,):
            if names.is_address(address):
                yield Endpoint(
                    word.at,
                    "kubectl",
                    "tcp",
                    address,
                    PortSet.of(number) if number else PortSet(),
                    "default" if word is addresses else "argument",
                    reuse_address=True,
                    v6only=True if ":" in address else None,
                    random=not number,
                    optional=address == "::1",
                )
