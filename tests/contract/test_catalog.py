"""The catalog as it goes over the wire: its validators, and every field as the author wrote it."""

# mypy: disable-error-code="override"
from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.contract.brokers import IDS, INSTANCE, LARGE, PROVISION, SERVICE, SMALL, RecordingBroker
from tests.contract.hosts import Answer, Platform, Serving
from tests.contract.ten import CATALOG

from openbrokerapi.catalog import (
    MaintenanceInfo,
    Schemas,
    Service,
    ServiceDashboardClient,
    ServiceMetadata,
    ServicePlan,
    ServicePlanCost,
    ServicePlanMetadata,
)


def fetch(platform: Platform, **headers: str) -> Answer:
    return CATALOG.by(platform, {name.replace("_", "-"): value for name, value in headers.items()})


def services(platform: Platform) -> Any:
    answer = fetch(platform)
    assert answer.status == 200
    return answer.json["services"]


def offering(**fields: Any) -> Service:
    plan = ServicePlan("p", "plan", "A plan")
    return Service("s", "service", "A service", **{"bindable": True, "plans": [plan], **fields})


def served(serve: Serving, *offerings: Any) -> Platform:
    broker = RecordingBroker()
    broker.offerings = list(offerings)
    return serve(broker)


@pytest.mark.rule("CAT-01", "CAT-02")
def test_the_catalog_is_a_json_object_with_a_list_of_services(platform: Platform) -> None:
    answer = fetch(platform)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert list(answer.json) == ["services"]
    assert [service["name"] for service in answer.json["services"]] == ["database", "queue"]


@pytest.mark.rule("CAT-02")
def test_an_empty_catalog_is_an_empty_list(serve: Serving) -> None:
    assert services(served(serve)) == []


ONE = offering()


@pytest.mark.rule("CAT-02", "CAT-04")
@pytest.mark.parametrize(
    "kind",
    [lambda: ONE, lambda: [ONE], lambda: (ONE,), lambda: iter([ONE]), {"x": ONE}.values, ONE.fields_to_send],
    ids=["one", "list", "tuple", "iterator", "view", "dict"],
)
def test_a_broker_may_give_its_offerings_in_any_form(
    serve: Serving, recording: RecordingBroker, kind: Callable[[], Any]
) -> None:
    class Anew(type(recording)):  # type: ignore[misc]  # plain or async, as the fixture says
        @property
        def offerings(self) -> Any:
            return kind()

        @offerings.setter
        def offerings(self, value: Any) -> None: ...

    recording.__class__ = Anew
    platform = serve(recording)
    first, second = fetch(platform), fetch(platform)
    assert [service["id"] for service in first.json["services"]] == ["s"]
    assert first.headers["etag"] == second.headers["etag"]


@pytest.mark.rule("CAT-03")
def test_ids_are_the_same_at_each_fetch_and_after_a_restart(serve: Serving) -> None:
    def ids() -> Any:
        platform = serve(RecordingBroker())
        found = [[(s["id"], [p["id"] for p in s["plans"]]) for s in services(platform)] for _ in range(2)]
        assert found[0] == found[1]
        return found[0]

    assert ids() == ids()
    assert (ids()[0]) == (SERVICE, [SMALL, LARGE])


def test_an_async_catalog_is_awaited(serve: Serving) -> None:
    class Slow(RecordingBroker):
        async def catalog(self) -> Any:
            await asyncio.sleep(0)
            return ONE

    assert services(serve(Slow()))[0]["id"] == "s"


@pytest.mark.rule("CAT-09", "CAT-11")
def test_a_fetch_with_the_tag_of_the_last_one_is_304_without_a_body(serve: Serving) -> None:
    recording = RecordingBroker()
    platform = serve(recording)
    tag = fetch(platform).headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = fetch(platform, If_None_Match=given)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    for given in ('"other"', "nonsense", "", "W/", tag.strip('"')):
        assert fetch(platform, If_None_Match=given).status == 200
    recording.offerings[0].description = "Other databases"
    changed = fetch(platform, If_None_Match=tag)
    assert (changed.status, changed.json["services"][0]["description"]) == (200, "Other databases")
    assert changed.headers["etag"] != tag
    assert fetch(platform, If_None_Match=changed.headers["etag"]).status == 304


