"""What nginx's config would say if the connections to an upstream were kept: in the upstream, and in every place that uses it."""

import re
from collections.abc import Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.daemons._engine.rewriting import after, before, replaced
from portwright.daemons.nginx.uses import Header, Use
from portwright.formats.nginx import Directive
from portwright.source import Rewrite, Rewriting, Source, Span, Word

KEPT = 32
"""Idle connections that each worker keeps, as nginx's documentation has it: few for a server, many for one proxy."""

_SCHEME = lazy_regex(r"(?:(https?|fastcgi)://)?", re.I)
_UNFIT = lazy_regex(r"[^A-Za-z0-9.]+")


class _InTheWay(Exception):
    """The place that cannot be edited so that the connections are kept; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class _Config:
    """What is known of the whole config: the maps of $http_upgrade and their rows, whether nginx keeps by default, and its files.

    `whole`: no other file includes these, and may set headers for all of them.
    """

    maps: Mapping[str, Header]
    rows: Mapping[str, Directive]
    by_default: bool
    upstreams: Mapping[str, Directive]
    sources: Mapping[str, Source]
    whole: bool = True


def keeping(
    upstream: Directive | None,
    uses: Sequence[Use],
    maps: Mapping[str, Header],
    rows: Mapping[str, Directive],
    by_default: bool,
    upstreams: Mapping[str, Directive],
    sources: Mapping[str, Source],
    config: tuple[str, ...],
    *,
    whole: bool = True,
) -> Rewriting:
    """The lines for one upstream, or for the address that stands where one could be. `config` is the file that nginx is given.

    `whole`: no other file includes these.
    """
    known = _Config(maps, rows, by_default, upstreams, sources, whole)
    try:
        used = {each for use in uses for each in _use(use, known)}
        rewrites = tuple(sorted({*_upstream(upstream, uses, known), *used}))
    except _InTheWay as reason:
        return Rewriting(refused=str(reason))
    name = uses[0].target if upstream is None else upstream.args[0].text
    caution = f"each worker of nginx then keeps up to {KEPT} idle connections to {name}, whose servers have to take as many"
    if upstream is None and ":" in name:
        caution += f"; redirects of it that name {name} itself are no longer rewritten"
    return Rewriting(rewrites, f"have nginx keep connections to {name}", "", caution, config)


# ── the upstream ──


def _upstream(upstream: Directive | None, uses: Sequence[Use], known: _Config) -> Iterator[Rewrite]:
    if upstream is None:
        yield from _made(uses, known)
        return
    source = _source(upstream)
    lines = [node for node in upstream.inside if node.name == "keepalive"]
    if lines:
        number = next(iter(lines[-1].args), None)
        if number is not None and number.text == "0":
            yield replaced(_source(lines[-1]), number.at, str(KEPT))
    elif not known.by_default and upstream.inside:
        # It comes after the balancing method, which it changes (ngx_http_upstream_module).
        last = upstream.inside[-1]
        if last.source is not source or last.block is not None:
            raise _InTheWay(f"{last.at} is the last line of the upstream and lies in another file or block, so no line is put in after it")
        yield after(source, source.text.index(";", last.end) + 1, f"keepalive {KEPT};", last.start)


def _made(uses: Sequence[Use], known: _Config) -> Iterator[Rewrite]:
    """An upstream for an address that proxy_pass names: of the same name where that has no port, else of a new one."""
    first = uses[0]
    schemes = {(_SCHEME.match(use.word.text) or [""])[0].lower() for use in uses}
    if len(schemes) > 1 or schemes & {"https://"} or first.kind not in ("proxy", "fastcgi"):
        raise _InTheWay(f"{first.at} names the server itself, and over {first.kind} no upstream is put in its place")
    name = first.target
    if ":" in name:
        name = f"kept_{_UNFIT.sub('_', first.target).strip('_')}"
        for use in uses:
            if use.kind == "proxy":
                _assert_names_host(use)
            start = use.word.text.lower().index(use.target.lower())
            source = _source(use.node)
            if source.text[slice(*source.stretch(use.at))] != use.word.text:
                raise _InTheWay(f"{use.at} is written with quotes or escapes")
            at = Span(use.at.path, use.at.line, use.at.column + start, use.at.end_line, use.at.column + start + len(use.target))
            yield Rewrite(at, name, use.target)
    if name.lower() in known.upstreams or not name.isascii() or set(name) & set("\\\"'{};$[]"):
        raise _InTheWay(f"{first.at} names the server itself, and an upstream cannot be given a name for it")
    server = first.server
    if server is None:
        raise _InTheWay(f"{first.at} lies in no server block of this file")
    source = _source(server)
    inside = next((node for node in server.inside if node.source is source), None)
    unit = "\t" if inside is not None and "\t" in source.text[source.text.rfind("\n", 0, inside.start) + 1 : inside.start] else "    "
    text = f"upstream {name} {{\n{unit}server {first.target};\n{unit}keepalive {KEPT};\n}}\n"
    yield before(source, server.start, text)


def _assert_names_host(use: Use) -> None:
    """By default a request names the server as proxy_pass does, and so would name the upstream."""
    host = use.scope.host
    if host is None or "proxy_host" in host.args[-1].text:
        line = use.at if host is None else host.at
        raise _InTheWay(f'{line}: the request would name the upstream as its host: set "proxy_set_header Host" to what the server expects')


# ── where it is used ──


def _use(use: Use, known: _Config) -> Iterator[Rewrite]:
    if use.kind in ("uwsgi", "scgi"):
        raise _InTheWay(f"{use.at} passes to it over {use.kind}, which has no keep-alive")
    source = _source(use.node)
    if use.kind == "fastcgi":
        word = use.scope.keep_conn
        if word is None:
            yield before(source, use.node.start, "fastcgi_keep_conn on;")
        elif word.text.lower() != "on":
            yield _said(known, word, "on")
    if use.kind != "proxy":
        return
    version = use.scope.http_version
    if version is None and not known.by_default:
        yield before(source, use.node.start, "proxy_http_version 1.1;")
    elif version is not None and version.text == "1.0":
        yield _said(known, version, "1.1")
    yield from _connection(use, known)


def _connection(use: Use, known: _Config) -> Iterator[Rewrite]:
    header = use.scope.connection
    if header is None:
        if not known.by_default:
            if use.scope.headers is None and not known.whole:
                may = "may inherit proxy_set_header lines of a file that includes this one, which a line here would replace"
                raise _InTheWay(f"{use.at} {may}")
            # One line of a block replaces all that it would inherit: it goes where the others are.
            beside = use.scope.headers or use.node
            yield before(_source(beside), beside.start, 'proxy_set_header Connection "";')
        return
    args = header.args
    value = args[1] if len(args) > 1 else None
    if value is None or value.text.lower() in ("", "keep-alive"):
        return
    if value.text.lower() == "close":
        yield replaced(_source(header), value.at, '""')
    elif value.text.startswith("$"):
        said, at = known.maps.get(value.text, (None, header.at))
        row = known.rows.get(value.text)
        if said == "close" and row is not None and len(row.args) == 1:
            yield replaced(_source(row), row.args[0].at, '""')
        elif said not in ("", "keep-alive"):
            raise _InTheWay(f"{header.at if at is None else at}: whether the Connection header closes hangs on the request")
    else:
        raise _InTheWay(f"{header.at} sets a Connection header of its own")


def _said(known: _Config, word: Word, text: str) -> Rewrite:
    source = known.sources.get(word.at.path)
    if source is None:
        raise _InTheWay(f"{word.at} says {word.text}")
    return replaced(source, word.at, text)


def _source(node: Directive) -> Source:
    """The file of a directive; an argument of the command line is none."""
    if type(node.source) is not Source:
        raise _InTheWay(f"{node.at} is said on the command line")
    return node.source
