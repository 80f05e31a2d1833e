"""The interface of a broker whose author keeps the state.

Subclass :class:`ServiceBroker`, or write any object with the same methods: nothing here is checked by its type. Each
method may be plain or ``async def``. Methods with the arguments of 0.3.6 are called as 0.3.6 called them.
"""

from __future__ import annotations

from typing import Any, List, Optional, Union  # noqa: UP035 - brokers of 4.7.3 get them by `import *`

import openbrokerapi

from .catalog import (
    MaintenanceInfo,
    Schemas,
    Service,
    ServiceDashboardClient,
    ServiceMetadata,
    ServicePlan,
    ServicePlanCost,
    ServicePlanMetadata,
)
from .details import (
    BindDetails,
    BindResource,
    DeprovisionDetails,
    PreviousValues,
    ProvisionDetails,
    UnbindDetails,
    UpdateDetails,
)
from .specs import (
    Binding,
    BindingMetadata,
    BindState,
    DeprovisionServiceSpec,
    Endpoint,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    InstanceMetadata,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    SharedDevice,
    UnbindSpec,
    UpdateServiceSpec,
    VolumeMount,
)

__all__ = [
    "Any",
    "BindDetails",
    "BindResource",
    "BindState",
    "Binding",
    "BindingMetadata",
    "DeprovisionDetails",
    "DeprovisionServiceSpec",
    "Endpoint",
    "GetBindingSpec",
    "GetInstanceDetailsSpec",
    "InstanceMetadata",
    "LastOperation",
    "List",
    "MaintenanceInfo",
    "OperationState",
    "Optional",
    "PreviousValues",
    "ProvisionDetails",
    "ProvisionState",
    "ProvisionedServiceSpec",
    "Schemas",
    "Service",
    "ServiceBroker",
    "ServiceDashboardClient",
    "ServiceMetadata",
    "ServicePlan",
    "ServicePlanCost",
    "ServicePlanMetadata",
    "SharedDevice",
    "UnbindDetails",
    "UnbindSpec",
    "Union",
    "UpdateDetails",
    "UpdateServiceSpec",
    "VolumeMount",
    "openbrokerapi",
]


class ServiceBroker:
    """What a broker can do. What is not overridden is answered with 501.

    Every method may raise the errors of :mod:`openbrokerapi.errors`. With ``async_allowed`` false the work has to be
    finished when the method returns; if that cannot be, raise ``ErrAsyncRequired`` before anything is begun.
    """

    def catalog(self) -> Service | list[Service]:
        """Give the offerings (section "Catalog Management"): one, or any iterable of them."""
        raise NotImplementedError

    def provision(
        self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any
    ) -> ProvisionedServiceSpec:
        """Create an instance (section "Provisioning").

        The same request again must give ``IDENTICAL_ALREADY_EXISTS``, or ``IS_ASYNC`` with the same ``operation`` while
        it is being created (PROV-17, PROV-22).

        Raises:
            ErrInstanceAlreadyExists: The id is taken by an instance with other attributes.
            ErrAsyncRequired: It takes longer than a request, and ``async_allowed`` is false.
        """
        raise NotImplementedError

    def update(self, instance_id: str, details: UpdateDetails, async_allowed: bool, **kwargs: Any) -> UpdateServiceSpec:
        """Change the plan, the parameters or the context of an instance (section "Updating a Service Instance").

        Raises:
            ErrInstanceDoesNotExist: There is none.
            ErrPlanChangeNotSupported: Not from this plan to that.
            ErrAsyncRequired: It takes longer than a request, and ``async_allowed`` is false.
        """
        raise NotImplementedError

    def deprovision(
        self, instance_id: str, details: DeprovisionDetails, async_allowed: bool, **kwargs: Any
    ) -> DeprovisionServiceSpec:
        """Delete an instance (section "Deprovisioning").

        Raises:
            ErrInstanceDoesNotExist: There is none, or no more.
            ErrAsyncRequired: It takes longer than a request, and ``async_allowed`` is false.
        """
        raise NotImplementedError

    def bind(
        self, instance_id: str, binding_id: str, details: BindDetails, async_allowed: bool, **kwargs: Any
    ) -> Binding:
        """Create a binding (section "Binding").

        Raises:
            ErrBindingAlreadyExists: The id is taken by a binding with other attributes.
            ErrInstanceDoesNotExist: There is no such instance.
            ErrAppGuidNotProvided: The binding needs an application.
            ErrAsyncRequired: It takes longer than a request, and ``async_allowed`` is false.
        """
        raise NotImplementedError

    def unbind(
        self, instance_id: str, binding_id: str, details: UnbindDetails, async_allowed: bool, **kwargs: Any
    ) -> UnbindSpec:
        """Delete a binding (section "Unbinding"); to return nothing is to say that it is done.

        Raises:
            ErrBindingDoesNotExist: There is none, or no more.
            ErrAsyncRequired: It takes longer than a request, and ``async_allowed`` is false.
        """
        raise NotImplementedError

    def last_operation(
        self,
        instance_id: str,
        operation_data: str | None,
        service_id: str | None,
        plan_id: str | None,
        **kwargs: Any,
    ) -> LastOperation:
        """Tell how an asynchronous operation of an instance goes (section "Polling Last Operation").

        Raises:
            ErrInstanceDoesNotExist: There is no such instance, and never was.
            ErrInstanceGone: It has been deleted.
        """
        raise NotImplementedError

    def last_binding_operation(
        self,
        instance_id: str,
        binding_id: str,
        operation_data: str | None,
        service_id: str | None,
        plan_id: str | None,
        **kwargs: Any,
    ) -> LastOperation:
        """Tell how an asynchronous operation of a binding goes.

        Raises:
            ErrBindingDoesNotExist: There is no such binding, and never was.
            ErrBindingGone: It has been deleted.
        """
        raise NotImplementedError

    def get_instance(self, instance_id: str, **kwargs: Any) -> GetInstanceDetailsSpec:
        """Give an instance (section "Fetching a Service Instance").

        Args:
            kwargs: ``service_id`` and ``plan_id``, where the platform sent them as hints.

        Raises:
            ErrInstanceDoesNotExist: There is none, or it is still being created.
            ErrConcurrentInstanceAccess: It is being updated and cannot be given meanwhile.
        """
        raise NotImplementedError

    def get_binding(self, instance_id: str, binding_id: str, **kwargs: Any) -> GetBindingSpec:
        """Give a binding (section "Fetching a Service Binding").

        Args:
            kwargs: ``service_id`` and ``plan_id``, where the platform sent them as hints.

        Raises:
            ErrBindingDoesNotExist: There is none, or it is still being created.
        """
        raise NotImplementedError
