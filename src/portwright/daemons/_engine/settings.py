"""What a command line, variables and config files say, by the names the catalogue uses for it.

`--port` and `-p` are options, `$PORT` a variable, `%1` the first argument that is no option, `.port` a setting of the block at hand
(`.1` its first word, `.*` all of them), `module:lockd.nlm_tcpport` an option of a kernel module, anything else a setting of the config
with its sections before it: `server.port`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.daemons._engine.descriptor import Conditions, Config, Descriptor, Slot
from portwright.daemons._engine.grammars import FLAT, LISTS, is_foreign, of_text, parse, resolved
from portwright.facts import Invocation, Origin
from portwright.formats import sections
from portwright.formats.nodes import DEEPEST, Node
from portwright.numbers import decimal, is_digits
from portwright.source import Source, Span, Word
from portwright.system.host_files import distribution
from portwright.system.host_files.captures import Address, captured
from portwright.system.host_files.distribution import family
from portwright.system.host_files.modules import module_options
from portwright.system.includes import DEEPEST as DEEPEST_INCLUDE
from portwright.system.includes import MOST_FILES
from portwright.system.spanned_text import UNKNOWN, SpannedText, piece
from portwright.system.systemd import environment
from portwright.system.words import words
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand
from portwright.trees.memory import MemoryTree

MOST_NODES = 150_000
_MANY = 256  # values of one slot, more than people write
_LONG = 4096  # characters of a value
_COST_OF_A_VALUE = 4  # steps, where there are many
_MOST_REPEATED = 50_000  # lines of files that are included once more
_DEEPEST_INCLUDING = 8  # blocks in which an include is looked for
_NAMED_PLACE = lazy_regex(r"\{([-$][^{}]+)\}")
_YES = frozenset(("yes", "on", "true", "1", "y", "enable", "enabled"))
_NO = frozenset(("no", "off", "false", "0", "n", "disable", "disabled", "none"))
# Keys by which configs say where a daemon listens, or that another file says it; and those that name a place elsewhere.
_SOUNDS_LIKE_ONE = lazy_regex(
    r"(?:(?<!sup)(?<!re)(?<!im)(?<!ex)(?<!trans)ports?|(?:listen|(?<!free)(?<!no)bind)[^.]{0,20}|listen(?:er|ers|ing|_on)?|include[^.]{0,20})$"
)
_ANOTHERS = lazy_regex(
    r"(?:remote|peer|upstream|dest|target|source|src|smtp|database|db|master|primary|external|public|advertis|backend|relay|nat)"
    r"[^.]{0,20}$"
)
_ANOTHER_VARIABLE = lazy_regex(r"\$(?:\w+|\{\w+\})")
_FILLED_IN = lazy_regex(r"\{[^{}*]+\}")
_BLOCK_NAME = lazy_regex("<[^<>]*>")
# What somebody was to fill in: ${X}, {$X}, $(X), {{ x }}, <%= x %>, @X@, %%X%%.
_UNFILLED = lazy_regex(r"\$\{[^{}]*\}|\{\$[^{}]*\}|\$\([^()]*\)|\{\{|<%|@[A-Za-z_][\w.-]*@|%%[A-Za-z_][\w.-]*%%|" + UNKNOWN)
_VALUE = frozenset("0123456789[/:*.")  # what may follow a short option at once


@dataclass(frozen=True, slots=True)
class DaemonFact:
    """The words of one occurrence, and who says them; `node` is where it stands in a config."""

    words: tuple[Word, ...]
    origin: Origin
    node: Node | None = None


class Settings:
    """One daemon's settings as it is started.

    `unsure` says why they may not be all, "" where nothing was missing. `missing` is the config that was looked for where none was found.
    `doubt` says why a built-in default need not hold: something that was said is not understood. `foreign` are the files in another
    grammar than the daemon is known to read, of which no line is sure.
    """

    def __init__(self, entry: Descriptor, invocation: Invocation, files: Files) -> None:
        self.files = files
        self._entry = entry
        self.unsure = self.missing = self.doubt = ""
        self.invocation = invocation
        self.config_path: str | None = None
        self._options, self._arguments = _command_line(invocation.argv[1:], _options_of(entry), entry.one_dash, frozenset(entry.attached))
        self._environment = dict(invocation.environment)
        self._said: dict[str, list[DaemonFact]] = {}
        self._with_words: dict[str, list[DaemonFact]] = {}
        self._decided: dict[tuple[str, tuple[str, ...]], bool] = {}
        self._of_block: tuple[Node | None, dict[str, list[Node]]] = (None, {})
        self._settled = False
        self._nodes_read: tuple[Node, ...] = ()
        self._keys: dict[str, list[Node]] = {}
        self._read = self._repeated = 0
        self._lists = self._looked = False
        self._parsed: dict[str, tuple[Node, ...]] = {}
        self.foreign: set[str] = set()
        self._assigned: dict[str, Word] = {}
        for pattern in entry.variables:
            self._variables(pattern)
        if entry.variables and not self._assigned:
            self.doubt = f"built-in default; {entry.variables[0]}, which may override it, was not found"
        if entry.config is not None and entry.config.format and self.holds((), entry.config.unless):
            self._nodes_read = resolved(entry.config.format, self._config(entry.config))
            self._keys = self._by_path(self._nodes_read)
        self._settled = True

    @classmethod
    def of_options(cls, entry: Descriptor, invocation: Invocation, conditions: Conditions) -> "Settings":
        """What the command line and its variables say of some conditions, without a look at any file."""
        return cls(replace(entry, config=None, variables=(), when=conditions), invocation, Files(MemoryTree({})))

    def _by_path(self, nodes: Iterable[Node]) -> dict[str, list[Node]]:
        found, rest = _by_path(nodes)
        if rest is not None:
            self.files.report_unreadable(rest.key.at, f"blocks of names within blocks of names make more than {MOST_NODES:,} settings")
        return found

    @classmethod
    def alone(cls, entry: Descriptor, path: str, files: Files) -> "Settings":
        """The settings of one config file and what it includes, without a command line."""
        self = cls.__new__(cls)
        self._entry = entry
        self.files, self.unsure, self.missing, self.doubt, self.config_path = files, "", "", "", path
        self._options, self._arguments, self._environment = {}, (), {}
        self._read = self._repeated = 0
        self._lists = self._looked = False
        self._parsed, self.foreign, self._assigned = {}, set(), {}
        self._nodes_read = ()
        if entry.config is not None and entry.config.format:
            self._nodes_read = resolved(entry.config.format, self._file((path,), entry.config))
        self._keys = self._by_path(self._nodes_read)
        self._said, self._with_words, self._decided, self._of_block, self._settled = {}, {}, {}, (None, {}), True
        return self

    def occurrences(self, source: str, block: Node | None = None) -> list[DaemonFact]:
        """Every time a source says something, in order; an empty variable says nothing. `{--instance}` in it is what that option says.

        What stands outside of blocks is looked for once: each of ten thousand blocks asks for it.
        """
        if source.startswith(".") or not self._settled:
            return self._occurrences(source, block)
        if source not in self._said:
            self._said[source] = self._occurrences(source, None)
        return self._said[source]

    def _occurrences(self, source: str, block: Node | None) -> list[DaemonFact]:
        if "{" in source:
            said = {name: self.values(Slot(sources=(name,))) for name in _NAMED_PLACE.findall(source)}
            if not all(said.values()):
                return []
            source = _NAMED_PLACE.sub(lambda found: (said[found[1]] or [])[-1][0].text, source)
        if source.startswith("-"):
            return [DaemonFact(() if word is None else (word,), "argument") for word in self._options.get(source, ())]
        if source.startswith("$"):
            if "*" in source:
                named = [self._environment[name] for name in sorted(self._environment) if _names(source[1:], name)]
                return [DaemonFact((word,), "environment") for word in named if word.text]
            word = self._environment.get(source[1:])
            return [DaemonFact((word,), "environment")] if word is not None and word.text else []
        if source.startswith("module:"):
            option = self.files.once(module_options).get(source[7:])
            return [] if option is None else [DaemonFact((Word(option.value, option.at),), "directive")]
        if source == "os-release:id":
            at = Span.whole("/etc/os-release")
            return [DaemonFact(tuple(Word(name, at) for name in found), "directive")] if (found := distribution.names(self.files)) else []
        if source == "%*":
            return [DaemonFact((word,), "argument") for word in self._arguments]
        if source.startswith("%"):
            number = decimal(source[1:]) or 0
            return [DaemonFact((self._arguments[number - 1],), "argument")] if number <= len(self._arguments) else []
        if not source.startswith("."):
            return [DaemonFact(node.words, "directive", node) for node in _found(self._keys, source.lower())]
        if block is None:
            return []
        name = source[1:].lower()
        if name == "items":
            listed = tuple(child.key for child in block.children if not child.values and not child.children)
            return [DaemonFact(listed, "directive")] if listed else []
        if name == "0":
            return [DaemonFact((block.key,), "directive")]
        if name == "*":
            return [DaemonFact(block.values, "directive")]
        place = decimal(name)
        if place is not None:
            return [DaemonFact((block.values[place - 1],), "directive")] if place <= len(block.values) else []
        if self._of_block[0] is not block:
            self._of_block = (block, self._by_path(block.children))
        return [DaemonFact(node.words, "directive", node) for node in _found(self._of_block[1], name)]

    @cached_property
    def addresses(self) -> tuple[Address, ...] | None:
        """The addresses the host has, None where nobody listed them."""
        return captured(self.files).addresses

    def blocks(self, path: str) -> Iterable[Node]:
        """The nodes of a path, for what is said block by block; `a.*` are all that stand in `a`, `a.*.b` the `b` of each of them."""
        if path == "*":
            return self._nodes_read
        above, middle, name = path.partition(".*.")
        if middle:
            return [node for each in self.blocks(f"{above}.*") for node in each.children if node.key.text.lower() == name]
        if path.endswith(".*"):
            return [child for node in self._keys.get(path[:-2].lower(), ()) for child in node.children]
        return self._keys.get(path.lower(), ())

    def values(self, slot: Slot, block: Node | None = None) -> list[tuple[Word, Origin]] | None:
        """The values of a slot, None where nobody says one (then its default holds); none where a list of them is empty."""
        found: list[DaemonFact] = []
        unfilled: Word | None = None
        for source in slot.sources:
            said = self._worded(source, block)
            if slot.take == "every":
                found += said
            elif slot.take == "fitting":
                found = [each for each in said if any(_parts(word, slot) for word in each.words)][-1:] or found
                unfilled = next((word for each in said for word in each.words if _UNFILLED.search(word.text)), unfilled)
            elif said:
                found = [said[0] if slot.take == "first" else said[-1]]
                if any(word.text for word in found[0].words):
                    break
        said_by: list[tuple[Word, Origin]] = []
        for each in found:
            if not each.words and each.node is not None:
                if each.node.children:
                    # Lua's `addLocal("[::1]:53", {reusePort=true})` is a node of words, too.
                    if not any(other.words and other.node is not None and other.node.key.at == each.node.key.at for other in found):
                        self._not_understood(each.node, slot)
                elif self._lists and len(found) == 1:
                    return []
            chosen = each.words if slot.word is None else each.words[slot.word - 1 : slot.word]
            if slot.joined and chosen:
                chosen = (_joined(chosen),)
            if slot.following:
                chosen = tuple(after for before, after in pairwise(chosen) if before.text.lower() == slot.following)
            said_by += [(word, each.origin) for word in chosen]
        texts: list[tuple[Word, Origin]] = []
        for word, origin in self._afforded(said_by, slot):
            parts = _parts(word, slot)
            if (slot.until or not parts) and _UNFILLED.search(word.text):
                unfilled = unfilled or word
            for part in parts:
                if part.text.lower() in slot.unset:
                    continue
                if _UNFILLED.search(part.text):
                    unfilled = unfilled or part
                else:
                    texts.append((part, origin))
        if unfilled is not None:
            self.unsure = self.unsure or "part of what it is told is not in the host's files"
            self.files.report_not_understood(unfilled.at, "what says where it listens is not filled in here")
        return texts or None

    def _worded(self, source: str, block: Node | None) -> list[DaemonFact]:
        """The occurrences that say a value, where any does: a section may bear the name of a setting, as an ini file's [Ice] does."""
        said = self.occurrences(source, block)
        if said is not self._said.get(source):
            return _with_words(said)
        if source not in self._with_words:
            self._with_words[source] = _with_words(said)
        return self._with_words[source]

    def _afforded(self, found: list[tuple[Word, Origin]], slot: Slot) -> list[tuple[Word, Origin]]:
        """The words of a slot, or the first of them where they are more than people write and the host has no steps left for all."""
        count = len(found) + sum([word.text.count(char) for word, _ in found for char in slot.split])
        if count <= _MANY or self.files.work(_COST_OF_A_VALUE * count, lambda: found[0][0].at, "what is said here"):
            return found
        return [(word, origin) for word, origin in found[:_MANY] if len(word.text) <= _LONG]

    def holds(self, when: Conditions, unless: Conditions, block: Node | None = None) -> bool:
        """Whether every condition of `when` and none of `unless` holds."""
        return all(self._is(*each, block) for each in when) and not any(self._is(*each, block) for each in unless)

    def _is(self, sources: str, wanted: tuple[str, ...], block: Node | None) -> bool:
        """Whether the first of `a|b` that says anything says what is wanted; `set` and `unset` are whether any does."""
        if not self._settled or sources.startswith(".") or "|." in sources:
            return self._says(sources, wanted, block)
        if (sources, wanted) not in self._decided:
            self._decided[sources, wanted] = self._says(sources, wanted, None)
        return self._decided[sources, wanted]

    def _says(self, sources: str, wanted: tuple[str, ...], block: Node | None) -> bool:
        said = next((found for source in sources.split("|") if (found := self.occurrences(source, block))), None)
        if not said:
            return "unset" in wanted
        if any(_FILLED_IN.fullmatch(each) for each in wanted):
            others = [self.values(Slot(sources=(each[1:-1],))) for each in wanted if _FILLED_IN.fullmatch(each)]
            wanted = (*wanted, *(words[-1][0].text for words in others if words))
        if "several" in wanted:
            return sum(len(each.words) for each in said) > 1
        if "set" in wanted:
            return True
        blank = next((word for word in said[-1].words if _UNFILLED.search(word.text)), None)
        if blank is not None and self._settled:
            self.files.report_not_understood(blank.at, "what decides whether it listens is not filled in here")
            self.doubt = self.doubt or f"built-in default; a value ({blank.at.path}:{blank.at.line}) is not filled in"
        last = [word.text.lower() for word in said[-1].words] or [""]
        # The last word on a switch counts; a pattern is looked for in everything that is said.
        anywhere = [word.text.lower() for each in said for word in each.words]
        return any(any(_fits(text, each) for text in (anywhere if "*" in each else last)) for each in wanted)

    def _not_understood(self, node: Node, slot: Slot) -> None:
        """A setting in a form that is none of those known: what is said is told, and what would hold without it is not sure."""
        settings = [source.lower() for source in slot.sources if source[0] not in ".-$%"]
        paths = [f"{name}.{child.key.text.lower()}" for name in settings for child in node.children]
        if any(map(self._known.match, paths)) or not paths:
            return
        self.files.report_unreadable(node.key.at, f"{node.key.text} is written in a form that is not understood")
        self.doubt = self.doubt or f"{node.key.text} is written in a form that is not understood"

    @cached_property
    def _known(self) -> re.Pattern[str]:
        return _understood(self._entry)

    def doubted(self) -> str:
        """Why a built-in default need not hold, "" where all that could change it was found and understood."""
        if self.doubt or self._looked:
            return self.doubt
        self._looked = True
        for variable, value in self._assigned.items():
            if sounds_like_a_socket(variable.lower()) and not self._known.match(f"${variable.lower()}"):
                self.doubt = f"built-in default; `{variable}` ({value.at.path}:{value.at.line}) is not understood, and may say otherwise"
                return self.doubt
        if self._entry.config is not None:
            for path, nodes in self._keys.items():
                name, key = path.rpartition(".")[2].rstrip(":"), nodes[-1].key
                if sounds_like_a_socket(name) and nodes[-1].values and not self._known.match(_unnamed(path)):
                    place = f"{key.at.path}:{key.at.line}"
                    self.doubt = f"built-in default; `{key.text}` ({place}) is not understood, and may say otherwise"
                    break
        return self.doubt

    # ── config files ────────────────────────────────────────────────────────────────────────────────────────────────

    def _config(self, config: Config) -> tuple[Node, ...]:
        named = self.values(config.named) if config.named.sources else None
        if named is not None and not any(word.text for word, _ in named):
            named = None
        found: list[Node] = []
        if named is not None:
            for word, _ in named:
                path = self._absolute(word.text)
                if self.files.kind(path) == "missing" and config.optional:
                    continue  # nothing in it says where it listens
                if self.files.kind(path) == "missing":
                    self.files.report_missing(word.at, f"{self.invocation.program} reads {path}, which is not there")
                    self.unsure = f"{path} is not there"
                    continue
                self.config_path = self.config_path or path
                for each in self._expand(f"{path}/*.conf") if self.files.kind(path) == "directory" else (path,):
                    found += self._file((each,), config)
        else:
            for pattern in config.paths.of(family(self.files)):
                paths = [path for path in self._expand(self._in_place(pattern)) if self.files.kind(path) in ("file", "special")]
                for path in paths:
                    self.config_path = self.config_path or path
                    found += self._file((path,), config)
                if paths and not config.every:
                    break
            if self.config_path is None and config.paths.all:
                patterns = config.paths.of(family(self.files))
                first = next(filter(None, map(self._in_place, patterns)), patterns[0])
                self.missing = first
                for path in (path for pattern in config.usual_drop_ins for path in self._expand(pattern)):
                    found += self._file((path,), config)
                if config.needed:
                    self.files.report_missing(self.invocation.at, f"{self.invocation.program} reads {first}, which is not there")
                    self.unsure = f"{first} is not there"
        directories = self.values(config.directories) if config.directories.sources else None
        for pattern, endings in (
            *((each, "") for each in config.drop_ins),
            *((f"{self._absolute(word.text.partition(',')[0])}/*", word.text.partition(",")[2]) for word, _ in directories or ()),
        ):
            for path in _with_endings(self._expand(self._in_place(pattern)), endings):
                if self.files.kind(path) == "file":
                    found += self._file((path,), config)
        for path in (path for pattern in config.unread for path in self._expand(pattern)):
            self.files.report_unreadable(Span.whole(path), f"{self.invocation.program} reads this file, in a form that is not read here")
            self.doubt = self.doubt or f"built-in default; {path}, which is not read, may override it"
        for path, section in config.under:
            if self.files.kind(path) == "file" and (inside := self._file((path,), config)):
                found.append(Node(Word(section, inside[0].key.at), (), inside))
        return tuple(found)

    def _in_place(self, pattern: str) -> str:
        """A default path, with `~` for the home of the user it runs as and `{-d}` for what that option says; "" where it is not said."""
        if pattern.startswith("~"):
            home = self._environment.get("HOME")
            return "" if home is None else home.text + pattern[1:]
        if "{" in pattern:
            said = {source: self.values(Slot(sources=(source,))) for source in _NAMED_PLACE.findall(pattern)}
            if not all(said.values()):
                return ""
            pattern = _NAMED_PLACE.sub(lambda found: (said[found[1]] or [])[-1][0].text, pattern)
        return pattern if pattern.startswith("/") else self._absolute(pattern)

    def _absolute(self, path: str) -> str:
        config = self._entry.config
        if config is not None and config.directory.sources and not path.startswith("/") and (said := self.values(config.directory)):
            path = f"{said[-1][0].text.rstrip('/')}/{path}"
        return self.invocation.path(path)

    def _expand(self, pattern: str) -> tuple[str, ...]:
        if not pattern:
            return ()
        try:
            return expand(pattern, self.files)
        except TooMany:
            return ()

    def _file(self, chain: tuple[str, ...], config: Config) -> tuple[Node, ...]:
        """What a file says, with what it includes in the place of the include."""
        path = chain[-1]
        source = self.files.read(path)
        self._read += 1
        if source is None:
            return ()
        grammar = of_text(config.format, source)
        if path not in self._parsed:
            self._parsed[path], troubles = parse(grammar, source)
            for trouble in troubles:
                self.files.report_unreadable(trouble.at, trouble.reason)
            if troubles:
                self.doubt = self.doubt or f"part of {path} is not understood"
            self._foreign(config.format, source)
        else:
            self._repeated += len(self._parsed[path])
        self._lists = self._lists or grammar in LISTS
        nodes = self._parsed[path]
        if not config.include:
            return nodes
        outside: list[Node] = []
        return (*self._followed(nodes, chain, config, 0, outside if grammar in FLAT else None), *outside)

    def _followed(
        self, nodes: tuple[Node, ...], chain: tuple[str, ...], config: Config, depth: int, outside: list[Node] | None
    ) -> tuple[Node, ...]:
        """The nodes with what they include; sections of a file that is included in a section go `outside`, where there is one."""
        found: list[Node] = []
        directives = dict(config.include)
        for node in nodes:
            node = _bare_include(node, directives)
            suffix = directives.get(node.key.text)
            if suffix is not None and not node.values and node.children:
                node = Node(node.key, tuple(word for child in node.children if child.key.text == "file" for word in child.values))
            if suffix is not None and node.words:
                for path in self._included(node, suffix, chain, config):
                    for each in self._file((*chain, path), config):
                        (outside if depth and outside is not None and each.children else found).append(each)
            elif node.children and depth < _DEEPEST_INCLUDING:
                found.append(Node(node.key, node.values, self._followed(node.children, chain, config, depth + 1, outside)))
            else:
                found.append(node)
        return tuple(found)

    def _included(self, node: Node, suffix: str, chain: tuple[str, ...], config: Config) -> Iterator[str]:
        if len(chain) > DEEPEST_INCLUDE:
            self.files.report_unreadable(node.key.at, f"includes nested more than {DEEPEST_INCLUDE} deep are not followed")
            return
        if self._read >= MOST_FILES or self._repeated > _MOST_REPEATED:
            self.files.report_unreadable(
                Span.whole(self.files.tree.label(chain[0])), "too many or too often included files: the rest is not read"
            )
            return
        for word in node.words:
            directory, _, endings = word.text.partition(",")
            text = directory.rstrip("/") + suffix if suffix and "{}" not in suffix else suffix.replace("{}", word.text) or word.text
            base = config.relative or chain[-1].rpartition("/")[0]
            try:
                paths = expand(text if text.startswith("/") else f"{base}/{text}", self.files)
                if len(paths) == 1 and self.files.kind(paths[0]) == "directory":
                    paths = expand(f"{paths[0].rstrip('/')}/*", self.files)
            except TooMany:
                self.files.report_unreadable(word.at, "too many files match")
                self.doubt = self.doubt or "not all included files are read"
                continue
            if suffix and endings:
                paths = _with_endings(paths, endings)
            if node.children:
                paths = _filtered(paths, node)
            for path in paths:
                if path in chain and config.once:
                    continue
                if path in chain:
                    self.files.report_unreadable(
                        word.at, f"a file includes itself: {' includes '.join((*chain[chain.index(path) :], path))}"
                    )
                elif self._read >= MOST_FILES:
                    return
                elif self.files.kind(path) == "file":
                    yield path

    def _foreign(self, grammars: str, source: Source) -> None:
        """Whether a file is in none of the grammars that the daemon is known to read; that is told."""
        if is_foreign(grammars, source):
            self.foreign.add(source.path)
            reason = f"it is written in another form than {self._entry.name} is known to read"
            self.files.report_unreadable(Span.whole(source.path), reason)
            self.doubt = self.doubt or f"built-in default; {source.path} is written in another form than it is known to read"

    def _variables(self, pattern: str) -> None:
        """Shell assignments of a file that the daemon's own start script reads."""
        for path in self._expand(pattern):
            source = self.files.read(path)
            if source is not None:
                self._foreign("assignments", source)
                self._assigned |= assigned(source)
                self._environment |= self._assigned


