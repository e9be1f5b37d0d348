-- What one call adds to a sum is at most 2^40 (store::bounds): sums that took more are made again.
UPDATE session SET latency_sum_us = (
    SELECT CAST(COALESCE(SUM(LEAST(e.ended_at - e.started_at, 1099511627776)), 0) AS BIGINT) FROM exchange e
    WHERE e.org_id = session.org_id AND e.session_key = session.session_key
) WHERE last_ended_at - first_at > 1099511627776 AND latency_sum_us > 1099511627776;
UPDATE session SET cost = (
    SELECT CAST(COALESCE(SUM(CASE WHEN e.cost > 1099511627776 THEN 1099511627776 ELSE e.cost END), 0) AS BIGINT) FROM exchange e
    WHERE e.org_id = session.org_id AND e.session_key = session.session_key
) WHERE cost > 1099511627776;

-- Of an hour it is known how many calls it has and not which: each counts as the most that it may.
UPDATE call_hour SET
    cost = LEAST(cost, LEAST(calls, 4194304) * 1099511627776),
    input_tokens = LEAST(input_tokens, LEAST(calls, 4194304) * 1099511627776),
    cached_tokens = LEAST(cached_tokens, LEAST(calls, 4194304) * 1099511627776),
    output_tokens = LEAST(output_tokens, LEAST(calls, 4194304) * 1099511627776),
    response_bytes = LEAST(response_bytes, LEAST(calls, 4194304) * 1099511627776),
    latency_sum_us = LEAST(latency_sum_us, LEAST(calls, 4194304) * 1099511627776),
    latency_min_us = LEAST(latency_min_us, 1099511627776),
    latency_max_us = LEAST(latency_max_us, 1099511627776)
WHERE latency_max_us > 1099511627776 OR cost > LEAST(calls, 4194304) * 1099511627776;
