"""Every public name of 0.3.6 and of 4.7.3 is where it was."""

from __future__ import annotations

import importlib
import subprocess
import sys
from operator import attrgetter
from typing import Any

import pytest
from tests.compat.names import ATTRIBUTES, NAMES, STARS


def rows(table: dict[str, dict[str, str]]) -> list[Any]:
    return [
        pytest.param(module, name, id=f"{version}-{module}-{name}")
        for version, modules in table.items()
        for module, names in modules.items()
        for name in names.split()
    ]


@pytest.mark.parametrize(("module", "name"), rows(NAMES))
def test_a_name_is_importable_at_its_path(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("module", "name"), rows(ATTRIBUTES))
def test_a_class_has_what_it_had(module: str, name: str) -> None:
    found = importlib.import_module(module)
    attrgetter(name)(found)


# What a star import of these three gave besides was imported for the module's own use; no broker is known that took it
# from here, and most of it lies in layers above.
NOT_KEPT = {
    "openbrokerapi.auth": "Awaitable ErrorResponse Optional ResponseReturnValue Union to_json_response",
    "openbrokerapi.request_filter": "HTTPStatus base64 functools logging",
    "openbrokerapi.router": "Binding DeprovisionServiceSpec LastOperation List Optional ProvisionedServiceSpec Set "
    "UpdateServiceSpec ensure_list errors",
}
MODULES = sorted({module for modules in STARS.values() for module in modules})


@pytest.mark.parametrize("module", MODULES)
def test_a_star_import_gives_what_it_gave(module: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"from {module} import *", namespace)  # noqa: S102 - it is the star import that is tested
    tables = (STARS, NAMES)
    wanted = {name for table in tables for modules in table.values() for name in modules.get(module, "").split()}
    assert wanted - namespace.keys() - set(NOT_KEPT.get(module, "").split()) == set()


@pytest.mark.parametrize(
    "module", ["api", "auth", "errors", "catalog", "constants", "settings", "log_util", "service_broker"]
)
def test_a_submodule_is_an_attribute_of_the_package(module: str) -> None:
    code = f"import openbrokerapi.api, openbrokerapi; openbrokerapi.{module}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_errors_are_there_after_a_bare_import_of_the_package() -> None:
    code = "import openbrokerapi; openbrokerapi.errors.ErrInstanceDoesNotExist; openbrokerapi.settings.MIN_VERSION"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("one", "other"), [("ServiceExeption", "ServiceException")])
def test_a_renamed_error_is_one_class(one: str, other: str) -> None:
    errors = importlib.import_module("openbrokerapi.errors")
    assert getattr(errors, one) is getattr(errors, other)
    assert issubclass(getattr(errors, one), Exception)


def test_moved_classes_are_the_same_class_everywhere() -> None:
    api, auth = importlib.import_module("openbrokerapi.api"), importlib.import_module("openbrokerapi.auth")
    catalog, broker = (
        importlib.import_module("openbrokerapi.catalog"),
        importlib.import_module("openbrokerapi.service_broker"),
    )
    package = importlib.import_module("openbrokerapi")
    assert api.BrokerCredentials is auth.BrokerCredentials
    assert catalog.Service is broker.Service is package.Service is api.Service
    assert catalog.ServicePlanMetaData is catalog.ServicePlanMetadata is broker.ServicePlanMetadata
    assert auth.Authenticator is auth.BrokerAuthenticator
    assert auth.BasicAuthenticator is auth.BasicBrokerAuthenticator
    assert auth.NoneAuthenticator is auth.NoneBrokerAuthenticator
    assert api.get_blueprint is package.get_blueprint
    assert api.serve is package.serve


def test_every_error_of_4_7_3_has_the_base_that_it_had() -> None:
    errors = importlib.import_module("openbrokerapi.errors")
    assert issubclass(errors.ErrPlanChangeNotSupported, errors.ErrInvalidParameters)
    for name in NAMES["4.7.3"]["openbrokerapi.errors"].split():
        assert issubclass(getattr(errors, name), errors.ServiceException)
