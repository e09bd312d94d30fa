"""Which NFS file systems a host mounts, and from which privileged ports its client connects: fstab(5), systemd.mount(5), autofs(5)."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from portwright.facts import Mount, Unit, Value
from portwright.source import Source, Word
from portwright.trees import Files

if TYPE_CHECKING:
    from portwright.formats.words import Line

NFS = ("nfs", "nfs4")

_MOST_MAPS = 64


def nfs_mounts(units: Collection[Unit], files: Files) -> tuple[Mount, ...]:
    """The NFS mounts made at boot or on demand; what fstab(5) marks noauto somebody mounts by hand, if ever."""
    found = [*_fstab(files), *_units(units), *_maps(files)]
    return tuple(mount for mount in found if mount.kind in NFS)


def resvport_options(files: Files) -> Mapping[str, Value]:
    """What `options sunrpc min_resvport=...` lines of modprobe.d(5) set when the module is loaded; the later file wins."""
    from portwright.system.host_files.modules import module_options

    found = files.once(module_options)
    return {name: found[f"sunrpc.{name}"] for name in ("min_resvport", "max_resvport") if f"sunrpc.{name}" in found}


def _fstab(files: Files) -> Iterator[Mount]:
    for line in _lines("/etc/fstab", files):
        if len(line.values) < 2:
            continue
        where, kind, *rest = line.values
        given = _options(rest[0]) if rest else ()
        on_demand = "x-systemd.automount" in given
        if "noauto" not in given or on_demand:
            yield Mount(line.at, line.keyword.text, where.text, kind.text, given, on_demand)


def _units(units: Collection[Unit]) -> Iterator[Mount]:
    """The .mount units that something starts; an .automount of the same name starts its own on demand."""
    on_demand = {unit.name.removesuffix(".automount") for unit in units if unit.kind == "automount" and unit.starts in ("boot", None)}
    for unit in units:
        if unit.kind != "mount" or unit.state != "loaded":
            continue
        what, where, kind = (unit.value("Mount", key) for key in ("What", "Where", "Type"))
        later = unit.name.removesuffix(".mount") in on_demand
        if what is None or where is None or kind is None or not (later or unit.starts in ("boot", None)):
            continue
        options = unit.value("Mount", "Options")
        given = () if options is None else tuple(options.value.split(","))
        yield Mount(what.at, what.value, where.value, kind.value, given, later)


def _maps(files: Files) -> Iterator[Mount]:
    """The file maps that auto.master(5) names: `key [-options] location`, where a location is `host:/path`."""
    beside = (f"/etc/auto.master.d/{name}" for name in files.names("/etc/auto.master.d") if name.endswith(".autofs"))
    seen: set[str] = set()
    for master in ("/etc/auto.master", *beside):
        for line in _lines(master, files):
            path = (line.values[0].text if line.values else "").removeprefix("file:")
            if not path.startswith("/") or path in seen:
                continue
            if len(seen) >= _MOST_MAPS:
                files.report_limit(line.values[0].at, _MOST_MAPS, "maps of the automounter")
                return
            seen.add(path)
            for entry in _lines(path, files):
                options = tuple(each for word in entry.values if word.text.startswith("-") for each in _options(word))
                kind = next((each.partition("=")[2] for each in options if each.startswith("fstype=")), "nfs")
                location = next((word.text for word in entry.values if not word.text.startswith("-")), "")
                host, colon, share = location.partition(":")
                if host and colon and share.startswith("/") and "/" not in host:
                    yield Mount(entry.at, location, f"{line.keyword.text}/{entry.keyword.text}", kind, options, True)


def _lines(path: str, files: Files) -> "tuple[Line, ...]":
    source: Source | None = files.read(path) if files.kind(path) == "file" else None
    if source is None:
        return ()
    from portwright.formats import words

    return words.parse(source, words.Dialect(quotes=""))[0]


def _options(word: Word) -> tuple[str, ...]:
    return tuple(word.text.lstrip("-").split(","))
