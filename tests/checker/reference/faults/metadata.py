"""Faults of the metadata in the catalog, and of a dashboard's client."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.faults import fault_catalog, find_spare
from tests.checker.reference.faults.offerings import LEFT_OUT, put


def spoil(rule: str, says: str, *, plan: bool = False, part: str = "metadata", **values: Any) -> None:
    """Register other values in an object of the spare offering, or of its first plan."""

    def edit(catalog: dict[str, Any]) -> None:
        spare = find_spare(catalog)
        put((spare["plans"][0] if plan else spare)[part], values)

    fault_catalog(rule, says)(edit)


def spoil_cost(rule: str, says: str, **values: Any) -> None:
    """Register other values in what the spare offering's first plan costs."""

    def edit(catalog: dict[str, Any]) -> None:
        put(find_spare(catalog)["plans"][0]["metadata"]["costs"][0], values)

    fault_catalog(rule, says)(edit)


spoil("META-01", "a displayName is an object", displayName={"en": "Spare"})
spoil("META-01", "a displayName goes by another name", displayName=LEFT_OUT, display_name="Spare")
spoil("META-02", "an image is somewhere on the broker", imageUrl="/images/spare.png")
spoil("META-02", "an image is in a file", imageUrl="file:///images/spare.png")
spoil("META-03", "the bullets of a plan are one text", plan=True, bullets="100 GB")
spoil("META-03", "the costs of a plan are a number", plan=True, costs=99.0)
spoil("META-03", "the bullets of a plan go by another name", plan=True, bullets=LEFT_OUT, Bullets=["100 GB"])
spoil("META-07", "shareable is a text", shareable="true")
spoil_cost("META-04", "a cost has no amount", amount=LEFT_OUT)
spoil_cost("META-04", "an amount is an array", amount=[{"usd": 99.0}])
spoil_cost("META-04", "a price is a text", amount={"usd": "99.0"})
spoil_cost("META-05", "a cost has no unit", unit=LEFT_OUT)
spoil("DSH-01", "a dashboard_client has no id", part="dashboard_client", id=LEFT_OUT)
spoil("DSH-01", "the id of a dashboard_client is empty", part="dashboard_client", id="")
spoil("DSH-02", "a dashboard_client has no secret", part="dashboard_client", secret=LEFT_OUT)
spoil("DSH-02", "the secret of a dashboard_client is a number", part="dashboard_client", secret=277)
spoil("DSH-03", "the redirect_uri of a dashboard_client is a path", part="dashboard_client", redirect_uri="/login")
spoil("DSH-03", "the redirect_uri of a dashboard_client is an array", part="dashboard_client", redirect_uri=[])
