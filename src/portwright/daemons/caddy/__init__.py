"""One room: Caddy."""
