"""Terms: derived values that rules may ask for; a kind of fact a file."""
