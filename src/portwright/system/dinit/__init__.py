"""dinit, the init system of Chimera, and one of those of Artix."""
