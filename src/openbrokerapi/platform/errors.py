# ruff: noqa: N818 - they are called after what the broker says, as in the specification
"""What can go wrong between a platform and a broker, each with what a platform has to know about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import LastOperation
    from .request import Endpoint


class PlatformError(Exception):
    """Whatever goes wrong between the platform and the broker.

    Attributes:
        endpoint: The request that it is about.
        request_identity: The ``X-Broker-API-Request-Identity`` of that request: look for it in the broker's log.
        mitigated: True if the orphan that this error may have left was deleted, False if nobody tried.
    """

    def __init__(self, message: str, *, endpoint: Endpoint | None = None, request_identity: str = "") -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.request_identity = request_identity
        self.mitigated = False

    def __reduce__(self) -> Any:
        """Say how it is copied and pickled: as it is, for most cannot be made of a message alone."""
        return _same, (type(self), self.args), self.__dict__


def _same(kind: type[PlatformError], arguments: tuple[Any, ...]) -> PlatformError:
    return kind.__new__(kind, *arguments)


class NoAnswer(PlatformError):
    """The broker did not answer: it was not reached, the connection broke, or the time was over.

    Attributes:
        sent: False if the request cannot have reached the broker.
        timed_out: True if the time was over, False if the connection failed.
    """

    def __init__(
        self,
        message: str,
        *,
        endpoint: Endpoint | None = None,
        request_identity: str = "",
        sent: bool = True,
        timed_out: bool = False,
    ) -> None:
        super().__init__(message, endpoint=endpoint, request_identity=request_identity)
        self.sent = sent
        self.timed_out = timed_out


class BrokerError(PlatformError):
    """The broker's answer is no success.

    Attributes:
        status: The HTTP status.
        error: The error code, such as ``ConcurrencyError``, or None (ERR-03).
        description: What the broker says to the user, or None.
        instance_usable: Whether the instance still works after a failed update or deprovision; True if the broker does
            not say (ERR-09).
        update_repeatable: Whether the same update may succeed later; True if the broker does not say (ERR-09).
        retry_after: The seconds that the broker asks to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        error: str | None = None,
        description: str | None = None,
        instance_usable: bool = True,
        update_repeatable: bool = True,
        retry_after: float | None = None,
        endpoint: Endpoint | None = None,
        request_identity: str = "",
    ) -> None:
        super().__init__(message, endpoint=endpoint, request_identity=request_identity)
        self.status = status
        self.error = error
        self.description = description
        self.instance_usable = instance_usable
        self.update_repeatable = update_repeatable
        self.retry_after = retry_after


class BadRequest(BrokerError):
    """400: the request is malformed, or data in it is wrong or missing."""


class Unauthorized(BrokerError):
    """401: the credentials are wrong or missing."""


class NotFound(BrokerError):
    """404: there is no such instance or binding, or it is still being made."""


class Conflict(BrokerError):
    """409: the id is taken by an instance or binding with other attributes."""


class Gone(BrokerError):
    """410: what was to be deleted is not there."""


class VersionRefused(BrokerError):
    """412: the broker does not speak this version of the API; the description says which it wants."""


class AsyncRequired(BrokerError):
    """The broker can do this only asynchronously: send ``accepts_incomplete=true`` (ERR-14)."""


class ConcurrencyError(BrokerError):
    """Another operation on the same resource is in progress: wait until it is over. Nothing is to be cleaned up."""


class RequiresApp(BrokerError):
    """The broker binds applications only: send ``app_guid``."""


class MaintenanceInfoConflict(BrokerError):
    """The maintenance version that was sent is not the catalog's any more: fetch the catalog anew."""


class Refused(BrokerError):
    """Any other 4xx: the request is rejected, and nothing changed."""


class Failed(BrokerError):
    """5xx: the broker failed, and what it did before that is not known."""


class UnexpectedStatus(BrokerError):
    """A status that means nothing at this endpoint: another 2xx, a redirect. A platform takes it for a failure."""


class MalformedAnswer(BrokerError):
    """A status of success with a body that is not what the specification asks for."""


class OperationFailed(PlatformError):
    """An asynchronous operation ended as ``failed``.

    Attributes:
        last: The last answer of ``last_operation``, with description and flags; None if there was none.
    """

    def __init__(
        self, message: str, *, last: LastOperation | None, endpoint: Endpoint | None = None, request_identity: str = ""
    ) -> None:
        super().__init__(message, endpoint=endpoint, request_identity=request_identity)
        self.last = last

    @property
    def instance_usable(self) -> bool:
        """Tell whether the instance still works; True if the broker does not say (ERR-09)."""
        return self.last is None or self.last.instance_usable

    @property
    def update_repeatable(self) -> bool:
        """Tell whether the same update may succeed later; True if the broker does not say (ERR-09)."""
        return self.last is None or self.last.update_repeatable


class PollingTimedOut(OperationFailed):
    """The maximum polling duration is over: the operation counts as failed (POL-03).

    Attributes:
        trouble: What the last poll ran into, if it brought no valid answer.
    """

    def __init__(
        self,
        message: str,
        *,
        last: LastOperation | None,
        trouble: PlatformError | None = None,
        endpoint: Endpoint | None = None,
        request_identity: str = "",
    ) -> None:
        super().__init__(message, last=last, endpoint=endpoint, request_identity=request_identity)
        self.trouble = trouble


class OrphanLeft(PlatformError):
    """Orphan mitigation was given up: the broker may still have the resource.

    Attributes:
        instance_id, binding_id: What may be left; binding_id is None for an instance.
        attempts: How often it was tried to delete it.
    """

    def __init__(self, message: str, *, instance_id: str, binding_id: str | None, attempts: int) -> None:
        super().__init__(message)
        self.instance_id = instance_id
        self.binding_id = binding_id
        self.attempts = attempts


class NotAllowed(PlatformError):
    """A platform must not send this request: the catalog does not offer it, or the state of the resource forbids it."""
