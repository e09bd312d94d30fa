"""One room: memcached."""
