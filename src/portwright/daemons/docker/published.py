"""The ports that `docker run --publish` and its kin take on the host; what the container binds is in a namespace of its own."""

from collections.abc import Iterator

from portwright._start.records import dataclass, field
from portwright.daemons.docker import asked
from portwright.facts import ContainerLine, Endpoint, Invocation, Protocol
from portwright.formats import yaml_nodes
from portwright.numbers import is_digits
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.host_files import names
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

# podman-run(1), docker run --help: the options that take no value; any other long one without `=` takes the next word.
_FLAGS = frozenset(
    (
        "--detach", "--disable-content-trust", "--env-host", "--help", "--http-proxy", "--init", "--interactive", "--no-healthcheck",
        "--no-hostname", "--no-hosts", "--oom-kill-disable", "--passwd", "--privileged", "--publish-all", "--quiet", "--read-only",
        "--read-only-tmpfs", "--replace", "--rm", "--rmi", "--rootfs", "--sig-proxy", "--tls-verify", "--tty", "--use-api-socket",
        "--build", "--start", "--wait", "--service-container", "--noout",
    )
)  # fmt: skip
_SHORT_FLAGS = frozenset("diPqt")
_VERBS = frozenset(("run", "create", "play"))
_STARTS_OTHERS = ("compose", "start", "stack", "kube")
_HOSTS_OWN = ("host", "ns:/proc/1/ns/net")
_MOST_PORTS = 1000


@dataclass
class _Run:
    """The options of `run` that matter here, in their order, and the image."""

    ports: list[Word] = field(default_factory=list)
    settings: list[Word] = field(default_factory=list)
    added: list[Word] = field(default_factory=list)
    network: Word | None = None
    user: Word | None = None
    name: str = ""
    image: Word | None = None


def published(invocation: Invocation, app: str, files: Files) -> Iterator[Endpoint | ContainerLine]:
    """What `run` publishes on the host, `*` being the address where it names none, and what else the container asks for.

    On the host's network nothing is published, and what the image binds is not known.
    """
    words = iter(invocation.argv[1:])
    verb = next((word for word in words if word.text in _VERBS), None)
    if verb is None:
        if (other := next((word for word in invocation.argv[1:] if word.text in _STARTS_OTHERS), None)) is not None:
            files.report_not_understood(other.at, f"what `{app} {other.text}` starts is defined in a file that is not read")
        return
    run = _options(words)
    if verb.text == "play" and run.image is not None:
        yield from _of_pods(run.image, invocation.path(run.image.text), app, files)
    on_host = run.network is not None and run.network.text in _HOSTS_OWN
    container = run.name or ("" if run.image is None else run.image.text)
    pairs = [each for word in run.settings if (each := asked.pair(word)) is not None]
    yield from asked.settings(pairs, container, app, on_host=on_host)
    if on_host and run.network is not None:
        files.report_not_understood(run.network.at, "it uses the host's network: what its image binds is not known")
        yield from asked.powerless(container, app, run.user, run.added)
        yield from asked.discarded(run.ports, container)
        return
    for word in files.limited(run.ports, _MOST_PORTS, "published ports", lambda word: word.at):
        yield from endpoint(word, app, files)


def _of_pods(at: Word, path: str, app: str, files: Files) -> Iterator[Endpoint]:
    """What the pods of a Kubernetes file publish by `hostPort` (podman-kube-play(1))."""
    if UNKNOWN in path or files.kind(path) != "file" or (source := files.read(path)) is None:
        files.report_not_understood(at.at, "what these pods publish is defined in a file that is not read")
        return
    nodes, troubles = yaml_nodes.parse(source)
    for trouble in troubles:
        files.report_unreadable(trouble.at, trouble.reason)
    todo = list(reversed(nodes))
    while todo:
        node = todo.pop()
        said = {child.key.text: child.values[0] for child in node.children if child.values}
        if node.key.text == "ports" and (port := said.get("hostPort")) is not None:
            address = f"{said['hostIP'].text}:" if "hostIP" in said else ""
            transport = said["protocol"].text.lower() if "protocol" in said else "tcp"
            yield from endpoint(Word(f"{address}{port.text}:{port.text}/{transport}", port.at), app, files)
        elif node.key.text == "hostNetwork" and node.values and node.values[0].text == "true":
            files.report_not_understood(node.values[0].at, "it uses the host's network: what its image binds is not known")
        todo += reversed(node.children)


def _options(words: Iterator[Word]) -> _Run:
    run = _Run()
    for word in words:
        text = word.text
        if not text.startswith("-") or text == "-":
            run.image = word
            break
        name, equals, value = text.partition("=")
        if text.startswith("--"):
            given = Word(value, word.at) if equals else None
        elif set(text[1:]) <= _SHORT_FLAGS or (equals and text[1] in _SHORT_FLAGS):
            continue
        else:
            # A letter that takes a value ends a cluster: -dp 80:80, -p80:80.
            letters = text[1:].lstrip("diPqt")
            name, given = f"-{letters[0]}", Word(letters[1:].removeprefix("="), word.at) if letters[1:] else None
        if given is None and name not in _FLAGS:
            given = next(words, None)
        if given is None:
            continue
        if name in ("-p", "--publish"):
            run.ports.append(given)
        elif name in ("--network", "--net"):
            run.network = given
        elif name == "--sysctl":
            run.settings.append(given)
        elif name == "--cap-add":
            run.added += (Word(each, given.at) for each in given.text.split(","))
        elif name in ("-u", "--user"):
            run.user = given
        elif name == "--name":
            run.name = given.text
    return run


def endpoint(word: Word, app: str, files: Files) -> Iterator[Endpoint]:
    """`[[address:]port:]inside[/protocol]`; without a port on the host the kernel picks one."""
    text, _, transport = word.text.partition("/")
    protocol: Protocol | None = {"": "tcp", "tcp": "tcp", "udp": "udp"}.get(transport.lower())  # type: ignore[assignment]
    if UNKNOWN in text:
        files.report_unreadable(word.at, "its expansion cannot be determined")
        return
    if protocol is None:
        return  # sctp
    outer, _, inside = text.rpartition(":")
    address, _, port = outer.rpartition(":")
    address = address.strip("[]") or "*"
    low, dash, high = port.partition("-")
    numbers = [names.port(each, protocol, files) if is_digits(each) else None for each in (low, high if dash else low)]
    if address != "*" and not names.is_address(address):
        files.report_unreadable(word.at, f"{app} does not start: {address} is no address")
        return
    ports = PortSet()
    if port and None in numbers:
        files.report_unreadable(word.at, f"{app} does not start: no port or range before {inside}")
        return
    if port and numbers[0] and numbers[1]:
        if numbers[1] < numbers[0]:
            files.report_unreadable(word.at, f"{app} does not start: a range that ends before it begins")
            return
        ports = PortSet.of((numbers[0], numbers[1]))
    yield Endpoint(
        at=word.at,
        app=app,
        protocol=protocol,
        address=address,
        ports=ports,
        origin="argument",
        reuse_address=True if protocol == "tcp" else None,
        v6only=None if ":" not in address else True,
        random=not ports,
        confidence="likely",
    )
