"""One room: Python."""
