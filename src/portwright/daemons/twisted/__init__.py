"""One room: Twisted."""
