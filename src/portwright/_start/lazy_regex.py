"""Regular expressions that are compiled when they are first used: a start compiles none of the many that its input never asks for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from re import compile as lazy_regex
else:
    import re

    class lazy_regex:
        """What re.compile gives, later: the first attribute asked for compiles it and makes its methods this object's own."""

        def __init__(self, text, flags=0):
            self._given = text, flags

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            real = re.compile(*self._given)
            for each in ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split", "pattern", "flags", "groups"):
                setattr(self, each, getattr(real, each))
            return getattr(real, name)


__all__ = ["lazy_regex"]
