"""Apache httpd: which files of a repository are its configs."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.candidate import Candidate, Likeness

# What Apache listens on or hands on; and a section or line that only it has (ProFTPD has some of the same sections, but not these).
_APACHE = lazy_regex(r"^[ \t]*(?:Listen[ \t]+\S|ProxyPass(?:Match)?[ \t]+\S|<VirtualHost[ \t][^>\n]++>)", re.MULTILINE | re.IGNORECASE)
_ONLY_APACHE = lazy_regex(
    r"^[ \t]*(?:<IfModule[ \t]+!?(?:mod_)?\w+(?:\.c|_module)>|<VirtualHost[ \t]+\S+:(?:\S+)>|<Location\w*[ \t]|<Proxy[ \t]|<Directory[ \t]"
    r"|LoadModule[ \t]+\w+_module[ \t]|DocumentRoot[ \t]+\S|CustomLog[ \t]+\S|RewriteEngine[ \t]+\S|ProxyPassReverse[ \t]+\S)",
    re.MULTILINE | re.IGNORECASE,
)
_PLACES = {
    "apache2.conf": "/etc/apache2/apache2.conf",
    "ports.conf": "/etc/apache2/ports.conf",
    "httpd.conf": "/etc/httpd/conf/httpd.conf",
}


def recognise(file: Candidate) -> Likeness | None:
    """What it listens on or hands on, and a section or line that only it has (ProFTPD has some of the same sections)."""
    in_place = file.explicit or file.suffix in ("conf", "vhost") or "." not in file.name or "sites-" in file.parent
    if not in_place or not file.says(_APACHE) or "proftpd" in file.lower_name or "proftpd" in file.lower_folders:
        return None
    is_ports = file.lower_name == "ports.conf" and any(folder.startswith(("apache", "httpd")) for folder in file.lower_folders)
    return "text" if is_ports or file.says(_ONLY_APACHE) else None


def place(file: Candidate) -> str | None:
    """The main configs and the list of ports at their places; which folder of sites it is, nobody can tell."""
    return _PLACES.get(file.name)
