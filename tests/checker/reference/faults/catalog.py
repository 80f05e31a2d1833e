"""Faults of the catalog as a whole: its strings, its ids over time, its validators, its changes."""

from __future__ import annotations

import uuid
from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_catalog, fault_setting, find_spare
from tests.checker.reference.faults.offerings import spoil_offering
from tests.checker.reference.faults.plans import spoil_plan
from tests.checker.reference.plans import make_id
from tests.checker.reference.wire import Call, Reply

NAMESAKE = make_id("Reference-DB")
CONDITIONS = {"if-none-match", "if-modified-since"}


@fault("CAT-01", "answers with an array from the second plain fetch of the catalog on", also={"ORPH-09"}, at="catalog")
def send_array(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status != 200 or broker.catalog.changed or CONDITIONS & call.headers.keys():
        return reply
    # By the first one the checker chooses its plans.
    is_first = broker.memory.setdefault("first", call) is call
    return reply if is_first else reply.having(body=reply.body["services"])


@fault_catalog("CAT-02", "lists an offering by its name only")
def list_name(catalog: dict[str, Any]) -> None:
    catalog["services"].append("another")


@fault("CAT-03", "gives an offering another id with each fetch", at="catalog")
def make_offering_id(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status == 200:
        find_spare(reply.body)["id"] = str(uuid.UUID(int=broker.count()))
    return reply


@fault("CAT-03", "gives a plan another id when it is restarted", at="catalog")
def make_plan_id(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status == 200 and broker.restarts:
        find_spare(reply.body)["plans"][0]["id"] = str(uuid.UUID(int=broker.restarts))
    return reply


@fault("CAT-04", "loses an id when the catalog changes", at="catalog")
def lose_id(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status == 200 and broker.catalog.changed:
        del find_spare(reply.body)["plans"][0]["id"]
    return reply


fault_setting("CAT-07", "serves no instance of a plan that left the catalog", serve_retired_plans=False)


@fault("CAT-07", "does not show an instance of a plan that left the catalog", at="fetch_instance")
def hide_retired(call: Call, reply: Reply, broker: Reference) -> Reply:
    retired = call.query.get("plan_id") == make_id("reference-db", "retiring")
    if retired and broker.catalog.changed:
        return reply.having(status=404, body={"description": "There is no such plan."})
    return reply


spoil_offering("CAT-08", "a description has more than 255 characters", description="It is long. " * 22)
spoil_plan("CAT-08", "a plan's displayName has more than 255 characters", metadata={"displayName": "Spare" * 52})

fault_setting("CAT-09", "sends a catalog that is known by its ETag", conditional_requests=False)


@fault("CAT-09", "takes any ETag for its own", at="catalog")
def know_every_tag(call: Call, reply: Reply, broker: Reference) -> Reply:
    known = call.headers.get("if-none-match") == '"of-no-catalog-at-all"'
    return reply.having(status=304, body=None) if known else reply


@fault("CAT-10", "answers 304 to any date", at="catalog")
def know_every_date(call: Call, reply: Reply, broker: Reference) -> Reply:
    known = "if-modified-since" in call.headers
    return reply.having(status=304, body=None) if known else reply


fault_setting("CAT-11", "keeps the ETag of a catalog that changes", validators_follow_content=False)


@fault("CAT-12", "shows an instance as one of the namesake in small letters", also={"GETI-07"}, at="fetch_instance")
def show_namesake(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status != 200 or reply.body["service_id"] != NAMESAKE:
        return reply
    return reply.with_fields(service_id=make_id("reference-db"), plan_id=make_id("reference-db", "quick"))


spoil_offering("CAT-13", "the name of an offering has a space", name="the spare one")
spoil_plan("CAT-13", "the name of a plan has a letter beyond ASCII", name="größer")
spoil_plan("CAT-14", "the name of a plan is a hyphen", name="-")
