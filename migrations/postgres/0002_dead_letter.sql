-- Records that the store refused for what they hold: the raw frames of the journal, to be read again by a later version.

CREATE TABLE dead_letter (
    org_id    UUID NOT NULL,
    record_id UUID NOT NULL,
    -- when it was put aside
    at        BIGINT NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    -- why; nothing of the record's content
    reason    TEXT COLLATE "C" NOT NULL,
    frames    BYTEA NOT NULL,
    PRIMARY KEY (org_id, record_id)
);
CREATE INDEX dead_letter_by_time ON dead_letter (org_id, at, record_id);
