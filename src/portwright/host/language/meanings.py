"""What each word of a rule means: the fields of facts as their kinds say them, and the named values in the words of their functions."""

from portwright.facts import kinds
from portwright.host.terms.registry import Kind, Term

_OF_ALL = {
    "at": "the line it comes from",
    "confidence": "how certain it is: the files state it, something outside them could change it, or it is a guess",
    "why": "why it starts, or never does, in words",
}

TYPES = {
    "text": "one line of text",
    "flag": "`true` or `false`",
    "number": "a number; an integer, except for times",
    "ports": "a list of ports and ranges as the kernel writes it: `80,8000-8010`",
    "words": "several words",
    "claim": "what a bind() requests of the kernel",
    "turn": "when a bind() happens",
    "place": "a line of a file",
    "edits": "lines of a config that are to say something else",
}

VERBS: dict[str, str] = {
    "is": "equals",
    "is-not": "does not equal; also holds where the value is unknown",
    "in": "is one of a list",
    "not-in": "is none of a list; also holds where the value is unknown",
    "starts-with": "begins with",
    "ends-with": "ends with",
    "at-least": "is this or more",
    "at-most": "is this or less",
    "more-than": "is more than this",
    "less-than": "is less than this",
    "within": "there is at least one port, and all are among these",
    "overlaps": "shares at least one port; of two claims: the kernel would reject the second",
    "not-after": "is not known to come after the other: it is earlier, or the two are not ordered",
    "has": "one of the words is this",
    "lacks": "none of the words is this; also holds where they are unknown",
    "counts-at-least": "counts this many or more",
}


def meaning(kind: Kind, name: Term) -> str:
    """A word of this kind in a sentence."""
    if name.compute is not None:
        return name.meaning
    return kinds()[kind].words.get(name.name) or _OF_ALL.get(name.name) or name.meaning
