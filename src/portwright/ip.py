"""Addresses as the standard library reads them, each text once: a host names the same few again and again."""

import ipaddress
from functools import lru_cache

ip_address = lru_cache(maxsize=4096)(ipaddress.ip_address)
