"""A pattern that is compiled later is the pattern all the same."""

import re
import subprocess
import sys

import pytest

from portwright._start import lazy_regex as patterns
from portwright._start.lazy_regex import lazy_regex


def test_a_pattern_answers_as_one_of_re_does() -> None:
    for made in (lazy_regex(r"(a)(b)?", re.IGNORECASE), re.compile(r"(a)(b)?", re.IGNORECASE)):
        assert "AB" == made.sub(r"\g<0>", "AB")
        assert [("A", ""), ("a", "b")] == made.findall("A-ab")
        assert (r"(a)(b)?", 2) == (made.pattern, made.groups)
        assert made.fullmatch("abc") is None
        assert {} == dict(made.groupindex)


def test_a_wrong_pattern_is_an_error_when_it_is_used() -> None:
    with pytest.raises(re.error):
        lazy_regex("(").match("")


def test_every_pattern_of_the_project_compiles_and_none_does_at_import() -> None:
    code = (
        "import re, sys, pkgutil, importlib, portwright\n"
        "import portwright._start.lazy_regex as patterns\n"
        "made = []\n"
        "start = patterns.lazy_regex.__init__\n"
        "def keep(self, *given): made.append(self); start(self, *given)\n"
        "patterns.lazy_regex.__init__ = keep\n"
        "for each in pkgutil.walk_packages(portwright.__path__, 'portwright.'):\n"
        "    if not each.name.endswith('__main__'): importlib.import_module(each.name)\n"
        "print(len(made) > 80, sum('match' in vars(each) for each in made))\n"
        "for each in made: each.match('')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)

    assert ("True 0\n", "") == (run.stdout, run.stderr)
    assert patterns.__all__ == ["lazy_regex"]
