"""One room: Nmap's ncat."""
