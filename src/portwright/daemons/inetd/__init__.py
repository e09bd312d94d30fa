"""One room: Super-servers."""
