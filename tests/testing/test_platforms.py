"""A platform in the same process, and over HTTP: whole lives in a line, and time that is moved."""

import socket
import sys
import time
from pathlib import Path

import msgspec
import pytest
from tests.testing.careful import careful

from openbrokerapi import (
    Binding,
    BrokerCredentials,
    DeprovisionServiceSpec,
    ProvisionedServiceSpec,
    Service,
    ServiceBroker,
    ServicePlan,
    UnbindSpec,
    asgi_app,
    wsgi_app,
)
from openbrokerapi.conformance import Credentials
from openbrokerapi.errors import ErrInstanceDoesNotExist
from openbrokerapi.managed import Broker, Offering, Plan, Work
from openbrokerapi.platform import OperationFailed, Unauthorized
from openbrokerapi.testing import BrokerPlatform, InProcess, NotPossible, Served, served

HOUR = 3600.0


class Size(msgspec.Struct):
    seconds: float = 0.0
    fails: bool = False


class Databases(Offering):
    id = "a-database"
    name = "database"
    description = "Databases"
    plan_updateable = True
    plans = (
        Plan(id="a-small-one", name="small", description="A small one", binding_rotatable=True),
        Plan(id="a-large-one", name="large", description="A large one", maximum_polling_duration=60),
    )
    parameters = Size

    def __init__(self) -> None:
        self.there: set[str] = set()

    def provision(self, instance, work: Work) -> None:
        self.there.add(instance.id)
        work.sleep(instance.parameters.seconds)
        if instance.parameters.fails:
            raise ValueError

    def update(self, instance, previous, work: Work) -> None:
        pass

    def deprovision(self, instance, work: Work) -> None:
        self.there.discard(instance.id)

    def bind(self, instance, binding, work: Work):
        return {"user": "me"}

    def unbind(self, instance, binding, work: Work) -> None:
        pass


@pytest.mark.parametrize("host", [InProcess, Served])
@pytest.mark.parametrize("given", [Databases, lambda: Broker(Databases()), lambda: [Databases()]])
def test_a_whole_life_is_one_line(host, given):
    with host(given()) as place, BrokerPlatform(place) as platform:
        life = platform.life("database", "small", update_to="large")

    assert life.credentials == {"user": "me"}
    assert (life.rotated, life.updated, len(life.bindings)) == (True, True, 2)
    assert life.instance is not None
    assert life.instance.plan_id == "a-small-one"


def test_an_instance_and_its_bindings_end_with_their_blocks():
    offering = Databases()
    with InProcess(offering) as host, BrokerPlatform(host) as platform:
        with platform.instance("database", "small", seconds=0.0) as database:
            assert offering.there == {database.id}
            with database.bind() as key:
                assert key.credentials == {"user": "me"}
            assert key.deleted
        assert offering.there == set()
        assert database.is_gone()


def test_an_operation_of_an_hour_takes_no_hour():
    began = time.monotonic()
    with InProcess(Databases()) as host, BrokerPlatform(host) as platform:
        platform.made("database", "small", {"seconds": HOUR})
        assert host.clock.offset >= HOUR * 0.9

    assert time.monotonic() - began < 30  # seconds


def test_a_test_moves_the_time_by_itself():
    with InProcess(Databases()) as host, BrokerPlatform(host) as platform:
        client = platform.client
        begun = client.provision("one", "a-database", "a-small-one", parameters={"seconds": HOUR})
        assert begun.in_progress
        platform.clock.advance(HOUR - 60)
        assert client.poll_instance("one", operation=begun.operation).in_progress
        platform.clock.advance(120)
        # The time is up; what is done then takes a moment of its own.
        deadline = time.monotonic() + 20
        while (polled := client.poll_instance("one", operation=begun.operation)).in_progress:
            assert time.monotonic() < deadline
        assert polled.succeeded


def test_what_takes_longer_than_the_plan_allows_fails():
    offering = Databases()
    with InProcess(offering) as host, BrokerPlatform(host) as platform:
        client = platform.client
        begun = client.provision("one", "a-database", "a-large-one", parameters={"seconds": HOUR})
        platform.clock.advance(120)
        assert client.poll_instance("one", operation=begun.operation).failed
        platform.clock.advance(10)
        assert offering.there == set()


def test_a_failure_is_the_platforms_error_and_leaves_nothing():
    offering = Databases()
    with InProcess(offering) as host, BrokerPlatform(host) as platform:
        with pytest.raises(OperationFailed), platform.instance("database", "small", seconds=5, fails=True):
            raise AssertionError("it was not made")
        assert (offering.there, platform.instances) == (set(), {})


def test_what_a_broker_keeps_is_there_after_a_restart():
    with InProcess(Databases()) as host, BrokerPlatform(host) as platform:
        database = platform.made("database", "small", {"seconds": 1})
        host.restart()
        assert database.fetch().parameters == {"seconds": 1.0}


def test_one_object_is_not_made_anew():
    with InProcess(careful()()) as host, pytest.raises(NotPossible, match="give a class or a function"):
        host.restart()
    with pytest.raises(NotPossible, match="PostgreSQL"):
        InProcess(Databases(), replicas=2)


def test_an_application_of_wsgi_is_played_with():
    with InProcess(lambda: wsgi_app(Plain())) as host, BrokerPlatform(host) as platform:
        made = platform.made("plain", "only", instance_id="a/strange id")
        assert not made.is_gone()
        host.restart()


def test_credentials_are_shown_and_wrong_ones_are_refused():
    application = asgi_app(Plain(), BrokerCredentials("me", "secret"))
    with InProcess(application, credentials=Credentials("me", "secret")) as host, BrokerPlatform(host) as platform:
        platform.life("plain", "only")
    with InProcess(application) as host, BrokerPlatform(host) as platform, pytest.raises(Unauthorized):
        platform.catalog()


class Plain(ServiceBroker):
    """One that keeps nothing, and does everything at once."""

    def catalog(self):
        return Service("plain", "plain", "Plain", True, [ServicePlan("only", "only", "The only one")])

    def __init__(self):
        self.there = set()

    def provision(self, instance_id, details, async_allowed, **kwargs):
        self.there.add(instance_id)
        return ProvisionedServiceSpec()

    def deprovision(self, instance_id, details, async_allowed, **kwargs):
        if instance_id not in self.there:
            raise ErrInstanceDoesNotExist
        self.there.remove(instance_id)
        return DeprovisionServiceSpec(is_async=False)

    def bind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        return Binding(credentials={"user": "me"})

    def unbind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        return UnbindSpec(is_async=False)


PROGRAM = """\
import uvicorn
from tests.testing.careful import careful

uvicorn.run(careful("", 0.0)(), port={port}, lifespan="off", log_level="error")
"""


def test_a_broker_that_a_command_starts_is_played_with(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", PROGRAM.format(port=port)]
    with served(command=command, url=url, cwd=Path(__file__).parents[2]) as host, BrokerPlatform(host) as platform:
        assert not platform.life("cupboard", "small").updated
        host.restart()
        assert platform.catalog().offerings[0].name == "cupboard"


def test_a_command_that_ends_is_told_of():
    with pytest.raises(RuntimeError, match="has ended with 3"):
        served(command=[sys.executable, "-c", "raise SystemExit(3)"], url="http://127.0.0.1:9")
