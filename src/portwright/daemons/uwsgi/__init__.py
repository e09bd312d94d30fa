"""One room: uWSGI."""
