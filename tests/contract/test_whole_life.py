"""A whole life of an instance, over every host."""

from __future__ import annotations

import pytest
from tests.contract.brokers import BIND, BINDING, IDS, INSTANCE, LARGE, PROVISION, RecordingBroker
from tests.contract.hosts import Platform


@pytest.mark.rule("PROV-01", "PROV-17", "PROV-19", "PROV-25", "DEP-01", "DEP-10", "DEP-16", "UNB-09", "UNB-14")
def test_an_instance_is_made_bound_changed_fetched_and_removed(living: Platform) -> None:
    assert living.send("PUT", INSTANCE, PROVISION).status == 201
    assert living.send("PUT", INSTANCE, PROVISION).status == 200
    assert living.send("PUT", INSTANCE, {**PROVISION, "plan_id": LARGE}).status == 409
    bound = living.send("PUT", BINDING, BIND)
    assert (bound.status, set(bound.json["credentials"])) == (201, {"username", "password"})
    assert living.send("PUT", BINDING, BIND).json == bound.json
    assert living.send("GET", BINDING).json["credentials"] == bound.json["credentials"]
    assert (
        living.send("PATCH", INSTANCE, {"service_id": PROVISION["service_id"], "parameters": {"size": 3}}).status == 200
    )
    assert living.send("GET", INSTANCE).json["parameters"] == {"size": 3}
    for target in (BINDING, INSTANCE):
        gone = living.send("DELETE", target, query=IDS)
        assert (gone.status, gone.json) == (200, {})
        assert living.send("DELETE", target, query=IDS).status == 410
        assert living.send("GET", target).status == 404


def test_every_method_of_the_broker_is_reached_with_its_arguments(
    platform: Platform, recording: RecordingBroker
) -> None:
    platform.send("PUT", INSTANCE, PROVISION, query={"accepts_incomplete": "true"})
    name, arguments = recording.calls[-1]
    assert name == "provision"
    assert arguments["instance_id"] == "instance-1"
    assert arguments["async_allowed"] is True
    assert arguments["details"].plan_id == PROVISION["plan_id"]
