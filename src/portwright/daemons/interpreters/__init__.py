"""Interpreters: what the programs they run say about their sockets."""
