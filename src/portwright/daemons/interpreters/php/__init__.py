"""One room: PHP."""
