"""Every point at which the broker decides by a rule, as a switch that a fault may turn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conduct:
    """How the broker behaves; as it stands here it obeys every rule."""

    # At the door.
    authenticate: bool = True
    authenticate_first: bool = True  # False: the body, the ids and the version are looked at before the credentials
    challenge: bool = True
    accept_token: bool = True
    serve_second_platform: bool = True
    echo_identity: bool = True
    log_identity: bool = True
    require_version: bool = True
    minimum_minor: int = 13
    compare_versions: str = "numbers"  # or "text", "decimal"
    accept_later_minors: bool = True
    check_version_form: bool = True
    require_originating_identity: bool = False
    require_request_identity: bool = False
    check_originating_identity: bool = True
    decode_ids: bool = True
    check_content_type: bool = True
    accept_charset: bool = True
    require_content_type: bool = False

    # Bodies.
    ignore_unknown_fields: bool = True  # False: 400
    check_context_is_object: bool = True
    check_parameters_are_object: bool = True
    check_service: bool = True
    check_plan: bool = True
    check_plan_belongs_to_service: bool = True
    validate_parameters: bool = True
    validate_update_parameters: bool = True
    validate_bind_parameters: bool = True
    check_maintenance_version: bool = True
    check_maintenance_version_on_update: bool = True
    compare_maintenance_description: bool = False
    require_maintenance_info: bool = False

    # Asynchronous operations.
    require_flag: bool = True  # False: 202 without `accepts_incomplete=true`
    refuse_flag: bool = False  # True: the flag is refused where the work is synchronous
    always_asynchronous: bool = False  # True: 202 where there is the flag, whatever the plan
    answer_before_work_is_done: bool = False  # True: 201 or 200 at once while the work goes on
    operation_seconds: float = 3.0
    operations_fail_as_planned: bool = True
    same_operation_on_repeat: bool = True
    repeats_are_asynchronous: bool = True  # False: 200 for a repeat while the work goes on
    repeat_begins_anew: bool = False  # True: a repeated request puts off the end of the operation
    refusal_disturbs_operation: bool = False  # True: after ConcurrencyError the running operation fails
    keep_terminal_states: bool = True
    answer_by_operation: bool = True  # False: a poll that names an earlier operation is told of the latest
    check_operation: bool = True
    check_operation_is_not_empty: bool = True
    check_poll_ids: bool = True
    accept_old_plan_in_poll: bool = True
    require_poll_query: bool = False
    poll_unknown_as_gone: bool = False
    gone_after_creation: bool = False  # True: a create or update poll answers 410 once it is over
    linger: float = 0.0  # seconds between the arrival of a request and its treatment, so that requests overlap

    # A repeated PUT.
    compare_parameters: bool = True
    compare_plan: bool = True
    compare_guids: bool = True
    compare_context: bool = False
    compare_unknown_fields: bool = False
    compare_while_running: bool = True
    overwrite_on_conflict: bool = False  # True: 409 is answered, and the new values are taken all the same
    recognise_repeat: bool = True  # False: 409 for an identical PUT
    refuse_put_while_deleting: bool = True

    # Updates.
    keep_plan_when_absent: bool = True
    keep_parameters_when_absent: bool = True
    keep_all_on_context_update: bool = True
    check_service_on_update: bool = True
    check_plan_on_update: bool = True
    refuse_locked_plans: bool = True
    refuse_over_quota_update: bool = True
    gate_all_updates_by_plan_updateable: bool = False
    refuse_update_while_creating: bool = True
    refuse_update_while_updating: bool = True
    refuse_update_while_deleting: bool = True
    apply_refused_update: bool = False  # True: 4xx is answered, and the change is made all the same
    apply_broken_update: bool = False  # the same for 5xx
    apply_failed_update: bool = False  # the same for an asynchronous update that failed
    require_previous_values: bool = False
    show_attribute_changes: bool = True

    # Creations that are refused or fail.
    keep_refused_creation: bool = False  # True: 4xx is answered, and an instance is there all the same
    keep_broken_creation: bool = False  # the same for 5xx
    keep_failed_creation: bool = False  # the same for an asynchronous creation that failed
    keep_unauthenticated_creation: bool = False  # the same for 401
    keep_async_required_creation: bool = False  # the same for 422 AsyncRequired
    keep_maintenance_conflict_creation: bool = False  # the same for 422 MaintenanceInfoConflict

    # Fetching.
    fetch_while_creating: bool = False
    fetch_while_updating: bool = False
    fetch_after_delete: bool = False
    fetch_shows_new_plan: bool = True
    fetch_requires_query: bool = False

    # Deletion.
    remove_on_delete: bool = True  # False: 200 or succeeded, and the resource stays
    halt_creation_on_delete: bool = True  # False: the creation goes on, and the resource is there in the end
    report_halted_creation_as_failed: bool = True
    report_deletion_after_halt: bool = True  # False: polls without `operation` are told of the creation
    refuse_delete_while_updating: bool = True
    deletion_of_unknown_is_gone: bool = True  # False: 200
    require_delete_ids: bool = True
    delete_on_async_required: bool = False  # True: 422 AsyncRequired, and the resource is deleted all the same

    # Bindings.
    distinct_credentials: bool = True
    credentials_in_202: bool = False
    require_app: bool = True
    accept_top_level_app_guid: bool = True
    accept_resource_app_guid: bool = True
    serialise_binds: bool = True
    fetch_binding_while_creating: bool = False
    check_bind_ids: bool = True
    require_bind_ids: bool = True
    remove_on_unbind: bool = True
    check_predecessor: bool = True
    carry_over_parameters: bool = True
    keep_predecessor: bool = True  # False: the old binding is gone when the new one is there
    rotation_requires_ids: bool = False

    # The broker as a whole.
    survive_restart: bool = True
    serve_retired_plans: bool = True
    validators_follow_content: bool = True  # False: ETag and Last-Modified stay when the catalog changes
    conditional_requests: bool = True  # False: 200 whatever the validators say