def assigned(source: Source) -> dict[str, Word]:
    """The variables a shell is left with that reads this file, as far as they are literal.

    systemd.exec(5) has no comments behind a value and takes lines together that a backslash joins; a shell has both. What is
    replaced by another variable alone, as a script does where a config says one, keeps its literal value.
    """
    found: dict[str, Word] = {}
    for named, value in environment.parse(source).assignments:
        name = named.text.removeprefix("export ")
        if name not in found or _ANOTHER_VARIABLE.fullmatch(value.text) is None:
            found[name] = value
    if any("#" in value.text for value in found.values()):
        for node in sections.parse(source, sections.ASSIGNMENTS)[0]:
            name = node.key.text.removeprefix("export ")
            if node.values and name in found and "#" in found[name].text:
                found[name] = node.values[0]
    return found


def options_of(entry: Descriptor) -> frozenset[str]:
    """The options that a room names, and those with one dash for two where its daemon takes them so."""
    named = _options_of(entry)[0]
    if entry.server is not None:
        server = entry.server
        lists = (server.listen, server.elsewhere, server.single, server.ipv4, server.ipv6, server.count, server.backlog, server.application)
        named |= {*server.host.sources, *server.port.sources, *(flag for flags in lists for flag in flags)}
    return named


def values_of(entry: Descriptor) -> frozenset[str]:
    """The options that a room knows to take a value."""
    valued = _options_of(entry)[1]
    return valued if entry.server is None else options_of(entry)


