"""Terms: derived values that rules may ask for; a file for each kind of fact, or for what cuts across them. A function registers as one."""
