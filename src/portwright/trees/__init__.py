"""Where a host's files come from: one module for each origin; all of them look like `Tree`."""

from portwright.trees.tree import Attributes, Files, ReadError, Tree, holds_only_secrets

__all__ = ["Attributes", "Files", "ReadError", "Tree", "holds_only_secrets"]
