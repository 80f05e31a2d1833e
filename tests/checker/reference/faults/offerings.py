"""Faults of the catalog's offerings, and of what it promises of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.checker.reference.faults import fault_catalog, find_spare
from tests.checker.reference.plans import make_id

LEFT_OUT: Any = object()
"""In place of a field's value: there is no such field."""


def put(thing: dict[str, Any], values: dict[str, Any]) -> None:
    """Set fields of a JSON object, and take out those that are to be left out."""
    for name, value in values.items():
        if value is LEFT_OUT:
            thing.pop(name, None)
        else:
            thing[name] = value


def spoil_offering(rule: str, says: str, *, also: Iterable[str] = (), **values: Any) -> None:
    """Register a catalog whose spare offering has other values."""

    def edit(catalog: dict[str, Any]) -> None:
        put(find_spare(catalog), values)

    fault_catalog(rule, says, also=also)(edit)


spoil_offering("SVC-01", "an offering has no name", name=LEFT_OUT)
spoil_offering("SVC-01", "the name of an offering is empty", name="")
spoil_offering("SVC-01", "the name of an offering is a number", name=7)
spoil_offering("SVC-02", "two offerings have one name", name="reference-slow")
spoil_offering("SVC-03", "an offering has no id", id=LEFT_OUT)
spoil_offering("SVC-03", "the id of an offering is a number", id=7)
spoil_offering("SVC-04", "two offerings have one id", id=make_id("reference-slow"))
spoil_offering("SVC-04", "an offering has the id of a plan", id=make_id("reference-db", "quick"))
spoil_offering("SVC-05", "the id of an offering is its name", id="spare")
spoil_offering("SVC-05", "the id of an offering is a GUID without its hyphens", id="0" * 32)
spoil_offering("SVC-06", "an offering has no description", description=LEFT_OUT)
spoil_offering("SVC-06", "the description of an offering is empty", description="")
spoil_offering("SVC-07", "the tags of an offering are one text", tags="spare")
spoil_offering("SVC-07", "a tag is a number", tags=["spare", 2])
spoil_offering("SVC-07", "the tags of an offering are null", tags=None)
spoil_offering("SVC-08", "an offering requires something unknown", requires=["syslog_drain", "network"])
spoil_offering("SVC-08", "what an offering requires is one text", requires="syslog_drain")
spoil_offering("SVC-09", "an offering does not say whether it can be bound", bindable=LEFT_OUT)
spoil_offering("SVC-09", "the bindable of an offering is a text", bindable="true")
spoil_offering("SVC-10", "the instances_retrievable of an offering is a text", instances_retrievable="true")
spoil_offering("SVC-11", "the bindings_retrievable of an offering is a number", bindings_retrievable=1)
spoil_offering("SVC-12", "the allow_context_updates of an offering is a text", allow_context_updates="false")
spoil_offering("SVC-13", "the metadata of an offering is a text", metadata="Spare")
spoil_offering("SVC-14", "the dashboard_client of an offering is its id", dashboard_client="spare-dashboard")
spoil_offering("SVC-15", "the plan_updateable of an offering is a text", plan_updateable="yes")
spoil_offering("SVC-16", "an offering has no plans", plans=LEFT_OUT)
spoil_offering("SVC-16", "the plans of an offering are none", plans=[])
