"""One room: Erlang."""
