"""Puppet manifests: kernel settings of the usual modules, files with what they hold, lines added to files, containers, sites, and commands.

A resource of a type that the repository defines itself is what the definition declares, with the values that it is given.
"""

from collections.abc import Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.parts import Bare, Call, Items, String
from portwright.formats.puppet import Hash, Manifest, Resource, Value, parse
from portwright.numbers import is_digits
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import hiera, shell
from portwright.repositories.deployers.container_lines import Asked, port
from portwright.repositories.deployers.container_lines import lines as of_container
from portwright.repositories.deployers.literal import Names, joined, lines, remarks, whole
from portwright.repositories.deployers.placed import LONGEST, MOST_LINES, Deployed, Line, Pages
from portwright.repositories.recognise import without_blanks_to_fill
from portwright.source import Source
from portwright.system.spanned_text import UNKNOWN

_SETTINGS = "/etc/sysctl.d/60-puppet.conf"
_UNITS = "/etc/systemd/system"
_SYSCTL = frozenset(
    ("sysctl", "sysctl::value", "sysctl::configuration", "sysctl::config", "sysctl::conf", "sysctl::set", "sysctl::setting", "sysctl_param")
)
_SEVERAL = frozenset(("sysctl::parameters", "sysctl::conffile", "sysctl::values"))
_KEY = lazy_regex(r"[a-z0-9_-]+(?:[./][\w*-]+)+")
_AUGEAS = lazy_regex(r"^\s*set\s+(?:/files/etc/sysctl\.conf/)?([\w./-]{3,200})\s+(?:\"([^\"]*)\"|'([^']*)'|(.+))")
_ERB = lazy_regex(r"<%=\s*(?:@|\$(?:::)?|scope\[['\"]|scope\.lookupvar\(['\"](?:::)?)([\w:]{1,100})(?:['\"]\]|['\"]\))?\s*-?%>")
_NAMED = lazy_regex(
    r"\s*(?:class|define|include|require|contain|node)\s[^=$]*$"
    r"|\s*(?:[\w:\[\], ]{1,80}\s)?\$\w+\s*=\s*(?:'[^'$]*'|\"[^\"$]*\"|[0-9]+|undef|\[\])\s*+,?\s*+(?:#.*)?$"
    r"|\s*(?:fail|notice|warning|debug|include|require|contain)\b.*|\s*require\s*=>.*"
)
"""Lines that set nothing by themselves: a name that is given a value counts where it is used."""
_FIREWALLS = frozenset(("firewall", "firewall_multi", "firewallchain", "ufw::allow", "iptables::rule"))
_SITES = {"nginx::resource::server": "nginx", "nginx::resource::vhost": "nginx", "apache::vhost": "apache", "apache::listen": "apache"}
"""Types of the modules that set up sites, and whose site each is."""
_LOOKS_UP = ("hiera", "lookup")
_MOST_DEFINED = 200
"""Resources of types of its own that are followed for one manifest."""
_DEEPEST_DEFINED = 4
_MOST_WORDS = 256
"""Values of an array that is what a kernel setting is set to."""
_DEEPEST = 16
"""Arrays in arrays, and variables that are arrays, of what holds lines."""


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the resources of a manifest put on the nodes that include it."""
    pages = Pages(label, cut=len(text) > LONGEST)
    pages.understood |= remarks(text) | {number for number, row in enumerate(text.split("\n"), 1) if _NAMED.match(row)}
    source = Source(label, text[:LONGEST])
    _Node(source, parse(source), pages, checkout).take()
    return pages.deployed()


@dataclass
class _Given:
    """What a resource gives to the definition of its type: the texts of its parameters, and their lines where they are written.

    `definitions` are those that led here, `left` how many more are followed.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, list[Line]] = field(default_factory=dict)
    definitions: tuple[str, ...] = ()
    left: list[int] = field(default_factory=lambda: [_MOST_DEFINED])


