"""What the fuzz lane throws at every reader: seeds, the ways they are spoilt, and the readers themselves, each a function of bytes.

A target passes when it returns: a reader says what it cannot read, it never raises. Readers register themselves, so a new format
or daemon is fuzzed without a line here; a new grammar is worth a text in `seeds/`.
"""

import os
import random
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from inspect import signature
from itertools import cycle
from math import ceil
from pathlib import Path
from pkgutil import iter_modules, walk_packages
from tempfile import TemporaryDirectory
from types import ModuleType

from portwright import formats
from portwright._start.records import replace
from portwright.daemons import daemons
from portwright.facts import Fact, Invocation, Listener, OpenFiles
from portwright.finding import HostResult
from portwright.formats import haproxy, shell
from portwright.host import Host
from portwright.host.join.conflict import collisions
from portwright.host.reading import Services, assemble, bind_context, join, read_host
from portwright.reports import facts_text, json_v1, ports, text
from portwright.repositories.reading import read_repository
from portwright.rules import Rule, check
from portwright.rules import load as load_rules
from portwright.rules.allowing import allowed
from portwright.shipped import rules_directory
from portwright.source import Source, Span, Word
from portwright.system.host_files.captures import captured
from portwright.system.started import Started
from portwright.system.sysctl.settle import settle
from portwright.trees import Files
from portwright.trees.directory import DirectoryTree
from portwright.trees.memory import MemoryTree
from portwright.trees.tree import Kind
from tests.fuzz import whole

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = Path(__file__).parent / "seeds"
_WEIGHTS = {"format": 35, "app": 57, "story": 2, "deployer": 4, "host": 1.5, "tree": 0.5}
RULES: tuple[Rule, ...] = load_rules([rules_directory()])

# The few settings that a daemon's sockets meet: each report would tell the fifty others again, which no input changes.
_MET = frozenset(f"net.ipv4.{name}" for name in ("ip_local_port_range", "ip_local_reserved_ports", "ip_unprivileged_port_start"))
EMPTY = Files(MemoryTree({"/.portwright/addresses": "1: lo inet 127.0.0.1/8 scope host lo\n2: e inet6 fe80::1/64 scope link\n"}))
SETTLED = replace(settle(EMPTY), sysctls=tuple(sysctl for sysctl in settle(EMPTY).sysctls if sysctl.key in _MET))
AROUND = bind_context(settle(EMPTY), captured(EMPTY), EMPTY)

Target = Callable[[bytes], None]

# Python's str.split() and str.strip() take these for blanks, and no daemon does.
BLANKS = "\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028\u3000"

_PIECES = (
    b"%", b"%i", b"%%", b"%(x)s", b"${", b"${a:-${b}}", b"$(", b"$((", b"`", b'"', b"'", b"\\", b"\\\n", b"\n", b"\r", b"\t",
    b"\0", b"{", b"}", b"[", b"]", b"(", b")", b"<", b"</", b"<!--", b"/*", b"#", b"//", b";", b",", b":", b"::", b"=",
    b"+=", b"-", b"!", b"|", b"&", b"*", b"?", b"@", b"~", b"+", b"0", b"-1", b"00", b"0x", b"65535", b"65536", b"9" * 30,
    b"9" * 5000, b"1e999", b"0.5", b"NaN", b"0b1", b"1_0", b"32768-60999", b"1-", b"-1-2", b"[::]:80", b"fe80::1%e",
    b"::ffff:1.2.3.4", b"1.2.3.4:5", b"include *\n", b"Include /*\n", b"!include x\n", b"..", b"/" * 300, b"A" * 3000,
    b"(" * 300, b"[" * 300, b"{" * 300, b"<a>" * 300, b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1b]0;x\x07",
    b"\x7f", b"\x9b", "\u0085\u2028\u202e\u200b\u00b2\u0663\u0130\U0001f600".encode(), b"EOF\n", b"<<E\n", b"[Service]\n",
    *(f"\n {blank}\n".encode() for blank in BLANKS), *(f" {blank} ".encode() for blank in BLANKS),
    b"ExecStart=", b"listen ", b"bind ", b"port ",
)  # fmt: skip

# What `isdigit()` or `int()` takes for a number, and what it is too large for.
_NUMBERS = tuple(number.encode("utf-8", "surrogatepass") for number in (
    "²", "٣", "８０", "१२३", "Ⅷ", "𝟠𝟘", "8_0", "+80", " 80", "080", "-80", "80.", "0x50", "1e3", "1" * 4301, "9" * 5000, "4294967376",
    "18446744073709551696", "65616", "80\ud800", "\udcff80",
))  # fmt: skip
_NUMBER = re.compile(rb"[0-9]+")


