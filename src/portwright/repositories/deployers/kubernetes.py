"""Kubernetes: manifests that take something of a node, what Tuned and MachineConfig objects put on it, and Helm's templates of these.

What stays in a pod's own network is of no matter to a host. Of several objects in one file each is read on its own.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.daemons._engine import pods
from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import config_maps
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages, Placed, block
from portwright.repositories.not_read import not_asked
from portwright.repositories.recognise import without_blanks_to_fill
from portwright.source import Source, Word
from portwright.system.spanned_text import UNKNOWN

_MOST_DOCUMENTS = 500
_MOST_MOUNTS = 200
"""Directories of its node that one container mounts."""
_MOST_LEFT_OUT = 5
"""Lines of a template that are left out where they are no YAML."""
_LONGEST_FILE = LONGEST << 4
"""Characters of a file of many objects: schemas are long, and each object is read on its own."""
_BEGINS = lazy_regex(r"---(?:[ \t].*)?")
_REACHES = lazy_regex(
    r"\bhostNetwork\b|\bhostPort\b|\bnodePort\b|service-node-port-range|\bserviceNodePortRange\b|\bprivileged\b|(?i:\bNET_BIND_SERVICE\b)"
    r"|\bsysctls\b|\bextraPortMappings\b|\bMachineConfig\b|\bTuned\b|\bKubeletConfiguration\b|\bKubeProxyConfiguration\b"
)
"""What a document must speak of to take something of a node."""
_TAKES = lazy_regex(
    r"\bhostNetwork\b|\bhostPort\b|\bnodePort\b|service-node-port-range|\bserviceNodePortRange\b"
    r"|\bsysctls?\b|\bip_local_|\bnet[./](?:ipv4|core)\b"
)
"""What in an object of a kind that nobody knows may take something of a node."""
_OF_NODES = lazy_regex(r"\bhostNetwork\b|\bhostPort\b|\bnodePort\b")
_ON_NODES = lazy_regex(r"(?m)^[ \t-]+(?:hostNetwork:[ \t]+true|hostPort:[ \t]+[0-9])")
_OBJECTS = lazy_regex(r"(?m)^---(?:[ \t].*)?$")
_NAMES = lazy_regex(r"(?m)^(kind:|  namespace:|  name:)[ \t]+(\S{1,260})")
_OF_ONE_CLUSTER = frozenset(("manifests", "k8s", "kubernetes", "kube", "cluster"))
"""Folders that hold what one cluster is given, in folders by what it is for."""
_READ = frozenset(
    (
        *("Pod", "CronJob", "Service", "CustomResourceDefinition", "DaemonSet", "Deployment", "DeploymentConfig", "Job"),
        *("PodTemplate", "ReplicaSet", "ReplicationController", "StatefulSet", "Tuned", "MachineConfig", "ClusterConfiguration"),
        *("PodSecurityPolicy", "SecurityContextConstraints", "List", "KubeletConfiguration", "KubeProxyConfiguration"),
        *("kind cluster", "kops cluster", "ClusterConfig", "machine config"),
    )
)
"""Kinds of objects of which all that takes something of a node is read."""
_SCHEMAS = frozenset(("CustomResourceDefinition", "PodSecurityPolicy", "SecurityContextConstraints"))
"""Kinds that say what others may be."""
_CONFIGS = {"KubeletConfiguration": "/var/lib/kubelet/config.yaml", "KubeProxyConfiguration": "/var/lib/kube-proxy/config.conf"}
_BLANK = lazy_regex(r"[ \t]*\$(?:[A-Z][A-Z0-9_]*|\{[A-Z][A-Z0-9_]*\})[ \t\r]*")
"""A line that a script fills in as a whole."""
_TALOS = "machine config"
"""Talos' own, which is no object of Kubernetes."""
_SECTION = lazy_regex(r"\s*\[([^\]\n]{1,100})\]\s*")
_SETTING = lazy_regex(r"\s*([\w./*-]{3,200})\s*=\s*>?\s*(.*)")
_DATA = lazy_regex(r"data:([\w/+.-]{0,100})((?:;[\w=.-]{1,100}){0,5}),(.*)")


