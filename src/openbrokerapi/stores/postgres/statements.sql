-- Each statement stands under its name. {of instance} is the list of the columns of that table's rows, in the order of
-- the fields in rows.py; {now} is the database's clock; {over} says that the lease of an operation is over.

-- name: locks
SELECT set_config('lock_timeout', %s, true), set_config('idle_in_transaction_session_timeout', %s, true),
    pg_advisory_xact_lock(key)
FROM unnest(%s::bigint[]) AS key

-- name: look
SELECT (SELECT max(needs) FROM openbroker.schema_migration),
    (SELECT max(token) FROM openbroker.mark WHERE token = ANY (%s::bigint[])),
    {of instance}
FROM (VALUES (1)) AS one LEFT JOIN openbroker.instance ON instance_id = %s::text

-- name: instance
SELECT {of instance} FROM openbroker.instance WHERE instance_id = %s::text

-- name: binding
SELECT {of binding} FROM openbroker.binding WHERE instance_id = %s::text AND binding_id = %s::text

-- name: bindings
SELECT {of binding} FROM openbroker.binding WHERE instance_id = %s::text ORDER BY binding_id

-- name: operation
SELECT {of operation} FROM openbroker.operation WHERE operation_id = %s::text

-- name: operation_locked
SELECT {of operation} FROM openbroker.operation WHERE operation_id = %s::text FOR NO KEY UPDATE

-- name: active_locked
-- Also those that have ended while a worker still holds them. Two arms, so that each uses its index.
SELECT {of operation} FROM openbroker.operation
WHERE (instance_id = %s::text AND state = 'in progress')
    OR (instance_id = %s::text AND state <> 'in progress' AND worker IS NOT NULL)
ORDER BY created_at, begun FOR NO KEY UPDATE

-- name: latest_of_instance
SELECT {of operation} FROM openbroker.operation WHERE instance_id = %s::text AND binding_id IS NULL AND kind <> 'clean up'
ORDER BY created_at DESC, begun DESC LIMIT 1

-- name: latest_of_binding
SELECT {of operation} FROM openbroker.operation WHERE instance_id = %s::text AND binding_id = %s::text AND kind <> 'clean up'
ORDER BY created_at DESC, begun DESC LIMIT 1

-- name: steps
SELECT {of step} FROM openbroker.step WHERE operation_id = %s::text ORDER BY name

-- name: note
SELECT value FROM openbroker.note WHERE name = %s::text

-- name: put_instance
INSERT INTO openbroker.instance ({of instance})
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (instance_id) DO UPDATE SET {replace instance}

-- name: put_binding
INSERT INTO openbroker.binding ({of binding})
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (instance_id, binding_id) DO UPDATE SET {replace binding}

-- name: put_operation
INSERT INTO openbroker.operation ({of operation})
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (operation_id) DO UPDATE SET {replace operation}

-- name: add_event
INSERT INTO openbroker.event (at, instance_id, binding_id, operation_id, what, who, detail)
VALUES (%s, %s, %s, %s, %s, %s, %s)

-- name: add_mark
INSERT INTO openbroker.mark (token, at) VALUES (%s, extract(epoch FROM clock_timestamp()))