@pytest.mark.rule("CAT-10", "CAT-11")
def test_a_fetch_with_the_date_of_the_last_one_is_304_until_the_catalog_changes(serve: Serving) -> None:
    recording = RecordingBroker()
    platform = serve(recording)
    date = fetch(platform).headers["last-modified"]
    assert fetch(platform, If_Modified_Since=date).status == 304
    assert fetch(platform, If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT").status == 304
    assert fetch(platform, If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT").status == 200
    for nonsense in ("yesterday", "", "Thu, 99 Foo 1970 00:00:00 GMT", "Mon, 01 Jan 99999 00:00:00 GMT", "é"):
        assert fetch(platform, If_Modified_Since=nonsense).status == 200
    # RFC 7232, section 3.3: the tag counts where both are there.
    assert fetch(platform, If_Modified_Since=date, If_None_Match='"other"').status == 200
    # Within the same second, even.
    recording.offerings[0].description = "Other databases"
    changed = fetch(platform, If_Modified_Since=date)
    assert (changed.status, changed.json["services"][0]["description"]) == (200, "Other databases")
    assert fetch(platform, If_Modified_Since=changed.headers["last-modified"]).status == 304


@pytest.mark.rule("CAT-09")
def test_head_has_the_headers_of_get_and_no_body(platform: Platform) -> None:
    full = fetch(platform)
    answer = platform.send("HEAD", "/v2/catalog")
    assert (answer.status, answer.body) == (200, b"")
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert answer.headers[name] == full.headers[name]
    assert platform.send("HEAD", "/v2/catalog", headers={"If-None-Match": full.headers["etag"]}).status == 304


LISTS: dict[str, Any] = {}


def everything() -> Service:
    """An offering with an object of every kind, and lists and dicts that the author still holds."""
    LISTS.update(
        tags=["one"], plans=[], bullets=["first"], costs=[], schema={"properties": {"a": {}}}, meta={"a": {"b": [1]}}
    )
    cost = ServicePlanCost({"usd": 1.0}, "MONTHLY")
    LISTS["costs"].append(cost)
    plan = ServicePlan(
        "p",
        "plan",
        "A plan",
        metadata=ServicePlanMetadata("Plan", LISTS["bullets"], LISTS["costs"], more={"x": [1]}),
        schemas=Schemas(service_instance={"create": {"parameters": LISTS["schema"]}}),
        maintenance_info=MaintenanceInfo("1.0.0"),
        extra={"deep": [{"er": 1}]},
    )
    LISTS["plans"].append(plan)
    return Service(
        "s",
        "service",
        "A service",
        bindable=True,
        plans=LISTS["plans"],
        tags=LISTS["tags"],
        metadata=ServiceMetadata("Service", more=LISTS["meta"]),
        dashboard_client=ServiceDashboardClient("c", "secret"),
    )


def plan_of(service: Any) -> Any:
    return service.plans[0]


CHANGES: dict[str, Callable[[Any], object]] = {
    "a field of the offering": lambda s: setattr(s, "description", "Changed"),
    "a new field of the offering": lambda s: setattr(s, "x-new", 1),
    "a deleted field": lambda s: delattr(s, "tags"),
    "an appended plan": lambda s: s.plans.append(ServicePlan("q", "second", "Another")),
    "an appended plan in the author's list": lambda s: LISTS["plans"].append(ServicePlan("q", "second", "Another")),
    "a removed plan": lambda s: s.plans.clear(),
    "a replaced list of plans": lambda s: setattr(s, "plans", [ServicePlan("q", "second", "Another")]),
    "a field of a plan": lambda s: setattr(plan_of(s), "free", False),
    "a tag": lambda s: s.tags.append("two"),
    "a tag in the author's list": lambda s: LISTS["tags"].append("two"),
    "a tag by index": lambda s: s.tags.__setitem__(0, "other"),
    "tags extended in place": lambda s: s.tags.__iadd__(["two"]),
    "a field of the metadata": lambda s: setattr(s.metadata, "displayName", "Changed"),
    "the author's metadata dict": lambda s: LISTS["meta"].update(c=1),
    "deep in the author's metadata dict": lambda s: LISTS["meta"]["a"]["b"].append(2),
    "a metadata dict": lambda s: s.metadata.more["a"].pop("b"),
    "a field of the plan's metadata": lambda s: setattr(plan_of(s).metadata, "displayName", "Changed"),
    "a bullet": lambda s: plan_of(s).metadata.bullets.insert(0, "new"),
    "a bullet in the author's list": lambda s: LISTS["bullets"].reverse() or LISTS["bullets"].append("new"),
    "deep in an own dict of the plan": lambda s: plan_of(s).extra["deep"][0].update(er=2),
    "deep in an own list of the plan's metadata": lambda s: plan_of(s).metadata.more["x"].append(2),
    "an amount": lambda s: plan_of(s).metadata.costs[0].amount.update(eur=2.0),
    "a unit": lambda s: setattr(plan_of(s).metadata.costs[0], "unit", "HOURLY"),
    "another cost": lambda s: LISTS["costs"].append(ServicePlanCost({"usd": 5.0}, "HOURLY")),
    "the author's schema": lambda s: LISTS["schema"]["properties"].update(b={}),
    "a schema": lambda s: plan_of(s).schemas.service_instance.update(update={"parameters": {}}),
    "the maintenance": lambda s: setattr(plan_of(s).maintenance_info, "version", "1.0.1"),
    "the dashboard's secret": lambda s: setattr(s.dashboard_client, "secret", "changed"),
    "a field through vars()": lambda s: vars(s).update(description="Changed"),
    "a field of a plan through vars()": lambda s: vars(plan_of(s)).__setitem__("free", False),
}


@pytest.mark.rule("CAT-04", "CAT-11")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("twice", [False, True], ids=["first change", "second change"])
def test_a_change_of_anything_in_the_catalog_is_shown_at_the_next_request(
    serve: Serving, change: str, twice: bool
) -> None:
    service = everything()
    platform = served(serve, service)
    if twice:  # what has been encoded anew once is watched as well as what was new
        fetch(platform)
        service.name = "renamed"
    before = fetch(platform)
    assert fetch(platform, If_None_Match=before.headers["etag"]).status == 304
    CHANGES[change](service)
    after = fetch(platform, If_None_Match=before.headers["etag"])
    assert after.status == 200
    assert after.json != before.json
    assert services(served(serve, service)) == after.json["services"]


@pytest.mark.rule("CAT-04")
def test_offerings_come_and_go_between_fetches(serve: Serving) -> None:
    recording = RecordingBroker()
    platform = serve(recording)
    recording.offerings.append(offering())
    assert [each["name"] for each in services(platform)] == ["database", "queue", "service"]
    del recording.offerings[0]
    assert [each["name"] for each in services(platform)] == ["queue", "service"]
    assert platform.send("PUT", INSTANCE, PROVISION).status == 400


@pytest.mark.rule("CAT-04")
def test_a_request_is_checked_against_the_catalog_as_it_is_now(serve: Serving) -> None:
    recording = RecordingBroker()
    platform = serve(recording)
    body = {**PROVISION, "plan_id": "new"}
    assert platform.send("PUT", INSTANCE, body).status == 400
    recording.offerings[0].plans.append(ServicePlan("new", "new", "New"))
    assert platform.send("PUT", INSTANCE, body).status == 201


@pytest.mark.rule("CAT-07")
def test_what_belongs_to_a_plan_that_left_the_catalog_can_still_be_fetched_and_removed(
    serve: Serving, recording: RecordingBroker
) -> None:
    platform = serve(recording)
    recording.offerings.clear()
    binding = f"{INSTANCE}/service_bindings/b"
    for target in (binding, INSTANCE):
        assert platform.send("GET", target).status == 200
        assert platform.send("GET", f"{target}/last_operation", query=IDS).status == 200
        assert platform.send("DELETE", target, query=IDS).status == 200


@pytest.mark.rule("CAT-12")
def test_names_that_differ_in_case_are_two_names(serve: Serving) -> None:
    plans = [ServicePlan("1", "Big", "Big"), ServicePlan("2", "big", "big")]
    platform = served(
        serve, offering(name_="x", plans=plans), Service("t", "SERVICE", "T", bindable=False, plans=plans)
    )
    found = services(platform)
    assert [each["name"] for each in found] == ["service", "SERVICE"]
    assert [plan["name"] for plan in found[0]["plans"]] == ["Big", "big"]


@dataclasses.dataclass
class Plan:
    id: str
    name: str
    description: str
    metadata: Any = None
    free: bool | None = None


@pytest.mark.rule("SVC-13", "PLAN-07", "CAT-04")
@pytest.mark.parametrize(
    "kind",
    [
        dict,
        lambda **fields: SimpleNamespace(**fields, metadata=None, _own="hidden"),
        Plan,
    ],
    ids=["dict", "object", "dataclass"],
)
def test_offerings_need_not_be_of_the_librarys_classes(serve: Serving, kind: Callable[..., Any]) -> None:
    plan = kind(id="p", name="plan", description="A plan", free=False)
    service = SimpleNamespace(id="s", name="service", description="A", bindable=True, plans=[plan], metadata=None)
    recording = RecordingBroker()
    recording.offerings = service
    platform = serve(recording)
    wanted = {"id": "p", "name": "plan", "description": "A plan", "free": False}
    assert services(platform) == [
        {"id": "s", "name": "service", "description": "A", "bindable": True, "plans": [wanted]}
    ]
    service.description = "B"
    if isinstance(plan, dict):
        plan["free"] = True
    else:
        plan.free = True
    found = services(platform)[0]
    assert (found["description"], found["plans"][0]["free"]) == ("B", True)
