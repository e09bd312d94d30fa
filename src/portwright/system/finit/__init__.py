"""finit, an init system of small machines."""
