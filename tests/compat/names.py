"""The public names of openbrokerapi 0.3.6 and 4.7.3, by module: what brokers in the wild import."""

from __future__ import annotations

#: Names of the modules.
NAMES: dict[str, dict[str, str]] = {
    "0.3.6": {
        "openbrokerapi.api": "BrokerCredentials get_blueprint serve",
        "openbrokerapi.catalog": (
            "Service ServiceDashboardClient ServiceMetadata ServicePlan ServicePlanCost ServicePlanMetaData"
        ),
        "openbrokerapi.errors": (
            "ErrAppGuidNotProvided ErrAsyncRequired ErrBindingAlreadyExists ErrBindingDoesNotExist "
            "ErrInstanceAlreadyExists ErrInstanceDoesNotExist ErrInstanceLimitMet ErrPlanChangeNotSupported "
            "ErrPlanQuotaExceeded ErrServiceQuotaExceeded ServiceExeption"
        ),
        "openbrokerapi.log_util": "basic_config",
        "openbrokerapi.response": (
            "CatalogResponse DeprovisionResponse EmptyResponse ErrorResponse LastOperationResponse "
            "ProvisioningResponse UpdateResponse"
        ),
        "openbrokerapi.service_broker": (
            "BindDetails BindResource Binding DeprovisionDetails DeprovisionServiceSpec LastOperation "
            "OperationState PreviousValues ProvisionDetails ProvisionedServiceSpec ServiceBroker SharedDevice "
            "UnbindDetails UpdateDetails UpdateServiceSpec VolumeMount"
        ),
    },
    "4.7.3": {
        "openbrokerapi.api": "get_blueprint serve serve_multiple",
        "openbrokerapi.auth": (
            "Authenticator BasicAuthenticator BasicBrokerAuthenticator BrokerAuthenticator BrokerCredentials "
            "NoneAuthenticator NoneBrokerAuthenticator"
        ),
        "openbrokerapi.catalog": (
            "Schemas ServiceDashboardClient ServiceMetadata ServicePlan ServicePlanCost ServicePlanMetadata"
        ),
        "openbrokerapi.constants": "DEFAULT_EXCEPTION_ERROR_MESSAGE DEFAULT_NOT_IMPLEMENTED_ERROR_MESSAGE",
        "openbrokerapi.errors": (
            "ErrAppGuidNotProvided ErrAsyncRequired ErrBadRequest ErrBindingAlreadyExists "
            "ErrBindingDoesNotExist ErrConcurrentInstanceAccess ErrInstanceAlreadyExists "
            "ErrInstanceDoesNotExist ErrInstanceLimitMet ErrInvalidParameters ErrPlanChangeNotSupported "
            "ErrPlanQuotaExceeded ErrServiceQuotaExceeded ServiceException"
        ),
        "openbrokerapi.helper": "ensure_list to_json_response version_tuple",
        "openbrokerapi.log_util": "basic_config",
        "openbrokerapi.request_filter": (
            "check_originating_identity check_version logger print_request requires_application_json"
        ),
        "openbrokerapi.response": (
            "AsyncResponse BindResponse CatalogResponse DeprovisionResponse EmptyResponse ErrorResponse "
            "GetBindingResponse GetInstanceResponse LastOperationResponse ProvisioningResponse UnbindResponse "
            "UpdateResponse"
        ),
        "openbrokerapi.router": "Router logger",
        "openbrokerapi.service_broker": (
            "BindDetails BindResource BindState Binding DeprovisionDetails DeprovisionServiceSpec "
            "GetBindingSpec GetInstanceDetailsSpec LastOperation OperationState PreviousValues "
            "ProvisionDetails ProvisionState ProvisionedServiceSpec Service ServiceBroker SharedDevice "
            "UnbindDetails UnbindSpec UpdateDetails UpdateServiceSpec VolumeMount"
        ),
        "openbrokerapi.settings": ("DISABLE_SPACE_ORG_GUID_CHECK DISABLE_VERSION_CHECK MIN_VERSION MIN_VERSION_STR"),
    },
}
#: Methods, properties and members of the classes.
ATTRIBUTES: dict[str, dict[str, str]] = {
    "0.3.6": {
        "openbrokerapi.service_broker": (
            "OperationState.FAILED OperationState.IN_PROGRESS OperationState.SUCCEEDED ServiceBroker.bind "
            "ServiceBroker.catalog ServiceBroker.deprovision ServiceBroker.last_operation "
            "ServiceBroker.provision ServiceBroker.unbind ServiceBroker.update"
        ),
    },
    "4.7.3": {
        "openbrokerapi.auth": (
            "BasicBrokerAuthenticator.authenticate BrokerAuthenticator.__call__ "
            "BrokerAuthenticator.authenticate NoneBrokerAuthenticator.authenticate"
        ),
        "openbrokerapi.router": (
            "Router.add_service_id_to_async_response Router.bind Router.catalog Router.deprovision "
            "Router.last_operation Router.provision Router.unbind Router.update"
        ),
        "openbrokerapi.service_broker": (
            "BindState.IDENTICAL_ALREADY_EXISTS BindState.IS_ASYNC BindState.SUCCESSFUL_BOUND "
            "OperationState.FAILED OperationState.IN_PROGRESS OperationState.SUCCEEDED "
            "ProvisionState.IDENTICAL_ALREADY_EXISTS ProvisionState.IS_ASYNC "
            "ProvisionState.SUCCESSFUL_CREATED ProvisionedServiceSpec.is_async ServiceBroker.bind "
            "ServiceBroker.catalog ServiceBroker.deprovision ServiceBroker.get_binding "
            "ServiceBroker.get_instance ServiceBroker.last_binding_operation ServiceBroker.last_operation "
            "ServiceBroker.provision ServiceBroker.unbind ServiceBroker.update"
        ),
    },
}
#: What `from module import *` gave in one of the two versions and not in the other.
STARS: dict[str, dict[str, str]] = {
    "0.3.6": {
        "openbrokerapi.api": (
            "BindResource Binding DeprovisionServiceSpec Enum LastOperation PreviousValues "
            "ProvisionedServiceSpec Response Service SharedDevice UpdateServiceSpec VolumeMount jsonify wraps"
        ),
        "openbrokerapi.catalog": "Service ServicePlanMetaData",
        "openbrokerapi.errors": "ServiceExeption",
    },
    "4.7.3": {
        "openbrokerapi.api": (
            "BasicBrokerAuthenticator BindResponse BindState BrokerAuthenticator GetBindingResponse "
            "GetInstanceResponse JSONDecodeError NoneBrokerAuthenticator Optional ProvisionState Request "
            "Router UnbindResponse Union check_originating_identity check_version constants ensure_list "
            "openbrokerapi print_request requires_application_json serve_multiple to_json_response warnings"
        ),
        "openbrokerapi.auth": (
            "Authenticator Awaitable BasicAuthenticator BasicBrokerAuthenticator BrokerAuthenticator "
            "BrokerCredentials ErrorResponse NoneAuthenticator NoneBrokerAuthenticator Optional "
            "ResponseReturnValue Union abstractmethod to_json_response"
        ),
        "openbrokerapi.catalog": "Optional Schemas ServicePlanMetadata annotations",
        "openbrokerapi.constants": "DEFAULT_EXCEPTION_ERROR_MESSAGE DEFAULT_NOT_IMPLEMENTED_ERROR_MESSAGE",
        "openbrokerapi.errors": "ErrBadRequest ErrConcurrentInstanceAccess ErrInvalidParameters ServiceException",
        "openbrokerapi.helper": "Any Iterable Union ensure_list to_json_response version_tuple",
        "openbrokerapi": (
            "BindDetails BindResource BindState Binding DeprovisionDetails DeprovisionServiceSpec "
            "GetBindingSpec GetInstanceDetailsSpec LastOperation OperationState PreviousValues "
            "ProvisionDetails ProvisionState ProvisionedServiceSpec Schemas Service ServiceBroker "
            "ServiceDashboardClient ServiceMetadata ServicePlan ServicePlanCost ServicePlanMetadata "
            "SharedDevice UnbindDetails UnbindSpec UpdateDetails UpdateServiceSpec VolumeMount get_blueprint "
            "serve"
        ),
        "openbrokerapi.request_filter": (
            "ErrorResponse HTTPStatus MIN_VERSION base64 check_originating_identity check_version functools "
            "logger logging print_request requires_application_json to_json_response version_tuple"
        ),
        "openbrokerapi.response": (
            "AsyncResponse BindResponse GetBindingResponse GetInstanceResponse Optional UnbindResponse VolumeMount"
        ),
        "openbrokerapi.router": (
            "BindDetails Binding DeprovisionDetails DeprovisionServiceSpec LastOperation List Optional "
            "ProvisionDetails ProvisionedServiceSpec Router Service ServiceBroker Set UnbindDetails "
            "UpdateDetails UpdateServiceSpec ensure_list errors getLogger logger"
        ),
        "openbrokerapi.service_broker": (
            "BindState GetBindingSpec GetInstanceDetailsSpec Optional ProvisionState ServiceDashboardClient "
            "ServiceMetadata ServicePlan UnbindSpec Union openbrokerapi"
        ),
        "openbrokerapi.settings": (
            "DISABLE_SPACE_ORG_GUID_CHECK DISABLE_VERSION_CHECK MIN_VERSION MIN_VERSION_STR getenv version_tuple"
        ),
    },
}
