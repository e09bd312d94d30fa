"""What portwright believes about hosts: rules are loaded from YAML, looked at in words, and checked against a host."""

from portwright.rules.allowing import allowed
from portwright.rules.checking import check, held, summary
from portwright.rules.explaining import Row, catalogue, explain
from portwright.rules.grammar import read
from portwright.rules.json_schema import schema, validate
from portwright.rules.loading import load
from portwright.rules.rule import Rule

__all__ = ["Row", "Rule", "allowed", "catalogue", "check", "explain", "held", "load", "read", "schema", "summary", "validate"]