@dataclass(frozen=True, slots=True)
class _Document:
    """One object of a file: its lines, each with its place, and what they say."""

    lines: tuple[Line, ...]
    text: str
    source: Source
    nodes: tuple[Node, ...]
    is_read: bool


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the objects of a file put on the nodes of a cluster; each file is for a cluster of its folder's."""
    lines, understood = _lines(label, text, checkout)
    pages = Pages(label, machine=f"nodes of {_cluster(label, text, checkout)}", cut=len(text) > _LONGEST_FILE)
    of_pods: dict[str, Pages] = {}
    found: list[Placed] = []
    others: list[Deployed] = []
    given: dict[str, tuple[set[int], str]] = {}
    documents = list(_documents(lines))
    unread_lines: set[int] = set()
    for document in documents[:_MOST_DOCUMENTS]:
        kind = _kind_in(document)
        if kind not in _READ:
            unread = _unread(document, kind)
            unread_lines.update(line.number for at, line in enumerate(document.lines) if at in unread and line.source == label)
        if kind in _SCHEMAS or not _REACHES.search(document.text):
            understood.update(_understood(document, label, () if kind in _SCHEMAS else _unread(document, kind)))
            continue
        if len(document.text) > LONGEST:
            pages.cut = True
            continue
        document = _parsed(document, is_filled="{{" in text)
        kind = kind or _kind(document)
        machine, place = _where(document, kind, pages.machine)
        for pod in pods.pods(document.nodes):
            volumes = _hosts_volumes(pod)
            for container in pod.containers:
                for claim in pods.node_settings(container, pod, document.source):
                    line = document.lines[claim.at.line - 1]
                    column = claim.at.column + line.shift
                    of_pods.setdefault(machine, Pages(label, machine)).set(line.number, column, claim.name, claim.value, line.source)
                _hosts_files(volumes, container, document, of_pods.setdefault(machine, Pages(label, machine)), checkout)
            if pod.on_host:
                given.update(config_maps.lines_of_ports(pod, (each.lines for each in documents), label, checkout))
        if kind == "Tuned":
            _tuned(document, pages)
        if kind == _TALOS:
            _talos(document, pages)
        if kind == "MachineConfig":
            others.append(_machine_config(label, document))
        elif kind in _CONFIGS:
            pages.write(_CONFIGS[kind], document.lines)
        elif document.is_read and kind in _READ:
            first, vague = document.lines[0], _unread(document, kind)
            known = [Line("", first.source, first.number) if at in vague else line for at, line in enumerate(document.lines)]
            found.append(Placed(place, tuple(known), machine))
        if document.is_read:
            understood.update(_understood(document, label, _unread(document, kind)))
    done = pages.deployed()
    others += [each.deployed() for each in of_pods.values()]
    files = (*done.files, *found, *(file for each in others for file in each.files))
    cut = done.cut or len(documents) > _MOST_DOCUMENTS or any(each.cut for each in others)
    rows = [not_asked(path, lines, whose) for path, (lines, whose) in given.items()]
    return Deployed(files, frozenset(understood - unread_lines) | done.understood, cut, not_read=tuple(rows))


def _cluster(label: str, text: str, checkout: Checkout) -> str:
    """The folder whose objects are all for one cluster: the file's own, or one above it that is called as manifests are."""
    folders = label.split("/")[:-1]
    top = next((at for at, folder in enumerate(folders, 1) if folder in _OF_ONE_CLUSTER), 0)
    above = "/".join(folders[:top])
    if top and top < len(folders) and _ON_NODES.search(text) and checkout.once(f"one cluster {above}", lambda: _is_one(above, checkout)):
        return above
    return "/".join(folders) or "."


