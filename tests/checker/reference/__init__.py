"""A complete broker of OSB API 2.17 that can be told to break any single rule: the checker is proven against it."""

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import Fault, all_faults

__all__ = ["Fault", "Reference", "all_faults"]
