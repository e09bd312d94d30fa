"""Names that stand for names, again and again or in a circle, are values that are not known; what is long is read in one pass."""

import pytest

from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import deployed
from portwright.repositories.deployers.placed import Deployed
from portwright.trees.repository import RepositoryInMemory

MACHINE = 'resource "aws_instance" "a" {\n  user_data = "#!/bin/sh\\nsysctl -w net.core.somaxconn=%s"\n}\n'
SETTING = 'file { "/etc/sysctl.d/a.conf": content => "net.core.somaxconn = %s" }\n'


def twice(form: str, last: str) -> str:
    """Forty names, each of which is two of the next."""
    return "".join(form.format(name=f"a{number}", next=f"a{number + 1}") for number in range(40)) + last


CIRCLES = {
    "terraform": ("main.tf", 'locals {\n  a = "${local.b}${local.b}"\n  b = "${local.a}${local.a}"\n}\n' + MACHINE % "${local.a}"),
    "terraform twice": (
        "main.tf",
        "locals {\n" + twice('  {name} = "${{local.{next}}}${{local.{next}}}"\n', "  a40 = 1\n}\n") + MACHINE % "${local.a0}",
    ),
    "puppet": ("manifests/a.pp", '$a = "${b}${b}"\n$b = "${a}${a}"\n' + SETTING % "${a}"),
    "puppet twice": ("manifests/a.pp", twice('${name} = "${{{next}}}${{{next}}}"\n', "$a40 = 1\n") + SETTING % "${a0}"),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_name_that_leads_back_to_itself_or_through_too_many_is_not_known(name: str) -> None:
    label, text = CIRCLES[name]

    lines = [line.text for file in put(name.split()[0], label, text).files for line in file.lines]

    assert ["net.core.somaxconn = \ufffd"] == [line.replace("\ufffd\ufffd", "\ufffd") for line in lines if "somaxconn" in line]


def test_commands_that_hold_each_other_are_cut_and_no_recursion_without_end() -> None:
    assert put("puppet", "manifests/a.pp", "$a = [$a, $a]\nexec { 'a': command => $a }\n").cut
    assert put("nix", "a.nix", "let a = { x = a; y = a; }; in { services = a; }").cut
    joined = 'locals {\n  a = join("", [local.a, local.a, local.a, local.a])\n}\nresource "aws_instance" "a" {\n  user_data = local.a\n}\n'
    assert put("terraform", "main.tf", joined).cut


def test_user_data_that_is_its_own_name_is_no_file_of_the_repository() -> None:
    text = 'locals {\n  a = local.a\n}\nresource "aws_instance" "a" {\n  user_data = local.a\n}\n'

    assert 5 not in put("terraform", "main.tf", text).understood


def test_a_long_default_that_is_filled_in_often_is_not_known() -> None:
    text = "Parameters:\n  A: {Default: " + "a" * 100_000 + "}\nResources:\n  B:\n    Properties:\n      UserData: !Sub |\n"
    text += "        #!/bin/sh\n        sysctl -w net.core.somaxconn=1\n" + "        echo ${A}${A}${A}${A}\n" * 5000

    assert [1] == [len(file.lines) for file in put("cloudformation", "a.yaml", text).files]


def put(kind: str, label: str, text: str) -> Deployed:
    tree = RepositoryInMemory({f"/{label}": text.encode()})
    return deployed(kind, label, text, Checkout(tree, tree.walk()))
