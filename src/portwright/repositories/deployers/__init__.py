"""What other files of a repository do to a host: a deployer is a module here, and turns one source into `Deployed`.

Each has a function `deployed(label, text, checkout)`: the path of the source in its repository, its text, and what else the repository
has. It takes what is literal and leaves the rest: what it cannot work out is U+FFFD in the text, and nothing is ever run.
"""

from importlib import import_module

from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import Deployed

MODULES = {
    "ansible": "ansible",
    "butane": "first_boot",
    "chef": "chef",
    "cloud-config": "first_boot",
    "cloudformation": "cloudformation",
    "debian install": "debian",
    "hiera": "hiera",
    "ignition": "first_boot",
    "kickstart": "kickstart",
    "kubernetes": "kubernetes",
    "makefile": "makefile",
    "nix": "nixos",
    "nomad": "nomad",
    "packer": "terraform",
    "packer template": "packer_json",
    "preseed": "kickstart",
    "puppet": "puppet",
    "rpm spec": "rpm",
    "salt": "salt",
    "shell script": "shell",
    "terraform": "terraform",
    "tuned": "tuned",
    "vagrant": "vagrant",
    "workflow": "workflow",
}
"""The module that reads each kind of source."""


def deployed(kind: str, label: str, text: str, checkout: Checkout) -> Deployed:
    """What a source of this kind puts on a host; nothing for a kind that no deployer reads, or a text that is none of its kind."""
    if kind not in MODULES:
        return Deployed()
    found: Deployed = import_module(f"{__name__}.{MODULES[kind]}").deployed(label, text, checkout)
    return found
