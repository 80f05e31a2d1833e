"""What a bind may give, and how it is kept, answered and fetched."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.expectations import assert_answered, assert_refused
from tests.managed.stage import BINDING, Managed, Script, Stage, Steered

from openbrokerapi.managed import Bound, Provisioned
from openbrokerapi.managed.endings import UNEXPECTED
from openbrokerapi.specs import Endpoint

MOUNT = {
    "driver": "nfs",
    "container_dir": "/data",
    "mode": "rw",
    "device_type": "shared",
    "device": {"volume_id": "volume-1", "mount_config": {"key": "value"}},
}
ENDPOINTS = [{"host": "db.example", "ports": ["5432", "6000-6010"], "protocol": "tcp"}]


class Everything(Steered):
    requires = ("syslog_drain", "route_forwarding", "volume_mount")


@pytest.fixture
def everything(stage: Stage, script: Script) -> Managed:
    """A broker whose offering requires what a platform can give."""
    managed = stage(Everything(script))
    managed.provision()
    return managed


@pytest.mark.rule("BIND-08", "BIND-10", "BIND-13", "BIND-15", "BIND-06", "BIND-50", "BIND-45", "VOL-01", "GETB-13")
@pytest.mark.parametrize("incomplete", [False, True])
@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"syslog_drain_url": "syslog://drain.example:514"}, {"syslog_drain_url": "syslog://drain.example:514"}),
        ({"route_service_url": "https://route.example"}, {"route_service_url": "https://route.example"}),
        ({"volume_mounts": [MOUNT]}, {"volume_mounts": [MOUNT]}),
        ({"endpoints": [Endpoint("db.example", ["5432"])]}, {"endpoints": [{"host": "db.example", "ports": ["5432"]}]}),
        ({"endpoints": ENDPOINTS, "credentials": {"uri": "x"}}, {"endpoints": ENDPOINTS, "credentials": {"uri": "x"}}),
    ],
    ids=["drain", "route", "volume", "endpoints", "endpoints and credentials"],
)
def test_each_kind_of_binding_is_answered_and_fetched_whole(
    everything: Managed, script: Script, incomplete: bool, given: dict[str, Any], fields: dict[str, Any]
) -> None:
    script.answers["bind"] = Bound(**given)
    if incomplete:
        with script.held("bind"):
            begun = everything.bind(incomplete=True)
        everything.finished(begun, binding_id=BINDING)
    else:
        assert_answered(everything.bind(), 201, fields)
    assert_answered(everything.bind(), 200, fields)
    assert_answered(everything.fetch(None, BINDING), 200, fields)


@pytest.mark.rule("BIND-14")
def test_what_was_not_given_is_not_in_the_answer(everything: Managed, script: Script) -> None:
    script.answers["bind"] = Bound(private={"host": "h-1"})
    assert_answered(everything.bind(), 201, {})
    assert_answered(everything.fetch(None, BINDING), 200, {})
    everything.unbind()
    assert script.calls[-1].binding.private == {"host": "h-1"}


@pytest.mark.rule("BIND-51", "BR-05")
@pytest.mark.parametrize("credentials", [{"credhub-ref": "/c/one"}, {"a": {"b": [1, None, "ü"]}, "port": 5432}, {}])
def test_credentials_are_free_and_come_back_as_they_were_given(
    everything: Managed, script: Script, credentials: dict[str, Any]
) -> None:
    script.answers["bind"] = credentials
    assert_answered(everything.bind(), 201, {"credentials": credentials})
    assert_answered(everything.fetch(None, BINDING), 200, {"credentials": credentials})
    everything.unbind()
    assert script.calls[-1].binding.credentials == credentials


@pytest.mark.rule("BIND-07", "UNB-02")
def test_each_binding_keeps_its_own_credentials(stage: Stage) -> None:
    class Own(Steered):
        async def bind(self, instance: Any, binding: Any, work: Any) -> dict[str, str]:
            return {"user": f"{instance.id}/{binding.id}"}

    managed = stage(Own())
    for instance_id in ("instance-1", "instance-2"):
        managed.provision(instance_id)
        for binding_id in ("binding-1", "binding-2"):
            managed.bind(binding_id, instance_id)
    managed.unbind("binding-1", "instance-1")
    assert managed.fetch("instance-1", "binding-1").status == 404
    for instance_id, binding_id in (("instance-1", "binding-2"), ("instance-2", "binding-1")):
        found = managed.fetch(instance_id, binding_id).json["credentials"]
        assert found == {"user": f"{instance_id}/{binding_id}"}


@pytest.mark.rule("META-06", "SIM-01", "SIM-03", "GETI-13", "PROV-33")
def test_the_metadata_of_an_instance_is_its_own(managed: Managed) -> None:
    managed.provision("instance-1")
    managed.provision("instance-2", plan_id="plan-large")
    found = [managed.fetch(f"instance-{number}").json["metadata"] for number in (1, 2)]
    assert found == [{"labels": {"plan": "small"}}, {"labels": {"plan": "large"}}]


WRONG_BINDINGS: list[dict[str, Any]] = [
    {"credentials": "text"},
    {"syslog_drain_url": 5},
    {"route_service_url": b"https://route.example"},
    {"volume_mounts": MOUNT},
    {"endpoints": "db.example"},
    {"endpoints": ["db.example"]},
    {"endpoints": [{"host": "db.example", "ports": []}]},
    {"expires_at": "soon"},
]


@pytest.mark.parametrize("fields", WRONG_BINDINGS, ids=repr)
@pytest.mark.rule("GETB-02", "LOB-19")
def test_what_could_never_be_answered_fails_the_bind_and_is_cleaned_up(
    stage: Stage, script: Script, fields: dict[str, Any]
) -> None:
    class Wrong(Everything):
        async def bind(self, instance: Any, binding: Any, work: Any) -> Bound:
            return Bound(**fields)

    managed = stage(Wrong(script))
    managed.provision()
    assert_refused(managed.bind(), 500, description=UNEXPECTED)
    managed.idle()
    assert script.kinds() == ["provision", "unbind"]
    assert managed.fetch(None, BINDING).status == 404


@pytest.mark.parametrize(
    "fields",
    [{"dashboard_url": 5}, {"metadata": "text"}, {"metadata": {"labels": 5}}, {"metadata": {"attributes": []}}],
)
@pytest.mark.rule("GETI-02", "PROV-29")
def test_what_could_never_be_answered_fails_the_provision(stage: Stage, script: Script, fields: dict[str, Any]) -> None:
    class Wrong(Steered):
        async def provision(self, instance: Any, work: Any) -> Provisioned:
            return Provisioned(**fields)

    managed = stage(Wrong(script))
    assert_refused(managed.provision(), 500, description=UNEXPECTED)
    managed.idle()
    assert script.kinds() == ["deprovision"]
    assert managed.fetch().status == 404
