-- What one call adds to a sum is at most 2^40 (store::bounds): sums that took more are made again. SQLite turns a sum that
-- is too large for an integer into a floating-point number, which nothing reads.
UPDATE session SET latency_sum_us = (
    SELECT COALESCE(SUM(MIN(e.ended_at - e.started_at, 1099511627776)), 0) FROM exchange e
    WHERE e.org_id = session.org_id AND e.session_key = session.session_key
) WHERE typeof(latency_sum_us) = 'real'
    OR (last_ended_at - first_at > 1099511627776 AND latency_sum_us > 1099511627776);
UPDATE session SET cost = (
    SELECT COALESCE(SUM(MIN(e.cost, 1099511627776)), 0) FROM exchange e
    WHERE e.org_id = session.org_id AND e.session_key = session.session_key
) WHERE typeof(cost) = 'real' OR cost > 1099511627776;

-- Of an hour it is known how many calls it has and not which: each counts as the most that it may.
UPDATE call_hour SET
    cost = CAST(MIN(cost, MIN(calls, 4194304) * 1099511627776) AS INTEGER),
    input_tokens = CAST(MIN(input_tokens, MIN(calls, 4194304) * 1099511627776) AS INTEGER),
    cached_tokens = CAST(MIN(cached_tokens, MIN(calls, 4194304) * 1099511627776) AS INTEGER),
    output_tokens = CAST(MIN(output_tokens, MIN(calls, 4194304) * 1099511627776) AS INTEGER),
    response_bytes = CAST(MIN(response_bytes, MIN(calls, 4194304) * 1099511627776) AS INTEGER),
    latency_sum_us = CAST(MIN(latency_sum_us, MIN(calls, 4194304) * 1099511627776) AS INTEGER),
    latency_min_us = MIN(latency_min_us, 1099511627776),
    latency_max_us = MIN(latency_max_us, 1099511627776)
WHERE latency_max_us > 1099511627776
    OR cost > calls * 1099511627776
    OR typeof(cost) = 'real' OR typeof(latency_sum_us) = 'real' OR typeof(response_bytes) = 'real'
    OR typeof(input_tokens) = 'real' OR typeof(cached_tokens) = 'real' OR typeof(output_tokens) = 'real';
