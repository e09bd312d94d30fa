"""One room: Lua."""
