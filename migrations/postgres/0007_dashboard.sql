-- Browsers that signed in. What a browser holds is random; this table knows only its hash. The rights are the key's, read
-- from it each time; without a key (the link printed at start) all of them.
CREATE TABLE web_session (
    hash       BYTEA NOT NULL PRIMARY KEY,
    org_id     UUID NOT NULL REFERENCES org (id),
    key_id     UUID REFERENCES api_key (id),
    created_at BIGINT NOT NULL,
    -- the last use, to within a few minutes
    seen_at    BIGINT NOT NULL
);
CREATE INDEX web_session_by_age ON web_session (created_at);

-- Filters of the dashboard that somebody gave a name.
CREATE TABLE saved_filter (
    org_id     UUID NOT NULL,
    id         UUID NOT NULL,
    page       TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    query      TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, page, name)
);

-- How long an organisation keeps its calls. NULL: for good.
CREATE TABLE retention (
    org_id      UUID NOT NULL PRIMARY KEY,
    calls_days  BIGINT,
    bodies_days BIGINT
);
