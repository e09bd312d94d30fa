"""One room: rackup."""
