-- Tool calls and their results, steps of conversations, and what sessions are found by that no client named.

-- which rule gave the call its session; NULL where its sender did, or where it has none
ALTER TABLE exchange ADD COLUMN session_rule TEXT;
-- of the request; NULL where it carries no conversation
ALTER TABLE exchange ADD COLUMN message_count INTEGER;
ALTER TABLE exchange ADD COLUMN system_hash BIGINT;
ALTER TABLE exchange ADD COLUMN tools_hash BIGINT;
-- states of the conversation; see model::agent::Step::chain
ALTER TABLE exchange ADD COLUMN chain BLOB;

-- One row a tool call in an answer. Its session and path are its call's.
CREATE TABLE tool_call (
    org_id          BLOB NOT NULL,
    call_id         BLOB NOT NULL,
    position        INTEGER NOT NULL,
    tool_id         TEXT,
    name            TEXT NOT NULL,
    -- the provider's word: function, tool_use, mcp_call, …
    form            TEXT NOT NULL,
    at_provider     BOOLEAN NOT NULL,
    -- the first 4 kB
    arguments       BLOB NOT NULL,
    arguments_bytes BIGINT NOT NULL,
    -- its result has the same
    pair            BIGINT NOT NULL,
    -- a manual log of the same tool and arguments in the session has it as its pair
    same            BIGINT,
    -- of the conversation, behind the answer
    state           BIGINT,
    -- the call's
    started_at      BIGINT NOT NULL,
    ended_at        BIGINT NOT NULL,
    PRIMARY KEY (org_id, call_id, position)
) WITHOUT ROWID;
CREATE INDEX tool_call_by_time ON tool_call (org_id, started_at);

-- One row a tool's result, where it was first told. Never paired at write time: the order in which rows come is any.
CREATE TABLE tool_result (
    org_id     BLOB NOT NULL,
    -- the call whose request (or, of the provider's own tools, answer) tells it; or the manual log
    call_id    BLOB NOT NULL,
    position   INTEGER NOT NULL,
    pair       BIGINT NOT NULL,
    -- request, manual or provider
    source     TEXT NOT NULL,
    ok         BOOLEAN NOT NULL,
    rule       TEXT NOT NULL,
    bytes      BIGINT NOT NULL,
    preview    TEXT NOT NULL,
    waited     BOOLEAN NOT NULL,
    state      BIGINT,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    PRIMARY KEY (org_id, call_id, position)
) WITHOUT ROWID;
CREATE INDEX tool_result_by_pair ON tool_result (pair);

-- Which call shows a state that others may continue: behind its answer, a key, or a text that it hands over. The latest.
CREATE TABLE conversation_state (
    org_id     BLOB NOT NULL,
    state      BIGINT NOT NULL,
    call_id    BLOB NOT NULL,
    started_at BIGINT NOT NULL,
    -- of a text handed over: what is put behind the call's path
    path       TEXT,
    PRIMARY KEY (org_id, state)
) WITHOUT ROWID;

-- Calls that continue a state which no call was seen to show.
CREATE TABLE conversation_wait (
    org_id     BLOB NOT NULL,
    state      BIGINT NOT NULL,
    call_id    BLOB NOT NULL,
    -- by which the call is joined once the state is shown
    rule       TEXT NOT NULL,
    PRIMARY KEY (org_id, state, call_id)
) WITHOUT ROWID;

-- manual logs of tools
CREATE INDEX exchange_of_tools ON exchange (org_id, started_at) WHERE kind = 'tool';
