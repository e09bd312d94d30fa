"""One room: the server of Ruby on Rails."""
