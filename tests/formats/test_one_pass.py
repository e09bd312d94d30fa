"""The readers of HCL, Nix and Puppet take one pass over a text, however deep or broken it is, and raise nothing."""

import pytest

from portwright.formats import hcl, nix, puppet
from portwright.formats.parts import Bare, String
from portwright.source import Source

PIECES = ["(", "[", "{a=", "rec ", "-", "a.", "..", "x: ", '"${', "''${", "{a ? ", "<<E\n", "@(E)\n", "a {", "/*", "with a; ", "f "]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("parse", [hcl.parse, nix.parse, puppet.parse], ids=["hcl", "nix", "puppet"])
def test_what_is_repeated_without_end_is_read_to_its_end(parse: object, piece: str) -> None:
    assert callable(parse)
    assert parse(Source("x", piece * (100_000 // len(piece)))) is not None


def test_what_has_no_end_is_not_looked_for_again_and_again() -> None:
    assert [] == hcl.parse(Source("x.tf", "a = [\n" + "<<A\n${\nA\n," * 20_000)).blocks
    heredocs = "".join(f"$a{number} = @(E{number})\n" for number in range(20_000))
    assert 20_000 == len(puppet.parse(Source("x.pp", heredocs)).variables)
    assert puppet.parse(Source("x.pp", "@(" + " " * 100_000)).resources == ()
    assert nix.parse(Source("x.nix", "{ a ? (" * 60 + '"' + "x" * 200_000 + '"' + ")}" * 60)).cut


def test_a_heredoc_of_puppet_ends_at_the_first_line_of_its_name_behind_it() -> None:
    manifest = puppet.parse(Source("x.pp", "E\n$a = @(E)\n  b\n  c\n  | E\n$d = @(E)\ne\nE\n"))

    texts = {
        name: (value.indent, "".join(part.text for part in value.parts))
        for name, value in manifest.variables.items()
        if isinstance(value, String)
    }
    assert {"a": (2, "  b\n  c\n"), "d": (0, "e\n")} == texts


def test_a_path_of_nix_is_no_operator() -> None:
    read = nix.parse(Source("x.nix", '{ a = { b = 1; } // { c = "d"; }; e = ./f.nix; }'))

    assert isinstance(read.value, nix.Set)
    (a, joined, _), (e, path, _) = read.value.pairs
    assert isinstance(joined, nix.Set)
    assert (("a",), [("b",), ("c",)]) == (a, [names for names, _, _ in joined.pairs])
    assert isinstance(path, Bare)
    assert (("e",), "./f.nix") == (e, path.text)


def test_a_heredoc_of_terraform_loses_the_blanks_that_all_its_lines_have() -> None:
    block = hcl.parse(Source("x.tf", 'a "b" {\n  c = <<-E\n      one\n        two ${d}\n  E\n}\n')).blocks[0]

    text = block.values["c"]
    assert isinstance(text, String)
    assert text.indent == 6
    assert [(part.text, part.filled) for part in text.parts] == [("      one\n        two ", False), ("d", True), ("\n", False)]


def test_puppet_has_each_title_as_a_resource_of_its_own() -> None:
    manifest = puppet.parse(Source("x.pp", "class a { sysctl { ['b', 'c']: value => 1; 'd': value => 2 } @file { '/e': } }"))

    assert ["sysctl"] * 3 == [each.kind for each in manifest.resources]
    assert ["class a"] * 3 == [each.inside for each in manifest.resources]
