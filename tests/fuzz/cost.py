"""Whether a reader's time grows with its input or with the square of it: CPU seconds of this process, with a wide margin."""

import resource
from collections.abc import Callable

# Repeated, each is the beginning of something that a careless reader looks at again and again.
PIECES = ("a", "\n", '"', "(", "{", "<a>", "a b;", "${", "a = b\n", "/*", "key=", "://a:")
MORE_PIECES = (
    " ", "\t", "\x00", "\\", "\\\n", "'", "[", "<", "}", ";", "=", ":", ",", "-", "$", "$(", "`", "#", "%", "&", "|", "0", "*", "a=b ",
    "a {\n",
    "a {}\n", "[a]\n", "</a>", "<a b='c'/>", "<!--", "//", "<<E\n", "a:\n ", "- ", "&a ", "*a ", "token ", "-key ", "a:", "user:a@", "a-",
    "basic ", "Listen 80\n", "include a;\n", "Include a\n", "!include a\n", "include 'a'\n", "include /etc/a.conf\n",
    "[include]\nfiles=a.ini\n",
    "bind :80\n", "if a; then ", "a | ", "a && ", "f() {", "case a in a) ", "1,2-", "net.*.a=1\n", "server a 1\n", ".if a\n", "${a:-",
    "$((1+", "../", "é",
)  # fmt: skip
_SMALL, _LARGE = 8_000, 64_000
_QUICK = 0.03


def grows_too_fast(target: Callable[[bytes], object], piece: str) -> str | None:
    """A sentence where eight times the input costs more than forty times as much, or four times more than fourteen times.

    Twice a square law's margin below it, more than twice a linear one's above: what else runs on the machine does not decide.
    """
    small = _cost(target, piece, _SMALL)
    if small < _QUICK:
        # What is quick may still be a square law of a few nanoseconds, as of a regular expression.
        size, least, limit, before = _LARGE, 0.5, 40.0, small
        after = _cost(target, piece, size)
    else:
        size, least, limit, after = _SMALL, 0.0, 14.0, small
        before = _cost(target, piece, size // 4)
    if after <= max(least, limit * before):
        return None
    # Once more, before anybody is blamed for what the machine did meanwhile.
    again = _cost(target, piece, size)
    if again <= max(least, limit * before):
        return None
    return f"{piece!r} repeated: {before:.3f} s, then {again:.3f} s for {size} characters"


def _cost(target: Callable[[bytes], object], piece: str, size: int) -> float:
    data = (piece * (size // len(piece))).encode()
    before = resource.getrusage(resource.RUSAGE_SELF)
    target(data)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
