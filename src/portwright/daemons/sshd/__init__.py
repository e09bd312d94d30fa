"""One room: OpenSSH's sshd."""
