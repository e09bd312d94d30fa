"""One room: Puma."""
