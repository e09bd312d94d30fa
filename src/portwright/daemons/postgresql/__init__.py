"""One room: PostgreSQL."""
