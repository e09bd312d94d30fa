"""Where the files are that a script names: on a host, in the repository, or nowhere yet."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.repositories.deployers.placed import LONGEST, MOST, Line, settled
from portwright.repositories.deployers.shell_images import by_name
from portwright.repositories.deployers.shell_state import State
from portwright.repositories.deployers.shell_text import CHECKOUT, Piece, Value, at, known, lines_of, text_of, value_of
from portwright.repositories.deployers.shell_values import folder
from portwright.system.spanned_text import UNKNOWN

_REMOTE = lazy_regex(r"(?:[\w.\ufffd-]+@)?[\w.\ufffd-]+:(/.*)")
_COMPOSE = frozenset(("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"))
# A root that the script sets up, rather than the machine it runs on.
_ROOT = lazy_regex(
    r"(?:\ufffd|/mnt(?:/(?:sysimage|target|root|gentoo|rootfs))?|/target|/sysroot|/rootfs)+(/(?:etc|usr|lib|opt|srv|var|home|root)/.+)"
)


def setting(run: State, key: str, value: str, place: Piece) -> bool:
    """A kernel setting that the script makes itself; False where another branch has made it."""
    name = f"={key.replace('/', '.')}"
    if _is_other_branch(run, name):
        return False
    run.made.setdefault(name, run.arms)
    run.pages.set(place.number, place.column, key.replace("/", ".") if "/" in key else key, value, place.source)
    return True


def _is_other_branch(run: State, name: str) -> bool:
    """Whether another branch of a command around here has made this file or setting: only one of the two is run."""
    made = run.made.get(name)
    if not made or not run.arms:
        return False
    own = dict(run.arms)
    return any(own.get(command, arm) != arm for command, arm in made)


def write_to(run: State, target: Value, value: Value, append: bool, place: Piece | None) -> bool:
    """Put what a command prints into a file; False where something is left unsaid."""
    said = text_of(target)
    if said.startswith("/dev/"):
        return True
    if said.startswith("/proc/sys/"):
        where = value[0] if value else place
        if UNKNOWN not in said and where is not None:
            setting(run, said.removeprefix("/proc/sys/").replace("/", "."), text_of(value).strip(), where)
        return UNKNOWN not in said and known(value)
    lines = lines_of(value)
    return put(run, said, lines, append)


def put(run: State, said: str, lines: list[Line], append: bool, of: str = "") -> bool:
    """Put lines into a file, wherever it is; False where nobody knows where."""
    path = on_host(run, said) or _compose_file(run, said)
    name = path or kept_name(run, said)
    if not name:
        return False
    if _is_other_branch(run, name):
        return True
    run.made.setdefault(name, run.arms)
    if run.maybe:
        lines = [replace(line, sure=False) for line in lines]
    before = run.files.get(name, []) if append else []
    if len(run.files) >= MOST and name not in run.files:
        run.pages.cut = True
        return True
    run.files[name] = [*before, *lines]
    if path:
        run.pages.write(path, lines, append, of)
    return bool(path)


def _compose_file(run: State, said: str) -> str:
    """The place of a Compose file whose directory nobody knows, which matters to none that it is read for."""
    above, _, last = said.rpartition("/")
    if last not in _COMPOSE:
        return ""
    where = "".join(char if char.isalnum() else "-" for char in f"{run.pages.label}-{folder(run.directory, above) or above}")
    return f"/srv/{where}/{last}"


def on_host(run: State, said: str) -> str:
    """The path on a host that a script names, "" where it is none, or where nobody knows it."""
    remote = _REMOTE.fullmatch(said)
    said = remote[1] if remote is not None else said
    said = said if said.startswith(("/", UNKNOWN)) else folder(run.directory, said)
    rooted = _ROOT.fullmatch(said)
    said = rooted[1] if rooted is not None else said
    said = settled(said)
    if not said.startswith("/") or UNKNOWN in said or said.startswith(("/tmp/", "/var/tmp/", "/dev/", "/proc/", "/vagrant/")):  # noqa: S108
        return ""
    return said


def kept_name(run: State, said: str) -> str:
    """How a file is kept in mind that is not at a place of its own yet: of /tmp, of the directory the script is run in."""
    if UNKNOWN in said or not said:
        return ""
    if said.startswith(("/", CHECKOUT)):
        return said
    return folder(run.directory, said) or f"./{said.removeprefix('./')}"


def contents(run: State, said: str) -> Value | None:
    """What a file holds that the script has written, or the repository has."""
    written = run.files.get(on_host(run, said)) or run.files.get(kept_name(run, said))
    if written:
        return value_of(written)
    label = label_of(run, said)
    lines = lines_of_file(run, label) if label else None
    return None if lines is None else value_of(lines)


def lines_of_file(run: State, label: str) -> list[Line] | None:
    """The lines of a file of the repository."""
    text = run.checkout.text(label)
    if text is None or len(text) > LONGEST or "\0" in text:
        return None
    return [Line(line.removesuffix("\r"), label, number) for number, line in enumerate(text.removesuffix("\n").split("\n"), 1)]


def label_of(run: State, said: str) -> str:
    """The file of the repository that a script means, "" where it is none or nobody knows."""
    found = [label for label in labels(run, said) if label in run.checkout.labels]
    if found:
        return found[0]
    last = said.rpartition("/")[2]
    if UNKNOWN in last or CHECKOUT in last or "." not in last.strip(".") or "*" in last:
        return ""
    # What was copied to the machine before, or stands below a directory that nobody knows: the one that has this name.
    rest = said.replace(UNKNOWN, "").lstrip("./")
    alike = by_name(run.checkout).get(last, [])
    nearer = [label for label in alike if label == rest or label.endswith(f"/{rest}")]
    own = run.pages.label.rpartition("/")[0]
    below = [label for label in nearer if label.startswith(f"{own}/")] if own else []
    if len(below or nearer) == 1:
        return (below or nearer)[0]
    return alike[0] if len(alike) == 1 and (UNKNOWN in said or said.startswith(("/tmp/", "/vagrant/", "/root/", "/home/"))) else ""  # noqa: S108


def labels(run: State, said: str) -> Iterator[str]:
    """The places in the repository that a path may mean, the likeliest first."""
    own = run.pages.label.rpartition("/")[0]
    if said.startswith(CHECKOUT):
        whole = folder("", said) or said
        yield folder(CHECKOUT, whole).removeprefix(f"{CHECKOUT}/")
        return
    if UNKNOWN in said:
        return
    if said.startswith("/"):
        for root in ("/vagrant/", "/vagrant_data/", "/"):
            if said.startswith(root):
                yield said.removeprefix(root)
        return
    for directory in dict.fromkeys((run.directory, f"{CHECKOUT}/{own}" if own else CHECKOUT, CHECKOUT, f"{CHECKOUT}/{own}/..")):
        if directory.startswith(CHECKOUT):
            yield folder(directory, said).removeprefix(f"{CHECKOUT}/")


def globbed(run: State, word: Value) -> list[Value]:
    """The files of the repository that a pattern means, as paths; the word itself where there are none."""
    pattern = text_of(word)
    if not any(sign in pattern for sign in "*?[") or pattern.count("*") > 4 or len(pattern) > 300:
        return [word]
    for label_pattern in labels(run, pattern):
        directory, _, last = label_pattern.rpartition("/")
        if any(sign in directory for sign in "*?["):
            continue
        found = sorted(
            label
            for label in run.checkout.under(directory)
            if label.rpartition("/")[0] == directory and fnmatchcase(label.rpartition("/")[2], last)
        )
        if found:
            return [at(word, f"{CHECKOUT}/{label}") for label in found[:MOST]]
    return [word]


def matters(path: str) -> bool:
    """Whether what lies at a path could say something of ports, units or kernel settings."""
    return path.startswith(("/etc/", "/usr/lib/systemd/", "/usr/lib/sysctl.d/"))
