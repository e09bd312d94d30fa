"""One room: xinetd."""
