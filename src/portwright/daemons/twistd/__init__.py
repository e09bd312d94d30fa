"""One room: Twisted's twistd."""
