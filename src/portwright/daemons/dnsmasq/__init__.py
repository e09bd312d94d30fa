"""One room: dnsmasq."""