def seed_texts() -> tuple[bytes, ...]:
    """The texts in `seeds/`, and every file of the examples."""
    files = (*SEEDS.iterdir(), *EXAMPLES.rglob("*"))
    return tuple(path.read_bytes() for path in sorted(files) if path.is_file())


def spoilt(chance: random.Random, data: bytes) -> bytes:
    """Bytes as an editor's slip, a broken copy or somebody hostile leaves them."""
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 1, 1, 5, 40)))
        match chance.randrange(9):
            case 0:
                data = data[:start] + data[end:]
            case 1 | 2:
                data = data[:start] + chance.choice(_PIECES) + data[end:]
            case 3:
                data = data[:start] + data[start:end] * chance.choice((2, 3, 50)) + data[end:]
            case 4:
                data = data[:start]
            case 5:
                data = data[:start] + chance.randbytes(chance.choice((1, 4, 16))) + data[end:]
            case 6:
                lines = data.split(b"\n")
                chance.shuffle(lines)
                data = b"\n".join(lines)
            case 7:
                at = _NUMBER.search(data, start) or _NUMBER.search(data)
                if at is not None:
                    data = data[: at.start()] + chance.choice(_NUMBERS) + data[at.end() :]
            case _:
                data = data[:start] + data[end:] + data[start:end]
    return data[:100_000]


def shares(names: Iterable[str], total: int) -> dict[str, int]:
    """How many of `total` inputs each target gets: a grammar is quick and gets a third, a whole host is slow and gets little."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(name.partition("/")[0], []).append(name)
    weights = {kind: _WEIGHTS[kind] for kind in kinds}
    return {name: ceil(total * weights[kind] / (sum(weights.values()) * len(own))) for kind, own in kinds.items() for name in own}


def of_odd_blanks() -> Iterator[bytes]:
    """Each seed with lines of nothing but a character that looks like a blank, and such characters between its words."""
    for data in seed_texts():
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        odd = (
            f"{line}\n {blank}" if number % 2 else line.replace(" ", f" {blank} ", 1)
            for number, (line, blank) in enumerate(zip(lines, cycle(BLANKS), strict=False))
        )
        yield "\n".join(odd).encode("utf-8", "surrogateescape")[:100_000]


def inputs(target: str, number: int, first: int = 0) -> Iterator[tuple[int, bytes]]:
    """`number` inputs for a target, each made from the target's name and its own number alone."""
    seeds = whole.seeds_of(target) or seed_texts()
    for count in range(first, first + number):
        chance = random.Random(f"{target} {count}")  # noqa: S311  it makes inputs, no secrets
        yield count, chance.randbytes(chance.randrange(200)) if chance.random() < 0.05 else spoilt(chance, chance.choice(seeds))


# ── readers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class EchoTree(MemoryTree):
    """A tree in which every path that looks like a file's holds the same bytes, so that whatever a daemon asks for is hostile."""

    def __init__(self, data: bytes) -> None:
        super().__init__({"/etc/hostname": "h\n"})
        self._data = data

    def kind(self, path: str) -> Kind:
        name = path.rstrip("/").rpartition("/")[2]
        return "directory" if not name or name.endswith(".d") or name in ("etc", "usr", "lib", "conf", "sites-enabled") else "file"

    def names(self, directory: str) -> tuple[str, ...]:
        return ("10-a.conf", "b.cfg", "c.ini") if self.kind(directory) == "directory" and directory.count("/") < 8 else ()

    def read(self, path: str) -> bytes | None:
        return self._data


def _source(data: bytes) -> Source:
    return Source("/etc/x.conf", data.decode("utf-8", "surrogateescape"))


def _parser(module: ModuleType) -> Target | None:
    parse = getattr(module, "parse", None)
    if parse is None or next(iter(signature(parse).parameters)) != "source":
        return None
    choices: list[tuple[object, ...]] = [()]
    if module is haproxy:
        choices = [(haproxy.environment_of({}),), (haproxy.environment_of({}), (2, 6, 12))]
    elif "dialect" in signature(parse).parameters:
        choices = [(each,) for each in vars(module).values() if type(each).__name__ == "Dialect"]
        choices += [(each,) for each in _dialects_elsewhere(module)]

    def read(data: bytes) -> None:
        for more in choices:
            parse(_source(data), *more)

    return read


def _dialects_elsewhere(module: ModuleType) -> Iterator[object]:
    """Dialects of a grammar that the readers of daemons name."""
    kind = getattr(module, "Dialect", None)
    for reader in walk_packages(import_module("portwright.daemons").__path__, "portwright.daemons."):
        yield from (each for each in vars(import_module(reader.name)).values() if kind is not None and type(each) is kind)


def _shell(data: bytes) -> None:
    script = data.decode("utf-8", "surrogateescape")
    shell.parse(script)
    shell.arithmetic(script[:200], lambda name: name)


