"""OpenRC: what its runlevels start."""
