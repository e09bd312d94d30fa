"""Ansible: what playbooks and roles put on hosts. They are run without a host, on what the repository says of variables and machines."""

from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import Deployed


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What a playbook, or a role whose tasks begin here, does to hosts. All of a repository is run once."""
    from portwright.repositories.deployers.ansible.project import Project, project

    made: Project = checkout.once("ansible", lambda: project(checkout))
    return made.deployed(label)
