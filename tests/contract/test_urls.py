"""Ids and operations in paths and queries (section "URL Properties")."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from tests.contract.brokers import BIND, IDS, INSTANCE, PROVISION, RecordingBroker
from tests.contract.hosts import Platform, Serving

from openbrokerapi.service_broker import ProvisionedServiceSpec, ProvisionState, Service, ServicePlan


@pytest.fixture
def recording() -> RecordingBroker:
    """A plain broker is enough: what is looked at here happens before any method is called."""
    return RecordingBroker()


IDS_OF_ALL_KINDS = [
    "plain",
    "with space",
    "slash/inside",
    "/",
    "colon:and;semi",
    "per%cent",
    "%2F",
    "plus+plus",
    "question?mark#hash",
    "a&b=c",
    "ünï-日本-🚀",
    "..",
    ".",
    "last_operation",
    "service_bindings",
    "~._-",
    "x" * 2000,
]


def encoded(text: str) -> str:
    return quote(text, safe="")


@pytest.mark.rule("URL-01", "URL-03")
@pytest.mark.parametrize("name", IDS_OF_ALL_KINDS, ids=lambda name: encoded(name)[:30])
def test_an_id_of_any_characters_names_one_resource_at_every_endpoint(living: Platform, name: str) -> None:
    instance = f"/v2/service_instances/{encoded(name)}"
    binding = f"{instance}/service_bindings/{encoded(name)}"
    assert living.send("PUT", instance, PROVISION).status == 201
    assert living.send("PUT", instance, PROVISION).status == 200
    assert living.send("GET", instance).status == 200
    assert living.send("GET", f"{instance}/last_operation").status == 200
    assert living.send("PUT", binding, BIND).status == 201
    assert living.send("GET", binding).status == 200
    assert living.send("GET", f"{binding}/last_operation").status == 200
    assert living.send("PATCH", instance, {"service_id": PROVISION["service_id"]}).status == 200
    assert living.send("DELETE", binding, query=IDS).status == 200
    assert living.send("DELETE", instance, query=IDS).status == 200
    assert living.send("DELETE", instance, query=IDS).status == 410


@pytest.mark.rule("URL-01", "URL-03")
@pytest.mark.parametrize("name", IDS_OF_ALL_KINDS, ids=lambda name: encoded(name)[:30])
def test_an_id_reaches_the_broker_decoded_once(platform: Platform, recording: RecordingBroker, name: str) -> None:
    target = f"/v2/service_instances/{encoded(name)}/service_bindings/{encoded(name)}"
    assert platform.send("GET", target).status == 200
    assert recording.calls[-1][1]["instance_id"] == name
    assert recording.calls[-1][1]["binding_id"] == name


@pytest.mark.rule("URL-01", "URL-03")
@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ("%61%62", "ab"),
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("%2541", "%41"),
        ("%c3%bc", "ü"),
        ("(a)!*'", "(a)!*'"),
        ("a:@$,;=&", "a:@$,;=&"),
    ],
)
def test_encoded_and_plain_characters_are_the_same_in_a_path(
    platform: Platform, recording: RecordingBroker, sent: str, received: str
) -> None:
    assert platform.send("GET", f"/v2/service_instances/{sent}").status == 200
    assert recording.calls[-1][1]["instance_id"] == received


@pytest.mark.rule("URL-01")
@pytest.mark.parametrize("name", IDS_OF_ALL_KINDS, ids=lambda name: encoded(name)[:30])
def test_an_operation_and_the_ids_of_a_poll_come_back_as_they_were_given(
    platform: Platform, recording: RecordingBroker, name: str
) -> None:
    query = "&".join(f"{key}={encoded(name)}" for key in ("operation", "service_id", "plan_id"))
    assert platform.send("GET", f"{INSTANCE}/last_operation?{query}").status == 200
    arguments = recording.calls[-1][1]
    assert (arguments["operation_data"], arguments["service_id"], arguments["plan_id"]) == (name, name, name)


@pytest.mark.rule("URL-01")
@pytest.mark.parametrize("name", IDS_OF_ALL_KINDS, ids=lambda name: encoded(name)[:30])
def test_an_operation_of_any_characters_survives_the_way_there_and_back(serve: Serving, name: str) -> None:
    recording = RecordingBroker(provision=ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation=name))
    platform = serve(recording)
    answer = platform.send("PUT", INSTANCE, PROVISION, query={"accepts_incomplete": "true"})
    assert (answer.status, answer.json) == (202, {"operation": name})
    platform.send("GET", f"{INSTANCE}/last_operation", query={"operation": answer.json["operation"]})
    assert recording.calls[-1][1]["operation_data"] == name


@pytest.mark.rule("URL-01")
@pytest.mark.parametrize("name", IDS_OF_ALL_KINDS, ids=lambda name: encoded(name)[:30])
def test_catalog_ids_of_any_characters_can_be_provisioned_and_deprovisioned(serve: Serving, name: str) -> None:
    recording = RecordingBroker()
    recording.offerings = Service(name, "odd", "Odd ids", bindable=True, plans=[ServicePlan(name, "odd", "Odd")])
    platform = serve(recording)
    ids = {"service_id": name, "plan_id": name}
    assert platform.send("PUT", INSTANCE, {**PROVISION, **ids}).status == 201
    assert (recording.details.service_id, recording.details.plan_id) == (name, name)
    assert platform.send("DELETE", INSTANCE, query=ids).status == 200
    assert (recording.details.service_id, recording.details.plan_id) == (name, name)


@pytest.mark.parametrize(
    "target",
    [
        "/v2/service_instances/",
        "/v2/service_instances//last_operation",
        "/v2/service_instances//service_bindings/b",
        "/v2/service_instances/i/service_bindings/",
    ],
)
def test_an_empty_id_is_refused(platform: Platform, recording: RecordingBroker, target: str) -> None:
    answer = platform.send("GET", target)
    assert (answer.status, recording.calls) == (400, [])
    assert "is empty" in answer.json["description"]


@pytest.mark.parametrize(
    "part", ["%", "%2", "%zz", "a%", "%%30", "%ff", "%c3%28", "%00", "a%0Ab", "a%0D%0AX:%20y", "%7F"]
)
def test_bad_encoding_and_control_characters_are_refused(
    platform: Platform, recording: RecordingBroker, part: str
) -> None:
    targets = (f"/v2/service_instances/{part}", f"{INSTANCE}/service_bindings/{part}")
    queries = (f"{INSTANCE}/last_operation?operation={part}", f"{INSTANCE}?service_id={part}&plan_id=p")
    for target in (*targets, *queries):
        answer = platform.send("GET", target)
        assert answer.status == 400
        assert answer.json["description"]
    assert recording.calls == []


@pytest.mark.parametrize(
    "target", ["/v2/catalog?%zz=%zz", "/v2/catalog?&&=&=x", f"{INSTANCE}?x-acme=%zz", "/v2/catalog?"]
)
def test_query_parameters_that_nobody_knows_are_not_looked_at(platform: Platform, target: str) -> None:
    assert platform.send("GET", target).status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/v2",
        "/v2/",
        "/v2/nothing",
        "/v2/catalog/",
        "/v2/catalog/more",
        "/v2//catalog",
        "/v2/service_instances",
        "/v2/Catalog",
        f"{INSTANCE}/",
        f"{INSTANCE}/last_operation/",
        f"{INSTANCE}/service_bindings",
        f"{INSTANCE}/service_bindings/b/last_operation/more",
        f"{INSTANCE}/other/b",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_a_path_that_is_not_of_the_specification_is_404(platform: Platform, target: str, method: str) -> None:
    answer = platform.send(method, target, b"{}" if method == "PUT" else None)
    assert answer.status == 404
    assert answer.json["description"]


@pytest.mark.parametrize(
    ("target", "allow"),
    [
        ("/v2/catalog", "GET, HEAD"),
        (INSTANCE, "DELETE, GET, PATCH, PUT"),
        (f"{INSTANCE}/last_operation", "GET"),
        (f"{INSTANCE}/service_bindings/b", "DELETE, GET, PUT"),
        (f"{INSTANCE}/service_bindings/b/last_operation", "GET"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_that_the_path_does_not_know_is_405_with_those_that_it_knows(
    platform: Platform, target: str, allow: str, method: str
) -> None:
    answer = platform.send(method, target)
    assert (answer.status, answer.headers["allow"]) == (405, allow)
    assert answer.json["description"]