def sounds_like_a_socket(key: str) -> bool:
    """Whether a setting of this name, in lower case, may say where something listens."""
    return _SOUNDS_LIKE_ONE.search(key) is not None and _ANOTHERS.search(key) is None


def is_yes(text: str) -> bool:
    """Whether a switch is on."""
    return text.lower() in _YES


def _fits(text: str, wanted: str) -> bool:
    if wanted == "yes":
        return text in _YES
    if wanted == "no":
        return text in _NO
    if "*" not in wanted:
        return text == wanted.lower()
    from fnmatch import fnmatchcase

    return fnmatchcase(text, wanted.lower())


_MOST_NAMED = 2
"""Blocks inside one another that are found under their own names: each one more doubles what there is. No entry asks for more."""


def _by_path(nodes: Iterable[Node]) -> tuple[dict[str, list[Node]], Node | None]:
    """Nodes by their dotted lower-case path, in the order written, and the first that is one too many."""
    found: dict[str, list[Node]] = {}
    todo = [("", node, 0) for node in reversed(tuple(nodes))]
    count = 0
    while todo and count < MOST_NODES:
        prefix, node, depth = todo.pop()
        count += 1
        path = f"{prefix}{node.key.text.lower()}"
        found.setdefault(path, []).append(node)
        if node.children and node.values and prefix.count("<") < _MOST_NAMED:
            # A block with a name of its own is found under it, too: `plugin<network>.listen`.
            named = f"{path}<{node.values[0].text.lower()}>"
            found.setdefault(named, []).append(node)
            if depth < DEEPEST:
                inside = f"{named}."
                todo += [(inside, child, depth + 1) for child in reversed(node.children)]
        if depth < DEEPEST and node.children:
            inside = f"{path}."
            todo += [(inside, child, depth + 1) for child in reversed(node.children)]
    return found, todo[-1][1] if todo else None


