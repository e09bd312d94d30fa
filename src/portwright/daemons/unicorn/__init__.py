"""One room: Unicorn."""
