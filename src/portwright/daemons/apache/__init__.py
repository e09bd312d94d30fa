"""One room: Apache httpd."""
