"""What the files of a host say beside services: accounts, names, networks, mounts, captures."""
