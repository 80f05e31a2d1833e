"""The published release's application: imported in its own environment only, and written with its names only."""

from __future__ import annotations

import logging

from bench.brokers import PASSWORD, USERNAME, PlainBroker
from flask import Flask

from openbrokerapi.api import BrokerCredentials, get_blueprint


def flask_plain() -> Flask:
    app = Flask(__name__)
    credentials = BrokerCredentials(USERNAME, PASSWORD)
    app.register_blueprint(get_blueprint(PlainBroker(), credentials, logging.getLogger("bench")))
    return app