def _is_one(folder: str, checkout: Checkout) -> bool:
    """Whether all that takes something of nodes below a folder can be in one cluster: each object says its namespace, none is there twice.

    Variants of a deployment have objects of the same names.
    """
    seen: set[tuple[str, ...]] = set()
    for label in checkout.under(folder):
        text = checkout.text(label) if label.endswith((".yaml", ".yml")) else None
        for part in () if text is None or not _ON_NODES.search(text) else _OBJECTS.split(text):
            said = {found[1]: found[2] for found in _NAMES.finditer(part)} if _ON_NODES.search(part) else None
            if said is not None:
                name = tuple(said.get(key, "").strip("\"'") for key in ("kind:", "  namespace:", "  name:"))
                if name in seen or "" in name or "{{" in part:
                    return False
                seen.add(name)
    return len(seen) > 1


def _lines(label: str, text: str, checkout: Checkout) -> tuple[list[Line], set[int]]:
    """The lines of a file as far as they are known, filled in by its chart, and those of which nothing is left unsaid."""
    text = text[:_LONGEST_FILE]
    if "{{" in text and "{%" not in text:
        from portwright.repositories.deployers import helm

        found, unread, is_cut = helm.rendered(label, text, helm.chart_of(label, checkout) or helm.NO_CHART)
        said = enumerate(text.split("\n"), 1)
        return found, {number for number, line in said if number not in unread or not _TAKES.search(line)} if not is_cut else set()
    if "{%" in text:
        text = without_blanks_to_fill(text)
    lines = text.split("\n")
    if "$" in text:
        lines = ["" if _BLANK.fullmatch(line) else line for line in lines]
    return [Line(each.rstrip("\r"), label, number) for number, each in enumerate(lines, 1)], set()


def _where(document: _Document, kind: str, nodes: str) -> tuple[str, str]:
    """(whose machine, at which place there) an object is: all nodes have the pods of a DaemonSet, and some have those of any other one.

    Two objects of one name are never applied together. By the end of the place the room that reads manifests knows them.
    """
    said = [next(_values(document.nodes, "metadata", key), None) for key in ("namespace", "name")]
    namespace, name = ("" if word is None or UNKNOWN in word.text or "/" in word.text else word.text for word in said)
    place = f"{namespace or 'default'}/{name}" if name else f"{document.lines[0].number}"
    if kind == "DaemonSet" and not _is_choosy(document):
        return nodes, f"/srv/{place}/kubectl-applies/manifest.yaml"
    return f"{nodes}, with {name or document.lines[0].number}", f"/srv/{kind}/{place}/kubectl-applies/manifest.yaml"


def _is_choosy(document: _Document) -> bool:
    """Whether a DaemonSet runs on some nodes only: it selects them by more than their operating system."""
    for spec in (pod.spec for pod in pods.pods(document.nodes)):
        if any(each.children for each in pods.children(spec, "affinity")):
            return True
        for each in pods.children(spec, "nodeSelector"):
            if any(label.key.text.rpartition("/")[2] != "os" for label in each.children):
                return True
    return False


def _documents(lines: Iterable[Line]) -> Iterator[_Document]:
    kept: list[Line] = []
    for line in lines:
        if _BEGINS.fullmatch(line.text):
            if kept:
                yield _document(kept)
            kept = []
        kept.append(line)
    if kept:
        yield _document(kept)


def _document(lines: Sequence[Line]) -> _Document:
    text = "\n".join(line.text for line in lines)
    return _Document(tuple(lines), text, Source("", ""), (), is_read=False)


def _parsed(document: _Document, is_filled: bool) -> _Document:
    """A document read as YAML. Where a template was filled in only in part, lines that are none for it are left out."""
    lines = list(document.lines)
    for _ in range(_MOST_LEFT_OUT if is_filled else 1):
        source = Source(lines[0].source, "\n".join(line.text for line in lines))
        nodes, troubles = parse(source)
        if not troubles or not 1 < troubles[0].at.line <= len(lines) or not lines[troubles[0].at.line - 1].text:
            break
        at = troubles[0].at.line - 1
        lines[at] = Line("", lines[at].source, lines[at].number) if is_filled else lines[at]
    return _Document(tuple(lines), source.text, source, nodes, is_read=bool(nodes) and not troubles)


