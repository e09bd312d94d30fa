"""One room: supervisord(1)."""
