-- Browsers that signed in. What a browser holds is random; this table knows only its hash. The rights are the key's, read
-- from it each time; without a key (the link printed at start) all of them.
CREATE TABLE web_session (
    hash       BLOB NOT NULL PRIMARY KEY,
    org_id     BLOB NOT NULL REFERENCES org (id),
    key_id     BLOB REFERENCES api_key (id),
    created_at BIGINT NOT NULL,
    -- the last use, to within a few minutes
    seen_at    BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX web_session_by_age ON web_session (created_at);

-- Filters of the dashboard that somebody gave a name.
CREATE TABLE saved_filter (
    org_id     BLOB NOT NULL,
    id         BLOB NOT NULL,
    page       TEXT NOT NULL,
    name       TEXT NOT NULL,
    query      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, page, name)
) WITHOUT ROWID;

-- How long an organisation keeps its calls. NULL: for good.
CREATE TABLE retention (
    org_id      BLOB NOT NULL PRIMARY KEY,
    calls_days  BIGINT,
    bodies_days BIGINT
) WITHOUT ROWID;
