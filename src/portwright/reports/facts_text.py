"""Facts as a person reads them: who listens where, which kernel settings are in force and which line won, which units listen."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from portwright.facts import Listener, Sysctl, Unit
from portwright.host import Host
from portwright.host.terms.kernel_settings import RANGE, RESERVED, UNPRIVILEGED
from portwright.reports.escape import safe, width, wrap
from portwright.reports.excerpt import place
from portwright.reports.secrets import hide_at, hide_value
from portwright.reports.shorten import short
from portwright.reports.space import Space, rows
from portwright.reports.style import Style
from portwright.reports.words import counted, lists_uncovered, service
from portwright.source import Span
from portwright.system.spanned_text import UNKNOWN

_NARROWEST = 40

_ALWAYS = (RANGE, RESERVED, UNPRIVILEGED, "net.ipv4.ip_nonlocal_bind", "net.ipv4.tcp_tw_reuse", "net.ipv6.bindv6only")
"""Settings that decide about ports, shown even where no file sets them."""


def render(
    hosts: Sequence[Host],
    *,
    color: bool,
    width: int,
    quiet: bool = False,
    verbose: bool = False,
    files: Sequence[Mapping[str, str]] = (),
    machine: str = "",
) -> str:
    """What was read and what is in force on each host, by name, ending in a newline; `width` in columns.

    Kernel settings outside net. and built-in defaults that decide nothing about ports are counted only, and long values are cut,
    unless `verbose`. `quiet` leaves one line for each listener and each thing that could not be read.
    `files` say for each host where on this `machine` the files lie that it names: places are links to them.
    """
    styled = [(host, Style(color, each, machine)) for host, each in zip(hosts, files or [{} for _ in hosts], strict=True)]
    styled.sort(key=lambda each: each[0].name)
    if quiet:
        return "".join(f"{style.places(line)}\n" for host, style in styled for line in _brief(host, style, len(styled) > 1))
    pages = [_Page(host, style, max(width, _NARROWEST), verbose) for host, style in styled]
    parts = ["".join(f"{page.style.places(line.rstrip())}\n" for line in page.lines()) for page in pages]
    return "\n".join(parts) or "nothing was read: no host, repository or file was found\n"


def _brief(host: Host, style: Style, several: bool) -> Iterator[str]:
    name = f"{safe(host.name)}: " if several else ""
    for listener in rows(host.listeners):
        ports = "random" if listener.random or not listener.ports else str(listener.ports)
        socket = style("note", f"{ports}/{listener.protocol} {safe(listener.address)}")
        cannot = "" if listener.can_bind is not False else f", cannot bind: {safe(listener.error or 'not permitted')}"
        cannot = f", stays closed: {safe(listener.closed_by)}" if listener.closed_by else cannot
        yield f"{name}{place(listener.at)}: {socket}: {service(listener)}, {safe(_as_whom(listener))}, {_STARTS[listener.starts]}{cannot}"
    for trouble in sorted(host.unreadable):
        yield f"{name}{place(trouble.at)}: {style('bad', 'could not be read')}: {safe(trouble.reason)}"
    if not host.files_read:
        yield f"{safe(host.name)}: {style('bad', 'nothing was read')}"


class _Page:
    def __init__(self, host: Host, style: Style, columns: int, verbose: bool) -> None:
        self.host = host
        self.style = style
        self.columns = columns
        self.verbose = verbose
        self.said: Callable[[str], str] = safe if verbose else short

    def lines(self) -> Iterator[str]:
        kind = "repository" if self.host.repository else "host"
        machine = self.host.machine and f", {safe(self.host.machine)}"
        yield self.style("strong", f"{kind} {safe(self.host.name)}{machine}: {counted(self.host.files_read, 'file')} read")
        if machine:
            yield from self._detail(f"a machine of its own: {safe(self.host.machine_because)}")
        services = (self._units, self._outbounds, self._file_limits)
        for part in (self._listeners, self._sysctls, self._without_effect, *services, self._unreadable, self._uncovered):
            lines = list(part())
            if lines:
                yield ""
                yield from lines

    # ── listeners ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _listeners(self) -> Iterator[str]:
        yield self.style("strong", "listeners")
        found = rows(self.host.listeners)
        if not found:
            yield "  none found"
        for listener in found:
            ports = "random" if listener.random or not listener.ports else str(listener.ports)
            why = f" ({safe(listener.why)})" if listener.why else ""
            what = f"{service(listener)}, {safe(_as_whom(listener))}, {_STARTS[listener.starts]}{why}"
            yield from self._entry(f"{ports}/{listener.protocol} {safe(listener.address)}", what)
            if listener.can_bind is False:
                where = f" ({place(listener.because_at)})" if listener.because_at else ""
                error = f"cannot bind: {safe(listener.error or 'not permitted')}"
                yield from self._detail(f"{error}{f', {safe(listener.because)}' if listener.because else ''}{where}")
            if listener.closed_by:
                yield from self._detail(f"stays closed: {safe(listener.closed_by)}")
            options = ", ".join(_options(listener))
            if options and self.verbose:
                yield from self._detail(options)
            sure = "" if listener.confidence == "certain" else f", {listener.confidence}"
            yield from self._detail(f"{_ORIGIN[listener.origin]}{sure}: {place(listener.at)}")

    # ── kernel settings ─────────────────────────────────────────────────────────────────────────────────────────────

    def _sysctls(self) -> Iterator[str]:
        sysctls = sorted((each.after_boot() for each in self.host.sysctls), key=lambda sysctl: sysctl.key)
        shown = [sysctl for sysctl in sysctls if self.verbose or _matters(sysctl)]
        yield self.style("strong", "kernel settings at boot")
        for sysctl in shown:
            yield from self._entry(safe(sysctl.key), f"= {self._value(sysctl, sysctl.boot, sysctl.at)}" if sysctl.boot else "is empty")
            sure = "" if sysctl.confidence == "certain" else f" ({sysctl.confidence})"
            yield from self._detail(f"{'default' if sysctl.is_default else 'set'}{sure}: {place(sysctl.at)}")
            if sysctl.reload != sysctl.boot:
                value = self._value(sysctl, sysctl.reload, sysctl.reload_at)
                yield from self._detail(f"after `sysctl --system`: {value} ({place(sysctl.reload_at)})")
            if sysctl.running is not None and sysctl.running != sysctl.boot:
                yield from self._detail(f"running now: {self._value(sysctl, sysctl.running, None)}")
            for overridden in sysctl.overridden:
                value = self._value(sysctl, overridden.value, overridden.at)
                yield from self._detail(f"overridden: {value} ({place(overridden.at)}): {safe(overridden.reason)}")
        if len(shown) < len(sysctls):
            yield f"  {counted(len(sysctls) - len(shown), 'more setting')} with -v"
        space = Space(self.host)
        if space.usable is not None:
            reserved = f"reserved {self.said(str(space.reserved))}" if space.reserved else "none reserved"
            yield from self._entry("ephemeral ports", f"{space.low}-{space.high}, {reserved}, {len(space.usable)} usable")

    def _without_effect(self) -> Iterator[str]:
        dead = [each for each in self.host.assignments if each.outcome in ("rejected", "ignored")]
        if dead:
            yield self.style("strong", "sysctl lines that have no effect")
        for assignment in sorted(dead, key=lambda each: (each.at, each.key)):
            key = hide_at(assignment.key, assignment.at, self.host.sources)
            value = hide_value(assignment.key, assignment.value, assignment.at, self.host.sources)
            yield from self._entry(safe(key), f"= {self.said(value)}")
            yield from self._detail(f"{assignment.outcome} ({place(assignment.at)}): {safe(assignment.reason)}")

    # ── units and outgoing connections ──────────────────────────────────────────────────────────────────────────────

    def _units(self) -> Iterator[str]:
        listening = {name for listener in self.host.listeners for name in (listener.unit, listener.activates) if name is not None}
        units = sorted((unit for unit in self.host.units if listening & {unit.name, *unit.names}), key=lambda unit: unit.name)
        if units:
            yield self.style("strong", "units that listen")
        for unit in units:
            yield from self._entry(safe(unit.name), self._unit(unit))
            for path in unit.files:
                yield from self._detail(safe(path))

    def _unit(self, unit: Unit) -> str:
        said = [_STARTS[unit.starts] if unit.state == "loaded" else unit.state]
        privileges = self.host.privileges.get(unit.name)
        if privileges is not None:
            said.append(f"as {safe(privileges.user)}")
            if privileges.ambient:
                said.append(f"ambient {' '.join(sorted(privileges.ambient))}")
            if privileges.bounding is not None:
                said.append(f"bounded to {' '.join(sorted(privileges.bounding)) or 'no capability'}")
            if privileges.fails is not None:
                said.append(f"fails with {safe(privileges.fails)}")
        return ", ".join(said)

    def _outbounds(self) -> Iterator[str]:
        outbounds = sorted(self.host.outbounds, key=lambda each: (each.at, each.app, each.name))
        if outbounds:
            yield self.style("strong", "outgoing connections")
        for outbound in outbounds:
            kept = {True: "kept open", False: "opens one for each request", None: "unknown whether kept open"}[outbound.keepalive]
            to = f"{counted(outbound.servers, 'server')}{' on this host' if outbound.loopback else ''}"
            yield from self._entry(f"{safe(outbound.app)} {safe(outbound.name)}", f"{to}, {kept}")
            yield from self._detail(place(outbound.at))

    def _file_limits(self) -> Iterator[str]:
        limits = sorted(self.host.file_limits, key=lambda each: (each.at, each.app, each.unit or ""))
        if limits:
            yield self.style("strong", "open files")
        for limit in limits:
            may = "as many as it requests" if limit.limit is None else f"{limit.limit} ({limit.decided})"
            need = f"{limit.needed} for {limit.setting} {limit.connections}, may open {may}"
            yield from self._entry(safe(limit.unit or limit.app), f"needs {safe(need)}")
            yield from self._detail(place(limit.at))

    def _unreadable(self) -> Iterator[str]:
        if self.host.unreadable:
            yield self.style("bad", "could not be read")
        for trouble in sorted(self.host.unreadable):
            yield from self._detail(f"{place(trouble.at)}: {safe(trouble.reason)}", 2)

    def _uncovered(self) -> Iterator[str]:
        for title, listed, more in lists_uncovered(self.host.coverage, self.verbose):
            yield self.style("strong", title)
            for at, said in listed:
                yield from self._detail(f"{place(at)}: {self.said(said)}", 2)
            if more:
                yield f"  {more} more with -v"

    def _value(self, sysctl: Sysctl, text: str, at: Span | None) -> str:
        said = hide_value(sysctl.key, text, at, self.host.sources)
        return "a value that is not known" if UNKNOWN in said else self.said(said) or "empty"

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(self, head: str, text: str) -> Iterator[str]:
        first, *more = wrap(text, self.columns - 6, self.columns - width(head) - 3)
        yield f"  {self.style('note', head)} {first}"
        for line in more:
            yield f"      {line}"

    def _detail(self, text: str, indent: int = 4) -> Iterator[str]:
        first, *more = wrap(text, self.columns - indent - 2, self.columns - indent)
        yield f"{' ' * indent}{first}"
        for line in more:
            yield f"{' ' * (indent + 2)}{line}"


_STARTS = {
    "boot": "starts at boot",
    "demand": "bound only while in use",
    "manual": "not started at boot",
    "never": "never started",
    None: "not known whether it starts",
}

_ORIGIN = {
    "directive": "configured at",
    "argument": "command-line argument at",
    "environment": "environment variable at",
    "socket-unit": "socket unit at",
    "default": "built-in default of the daemon, started at",
    "inferred": "inferred from",
}


def _as_whom(listener: Listener) -> str:
    whom = f"as {listener.bind_user}" if listener.bind_user is not None else "user unknown"
    return f"{whom}, in a network namespace of its own" if listener.private_network else whom


def _options(listener: Listener) -> Sequence[str]:
    """The socket options that decide who may share a port, as far as they are known."""
    known = {True: "on", False: "off", None: "unknown"}
    options = [f"SO_REUSEADDR {known[listener.reuse_address]}", f"SO_REUSEPORT {known[listener.reuse_port]}"]
    if listener.v6only is not None:
        options.append(f"IPV6_V6ONLY {known[listener.v6only]}")
    if listener.free_bind:
        options.append("IP_FREEBIND on")
    if listener.interface is not None:
        options.append(f"bound to {safe(listener.interface)}")
    return options


def _matters(sysctl: Sysctl) -> bool:
    return sysctl.key in _ALWAYS or (sysctl.key.startswith("net.") and not sysctl.is_default)
