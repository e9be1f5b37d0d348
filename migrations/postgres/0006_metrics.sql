-- Figures of calls by the hour, kept at write time from rows that were new. `dim` says by what, `value` which:
--   0 all calls (value empty), 1 kind, 2 provider, 3 model, 4 tool (calls of kind tool, by model), 5 path, 6 status,
--   7 error rule (failed calls), 8 error rule and tool (failed calls of kind tool, `rule model`), 9 session name.
-- Values are cut to their first 200 characters. Paths are folded (store::hours); rows that this migration makes of older
-- calls are not, so whoever reads folds again.
-- h00 to h31 count calls by wall time: h00 up to 2 ms, each next up to 1.5 times as long, h31 the rest.
CREATE TABLE call_hour (
    org_id UUID NOT NULL,
    dim SMALLINT NOT NULL,
    hour BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    latency_sum_us BIGINT NOT NULL,
    latency_min_us BIGINT NOT NULL,
    latency_max_us BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    h00 BIGINT NOT NULL,
    h01 BIGINT NOT NULL,
    h02 BIGINT NOT NULL,
    h03 BIGINT NOT NULL,
    h04 BIGINT NOT NULL,
    h05 BIGINT NOT NULL,
    h06 BIGINT NOT NULL,
    h07 BIGINT NOT NULL,
    h08 BIGINT NOT NULL,
    h09 BIGINT NOT NULL,
    h10 BIGINT NOT NULL,
    h11 BIGINT NOT NULL,
    h12 BIGINT NOT NULL,
    h13 BIGINT NOT NULL,
    h14 BIGINT NOT NULL,
    h15 BIGINT NOT NULL,
    h16 BIGINT NOT NULL,
    h17 BIGINT NOT NULL,
    h18 BIGINT NOT NULL,
    h19 BIGINT NOT NULL,
    h20 BIGINT NOT NULL,
    h21 BIGINT NOT NULL,
    h22 BIGINT NOT NULL,
    h23 BIGINT NOT NULL,
    h24 BIGINT NOT NULL,
    h25 BIGINT NOT NULL,
    h26 BIGINT NOT NULL,
    h27 BIGINT NOT NULL,
    h28 BIGINT NOT NULL,
    h29 BIGINT NOT NULL,
    h30 BIGINT NOT NULL,
    h31 BIGINT NOT NULL,
    PRIMARY KEY (org_id, dim, hour, value)
);

INSERT INTO call_hour (org_id, dim, hour, value, calls, errors, cost, unpriced, input_tokens, cached_tokens, output_tokens, response_bytes, latency_sum_us, latency_min_us, latency_max_us, last_at,
    h00, h01, h02, h03, h04, h05, h06, h07, h08, h09, h10, h11, h12, h13, h14, h15, h16, h17, h18, h19, h20, h21, h22, h23, h24, h25, h26, h27, h28, h29, h30, h31)
SELECT org_id, dim, started_at / 3600000000 * 3600000000, value,
    COUNT(*),
    COUNT(error_rule),
    CAST(COALESCE(SUM(cost), 0) AS BIGINT),
    CAST(SUM(CASE WHEN kind = 'llm' AND cost IS NULL THEN 1 ELSE 0 END) AS BIGINT),
    CAST(COALESCE(SUM(prompt_tokens + prompt_cache_read_tokens + prompt_cache_write_tokens + prompt_audio_tokens), 0) AS BIGINT),
    CAST(COALESCE(SUM(prompt_cache_read_tokens), 0) AS BIGINT),
    CAST(COALESCE(SUM(completion_tokens + completion_audio_tokens + reasoning_tokens), 0) AS BIGINT),
    CAST(SUM(response_bytes) AS BIGINT),
    CAST(SUM(ended_at - started_at) AS BIGINT),
    MIN(ended_at - started_at),
    MAX(ended_at - started_at),
    MAX(started_at),
    CAST(SUM(CASE WHEN (ended_at - started_at) < 2000 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 2000 AND (ended_at - started_at) < 3000 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 3000 AND (ended_at - started_at) < 4500 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 4500 AND (ended_at - started_at) < 6750 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 6750 AND (ended_at - started_at) < 10125 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 10125 AND (ended_at - started_at) < 15188 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 15188 AND (ended_at - started_at) < 22781 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 22781 AND (ended_at - started_at) < 34172 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 34172 AND (ended_at - started_at) < 51258 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 51258 AND (ended_at - started_at) < 76887 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 76887 AND (ended_at - started_at) < 115330 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 115330 AND (ended_at - started_at) < 172995 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 172995 AND (ended_at - started_at) < 259493 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 259493 AND (ended_at - started_at) < 389239 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 389239 AND (ended_at - started_at) < 583859 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 583859 AND (ended_at - started_at) < 875788 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 875788 AND (ended_at - started_at) < 1313682 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 1313682 AND (ended_at - started_at) < 1970523 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 1970523 AND (ended_at - started_at) < 2955784 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 2955784 AND (ended_at - started_at) < 4433676 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 4433676 AND (ended_at - started_at) < 6650513 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 6650513 AND (ended_at - started_at) < 9975770 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 9975770 AND (ended_at - started_at) < 14963655 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 14963655 AND (ended_at - started_at) < 22445483 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 22445483 AND (ended_at - started_at) < 33668224 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 33668224 AND (ended_at - started_at) < 50502337 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 50502337 AND (ended_at - started_at) < 75753505 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 75753505 AND (ended_at - started_at) < 113630257 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 113630257 AND (ended_at - started_at) < 170445386 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 170445386 AND (ended_at - started_at) < 255668079 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 255668079 AND (ended_at - started_at) < 383502118 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN (ended_at - started_at) >= 383502118 THEN 1 ELSE 0 END) AS BIGINT)
FROM (
    SELECT e.*, 0 AS dim, '' AS value FROM exchange e
    UNION ALL SELECT e.*, 1 AS dim, kind AS value FROM exchange e
    UNION ALL SELECT e.*, 2 AS dim, substr(provider, 1, 200) AS value FROM exchange e
    UNION ALL SELECT e.*, 3 AS dim, substr(COALESCE(model, ''), 1, 200) AS value FROM exchange e
    UNION ALL SELECT e.*, 4 AS dim, substr(COALESCE(model, ''), 1, 200) AS value FROM exchange e WHERE kind = 'tool'
    UNION ALL SELECT e.*, 5 AS dim, substr(COALESCE(session_path, ''), 1, 200) AS value FROM exchange e
    UNION ALL SELECT e.*, 6 AS dim, CAST(status AS TEXT) AS value FROM exchange e
    UNION ALL SELECT e.*, 7 AS dim, error_rule AS value FROM exchange e WHERE error_rule IS NOT NULL
    UNION ALL SELECT e.*, 8 AS dim, error_rule || ' ' || substr(COALESCE(model, ''), 1, 200) AS value FROM exchange e WHERE kind = 'tool' AND error_rule IS NOT NULL
    UNION ALL SELECT e.*, 9 AS dim, substr(COALESCE(session_name, ''), 1, 200) AS value FROM exchange e
) AS each_call
GROUP BY org_id, dim, started_at / 3600000000 * 3600000000, value;
