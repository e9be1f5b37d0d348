-- Calls that were served without a record, counted by minute. `id` is made with the count: a replay adds nothing.
CREATE TABLE gap (
    org_id UUID NOT NULL,
    id     UUID NOT NULL,
    minute BIGINT NOT NULL,
    calls  BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX gap_by_minute ON gap (org_id, minute);
