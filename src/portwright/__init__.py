"""portwright works out which service will listen where, as whom, under which kernel settings, and what breaks there."""

__version__ = "0.1.0"