def _kind(document: _Document) -> str:
    return next((node.values[0].text for node in document.nodes if node.key.text == "kind" and node.values), "")


def _unread(document: _Document, kind: str) -> frozenset[int]:
    """Which of its lines may take something of a node that is not read: a value is not known, or the object is of an unknown kind."""
    if kind not in _READ and _OF_NODES.search(document.text):
        return frozenset(range(len(document.lines)))
    found, at, counted = [], 0, 0
    for match in _TAKES.finditer(document.text):
        at += document.text.count("\n", counted, match.start())
        counted = match.start()
        if kind not in _READ or UNKNOWN in document.lines[at].text:
            found.append(at)
    return frozenset(found)


def _understood(document: _Document, label: str, unread: Container[int]) -> Iterator[int]:
    return (line.number for at, line in enumerate(document.lines) if at not in unread and line.source == label)


def _kind_in(document: _Document) -> str:
    """The kind of an object by its lines; of those that are called Cluster by several tools, with the tool."""
    kind = version = ""
    is_talos = False
    for line in document.lines:
        if line.text.startswith("kind:"):
            kind = line.text[5:].partition(" #")[0].strip().strip("\"'")
        elif line.text.startswith("apiVersion:"):
            version = line.text[11:]
        is_talos = is_talos or line.text.startswith("machine:")
    if kind == "Cluster":
        return "kind cluster" if "kind." in version else "kops cluster" if "kops." in version else kind
    return kind or (_TALOS if is_talos else "")


def _hosts_volumes(pod: pods.Pod) -> dict[str, str]:
    """The directories of its node that a pod may mount, by the names of the volumes."""
    found: dict[str, str] = {}
    for volume in pods.children(pod.spec, "volumes"):
        name, path = _one(volume, "name"), next((_one(each, "path") for each in pods.children(volume, "hostPath")), None)
        if name is not None and path is not None:
            found[name.text] = path.text.rstrip("/")
    return found


def _hosts_files(volumes: Mapping[str, str], container: pods.Container, document: _Document, pages: Pages, checkout: Checkout) -> None:
    """The files that the commands of a container write into directories of its node, which it has mounted."""
    mounts: dict[str, str] = {}
    for mount in pods.children(container.node, "volumeMounts") if volumes else ():
        name, path = _one(mount, "name"), _one(mount, "mountPath")
        if name is not None and path is not None and name.text in volumes and _one(mount, "subPath") is None:
            if len(mounts) >= _MOST_MOUNTS:
                pages.cut = True
                break
            mounts[f"{path.text.rstrip('/')}/"] = f"{volumes[name.text]}/"
    if not mounts:
        return
    from portwright.repositories.deployers import shell

    own = Pages(pages.label)
    for word in container.command:
        if any(mount in word.text for mount in mounts):
            shell.write(_held((word,), document), own, checkout)
    longest_first = sorted(mounts, key=len, reverse=True)
    for written, lines in own.lines.items():
        inside = next((mount for mount in longest_first if written.startswith(mount)), None)
        if inside is not None and not own.is_settings(written):
            pages.write(mounts[inside] + written.removeprefix(inside), lines)


def _tuned(document: _Document, pages: Pages) -> None:
    """The kernel settings of profiles of the Node Tuning Operator, which tuned applies on the nodes."""
    for spec in _children(document.nodes, "spec"):
        for profile in _children(spec.children, "profile"):
            for data in _children(profile.children, "data"):
                section = ""
                for line in _held(data.values[:1], document):
                    if (found := _SECTION.fullmatch(line.text)) is not None:
                        section = found[1]
                    elif section == "sysctl" and (setting := _SETTING.fullmatch(line.text)) is not None:
                        column = line.shift + setting.start(1) + 1
                        value = setting[2].partition("#")[0].strip().strip("\"'")
                        pages.set(line.number, column, setting[1], value, line.source)


