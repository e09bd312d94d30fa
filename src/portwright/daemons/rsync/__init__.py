"""One room: rsync --daemon."""
