"""s6 and s6-rc: of Artix and its like, and s6-overlay of container images."""
