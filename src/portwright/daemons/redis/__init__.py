"""One room: redis-server and its kin (valkey, keydb, sentinel)."""