-- name: put_note
INSERT INTO openbroker.note (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: forget_instance
DELETE FROM openbroker.instance WHERE instance_id = %s::text

-- name: forget_bindings
DELETE FROM openbroker.binding WHERE instance_id = %s::text

-- name: forget_some_bindings
DELETE FROM openbroker.binding WHERE instance_id = %s::text AND binding_id = ANY (%s::text[])

-- name: forget_steps
DELETE FROM openbroker.step WHERE operation_id = ANY (%s::text[])

-- name: claim
-- A call that lost its connection finds its own claim again by the token.
UPDATE openbroker.operation SET
    attempt = attempt + CASE WHEN claim IS NOT DISTINCT FROM %(token)s::bigint THEN 0 ELSE 1 END,
    worker = %(worker)s::text, lease_until = {now} + %(lease)s::float8, lease = %(lease)s::float8,
    claim = %(token)s::bigint, started_at = coalesce(started_at, {now})
WHERE operation_id = %(operation_id)s::text AND state = 'in progress' AND blocked_by IS NULL
    AND (lease_until IS NULL OR {over} OR claim = %(token)s::bigint)
    AND (SELECT max(needs) FROM openbroker.schema_migration) <= %(version)s::integer
RETURNING {of operation}

-- name: beat
-- In the order of their keys, so that two calls never wait for one another in a ring.
WITH mine AS MATERIALIZED (
    SELECT operation_id FROM openbroker.operation
    WHERE operation_id = ANY (%(operation_ids)s::text[]) AND worker = %(worker)s::text
    ORDER BY operation_id FOR NO KEY UPDATE
)
UPDATE openbroker.operation AS held SET lease_until = {now} + %(lease)s::float8, lease = %(lease)s::float8
FROM mine WHERE held.operation_id = mine.operation_id
RETURNING held.operation_id, held.state = 'in progress'

-- name: remember
-- The operation's row stays locked until the step is written: who takes the operation over waits, and sees the step.
WITH held AS MATERIALIZED (
    SELECT 1 FROM openbroker.operation
    WHERE operation_id = %(operation_id)s::text AND attempt = %(attempt)s::integer AND state = 'in progress'
    FOR NO KEY UPDATE
)
INSERT INTO openbroker.step ({of step})
SELECT %(operation_id)s::text, %(name)s::text, %(done)s::boolean, %(tries)s::integer, %(next_at)s::float8,
    %(result)s::bytea
FROM held
ON CONFLICT (operation_id, name) DO UPDATE SET {replace step}
RETURNING 1

-- name: report
UPDATE openbroker.operation SET description = %s::text
WHERE operation_id = %s::text AND attempt = %s::integer AND state = 'in progress'
RETURNING 1

-- name: due
WITH moment AS MATERIALIZED (SELECT {now} AS now)
SELECT
    ARRAY(
        SELECT operation_id FROM (
            (SELECT operation_id, begun FROM openbroker.operation
            WHERE state = 'in progress' AND blocked_by IS NULL AND lease_until IS NULL
            ORDER BY begun LIMIT %(limit)s::integer)
            UNION ALL
            (SELECT operation_id, begun FROM openbroker.operation
            WHERE state = 'in progress' AND blocked_by IS NULL
                AND lease_until <= (SELECT now FROM moment) AND {over}
            ORDER BY lease_until LIMIT %(limit)s::integer)
        ) AS unheld ORDER BY begun LIMIT %(limit)s::integer
    ),
    ARRAY(
        SELECT operation_id FROM openbroker.operation
        WHERE state <> 'in progress' AND lease_until <= (SELECT now FROM moment) AND worker IS NOT NULL AND {over}
        ORDER BY lease_until LIMIT %(limit)s::integer
    ),
    ARRAY(
        SELECT operation_id FROM openbroker.operation
        WHERE state = 'in progress' AND deadline <= (SELECT now FROM moment)
        ORDER BY deadline LIMIT %(limit)s::integer
    ),
    ARRAY(
        SELECT ARRAY[instance_id, binding_id] FROM openbroker.binding
        WHERE state = 'ready' AND expires_at <= (SELECT now FROM moment)
        ORDER BY expires_at LIMIT %(limit)s::integer
    )

-- name: purge_operations
-- The latest operation of an instance or a binding that there is can still be polled. One that has ended while its
-- handler runs on is what others wait for.
DELETE FROM openbroker.operation AS old
WHERE state <> 'in progress' AND worker IS NULL AND finished_at < %s::float8 AND (
    EXISTS (
        SELECT 1 FROM openbroker.operation AS later
        WHERE later.instance_id = old.instance_id AND later.binding_id IS NOT DISTINCT FROM old.binding_id
            AND (later.created_at, later.begun) > (old.created_at, old.begun)
    ) OR NOT EXISTS (
        SELECT 1 FROM openbroker.instance WHERE instance_id = old.instance_id AND old.binding_id IS NULL
        UNION ALL
        SELECT 1 FROM openbroker.binding WHERE instance_id = old.instance_id AND binding_id = old.binding_id
    )
)

-- name: purge_events
DELETE FROM openbroker.event WHERE at < %s::float8

-- name: purge_marks
DELETE FROM openbroker.mark WHERE at < extract(epoch FROM clock_timestamp()) - 3600

-- name: events
SELECT {of event} FROM openbroker.event
WHERE number < coalesce(%s::bigint, 9223372036854775807) ORDER BY number DESC LIMIT %s::integer

-- name: events_of_instance
SELECT {of event} FROM openbroker.event
WHERE instance_id = %s::text AND number < coalesce(%s::bigint, 9223372036854775807)
ORDER BY number DESC LIMIT %s::integer

-- name: operations_in_progress
SELECT {of operation} FROM openbroker.operation WHERE state = 'in progress'
ORDER BY created_at, begun LIMIT %s::integer

-- name: operations_finished
SELECT {of operation} FROM openbroker.operation WHERE state <> 'in progress'
ORDER BY finished_at DESC NULLS LAST, begun DESC LIMIT %s::integer

-- name: instances
SELECT {of instance} FROM openbroker.instance WHERE instance_id > coalesce(%s::text, '')
ORDER BY instance_id LIMIT %s::integer

-- name: instances_in_states
SELECT {of instance} FROM openbroker.instance WHERE instance_id > coalesce(%s::text, '') AND state = ANY (%s::text[])
ORDER BY instance_id LIMIT %s::integer

-- name: move_event_numbers
SELECT setval(pg_get_serial_sequence('openbroker.event', 'number'), max(number)) FROM openbroker.event
HAVING max(number) > (SELECT last_value FROM openbroker.event_number_seq)

-- name: defer
-- A job that waits for the same operation already is enough. The triggers of the table need the path.
-- What somebody had begun goes before what nobody has: a long queue must not keep it from being taken up.
WITH path AS MATERIALIZED (SELECT set_config('search_path', 'openbroker', true))
INSERT INTO openbroker.procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
SELECT 'openbroker', 'openbroker.run',
    coalesce((SELECT sign(attempt) FROM openbroker.operation WHERE operation_id = given.id), 0),
    given.id, jsonb_build_object('operation_id', given.id)
FROM path, unnest(%s::text[]) AS given (id)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING

-- name: tidy
DELETE FROM openbroker.procrastinate_jobs AS job
WHERE status = 'doing' AND queue_name = 'openbroker' AND NOT EXISTS (
    SELECT 1 FROM openbroker.procrastinate_workers AS worker
    WHERE worker.id = job.worker_id AND last_heartbeat > now() - %s::float8 * interval '1 second'
)
