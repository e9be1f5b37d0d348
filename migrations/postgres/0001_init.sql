-- The first schema. Conventions, the same on both databases:
--   * instants are BIGINT microseconds since the epoch (UTC), money is BIGINT nano-dollars, times are BIGINT microseconds;
--   * text that a client chose and that an index holds is split in two: `x_key` (the text, or for more than 255 bytes its
--     start and its hash; see store::text::index_key) and `x_long` (the whole text, only where `x_key` is not);
--   * every table but `org` leads with the organisation.

CREATE TABLE org (
    id         UUID NOT NULL PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX org_by_name ON org (name, created_at);

-- OrgId::DEFAULT
INSERT INTO org (id, name, created_at) VALUES ('00000000-0000-0000-0000-000000000001', 'default', 0);

CREATE TABLE api_key (
    id         UUID NOT NULL PRIMARY KEY,
    org_id     UUID NOT NULL REFERENCES org (id),
    name       TEXT COLLATE "C" NOT NULL,
    -- BLAKE3 of the key; never the key
    hash       BYTEA NOT NULL UNIQUE,
    can_write  BOOLEAN NOT NULL,
    can_read   BOOLEAN NOT NULL,
    can_admin  BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX api_key_by_org ON api_key (org_id, created_at);

-- One row a call.
CREATE TABLE exchange (
    org_id         UUID NOT NULL,
    id             UUID NOT NULL,
    record_id      UUID NOT NULL,
    key_id         UUID,
    source         TEXT COLLATE "C" NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL,
    started_at     BIGINT NOT NULL,
    -- never before started_at
    ended_at       BIGINT NOT NULL,
    first_byte_us  BIGINT,
    outcome        TEXT COLLATE "C" NOT NULL,
    status         INTEGER NOT NULL,
    -- set exactly when the call counts as an error
    error_rule     TEXT COLLATE "C",
    error_message  TEXT COLLATE "C",
    provider       TEXT COLLATE "C" NOT NULL,
    format         TEXT COLLATE "C" NOT NULL,
    method         TEXT COLLATE "C" NOT NULL,
    path           TEXT COLLATE "C" NOT NULL,
    target_url     TEXT COLLATE "C" NOT NULL,
    streamed       BOOLEAN NOT NULL,
    model          TEXT COLLATE "C",
    request_model  TEXT COLLATE "C",
    response_model TEXT COLLATE "C",
    model_override TEXT COLLATE "C",
    finish_reason  TEXT COLLATE "C",
    tool_calls     INTEGER NOT NULL,
    session_key    TEXT COLLATE "C",
    session_long   TEXT COLLATE "C",
    session_name   TEXT COLLATE "C",
    session_path   TEXT COLLATE "C",
    user_id        TEXT COLLATE "C",
    prompt_id      TEXT COLLATE "C",
    -- the parts of the usage: all NULL where none was reported, and usage_missing says why
    usage_missing  TEXT COLLATE "C",
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
    cost_source    TEXT COLLATE "C",
    price_version  TEXT COLLATE "C",
    request_bytes  BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    -- a JSON list of {code, text}
    notes          TEXT COLLATE "C",
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, record_id)
);
CREATE INDEX exchange_newest ON exchange (org_id, started_at, id);
-- A session's calls in time order; ended_at makes busy time an index-only matter.
CREATE INDEX exchange_by_session ON exchange (org_id, session_key, started_at, ended_at, id) WHERE session_key IS NOT NULL;

CREATE TABLE exchange_property (
    org_id     UUID NOT NULL,
    call_id    UUID NOT NULL,
    -- lower case (Unicode), made an index key
    key_lower  TEXT COLLATE "C" NOT NULL,
    -- as sent
    key        TEXT COLLATE "C" NOT NULL,
    value_key  TEXT COLLATE "C" NOT NULL,
    value_long TEXT COLLATE "C",
    -- the call's
    started_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, call_id, key_lower)
);
CREATE INDEX exchange_by_property ON exchange_property (org_id, key_lower, value_key, started_at, call_id);

CREATE TABLE exchange_score (
    org_id  UUID NOT NULL,
    call_id UUID NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    value   DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (org_id, call_id, name)
);

-- Headers and bodies, exactly as they passed. Lists never read this table.
CREATE TABLE body (
    org_id           UUID NOT NULL,
    call_id          UUID NOT NULL,
    -- zstd; NULL where nothing was kept
    request          BYTEA,
    response         BYTEA,
    -- JSON: model::capture::BodyFacts
    request_facts    BYTEA NOT NULL,
    response_facts   BYTEA NOT NULL,
    -- JSON: lists of [name, value]
    request_headers  BYTEA NOT NULL,
    response_headers BYTEA NOT NULL,
    PRIMARY KEY (org_id, call_id)
);
-- The bodies are compressed already.
ALTER TABLE body ALTER COLUMN request SET STORAGE EXTERNAL;
ALTER TABLE body ALTER COLUMN response SET STORAGE EXTERNAL;

-- Sessions: sums over their calls, kept at write time from rows that were new.
CREATE TABLE session (
    org_id          UUID NOT NULL,
    session_key     TEXT COLLATE "C" NOT NULL,
    session_long    TEXT COLLATE "C",
    -- the name that the latest-started call with a name gave; '' if none did
    name            TEXT COLLATE "C" NOT NULL,
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
    org_id      UUID NOT NULL,
    session_key TEXT COLLATE "C" NOT NULL,
    user_key    TEXT COLLATE "C" NOT NULL,
    user_long   TEXT COLLATE "C",
    PRIMARY KEY (org_id, session_key, user_key)
);

-- Which sessions have a call with this property. first_at is the session's, so that the newest sessions with a property
-- are one stretch of an index.
CREATE TABLE session_property (
    org_id      UUID NOT NULL,
    session_key TEXT COLLATE "C" NOT NULL,
    key_lower   TEXT COLLATE "C" NOT NULL,
    value_key   TEXT COLLATE "C" NOT NULL,
    value_long  TEXT COLLATE "C",
    first_at    BIGINT NOT NULL,
    -- start of the latest call that carries it
    last_at     BIGINT NOT NULL,
    PRIMARY KEY (org_id, session_key, key_lower, value_key)
);
CREATE INDEX session_by_property ON session_property (org_id, key_lower, value_key, first_at, session_key);

CREATE TABLE session_tag (
    org_id      UUID NOT NULL,
    session_key TEXT COLLATE "C" NOT NULL,
    tag         TEXT COLLATE "C" NOT NULL,
    set_at      BIGINT NOT NULL,
    PRIMARY KEY (org_id, session_key)
);

CREATE TABLE property_key (
    org_id    UUID NOT NULL,
    key_lower TEXT COLLATE "C" NOT NULL,
    -- as first sent
    key       TEXT COLLATE "C" NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    PRIMARY KEY (org_id, key_lower)
);
