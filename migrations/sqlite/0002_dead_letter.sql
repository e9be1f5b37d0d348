-- Records that the store refused for what they hold: the raw frames of the journal, to be read again by a later version.

CREATE TABLE dead_letter (
    org_id    BLOB NOT NULL,
    record_id BLOB NOT NULL,
    -- when it was put aside
    at        INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    -- why; nothing of the record's content
    reason    TEXT NOT NULL,
    frames    BLOB NOT NULL,
    PRIMARY KEY (org_id, record_id)
) STRICT;
CREATE INDEX dead_letter_by_time ON dead_letter (org_id, at, record_id);
