"""One room: podman and docker."""
