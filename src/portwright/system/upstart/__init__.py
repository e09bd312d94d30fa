"""Upstart, the init system of Ubuntu before 15.04 and of RHEL 6."""
