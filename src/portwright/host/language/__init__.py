"""The language of rules: its words, comparisons and what they mean."""
