"""One room: socat(1)."""
