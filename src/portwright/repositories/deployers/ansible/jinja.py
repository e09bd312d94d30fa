"""Fill in Jinja with what is known: a sandbox without lookups, whose work is counted, and in which what nobody knows stays unknown.

Jinja decides with Python's truth, which knows two answers. Here the tree of a template is rewritten before it is compiled, so that each
`if`, `and`, `not`, comparison and loop can also answer "unknown": of an `if` whose condition is unknown both branches are written, and
their lines are marked as such.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import FunctionLoader, TemplateError, Undefined, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from portwright import numbers
from portwright._start.records import dataclass
from portwright.repositories.deployers.ansible.unknown import MISSING, UNKNOWN, Undecided, Unknown, is_unknown
from portwright.system.spanned_text import UNKNOWN as MARK

MOST_STEPS = 100_000
"""What one template may do: turns of its loops, calls, and pieces that it writes."""
_LONGEST = 1 << 18
"""Characters of a text that a template may make."""
_MOST_TAGS = 4_096
"""Expressions and statements of one template; each takes 20 KiB while it is compiled."""
_MOST_BITS = 256
_MOST_KEPT = 4_096
"""Compiled templates that are kept."""

FAILURES = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, SyntaxError, re.error)
"""What a template or an expression may raise, because it is wrong or because it is more than is filled in here."""


_MOST_CODES = 8_192
_CODES: dict[Any, dict[tuple[str, str], tuple[bool, Any]]] = {}
"""What texts are compiled to, by how an engine was set up: to compile is most of the work of a template."""
_INNER = re.compile("\ue000([0-9]{1,7})\ue001")
"""What marks the line of a text within a macro, between characters that no text has."""


class TooMuch(Exception):
    """A template that takes more work than it is given."""


@dataclass(frozen=True, slots=True)
class FilledLine:
    """A line of a filled template: its text, the line of the template it comes from, and whether it is sure to be written.

    `included` is the name of the template that it stands in, where that is one that another one includes.
    """

    text: str
    number: int
    is_sure: bool
    included: str = ""


class Asked:
    """Something that has its items worked out when they are asked for, as `hostvars` has."""

    __slots__ = ("ask",)

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self.ask = ask


class _NoValue(Undefined):
    """What Jinja makes for a name that it does not find, or an item that is not there."""

    def __new__(cls, *_: object, **__: object) -> Any:
        return MISSING


class _Lazy(Context):
    """Variables that are looked up, and filled in, when they are asked for."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars or key in self.environment.globals:
            return super().resolve_or_missing(key)
        return self.environment.ask(key)  # type: ignore[attr-defined]


