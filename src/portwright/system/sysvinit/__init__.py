"""sysvinit: what the links of runlevels start."""
