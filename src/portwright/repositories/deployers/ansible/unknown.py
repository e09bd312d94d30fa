"""What nobody knows: a value that stays unknown whatever is done with it, and is refused where Python wants a yes or a no."""

from typing import Any

from portwright.system.spanned_text import UNKNOWN as MARK


class Undecided(Exception):
    """Something hangs on what is not known."""


class Unknown:
    """A value that is not known. What is taken from it, or worked out with it, is not known either."""

    __slots__ = ()

    def __str__(self) -> str:
        return MARK

    __repr__ = __str__

    def __bool__(self) -> bool:
        raise Undecided

    def __iter__(self) -> Any:
        raise Undecided

    def __len__(self) -> int:
        raise Undecided

    def __contains__(self, _: object) -> bool:
        raise Undecided

    def __eq__(self, other: object) -> Any:
        return self if self is other else UNKNOWN

    def __ne__(self, other: object) -> Any:
        return self if self is other else UNKNOWN

    def __hash__(self) -> int:
        return id(self)

    def __getitem__(self, _: object) -> "Unknown":
        return self

    def __call__(self, *_: object, **__: object) -> "Unknown":
        return UNKNOWN

    def _same(self, *_: object) -> "Unknown":
        return UNKNOWN

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = __rmod__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __pos__ = _same


class Missing(Unknown):
    """A value that nothing in the repository gives, though whoever runs the playbook may: it is not *defined*, and has a default."""

    __slots__ = ()


UNKNOWN = Unknown()
OWN_NAME = Unknown()
"""The name of the machine at hand, where there is none in an inventory."""
MISSING = Missing()


def is_same(one: object, other: object) -> bool:
    """Whether two values are surely the same."""
    try:
        return bool(one == other)
    except Undecided:
        return False


def is_unknown(value: object) -> bool:
    """Whether a value itself is unknown."""
    return isinstance(value, Unknown)