class Engine(ImmutableSandboxedEnvironment):
    """Jinja as Ansible sets it up, with the filters and tests given; `ask` is what knows the variables.

    `steps` are what is left of the work of the template at hand, `unsure` in how many undecided branches it is, and `at` the line of what
    it wrote last, with whether that is text of the template itself.
    """

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    context_class = _Lazy

    def __init__(self, filters: Mapping[str, Callable[..., Any]], tests: Mapping[str, Callable[..., Any]], **options: Any) -> None:
        self.of = (tuple(sorted(options.items())), frozenset(filters), frozenset(tests))
        super().__init__(
            undefined=_NoValue, trim_blocks=options.pop("trim_blocks", True), keep_trailing_newline=True, optimized=False, cache_size=0,
            extensions=("jinja2.ext.do", "jinja2.ext.loopcontrols"), loader=FunctionLoader(self._found), **options,
        )  # fmt: skip
        self.known_filters = frozenset(filters)
        self.filters: Any = _Table({name: _guarded(function) for name, function in filters.items()} | _inner(self))
        own = {"defined": _defined, "undefined": _undefined}
        self.tests: Any = _Table({name: _guarded(function) for name, function in tests.items()} | own)
        self.globals.clear()
        self.globals.update(
            range=self._range, dict=dict, namespace=Namespace, lookup=_unknown, query=_unknown, q=_unknown, now=_unknown,
            __unknown=UNKNOWN,
        )  # fmt: skip
        self.ask: Callable[[str], Any] = lambda _: MISSING
        self.find: Callable[[str], str | None] = lambda _: None
        self.steps = 0
        self.unsure = 0
        self.at = (1, False, "")
        self.first_only = False
        self.taken: dict[str, Any] = {}
        self.working = False
        self._expressions: dict[str, Any] = {}
        self._templates: dict[str, Any] = {}

    # ── what is asked of it ─────────────────────────────────────────────────────────────────────────────────────────

    def value(self, text: str) -> Any:
        """What a text with blanks stands for: a value of its own where it is one expression, else a text."""
        with _Work(self):
            is_expression, template = self._compiled(text)
            try:
                if is_expression:
                    context = template.new_context({})
                    for _ in template.root_render_func(context):
                        pass
                    return context.vars["result"]
                made = "".join(each if is_sure else MARK for each, is_sure in self._written(template))
                return _INNER.sub("", made) if "\ue000" in made else made
            except Undecided:
                return UNKNOWN

    def decide(self, condition: str) -> Any:
        """What a condition (`when`) comes to: True, False or UNKNOWN."""
        found = self.value(condition if "{{" in condition else f"{{{{ {condition} }}}}")
        if is_unknown(found) or (isinstance(found, str) and MARK in found):
            return UNKNOWN
        return found not in ("False", "false", "no") if isinstance(found, str) else bool(found)

    def lines(self, text: str, is_whole: bool = False) -> list[FilledLine]:
        """A template's text, filled in. `is_whole`: its lines hang together, so that of an undecided condition one branch is written."""
        found: list[FilledLine] = []
        pieces: list[str] = []
        number, is_known, sure, included = 0, False, True, ""
        with _Work(self):
            self.first_only, self.taken = is_whole, {}
            for piece, is_sure in self._written(self._whole(text)):
                at, is_text, name = self.at
                for step, part in enumerate(piece.split("\n")):
                    own = 0
                    if "\ue000" in part:
                        own = numbers.decimal(_INNER.findall(part)[-1]) or 0
                        part = _INNER.sub("", part)
                    if step:
                        found.append(FilledLine("".join(pieces), number, sure, included))
                        pieces, number, is_known, sure = [], 0, False, True
                    # What stands before a block's mark on its line is written before the line that follows.
                    if not number or (part.strip() and not is_known):
                        number, is_known, included = own or at + (step if is_text else 0), bool(part.strip()), name
                    if part:
                        pieces.append(part)
                        sure = sure and (is_sure or not part.strip())
        if pieces:
            found.append(FilledLine("".join(pieces), number, sure, included))
        return found

    # ── how it is done ──────────────────────────────────────────────────────────────────────────────────────────────

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooMuch

    def _found(self, name: str) -> str | None:
        self.spend(100)
        return self.find(name)

    def _whole(self, text: str) -> Any:
        """A text as a template, made once."""
        made = self._templates.get(text)
        if made is None:
            if len(self._templates) > _MOST_KEPT:
                self._templates.clear()
            code = self._code(("whole", text), lambda: (False, self.compile(text)))[1]
            made = self._templates[text] = self._of_code(code)
        return made

    def _code(self, key: tuple[str, str], make: Callable[[], tuple[bool, Any]]) -> tuple[bool, Any]:
        """What a text is compiled to, once for all readings of a repository: a patch is proven by reading it again."""
        known = _CODES.setdefault(self.of, {})
        made = known.get(key)
        if made is None:
            if sum(map(len, _CODES.values())) > _MOST_CODES:
                _CODES.clear()
                known = _CODES.setdefault(self.of, {})
            made = known[key] = make()
        return made

    def _of_code(self, code: Any) -> Any:
        return self.template_class.from_code(self, code, self.make_globals(None), None)

    def _compiled(self, text: str) -> tuple[bool, Any]:
        """A text as a template, and whether it is one expression."""
        made = self._expressions.get(text)
        if made is None:
            if len(self._expressions) > _MOST_KEPT:
                self._expressions.clear()
            is_expression, code = self._code(("value", text), lambda: self._expression(text))
            made = self._expressions[text] = (is_expression, self._of_code(code))
        return made

    def _expression(self, text: str) -> tuple[bool, Any]:
        tree = self._parse(text, None, None)
        only = _only_expression(tree)
        if only is not None:
            tree.body = [nodes.Assign(nodes.Name("result", "store", lineno=1), only, lineno=1)]
            tree.set_environment(self)
        return only is not None, self.compile(tree)

    def _written(self, template: Any) -> Iterator[tuple[str, bool]]:
        """What a template writes, piece by piece, and whether that is sure."""
        length = 0
        for piece in template.root_render_func(template.new_context({})):
            self.spend()
            length += len(piece)
            if length > _LONGEST:
                raise TooMuch
            yield piece, not self.unsure

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if source.count(self.variable_start_string) + source.count(self.block_start_string) > _MOST_TAGS:
            raise TooMuch
        tree = super()._parse(source, name, filename)
        _Rewriting(self.known_filters, name or "").visit(tree)
        tree.set_environment(self)
        return tree

    def _range(self, *bounds: int) -> Any:
        if any(is_unknown(each) for each in bounds):
            return UNKNOWN
        made = range(*bounds)
        self.spend(len(made) + 1)
        return list(made)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Unknown):
            return obj
        if isinstance(obj, Asked):
            return obj.ask(attribute)
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj and attribute not in _OF_DICTS else self._safe(obj, attribute)
        return self._safe(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Unknown):
            return obj
        if isinstance(obj, Asked):
            return obj.ask(argument)
        if is_unknown(argument):
            return UNKNOWN
        if isinstance(obj, str) and MARK in obj:
            return UNKNOWN
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self._safe(obj, argument) if isinstance(argument, str) else MISSING

    def _safe(self, obj: Any, attribute: str) -> Any:
        """A method of a value that changes nothing, and takes little."""
        kind = _kind(obj)
        if attribute in _METHODS.get(kind, ()):
            return getattr(obj, attribute)
        if kind is Namespace:
            return MISSING if attribute.startswith("_") else getattr(obj, attribute, MISSING)
        if attribute in _CHANGES.get(kind, ()):
            # A list that the template made itself may grow, unless it is not known whether it does.
            if isinstance(obj, (_OwnItems, _OwnMapping)) and not self.unsure:
                self.spend(16)
                return getattr(obj, attribute)
            raise ValueError("it changes what it was given")
        return MISSING

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        self.spend()
        if isinstance(obj, Unknown) or (any(is_unknown(each) for each in args) and getattr(obj, "__self__", None) is not None):
            return UNKNOWN
        target = getattr(obj, "__self__", None)
        if isinstance(target, str):
            if MARK in target:
                return UNKNOWN
            _weigh(getattr(obj, "__name__", ""), target, args)
        return super().call(context, obj, *args, **kwargs)

    def is_safe_callable(self, obj: Any) -> bool:
        return True  # what can be reached at all was let through by getattr

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if is_unknown(left) or is_unknown(right):
            return UNKNOWN
        for each in (left, right):
            if isinstance(each, int) and each.bit_length() > _MOST_BITS:
                raise ValueError("too large a number")
        if operator == "**" and not (isinstance(right, int) and abs(right) <= _MOST_BITS):
            raise ValueError("too large a number")
        if operator == "*" and (isinstance(left, (str, list)) or isinstance(right, (str, list))):
            many = left if isinstance(left, int) else right
            what = right if isinstance(left, int) else left
            if not isinstance(many, int) or many * len(what) > _LONGEST:
                raise TooMuch
            self.spend(max(many, 1) * _weight(what) if isinstance(what, list) else max(many, 1) * len(what) // 64 + 1)
        if operator == "%" and isinstance(left, str):
            if re.search(r"%[^a-zA-Z%]*[0-9*]{4}|\*", left):
                raise ValueError("too wide")
            if MARK in left or any(is_unknown(each) for each in (right if isinstance(right, tuple) else (right,))):
                return MARK
            self.spend(_weight(right))
        if operator == "+" and isinstance(left, (str, list)):
            self.spend(len(left) // 64 + 1)
            if len(left) + len(right) > _LONGEST:
                raise TooMuch
        try:
            return super().call_binop(context, operator, left, right)
        except TypeError:
            return UNKNOWN


class _Work:
    """The work of one template; what a template asks for while it is filled in is part of its work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        engine = self._engine
        self._outer = engine.working, engine.unsure, engine.at, engine.first_only
        if not engine.working:
            engine.working, engine.steps = True, MOST_STEPS
        engine.unsure, engine.first_only = 0, False

    def __exit__(self, *_: object) -> None:
        engine = self._engine
        engine.working, engine.unsure, engine.at, engine.first_only = self._outer


class _Table(dict[str, Callable[..., Any]]):
    """Filters or tests by name; one that nobody knows gives what nobody knows."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> Callable[..., Any]:
        return _unknown

    def get(self, name: str, _: Any = None) -> Any:
        return self[name]


def _unknown(*_: Any, **__: Any) -> Unknown:
    return UNKNOWN


def _defined(value: Any) -> Any:
    return value if value is UNKNOWN else value is not MISSING


def _undefined(value: Any) -> Any:
    return value if value is UNKNOWN else value is MISSING


def _only_expression(tree: nodes.Template) -> Any:
    """The expression that a template is, None where it is more than one."""
    body = tree.body
    if len(body) != 1 or not isinstance(body[0], nodes.Output) or len(body[0].nodes) != 1:
        return None
    only = body[0].nodes[0]
    return only.node if isinstance(only, nodes.Filter) and only.name == "__shown" else None


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that is only asked about what is known, unless it says that it takes what is not."""
    if getattr(function, "takes_unknown", False):
        return function

    def guarded(*args: Any, **kwargs: Any) -> Any:
        if any(is_unknown(each) for each in args) or any(is_unknown(each) for each in kwargs.values()):
            return UNKNOWN
        try:
            return function(*args, **kwargs)
        except (Undecided, *FAILURES):
            return UNKNOWN  # something in what it was given is not known, or it does more than is done here

    for name in ("jinja_pass_arg",):
        if hasattr(function, name):
            setattr(guarded, name, getattr(function, name))
    return guarded


# ── the third answer ────────────────────────────────────────────────────────────────────────────────────────────────


class _Rewriting:
    """Rewrites a template's tree; what is made of a node has its line."""

    def __init__(self, filters: Container[str], name: str) -> None:
        self._filters = filters
        self._name = name
        self._macros = 0

    def visit(self, node: nodes.Node) -> nodes.Node:
        is_macro = isinstance(node, (nodes.Macro, nodes.CallBlock)) or (isinstance(node, nodes.FilterBlock) and self._is_known(node))
        self._macros += is_macro
        made = self._visited(node)
        self._macros -= is_macro
        return made

    def _visited(self, node: nodes.Node) -> nodes.Node:
        for name in node.fields:
            inner = getattr(node, name)
            if isinstance(inner, list):
                made: list[Any] = []
                for each in inner:
                    new = self.visit(each) if isinstance(each, nodes.Node) else each
                    made += new if isinstance(new, list) else [new]
                setattr(node, name, made)
            elif isinstance(inner, nodes.Node):
                setattr(node, name, self.visit(inner))
        change: Any = getattr(self, f"_{type(node).__name__}", None)
        return node if change is None else change(node)

    def _place(self, line: int) -> tuple[nodes.Const, nodes.Const]:
        return nodes.Const(line, lineno=line), nodes.Const(self._name, lineno=line)

    def _is_known(self, node: nodes.FilterBlock) -> bool:
        return node.filter.name in self._filters

    def _FilterBlock(self, node: nodes.FilterBlock) -> Any:
        if self._is_known(node):
            return node
        # A filter that is the repository's own: what is in its block is written, unless it makes something else of it.
        unknown = nodes.Name("__unknown", "load", lineno=node.lineno)
        return [_note("__begin", unknown, node.lineno), *node.body, _note("__end", unknown, node.lineno)]

    def _If(self, node: nodes.If) -> Any:
        otherwise: list[Any] = node.else_
        for each in reversed(node.elif_):
            otherwise = self._branches(each.test, each.body, otherwise, each.lineno)
        return self._branches(node.test, node.body, otherwise, node.lineno)

    @staticmethod
    def _branches(test: Any, body: list[Any], otherwise: list[Any], line: int) -> list[Any]:
        """`if` once more: each branch where its condition may be met, marked where that is not known."""

        asked = _asked(test)

        def guard(name: str, inside: list[Any]) -> nodes.If:
            body = [_note("__begin", test, line), *inside, _note("__end", test, line)]
            words = [nodes.Const(each, lineno=line) for each in asked]
            return nodes.If(_filter(test, name, line, *words), body, [], [], lineno=line)

        found = [guard("__may", body)]
        if otherwise:
            found.append(guard("__may_not", otherwise))
        return found

    def _For(self, node: nodes.For) -> Any:
        over, line = node.iter, node.lineno
        many = len(node.target.items) if isinstance(node.target, nodes.Tuple) else 0
        node.iter = _filter(over, "__each", line, nodes.Const(many, lineno=line))
        if node.test is not None:
            node.test = _filter(node.test, "__may", line)
        return [_note("__begin", over, line), node, _note("__end", over, line)]

    def _Assign(self, node: nodes.Assign) -> nodes.Assign:
        node.node = _filter(node.node, "__given", node.lineno)
        return node

    def _CondExpr(self, node: nodes.CondExpr) -> nodes.Expr:
        line = node.lineno
        unknown = nodes.Name("__unknown", "load", lineno=line)
        return nodes.CondExpr(_filter(node.test, "__open", line), unknown, node, lineno=line)

    def _And(self, node: nodes.And) -> nodes.Expr:
        return _filter(node.left, "__and", node.lineno, node.right)

    def _Or(self, node: nodes.Or) -> nodes.Expr:
        return _filter(node.left, "__or", node.lineno, node.right)

    def _Not(self, node: nodes.Not) -> nodes.Expr:
        return _filter(node.node, "__not", node.lineno)

    def _Compare(self, node: nodes.Compare) -> nodes.Expr:
        words: list[nodes.Expr] = []
        for each in node.ops:
            words += [nodes.Const(each.op, lineno=node.lineno), each.expr]
        return _filter(node.expr, "__compare", node.lineno, *words)

    def _Concat(self, node: nodes.Concat) -> nodes.Expr:
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "__concat", node.lineno)

    def _List(self, node: nodes.List) -> nodes.Expr:
        return _filter(node, "__list", node.lineno)

    def _Dict(self, node: nodes.Dict) -> nodes.Expr:
        return _filter(node, "__list", node.lineno)

    def _Output(self, node: nodes.Output) -> nodes.Output:
        made: list[Any] = []
        kind = "__inner" if self._macros else "__text"
        for each in node.nodes:
            line = each.lineno or node.lineno
            if isinstance(each, nodes.TemplateData):
                made.append(_filter(nodes.Const(each.data, lineno=line), kind, line, *self._place(line)))
            else:
                made.append(_filter(each, "__shown", line, *self._place(line)))
        node.nodes = made
        return node


def _asked(test: Any) -> tuple[str, Any] | tuple[()]:
    """The name that a condition compares with a constant, and that one."""
    if not (isinstance(test, nodes.Filter) and test.name == "__compare" and len(test.args) == 2):
        return ()
    operator, other = test.args
    name, node = "", test.node
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        part = node.attr if isinstance(node, nodes.Getattr) else node.arg.value if isinstance(node.arg, nodes.Const) else ""
        name, node = f".{part}{name}", node.node
    if not (isinstance(node, nodes.Name) and isinstance(operator, nodes.Const) and isinstance(other, nodes.Const)):
        return ()
    return (f"{node.name}{name}", other.value) if operator.value == "eq" else ()


def _filter(node: Any, name: str, line: int, *args: Any) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=line)


