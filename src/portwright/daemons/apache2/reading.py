"""Apache httpd's configuration with its includes, variables, macros and conditions becomes the lines that are in force."""

from collections import ChainMap
from collections.abc import Iterator, Mapping

from portwright._start.records import dataclass, field
from portwright.facts import Confidence
from portwright.formats.apache import Directive, Document, parse
from portwright.numbers import decimals
from portwright.source import Source, Span, Word
from portwright.system.includes import DEEPEST, MOST_FILES
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand, is_pattern

_MOST_DIRECTIVES = 500_000
_CHARACTERS_A_DIRECTIVE = 200
_MOST_EXPANDED = 1 << 22  # characters of all macros together, as often as they are used
_CONDITIONS = frozenset(("ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection"))
_BUILT_IN = ("core.c", "mod_so.c", "http_core.c", "core_module", "so_module", "http_module")
# `apache2 -l` of Debian 12; the distributions that call it httpd load these.
_DEBIAN = ("watchdog", "log_config", "logio", "version", "unixd")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section that limits what its lines are for: `<VirtualHost *:80>`, `<Location /app>`."""

    keyword: str
    args: tuple[Word, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Line:
    """A directive in force: its arguments with variables replaced, and the sections around it, outermost first.

    `sure` is False where it hangs on a condition that the host's files do not decide.
    """

    keyword: str
    args: tuple[Word, ...]
    at: Span
    within: tuple[Section, ...]
    sure: bool


class _Expansion(Source):
    """A macro's text with its parameters filled in: for a reader it stands where it is used."""

    def __init__(self, at: Span, text: str) -> None:
        super().__init__(at.path, text)
        self.__dict__["_at"] = at

    def span(self, start: int, end: int) -> Span:
        at: Span = self.__dict__["_at"]
        return at


