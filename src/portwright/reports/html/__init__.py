"""The page of a check for a browser: one file that loads nothing, in which what came from a host is text and never code."""
