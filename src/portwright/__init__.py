"""portwright works out which service will listen where, as whom, under which kernel settings, and what breaks there."""

__version__ = "0.1.0"
__all__ = ("Error", "Finding", "Gap", "Place", "Result", "__version__", "check")


def __getattr__(name: str) -> object:
    # NOTE: by its name, since the command and all below import this package, too, and must not pay for what only programs use.
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("portwright.api"), name)
    raise AttributeError(f"module 'portwright' has no attribute {name!r}")
