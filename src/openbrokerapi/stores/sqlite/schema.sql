-- The tables as all migrations together make them: to be read, not carried out. A test compares the two.

CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL);

-- The columns stand in the order of the fields in rows.py: rows are read by position.

CREATE TABLE instance (
    instance_id TEXT NOT NULL PRIMARY KEY,
    service_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    state TEXT NOT NULL,
    usable INTEGER NOT NULL,
    organization_guid TEXT,
    space_guid TEXT,
    platform TEXT,
    name TEXT,
    maintenance_version TEXT,
    request BLOB NOT NULL,
    answer BLOB,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
) STRICT;
-- Nearly all are ready, and those are found in the order of their ids. This one is small, and cheap to keep.
CREATE INDEX instance_not_ready ON instance (state, instance_id) WHERE state <> 'ready';

-- How many instances there are: a quota is looked at in every provision, and counting rows would cost more with each.
-- The organization column holds the organization behind a "=", or "" for none: a key takes no NULL.
CREATE TABLE tally (
    service_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    organization TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (service_id, plan_id, organization)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER instance_added AFTER INSERT ON instance BEGIN
    INSERT INTO tally VALUES (new.service_id, new.plan_id, ifnull('=' || new.organization_guid, ''), 1)
        ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER instance_deleted AFTER DELETE ON instance BEGIN
    UPDATE tally SET number = number - 1
        WHERE service_id = old.service_id AND plan_id = old.plan_id
        AND organization = ifnull('=' || old.organization_guid, '');
END;
CREATE TRIGGER instance_moved AFTER UPDATE ON instance
    WHEN (new.service_id, new.plan_id, new.organization_guid)
        IS NOT (old.service_id, old.plan_id, old.organization_guid) BEGIN
    UPDATE tally SET number = number - 1
        WHERE service_id = old.service_id AND plan_id = old.plan_id
        AND organization = ifnull('=' || old.organization_guid, '');
    INSERT INTO tally VALUES (new.service_id, new.plan_id, ifnull('=' || new.organization_guid, ''), 1)
        ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER tally_empty AFTER UPDATE ON tally WHEN new.number = 0 BEGIN
    DELETE FROM tally
        WHERE service_id = new.service_id AND plan_id = new.plan_id AND organization = new.organization;
END;

CREATE TABLE binding (
    instance_id TEXT NOT NULL,
    binding_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    state TEXT NOT NULL,
    app_guid TEXT,
    predecessor_binding_id TEXT,
    expires_at REAL,
    renew_before REAL,
    request BLOB NOT NULL,
    answer BLOB,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (instance_id, binding_id)
) STRICT;
CREATE INDEX binding_expired ON binding (expires_at) WHERE state = 'ready' AND expires_at IS NOT NULL;

CREATE TABLE operation (
    operation_id TEXT NOT NULL PRIMARY KEY,
    instance_id TEXT NOT NULL,
    binding_id TEXT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    lane TEXT NOT NULL,
    description TEXT,
    instance_usable INTEGER,
    update_repeatable INTEGER,
    request BLOB,
    who TEXT,
    blocked_by TEXT,
    attempt INTEGER NOT NULL,
    worker TEXT,
    lease_until REAL,
    deadline REAL,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL
) STRICT;
CREATE UNIQUE INDEX operation_active ON operation (instance_id, lane) WHERE state = 'in progress';
CREATE INDEX operation_latest ON operation (instance_id, binding_id, created_at);
CREATE INDEX operation_unheld ON operation (ifnull(lease_until, 0)) WHERE state = 'in progress' AND blocked_by IS NULL;
CREATE INDEX operation_left ON operation (ifnull(lease_until, 0)) WHERE state <> 'in progress' AND worker IS NOT NULL;
CREATE INDEX operation_held ON operation (instance_id) WHERE state <> 'in progress' AND worker IS NOT NULL;
CREATE INDEX operation_late ON operation (deadline) WHERE state = 'in progress' AND deadline IS NOT NULL;
CREATE INDEX operation_finished ON operation (finished_at) WHERE state <> 'in progress';

CREATE TABLE step (
    operation_id TEXT NOT NULL REFERENCES operation ON DELETE CASCADE,
    name TEXT NOT NULL,
    done INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at REAL,
    result BLOB,
    PRIMARY KEY (operation_id, name)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given again, also when the latest events were deleted.
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    instance_id TEXT NOT NULL,
    binding_id TEXT,
    operation_id TEXT,
    what TEXT NOT NULL,
    who TEXT,
    detail TEXT
) STRICT;
CREATE INDEX event_instance ON event (instance_id);
CREATE INDEX event_at ON event (at);

CREATE TABLE note (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