def _talos(document: _Document, pages: Pages) -> None:
    """The kernel settings and files of a machine config of Talos."""
    for machine in _children(document.nodes, "machine"):
        for sysctls in _children(machine.children, "sysctls"):
            for setting in sysctls.children:
                at = document.lines[setting.key.at.line - 1]
                if setting.values and UNKNOWN not in setting.key.text:
                    pages.set(at.number, setting.key.at.column + at.shift, setting.key.text, setting.values[0].text, at.source)
        for file in _children(machine.children, "files"):
            path, content = _one(file, "path"), _one(file, "content")
            if path is not None and content is not None:
                pages.write(path.text, _held((content,), document))


def _machine_config(label: str, document: _Document) -> Deployed:
    """The files and units that a MachineConfig puts on the nodes of its role."""
    role = next((word.text for word in _values(document.nodes, "metadata", "labels", "machineconfiguration.openshift.io/role")), "")
    pages = Pages(label, machine=f"{role or 'some'} nodes")
    for config in (each for spec in _children(document.nodes, "spec") for each in _children(spec.children, "config")):
        for storage in _children(config.children, "storage"):
            for file in _children(storage.children, "files"):
                path, source = _one(file, "path"), next(iter(_values(file.children, "contents", "source")), None)
                if path is not None and source is not None and (text := _of_url(source.text)) is not None:
                    at = document.lines[source.at.line - 1]
                    pages.write(path.text, [Line(each, at.source, at.number, source.at.column - 1) for each in text.split("\n")])
        for systemd in _children(config.children, "systemd"):
            for unit in _children(systemd.children, "units"):
                name, contents = _one(unit, "name"), _one(unit, "contents")
                if name is None or "/" in name.text:
                    continue
                if contents is not None:
                    pages.write(f"/etc/systemd/system/{name.text}", _held((contents,), document))
                for drop_in in _children(unit.children, "dropins"):
                    own, inside = _one(drop_in, "name"), _one(drop_in, "contents")
                    if own is not None and inside is not None and "/" not in own.text:
                        pages.write(f"/etc/systemd/system/{name.text}.d/{own.text}", _held((inside,), document))
    return pages.deployed()


def _of_url(url: str) -> str | None:
    """What a data URL holds (RFC 2397); None for one that is compressed, or leads elsewhere."""
    found = _DATA.fullmatch(url.strip().replace("\n", ""))
    if found is None or len(url) > LONGEST:
        return None
    if not found[2].endswith(";base64"):
        return unquote(found[3])
    import base64
    import binascii

    try:
        return base64.b64decode(unquote(found[3]), validate=True).decode("utf-8", "surrogateescape")
    except (ValueError, binascii.Error):
        return None


def _held(words: Iterable[Word], document: _Document) -> list[Line]:
    """The lines that scalars hold, with the places of the document's lines."""
    outer = [line.text for line in document.lines]
    found = []
    for word in words:
        for line in block(word, outer):
            at = document.lines[line.number - 1]
            found.append(Line(line.text, at.source, at.number, line.shift + at.shift))
    return found


def _children(nodes: Iterable[Node], key: str) -> Iterator[Node]:
    return (node for node in nodes if node.key.text == key)


def _one(node: Node, key: str) -> Word | None:
    return pods.word_of(node, key)


def _values(nodes: Iterable[Node], *keys: str) -> Iterator[Word]:
    """The words at a path of keys."""
    level = list(nodes)
    for key in keys[:-1]:
        level = [child for node in _children(level, key) for child in node.children]
    return (word for node in _children(level, keys[-1]) for word in node.values[:1])
