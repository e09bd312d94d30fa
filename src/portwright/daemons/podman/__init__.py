"""One room: Podman."""