@dataclass
class Reading:
    """One reading of a configuration, in the order httpd executes it: what Define and LoadModule say counts from there on.

    `root` is where relative paths start. `version` is httpd's, None where unknown. `alone`: the file stands alone, so that modules are
    loaded and names are defined elsewhere.
    """

    files: Files
    root: str
    version: Version | None
    environment: Mapping[str, Word]
    debian: bool = False
    confidence: Confidence = "certain"
    alone: bool = False
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.defines: dict[str, Word] = {}
        self.variables: Mapping[str, Word] = ChainMap(self.defines, dict(self.environment))
        self._modules = set(_BUILT_IN)
        for name in _DEBIAN if self.debian else ():
            self._modules |= {f"{name}_module", f"mod_{name}.c"}
        self._macros: dict[str, tuple[tuple[str, ...], Directive]] = {}
        self._documents: dict[str, Document] = {}
        self._included = 0
        self._directives = 0
        self._expanded = 0

    @property
    def main(self) -> tuple[str, ...]:
        """The file that httpd is given, which includes the others."""
        return tuple(self._documents)[:1]

    def refuse(self, at: Span, reason: str) -> None:
        """Note what httpd would not start with."""
        self.files.report_unreadable(at, f"apache2 does not start: {reason}")
        self.confidence = "possible"

    def path(self, text: str) -> str:
        """A path of the configuration as an absolute one (ap_server_root_relative)."""
        return text if text.startswith("/") else f"{self.root.rstrip('/')}/{text}"

    def read_file(self, path: str, chain: tuple[str, ...] = (), within: tuple[Section, ...] = (), sure: bool = True) -> bool:
        """Read a file and all it includes; False where it is missing."""
        if path not in self._documents:
            source = self.files.read(path)
            if source is None:
                return False
            self._documents[path] = self._parsed(source)
        self._walk(self._documents[path].directives, (*chain, path), within, sure)
        return True

    def read_text(self, source: Source) -> None:
        """Read directives that stand in no file: those of -c and -C."""
        self._walk(self._parsed(source).directives, (), (), True)

    def _parsed(self, source: Source) -> Document:
        document = parse(source)
        for wrong in document.unreadable:
            self.refuse(wrong.at, wrong.reason)
        return document

    def _walk(self, directives: tuple[Directive, ...], chain: tuple[str, ...], within: tuple[Section, ...], sure: bool) -> None:
        for directive in directives:
            self._directives += 1 + len(directive.text) // _CHARACTERS_A_DIRECTIVE
            if self._directives > _MOST_DIRECTIVES:
                self.files.report_unreadable(
                    directive.at, f"more than {_MOST_DIRECTIVES} directives with all includes: the rest is not read"
                )
                return
            keyword = directive.keyword
            if directive.block is None:
                self._line(directive, chain, within, sure)
            elif keyword in _CONDITIONS:
                holds = self._holds(keyword, directive)
                if holds is not False:
                    self._walk(directive.block, chain, within, sure and holds is True)
            elif keyword == "macro":
                words = directive.words()
                if words:
                    self._macros[words[0].text.lower()] = (tuple(word.text for word in words[1:]), directive)
            elif directive.raw:
                self.files.report_unreadable(directive.at, f"what <{directive.name}> sets up is not read")
            else:
                section = Section(keyword, directive.words(self.variables), directive.at)
                self._walk(directive.block, chain, (*within, section), sure)

    def _line(self, directive: Directive, chain: tuple[str, ...], within: tuple[Section, ...], sure: bool) -> None:
        args = directive.words(self.variables)
        match directive.keyword:
            case "include" | "includeoptional":
                for path in self._includes(directive, args, chain):
                    self.read_file(path, chain, within, sure)
            case "define" if args:
                self.defines[args[0].text] = args[1] if len(args) > 1 else Word("", args[0].at)
            case "undefine" if args:
                self.defines.pop(args[0].text, None)
            case "serverroot" if args:
                self.root = args[0].text
            case "loadmodule" if len(args) > 1:
                self._modules |= {args[0].text, _source_file(args[0].text, args[1].text)}
            case "use" if args:
                self._use(args, directive, chain, within, sure)
            case keyword:
                self.lines.append(Line(keyword, args, directive.at, within, sure))

    def _use(self, args: tuple[Word, ...], directive: Directive, chain: tuple[str, ...], within: tuple[Section, ...], sure: bool) -> None:
        """mod_macro: `Use Name value ...` stands for the macro's lines with its parameters replaced."""
        name = args[0].text.lower()
        macro = self._macros.get(name)
        if macro is None and self.alone:
            return
        if macro is None or len(macro[0]) != len(args) - 1:
            self.refuse(directive.at, f"there is no macro {args[0].text} with {len(args) - 1} arguments")
        elif len(chain) > DEEPEST:
            self.files.report_unreadable(directive.at, f"macros and includes nested more than {DEEPEST} deep are not followed")
        else:
            text = macro[1].raw
            for parameter, value in sorted(zip(macro[0], args[1:], strict=True), key=lambda each: -len(each[0])):
                self._expanded += len(text)
                if parameter and self._expanded + text.count(parameter) * len(value.text) <= _MOST_EXPANDED:
                    text = text.replace(parameter, value.text)
            self._expanded += len(text)
            if self._expanded > _MOST_EXPANDED:
                self.files.report_unreadable(
                    directive.at, f"macros expand to more than {_MOST_EXPANDED} characters: the rest is not followed"
                )
                return
            self._walk(self._parsed(_Expansion(directive.at, text)).directives, (*chain, f"macro {name}"), within, sure)

    # ── includes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _includes(self, directive: Directive, args: tuple[Word, ...], chain: tuple[str, ...]) -> Iterator[str]:
        if len(args) != 1:
            self.refuse(directive.at, f"{directive.name} takes one argument")
            return
        word = args[0]
        if len(chain) > DEEPEST:
            self.refuse(word.at, f"includes nested more than {DEEPEST} deep are not followed")
            return
        try:
            found = expand(self.path(word.text), self.files)
        except TooMany:
            self.files.report_unreadable(word.at, "too many files match")
            return
        if not found and directive.keyword == "include" and not self.files.partial:
            self.refuse(word.at, f"{word.text} {'matches nothing' if is_pattern(word.text) else 'is not there'}")
        for path in found:
            for each in self._inside(path):
                self._included += 1
                if each in chain:
                    self.refuse(word.at, f"a file includes itself: {' includes '.join((*chain[chain.index(each) :], each))}")
                elif self._included > MOST_FILES:
                    self.files.report_unreadable(word.at, f"more than {MOST_FILES} included files: the rest is not read")
                    return
                else:
                    yield each

    def _inside(self, path: str, depth: int = 0) -> Iterator[str]:
        """The file itself, or every file below a directory (ap_process_resource_config)."""
        if self.files.kind(path) != "directory":
            yield path
        elif depth < DEEPEST:
            for name in self.files.names(path):
                yield from self._inside(f"{path}/{name}", depth + 1)

    # ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _holds(self, keyword: str, directive: Directive) -> bool | None:
        """Whether a condition holds; None where nothing here can tell."""
        args = [word.text for word in directive.words(self.variables)]
        if not args:
            self.refuse(directive.at, f"<{directive.name}> takes an argument")
            return False
        if keyword == "ifversion":
            return version_holds(args, self.version)
        wanted = args[0].removeprefix("!")
        holds: bool | None = None
        if keyword == "ifmodule":
            holds = wanted in self._modules or (None if self.alone else False)
        elif keyword == "ifdefine":
            holds = wanted in self.defines or (None if self.alone else False)
        elif keyword == "iffile":
            path = self.path(wanted)
            # A copied tree leaves out most of a host; its /etc is whole.
            holds = self.files.kind(path) != "missing" or (False if path.startswith("/etc/") else None)
        return holds if holds is None or not args[0].startswith("!") else not holds


def _source_file(name: str, path: str) -> str:
    """The name of a module's source file, which <IfModule> takes too: mod_x.c for mod_x.so, event.c for mod_mpm_event.so."""
    stem = path.rpartition("/")[2].removesuffix(".so")
    if not stem.startswith("mod_"):
        stem = f"mod_{name.removesuffix('_module')}"
    return f"{stem.removeprefix('mod_mpm_')}.c"


def version_holds(args: list[str], version: Version | None) -> bool | None:
    """mod_version: `[[!]operator] version`; None for an unknown version that the first two numbers do not decide, and for patterns."""
    operator, wanted = (args[0], args[1]) if len(args) > 1 else ("=", args[0])
    negated, operator = operator.startswith("!"), operator.removeprefix("!") or "="
    said = decimals(wanted.split("."), 99_999)
    if operator == "~" or wanted.startswith("/") or said is None:
        return None
    numbers = (*said, 0, 0)[:3]
    known = version
    if known is None:
        if numbers[:2] == (2, 4):
            return (operator in (">=", ">")) is not negated if numbers[2] == 0 and operator not in ("=", "==") else None
        known = (2, 4, 0)
    answers = {
        "=": known == numbers,
        "==": known == numbers,
        ">": known > numbers,
        ">=": known >= numbers,
        "<": known < numbers,
        "<=": known <= numbers,
    }
    return answers[operator] is not negated if operator in answers else None
