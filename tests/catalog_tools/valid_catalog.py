"""A complete catalog that keeps to every rule, made from the tables of the specification's section on the catalog."""

import json
from collections.abc import Callable
from typing import Any

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
SIZE: dict[str, Any] = {
    "$schema": DRAFT_4,
    "type": "object",
    "properties": {"size": {"type": "integer", "minimum": 1}, "owner": {"$ref": "#/definitions/owner"}},
    "definitions": {"owner": {"type": "string"}},
    "additionalProperties": False,
}

_CATALOG: dict[str, Any] = {
    "services": [
        {
            "name": "fake-service",
            "id": "acb56d7c-1111-4111-8111-feb140a59a66",
            "description": "A fake service.",
            "tags": ["no-sql", "relational"],
            "requires": ["route_forwarding"],
            "bindable": True,
            "instances_retrievable": True,
            "bindings_retrievable": True,
            "allow_context_updates": True,
            "metadata": {
                "displayName": "The Fake Service Broker",
                "imageUrl": "https://example.com/cat.gif",
                "longDescription": "A long time ago, in a galaxy far far away..." * 20,
                "providerDisplayName": "Example",
                "documentationUrl": "https://example.com/docs",
                "supportUrl": "https://example.com/support",
                "shareable": True,
                "provider": {"name": "The name"},
            },
            "dashboard_client": {
                "id": "398e2f8e-1111-4111-8111-19a71ecbcf64",
                "secret": "277cabb0-1111-4111-8111-7822c0a90e5d",
                "redirect_uri": "http://localhost:1234",
            },
            "plan_updateable": True,
            "plans": [
                {
                    "name": "fake-plan-1",
                    "id": "d3031751-1111-4111-8111-a42377d3320e",
                    "description": "Shared fake Server, 5tb persistent disk, 40 max concurrent connections.",
                    "free": False,
                    "bindable": True,
                    "binding_rotatable": True,
                    "plan_updateable": False,
                    "maximum_polling_duration": 3600,
                    "metadata": {
                        "displayName": "Big Bunny",
                        "max_storage_tb": 5,
                        "costs": [
                            {"amount": {"usd": 99.0}, "unit": "MONTHLY"},
                            {"amount": {"usd": 0.99}, "unit": "1GB of messages over 20GB"},
                        ],
                        "bullets": ["Shared fake server", "5 TB storage"],
                    },
                    "schemas": {
                        "service_instance": {"create": {"parameters": SIZE}, "update": {"parameters": SIZE}},
                        "service_binding": {"create": {"parameters": SIZE}},
                    },
                    "maintenance_info": {"version": "2.1.1+abcdef", "description": "OS image update."},
                },
                {
                    "name": "fake-plan-2",
                    "id": "0f4008b5-1111-4111-8111-dace631cd648",
                    "description": "Shared fake Server.",
                    "free": True,
                    "bindable": False,
                },
            ],
        },
        {
            "name": "Fake.service",
            "id": "0b6bd6a8-1111-4111-8111-0a2a07b5ac6a",
            "description": "Another fake service.",
            "bindable": False,
            "x-vendor": {"any": ["thing"]},
            "plans": [
                {
                    "name": "fake-plan-1",
                    "id": "ee1a0f7b-1111-4111-8111-0f8e5f0a3d5b",
                    "description": "A plan with the name of another offering's plan.",
                }
            ],
        },
    ]
}


def valid_catalog() -> dict[str, Any]:
    """Return a new copy of it."""
    # Not a deep copy: that would keep the one schema in three places one object.
    document: dict[str, Any] = json.loads(json.dumps(_CATALOG))
    return document


Step = str | int


def with_value(value: object, *path: Step) -> Callable[[dict[str, Any]], None]:
    """Return a change of a catalog: the value at the path of keys and positions."""

    def change(document: dict[str, Any]) -> None:
        holder: Any = document
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value

    return change


def without(*path: Step) -> Callable[[dict[str, Any]], None]:
    """Return a change of a catalog: the value at the path is taken out."""

    def change(document: dict[str, Any]) -> None:
        holder: Any = document
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]

    return change


def changed(*changes: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Return a copy of the catalog with these changes."""
    document = valid_catalog()
    for change in changes:
        change(document)
    return document
