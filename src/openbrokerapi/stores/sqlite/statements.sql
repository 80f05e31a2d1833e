-- Each statement stands under its name. Columns are in the order of the fields in rows.py.

-- name: instance
SELECT * FROM instance WHERE instance_id = ?

-- name: binding
SELECT * FROM binding WHERE instance_id = ? AND binding_id = ?

-- name: bindings
SELECT * FROM binding WHERE instance_id = ? ORDER BY binding_id

-- name: operation
SELECT * FROM operation WHERE operation_id = ?

-- name: active
-- Not in an order: SQLite's sorter costs ten times the look, and there is hardly ever more than one.
SELECT *, rowid FROM operation INDEXED BY operation_active WHERE instance_id = ? AND state = 'in progress'
UNION ALL
SELECT *, rowid FROM operation INDEXED BY operation_held
WHERE instance_id = ? AND state <> 'in progress' AND worker IS NOT NULL

-- name: latest_operation
-- Clean-ups are nobody's to ask for: a poll without an operation is about the request before.
SELECT * FROM operation WHERE instance_id = ? AND binding_id IS ? AND kind <> 'clean up'
ORDER BY created_at DESC, rowid DESC LIMIT 1

-- name: steps
SELECT * FROM step WHERE operation_id = ? ORDER BY name

-- name: note
SELECT value FROM note WHERE name = ?

-- name: put_instance
INSERT INTO instance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET service_id = excluded.service_id, plan_id = excluded.plan_id, state = excluded.state,
    usable = excluded.usable, organization_guid = excluded.organization_guid, space_guid = excluded.space_guid,
    platform = excluded.platform, name = excluded.name, maintenance_version = excluded.maintenance_version,
    request = excluded.request, answer = excluded.answer, created_at = excluded.created_at,
    updated_at = excluded.updated_at

-- name: put_binding
INSERT INTO binding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET service_id = excluded.service_id, plan_id = excluded.plan_id, state = excluded.state,
    app_guid = excluded.app_guid, predecessor_binding_id = excluded.predecessor_binding_id,
    expires_at = excluded.expires_at, renew_before = excluded.renew_before, request = excluded.request,
    answer = excluded.answer, created_at = excluded.created_at, updated_at = excluded.updated_at

-- name: put_operation
-- What an operation is about stays: its instance, its binding, and when it was asked for. To write these again would
-- cost a page of the index operation_latest for each operation that ends.
INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (operation_id) DO UPDATE SET kind = excluded.kind, state = excluded.state, lane = excluded.lane,
    description = excluded.description, instance_usable = excluded.instance_usable,
    update_repeatable = excluded.update_repeatable, request = excluded.request, who = excluded.who,
    blocked_by = excluded.blocked_by, attempt = excluded.attempt, worker = excluded.worker,
    lease_until = excluded.lease_until, deadline = excluded.deadline, started_at = excluded.started_at,
    finished_at = excluded.finished_at

-- name: add_event
INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)

-- name: put_note
INSERT INTO note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value

-- name: forget_instance
DELETE FROM instance WHERE instance_id = ?

-- name: forget_bindings
DELETE FROM binding WHERE instance_id = ?

-- name: forget_binding
DELETE FROM binding WHERE instance_id = ? AND binding_id = ?

-- name: forget_steps
DELETE FROM step WHERE operation_id = ?

-- name: claim
UPDATE operation SET attempt = attempt + 1, worker = ?, lease_until = ?, started_at = ifnull(started_at, ?)
WHERE operation_id = ? AND state = 'in progress' AND blocked_by IS NULL
    AND (lease_until IS NULL OR lease_until <= ?)
RETURNING *

-- name: beat
UPDATE operation SET lease_until = ? WHERE operation_id = ? AND worker = ? RETURNING state = 'in progress'

-- name: void_leases
UPDATE operation SET worker = NULL, lease_until = NULL WHERE state = 'in progress' AND worker IS NOT NULL

-- name: void_leases_of_ended
-- The worker stays: what has ended under a worker is due, and what it blocks goes on then.
UPDATE operation SET lease_until = NULL WHERE state <> 'in progress' AND worker IS NOT NULL

-- name: remember
INSERT INTO step SELECT ?, ?, ?, ?, ?, ? FROM operation WHERE operation_id = ? AND state = 'in progress' AND attempt = ?
ON CONFLICT DO UPDATE SET done = excluded.done, tries = excluded.tries, next_at = excluded.next_at,
    result = excluded.result
RETURNING 1

-- name: report
UPDATE operation SET description = ? WHERE operation_id = ? AND state = 'in progress' AND attempt = ? RETURNING 1

-- name: due_unheld
SELECT operation_id FROM operation
WHERE state = 'in progress' AND blocked_by IS NULL AND ifnull(lease_until, 0) <= ?
ORDER BY ifnull(lease_until, 0), rowid LIMIT ?

-- name: due_left
SELECT operation_id FROM operation
WHERE state <> 'in progress' AND worker IS NOT NULL AND ifnull(lease_until, 0) <= ?
ORDER BY ifnull(lease_until, 0), rowid LIMIT ?

-- name: due_late
SELECT operation_id FROM operation
WHERE state = 'in progress' AND deadline IS NOT NULL AND deadline <= ? ORDER BY deadline, rowid LIMIT ?

-- name: due_expired
SELECT instance_id, binding_id FROM binding
WHERE state = 'ready' AND expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at, rowid LIMIT ?

-- name: finished_before
SELECT operation.rowid, finished_at, EXISTS (
    SELECT 1 FROM operation AS later
    WHERE later.instance_id = operation.instance_id AND later.binding_id IS operation.binding_id
        AND (later.created_at, later.rowid) > (operation.created_at, operation.rowid)
) OR NOT EXISTS (
    SELECT 1 FROM instance WHERE instance.instance_id = operation.instance_id AND operation.binding_id IS NULL
    UNION ALL
    SELECT 1 FROM binding
    WHERE binding.instance_id = operation.instance_id AND binding.binding_id = operation.binding_id
)
FROM operation WHERE state <> 'in progress' AND finished_at < ? AND (finished_at, operation.rowid) > (?, ?)
ORDER BY finished_at, operation.rowid LIMIT ?

-- name: delete_operation
-- One that has ended while its handler runs on is what others wait for.
DELETE FROM operation WHERE rowid = ? AND state <> 'in progress' AND worker IS NULL

-- name: delete_events
DELETE FROM event WHERE number IN (SELECT number FROM event WHERE at < ? ORDER BY at LIMIT ?)

-- name: events
SELECT * FROM event WHERE number < ? ORDER BY number DESC LIMIT ?

-- name: events_of_instance
SELECT * FROM event WHERE instance_id = ? AND number < ? ORDER BY number DESC LIMIT ?

-- name: operations_in_progress
SELECT * FROM operation WHERE state = 'in progress' ORDER BY created_at, rowid LIMIT ?

-- name: operations_finished
SELECT * FROM operation WHERE state <> 'in progress' ORDER BY finished_at DESC, rowid DESC LIMIT ?

-- name: instances
SELECT * FROM instance WHERE instance_id > ? ORDER BY instance_id LIMIT ?

-- name: instances_ready
SELECT * FROM instance WHERE state = 'ready' AND instance_id > ? ORDER BY instance_id LIMIT ?

-- name: instances_not_ready
SELECT * FROM instance WHERE state = ? AND state <> 'ready' AND instance_id > ? ORDER BY instance_id LIMIT ?
