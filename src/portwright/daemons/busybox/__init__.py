"""One room: BusyBox."""
