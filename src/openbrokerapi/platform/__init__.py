"""The platform's side of the Open Service Broker API 2.17: a client for any broker, and a simulated platform.

`Client` and `AsyncClient` send the ten requests and read their answers; `Platform` and `AsyncPlatform` do what a
platform does around them: wait, fetch, remember, clean up. Nothing here shares code with the broker's side.
"""

from . import calls
from .address import OriginatingIdentity
from .answers import (
    Answer,
    Begun,
    Binding,
    BindingMetadata,
    Bound,
    Deprovisioned,
    Instance,
    InstanceMetadata,
    LastOperation,
    MaintenanceInfo,
    NetworkEndpoint,
    Provisioned,
    Unbound,
    Updated,
)
from .async_client import AsyncClient
from .catalog import Catalog, Offering, Plan
from .client import Client
from .contexts import Context, cloud_foundry, kubernetes
from .conversation import Ask, Conversation, Pause
from .errors import (
    AsyncRequired,
    BadRequest,
    BrokerError,
    ConcurrencyError,
    Conflict,
    Failed,
    Gone,
    MaintenanceInfoConflict,
    MalformedAnswer,
    NoAnswer,
    NotAllowed,
    NotFound,
    OperationFailed,
    OrphanLeft,
    PlatformError,
    PollingTimedOut,
    Refused,
    RequiresApp,
    Unauthorized,
    UnexpectedStatus,
    VersionRefused,
)
from .habits import Habits
from .orphans import Backoff, Mitigation, Orphan, mitigation_after
from .polling import Polling
from .reading import Call
from .request import Endpoint, Request, Response
from .simulated import (
    AsyncPlatform,
    AsyncServiceBinding,
    AsyncServiceInstance,
    Platform,
    ServiceBinding,
    ServiceInstance,
)

__all__ = [
    "Answer",
    "Ask",
    "AsyncClient",
    "AsyncPlatform",
    "AsyncRequired",
    "AsyncServiceBinding",
    "AsyncServiceInstance",
    "Backoff",
    "BadRequest",
    "Begun",
    "Binding",
    "BindingMetadata",
    "Bound",
    "BrokerError",
    "Call",
    "Catalog",
    "Client",
    "ConcurrencyError",
    "Conflict",
    "Context",
    "Conversation",
    "Deprovisioned",
    "Endpoint",
    "Failed",
    "Gone",
    "Habits",
    "Instance",
    "InstanceMetadata",
    "LastOperation",
    "MaintenanceInfo",
    "MaintenanceInfoConflict",
    "MalformedAnswer",
    "Mitigation",
    "NetworkEndpoint",
    "NoAnswer",
    "NotAllowed",
    "NotFound",
    "Offering",
    "OperationFailed",
    "OriginatingIdentity",
    "Orphan",
    "OrphanLeft",
    "Pause",
    "Plan",
    "Platform",
    "PlatformError",
    "Polling",
    "PollingTimedOut",
    "Provisioned",
    "Refused",
    "Request",
    "RequiresApp",
    "Response",
    "ServiceBinding",
    "ServiceInstance",
    "Unauthorized",
    "Unbound",
    "UnexpectedStatus",
    "Updated",
    "VersionRefused",
    "calls",
    "cloud_foundry",
    "kubernetes",
    "mitigation_after",
]
