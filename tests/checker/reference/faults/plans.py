"""Faults of the catalog's plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.checker.reference.faults import fault_catalog, find_spare
from tests.checker.reference.faults.offerings import LEFT_OUT, put
from tests.checker.reference.plans import make_id


def spoil_plan(rule: str, says: str, *, also: Iterable[str] = (), **values: Any) -> None:
    """Register a catalog whose spare offering has a first plan with other values."""

    def edit(catalog: dict[str, Any]) -> None:
        put(find_spare(catalog)["plans"][0], values)

    fault_catalog(rule, says, also=also)(edit)


def spoil_maintenance(rule: str, says: str, **values: Any) -> None:
    """Register a catalog whose spare offering has a first plan with other values in its `maintenance_info`."""

    def edit(catalog: dict[str, Any]) -> None:
        put(find_spare(catalog)["plans"][0]["maintenance_info"], values)

    fault_catalog(rule, says)(edit)


spoil_plan("PLAN-01", "a plan has no id", id=LEFT_OUT)
spoil_plan("PLAN-01", "the id of a plan is empty", id="")
spoil_plan("PLAN-02", "two plans of an offering have one id", id=make_id("spare", "other"))
spoil_plan("PLAN-02", "plans of two offerings have one id", id=make_id("unbindable", "standard"))
spoil_plan("PLAN-03", "the id of a plan is its name", id="standard")
spoil_plan("PLAN-04", "a plan has no name", name=LEFT_OUT)
spoil_plan("PLAN-04", "the name of a plan is empty", name="")
spoil_plan("PLAN-05", "two plans of an offering have one name", name="other")
spoil_plan("PLAN-06", "a plan has no description", description=LEFT_OUT)
spoil_plan("PLAN-06", "the description of a plan is an array", description=["Says all"])
spoil_plan("PLAN-07", "the metadata of a plan is an array", metadata=[])
spoil_plan("PLAN-08", "the free of a plan is a text", free="false")
spoil_plan("PLAN-08", "the free of a plan is null", free=None)
spoil_plan("PLAN-09", "the bindable of a plan is a text", bindable="false")
spoil_plan("PLAN-10", "the binding_rotatable of a plan is a number", binding_rotatable=1)
spoil_plan("PLAN-11", "the plan_updateable of a plan is a text", plan_updateable="true")
spoil_plan("PLAN-12", "the schemas of a plan are a text", schemas="none")
spoil_plan("PLAN-13", "the maximum_polling_duration of a plan is a text", maximum_polling_duration="60")
spoil_plan("PLAN-13", "the maximum_polling_duration of a plan has a fraction", maximum_polling_duration=0.5)
spoil_plan("PLAN-14", "the maintenance_info of a plan is its version", maintenance_info="2.1.1")
spoil_maintenance("PLAN-14", "the maintenance_info of a plan has no version", version=LEFT_OUT)
spoil_maintenance("MNT-01", "a version begins with a letter", version="v1.0.0")
spoil_maintenance("MNT-01", "a version has two numbers", version="1.0")
spoil_maintenance("MNT-01", "a version is a number", version=2.1)
spoil_maintenance("MNT-01", "a number of a version begins with 0", version="1.02.0")
spoil_maintenance("MNT-02", "the description of a maintenance is an array", description=["It takes a minute."])
