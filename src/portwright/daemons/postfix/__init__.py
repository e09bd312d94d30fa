"""One room: Postfix's master."""
