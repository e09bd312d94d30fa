"""One room: gunicorn."""
