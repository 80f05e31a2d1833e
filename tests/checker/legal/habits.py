"""What the specification leaves to a broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Habits:
    """One way to be within the specification."""

    asynchronous: bool = False
    only_if_allowed: bool = False  # True: 202 with the flag, done in the request without it
    names_operations: bool = True
    null_operation: bool = False  # PUT and DELETE of an instance may say null where they name none
    gone_after_delete: bool = True  # a poll after a deletion: 410, or 200 with 'succeeded'
    missing_version: int = 400
    bare_refusals: bool = False  # 401, 404 and 410 have no body (since 2.14)
    echoes_identity: bool = True
    authenticates: bool = True
    shows: bool = True  # instances and bindings can be fetched
    not_shown: int = 404
    shows_parameters: bool = True
    shows_while_updating: bool = True
    updates: bool = True
    refused_update: int = 422
    merges_parameters: bool = True  # False: the new parameters replace all the old ones
    plan_updateable: bool = True
    bindable: bool = True
    halts_creation: bool = True  # False: DELETE while creating is refused
    put_while_deleting: int = 422
    checks_delete_ids: bool = True
    deletes_with_bindings: bool = True
    reuses_ids: bool = True
    credentials_once: bool = False
    has_schema: bool = True
    has_maintenance: bool = True
    refuses_concurrency: bool = False  # one operation at a time on an instance, its bindings included
    late_bindings_only: bool = False  # instances are made at once, bindings are not
    checks_poll_ids: bool = True
    refused_parameters: int = 400
    refused_repeat: bool = False  # 409 where the same is there already
    checks_identity: bool = True
    has_polls: bool = True
    prefix_of_version: bool = False  # any version that begins with 2. will do
    refuses_same_plan: bool = False  # a PATCH with a plan_id is refused, whatever it is
    ignores_unasked_routes: bool = False  # 404 before authentication where there is no such endpoint
    room: int = 1000  # for so many instances
    catalog: Callable[[dict[str, Any]], dict[str, Any]] = lambda catalog: catalog
