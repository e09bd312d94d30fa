"""What portwright believes about hosts: rules are loaded from YAML, looked at in words, and checked against a host.

Here is what every check takes; writing, explaining and allowing are modules of their own, which a run imports where it needs them.
"""

from portwright.rules.checking import check, evaluate
from portwright.rules.loading import load
from portwright.rules.rule import Rule

__all__ = ["Rule", "check", "evaluate", "load"]
