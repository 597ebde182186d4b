// The whole history of the schema, which is never shortened; so it is long.
/**
 * Steps from an empty store to the present one; `user_version` counts those applied. Only ever append.
 * Times are ms of the epoch.
 */
export const schemaSteps: readonly string[] = [
  `
  CREATE TABLE health (
    probe TEXT PRIMARY KEY,
    verdict TEXT NOT NULL CHECK (verdict IN ('none', 'up', 'degraded', 'down')),
    since INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    latency_ms REAL NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;

  CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    probe TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    detected_at INTEGER NOT NULL,
    detail TEXT NOT NULL,
    fired_at INTEGER,
    suppressed_by TEXT,
    ended_at INTEGER
  ) STRICT;
  -- A target has one outage at a time.
  CREATE UNIQUE INDEX incidents_open ON incidents (probe) WHERE ended_at IS NULL;
  CREATE INDEX incidents_recent ON incidents (started_at);

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    alert TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Set from before a send until its outcome is recorded: left over, it tells of a crash in between.
    is_under_way INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    last_error TEXT,
    sent_at INTEGER,
    failed_at INTEGER,
    UNIQUE (channel, alert_id)
  ) STRICT;
  -- Read by every pass of the delivery loops.
  CREATE INDEX outbox_pending ON outbox (channel, id) WHERE sent_at IS NULL AND failed_at IS NULL;

  CREATE TABLE job_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('done', 'failed')),
    detail TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE INDEX job_runs_recent ON job_runs (job, id);
  `,
  `
  ALTER TABLE incidents ADD COLUMN kind TEXT NOT NULL DEFAULT 'down' CHECK (kind IN ('down', 'unknown', 'flapping', 'degraded', 'self'));
  ALTER TABLE incidents ADD COLUMN reminders INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE incidents ADD COLUMN last_told_at INTEGER;
  DROP INDEX incidents_open;
  -- A target has one incident of a kind at a time.
  CREATE UNIQUE INDEX incidents_open ON incidents (probe, kind) WHERE ended_at IS NULL;

  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    alert TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'merged')),
    attempts INTEGER NOT NULL,
    -- Attempts in which the channel refused this very message.
    refusals INTEGER NOT NULL,
    -- Set before each send, and cleared only if it is known that none has arrived: a crash leaves it set.
    is_uncertain INTEGER NOT NULL,
    last_error TEXT,
    settled_at INTEGER,
    UNIQUE (channel, alert_id)
  ) STRICT;
  -- Read at every start.
  CREATE INDEX messages_pending ON messages (id) WHERE state = 'pending';
  INSERT INTO messages (channel, alert_id, alert, decided_at, state, attempts, refusals, is_uncertain, last_error, settled_at)
    SELECT channel, alert_id, alert, decided_at,
      CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN failed_at IS NOT NULL THEN 'failed' ELSE 'pending' END,
      attempts, 0, is_under_way, last_error, coalesce(sent_at, failed_at)
    FROM outbox ORDER BY id;
  DROP TABLE outbox;
  `,
  `
  CREATE TABLE new_job_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('done', 'failed', 'put_off')),
    detail TEXT NOT NULL DEFAULT ''
  ) STRICT;
  INSERT INTO new_job_runs SELECT * FROM job_runs;
  DROP TABLE job_runs;
  ALTER TABLE new_job_runs RENAME TO job_runs;
  CREATE INDEX job_runs_recent ON job_runs (job, id);
  `,
  `
  ALTER TABLE incidents ADD COLUMN held_by TEXT;
  ALTER TABLE incidents ADD COLUMN acknowledged_at INTEGER;
  ALTER TABLE incidents ADD COLUMN acknowledged_by TEXT;

  CREATE TABLE silences (
    number INTEGER PRIMARY KEY,
    -- Names as a JSON list; null: every target.
    targets TEXT,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;

  CREATE TABLE timeline (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    probe TEXT,
    incident_id TEXT,
    by TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE slo_counts (
    slo TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- Answers since the row before.
    good INTEGER NOT NULL,
    bad INTEGER NOT NULL,
    PRIMARY KEY (slo, at)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE tallies (
    probe TEXT NOT NULL,
    -- Days since 1970-01-01, in UTC.
    day INTEGER NOT NULL,
    up_ms REAL NOT NULL,
    degraded_ms REAL NOT NULL,
    down_ms REAL NOT NULL,
    PRIMARY KEY (day, probe)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE beats (
    probe TEXT PRIMARY KEY,
    awaited_at INTEGER NOT NULL,
    done_at INTEGER,
    started_at INTEGER,
    failed_at INTEGER,
    exit_code INTEGER
  ) STRICT;
  `,
  `
  -- JSON.
  ALTER TABLE incidents ADD COLUMN looks TEXT;

  CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('note', 'post_mortem')),
    is_public INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  -- Read by the page of an incident.
  CREATE INDEX notes_of_incident ON notes (incident_id, id);
  CREATE INDEX timeline_of_incident ON timeline (incident_id) WHERE incident_id IS NOT NULL;
  CREATE INDEX messages_of_alert ON messages (alert_id);
  CREATE INDEX incidents_suppressed ON incidents (suppressed_by, started_at) WHERE suppressed_by IS NOT NULL;
  -- Pages of incidents go on from one of them.
  DROP INDEX incidents_recent;
  CREATE INDEX incidents_recent ON incidents (started_at, id);
  `,
  `
  -- Signatures of commands that were taken.
  CREATE TABLE nonces (
    nonce TEXT PRIMARY KEY,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE latencies (
    probe TEXT NOT NULL,
    width TEXT NOT NULL CHECK (width IN ('minute', 'hour', 'day')),
    at INTEGER NOT NULL,
    looks INTEGER NOT NULL,
    p50_ms REAL NOT NULL,
    p95_ms REAL NOT NULL,
    longest_ms REAL NOT NULL,
    -- JSON: how many answers fell into each class, by which more can be added.
    classes TEXT NOT NULL,
    PRIMARY KEY (probe, width, at)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Of what comes and goes: how often it has.
  ALTER TABLE incidents ADD COLUMN turns INTEGER;
  `,
  `
  ALTER TABLE job_runs ADD COLUMN machine_up_ms REAL;
  `,
  `
  -- JSON: what was found, and concluded from it.
  ALTER TABLE timeline ADD COLUMN found TEXT;
  `,
];
