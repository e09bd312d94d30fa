"""One room: nginx."""
