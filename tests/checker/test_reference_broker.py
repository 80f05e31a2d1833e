"""The reference broker, asked in the same process: it obeys the specification, and each sample fault shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from tests.checker.reference.desk import FLAG, Desk
from tests.checker.reference.door import BASIC, TOKEN
from tests.checker.reference.faults import all_faults
from tests.checker.reference.wire import SECOND

COOPERATION = yaml.safe_load((Path(__file__).parent / "reference" / "cooperation.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_every_endpoint_of_a_synchronous_plan_answers_as_the_specification_says(desk: Desk) -> None:
    made = desk.provision("i", "reference-db", "quick", parameters={"size": 5, "admin_password": "x"})
    assert (desk.status, "operation" in made) == (201, False)
    assert desk.provision("i", "reference-db", "quick", parameters={"size": 5, "admin_password": "x"}) == made
    assert desk.status == 200
    fetched = desk.ask("GET", "/v2/service_instances/i")
    assert (fetched["parameters"], fetched["dashboard_url"]) == ({"size": 5}, made["dashboard_url"])
    desk.provision("i", "reference-db", "quick", parameters={"size": 6})
    assert desk.status == 409
    assert desk.poll("i")["state"] == "succeeded"
    bound = desk.bind("i/service_bindings/b", "reference-db", "quick", parameters={"role": "reader"})
    assert (desk.status, bound["endpoints"][0]["ports"]) == (201, ["5432"])
    other = desk.bind("i/service_bindings/c", "reference-db", "quick")
    assert other["credentials"]["password"] != bound["credentials"]["password"]
    again = desk.ask("GET", "/v2/service_instances/i/service_bindings/b")
    assert (again["credentials"], again["parameters"]) == (bound["credentials"], {"role": "reader"})
    assert (desk.delete("i/service_bindings/b", "reference-db", "quick"), desk.status) == ({}, 200)
    desk.delete("i/service_bindings/b", "reference-db", "quick")
    assert desk.status == 410
    assert (desk.delete("i", "reference-db", "quick"), desk.status) == ({}, 200)
    desk.ask("GET", "/v2/service_instances/i")
    assert desk.status == 404
    desk.delete("i", "reference-db", "quick")
    assert desk.status == 410


def test_an_update_changes_what_it_names_and_leaves_the_rest(desk: Desk) -> None:
    desk.provision("i", "reference-db", "quick", parameters={"size": 5, "label": "a"})
    desk.patch("i", "reference-db", parameters={"size": 7})
    assert desk.status == 200
    desk.patch("i", "reference-db", plan_id=desk.ids["reference-db", "large"][1])
    fetched = desk.ask("GET", "/v2/service_instances/i")
    assert fetched["parameters"] == {"size": 7, "label": "a"}
    assert fetched["plan_id"] == desk.ids["reference-db", "large"][1]
    assert fetched["metadata"]["attributes"]["size"] == 7
    for wrong, status in {
        "locked": 422,
        "not a plan": 400,
    }.items():
        plan_id = desk.ids.get(("reference-db", wrong), ("", wrong))[1]
        assert desk.patch("i", "reference-db", plan_id=plan_id)["description"]
        assert desk.status == status
    desk.patch("i", "reference-db", maintenance_info={"version": "9.9.9"}, plan_id=fetched["plan_id"])
    assert desk.status == 422
    assert desk.ask("GET", "/v2/service_instances/i") == fetched


def test_an_asynchronous_plan_keeps_its_operation_until_the_time_is_over(desk: Desk) -> None:
    assert desk.provision("i", "reference-slow", "patient", query="")["error"] == "AsyncRequired"
    first = desk.provision("i", "reference-slow", "patient")
    assert (desk.status, desk.provision("i", "reference-slow", "patient"), desk.status) == (202, first, 202)
    desk.provision("i", "reference-slow", "patient", parameters={"size": 9})
    assert desk.status == 409
    desk.ask("GET", "/v2/service_instances/i")
    assert desk.status == 404
    assert desk.patch("i", "reference-slow", parameters={"size": 3})["error"] == "ConcurrencyError"
    assert desk.finish("i", first)["state"] == "succeeded"
    assert desk.ask("GET", "/v2/service_instances/i")["dashboard_url"] == first["dashboard_url"]
    large = desk.ids["reference-slow", "patient-large"][1]
    change = desk.patch("i", "reference-slow", plan_id=large)
    assert desk.patch("i", "reference-slow", plan_id=large) == change
    assert desk.ask("GET", "/v2/service_instances/i")["error"] == "ConcurrencyError"
    assert desk.delete("i", "reference-slow", "patient")["error"] == "ConcurrencyError"
    service_id, old = desk.ids["reference-slow", "patient"]
    state = desk.ask("GET", f"/v2/service_instances/i/last_operation?service_id={service_id}&plan_id={old}")
    assert state["state"] == "in progress"
    assert desk.finish("i", change)["state"] == "succeeded"
    assert desk.ask("GET", "/v2/service_instances/i")["dashboard_url"] == change["dashboard_url"]
    deletion = desk.delete("i", "reference-slow", "patient-large")
    assert desk.delete("i", "reference-slow", "patient-large") == deletion
    assert [desk.finish("i", deletion)["state"], desk.poll("i", deletion)["state"]] == ["succeeded"] * 2


def test_an_asynchronous_binding_gives_its_credentials_by_fetch_alone(desk: Desk) -> None:
    desk.provision("i", "reference-slow", "patient")
    desk.time += 3
    path = "i/service_bindings/b"
    first = desk.bind(path, "reference-slow", "patient")
    assert (desk.status, list(first)) == (202, ["operation"])
    assert desk.bind(path, "reference-slow", "patient") == first
    desk.ask("GET", f"/v2/service_instances/{path}")
    assert desk.status == 404
    assert desk.finish(path, first)["state"] == "succeeded"
    assert desk.ask("GET", f"/v2/service_instances/{path}")["credentials"]["password"]
    assert desk.finish(path, desk.delete(path, "reference-slow", "patient"))["state"] == "succeeded"
    assert desk.status == 200
    desk.poll("i/service_bindings/unknown")
    assert desk.status == 404


def test_a_deletion_halts_the_creation(desk: Desk) -> None:
    desk.provision("i", "reference-slow", "either")
    assert (desk.delete("i", "reference-slow", "either", query=""), desk.status) == ({}, 200)
    assert desk.poll("i")["state"] == "failed"
    desk.provision("j", "reference-slow", "either")
    desk.delete("j", "reference-slow", "either")
    assert (desk.status, desk.poll("j")["state"]) == (202, "in progress")
    desk.time += 3
    desk.poll("j")
    assert desk.status == 410
    desk.provision("k", "reference-slow", "hard-operation")
    assert desk.delete("k", "reference-slow", "hard-operation")["error"] == "ConcurrencyError"


def test_operations_that_are_hard_to_encode_come_back_whole(desk: Desk) -> None:
    made = desk.provision("i", "reference-slow", "hard-operation")
    assert made["operation"].startswith("a b/c?d=é")
    assert desk.finish("i", made)["state"] == "succeeded"
    for malformed in ("operation=", "operation=%zz", "operation=unknown", "service_id=foreign"):
        desk.ask("GET", f"/v2/service_instances/i/last_operation?{malformed}")
        assert desk.status == 400


def test_what_fails_says_so_and_leaves_nothing(desk: Desk) -> None:
    slow = "reference-slow"
    failed = desk.finish("a", desk.provision("a", slow, "fails-provision"))
    assert (failed["state"], failed.keys() & {"instance_usable", "update_repeatable"}) == ("failed", set())
    desk.ask("GET", "/v2/service_instances/a")
    assert desk.status == 404
    desk.provision("b", slow, "fails-update", parameters={"size": 5})
    failed = desk.finish("b", desk.patch("b", slow, parameters={"size": 7}))
    assert (failed["state"], failed["instance_usable"], failed["update_repeatable"]) == ("failed", True, False)
    assert desk.ask("GET", "/v2/service_instances/b")["parameters"] == {"size": 5}
    desk.provision("c", slow, "fails-deprovision")
    failed = desk.finish("c", desk.delete("c", slow, "fails-deprovision"))
    assert (failed["state"], failed["instance_usable"], "update_repeatable" in failed) == ("failed", True, False)
    assert desk.finish("c", desk.delete("c", slow, "fails-deprovision"))["state"] == "succeeded"
    desk.provision("d", slow, "fails-bind")
    path = "d/service_bindings/b"
    assert desk.finish(path, desk.bind(path, slow, "fails-bind")).keys() == {"state", "description"}
    desk.provision("e", slow, "fails-unbind")
    path = "e/service_bindings/b"
    desk.bind(path, slow, "fails-unbind")
    assert desk.finish(path, desk.delete(path, slow, "fails-unbind"))["state"] == "failed"
    assert desk.finish(path, desk.delete(path, slow, "fails-unbind"))["state"] == "succeeded"


@pytest.mark.parametrize(("plan", "status"), [("breaks-provision", 500), ("full", 422)])
def test_a_refused_creation_leaves_nothing(desk: Desk, plan: str, status: int) -> None:
    assert desk.provision("i", "reference-db", plan)["description"]
    assert desk.status == status
    desk.delete("i", "reference-db", plan)
    assert desk.status == 410


@pytest.mark.parametrize(("plan", "size", "status"), [("breaks-update", 7, 500), ("quota-update", 50, 422)])
def test_a_refused_update_changes_nothing(desk: Desk, plan: str, size: int, status: int) -> None:
    desk.provision("i", "reference-db", plan, parameters={"size": 5})
    assert desk.patch("i", "reference-db", parameters={"size": size})["instance_usable"] is True
    assert desk.status == status
    assert desk.ask("GET", "/v2/service_instances/i")["parameters"] == {"size": 5}


def test_each_kind_of_service_gives_what_it_is_for(desk: Desk) -> None:
    kinds = {"log-drain": {"syslog_drain_url"}, "proxy": {"route_service_url"}, "volume": {"volume_mounts"}}
    for service, fields in {**kinds, "out-of-band": set()}.items():
        desk.provision(service, service, "standard")
        assert desk.bind(f"{service}/service_bindings/b", service, "standard").keys() == fields
    desk.provision("app", "reference-db", "app-only")
    path = "app/service_bindings/b"
    assert desk.bind(path, "reference-db", "app-only")["error"] == "RequiresApp"
    desk.bind(path, "reference-db", "app-only", bind_resource={"app_guid": "a"})
    assert desk.status == 201
    desk.bind("app/service_bindings/c", "reference-db", "app-only", app_guid="a")
    assert desk.status == 201
    desk.provision("none", "unbindable", "standard")
    desk.bind("none/service_bindings/b", "unbindable", "standard")
    assert desk.status == 400
    desk.provision("hidden", "unretrievable", "standard")
    desk.ask("GET", "/v2/service_instances/hidden")
    assert desk.status == 404
    desk.provision("fixed", "fixed-plan", "standard")
    desk.patch("fixed", "fixed-plan", parameters={"size": 7})
    assert desk.status == 200
    desk.patch("fixed", "fixed-plan", plan_id=desk.ids["fixed-plan", "other"][1])
    assert desk.status == 422


def test_binds_of_one_instance_wait_for_each_other_where_the_plan_says_so(desk: Desk) -> None:
    desk.provision("i", "reference-slow", "serial-binds")
    first = desk.bind("i/service_bindings/a", "reference-slow", "serial-binds")
    assert desk.bind("i/service_bindings/b", "reference-slow", "serial-binds")["error"] == "ConcurrencyError"
    assert desk.finish("i/service_bindings/a", first)["state"] == "succeeded"


def test_a_deleted_instance_takes_its_bindings_with_it(desk: Desk) -> None:
    desk.provision("i", "reference-slow", "serial-binds")
    desk.bind("i/service_bindings/a", "reference-slow", "serial-binds", query="")
    desk.bind("i/service_bindings/b", "reference-slow", "serial-binds")
    desk.delete("i", "reference-slow", "serial-binds")
    desk.time += 3
    for name, state in {"a": None, "b": "failed"}.items():
        assert desk.poll(f"i/service_bindings/{name}").get("state") == state
        desk.delete(f"i/service_bindings/{name}", "reference-slow", "serial-binds")
        assert desk.status == 410


@pytest.mark.parametrize(("service", "plan"), [("reference-db", "rotatable"), ("reference-slow", "rotatable-slow")])
def test_a_rotated_binding_stands_beside_the_old_one(desk: Desk, service: str, plan: str) -> None:
    desk.provision("i", service, plan)
    desk.time += 3
    desk.bind("i/service_bindings/old", service, plan, parameters={"role": "writer"})
    desk.time += 3
    rotate = {"predecessor_binding_id": "old"}
    desk.ask("PUT", f"/v2/service_instances/i/service_bindings/new?{FLAG}", rotate)
    assert desk.status in (201, 202)
    desk.time += 3
    old, new = (desk.ask("GET", f"/v2/service_instances/i/service_bindings/{name}") for name in ("old", "new"))
    assert old["credentials"] != new["credentials"]
    assert new["parameters"] == {"role": "writer"}
    assert new["metadata"]["renew_before"] < new["metadata"]["expires_at"]
    assert new["metadata"]["expires_at"].endswith(".0Z")
    desk.ask("PUT", f"/v2/service_instances/i/service_bindings/x?{FLAG}", {"predecessor_binding_id": "unknown"})
    assert desk.status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": None}, 401),
        ({"authorization": "Basic !"}, 401),
        ({"authorization": BASIC[SECOND]}, 401),
        ({"authorization": None, "x_broker_api_version": None}, 401),
        ({"authorization": f"Bearer {TOKEN}"}, 404),
        ({"x_broker_api_version": None}, 400),
        ({"x_broker_api_version": "two"}, 400),
        ({"x_broker_api_version": "2.9"}, 412),
        ({"x_broker_api_version": "3.0"}, 412),
        ({"x_broker_api_version": "2.99"}, 404),
        ({"x_broker_api_originating_identity": "cloudfoundry"}, 400),
        ({"x_broker_api_originating_identity": "cloudfoundry W10="}, 400),
        (
            {
                "x_broker_api_originating_identity": "cloudfoundry eyANCiAgInVzZXJfaWQiOiAiNjgzZWE3NDgtMzA5Mi"
                "00ZmY0LWI2NTYtMzljYWNjNGQ1MzYwIg0KfQ=="
            },
            404,
        ),
    ],
)
def test_the_door_lets_in_what_it_should(desk: Desk, headers: dict[str, str | None], status: int) -> None:
    answer = desk.ask("GET", "/v2/service_instances/i", x_broker_api_request_identity="me", **headers)
    assert (desk.status, desk.headers["x-broker-api-request-identity"]) == (status, "me")
    assert answer["description"]
    assert ("www-authenticate" in desk.headers) == (status == 401)
    assert "me" in desk.ask("GET", "/reference/log")["identities"]


def test_bodies_that_are_no_use_are_400(desk: Desk) -> None:
    good: dict[str, Any] = desk.body("reference-db", "quick", organization_guid="o", space_guid="s")
    wrong: list[Any] = [b"{", b"[]", b"", *({**good, name: ""} for name in good)]
    wrong += [{**good, name: []} for name in ("parameters", "context", "maintenance_info")]
    wrong += [{**good, "service_id": desk.ids["proxy", "standard"][0]}, {**good, "parameters": {"size": "many"}}]
    for body in wrong:
        assert desk.ask("PUT", "/v2/service_instances/i", body)["description"]
        assert desk.status == 400
    desk.ask("PUT", "/v2/service_instances/i", good, content_type="text/plain")
    assert desk.status == 400
    stale = desk.ask("PUT", "/v2/service_instances/i", {**good, "maintenance_info": {"version": "1.0.0"}})
    assert (desk.status, stale["error"]) == (422, "MaintenanceInfoConflict")
    desk.ask("PUT", "/v2/service_instances/i", {**good, "x-a": 1}, content_type="application/json; charset=utf-8")
    assert desk.status == 201
    desk.ask("PUT", "/v2/service_instances/i", {**good, "x-a": 2, "context": {"platform": "x"}})
    assert desk.status == 200
    for query in ("", "?service_id=a", "?plan_id=a"):
        desk.ask("DELETE", f"/v2/service_instances/unknown{query}")
        assert desk.status == 400


def test_an_id_is_decoded_once(desk: Desk) -> None:
    odd = quote("a b/c%2F:é", safe="")
    desk.provision(odd, "reference-db", "quick")
    assert desk.ask("GET", f"/v2/service_instances/{odd}")["plan_id"]
    desk.ask("GET", "/v2/service_instances/a%20b%2Fc%2F%3A%C3%A9")
    assert desk.status == 404


def test_the_catalog_is_known_by_its_validators_until_it_changes(desk: Desk) -> None:
    desk.ask("GET", "/v2/catalog")
    tag, date = desk.headers["etag"], desk.headers["last-modified"]
    for known in ({"if_none_match": f'"x", W/{tag}'}, {"if_modified_since": date}):
        assert desk.ask("GET", "/v2/catalog", **known) is None
        assert desk.status == 304
    desk.provision("i", "reference-db", "retiring")
    desk.ask("POST", "/reference/change-catalog")
    for old in ({"if_none_match": tag}, {"if_modified_since": date}):
        plans = desk.ask("GET", "/v2/catalog", **old)["services"][0]["plans"]
        assert ("arriving" in str(plans), "retiring" in str(plans)) == (True, False)
    desk.provision("j", "reference-db", "retiring")
    assert desk.status == 400
    desk.ask("POST", "/reference/restart")
    assert desk.ask("GET", "/v2/service_instances/i")["plan_id"]
    desk.delete("i", "reference-db", "retiring")
    assert desk.status == 200
    desk.ask("POST", "/reference/restore-catalog")
    desk.ask("GET", "/v2/catalog")
    assert desk.headers["etag"] == tag


def test_the_second_platform_has_its_own_address_and_credentials(desk: Desk) -> None:
    assert desk.ask("GET", "/second/v2/catalog", authorization=BASIC[SECOND])["services"]
    desk.ask("GET", "/second/v2/catalog")
    assert desk.status == 401


def test_the_checkers_file_names_every_plan_but_the_spare_ones(desk: Desk) -> None:
    named = {(about["service"], about["plan"]) for about in COOPERATION["plans"]}
    assert set(desk.ids) - named == {("spare", "standard"), ("spare", "other")}
    assert named <= set(desk.ids)
    for about in COOPERATION["plans"]:
        for other in {"update_to", "update_not_to"} & about.keys():
            assert (about["service"], about[other]) in named


def see_deletion(desk: Desk) -> Any:
    desk.delete("unknown", "reference-db", "quick")
    return desk.status


def see_missing_service(desk: Desk) -> Any:
    plan_id = desk.ids["reference-db", "quick"][1]
    desk.ask("PUT", "/v2/service_instances/i", {"plan_id": plan_id, "organization_guid": "o", "space_guid": "s"})
    return desk.status


def see_other_parameters(desk: Desk) -> Any:
    desk.provision("i", "reference-db", "quick")
    desk.provision("i", "reference-db", "quick", parameters={"size": 9})
    return desk.status


def see_names(desk: Desk) -> Any:
    names = [service["name"] for service in desk.ask("GET", "/v2/catalog")["services"]]
    return len(names) - len(set(names))


def see_second_poll(desk: Desk) -> Any:
    first = desk.provision("i", "reference-slow", "patient")
    desk.finish("i", first)
    desk.poll("i", first)
    of_instance, path = desk.status, "i/service_bindings/b"
    desk.finish(path, desk.bind(path, "reference-slow", "patient"))
    desk.poll(path)
    return of_instance, desk.status


@pytest.mark.parametrize(
    ("says", "see", "right", "broken"),
    [
        ("answers 404 to the DELETE of an instance that does not exist", see_deletion, 410, 404),
        ("provisions without a service_id", see_missing_service, 400, 201),
        ("answers 200 to a PUT with the id of an instance that has other parameters", see_other_parameters, 409, 200),
        ("two offerings have one name", see_names, 0, 1),
        ("forgets the end of an operation when it has told of it", see_second_poll, (200, 200), (404, 200)),
    ],
)
def test_a_fault_shows(says: str, see: Any, right: Any, broken: Any) -> None:
    (fault,) = [each for faults in all_faults().values() for each in faults if each.says == says]
    assert (see(Desk()), see(Desk(fault))) == (right, broken)


def test_a_fault_that_names_no_switch_is_refused() -> None:
    from tests.checker.reference.faults import fault_setting

    with pytest.raises(TypeError, match="no switch or endpoint compare_nothing"):
        fault_setting("PROV-25", "", compare_nothing=True)
