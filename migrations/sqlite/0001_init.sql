-- The first schema. Conventions, the same on both databases:
--   * instants are BIGINT microseconds since the epoch (UTC), money is BIGINT nano-dollars, times are BIGINT microseconds;
--   * text that a client chose and that an index holds is split in two: `x_key` (the text, or for more than 255 bytes its
--     start and its hash; see store::text::index_key) and `x_long` (the whole text, only where `x_key` is not);
--   * every table but `org` leads with the organisation.

CREATE TABLE org (
    id         BLOB NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX org_by_name ON org (name, created_at);

-- OrgId::DEFAULT
INSERT INTO org (id, name, created_at) VALUES (X'00000000000000000000000000000001', 'default', 0);

CREATE TABLE api_key (
    id         BLOB NOT NULL PRIMARY KEY,
    org_id     BLOB NOT NULL REFERENCES org (id),
    name       TEXT NOT NULL,
    -- BLAKE3 of the key; never the key
    hash       BLOB NOT NULL UNIQUE,
    can_write  BOOLEAN NOT NULL,
    can_read   BOOLEAN NOT NULL,
    can_admin  BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX api_key_by_org ON api_key (org_id, created_at);

-- One row a call.
CREATE TABLE exchange (
    org_id         BLOB NOT NULL,
    id             BLOB NOT NULL,
    record_id      BLOB NOT NULL,
    key_id         BLOB,
    source         TEXT NOT NULL,
    kind           TEXT NOT NULL,
    started_at     BIGINT NOT NULL,
    -- never before started_at
    ended_at       BIGINT NOT NULL,
    first_byte_us  BIGINT,
    outcome        TEXT NOT NULL,
    status         INTEGER NOT NULL,
    -- set exactly when the call counts as an error
    error_rule     TEXT,
    error_message  TEXT,
    provider       TEXT NOT NULL,
    format         TEXT NOT NULL,
    method         TEXT NOT NULL,
    path           TEXT NOT NULL,
    target_url     TEXT NOT NULL,
    streamed       BOOLEAN NOT NULL,
    model          TEXT,
    request_model  TEXT,
    response_model TEXT,
    model_override TEXT,
    finish_reason  TEXT,
    tool_calls     INTEGER NOT NULL,
    session_key    TEXT,
    session_long   TEXT,
    session_name   TEXT,
    session_path   TEXT,
    user_id        TEXT,
    prompt_id      TEXT,
    -- the parts of the usage: all NULL where none was reported, and usage_missing says why
    usage_missing  TEXT,
    prompt_tokens                BIGINT,
    prompt_cache_read_tokens     BIGINT,
    prompt_cache_write_tokens    BIGINT,
    prompt_cache_write_1h_tokens BIGINT,
    prompt_audio_tokens          BIGINT,
    completion_tokens            BIGINT,
    completion_audio_tokens      BIGINT,
    reasoning_tokens             BIGINT,
    -- NULL: not known
    cost           BIGINT,
    cost_source    TEXT,
    price_version  TEXT,
    request_bytes  BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    -- a JSON list of {code, text}
    notes          TEXT,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, record_id)
);
CREATE INDEX exchange_newest ON exchange (org_id, started_at, id);
-- A session's calls in time order; ended_at makes busy time an index-only matter.
CREATE INDEX exchange_by_session ON exchange (org_id, session_key, started_at, ended_at, id) WHERE session_key IS NOT NULL;

CREATE TABLE exchange_property (
    org_id     BLOB NOT NULL,
    call_id    BLOB NOT NULL,
    -- lower case (Unicode), made an index key
    key_lower  TEXT NOT NULL,
    -- as sent
    key        TEXT NOT NULL,
    value_key  TEXT NOT NULL,
    value_long TEXT,
    -- the call's
    started_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, call_id, key_lower)
) WITHOUT ROWID;
CREATE INDEX exchange_by_property ON exchange_property (org_id, key_lower, value_key, started_at, call_id);

CREATE TABLE exchange_score (
    org_id  BLOB NOT NULL,
    call_id BLOB NOT NULL,
    name    TEXT NOT NULL,
    value   DOUBLE NOT NULL,
    PRIMARY KEY (org_id, call_id, name)
) WITHOUT ROWID;

-- Headers and bodies, exactly as they passed. Lists never read this table.
CREATE TABLE body (
    org_id           BLOB NOT NULL,
    call_id          BLOB NOT NULL,
    -- zstd; NULL where nothing was kept
    request          BLOB,
    response         BLOB,
    -- JSON: model::capture::BodyFacts
    request_facts    BLOB NOT NULL,
    response_facts   BLOB NOT NULL,
    -- JSON: lists of [name, value]
    request_headers  BLOB NOT NULL,
    response_headers BLOB NOT NULL,
    PRIMARY KEY (org_id, call_id)
);

-- Sessions: sums over their calls, kept at write time from rows that were new.
CREATE TABLE session (
    org_id          BLOB NOT NULL,
    session_key     TEXT NOT NULL,
    session_long    TEXT,
    -- the name that the latest-started call with a name gave; '' if none did
    name            TEXT NOT NULL,
    name_set_at     BIGINT NOT NULL,
    first_at        BIGINT NOT NULL,
    last_started_at BIGINT NOT NULL,
    last_ended_at   BIGINT NOT NULL,
    -- whether the call that ended last failed
    last_failed     BOOLEAN NOT NULL,
    calls           BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    cost            BIGINT NOT NULL,
    unpriced        BIGINT NOT NULL,
    latency_sum_us  BIGINT NOT NULL,
    prompt_tokens                BIGINT NOT NULL,
    prompt_cache_read_tokens     BIGINT NOT NULL,
    prompt_cache_write_tokens    BIGINT NOT NULL,
    prompt_cache_write_1h_tokens BIGINT NOT NULL,
    prompt_audio_tokens          BIGINT NOT NULL,
    completion_tokens            BIGINT NOT NULL,
    completion_audio_tokens      BIGINT NOT NULL,
    reasoning_tokens             BIGINT NOT NULL,
    PRIMARY KEY (org_id, session_key)
);
CREATE INDEX session_newest ON session (org_id, first_at, session_key);

CREATE TABLE session_user_id (
    org_id      BLOB NOT NULL,
    session_key TEXT NOT NULL,
    user_key    TEXT NOT NULL,
    user_long   TEXT,
    PRIMARY KEY (org_id, session_key, user_key)
) WITHOUT ROWID;

-- Which sessions have a call with this property. first_at is the session's, so that the newest sessions with a property
-- are one stretch of an index.
CREATE TABLE session_property (
    org_id      BLOB NOT NULL,
    session_key TEXT NOT NULL,
    key_lower   TEXT NOT NULL,
    value_key   TEXT NOT NULL,
    value_long  TEXT,
    first_at    BIGINT NOT NULL,
    -- start of the latest call that carries it
    last_at     BIGINT NOT NULL,
    PRIMARY KEY (org_id, session_key, key_lower, value_key)
) WITHOUT ROWID;
CREATE INDEX session_by_property ON session_property (org_id, key_lower, value_key, first_at, session_key);

CREATE TABLE session_tag (
    org_id      BLOB NOT NULL,
    session_key TEXT NOT NULL,
    tag         TEXT NOT NULL,
    set_at      BIGINT NOT NULL,
    PRIMARY KEY (org_id, session_key)
) WITHOUT ROWID;

CREATE TABLE property_key (
    org_id    BLOB NOT NULL,
    key_lower TEXT NOT NULL,
    -- as first sent
    key       TEXT NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    PRIMARY KEY (org_id, key_lower)
) WITHOUT ROWID;
