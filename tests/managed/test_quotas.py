"""Quotas are counted in the transaction that creates: no race exceeds them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.contract.expectations import assert_refused
from tests.managed.stage import LARGE, ORGANIZATION, SMALL, Managed, Script, Stage, Steered, plans

from openbrokerapi.managed import Failed


def offering(script: Script, **attributes: Any) -> Steered:
    made: Steered = type("Limited", (Steered,), attributes)(script)
    return made


@pytest.mark.rule("ORPH-08")
@pytest.mark.parametrize(
    ("attributes", "code", "free"),
    [
        ({"quota": 2}, "ServiceQuotaExceeded", None),
        ({"plans": plans({"quota": 2})}, "PlanQuotaExceeded", {"plan_id": LARGE}),
        ({"quota_per_organization": 2}, "InstanceLimitMet", {"organization_guid": "organization-2"}),
        (
            {"plans": plans({"quota_per_organization": 2})},
            "InstanceLimitMet",
            {"plan_id": LARGE, "organization_guid": ORGANIZATION},
        ),
    ],
    ids=["offering", "plan", "organization", "plan and organization"],
)
def test_a_quota_that_is_used_up_refuses_and_begins_nothing(
    stage: Stage, script: Script, attributes: dict[str, Any], code: str, free: dict[str, str] | None
) -> None:
    managed = stage(offering(script, **attributes))
    assert [managed.provision(f"instance-{number}").status for number in range(2)] == [201, 201]
    assert_refused(managed.provision("instance-2"), 422, code)
    assert (managed.row("instance-2"), managed.whats("instance-2")) == (None, [])
    if free is not None:
        assert managed.provision("instance-3", **free).status == 201
    # One that is there already is no further one, and one that is deleted gives its place back.
    assert managed.provision("instance-0").status == 200
    managed.deprovision("instance-1")
    assert managed.provision("instance-2").status == 201


def test_a_quota_counts_its_own_offering_only(stage: Stage, script: Script) -> None:
    other = offering(script, id="service-2", name="other", plans=plans({"id": "plan-2"}, {"id": "plan-3"}))
    managed = stage(offering(script, quota=1), other)
    managed.provision("instance-0", service_id="service-2", plan_id="plan-2")
    assert managed.provision("instance-1").status == 201
    assert managed.provision("instance-2").status == 422


def test_one_that_failed_gives_its_place_back_when_it_is_cleaned_up(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, quota=1))
    script.answers["provision"] = Failed("No.")
    with script.held("deprovision"):
        assert managed.provision().status == 500
        assert managed.provision("instance-2").status == 422
    managed.idle()
    script.answers.clear()
    assert managed.provision("instance-2").status == 201


@pytest.mark.parametrize("on", ["asgi", "flask", "postgresql"])
@pytest.mark.parametrize("incomplete", [True, False])
def test_sixteen_at_once_never_exceed_a_quota_of_five(stage: Stage, script: Script, incomplete: bool) -> None:
    managed = stage(offering(script, plans=plans({"quota": 5})))

    def provision(number: int) -> int:
        return managed.provision(f"instance-{number}", incomplete=incomplete, plan_id=SMALL).status

    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(200 if status < 300 else status for status in pool.map(provision, range(16)))
    assert statuses == {200: 5, 422: 11}
    managed.idle()
    assert script.kinds() == ["provision"] * 5
    assert _count(managed) == 5


def _count(managed: Managed) -> int:
    return len(managed.run(managed.store.instances()))


def test_a_plan_change_counts_against_the_quota_of_the_plan_that_it_goes_to(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, plans=plans(large={"quota": 1})))
    assert managed.provision("instance-1", plan_id=LARGE).status == 201
    assert managed.provision("instance-2").status == 201
    assert_refused(managed.update("instance-2", plan_id=LARGE), 422, "PlanQuotaExceeded")
    assert managed.deprovision("instance-1", plan_id=LARGE).status == 200
    assert managed.update("instance-2", plan_id=LARGE).status == 200
    # What it has already is no change.
    assert managed.update("instance-2", plan_id=LARGE, parameters={"size": 2}).status == 200
