"""What buys a fast start, each trick in a room of its own."""
