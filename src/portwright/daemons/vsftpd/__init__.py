"""One room: vsftpd."""
