"""One room: Java."""
