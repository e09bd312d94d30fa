"""One room: systemd-socket-activate(1)."""