def _daemon(name: str) -> Target:
    known = next(each for each in daemons() if each.name == name)

    def read(data: bytes) -> None:
        files = Files(EchoTree(data))
        packages = {name: data[:12].decode("latin-1"), "nginx": "1.22.1-9"}
        given = tuple(Word(word, Span("/etc/x.service", 1, 1, 1, 2)) for word in data.decode("utf-8", "surrogateescape").split()[:8])
        program = Word("/usr/sbin/" + known.programs[0].rstrip("*"), Span("/etc/x.service", 1, 1, 1, 2))
        environment = {re.sub(r"\W", "_", word.text.upper()[:20]): word for word in given}
        facts: list[Fact] = []
        for argv in ((program,), (program, *given), (program, Word("-c", program.at), Word("/etc/x.conf", program.at), *given)):
            invocation = Invocation("x.service", argv, program.at, environment, open_files=OpenFiles(1024, 4096))
            facts += join(invocation, known.read(invocation, files, packages), AROUND)
        services = Services(
            tuple(fact for fact in facts if isinstance(fact, Listener)),
            tuple(fact for fact in facts if not isinstance(fact, Listener)),
            {},
        )
        told(assemble("h", "", files, SETTLED, Started(), services, repository=False))
        if known.fragment is not None:
            known.fragment("/etc/x.conf", files, packages)

    return read


def told(host: Host) -> None:
    """Everything the commands do with a host once it is read."""
    findings = check(host, RULES)
    result = HostResult(host.name, host.files_read, len(RULES), findings, sources=host.sources, unreadable=host.unreadable)
    reports: list[str] = [json_v1.check([result], "0"), json_v1.facts([host])]
    reports += (text.render([result], color=False, width=100, verbose=verbose) for verbose in (False, True))
    reports.append(facts_text.render([host], color=False, width=80, verbose=True))
    host, pairs = collisions(host)
    reports += (json_v1.ports([(host, pairs)]), ports.render(host, pairs, color=False, width=80, unicode=True))
    for report in reports:
        controls = set(report) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"}
        if controls:
            raise AssertionError(f"control characters in a report: {controls}")
        report.encode()


def _host(data: bytes) -> None:
    """A file of an example host replaced by spoilt bytes, the choice being the bytes' own."""
    files = dict(_example("web1"))
    names = sorted(files)
    files[names[sum(data) % len(names)]] = data
    told(read_host(MemoryTree(files), "h"))


def _unit(data: bytes) -> None:
    """A host whose one service, its drop-in, its socket and its environment are the same spoilt bytes."""
    unit = "/etc/systemd/system/x.service"
    wants = "/etc/systemd/system/multi-user.target.wants/"
    files: dict[str, str | bytes] = {
        unit: data,
        f"{unit}.d/a.conf": data,
        "/etc/systemd/system/x.socket": data,
        f"{wants}x.service": f"-> {unit}",
        f"{wants}x@1.service": "-> ../x@.service",
        "/etc/systemd/system/x@.service": data,
        "/etc/default/x": data,
        "/usr/bin/app": data,
        "/etc/init.d/x": data,
        "/etc/crontab": data,
        "/etc/passwd": data,
    }
    told(read_host(MemoryTree(files), "h"))


def _repository(data: bytes) -> None:
    names = ("deploy/nginx.conf", "roles/a/templates/x.service.j2", "haproxy.cfg", "files/etc/sysctl.d/1.conf", "x.socket", "redis.conf")
    files: dict[str, str | bytes] = {f"/{name}": data for name in names}
    for host in read_repository(MemoryTree(files), "r", explicit=False):
        told(host)
        allowed(check(host, RULES), host.sources, frozenset(rule.card.id for rule in RULES))


def _written(data: bytes) -> None:
    names = {
        "install.sh": b"#!/bin/sh\n",
        "user-data": b"#cloud-config\n",
        "machine.bu": b"variant: fcos\n",
        "machine.ign": b"",
        "site.yml": b"- hosts: all\n  roles: [a]\n",
        "inventory.ini": b"",
        "group_vars/all.yml": b"",
        "roles/a/tasks/main.yml": b"",
        "roles/a/defaults/main.yml": b"",
        "roles/a/templates/a.conf.j2": b"",
        "docker-compose.yml": b"services:\n  a:\n    image: x\n",
        ".env": b"",
        "Dockerfile": b"FROM x\n",
        "app.container": b"[Container]\n",
        "k8s/pod.yaml": b"apiVersion: v1\nkind: Pod\n",
        "chart/Chart.yaml": b"name: a\nversion: 1\n",
        "chart/values.yaml": b"",
        "chart/templates/a.yaml": b"apiVersion: v1\nkind: Pod\n",
        "main.tf": b"",
        "image.pkr.hcl": b"",
        "stack.template.yaml": b"AWSTemplateFormatVersion: x\n",
        "salt/a/init.sls": b"",
        "manifests/init.pp": b"",
        "cookbooks/a/recipes/default.rb": b"",
        "host.nix": b"",
        "tuned/a/tuned.conf": b"[main]\n",
        "Vagrantfile": b"",
        "a.spec": b"Name: a\n",
        "ks.cfg": b"",
    }
    for host in read_repository(MemoryTree({f"/{name}": start + data for name, start in names.items()}), "r"):
        told(host)
        allowed(check(host, RULES), host.sources, frozenset(rule.card.id for rule in RULES))


