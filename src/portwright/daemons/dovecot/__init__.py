"""One room: Dovecot."""
