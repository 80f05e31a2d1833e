"""The catalog: what is sent, its validators, and the search for an offering or a plan."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from functools import cache
from typing import Any

from tests.checker.reference.plans import OFFERINGS, Offering, Plan
from tests.checker.reference.wire import Call, Reply, encode_json

FIRST_CHANGE = 1_704_067_200
"""When the catalog as it begins was last changed: seconds since 1970."""

NEW_VERSION = "2.2.0"
"""The version of the plan `quick` in the changed catalog."""


@cache
def list_services(changed: bool) -> str:
    """Return the catalog as it is at first, or after its change, as JSON."""
    return encode_json({"services": [describe(offering, changed) for offering in OFFERINGS]})


def describe(offering: Offering, changed: bool) -> dict[str, Any]:
    """Return an offering as the catalog shows it."""
    plans = [
        {"id": plan.id, "name": plan.name, "description": plan.description, **see_plan(plan, changed)}
        for plan in offering.plans.values()
        if is_offered(plan, changed)
    ]
    return {
        "id": offering.id,
        "name": offering.name,
        "description": offering.description,
        **offering.says,
        "plans": plans,
    }


def is_offered(plan: Plan, changed: bool) -> bool:
    """Tell whether a plan is in the catalog."""
    return not (plan.behaviour.retired if changed else plan.behaviour.arrives)


def see_plan(plan: Plan, changed: bool) -> Mapping[str, Any]:
    """Return what the catalog says of a plan, with the version it then has."""
    if not (changed and plan.name == "quick"):
        return plan.says
    return {**plan.says, "maintenance_info": {**plan.says["maintenance_info"], "version": NEW_VERSION}}


class Catalog:
    """The catalog of one broker; `edit` is a fault's change to what is sent."""

    def __init__(self, edit: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.edit = edit
        self.changed = False
        self.modified = FIRST_CHANGE
        self.offerings = {offering.id: offering for offering in OFFERINGS}
        self.read()

    def read(self) -> None:
        """Make the answer anew."""
        text = list_services(self.changed)
        services = json.loads(text)
        if self.edit is not None:
            self.edit(services)
            text = encode_json(services)
        self.services = services
        self.encoded = text.encode()
        digest = hashlib.sha256(self.encoded).hexdigest()[:32]
        self.validators = {"etag": f'"{digest}"', "last-modified": formatdate(self.modified, usegmt=True)}

    def change(self, changed: bool, now: float, keep_validators: bool) -> None:
        """Put on the changed catalog, or the first one again."""
        if changed is self.changed:
            return
        self.changed = changed
        self.modified = max(self.modified + 1, int(now))
        kept = self.validators
        self.read()
        if keep_validators:
            self.validators = kept

    def answer(self, call: Call, conditional: bool, as_data: bool) -> Reply:
        """Answer with the catalog, or 304: in data that a fault may look into, or as the bytes made before."""
        if conditional and self.is_known(call.headers):
            return Reply(304, None, self.validators)
        return Reply(200, copy.deepcopy(self.services) if as_data else self.encoded, self.validators)

    def is_known(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the platform has this catalog already (CAT-09, CAT-10); a tag counts for more than a date."""
        if (tags := headers.get("if-none-match")) is not None:
            known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
            return "*" in known or self.validators["etag"] in known
        if (date := headers.get("if-modified-since")) is None:
            return False
        try:
            return parsedate_to_datetime(self.validators["last-modified"]) <= parsedate_to_datetime(date)
        except (ValueError, TypeError):
            return False

    def version_of(self, plan: Plan) -> str | None:
        """Return the version of a plan's `maintenance_info` as it now is."""
        info = see_plan(plan, self.changed).get("maintenance_info")
        return info["version"] if info else None


def read_schema(plan: Plan, resource: str, request: str) -> Mapping[str, Any] | None:
    """Return a plan's schema for the parameters of one kind of request, None without one."""
    schema: Mapping[str, Any] | None
    schema = plan.says.get("schemas", {}).get(resource, {}).get(request, {}).get("parameters")
    return schema
