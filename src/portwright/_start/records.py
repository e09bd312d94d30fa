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

    def source() -> str: ...

else:
    from operator import attrgetter

    try:
        from portwright._shipped.compiled_values import TEMPLATES as _TEMPLATES
    except ModuleNotFoundError:
        _TEMPLATES = {}

    class FrozenInstanceError(AttributeError):
        """A frozen value was assigned to."""

    class _Missing:
        def __repr__(self):
            return "MISSING"

    MISSING = _Missing()
    ENFORCE_FROZEN = False
    FunctionType = type(_Missing.__repr__)
    _MOST_COMPILED = 32

    class Field:
        """One field: its name, and its default or the function that makes one, else MISSING."""

        __slots__ = ("default", "default_factory", "name", "type")

        def __init__(self, default=MISSING, default_factory=MISSING):
            self.name = self.type = None
            self.default = default
            self.default_factory = default_factory

        @property
        def is_optional(self):
            return self.default is not MISSING or self.default_factory is not MISSING

    def field(*, default=MISSING, default_factory=MISSING):
        """A field whose default is made anew for each instance."""
        return Field(default, default_factory)

    def fields(of):
        """The fields of a class or an instance, in order."""
        return of.__dataclass_fields__

    def replace(value, /, **changes):
        """A copy of a value with some fields changed; a wrong name is a TypeError."""
        cls = type(value)
        kept = dict(zip(cls.__match_args__, cls.__dataclass_values__(value), strict=True))
        kept.update(changes)
        return cls(*kept.values()) if len(kept) == len(cls.__match_args__) else cls(**kept)

    def dataclass(cls=None, /, *, frozen=False, slots=False, order=False):
        """Make a class a record of its annotated fields, as `dataclasses.dataclass` does."""
        if cls is None:
            return lambda cls: _made(cls, frozen, slots, order)
        return _made(cls, frozen, slots, order)

    def _made(cls, frozen, slots, order):
        own = _own_fields(cls)
        inherited = {each.name: each for base in cls.__mro__[:0:-1] for each in base.__dict__.get("__dataclass_fields__", ())}
        every = {**inherited, **{each.name: each for each in own}}
        names = tuple(every)
        body = _methods(cls.__dict__, names, frozen, order)
        body["__dataclass_fields__"] = tuple(every.values())
        if slots:
            return _slotted(cls, tuple(each.name for each in own if each.name not in inherited), body)
        for name, value in body.items():
            setattr(cls, name, value)
        return cls

    def _methods(given, names, frozen, order):
        """What a class is to have beside what its author gave it."""
        values = _values(names)
        body = {"__match_args__": names, "__dataclass_values__": staticmethod(values), "__init__": _init_later(frozen)}
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
        found = []
        for name, annotation in cls.__annotations__.items():
            given = cls.__dict__.get(name, MISSING)
            each = given if isinstance(given, Field) else Field(given)
            each.name, each.type = name, annotation
            if isinstance(given, Field):
                if given.default is MISSING:
                    delattr(cls, name)
                else:
                    setattr(cls, name, given.default)
            found.append(each)
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

    def _init_later(frozen):
        """An __init__ that makes the real one when the first instance is made."""

        def __init__(self, *given, **named):
            cls = next(each for each in type(self).__mro__ if each.__dict__.get("__init__") is __init__)
            real = _init(cls, frozen)
            cls.__init__ = real
            real(self, *given, **named)

        return __init__

    def _init(cls, frozen):
        if frozen and ENFORCE_FROZEN:
            return _guarded(cls)
        plain = _renamed(cls.__dataclass_fields__)
        factories = tuple((each.name, each.default_factory) for each in cls.__dataclass_fields__ if each.default_factory is not MISSING)
        after = hasattr(cls, "__post_init__")
        if not factories and not after:
            return plain

        def __init__(self, *given, **named):
            plain(self, *given, **named)
            for name, make in factories:
                if getattr(self, name) is MISSING:
                    setattr(self, name, make())
            if after:
                self.__post_init__()

        return __init__

    def _renamed(every):
        """An __init__ made of the one compiled for this many fields: compiling one for each class would take ten times as long."""
        names = tuple(each.name for each in every)
        count = len(names)
        if count not in _TEMPLATES:
            exec(_template(count), made := {})  # noqa: S102  numbers of our own
            _TEMPLATES[count] = made[f"init_{count}"].__code__
        code = _TEMPLATES[count].replace(co_varnames=("self", *names), co_names=names)
        return FunctionType(code, {}, "__init__", tuple(each.default for each in every if each.is_optional))

    def _template(count):
        lines = "".join(f"    self.f{number} = p{number}\n" for number in range(count)) or "    pass\n"
        return f"def init_{count}({', '.join(('self', *(f'p{number}' for number in range(count))))}):\n{lines}"

    def source():
        """A module of the inits that classes are made of, which a build compiles once for all runs (hatch_build.py)."""
        functions = "\n\n".join(_template(count) for count in range(_MOST_COMPILED))
        return f"{functions}\n\nTEMPLATES = {{n: globals()[f'init_{{n}}'].__code__ for n in range({_MOST_COMPILED})}}\n"

    def _guarded(cls):
        """An __init__ that sets its fields past the guard, as only the tests need it."""
        known = {"_MISSING": MISSING, "_set": object.__setattr__}
        parameters, body = [], []
        for each in cls.__dataclass_fields__:
            name = value = each.name
            if each.default_factory is not MISSING:
                known[f"_make_{name}"] = each.default_factory
                parameters.append(f"{name}=_MISSING")
                value = f"_make_{name}() if {name} is _MISSING else {name}"
            elif each.default is not MISSING:
                known[f"_default_{name}"] = each.default
                parameters.append(f"{name}=_default_{name}")
            else:
                parameters.append(name)
            body.append(f"_set(self, {name!r}, {value})")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        lines = "".join(f"    {line}\n" for line in body or ["pass"])
        exec(f"def __init__(self, {', '.join(parameters)}):\n{lines}", known)  # noqa: S102  the names of fields, written in our own source
        return known["__init__"]

    def _repr(self):
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{self.__class__.__qualname__}({inside})"

    def _refuse_set(self, name, value):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_delete(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")


__all__ = ["ENFORCE_FROZEN", "MISSING", "FrozenInstanceError", "dataclass", "field", "fields", "replace", "source"]
