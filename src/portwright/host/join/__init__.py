"""Endpoints joined with privileges, addresses and limits: listeners."""
