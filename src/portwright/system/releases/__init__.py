"""Which kernel and which systemd a host has, and what each of them knows."""
