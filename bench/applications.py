"""The applications of this package that are measured, each made by a function that is called once.

Those of ASGI are for bench/profile.py; over HTTP it is `openbroker serve` that serves the broker.
"""

from __future__ import annotations

import logging
from typing import Any

from bench.brokers import PASSWORD, USERNAME, AsyncBroker, PlainBroker, polled, provisioned
from flask import Flask

from openbrokerapi import nonblocking
from openbrokerapi.auth import BrokerCredentials
from openbrokerapi.service_broker import LastOperation, ProvisionDetails, ProvisionedServiceSpec, Service
from openbrokerapi.web import asgi, wsgi
from openbrokerapi.web.flask import get_blueprint


class MarkedBroker(PlainBroker):
    """The plain broker, with the mark that says that nothing in it waits."""

    @nonblocking
    def catalog(self) -> list[Service]:
        return self._offerings

    @nonblocking
    def provision(
        self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any
    ) -> ProvisionedServiceSpec:
        return provisioned(instance_id)

    @nonblocking
    def last_operation(
        self, instance_id: str, operation_data: str | None, service_id: str | None, plan_id: str | None, **kwargs: Any
    ) -> LastOperation:
        return polled()


def credentials() -> BrokerCredentials:
    """Give the pair that every server knows."""
    return BrokerCredentials(USERNAME, PASSWORD)


def asgi_async() -> Any:
    return asgi.create_app(AsyncBroker(), credentials())


def asgi_marked() -> Any:
    return asgi.create_app(MarkedBroker(), credentials())


def wsgi_async() -> Any:
    return wsgi.create_app(AsyncBroker(), credentials())


def wsgi_plain() -> Any:
    return wsgi.create_app(PlainBroker(), credentials())


def flask_async() -> Flask:
    return _flask(AsyncBroker())


def flask_plain() -> Flask:
    return _flask(PlainBroker())


def _flask(broker: Any) -> Flask:
    app = Flask(__name__)
    app.register_blueprint(get_blueprint(broker, credentials(), logging.getLogger("bench")))
    return app