def _names(pattern: str, name: str) -> bool:
    """Whether a name is one of a pattern's, in which `*` is what an operator called something."""
    from fnmatch import fnmatchcase

    return fnmatchcase(name.lower(), pattern.lower())


def _with_endings(paths: tuple[str, ...], endings: str) -> tuple[str, ...]:
    """The files of a folder that `.bak,.old` does not leave out or, as `*.conf,*.cfg`, names (dnsmasq(8), conf-dir)."""
    if not endings:
        return paths
    wanted = tuple(each[1:] for each in endings.split(",") if each.startswith("*"))
    unwanted = tuple(each for each in endings.split(",") if each and not each.startswith("*"))
    return tuple(path for path in paths if not path.endswith(unwanted) and (not wanted or path.endswith(wanted)))


def _filtered(paths: tuple[str, ...], node: Node) -> tuple[str, ...]:
    """The files that the `Filter` of an include lets in (collectd.conf(5))."""
    patterns = [word.text for child in node.children if child.key.text.lower() == "filter" for word in child.values[:1]]
    return tuple(path for path in paths if all(_names(pattern, path.rpartition("/")[2]) for pattern in patterns))


def _bare_include(node: Node, directives: Mapping[str, str]) -> Node:
    """`include FILE` among lines of `key = value` is a line without a value."""
    word, blank, _ = node.key.text.partition(" ")
    if not blank or node.words or node.children or word not in directives:
        return node
    return Node(Word(word, node.key.at), (_tail(node.key, len(word) + 1),))


