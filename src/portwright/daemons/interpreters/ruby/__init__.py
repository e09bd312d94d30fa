"""One room: Ruby."""
