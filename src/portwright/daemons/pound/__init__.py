"""One room: Pound."""