def _found(keys: Mapping[str, list[Node]], name: str) -> list[Node]:
    """The nodes of a path. In a pattern `*` is any name an operator gave; of each name the last one counts."""
    if "*" not in name:
        return keys.get(name, [])
    from fnmatch import fnmatchcase

    return [nodes[-1] for path, nodes in keys.items() if fnmatchcase(path, name)]


def _understood(entry: Descriptor) -> re.Pattern[str]:
    """The settings that an entry knows, as a pattern of their paths."""
    from fnmatch import translate

    config = entry.config or Config()
    found = {*config.passes_over, *(directive for directive, _ in config.include), *(f"*.{directive}" for directive, _ in config.include)}
    blocks: list[tuple[str, Iterable[Slot | None], Conditions]] = [("", (), (*entry.when, *entry.unless, *config.unless))]
    for each in entry.sockets:
        conditions = (*each.when, *each.unless, *(condition for _, without in each.without for condition in without))
        named = (each.listen, each.port, each.end_port, each.backlog, each.excepting, *each.other_than)
        blocks.append((each.each or "", named, conditions))
    for connects in entry.connects:
        blocks.append((connects.each, (connects.keeps, connects.to, connects.bound, connects.anew), (*connects.when, *connects.unless)))
    blocks.append(("", (entry.node_ports, entry.pods), ()))
    for block, slots, conditions in blocks:
        if not block.endswith("*"):  # then its last name is what an operator called something, and may be a setting elsewhere
            found.add(block)
        sources = [source for slot in slots if slot is not None for source in slot.sources]
        sources += [source for key, _ in conditions for source in key.split("|")]
        found |= {f"{block}{source}" if source.startswith(".") else source for source in sources}
    return re.compile("|".join(translate(_unnamed(each.lower())) for each in sorted(found)))


