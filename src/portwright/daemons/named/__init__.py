"""One room: BIND's named."""
