"""What a broker raises to say what is wrong; the status at each endpoint is the package's to know.

Every error may carry a ``description`` for the user. The errors of an update or a deprovision may also say whether the
instance still works (``instance_usable``) and whether the same update could work later (``update_repeatable``).
Raise what is wrong; :mod:`openbrokerapi.protocol.problems` is the table that turns it into a status.
"""

from __future__ import annotations

from typing import ClassVar

from .protocol import problems
from .protocol.problems import Problem


class ServiceException(Exception):  # noqa: N818 - the name of 4.7.3
    """Anything that is wrong and has no class of its own: 500 with a fixed sentence.

    Args:
        description: One sentence for the user that says what to change. It must carry no secret.
        instance_usable: Of a failed update or deprovision: whether the instance still works (ERR-06).
        update_repeatable: Of a failed update: whether the same update can succeed when sent again (ERR-08).
    """

    problem: ClassVar[Problem] = problems.UNEXPECTED

    def __init__(
        self,
        description: str | None = None,
        *args: object,
        instance_usable: bool | None = None,
        update_repeatable: bool | None = None,
    ) -> None:
        super().__init__(*(() if description is None else (description,)), *args)
        self.description = description
        self.instance_usable = instance_usable
        self.update_repeatable = update_repeatable

    def __str__(self) -> str:
        return super().__str__() or self.problem.name


#: The name of 0.3.6.
ServiceExeption = ServiceException


class ErrInstanceAlreadyExists(ServiceException):
    """An instance with this id exists with other attributes: 409."""

    problem = problems.INSTANCE_EXISTS


class ErrInstanceDoesNotExist(ServiceException):
    """There is no instance with this id: 410 on the DELETEs, 404 elsewhere."""

    problem = problems.INSTANCE_MISSING


class ErrBindingAlreadyExists(ServiceException):
    """A binding with this id exists with other attributes: 409."""

    problem = problems.BINDING_EXISTS


class ErrBindingDoesNotExist(ServiceException):
    """There is no binding with this id: 410 on unbind, 404 elsewhere; of a bind's predecessor 400."""

    problem = problems.BINDING_MISSING


class ErrInstanceGone(ServiceException):
    """Raised by ``last_operation``: the instance was deleted asynchronously, and the deletion is finished: 410."""

    problem = problems.GONE


class ErrBindingGone(ServiceException):
    """Raised by ``last_binding_operation``: the binding was deleted asynchronously, and that is finished: 410."""

    problem = problems.GONE


class ErrInstanceLimitMet(ServiceException):
    """The broker has as many instances as it may have: 422."""

    problem = problems.INSTANCE_LIMIT


class ErrPlanQuotaExceeded(ServiceException):
    """The plan has as many instances as it may have: 422."""

    problem = problems.PLAN_QUOTA


class ErrServiceQuotaExceeded(ServiceException):
    """The offering has as many instances as it may have: 422."""

    problem = problems.SERVICE_QUOTA


class ErrAsyncRequired(ServiceException):
    """The work takes longer than a request, and the platform did not allow that: 422 ``AsyncRequired``."""

    problem = problems.ASYNC_REQUIRED


class ErrAppGuidNotProvided(ServiceException):
    """The binding needs an application, and the request names none: 422 ``RequiresApp``."""

    problem = problems.REQUIRES_APP


class ErrConcurrentInstanceAccess(ServiceException):
    """Another operation of the instance or the binding is in progress: 422 ``ConcurrencyError``."""

    problem = problems.CONCURRENCY


class ErrMaintenanceInfoConflict(ServiceException):
    """The maintenance version of the request is not the catalog's: 422 ``MaintenanceInfoConflict``."""

    problem = problems.MAINTENANCE_CONFLICT


class ErrBadRequest(ServiceException):
    """The request is malformed, or something is missing in it: 400.

    Args:
        msg: What to change.
    """

    problem = problems.BAD_REQUEST

    def __init__(self, msg: str = "Malformed or missing data") -> None:
        super().__init__(msg)


class ErrInvalidParameters(ServiceException):
    """The parameters, or another value of the request, are not valid: 400.

    Args:
        msg: Which of them, and what to change.
    """

    problem = problems.INVALID_PARAMETERS

    def __init__(
        self, msg: str | None = None, *, instance_usable: bool | None = None, update_repeatable: bool | None = None
    ) -> None:
        super().__init__(msg, instance_usable=instance_usable, update_repeatable=update_repeatable)


class ErrPlanChangeNotSupported(ErrInvalidParameters):
    """The instance cannot be changed to the requested plan: 422."""

    problem = problems.PLAN_CHANGE_UNSUPPORTED


class ErrUpdateNotPossible(ServiceException):
    """The update is not possible in the instance's present state, such as more data than the new plan holds: 422."""

    problem = problems.UPDATE_IMPOSSIBLE


class ErrInstanceNotUsable(ServiceException):
    """The instance cannot be used at present, so it cannot be bound: 422."""

    problem = problems.INSTANCE_UNUSABLE


class ErrInstanceHasBindings(ServiceException):
    """The instance still has bindings, and the offering does not delete them with it: 422."""

    problem = problems.INSTANCE_HAS_BINDINGS


class ErrOperationFailed(ServiceException):
    """The work was begun and has failed, or was not finished in time: 500 with the description.

    A platform that hears it cleans up what may be left (section "Orphan Mitigation").
    """

    problem = problems.OPERATION_FAILED


class ErrNotBindable(ServiceException):
    """The plan is not bindable: 400."""

    problem = problems.NOT_BINDABLE


class ErrUnauthorized(ServiceException):
    """Raised by an authenticator: the request carries no valid credentials: 401.

    Args:
        challenge: The value of ``WWW-Authenticate``; None is a challenge for basic authentication.
    """

    problem = problems.UNAUTHORIZED

    def __init__(self, description: str | None = None, *, challenge: str | None = None) -> None:
        super().__init__(description)
        self.challenge = challenge