class _Node:
    def __init__(self, source: Source, manifest: Manifest, pages: Pages, checkout: Checkout, given: _Given | None = None) -> None:
        self.source = source
        self.manifest = manifest
        self.pages = pages
        self.checkout = checkout
        self.given = given or _Given()
        self.names = Names()
        self.left = MOST_LINES
        inside = {each.inside for each in manifest.resources}
        self.classes = sorted(each.removeprefix("class ").lstrip(":") for each in inside if each.startswith("class "))

    def take(self) -> None:
        """Each resource; the commands together, as one script."""
        script: list[Line] = []
        for each in self.manifest.resources:
            if self._text(each.values.get("ensure")) == "absent":
                continue
            if self.given.definitions and each.inside != f"define {self.given.definitions[-1]}":
                continue
            if each.kind in _SYSCTL:
                self._sysctl(each)
            elif each.kind in _SEVERAL:
                self._several(each.values.get("values") or each.values.get("value"))
            elif each.kind == "file":
                self._file(self._text(each.values.get("path", each.title)), each)
            elif each.kind == "file_line":
                self._line(each)
            elif each.kind in ("systemd::unit_file", "systemd::timer"):
                self._unit(self._text(each.title), each)
            elif each.kind == "systemd::dropin_file":
                self._drop_in(each)
            elif each.kind == "augeas":
                self._augeas(each)
            elif each.kind == "exec":
                script += self._lines(each.values.get("command", each.title))
            elif each.kind == "docker::run":
                self._container(each)
            elif each.kind in _SITES:
                self._site(each)
            elif each.kind in _FIREWALLS:
                self._understood(each)
            elif "::" in each.kind:
                self._defined(each)
        shell.write(script, self.pages, self.checkout)

    def _fill(self, name: str) -> str | None:
        """The value of a variable that the manifest gives one literal value."""
        text = self._variable(name)
        return None if UNKNOWN in text or "\n" in text else text

    def _variable(self, name: str) -> str:
        """The text of a variable, named as in a string or with its dollar sign."""
        name = name.lstrip("$").lstrip(":")
        if name in self.given.texts:
            return self.given.texts[name]
        if name == "module_name" and self.source.path.count("/manifests/") == 1:
            return self.source.path.partition("/manifests/")[0].rpartition("/")[2]
        given = self._of_class(name)
        if given is not None:
            return given
        value = self.manifest.variables.get(name)
        return UNKNOWN if value is None else self.names.text(name, lambda: self._text(value))

    def _of_class(self, name: str) -> str | None:
        """What Hiera's data gives to a parameter of a class of this manifest, or of a class that is named with it."""
        keys = [name] if "::" in name else [f"{each}::{name}" for each in self.classes]
        return next((value for key in keys if (value := hiera.value_of(key, self.checkout)) is not None), None)

    def _text(self, value: Value | None) -> str:
        if isinstance(value, String):
            return joined(value.parts, self._fill)
        if isinstance(value, Bare):
            return self._variable(value.text) if value.text.startswith("$") else value.text or UNKNOWN
        if isinstance(value, Items) and len(value.values) <= _MOST_WORDS:
            return " ".join(self._text(each) for each in value.values)
        if isinstance(value, Call) and value.name in _LOOKS_UP and value.arguments:
            known = hiera.value_of(self._text(value.arguments[0]), self.checkout)
            otherwise = value.arguments[1] if value.name == "hiera" and len(value.arguments) > 1 else None
            return known if known is not None else UNKNOWN if otherwise is None else self._text(otherwise)
        return "" if value is None else UNKNOWN

    def _lines(self, value: Value | None, depth: int = 0) -> list[Line]:
        if isinstance(value, Bare) and value.text.startswith("$"):
            name = value.text.lstrip("$").lstrip(":")
            if name in self.given.lines:
                return self.given.lines[name]
            value = self.manifest.variables.get(name)
        found: list[Line] = []
        if isinstance(value, String):
            found = lines(self.source, value.parts, value.indent, self._fill)
        elif isinstance(value, Items) and depth < _DEEPEST:
            for each in value.values:
                if self.left <= 0:
                    self.pages.cut = True
                    break
                found += self._lines(each, depth + 1)
        # Arrays of arrays that have a variable more than once hold as much again at each step.
        self.left -= 1 + len(found)
        return found

    def _set(self, key: str, value: Value | None, at: int) -> None:
        if value is None or not _KEY.fullmatch(key):
            return
        place = value.parts[0].at if isinstance(value, String) and value.parts else value.at
        span = self.source.span(place, place)
        said = f"{key} = {self._text(value)}".replace("\n", " ")
        self.pages.write(_SETTINGS, [Line(said, self.source.path, span.line, span.column - 1)], append=True)
        if UNKNOWN not in said:
            # The name of the resource's type stands above its first title.
            line = self.source.span(at, at).line
            self.pages.understood.update((line - 1, line))

    def _sysctl(self, each: Resource) -> None:
        key = self._text(each.values.get("key") or each.values.get("name") or each.title)
        self._set(key, each.values.get("value") or each.values.get("val"), each.title.at)

    def _several(self, values: Value | None) -> None:
        for key, value in values.pairs if isinstance(values, Hash) else ():
            self._set(self._text(key), value, key.at)

    def _understood(self, each: Resource) -> None:
        """The lines of a resource from its type's name on."""
        values = each.values.values()
        last = max((self.source.span(value.at, value.at).line for value in values), default=0)
        first = self.source.span(each.title.at, each.title.at).line
        self.pages.understood.update(range(first - 1, max(first, last) + 1))

    def _defined(self, each: Resource) -> None:
        """What the definition of a type of this repository declares for one resource."""
        module, _, rest = each.kind.lstrip(":").partition("::")
        label = _found(f"{module}/manifests/{rest.replace('::', '/')}.pp", self.source.path, self.checkout)
        if label is None or len(self.given.definitions) >= _DEEPEST_DEFINED or each.kind in self.given.definitions:
            return
        text = self.checkout.text(label)
        if text is None or len(text) > LONGEST:
            return
        if self.given.left[0] <= 0:
            self.pages.cut = True
            return
        self.given.left[0] -= 1
        source = Source(label, text)
        manifest = self.checkout.once(f"puppet {label}", lambda: parse(source))
        title = self._text(each.title)
        texts = {name: self._text(value) for name, value in each.values.items()}
        given = {name: self._lines(value) for name, value in each.values.items()}
        own = Pages(label)
        definitions = (*self.given.definitions, each.kind.lstrip(":"))
        of = _Given({**texts, "title": title, "name": title}, given, definitions, self.given.left)
        _Node(source, manifest, own, self.checkout, of).take()
        for path, said in own.lines.items():
            said = [_decided(line, label, given) for line in said]
            self.pages.write(path, said, append=own.is_settings(path) or path == _SETTINGS, of=own.of.get(path, ""))
        if own.lines:
            self._understood(each)

    def _asked(self, value: Value | None) -> list[Asked]:
        found = []
        for each in value.values if isinstance(value, Items) else () if value is None else (value,):
            place = each.parts[0].at if isinstance(each, String) and each.parts else each.at
            span = self.source.span(place, place)
            found.append(Asked(port(self._text(each)), self.source.path, span.line, span.column - 1))
        return found

    def _container(self, each: Resource) -> None:
        """What a container publishes, as Compose would be told it."""
        title = self._text(each.title)
        asked = self._asked(each.values.get("ports"))
        span = self.source.span(each.title.at, each.title.at)
        at = Line("", self.source.path, span.line, span.column - 1)
        image = self._text(each.values.get("image"))
        said = of_container(title, at, self._text(each.values.get("net")) == "host", asked, (), image)
        if said:
            self.pages.write(f"/srv/{self.source.path.replace('/', '-')}-{span.line}/compose.yaml", said)
        if all(each.text and UNKNOWN not in each.text for each in asked):
            self._understood(each)

    def _site(self, each: Resource) -> None:
        """The ports of a site, each in a config as its daemon would have it: it listens once on one, however many sites have it."""
        is_nginx = _SITES[each.kind] == "nginx"
        names = ("listen_port", "ssl_port") if is_nginx else ("port",)
        ports = [value for name in names if (value := each.values.get(name)) is not None]
        if each.kind == "apache::listen":
            ports = [each.title]
        known = 0
        for value in ports:
            number = self._text(value)
            if not is_digits(number):
                continue
            known += 1
            place = value.parts[0].at if isinstance(value, String) and value.parts else value.at
            span = self.source.span(place, place)
            before, end = ("listen ", ";") if is_nginx else ("Listen ", "")
            said = [Line(f"{before}{number}{end}", self.source.path, span.line, span.column - 1 - len(before))]
            begun, closed = ("server {", "}") if is_nginx else (f"<VirtualHost *:{number}>", "</VirtualHost>")
            around = [Line(text, self.source.path, span.line) for text in (begun, closed)]
            said = [around[0], *said, around[1]] if is_nginx else [*said, *around]
            path = f"/etc/{'nginx' if is_nginx else 'apache2'}/sites-enabled/listen-{number}.conf"
            if path not in self.pages.lines:
                self.pages.write(path, said)
        if known == len(ports):
            self._understood(each)

    def _file(self, path: str, each: Resource) -> None:
        content, source = each.values.get("content"), each.values.get("source")
        self._write(path, content, source)

    def _write(self, path: str, content: Value | None, source: Value | None) -> None:
        if not path.startswith("/") or UNKNOWN in path:
            return
        if isinstance(content, Call):
            folder = "files" if content.name == "file" else "templates"
            if content.name in ("template", "epp", "file") and content.arguments:
                self._of_module(path, self._text(content.arguments[0]), folder)
        elif content is not None:
            found = self._lines(content)
            if found:
                self.pages.write(path, found)
        elif source is not None:
            first = source.values[0] if isinstance(source, Items) and source.values else source
            name = self._text(first)
            if name.startswith("puppet:///"):
                self._of_module(path, name.removeprefix("puppet:///").removeprefix("modules/"), "files")

    def _of_module(self, path: str, name: str, folder: str) -> None:
        """A file or template of a module of this repository, its variables filled in where the manifest has them."""
        module, _, rest = name.partition("/")
        if UNKNOWN in name or not rest:
            return
        label = _found(f"{module}/{folder}/{rest}", self.source.path, self.checkout)
        text = None if label is None else self.checkout.text(label)
        if label is None or text is None:
            return
        if folder == "templates":
            text = _ERB.sub(lambda found: self._fill(found[1]) or found[0], text)
            if path.endswith(_WHOLE) or "/sysctl" in path:
                text = without_blanks_to_fill(text)
        self.pages.write(path, whole(label, text), of=label)

    def _line(self, each: Resource) -> None:
        path = self._text(each.values.get("path"))
        found = self._lines(each.values.get("line"))
        if found and path.startswith("/") and UNKNOWN not in path:
            self.pages.write(path, found[:1], append=True)

    def _unit(self, name: str, each: Resource) -> None:
        if name and "/" not in name and UNKNOWN not in name:
            self._write(f"{_UNITS}/{name}", each.values.get("content"), each.values.get("source"))

    def _drop_in(self, each: Resource) -> None:
        name, unit = self._text(each.values.get("filename", each.title)), self._text(each.values.get("unit"))
        if name and unit and "/" not in name + unit and UNKNOWN not in name + unit:
            self._write(f"{_UNITS}/{unit}.d/{name}", each.values.get("content"), each.values.get("source"))

    def _augeas(self, each: Resource) -> None:
        context = self._text(each.values.get("context"))
        for line in self._lines(each.values.get("changes")):
            found = _AUGEAS.match(line.text)
            if found is not None and ("sysctl" in context or "sysctl" in line.text) and _KEY.fullmatch(found[1]):
                value = next(part for part in found.groups()[1:] if part is not None).strip()
                self.pages.write(_SETTINGS, [Line(f"{found[1]} = {value}", line.source, line.number, line.shift)], append=True)


_WHOLE = (".service", ".socket", ".timer", ".target")


def _decided(line: Line, label: str, given: Mapping[str, list[Line]]) -> Line:
    """A line of a definition at the place of what decides it: the longest value that it is given."""
    values = [said[0] for said in given.values() if len(said) == 1 and said[0].text and said[0].text in line.text]
    if line.source != label or not values:
        return line
    best = max(values, key=lambda each: len(each.text))
    return Line(line.text, best.source, best.number, best.shift - line.text.index(best.text), line.sure)


def _found(suffix: str, label: str, checkout: Checkout) -> str | None:
    """The file of a module: modules lie in one of the folders above the manifest, or beside one of those."""
    folder = label.rpartition("/")[0]
    while True:
        for middle in ("", "modules/", "site/", "site-modules/"):
            found = f"{folder}/{middle}{suffix}" if folder else f"{middle}{suffix}"
            if checkout.has(found):
                return found
        if not folder:
            break
        folder = folder.rpartition("/")[0]
    # The repository of one module has no folder of its name.
    own = suffix.partition("/")[2]
    return own if label.startswith("manifests/") and checkout.has(own) else None
