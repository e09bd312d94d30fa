"""One room: haproxy."""
