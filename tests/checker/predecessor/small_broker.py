"""A small broker on openbrokerapi 4.7.3, with its state in a dict: careful in what is left to it, as far as it can be.

It runs in an environment of its own, on the published release, and imports nothing else: `python small_broker.py`
prints its address.
"""

import logging
import os
import sys
import time

from account import PASSWORD, USERNAME  # type: ignore[import-not-found]  # it is beside this file
from flask import Flask
from werkzeug.serving import make_server

from openbrokerapi import api
from openbrokerapi.catalog import ServicePlan
from openbrokerapi.errors import (
    ErrBindingAlreadyExists,
    ErrBindingDoesNotExist,
    ErrConcurrentInstanceAccess,
    ErrInstanceAlreadyExists,
    ErrInstanceDoesNotExist,
    ErrPlanQuotaExceeded,
)
from openbrokerapi.log_util import basic_config
from openbrokerapi.service_broker import (
    Binding,
    BindState,
    DeprovisionServiceSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServiceBroker,
    UnbindSpec,
    UpdateServiceSpec,
)

SERVICE = "b7e1c9b8-35ac-4f0a-9a52-6a4b62e0a001"
SMALL, FULL, SLOW = (f"b7e1c9b8-35ac-4f0a-9a52-6a4b62e0b00{number}" for number in (1, 2, 3))
SECONDS = 1.0
SCHEMAS = {
    "service_instance": {
        "create": {
            "parameters": {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "type": "object",
                "properties": {"size": {"type": "integer", "minimum": 1, "maximum": 9}},
                "additionalProperties": False,
            }
        }
    }
}


class SmallBroker(ServiceBroker):
    def __init__(self):
        self.instances = {}
        self.busy = {}  # until when

    def catalog(self):
        return Service(
            id=SERVICE,
            name="small-db",
            description="A small database",
            bindable=True,
            plans=[
                ServicePlan(
                    id=SMALL,
                    name="small",
                    description="One",
                    schemas=SCHEMAS,
                    maintenance_info={"version": "1.0.0", "description": "none"},
                ),
                ServicePlan(id=FULL, name="full", description="None is left"),
                ServicePlan(id=SLOW, name="slow", description="It takes a while"),
            ],
        )

    def provision(self, instance_id, details, async_allowed, **kwargs):
        if self.busy.get(instance_id, 0) > time.time():
            raise ErrConcurrentInstanceAccess
        if details.plan_id == FULL:
            raise ErrPlanQuotaExceeded
        asked = (details.service_id, details.plan_id, details.parameters)
        if instance_id in self.instances:
            if self.instances[instance_id]["asked"] == asked:
                return ProvisionedServiceSpec(ProvisionState.IDENTICAL_ALREADY_EXISTS)
            raise ErrInstanceAlreadyExists
        self.instances[instance_id] = {"asked": asked, "bindings": {}}
        if details.plan_id == SLOW:
            # The author forgot to look at async_allowed.
            self.busy[instance_id] = time.time() + SECONDS
            return ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation="provision")
        return ProvisionedServiceSpec(ProvisionState.SUCCESSFUL_CREATED)

    def update(self, instance_id, details, async_allowed, **kwargs):
        if instance_id not in self.instances:
            raise ErrInstanceDoesNotExist
        return UpdateServiceSpec(is_async=False)

    def deprovision(self, instance_id, details, async_allowed, **kwargs):
        if instance_id not in self.instances:
            raise ErrInstanceDoesNotExist
        if details.plan_id == SLOW and instance_id not in self.busy_deleting():
            self.busy[instance_id] = time.time() + SECONDS
            self.instances[instance_id]["deleting"] = True
            return DeprovisionServiceSpec(is_async=True, operation="deprovision")
        del self.instances[instance_id]
        return DeprovisionServiceSpec(is_async=False)

    def busy_deleting(self):
        return [each for each, instance in self.instances.items() if instance.get("deleting")]

    def bind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        if instance_id not in self.instances:
            raise ErrInstanceDoesNotExist
        bindings = self.instances[instance_id]["bindings"]
        if binding_id in bindings:
            if bindings[binding_id] == details.parameters:
                return Binding(BindState.IDENTICAL_ALREADY_EXISTS, credentials={"uri": f"db://{binding_id}"})
            raise ErrBindingAlreadyExists
        bindings[binding_id] = details.parameters
        return Binding(BindState.SUCCESSFUL_BOUND, credentials={"uri": f"db://{binding_id}"})

    def unbind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        bindings = self.instances.get(instance_id, {}).get("bindings", {})
        if binding_id not in bindings:
            raise ErrBindingDoesNotExist
        del bindings[binding_id]
        return UnbindSpec(is_async=False)

    def last_operation(self, instance_id, operation_data, service_id, plan_id, **kwargs):
        if instance_id not in self.instances:
            raise ErrInstanceDoesNotExist
        if self.busy.get(instance_id, 0) > time.time():
            return LastOperation(OperationState.IN_PROGRESS, "It takes a while")
        if self.instances[instance_id].get("deleting"):
            del self.instances[instance_id]
        return LastOperation(OperationState.SUCCEEDED, "Done")

    def last_binding_operation(self, instance_id, binding_id, operation_data, service_id, plan_id, **kwargs):
        raise ErrBindingDoesNotExist


def main():
    application = Flask(__name__)
    credentials = api.BrokerCredentials(USERNAME, PASSWORD)
    application.register_blueprint(api.get_blueprint(SmallBroker(), credentials, basic_config(level=logging.CRITICAL)))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    # The published release logs there, and nobody reads on.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    server.serve_forever()


if __name__ == "__main__":
    main()
