"""One room: netcat, OpenBSD's and the traditional one."""
