"""Kernel settings: which values are in force and which line said so."""
