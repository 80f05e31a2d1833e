"""A small broker that is always within the specification, and has its habits where that leaves a choice.

It has nothing in common with the reference broker: what is an accident of that one must not be asked of all.
"""

from tests.checker.legal.broker import PASSWORD, USERNAME, LegalBroker
from tests.checker.legal.habits import Habits

__all__ = ["PASSWORD", "USERNAME", "Habits", "LegalBroker"]
