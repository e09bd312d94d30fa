"""One room: Perl."""
