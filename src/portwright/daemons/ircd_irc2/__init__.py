"""One room: the IRC server of IRCnet."""
