"""One room: Docker Compose."""
