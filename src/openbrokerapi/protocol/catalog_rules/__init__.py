"""The rules of the specification for a catalog, as far as they can be seen in one catalog.

The specification's section is "Catalog Management"; the metadata and the dashboard client come from its profile.
"""

from .check import check
from .finding import LEVELS, Finding, Level

__all__ = ["LEVELS", "Finding", "Level", "check"]
