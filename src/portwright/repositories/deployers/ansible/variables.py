"""The variables of a task: layers by Ansible's precedence, looked up and filled in when they are asked for."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.deployers.ansible.filters import FILTERS, OMIT, TESTS
from portwright.repositories.deployers.ansible.jinja import FAILURES, Engine, FilledLine, TooMuch
from portwright.repositories.deployers.ansible.unknown import MISSING, UNKNOWN, Undecided, is_unknown
from portwright.repositories.deployers.ansible.values import SECRET, Items, Mapping, Place, Text, place_of, text_at
from portwright.system.spanned_text import UNKNOWN as MARK

Layer = AnyMapping[Any, Any]

# What a connection is made with is no fact: it is there, or it is not.
_NO_FACTS = frozenset(("ansible_host", "ansible_port", "ansible_user", "ansible_ssh_host", "ansible_ssh_port", "ansible_ssh_user"))
_CONSTANTS: dict[str, Any] = {"ansible_managed": "Ansible managed", "ansible_check_mode": False, "omit": OMIT}
_MAGIC = frozenset(
    (
        *("inventory_hostname", "inventory_hostname_short", "group_names", "groups", "hostvars", "inventory_dir", "inventory_file"),
        *("play_hosts", "environment", "vars", "item"),
    )
)
_DEEPEST = 40
_MOST_VALUES = 50_000
_NAME = lazy_regex(r"[A-Za-z_]\w{0,80}(?:\.[A-Za-z_]\w{0,80}){0,8}")
_PLAIN = lazy_regex(r"\{\{[ \t]*([A-Za-z_]\w{0,80}(?:\.[A-Za-z_]\w{0,80}){0,8})[ \t]*\}\}")
_WORDS = frozenset(("true", "false", "True", "False", "none", "None", "omit"))
_HEADER = lazy_regex(r"#jinja2:([^\n]*)\n")


class Filling:
    """The engine of one repository, and what is said of a template that is too much for it."""

    def __init__(self, say: Callable[[Place | None, str], None]) -> None:
        self._engines: dict[tuple[tuple[str, Any], ...], Engine] = {}
        self.say = say
        self._plain: dict[int, tuple[object, bool]] = {}

    def is_plain(self, value: Any) -> bool:
        """Whether nothing in a mapping or list of a file is to be filled in; each is looked through once."""
        known = self._plain.get(id(value))
        if known is None:
            todo: list[Any] = [value]
            found = True
            while todo and found:
                each = todo.pop()
                if isinstance(each, dict):
                    todo += [*each.keys(), *each.values()]
                elif isinstance(each, list):
                    todo += each
                else:
                    found = each is not SECRET and not is_unknown(each) and not (isinstance(each, str) and "{" in each)
            known = self._plain[id(value)] = (value, found)  # kept, so that no other value gets its number
        return known[1]

    def engine(self, options: tuple[tuple[str, Any], ...] = ()) -> Engine:
        """The engine for templates with these options."""
        if options not in self._engines:
            self._engines[options] = Engine(FILTERS, TESTS, **dict(options))
        return self._engines[options]


class Variables:
    """The layers of variables that a task sees, the highest first; `filling` is what fills in."""

    def __init__(self, filling: Filling, layers: Sequence[Layer]) -> None:
        self.filling = filling
        self.layers = tuple(layers)
        self._known: dict[str, Any] = {}
        self._asked: list[str] = []
        self._left = _MOST_VALUES

    def over(self, *layers: Layer) -> "Variables":
        """The same with layers above."""
        return Variables(self.filling, (*(layer for layer in layers if layer), *self.layers))

    def forget(self) -> None:
        """What was filled in may be something else now: a fact was set."""
        self._known.clear()

    def get(self, name: str) -> Any:
        """The value of a variable, filled in; UNKNOWN for a fact, MISSING for what nobody gives."""
        if name in self._known:
            return self._known[name]
        if name in self._asked or len(self._asked) > _DEEPEST:
            return UNKNOWN  # it hangs on itself
        for layer in self.layers:
            if name in layer:
                self._asked.append(name)
                try:
                    found = self.filled(layer[name])
                finally:
                    self._asked.pop()
                break
        else:
            found = _CONSTANTS.get(name, MISSING)
            if found is MISSING and (name in _MAGIC or (name.startswith("ansible_") and name not in _NO_FACTS)):
                found = UNKNOWN
        self._known[name] = found
        return found

    def filled(self, value: Any, depth: int = 0) -> Any:
        """A value with its blanks filled in, as far as that is known."""
        if isinstance(value, str):
            return self._text(value) if "{" in value else value
        if value is SECRET:
            return UNKNOWN
        if isinstance(value, (dict, list)):
            if isinstance(value, (Mapping, Items)) and self.filling.is_plain(value):
                return value
            self._left -= len(value) + 1
            if self._left < 0 or depth > _DEEPEST:
                return UNKNOWN
            if isinstance(value, dict):
                pairs = [(self.filled(key, depth + 1), self.filled(each, depth + 1)) for key, each in value.items()]
                # A mapping or list of which nothing changes keeps its place, and is not made again.
                if all(one is other and left is right for (left, one), (right, other) in zip(pairs, value.items(), strict=True)):
                    return value
                return {key: each for key, each in pairs if each is not OMIT and not is_unknown(key) and not isinstance(key, (dict, list))}
            items = [self.filled(each, depth + 1) for each in value]
            if all(one is other for one, other in zip(items, value, strict=True)):
                return value
            return [each for each in items if each is not OMIT]
        return value

    def _text(self, text: str) -> Any:
        if ("{{" not in text and "{%" not in text and "{#" not in text) or (isinstance(text, Text) and text.is_safe):
            return text
        plain = _PLAIN.fullmatch(text)
        if plain is not None:
            return self._part(plain[1])  # as it is, with its place
        found = self._asking(self.filling.engine(), lambda engine: engine.value(str(text)), place_of(text))
        # What is put together stands where it is put together; what is taken as it is stands where it was.
        return text_at(found, place_of(text)) if isinstance(found, str) and place_of(found) is None else found

    def _part(self, dotted: str) -> Any:
        """The value of a name, or of a part of it, as Jinja finds it."""
        name, *parts = dotted.split(".")
        found = self.get(name)
        engine = self.filling.engine()
        for part in parts:
            try:
                found = engine.getattr(found, part)
            except ValueError:
                return UNKNOWN
        return UNKNOWN if callable(found) and not is_unknown(found) else found

    def decide(self, condition: Any) -> Any:
        """Whether a condition is met: True, False or UNKNOWN."""
        if isinstance(condition, list):
            found: Any = True
            for each in condition:
                one = self.decide(each)
                if one is False:
                    return False
                found = found if one is True else one
            return found
        if condition is None or isinstance(condition, (bool, int, float)):
            return bool(condition) if condition is not None else True
        if not isinstance(condition, str):
            return UNKNOWN
        bare = condition.strip()
        if _NAME.fullmatch(bare) and bare not in _WORDS:
            found = self._part(bare)
            if is_unknown(found) or (isinstance(found, str) and MARK in found):
                return UNKNOWN
            return found.strip().lower() not in ("false", "no", "") if isinstance(found, str) else bool(found)
        found = self._asking(self.filling.engine(), lambda engine: engine.decide(bare), place_of(condition))
        return UNKNOWN if is_unknown(found) else found

    def lines(
        self,
        text: str,
        at: Place,
        options: AnyMapping[str, Any],
        is_whole: bool = False,
        find: Callable[[str], str | None] = lambda _: None,
    ) -> list[FilledLine] | None:
        """A template's text, filled in; None where it cannot be. `is_whole` as the engine has it, `find` gives what a template includes."""
        chosen = {name: options[name] for name in ("trim_blocks", "lstrip_blocks") if isinstance(options.get(name), bool)}
        skipped = 0
        header = _HEADER.match(text)
        if header is not None:
            for part in header[1].split(","):
                name, _, value = (word.strip() for word in part.partition(":"))
                if name in ("trim_blocks", "lstrip_blocks"):
                    chosen[name] = value.lower() in ("true", "yes")
            text, skipped = text[header.end() :], 1
        marks = ("variable_start_string", "variable_end_string", "block_start_string", "block_end_string", "comment_start_string")
        for name in (*marks, "comment_end_string"):
            if isinstance(options.get(name), str) and 0 < len(options[name]) < 9:
                chosen[name] = str(options[name])
        engine = self.filling.engine(tuple(sorted(chosen.items())))
        engine.find = find
        found = self._asking(engine, lambda engine: engine.lines(text, is_whole), at)
        if is_unknown(found):
            return None
        return [FilledLine(each.text, each.number + (0 if each.included else skipped), each.is_sure, each.included) for each in found]

    def _asking(self, engine: Engine, question: Callable[[Engine], Any], at: Place | None) -> Any:
        outer, engine.ask = engine.ask, self.get
        try:
            return question(engine)
        except TooMuch:
            self.filling.say(at, "its template takes too much work to be filled in")
            return UNKNOWN
        except (*FAILURES, Undecided):
            return UNKNOWN
        finally:
            engine.ask = outer


def text_of(value: Any) -> str | None:
    """A filled value as the text that a module gets; None for what is no text, with U+FFFD where it is not known."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if is_unknown(value):
        return MARK
    return str(value) if isinstance(value, (str, int, float)) else None


def is_true(value: Any) -> bool:
    """Whether an argument says yes."""
    if isinstance(value, str):
        return value.lower() in ("yes", "true", "on", "1")
    return isinstance(value, int) and value == 1
