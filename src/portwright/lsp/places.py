"""Addresses of files as editors write them, and the paths they mean."""

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit


def path_of(address: str) -> str | None:
    """The absolute path that an address means; None for what is no file of this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or "\0" in path or not path.startswith("/"):
        return None
    return os.path.normpath(path)


def address_of(path: str) -> str:
    """The address of an absolute path."""
    return f"file://{quote_from_bytes(os.fsencode(path))}"