def _unnamed(path: str) -> str:
    """A path without the names that operators gave to blocks."""
    return _BLOCK_NAME.sub("", path)


def _joined(words: tuple[Word, ...]) -> Word:
    """Words of one line as one, a blank between them."""
    first, last = words[0].at, words[-1].at
    return Word(" ".join(word.text for word in words), Span(first.path, first.line, first.column, last.end_line, last.end_column))


def _with_words(said: list[DaemonFact]) -> list[DaemonFact]:
    return [each for each in said if each.words or each.node is None or not each.node.children] or said


def _parts(word: Word, slot: Slot) -> list[Word]:
    """The values in one word, each with its own place."""
    if slot.option:
        arguments = [part.word() for part in words(SpannedText.of(word), relaxed=True)[0]]
        found_option, _ = _command_line(tuple(arguments), (frozenset((slot.option,)), frozenset((slot.option,))), False)
        return [each for each in found_option.get(slot.option, ()) if each is not None]
    text, start, parts = word.text, 0, list[tuple[int, int]]()
    if not (slot.after or slot.until or slot.pattern or any(char in text for char in slot.split)) and text and text == text.strip(" \t"):
        return [word]
    if not slot.split:
        parts.append((0, len(text)))
    else:
        for position, char in enumerate(text):
            if char in slot.split:
                parts.append((start, position))
                start = position + 1
        parts.append((start, len(text)))
    found = []
    whole = piece(word)
    for low, high in parts:
        if slot.after and (cut := text.find(slot.after, low, high)) >= 0:
            low = cut + len(slot.after)
        if slot.until and (cut := text.find(slot.until, low, high)) >= 0:
            high = cut
        while low < high and text[low] in " \t":
            low += 1
        while high > low and text[high - 1] in " \t":
            high -= 1
        if slot.pattern:
            match = re.search(slot.pattern, text[low:high])
            if match is None or match[1] is None:
                continue
            low, high = low + match.start(1), low + match.end(1)
        if low < high or not slot.split:
            cut_out = whole.cut(low, high)
            found.append(Word(cut_out.text, cut_out.at))
    return found