def _captured(data: bytes) -> None:
    lists = ("filecaps", "setuid", "packages", "kernel", "addresses", "sysctl", "sockets")
    files: dict[str, str | bytes] = {**_example("web1"), **{f"/.portwright/{name}": data for name in lists}}
    told(read_host(MemoryTree(files), "h"))


def _sysctl(data: bytes) -> None:
    files: dict[str, str | bytes] = {"/etc/sysctl.d/1.conf": data, "/usr/lib/sysctl.d/2.conf": data[::-1], "/etc/sysctl.conf": data}
    tree = Files(MemoryTree(files))
    told(assemble("h", "", tree, settle(tree), Started(), Services((), (), {}), repository=False))


def _directory(data: bytes) -> None:
    """A host's directory as a broken disk, an interrupted copy or somebody hostile leaves it, its files the spoilt bytes or their own."""
    chance = random.Random(data)  # noqa: S311  it makes inputs, no secrets
    with TemporaryDirectory() as folder:
        root = Path(folder, "h")
        for path, content in _example("web1").items():
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                place.symlink_to(content[3:])
            else:
                place.write_bytes(content)
        for _ in range(chance.choice((1, 2, 5, 20))):
            damage(chance, root, data)
        told(read_host(DirectoryTree(str(root)), "h"))
        for place in (root, *below(root)):
            if not place.is_symlink() and place.is_dir():
                place.chmod(0o700)  # so that it can be removed


def below(root: Path) -> list[Path]:
    """Everything below a directory, no link followed."""
    return sorted(Path(directory, name) for directory, below, files in os.walk(root) for name in (*below, *files))


def damage(chance: random.Random, root: Path, data: bytes) -> None:
    """Change one thing below `root`, by its own name and never through a link: what links lead to may be anybody's."""
    place = chance.choice(below(root) or [root])
    kind = chance.randrange(10)
    if kind == 0 and not place.is_symlink():
        place.chmod(chance.choice((0, 0o111, 0o444, 0o4755, 0o7777)))
        return
    if kind == 1 and not place.is_symlink() and place.is_dir():
        name = chance.choice((b"\xff", b"a\nb", b"\x1b]0;x\x07", "²".encode(), b"x@1@2.service", b"a" * 255, b"-", b"*", b".conf"))
        Path(os.fsdecode(os.fsencode(place) + b"/" + name)).write_bytes(data)
        return
    if not place.is_symlink() and place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    match kind:
        case 2:
            os.mkfifo(place)
        case 3:
            place.symlink_to(place)
        case 4:
            place.symlink_to(chance.choice(("/nowhere", "..", ".", "/", "/etc/passwd", "../" * 50 + "etc/passwd", "a" * 300, "/dev/zero")))
        case 5:
            place.mkdir()
        case 6:
            with place.open("wb") as file:
                file.truncate(chance.choice((1, 1 << 20, 1 << 40)))
        case 7:
            with socket.socket(socket.AF_UNIX) as one, suppress(OSError):  # a path may be too long for it
                one.bind(str(place))
        case _:
            place.write_bytes(data)


def _example(name: str) -> dict[str, str | bytes]:
    root = EXAMPLES / name
    found: dict[str, str | bytes] = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[f"/{path.relative_to(root)}"] = f"-> {path.readlink()}"
        elif path.is_file():
            found[f"/{path.relative_to(root)}"] = path.read_bytes()
    return found


def targets() -> dict[str, Target]:
    """Every reader by name: `format/NAME`, `app/NAME`, those of `whole`, and whole stories."""
    found: dict[str, Target] = {"format/shell": _shell}
    for module in iter_modules(formats.__path__, "portwright.formats."):
        target = _parser(import_module(module.name))
        if target is not None:
            found["format/" + module.name.rpartition(".")[2]] = target
    found |= {f"app/{daemon.name}": _daemon(daemon.name) for daemon in daemons()}
    stories: Iterable[tuple[str, Target]] = (
        ("host", _host), ("unit", _unit), ("repository", _repository), ("written", _written), ("captured", _captured),
        ("sysctl", _sysctl), ("directory", _directory),
    )  # fmt: skip
    return found | {f"story/{name}": target for name, target in stories} | whole.targets(told)
