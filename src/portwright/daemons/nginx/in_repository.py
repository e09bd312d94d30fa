"""nginx: which files of a repository are its configs, and where they go."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.candidate import Candidate, Likeness

# Linear: what precedes a word is one character or the start of a line, and blanks do not cross lines.
_BLOCK = lazy_regex(r"(?:^|[;{}])[ \t]*(?:(?:http|events|stream|server)\s*\{|upstream[ \t]+[^\s{};\"]+\s*\{)(?!\{)", re.MULTILINE)
_DIRECTIVE = lazy_regex(
    r"(?:^|[;{}])[ \t]*(?:listen|server_name|proxy_pass|fastcgi_pass|uwsgi_pass|grpc_pass|root|return|rewrite|server|location"
    r"|worker_connections|include|keepalive|ssl_certificate|add_header|try_files)[ \t]+[^\s=:][^\n;{]*+[;{]",
    re.MULTILINE,
)
_LINE = lazy_regex(r"[a-z][a-z0-9_]*(?:[ \t].*)?[;{]|\}|['\"~*].*;?|[^ ]++ [^;]*+;|[^ ]+\t[^; \t]*+;")
_MAIN = lazy_regex(r"(?:^|[;{}])[ \t]*(?:http|events|stream)\s*\{", re.MULTILINE)

_FOLDERS = ("conf.d", "sites-available", "sites-enabled", "snippets", "modules-enabled", "stream.d", "vhosts.d", "http.d", "default.d")


def recognise(file: Candidate) -> Likeness | None:
    """A block with a directive in it; a piece that some block includes where its name or folder says that it is nginx's."""
    if file.says(_BLOCK, _DIRECTIVE):
        return "text"
    if not (file.explicit or file.suffix in ("cfg", "conf", "haproxy") or file.lower_name == "haproxy"):
        return None
    in_place = any(folder.startswith(("nginx", "sites-")) or folder.endswith("nginx") for folder in file.lower_folders)
    return "piece" if (file.lower_name.startswith("nginx") or in_place) and _is_piece(file) else None


def place(file: Candidate) -> str | None:
    """The main config at its place, a site or a snippet in the folder that it lies in; None for servers of stream, which have none."""
    if _MAIN.search(file.text):
        return "/etc/nginx/nginx.conf"
    for at in range(len(file.folders) - 1, -1, -1):
        if file.folders[at] in _FOLDERS:
            return "/etc/nginx/" + "/".join((*file.folders[at:], file.name))
    if _BLOCK.search(file.text):
        if _is_not_of_http(file.text):
            return None
        return f"/etc/nginx/conf.d/{file.name if file.name.endswith('.conf') else file.name + '.conf'}"
    return f"/etc/nginx/{file.name}"


def _is_piece(file: Candidate) -> bool:
    """Nothing but directives, each ended as nginx wants it."""
    lines = file.lines("#")
    return bool(lines) and all(_LINE.fullmatch(line.partition(" #")[0].rstrip()) for line in lines[:200])


def _is_not_of_http(text: str) -> bool:
    """Whether its servers are of stream or mail, for which nobody has a usual folder: http lets no server pass all it gets."""
    from portwright.formats.nginx import parse  # takes time to load, and most repositories' files are not nginx's
    from portwright.source import Source

    servers = (each for each in parse(Source("", text)).directives if each.name == "server")
    return any(inside.name in ("proxy_pass", "protocol") for server in servers for inside in server.block or ())
