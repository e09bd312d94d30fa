"""What portwright believes about hosts: rules are loaded from YAML and checked against a host.

What only people's own rules or their explanation need is imported from its module: `json_schema`, `explaining`.
"""

from portwright.rules.allowing import allowed
from portwright.rules.checking import check, held, summary
from portwright.rules.grammar import read
from portwright.rules.loading import load
from portwright.rules.rule import Rule

__all__ = ["Rule", "allowed", "check", "held", "load", "read", "summary"]
