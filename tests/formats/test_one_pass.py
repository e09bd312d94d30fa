"""The readers of HCL, Nix and Puppet take one pass over a text, however deep or broken it is, and raise nothing."""

import pytest

from portwright.formats import hcl, nix, puppet
from portwright.source import Source

PIECES = ["(", "[", "{a=", "rec ", "-", "a.", "..", "x: ", '"${', "''${", "{a ? ", "<<E\n", "@(E)\n", "a {", "/*", "with a; ", "f "]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("parse", [hcl.parse, nix.parse, puppet.parse], ids=["hcl", "nix", "puppet"])
def test_what_is_repeated_without_end_is_read_to_its_end(parse: object, piece: str) -> None:
    assert callable(parse)
    assert parse(Source("x", piece * (100_000 // len(piece)))) is not None


def test_a_path_of_nix_is_no_operator() -> None:
    read = nix.parse(Source("x.nix", '{ a = { b = 1; } // { c = "d"; }; e = ./f.nix; }'))

    assert [(("a", "b"), "1"), (("a", "c"), "d"), (("e",), "./f.nix")] == [
        (names, value.text if isinstance(value, nix.Bare) else "".join(part.text for part in value.parts))
        for names, value, _ in nix.settings(read.value)
        if isinstance(value, nix.Bare | nix.String)
    ]


def test_a_heredoc_of_terraform_loses_the_blanks_that_all_its_lines_have() -> None:
    block = hcl.parse(Source("x.tf", 'a "b" {\n  c = <<-E\n      one\n        two ${d}\n  E\n}\n')).blocks[0]

    text = block.values["c"]
    assert isinstance(text, hcl.Text)
    assert text.indent == 6
    assert [(part.text, part.filled) for part in text.parts] == [("      one\n        two ", False), ("d", True), ("\n", False)]


def test_puppet_has_each_title_as_a_resource_of_its_own() -> None:
    manifest = puppet.parse(Source("x.pp", "class a { sysctl { ['b', 'c']: value => 1; 'd': value => 2 } @file { '/e': } }"))

    assert ["sysctl"] * 3 == [each.kind for each in manifest.resources]
    assert ["class a"] * 3 == [each.inside for each in manifest.resources]
