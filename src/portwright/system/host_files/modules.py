"""modprobe.d(5): the options that kernel modules are loaded with."""

from collections.abc import Mapping

from portwright.facts import Value
from portwright.formats import words
from portwright.trees import Files

_PLAIN = words.Dialect(quotes="")
_FOLDERS = ("/usr/lib/modprobe.d", "/lib/modprobe.d", "/run/modprobe.d", "/etc/modprobe.d")


def module_options(files: Files) -> Mapping[str, Value]:
    """What `options MODULE NAME=VALUE ...` lines set, by `MODULE.NAME`: of files of one name that in /etc counts, the later line wins."""
    found: dict[str, Value] = {}
    paths = {name: f"{folder}/{name}" for folder in _FOLDERS for name in files.names(folder) if name.endswith(".conf")}
    for _, path in sorted(paths.items()):
        source = files.read(path) if files.kind(path) == "file" else None
        for line in () if source is None else words.parse(source, _PLAIN)[0]:
            if line.keyword.text == "options" and line.values:
                # modprobe takes - and _ for the same in names.
                module = line.values[0].text.replace("-", "_")
                for word in line.values[1:]:
                    name, equals, value = word.text.partition("=")
                    if equals:
                        found[f"{module}.{name}"] = Value(value, word.at)
    return found
