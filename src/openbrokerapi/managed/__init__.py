"""Managed brokers: the author says how one instance and one binding are made and deleted; the package does the rest.

It keeps the state, compares repeated requests, guards against concurrent ones, carries long work out beyond the
request, survives crashes, seals what is secret, cleans up what failed, and tells the platform what the specification
asks for.
"""

from openbrokerapi.marks import nonblocking

from .answers import Bound, Failed, Provisioned
from .broker import Broker
from .key_ring import KeyRing, KeysError, Unsealed
from .offering import Offering
from .plans import Plan
from .settings import ManagedSettings
from .subjects import Binding, Instance, Who
from .work import AsyncWork, Work

__all__ = [
    "AsyncWork",
    "Binding",
    "Bound",
    "Broker",
    "Failed",
    "Instance",
    "KeyRing",
    "KeysError",
    "ManagedSettings",
    "Offering",
    "Plan",
    "Provisioned",
    "Unsealed",
    "Who",
    "Work",
    "nonblocking",
]
