"""One room: netcat in its four kinds (OpenBSD's, the traditional one, ncat, BusyBox's)."""
