"""One room: podman-compose."""
