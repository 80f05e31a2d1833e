"""What a client sends: paths, queries, bodies and headers."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from tests.platform.odd import IDS, OFFERING, PLAN, answer, obliging, parsed

from openbrokerapi.platform import (
    Client,
    MaintenanceInfo,
    OriginatingIdentity,
    UnexpectedStatus,
    cloud_foundry,
    kubernetes,
)

INSTANCE, BINDING = "instance-1", "binding-1"
USER = OriginatingIdentity("cloudfoundry", {"user_id": "683ea748-3092-4ff4-b656-39cacc4d5360"})


def send_all(client: Client) -> None:
    """Send each of the ten requests once."""
    client.catalog()
    client.provision(INSTANCE, OFFERING, PLAN)
    client.fetch_instance(INSTANCE)
    client.update(INSTANCE, OFFERING)
    client.poll_instance(INSTANCE)
    client.bind(INSTANCE, BINDING, OFFERING, PLAN)
    client.fetch_binding(INSTANCE, BINDING)
    client.poll_binding(INSTANCE, BINDING)
    client.unbind(INSTANCE, BINDING, OFFERING, PLAN)
    client.deprovision(INSTANCE, OFFERING, PLAN)


@pytest.mark.rule("VER-01", "AUTH-01", "RID-01", "RID-04", "RID-06", "OID-01", "OID-04", "OID-05", "OID-07")
def test_every_request_carries_the_headers() -> None:
    odd = obliging(username="user", password="pass:wörd", originating_identity=USER)
    with odd.client as client:
        send_all(client)

    assert len(odd.sent) == 10
    basic = "Basic " + base64.b64encode("user:pass:wörd".encode()).decode()
    for sent in odd.sent:
        assert sent.headers["x-broker-api-version"] == "2.17"
        assert sent.headers["authorization"] == basic
        assert sent.identity == ("cloudfoundry", {"user_id": "683ea748-3092-4ff4-b656-39cacc4d5360"})
    identities = {sent.headers["x-broker-api-request-identity"] for sent in odd.sent}
    assert len(identities) == 10
    assert all(str(uuid.UUID(each)) == each for each in identities)


@pytest.mark.rule("CT-02")
def test_bodies_say_that_they_are_json() -> None:
    odd = obliging()
    with odd.client as client:
        send_all(client)

    for sent in odd.sent:
        assert sent.headers.get("content-type") == ("application/json" if sent.method in {"PUT", "PATCH"} else None)
        assert bool(sent.body) == (sent.method in {"PUT", "PATCH"})


def test_version_and_token_are_arguments() -> None:
    odd = obliging(token="a-token", api_version="2.13", ids=lambda: "fixed")
    with odd.client as client:
        client.catalog()

    headers = odd.sent[0].headers
    assert (headers["authorization"], headers["x-broker-api-version"]) == ("Bearer a-token", "2.13")
    assert headers["x-broker-api-request-identity"] == "fixed"
    assert "x-broker-api-originating-identity" not in headers


@pytest.mark.rule("OID-08")
def test_one_client_acts_for_several_users() -> None:
    odd = obliging(originating_identity=USER)
    with odd.client as client:
        client.acting_as({"platform": "kubernetes", "value": {"username": "duke"}}).catalog()
        client.acting_as(None).catalog()
        client.catalog()

    assert odd.sent[0].identity == ("kubernetes", {"username": "duke"})
    assert "x-broker-api-originating-identity" not in odd.sent[1].headers
    assert odd.sent[2].identity[0] == "cloudfoundry"


@pytest.mark.rule("OID-07", "OID-11", "OID-12", "OID-13")
@pytest.mark.parametrize(
    ("platform", "value"),
    [
        ("cloudfoundry", {"user_id": "683ea748", "x-more": "ünicode"}),
        ("kubernetes", {"username": "duke", "uid": "c2dde242", "groups": ["admin"], "extra": {"data": ["a", "b"]}}),
    ],
)
def test_an_identity_arrives_as_the_platform_wrote_it(platform: str, value: Any) -> None:
    odd = obliging(originating_identity={"platform": platform, "value": value})
    with odd.client as client:
        client.catalog()
    assert odd.sent[0].identity == (platform, value)


@pytest.mark.rule("OID-06")
def test_the_context_names_the_platform_of_the_identity() -> None:
    odd = obliging(originating_identity=USER)
    with odd.client as client:
        with pytest.raises(ValueError, match="originating identity"):
            client.provision(INSTANCE, OFFERING, PLAN, context={"platform": "kubernetes"})
        client.provision(INSTANCE, OFFERING, PLAN, context={"platform": "cloudfoundry"})

    assert [sent.json["context"]["platform"] for sent in odd.sent] == ["cloudfoundry"]


@pytest.mark.parametrize(
    "identity",
    [
        {"platform": "", "value": {}},
        {"platform": "two words", "value": {}},
        {"platform": "a\r\nX-Injected: yes", "value": {}},
        {"platform": "ünicode", "value": {}},
        {"platform": "a", "value": [1]},
        {"platform": "a", "value": {"a": object()}},
        {"platform": "a"},
    ],
)
def test_an_identity_that_cannot_be_sent_is_refused(identity: Any) -> None:
    with pytest.raises(ValueError, match="originating identity"):
        Client("http://broker.example", originating_identity=identity)


@pytest.mark.rule("URL-03")
@pytest.mark.parametrize(
    ("id", "path"),
    [
        ("abc-._~09", "/v2/service_instances/abc-._~09"),
        ("a/b c", "/v2/service_instances/a%2Fb%20c"),
        ("ä?#%", "/v2/service_instances/%C3%A4%3F%23%25"),
        ("50%25", "/v2/service_instances/50%2525"),
        ("..", "/v2/service_instances/%2E%2E"),
        ("a+b&c=d'\"!*();:@,$", "/v2/service_instances/a%2Bb%26c%3Dd%27%22%21%2A%28%29%3B%3A%40%2C%24"),
    ],
)
def test_ids_are_percent_encoded(id: str, path: str) -> None:
    odd = obliging()
    with odd.client as client:
        client.fetch_instance(id)
        client.fetch_binding(id, id)

    encoded = path.rpartition("/")[2]
    assert odd.sent[0].target == path
    assert odd.sent[1].target == f"{path}/service_bindings/{encoded}"


@pytest.mark.rule("URL-04")
def test_an_empty_id_is_not_sent() -> None:
    odd = obliging()
    with odd.client as client:
        with pytest.raises(ValueError, match="instance_id must not be empty"):
            client.fetch_instance("")
        with pytest.raises(ValueError, match="binding_id must not be empty"):
            client.fetch_binding(INSTANCE, "")
    assert odd.sent == []


@pytest.mark.rule("LOI-05", "LOI-07", "LOB-03", "LOB-05", "PROV-32", "UPD-39", "BIND-44")
@pytest.mark.parametrize("operation", ["task_10", "a b/c?d=é&f=g+h#%20", "{'json': \"too\"}", "\U0001f600"])
def test_the_operation_is_sent_back_verbatim(operation: str) -> None:
    odd = obliging()
    with odd.client as client:
        client.poll_instance(INSTANCE, **IDS, operation=operation)
        client.poll_binding(INSTANCE, BINDING, **IDS, operation=operation)

    for sent in odd.sent:
        assert sent.query == parsed(sent.target) == {**IDS, "operation": operation}
        assert sent.target.isascii()
        assert " " not in sent.target


@pytest.mark.rule("LOI-05", "LOB-02", "LOB-03", "GETI-05", "GETB-03")
def test_nothing_empty_is_in_a_query() -> None:
    odd = obliging()
    with odd.client as client:
        client.poll_instance(INSTANCE, service_id="", plan_id=None, operation="")
        client.poll_binding(INSTANCE, BINDING, service_id="", plan_id="", operation="")
        client.fetch_instance(INSTANCE, service_id="", plan_id="")
        client.fetch_binding(INSTANCE, BINDING, service_id="")
    assert [sent.query for sent in odd.sent] == [{}] * 4


@pytest.mark.rule("PROV-09", "PROV-13")
def test_a_provision_holds_what_the_specification_asks_for() -> None:
    odd = obliging()
    with odd.client as client:
        client.provision(
            INSTANCE,
            OFFERING,
            PLAN,
            parameters={"a": 1},
            context={"platform": "cloudfoundry", "organization_guid": "org", "space_guid": "space"},
            maintenance_info=MaintenanceInfo(version="1.2.3", description="not of interest"),
        )
        client.provision(INSTANCE, OFFERING, PLAN, accepts_incomplete=False)

    first, second = odd.sent
    assert first.query == {"accepts_incomplete": "true"}
    assert first.json == {
        "service_id": OFFERING,
        "plan_id": PLAN,
        "organization_guid": "org",
        "space_guid": "space",
        "context": {"platform": "cloudfoundry", "organization_guid": "org", "space_guid": "space"},
        "parameters": {"a": 1},
        "maintenance_info": {"version": "1.2.3"},
    }
    assert second.query == {}
    # Both are required, and must not be empty, though there is nothing to say.
    assert all(second.json[name] for name in ("organization_guid", "space_guid"))
    assert set(second.json) == {"service_id", "plan_id", "organization_guid", "space_guid"}


@pytest.mark.rule("UPD-13", "UPD-18", "UPD-17")
def test_an_update_holds_only_what_is_to_change() -> None:
    odd = obliging()
    with odd.client as client:
        client.update(INSTANCE, OFFERING, maintenance_info=MaintenanceInfo(version="2.0.0"))
        client.update(INSTANCE, OFFERING, plan_id="other", parameters={}, previous_values={"plan_id": PLAN})

    assert odd.sent[0].json == {"service_id": OFFERING, "maintenance_info": {"version": "2.0.0"}}
    assert odd.sent[1].json == {
        "service_id": OFFERING,
        "plan_id": "other",
        "parameters": {},
        "previous_values": {"plan_id": PLAN},
    }


@pytest.mark.rule("BIND-23", "BIND-25", "BIND-27", "BIND-11")
def test_a_bind_names_the_application_in_both_places() -> None:
    odd = obliging()
    with odd.client as client:
        client.bind(INSTANCE, BINDING, OFFERING, PLAN, app_guid="app", bind_resource={"route": "app.example.com"})
        client.bind(INSTANCE, BINDING, OFFERING, PLAN, app_guid="")

    assert odd.sent[0].json == {
        **IDS,
        "app_guid": "app",
        "bind_resource": {"app_guid": "app", "route": "app.example.com"},
    }
    assert odd.sent[1].json == IDS


@pytest.mark.rule("BIND-25", "BR-01", "BR-02", "BR-03", "BR-06")
def test_a_bind_takes_any_resource_of_the_platform() -> None:
    resource = {"space_guid": "s", "app_annotations": {"a": "b"}, "credential_client_id": "c", "x-more": 1}
    odd = obliging()
    with odd.client as client:
        client.bind(INSTANCE, BINDING, OFFERING, PLAN, bind_resource=resource)
        client.bind(INSTANCE, BINDING, OFFERING, PLAN, bind_resource={})

    assert odd.sent[0].json == {**IDS, "bind_resource": resource}
    assert odd.sent[1].json == {**IDS, "bind_resource": {}}


@pytest.mark.rule("ROT-02", "ROT-09")
def test_a_rotation_names_its_predecessor() -> None:
    odd = obliging()
    with odd.client as client:
        client.rotate(INSTANCE, "new", BINDING)

    assert odd.sent[0].path == f"/v2/service_instances/{INSTANCE}/service_bindings/new"
    assert odd.sent[0].json == {"predecessor_binding_id": BINDING}


@pytest.mark.rule("UNB-18", "DEP-21")
def test_a_delete_names_offering_and_plan() -> None:
    odd = obliging()
    with odd.client as client:
        client.unbind(INSTANCE, BINDING, OFFERING, PLAN)
        client.deprovision(INSTANCE, OFFERING, PLAN, accepts_incomplete=False)

    assert odd.sent[0].query == {**IDS, "accepts_incomplete": "true"}
    assert odd.sent[1].query == IDS


@pytest.mark.rule("CTX-01", "CTX-04", "CTX-05", "CTX-06", "CTX-07", "CTX-08", "CTX-09", "CTX-10", "CTX-11", "CTX-12")
def test_contexts_are_those_of_the_profile() -> None:
    names = {"organization_guid", "space_guid", "organization_name", "space_name"}
    of_cf, of_k8s = cloud_foundry(), kubernetes(namespace="n", clusterid="c")
    assert set(of_cf.of_instance("db")) == names | {"platform", "instance_name"}
    assert set(of_cf.of_binding()) == names | {"platform"}
    assert of_k8s.of_instance("db") == {
        "platform": "kubernetes",
        "namespace": "n",
        "clusterid": "c",
        "instance_name": "db",
    }
    annotated = cloud_foundry(organization_annotations={"a": "b"}).of_binding()
    assert annotated["organization_annotations"] == {"a": "b"}
    assert kubernetes(namespace_annotations={}).of_instance("db")["namespace_annotations"] == {}
    for sent in (of_cf.of_instance("db"), of_k8s.of_binding()):
        assert all(isinstance(value, str) and value for value in sent.values())


def test_a_redirect_is_not_followed() -> None:
    odd = obliging(username="u", password="p")
    odd.answers("GET /v2/catalog", answer(302, headers={"Location": "http://elsewhere.example/v2/catalog"}))
    with odd.client as client, pytest.raises(UnexpectedStatus) as caught:
        client.catalog()
    assert (caught.value.status, len(odd.sent)) == (302, 1)


def test_no_cookie_is_kept() -> None:
    odd = obliging()
    odd.answers("GET instance", answer(200, headers={"Set-Cookie": "session=1; Path=/"}))
    with odd.client as client:
        client.fetch_instance(INSTANCE)
        client.fetch_instance(INSTANCE)
    assert [sent.headers.get("cookie") for sent in odd.sent] == [None, None]


def test_nothing_secret_is_shown() -> None:
    odd = obliging("http://user:secret-1@broker.example", originating_identity=USER)
    body = {"credentials": {"password": "secret-2"}, "parameters": {"key": "secret-3"}, "syslog_drain_url": "secret-4"}
    odd.answers("PUT binding", answer(201, body))
    odd.answers("GET binding", answer(200, {**body, "volume_mounts": [{"a": "secret-5"}]}))
    with odd.client as client:
        bound = client.bind(INSTANCE, BINDING, OFFERING, PLAN, parameters={"key": "secret-6"})
        fetched = client.fetch_binding(INSTANCE, BINDING)
        shown = repr([client, vars(client), bound, fetched])
    assert bound.credentials == {"password": "secret-2"}
    assert "secret" not in shown
