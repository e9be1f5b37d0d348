-- Calls that were served without a record, counted by minute. `id` is made with the count: a replay adds nothing.
CREATE TABLE gap (
    org_id BLOB NOT NULL,
    id     BLOB NOT NULL,
    minute BIGINT NOT NULL,
    calls  BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE INDEX gap_by_minute ON gap (org_id, minute);