def _note(name: str, test: Any, line: int) -> nodes.ExprStmt:
    return nodes.ExprStmt(_filter(test, name, line), lineno=line)


def _inner(engine: Engine) -> dict[str, Callable[..., Any]]:
    """What the rewritten tree calls."""

    def open_(value: Any) -> bool:
        return is_unknown(value) or (isinstance(value, str) and MARK in value)

    def may(value: Any, name: str = "", wanted: Any = None) -> bool:
        if open_(value) and engine.first_only and name:
            # What was taken to be one thing is no other one further down.
            return bool(engine.taken.setdefault(name, wanted) == wanted)
        return open_(value) or bool(value)

    def may_not(value: Any, name: str = "", wanted: Any = None) -> bool:
        if open_(value) and engine.first_only:
            return bool(name) and bool(engine.taken.get(name, wanted) != wanted)
        return open_(value) or not value

    def begin(value: Any) -> None:
        engine.unsure += open_(value)

    def end(value: Any) -> None:
        engine.unsure -= open_(value)

    def each(value: Any, many: int) -> Iterator[Any]:
        unknown = (UNKNOWN,) * many if many else UNKNOWN
        if open_(value):
            yield unknown
            return
        for item in value:
            engine.spend()
            yield unknown if many and is_unknown(item) else item

    def given(value: Any) -> Any:
        return UNKNOWN if engine.unsure else value

    def and_(left: Any, right: Any) -> Any:
        if open_(left):
            return False if not open_(right) and not right else UNKNOWN
        return right if left else left

    def or_(left: Any, right: Any) -> Any:
        if open_(left):
            return right if not open_(right) and right else UNKNOWN
        return left or right

    def not_(value: Any) -> Any:
        return UNKNOWN if open_(value) else not value

    def compare(value: Any, *words: Any) -> Any:
        for operator, other in zip(words[::2], words[1::2], strict=True):
            try:
                found = _compared(value, operator, other)
            except (TypeError, Undecided):
                return UNKNOWN
            if found is UNKNOWN or not found:
                return found
            value = other
        return True

    def concat(parts: list[Any]) -> Any:
        engine.spend(len(parts))
        made = "".join([as_text(part) for part in parts])
        if len(made) > _LONGEST:
            raise TooMuch
        return made

    def list_(value: Any) -> Any:
        engine.spend(_weight(value))
        return _OwnItems(value) if isinstance(value, list) else _OwnMapping(value)

    def as_text(value: Any) -> str:
        if isinstance(value, str):
            return str(value)
        if isinstance(value, (list, tuple, dict)):
            engine.spend(_weight(value))
        elif not isinstance(value, (int, float)) and value is not None:
            return MARK
        return str(value)

    @pass_context
    def shown(_: Context, value: Any, line: int, name: str) -> str:
        engine.at = line, False, name
        return as_text(value)

    @pass_context
    def inner(_: Context, value: str, line: int, name: str) -> str:
        # What a macro makes is one piece where it is called: here each of its lines says where it is.
        return "".join(f"\ue000{line + step}\ue001{each}" for step, each in enumerate(value.splitlines(keepends=True)))

    @pass_context
    def text(_: Context, value: str, line: int, name: str) -> str:
        engine.at = line, True, name
        return value

    return {
        "__open": open_, "__may": may, "__may_not": may_not, "__begin": begin, "__end": end, "__each": each, "__given": given,
        "__and": and_, "__or": or_, "__not": not_, "__compare": compare, "__concat": concat, "__list": list_,
        "__shown": shown, "__text": text, "__inner": inner,
    }  # fmt: skip


