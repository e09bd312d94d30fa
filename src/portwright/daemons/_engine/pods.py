"""Pods of Kubernetes: what they take of the node that they run on. What stays in a pod's own network is of no matter there.

A manifest is read as far as it is known: of what is unknown in it (U+FFFD, a value that is filled in later) nothing is said.
"""

from collections.abc import Callable, Iterator, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.daemons._engine import rooms
from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.protocol import DaemonFact, Packages
from portwright.facts import Endpoint, Invocation, NodeClaim, Protocol, Traits
from portwright.formats import yaml_nodes
from portwright.formats.nodes import Node
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

_OF_A_TEMPLATE = frozenset(("DaemonSet", "Deployment", "DeploymentConfig", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"))
_MOST = 500
"""Endpoints of one manifest, and manifests of one folder."""
Program = Callable[[Descriptor, Invocation, Files, Packages], tuple[DaemonFact, ...]]
"""How the daemon of a descriptor is read."""
_RANGE = lazy_regex(r"([0-9]{1,5})(?:([-+])([0-9]{1,5}))?")
_NODES_NETWORK = lazy_regex(r"\bnsenter\b[^;&|]{0,400}?[\s,\"'](?:--net(?:work)?\b|--all\b|-[a-zA-Z]*[na][a-zA-Z]*\b)")
_VALUE = r"(\"[^\"]{0,200}\"|'[^']{0,200}'|[^\s;&|\"']{0,200})"
_SETS = lazy_regex(
    rf"\bsysctl[ \t]++(?:-[a-zA-Z]++[ \t]++|--[a-z-]++[ \t]++){{0,5}}[\"']?(net[./][\w./-]{{3,100}})[ \t]*+=[ \t]*+{_VALUE}"
    r"|\becho[ \t]++(?:-n[ \t]++)?(\"[^\"]{0,200}\"|'[^']{0,200}'|[\w-]++(?:[ \t]++[\w-]++){0,15})"
    r"[ \t]*+>[ \t]*+/proc/sys/(net/[\w./-]{3,100})"
)
_PAIR = lazy_regex(r"(net[./][\w./-]{3,100})=(.{0,200})")
_PATCHED = lazy_regex(r"service-node-port-range[\"']?[ \t]*:[ \t]*[\"']?([0-9]{1,5}[-+][0-9]{1,5})")
_OF_PORTS = lazy_regex(
    r"net\.(?:ipv4\.(?:ip_(?:local_port_range|local_reserved_ports|unprivileged_port_start)|tcp_(?:tw_re\w+|fin_timeout))|core\.somaxconn)"
)
# Nothing in a manifest tells whether the file of a program has the capability. Of these images it is known: their Dockerfiles call
# setcap(8), and without this the charts that most clusters run would be flagged for what works.
_HAS_FILE_CAPABILITY = lazy_regex(r"(?:^|/)(?:ingress-nginx/|nginx-ingress|kubernetes-ingress|coredns|caddy)")
_UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"
_TRUE = frozenset(("true", "yes", "on"))


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod: `name` is what reports call it, `node` is its mapping, `security` the two that say with what power it runs.

    `is_passing`: it ends before the pod's own containers start.
    """

    name: str
    node: Node
    security: tuple[Node, ...] = ()
    is_passing: bool = False

    def says(self, key: str) -> Word | None:
        """What its own security context says, else that of its pod."""
        return next((word for each in self.security if (word := word_of(each, key)) is not None), None)

    @property
    def command(self) -> tuple[Word, ...]:
        """Its command and arguments; of an image that starts its own program, only the arguments are known."""
        return tuple(word for key in ("command", "args") for each in children(self.node, key) for word in each.words)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, or the template of one, with its containers; `name` is that of its object, "" where it is not known."""

    spec: Node
    name: str
    on_host: bool
    containers: tuple[Container, ...]

    def called(self, container: Container) -> str:
        """A container as an operator would name it; many pods have one called driver."""
        return container.name if self.name in ("", container.name) else f"{self.name}/{container.name}"


# ── manifests ───────────────────────────────────────────────────────────────────────────────────────────────────────


def of_file(path: str, files: Files, packages: Packages, read: Program) -> Iterator[DaemonFact]:
    """What one manifest takes of a node."""
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None:
        return
    nodes, troubles = yaml_nodes.parse(source)
    for trouble in troubles:
        files.report_unreadable(trouble.at, trouble.reason)
    yield from files.limited(of_document(nodes, source, packages, read), _MOST, "ports of pods", lambda fact: fact.at)


def of_folder(folder: str, files: Files, packages: Packages, read: Program) -> Iterator[DaemonFact]:
    """What the static pods of a folder take of the node; hidden files are none (kubelet, --pod-manifest-path)."""
    if UNKNOWN in folder or files.kind(folder) != "directory":
        return
    for name in files.limited(files.names(folder), _MOST, "static pods", lambda name: Span.whole(files.tree.label(f"{folder}/{name}"))):
        if not name.startswith("."):
            yield from of_file(f"{folder}/{name}", files, packages, read)


def of_document(nodes: Sequence[Node], source: Source, packages: Packages, read: Program) -> Iterator[DaemonFact]:
    """What an object of Kubernetes takes of a node."""
    for pod in pods(nodes):
        yield from _of_pod(pod, source, packages, read)
    for item in _objects(nodes):
        kind = _text(item, "kind")
        if kind == "Service":
            yield from _of_service(item)
        elif kind in ("ClusterConfiguration", "InitConfiguration"):
            yield from _of_cluster(item)
        elif kind == "Cluster":
            yield from _of_containers_as_nodes(item, source)
            yield from _of_flag(below(item, "spec", "kubeAPIServer"), "serviceNodePortRange", "kops")
        elif kind == "ClusterConfig":
            yield from _of_flag(below(item, "spec", "api", "extraArgs"), "service-node-port-range", "k0s")
        elif kind is None:  # Talos
            yield from _of_cluster(below(item, "cluster") or item, "Talos")


def pods(nodes: Sequence[Node]) -> Iterator[Pod]:
    """The pods of a document, be they templates of a workload or items of a list."""
    for item in _objects(nodes):
        kind = word_of(item, "kind")
        spec = None if kind is None else _spec(item, kind.text)
        if spec is not None and not any(_text(each, "kubernetes.io/os") == "windows" for each in children(spec, "nodeSelector")):
            on_host = word_of(spec, "hostNetwork")
            metadata = below(item, "metadata")
            name = None if metadata is None else _text(metadata, "name")
            takes = on_host is not None and on_host.text.lower() in _TRUE
            yield Pod(spec, name if name and UNKNOWN not in name else "", takes, tuple(_containers(spec)))


def _objects(nodes: Sequence[Node]) -> Iterator[Node]:
    at = nodes[0].key if nodes else None
    if at is not None:
        whole = Node(at, (), tuple(nodes))
        items = [each for each in nodes if each.key.text == "items" and each.children]
        yield from items if (_text(whole, "kind") or "").endswith("List") and items else (whole,)


def _spec(item: Node, kind: str) -> Node | None:
    if kind == "Pod":
        return below(item, "spec")
    if kind in _OF_A_TEMPLATE:
        return below(item, "spec", "template", "spec")
    if kind == "CronJob":
        return below(item, "spec", "jobTemplate", "spec", "template", "spec")
    return below(item, "template", "spec") if kind == "PodTemplate" else None


def _containers(spec: Node) -> Iterator[Container]:
    whole = tuple(children(spec, "securityContext"))
    for key in ("initContainers", "containers"):
        for each in children(spec, key):
            if each.children:
                stays = key == "containers" or _text(each, "restartPolicy") == "Always"
                said = _text(each, "name") or _program(each)
                name = said if said and UNKNOWN not in said else "pod"
                yield Container(name, each, (*children(each, "securityContext"), *whole), is_passing=not stays)


def _program(container: Node) -> str:
    """The program that an image is called after, without its registry and its version."""
    image = _text(container, "image") or ""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


# ── what a pod binds ────────────────────────────────────────────────────────────────────────────────────────────────


def _of_pod(pod: Pod, source: Source, packages: Packages, read: Program) -> Iterator[DaemonFact]:
    taken: dict[Protocol, PortSet] = {}

    def is_new(protocol: Protocol, ports: PortSet) -> bool:
        known = taken.get(protocol, PortSet())
        taken[protocol] = known.union(ports)
        return not known.overlaps(ports)

    running = [each for each in pod.containers if not each.is_passing]
    said = [
        endpoint
        for container in running
        for port in children(container.node, "ports")
        if (endpoint := _published(port, pod.called(container), pod.on_host)) is not None
    ]
    named: dict[Protocol, PortSet] = {
        protocol: PortSet.of(*(port for each in said if each.protocol == protocol for port in each.ports)) for protocol in ("tcp", "udp")
    }
    for container in pod.containers:
        yield from (claim for claim in node_settings(container, pod, source) if _OF_PORTS.fullmatch(claim.name))
        yield from _capabilities(container, pod)
        if container.is_passing:
            continue
        for fact in _started(container, packages, read) if pod.on_host else ():
            if isinstance(fact, Endpoint):
                is_new(fact.protocol, fact.ports)
                if named[fact.protocol].overlaps(fact.ports):
                    fact = replace(fact, traits=replace(fact.traits, pod_says_port=True))
            yield fact
    yield from (endpoint for endpoint in said if is_new(endpoint.protocol, endpoint.ports))
    if pod.on_host:
        for container in running:
            yield from (endpoint for endpoint in _probed(container, pod.called(container)) if is_new("tcp", endpoint.ports))


def _published(port: Node, app: str, on_host: bool) -> Endpoint | None:
    """The port of the node that one port of a container takes: in the node's network every port of the container is one."""
    said, inside, protocol = word_of(port, "hostPort"), word_of(port, "containerPort"), _protocol(port)
    word = said if said is not None and said.text != "0" else inside if on_host else None
    number = None if word is None else decimal(word.text, 65535)
    if word is None or not number or protocol is None:
        return None
    address = word_of(port, "hostIP")
    if address is not None and (UNKNOWN in address.text or not names.is_address(address.text)):
        return None
    return Endpoint(
        at=word.at,
        app=app,
        protocol=protocol,
        address="*" if address is None or address.text == "0.0.0.0" else address.text,  # noqa: S104
        ports=PortSet.of(number),
        origin="directive",
        reuse_address=None,
        v6only=True if address is not None and ":" in address.text else None,
        confidence="likely",
        binds_as=None if on_host else "root",
        traits=Traits(pod_says_port=True),
    )


def _protocol(port: Node) -> Protocol | None:
    said = (_text(port, "protocol") or "TCP").upper()
    return "udp" if said == "UDP" else "tcp" if said == "TCP" else None


def _probed(container: Container, app: str) -> Iterator[Endpoint]:
    """What the node asks to see whether a container lives, where no port of the pod says that somebody listens there."""
    for probe in children(container.node, "livenessProbe", "readinessProbe", "startupProbe"):
        for how in children(probe, "httpGet", "tcpSocket", "grpc"):
            word, host = word_of(how, "port"), word_of(how, "host")
            number = None if word is None else decimal(word.text, 65535)
            if word is None or not number:
                continue
            if host is not None and not (host.text == "localhost" or names.is_address(host.text)):
                continue
            address = "*" if host is None else "127.0.0.1" if host.text == "localhost" else host.text
            yield Endpoint(
                word.at, app, "tcp", address, PortSet.of(number), "inferred", confidence="possible", why="its probe asks there"
            )


def _started(container: Container, packages: Packages, read: Program) -> Iterator[DaemonFact]:
    """What the program of a container in the node's network says of itself on its command line; its files are its image's."""
    argv = container.command
    if not any(children(container.node, "command")):
        program = _program(container.node)
        image = next(iter(children(container.node, "image")), container.node)
        argv = (Word(program, image.values[0].at if image.values else image.key.at), *argv) if program and UNKNOWN not in program else ()
    if not argv or UNKNOWN in argv[0].text:
        return
    invocation = Invocation(None, argv, argv[0].at, {})
    name = rooms.daemon_of(invocation.program)
    if name is None or not rooms.room(name).sockets:
        return
    for fact in read(rooms.room(name), invocation, Files(MemoryTree({}), partial=True), packages):
        if isinstance(fact, NodeClaim) or (isinstance(fact, Endpoint) and fact.origin == "argument" and UNKNOWN not in fact.address):
            yield replace(fact, confidence="likely") if isinstance(fact, Endpoint) else fact


# ── what else it takes of its node ──────────────────────────────────────────────────────────────────────────────────


def node_settings(container: Container, pod: Pod, source: Source) -> Iterator[NodeClaim]:
    """The settings of the node's network that a container makes.

    A pod has a network, with settings, of its own: only a privileged one in the node's network, or one that enters it, sets the node's.
    """
    privileged = container.says("privileged")
    if privileged is None or privileged.text.lower() not in _TRUE:
        return
    words = container.command
    if not pod.on_host and not _NODES_NETWORK.search(" ".join(word.text for word in words)):
        return
    in_words = any(word.text.rpartition("/")[2] == "sysctl" for word in words)
    for word in words:
        if in_words and (pair := _PAIR.fullmatch(word.text)) is not None:
            yield _setting(container, pair[1], pair[2], word.at)
        for number, column, text in _lines(word, source):
            for found in _SETS.finditer(text):
                key, value = (found[1], found[2]) if found[1] else (found[4], found[3])
                start = column + found.start(1 if found[1] else 4)
                at = Span(word.at.path, number, start, number, start + len(key))
                yield _setting(container, key, value, at)


def _setting(container: Container, key: str, value: str, at: Span) -> NodeClaim:
    name, text = key.replace("/", "."), value.strip("\"'").strip()
    return NodeClaim(at, container.name, "kernel-setting", name=name, value=text, confidence="likely")


def _lines(word: Word, source: Source) -> Iterator[tuple[int, int, str]]:
    """(line, column of its first character, text) of what a word holds, as it is written."""
    at = word.at
    if at.line == at.end_line:
        yield at.line, at.column, source.line(at.line)[at.column - 1 : max(at.end_column - 1, at.column)]
        return
    for number in range(at.line, at.end_line + (at.end_column > 1)):
        text = source.line(number)
        if not text.lstrip().startswith("#"):
            yield number, 1, text


def _capabilities(container: Container, pod: Pod) -> Iterator[NodeClaim]:
    """NET_BIND_SERVICE that is added for a process which is not root: Kubernetes adds no ambient capabilities, so it is not effective."""
    context = container.security[0] if container.security else None
    capabilities = None if context is None else below(context, "capabilities", "add")
    added = () if capabilities is None else capabilities.words
    word = next((each for each in added if each.text.upper().removeprefix("CAP_") == "NET_BIND_SERVICE"), None)
    image = _text(container.node, "image") or ""
    if word is None or not image or UNKNOWN in image or _HAS_FILE_CAPABILITY.search(image):
        return
    user, never_root, gains = container.says("runAsUser"), container.says("runAsNonRoot"), container.says("allowPrivilegeEscalation")
    if user is not None and decimal(user.text, 0xFFFFFFFF) is not None:
        name = "root" if user.text == "0" else user.text
    elif never_root is not None and never_root.text.lower() in _TRUE:
        name = "non-root"
    else:
        return
    lowest = 1024
    for each in children(pod.spec, "securityContext"):
        for sysctl in children(each, "sysctls"):
            if _text(sysctl, "name") == _UNPRIVILEGED:
                lowest = decimal(_text(sysctl, "value") or "", 65535) or 0
    numbers = [decimal(inside.text, 65535) for port in children(container.node, "ports") if (inside := word_of(port, "containerPort"))]
    low = PortSet.of(*(number for number in numbers if number and number < lowest))
    yield NodeClaim(
        word.at,
        container.name,
        "capability",
        name="NET_BIND_SERVICE",
        ports=low,
        user=name,
        gains=None if gains is None else gains.text.lower() in _TRUE,
        confidence="possible",
    )


# ── node ports ──────────────────────────────────────────────────────────────────────────────────────────────────────


def node_ports(app: str, said: Sequence[Word], default: Sequence[str] | None, at: Span) -> Iterator[NodeClaim]:
    """The ports that services of type NodePort are given; `said` is what sets them, `default` what is built in."""
    for word in said:
        ports = _range(word.text)
        if ports:
            yield NodeClaim(word.at, app, "node-ports", ports=ports)
    if not said and default:
        yield NodeClaim(at, app, "node-ports", ports=_range(default[0]), is_default=True, confidence="likely")


def _range(text: str) -> PortSet:
    """`30000-32767`, `30000+100` or `30000` (k8s.io/apimachinery, util/net/port_range.go); empty for anything else."""
    found = _RANGE.fullmatch(text.strip().strip("\"'"))
    if found is None:
        return PortSet()
    low, other = decimal(found[1], 65535), decimal(found[3] or "", 65535)
    if not low or (found[2] is not None and other is None):
        return PortSet()
    high = low if other is None else min(low + other, 65535) if found[2] == "+" else other
    return PortSet.of((low, high)) if low <= high else PortSet()


def _of_service(item: Node) -> Iterator[NodeClaim]:
    """The node ports that one service asks for by number."""
    spec = below(item, "spec")
    name = below(item, "metadata")
    app = (None if name is None else _text(name, "name")) or "service"
    for port in () if spec is None else children(spec, "ports"):
        word = word_of(port, "nodePort")
        number = None if word is None else decimal(word.text, 65535)
        if word is not None and number:
            yield NodeClaim(word.at, app if UNKNOWN not in app else "service", "node-ports", ports=PortSet.of(number), confidence="likely")


def _of_cluster(item: Node, app: str = "kubeadm") -> Iterator[NodeClaim]:
    """The node ports of a cluster that kubeadm makes; the flags are a mapping, or a list of names and values since v1beta4."""
    server = below(item, "apiServer")
    for each in () if server is None else children(server, "extraArgs"):
        word = word_of(each, "service-node-port-range")
        if word is None and _text(each, "name") == "service-node-port-range":
            word = word_of(each, "value")
        if word is not None:
            yield from node_ports(app, (word,), None, word.at)


def _of_flag(options: Node | None, key: str, app: str) -> Iterator[NodeClaim]:
    word = None if options is None else word_of(options, key)
    if word is not None:
        yield from node_ports(app, (word,), None, word.at)


def _of_containers_as_nodes(item: Node, source: Source) -> Iterator[Endpoint | NodeClaim]:
    """What kind(1) publishes for the containers that are the nodes of a cluster, and their node ports; each patch is a text of its own."""
    for patches in children(item, "kubeadmConfigPatches"):
        for patch in patches.words:
            for line, column, text in _lines(patch, source):
                for found in _PATCHED.finditer(text):
                    at = Span(source.path, line, column + found.start(1), line, column + found.end(1))
                    yield from node_ports("kind", (Word(found[1], at),), None, at)
    for node in children(item, "nodes"):
        for mapping in children(node, "extraPortMappings"):
            word, address, protocol = word_of(mapping, "hostPort"), word_of(mapping, "listenAddress"), _protocol(mapping)
            number = None if word is None else decimal(word.text, 65535)
            where = "0.0.0.0" if address is None else address.text  # noqa: S104
            if word is not None and number and protocol is not None and names.is_address(where):
                ports = PortSet.of(number)
                yield Endpoint(word.at, "kind", protocol, where, ports, "directive", True, binds_as="root", confidence="likely")


# ── mappings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def children(node: Node, *keys: str) -> Iterator[Node]:
    """What stands under some keys of a mapping; a list of mappings is one of each."""
    return (child for child in node.children if child.key.text in keys)


def below(node: Node, *keys: str) -> Node | None:
    """What stands under a path of keys."""
    for key in keys:
        found = next(children(node, key), None)
        if found is None:
            return None
        node = found
    return node


def word_of(node: Node, key: str) -> Word | None:
    """The one value of a key of a mapping."""
    found = next(children(node, key), None)
    return found.values[0] if found is not None and len(found.values) == 1 else None


def _text(node: Node, key: str) -> str | None:
    word = word_of(node, key)
    return None if word is None else word.text
