"""The stories: tell inputs apart, read a host, a repository, many hosts; check; plan and prove."""

from portwright.host.reading import read_host

__all__ = ["read_host"]
