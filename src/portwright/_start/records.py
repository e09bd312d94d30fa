"""Frozen dataclasses at a tenth of their price: what the standard decorator generates at import, made when it is first needed.

A cold start is a budget, and half of it went into `dataclasses` compiling methods for some 200 classes that one run never uses. To the
type checker these names *are* those of `dataclasses`; at run time they do the same for what is used here: `frozen`, `slots`, `order`,
defaults, `default_factory`, `__post_init__`, inheritance, `match`, copying and pickling. Nothing else is accepted.

That nobody assigns to a frozen value is the type checker's to say, and the tests' (`ENFORCE_FROZEN`, before other modules are imported): a
host makes tens of thousands of values, and guarding each at run time cost as much as making it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields, replace

    ENFORCE_FROZEN = False

    def init_source(cls: type) -> str: ...

else:
    from operator import attrgetter

    try:
        from portwright._shipped.compiled_records import INITS as _COMPILED
    except ModuleNotFoundError:
        _COMPILED = {}

    class FrozenInstanceError(AttributeError):
        """A frozen value was assigned to."""

    class _Missing:
        def __repr__(self):
            return "MISSING"

    MISSING = _Missing()
    ENFORCE_FROZEN = False
    _BUILTIN_FACTORIES = (list, dict, set)

    class Field:
        """One field: its name, and its default or the function that makes one, else MISSING."""

        __slots__ = ("default", "default_factory", "name", "type")

        def __init__(self, name, type, default, default_factory=MISSING):
            self.name = name
            self.type = type
            self.default = default
            self.default_factory = default_factory

        @property
        def is_optional(self):
            return self.default is not MISSING or self.default_factory is not MISSING

    def field(*, default=MISSING, default_factory=MISSING):
        """A field whose default is made anew for each instance."""
        return Field(None, None, default, default_factory)

    def fields(of):
        """The fields of a class or an instance, in order."""
        return of.__dataclass_fields__

    def replace(value, /, **changes):
        """A copy of a value with some fields changed; a wrong name is a TypeError."""
        cls = type(value)
        names, kept = cls.__match_args__, [*cls.__dataclass_values__(value)]
        for name, new in changes.items():
            if name not in names:
                raise TypeError(f"{cls.__qualname__} has no field {name!r}")
            kept[names.index(name)] = new
        return cls(*kept)

    def dataclass(cls=None, /, *, frozen=False, slots=False, order=False):
        """Make a class a record of its annotated fields, as `dataclasses.dataclass` does."""
        if cls is None:
            return lambda cls: _made(cls, frozen, slots, order)
        return _made(cls, frozen, slots, order)

    def _made(cls, frozen, slots, order):
        every = own = _own_fields(cls)
        inherited = ()
        if cls.__base__ is not object or len(cls.__bases__) > 1:
            inherited = {each.name: each for base in cls.__mro__[:0:-1] for each in base.__dict__.get("__dataclass_fields__", ())}
            every = {**inherited, **own}
        names = tuple(every)
        body = _methods(cls.__dict__, names, frozen, order)
        body["__dataclass_fields__"] = tuple(every.values())
        if slots:
            cls = _slotted(cls, tuple([name for name in own if name not in inherited]) if inherited else names, body)
        else:
            for name, value in body.items():
                setattr(cls, name, value)
        _give_init(cls, names, frozen and ENFORCE_FROZEN)
        return cls

    def _methods(given, names, frozen, order):
        """What a class is to have beside what its author gave it."""
        values = _values(names)
        body = {"__match_args__": names, "__dataclass_values__": staticmethod(values)}
        body["__reduce__"] = lambda self: (self.__class__, values(self))
        if "__repr__" not in given:
            body["__repr__"] = _repr
        if "__eq__" not in given:
            body["__eq__"] = lambda self, other: values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented
            if given.get("__hash__") is None:
                body["__hash__"] = (lambda self: hash(values(self))) if frozen else None
        if order:
            body["__lt__"] = lambda self, other: values(self) < values(other) if other.__class__ is self.__class__ else NotImplemented
            body["__le__"] = lambda self, other: values(self) <= values(other) if other.__class__ is self.__class__ else NotImplemented
            body["__gt__"] = lambda self, other: values(self) > values(other) if other.__class__ is self.__class__ else NotImplemented
            body["__ge__"] = lambda self, other: values(self) >= values(other) if other.__class__ is self.__class__ else NotImplemented
        if frozen and ENFORCE_FROZEN:
            body["__setattr__"] = _refuse_set
            body["__delattr__"] = _refuse_delete
        return body

    def _own_fields(cls):
        body, found = cls.__dict__, {}
        for name, annotation in cls.__annotations__.items():
            given = body.get(name, MISSING)
            if given.__class__ is not Field:
                found[name] = Field(name, annotation, given)
                continue
            given.name, given.type = name, annotation
            if given.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, given.default)
            found[name] = given
        return found

    def _slotted(cls, names, more):
        body = {name: value for name, value in cls.__dict__.items() if name not in names and name not in ("__dict__", "__weakref__")}
        body.update(more)
        body["__slots__"] = names
        body["__qualname__"] = cls.__qualname__
        return type(cls)(cls.__name__, cls.__bases__, body)

    def _values(names):
        if len(names) > 1:
            return attrgetter(*names)
        return (lambda self: (getattr(self, names[0]),)) if names else (lambda self: ())

    # ── __init__: written by the build for a wheel, in a checkout made when the first instance is ──

    def _give_init(cls, names, guarded):
        compiled = None if guarded else _COMPILED.get(f"{cls.__module__}.{cls.__qualname__}")
        # One of other fields was written for another class of this name, or before somebody changed this one.
        if compiled is not None and compiled.__code__.co_varnames[1:] == names:
            cls.__init__ = _finished(compiled, cls)
            return

        def __init__(self, *given, **named):
            cls.__init__ = _init(cls, guarded)
            cls.__init__(self, *given, **named)

        cls.__init__ = __init__
        cls.__signature__ = _Signature()

    class _Signature:
        """What inspect.signature says of a class whose __init__ is not made yet."""

        def __get__(self, instance, cls):
            from inspect import signature

            made = signature(_init(cls, False))
            return made.replace(parameters=list(made.parameters.values())[1:])

    class _Text:
        """The loader of a module that is not in a file: from it a traceback has the lines of an __init__ that was made here."""

        def __init__(self, text):
            self.text = text

        def get_source(self, name):
            return self.text

    def _init(cls, guarded):
        text = init_source(cls, guarded)
        place = f"{cls.__module__}.{cls.__qualname__}.__init__"
        made = {"__name__": place, "__loader__": _Text(text)}
        exec(compile(text, place, "exec"), made)  # noqa: S102  the names of fields, written in our own source
        return _finished(made["__init__"], cls)

    def _finished(init, cls):
        """An __init__ with the defaults that the class has: the text of one has them only where they are literals."""
        optional = [each.default for each in cls.__dataclass_fields__ if each.is_optional]
        init.__defaults__ = tuple([... if default is MISSING else default for default in optional])
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        return init

    def init_source(cls, guarded=False):
        """The text of a class's __init__, as somebody would write it; `guarded` sets the fields past the guard of a frozen class."""
        parameters, body = ["self"], []
        for number, each in enumerate(cls.__dataclass_fields__):
            name = value = each.name
            if each.default_factory is not MISSING:
                own = each.default_factory
                make = own.__name__ if own in _BUILTIN_FACTORIES else f"self.__dataclass_fields__[{number}].default_factory"
                value = f"{make}() if {name} is ... else {name}"
            parameters.append(f"{name}={_literal(each.default)}" if each.is_optional else name)
            body.append(f"object.__setattr__(self, {name!r}, {value})" if guarded else f"self.{name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        lines = "".join(f"    {line}\n" for line in body or ["pass"])
        return f"def __init__({', '.join(parameters)}):\n{lines}"

    def _literal(default):
        """A default as it is written; `...` for one that only the class knows, or a factory makes."""
        return repr(default) if default is None or default == () or type(default) in (bool, int, str) else "..."

    def _repr(self):
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{self.__class__.__qualname__}({inside})"

    def _refuse_set(self, name, value):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_delete(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")


__all__ = ["ENFORCE_FROZEN", "MISSING", "FrozenInstanceError", "dataclass", "field", "fields", "init_source", "replace"]
