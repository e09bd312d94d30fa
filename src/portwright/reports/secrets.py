"""Secrets that stand beside what a report shows, struck out character by character, so that carets stay where they are."""

import re

_NAME = (
    r"(?:passw(?:or)?d|passphrase|passwort|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credentials?|requirepass|masterauth"
    r"|auth[_-]?pass|sasl[_-]?pass)"
)
_VALUE = r"[\"']?([^\s\"'&;,]{1,4096})"

# Every repetition is bounded, so that a hostile line costs no more than its length.
_ASSIGNED = re.compile(rf"{_NAME}[\w.-]{{0,40}}[\"']?\s{{0,8}}(?:=>|:=|[=:])\s{{0,8}}{_VALUE}", re.IGNORECASE)
_SPACED = re.compile(rf"{_NAME}\w{{0,40}}[\"']?\s{{1,8}}(?![-=:]){_VALUE}", re.IGNORECASE)
_USERINFO = re.compile(r"://[^\s/@:\"']{0,256}:([^\s/@\"']{1,256})@")
_AUTHORIZATION = re.compile(r"(?:basic|bearer)\s{1,8}([A-Za-z0-9+/=._~-]{6,4096})", re.IGNORECASE)
_ACCESS_KEY = re.compile(r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b")


def hide(text: str) -> str:
    """A sentence with passwords, tokens and the like struck out with `*`: what is assigned to their names, and what URLs carry."""
    for pattern in (_ASSIGNED, _USERINFO, _AUTHORIZATION, _ACCESS_KEY):
        text = pattern.sub(_struck, text)
    return text


def hide_in_line(line: str) -> str:
    """A line of a file with its secrets struck out; a blank can stand between the name of a secret and its value."""
    return hide(_SPACED.sub(_struck, line))


def _struck(match: re.Match[str]) -> str:
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    whole = match.group()
    return whole[:start] + "*" * (end - start) + whole[end:]
