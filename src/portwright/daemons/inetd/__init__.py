"""One room: inetd."""
