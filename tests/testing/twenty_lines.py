"""A broker as people write it: a dict for its state, and a thread for its slow work."""

import threading
import uuid

from openbrokerapi import (
    Binding,
    DeprovisionServiceSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServiceBroker,
    ServicePlan,
    UnbindSpec,
)

SLOWLY = 0.15  # seconds


class DictBroker(ServiceBroker):
    def __init__(self, made):
        self.instances, self.made = {}, made

    def catalog(self):
        return Service("a-service", "dict", "In a dict", True, [ServicePlan("a-plan", "small", "A small one")])

    def provision(self, instance_id, details, async_allowed, **kwargs):
        threading.Timer(SLOWLY, self.work, [instance_id, details.parameters]).start()
        return ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation=str(uuid.uuid4()))

    def work(self, instance_id, parameters):
        self.instances[instance_id] = parameters
        self.made.append(instance_id)

    def last_operation(self, instance_id, operation_data, service_id, plan_id, **kwargs):
        ready = instance_id in self.instances
        return LastOperation(OperationState.SUCCEEDED if ready else OperationState.IN_PROGRESS)

    def deprovision(self, instance_id, details, async_allowed, **kwargs):
        del self.instances[instance_id]
        self.made.remove(instance_id)
        return DeprovisionServiceSpec(is_async=False)

    def bind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        return Binding(credentials={"password": str(uuid.uuid4())})

    def unbind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        return UnbindSpec(is_async=False)
