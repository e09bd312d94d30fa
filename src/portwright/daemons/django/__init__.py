"""One room: Django's development server."""