# ── command line ────────────────────────────────────────────────────────────────────────────────────────────────────


def _options_of(entry: Descriptor) -> tuple[frozenset[str], frozenset[str]]:
    """The options an entry names: all of them, and those that take a value."""
    valued: set[str] = set(entry.values)
    named: set[str] = set(entry.values)
    slots = [slot for each in entry.sockets for slot in (each.listen, each.port, each.end_port, each.excepting) if slot is not None]
    if entry.config is not None:
        slots += [entry.config.named, entry.config.directories, entry.config.directory]
    slots += [slot for slot in (entry.node_ports, entry.pods) if slot is not None]
    for slot in slots:
        valued.update(source for source in slot.sources if source.startswith("-"))
        valued.update(name for source in slot.sources if "{" in source for name in _NAMED_PLACE.findall(source) if name.startswith("-"))
    if entry.config is not None:
        valued.update(source for path in entry.config.paths.all for source in _NAMED_PLACE.findall(path) if source.startswith("-"))
    every = [entry.when, entry.unless, *(each.when for each in entry.sockets), *(each.unless for each in entry.sockets)]
    every += [conditions for each in entry.sockets for _, conditions in each.without]
    if entry.config is not None:
        every.append(entry.config.unless)
    for conditions in every:
        for source, wanted in ((source, wanted) for sources, wanted in conditions for source in sources.split("|")):
            if source.startswith("-"):
                named.add(source)
                if not {"set", "unset", "yes", "no"} & set(wanted):
                    valued.add(source)
    return frozenset(named | valued), frozenset(valued)


