"""systemd: units, what starts them, and with what power."""
