"""A repository becomes the hosts its files are meant for."""