def _command_line(
    words: tuple[Word, ...], options: tuple[frozenset[str], frozenset[str]], one_dash: bool, attached: frozenset[str] = frozenset()
) -> tuple[Mapping[str, list[Word | None]], tuple[Word, ...]]:
    """The options that are known, each with its values in order (None for one without), and the other arguments.

    `--name value`, `--name=value`, `-n value`, `-nvalue`, clusters of letters; with `one_dash` also `-name value` as Go's flag package
    takes it; the value of one that is `attached` stands in the same word, or is a number behind it. Options nobody named are passed over,
    and so is not what follows them: it may be a value.
    """
    named, valued = options
    found: dict[str, list[Word | None]] = {}
    patterns = [name for name in named if "*" in name]
    others: list[Word] = []
    rest = iter(enumerate(words))
    for position, word in rest:
        text = word.text
        if not text.startswith("-") or len(text) < 2:
            others.append(word)
            continue
        if one_dash and not text.startswith("--"):
            text = f"-{text}" if text.partition("=")[0] not in named else text
        name, equals, _ = text.partition("=")
        if patterns and name not in named:
            name = next((pattern for pattern in patterns if _names(pattern, name)), name)
        if name in named:
            value: Word | None = None
            if equals:
                value = _tail(word, word.text.index("=") + 1)
            elif name in valued and position + 1 < len(words):
                following = words[position + 1].text
                if is_digits(following) if name in attached else following not in named:
                    value = next(rest)[1]
            found.setdefault(name, []).append(value)
        elif not text.startswith("--"):
            _short(word, named, valued, found, rest)
    return found, tuple(others)


def _short(
    word: Word,
    named: frozenset[str],
    valued: frozenset[str],
    found: dict[str, list[Word | None]],
    rest: Iterator[tuple[int, Word]],
) -> None:
    """Clustered letters, or a letter with its value behind it."""
    text = word.text
    first = text[:2]
    if first in valued:
        # getopt(3) gives it all that follows; where that looks like no value, the letters are more likely a cluster we know little of.
        found.setdefault(first, []).append(_tail(word, 2))
        return
    for position, letter in enumerate(text[1:], 1):
        option = f"-{letter}"
        if option not in named:
            if not letter.isalpha():
                return
            continue
        if option not in valued:
            found.setdefault(option, []).append(None)
        elif position == len(text) - 1:
            following = next(rest, None)
            found.setdefault(option, []).append(None if following is None else following[1])
        elif text[position + 1] in _VALUE:
            found.setdefault(option, []).append(_tail(word, position + 1))
            return


def _tail(word: Word, start: int) -> Word:
    cut = piece(word).cut(start, len(word.text))
    return Word(cut.text, cut.at)