def _compared(left: Any, operator: str, right: Any) -> Any:
    if is_unknown(left) or is_unknown(right):
        return UNKNOWN
    if operator in ("in", "notin"):
        if isinstance(left, str) and MARK in left:
            return UNKNOWN
        inside = right if isinstance(right, str) else [each for each in right if not is_unknown(each)]
        is_in = left in inside
        if not is_in and (len(inside) < len(right) or any(isinstance(each, str) and MARK in each for each in inside)):
            return UNKNOWN
        return is_in is (operator == "in")
    if any(isinstance(each, str) and MARK in each for each in (left, right)):
        return UNKNOWN
    match operator:
        case "eq":
            return left == right
        case "ne":
            return left != right
        case "lt":
            return left < right
        case "lteq":
            return left <= right
        case "gt":
            return left > right
        case _:
            return left >= right


def _weight(value: Any) -> int:
    """How much a value holds, in values and in 64 characters of a text; what stands in lists several times counts each time."""
    count, todo = 0, [value]
    while todo:
        each = todo.pop()
        count += 1 + (len(each) // 64 if isinstance(each, str) else 0)
        if count > MOST_STEPS:
            raise TooMuch
        if isinstance(each, dict):
            todo += each.values()
        elif isinstance(each, (list, tuple)):
            todo += each
    return count


_OF_DICTS = frozenset(("items", "keys", "values", "get"))
_OF_TEXTS = frozenset(
    (
        *("lower", "upper", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "replace"),
        *("find", "rfind", "count", "title", "capitalize", "isdigit", "isalpha", "isnumeric", "isalnum", "join", "removeprefix"),
        *("removesuffix", "partition"),
    )
)
_METHODS: dict[Any, frozenset[str]] = {
    dict: _OF_DICTS,
    str: _OF_TEXTS,
    list: frozenset(("index", "count")),
    tuple: frozenset(("index", "count")),
    LoopContext: frozenset(
        (
            *("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"),
            *("cycle", "changed"),
        )
    ),
}


_CHANGES: dict[Any, frozenset[str]] = {
    dict: frozenset(("update", "setdefault", "pop")),
    list: frozenset(("append", "extend", "insert", "pop", "remove", "sort", "reverse")),
}


class _OwnItems(list[Any]):
    """A list that a template makes itself."""


class _OwnMapping(dict[Any, Any]):
    """A mapping that a template makes itself."""


def _kind(value: Any) -> Any:
    return next((kind for kind in (dict, str, list, tuple, LoopContext, Namespace) if isinstance(value, kind)), None)


def _weigh(method: str, text: str, args: Iterable[Any]) -> None:
    """Whether what a method makes of a text is short enough."""
    words = [each for each in args if isinstance(each, str)]
    if method == "replace" and len(words) == 2:
        many = text.count(words[0]) if words[0] else len(text) + 1
        if len(text) + many * len(words[1]) > _LONGEST:
            raise TooMuch
    elif method == "join":
        for each in args:
            if isinstance(each, (list, tuple)) and sum(len(str(one)) + len(text) for one in each) > _LONGEST:
                raise TooMuch
