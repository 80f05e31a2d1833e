"""The version of the package, the one place that names it."""

__version__ = "5.0.0.dev0"
