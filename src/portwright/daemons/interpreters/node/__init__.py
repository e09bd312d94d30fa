"""One room: Node.js."""
