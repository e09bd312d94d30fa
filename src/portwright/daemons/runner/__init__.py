"""One room: programs that run a project's command."""
