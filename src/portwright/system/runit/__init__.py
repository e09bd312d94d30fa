"""runit: what the links of a service directory start."""
