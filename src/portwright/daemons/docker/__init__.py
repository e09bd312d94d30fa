"""One room: Docker."""
