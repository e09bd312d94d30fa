"""Secrets that stand beside what a report shows, struck out character by character, so that carets stay where they are."""

import re

from portwright._start.lazy_regex import lazy_regex

_NAME = (
    r"(?:passw(?:or)?d|passphrase|passwort|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credentials?|requirepass|masterauth"
    r"|auth[_-]?pass|sasl[_-]?pass|proxyauth)"
)
# These mean a secret only where a name ends with them (`--admin-pw`, `APP_KEY`, but not `--keyfile`), and no path stands behind them.
_ENDING_WORD = r"(?:pass|pwd?|pat|jwt|salt|cookie|session|auth|key)(?![\w-])"
_ENDING = rf"(?:(?<![a-z])(?!key){_ENDING_WORD}|[_-]key(?![\w-]))"
_VALUE = r"[\"']?([^\s\"'&;,]{1,4096})"
_NO_PATH = r"[\"']?(?![/.$~%])([^\s\"'&;,]{1,4096})"

# Every repetition is bounded, so that a hostile line costs no more than its length.
_SIGN = r"[\"']?\s{0,8}(?:=>|:=|[!=]?=~?|[=:])\s{0,8}"
_ASSIGNED = lazy_regex(rf"{_NAME}[\w.-]{{0,40}}{_SIGN}{_VALUE}", re.IGNORECASE)
_ASSIGNED_TO_ENDING = lazy_regex(rf"{_ENDING}{_SIGN}{_NO_PATH}", re.IGNORECASE)
_SPACED = lazy_regex(rf"{_NAME}\w{{0,40}}[\"']?\s{{1,8}}(?![-=:!]){_VALUE}", re.IGNORECASE)
_SPACED_FROM_ENDING = lazy_regex(rf"-{_ENDING_WORD}[\"']?\s{{1,8}}(?![-=:!]){_NO_PATH}", re.IGNORECASE)
# user:password before an @ (in a URL the user may be missing or be the token itself), and after the flags that take the pair.
_USERINFO = lazy_regex(r"(?://[^\s/@:\"']{0,256}|(?<![\w.+@-])[\w.+-]{1,64}):([^\s/@:\"']{1,256})@(?=[\w\[])")
_USER_ALONE = lazy_regex(r"://([\w+=-]{12,256})@")
_PAIR = lazy_regex(r"(?:\s-u|--user|\bauth|basic)[\s=]{1,8}[\"']?[\w.@-]{1,64}:([^\s\"']{1,256})", re.IGNORECASE)
_AUTHORIZATION = lazy_regex(r"(?:basic|bearer)\s{1,8}([A-Za-z0-9+/=._~-]{6,4096})", re.IGNORECASE)
_ACCESS_KEY = lazy_regex(r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b")
_LONG = lazy_regex(r"(?<![\w+/.-])[\w+-]{24,4096}={0,2}(?![\w+/.=-])", re.ASCII)
_NAMES_A_SECRET = lazy_regex(rf"{_NAME}|{_ENDING}|^key$", re.IGNORECASE)

# What _NAME or _ENDING holds, and the patterns in the order they are tried, each with characters and with words (in small letters) of
# which a match holds one.
_STEMS = ("pass", "secret", "token", "key", "credential", "auth", "pw", "pat", "jwt", "salt", "cookie", "session")
_SET, _AT, _COLON = frozenset("=:"), frozenset("@"), frozenset(":")
_SIGNS = (
    (_ASSIGNED, _SET, _STEMS),
    (_ASSIGNED_TO_ENDING, _SET, _STEMS),
    (_USERINFO, _AT, (":",)),
    (_USER_ALONE, _AT, ("://",)),
    (_PAIR, _COLON, ("-u", "auth", "basic")),
    (_AUTHORIZATION, frozenset("bB"), ("basic", "bearer")),
    (_ACCESS_KEY, frozenset("A"), ("akia", "asia")),
)
_IN_LINES = ((_SPACED, frozenset(" \t\n\r\v\f\x1c\x1d\x1e\x1f"), _STEMS), (_SPACED_FROM_ENDING, frozenset("-"), _STEMS))


def hide(text: str) -> str:
    """A sentence with passwords, tokens and the like struck out with `*`: what is assigned to their names, and what URLs carry."""
    return _LONG.sub(_struck_if_random, _strike(text, _SIGNS))


def hide_value(key: str, value: str) -> str:
    """A setting's value, struck out where its key names a secret (net.ipv4.tcp_fastopen_key)."""
    return "*" * len(value) if _NAMES_A_SECRET.search(key.rpartition(".")[2]) else hide(value)


def hide_in_line(line: str) -> str:
    """A line of a file with its secrets struck out; a blank can stand between the name of a secret and its value."""
    return hide(_strike(line, _IN_LINES))


def _strike(text: str, signs: tuple[tuple[re.Pattern[str], frozenset[str], tuple[str, ...]], ...]) -> str:
    # Letters beyond ASCII may stand for others where case does not count: then every pattern is asked.
    small = text.lower() if text.isascii() else None
    for pattern, characters, words in signs:
        if small is None or (not characters.isdisjoint(text) and any(word in small for word in words)):
            text = pattern.sub(_struck, text)
    return text


def _struck(match: re.Match[str]) -> str:
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    whole = match.group()
    return whole[:start] + "*" * (end - start) + whole[end:]


def _struck_if_random(match: re.Match[str]) -> str:
    """Letters of both cases and digits in one long word are a key or token; a name has words of one kind."""
    word = match.group()
    cases = (any(c.islower() for c in word), any(c.isupper() for c in word), any(c.isdigit() for c in word))
    return "*" * len(word) if all(cases) else word
