"""The fixtures and options of pytest; nothing of the package is imported before a test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from . import BrokerPlatform, MisbehavingPlatform

_NO_BROKER = (
    "there is no broker to test: write a fixture named `broker` that gives one, or give --broker package.module:name, "
    "or --broker-url URL"
)
#: The environment variables with the credentials of a broker at a URL, as for the command openbroker.
_CREDENTIALS = ("OPENBROKER_USERNAME", "OPENBROKER_PASSWORD", "OPENBROKER_TOKEN")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("openbrokerapi", "service brokers")
    group.addoption("--broker", metavar="MODULE:NAME", help="the broker to test, or a function that makes it")
    group.addoption(
        "--broker-url",
        metavar="URL",
        help="the address of the broker to test, without /v2; credentials come from OPENBROKER_USERNAME and "
        "OPENBROKER_PASSWORD, or from OPENBROKER_TOKEN",
    )
    group.addoption("--broker-file", metavar="FILE", help="the broker's help for the checker, as of openbroker check")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each scenario, or for each rule, of one that asks for `broker_scenario` or `broker_rule`."""
    if "broker_scenario" in metafunc.fixturenames:
        from . import SCENARIOS

        metafunc.parametrize("broker_scenario", SCENARIOS)
    if "broker_rule" in metafunc.fixturenames:
        from openbrokerapi.conformance.check import checked_rules

        metafunc.parametrize("broker_rule", sorted(checked_rules(), key=_order))


def _order(rule: object) -> tuple[str, int]:
    group, _, number = str(rule).partition("-")
    return group, int(number)


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Any:
    """The broker under test: that of the options; a test suite overrides it with its own.

    A `ServiceBroker`, a managed `Broker`, an `Offering` or a list of them, an ASGI or WSGI application, a class or a
    function without arguments that makes one of these, the URL of a broker, or a host such as `served(...)` gives.
    """
    url, reference = request.config.getoption("--broker-url"), request.config.getoption("--broker")
    if url:
        return url
    if not reference:
        pytest.fail(_NO_BROKER, pytrace=False)
    from .references import load

    return load(reference)


@pytest.fixture(scope="session")
def broker_options() -> dict[str, Any]:
    """How the broker is played with: a test suite overrides it.

    The plan and its parameters for the misbehaving platform (the fields of `Part`, and `patience`), and how it is
    started: `store`, `settings`, `replicas`, `moves`, `credentials`.
    """
    return {}


@pytest.fixture(scope="session")
def broker_leftovers() -> Any:
    """A function that gives what the broker's service really holds, or None: a test suite overrides it."""
    return None


@pytest.fixture
def broker_platform(broker: Any, broker_options: dict[str, Any]) -> Iterator[BrokerPlatform]:
    """A platform in the same process as the broker, with a clock that the test moves; at a URL, over HTTP."""
    from . import BrokerPlatform, hosted

    with hosted(broker, **_hosting(broker, broker_options)) as host, BrokerPlatform(host) as platform:
        yield platform
        _cleaned(platform)


@pytest.fixture
def served_broker_platform(broker: Any, broker_options: dict[str, Any]) -> Iterator[BrokerPlatform]:
    """A platform that speaks to the broker over HTTP: served by uvicorn, or where its URL says."""
    from . import BrokerPlatform, hosted, served
    from .hosts import OnALoop

    runs = isinstance(broker, str | OnALoop)
    options = _hosting(broker, broker_options)
    serving = {name: value for name, value in options.items() if name in _SERVING}
    making = hosted(broker, **options) if runs else served(broker, **serving)
    with making as host, BrokerPlatform(host) as platform:
        yield platform
        _cleaned(platform)


@pytest.fixture
def misbehaving_platform(
    broker: Any, broker_options: dict[str, Any], broker_leftovers: Any
) -> Iterator[MisbehavingPlatform]:
    """A platform that misbehaves: `play`, `play_all`, `assert_survives`."""
    from . import misbehaving

    playing = {name: value for name, value in broker_options.items() if name not in _HOSTING}
    options = {**playing, **_hosting(broker, broker_options)}
    with misbehaving(broker, leftovers=broker_leftovers, **options) as platform:
        yield platform


@pytest.fixture(scope="session")
def broker_report(request: pytest.FixtureRequest, broker: Any, broker_options: dict[str, Any]) -> Any:
    """What the checker finds, once for the session; it needs a `broker` of that scope."""
    from . import check

    file = request.config.getoption("--broker-file")
    return check(broker, file=file, **_hosting(broker, broker_options))


_SERVING = ("store", "settings")
_HOSTING = ("store", "settings", "replicas", "credentials", "timeout", "moves")


def _hosting(broker: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Pick out how a broker is started, or reached."""
    found = {name: options[name] for name in _HOSTING if name in options}
    name, password, token = (os.environ.get(each) or None for each in _CREDENTIALS)
    if isinstance(broker, str) and (name or token) and "credentials" not in found:
        from openbrokerapi.conformance import Credentials

        found["credentials"] = Credentials(name, password, token)
    return found


def _cleaned(platform: BrokerPlatform) -> None:
    """Delete what the test has left, and fail where that cannot be done."""
    errors = platform.clean_up()
    assert not errors, "; ".join(str(error) for error in errors)  # noqa: S101 - it is for tests
