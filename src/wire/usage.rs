//! Token counts as providers report them, split into the disjoint parts of [`Usage`].
//!
//! A count is believed only if it is a non-negative whole number of a plausible size. One count that is not, or parts that
//! exceed their whole, make the usage as a whole missing with a reason: a wrong number is worse than none.

use super::json;
use crate::model::exchange::Usage;

/// No single call has that many tokens.
const MAX_TOKENS: f64 = 1e12;

/// No single recording is that long: a hundred days.
const MAX_SECONDS: f64 = 8_640_000.0;

/// Why a reported usage cannot be used: one short clause for a person.
pub type Fault = &'static str;

pub const NOT_A_COUNT: Fault = "the reported usage has a count that is no whole number of tokens";
pub const INCONSISTENT: Fault = "the reported usage has parts that exceed their whole";
pub const NOT_AN_OBJECT: Fault = "the reported usage is not an object";

/// A token count. Absent and `null` are `Ok(None)`.
pub fn count(raw: Option<&str>) -> Result<Option<i64>, Fault> {
    let Some(raw) = json::non_null(raw) else { return Ok(None) };
    let number: f64 = raw.parse().map_err(|_| NOT_A_COUNT)?;
    // Some gateways write whole numbers as `12.0`.
    if !(0.0..=MAX_TOKENS).contains(&number) || number.fract() != 0.0 || raw.starts_with('-') {
        return Err(NOT_A_COUNT);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within range, checked above")]
    Ok(Some(number as i64))
}

/// A count that counts as zero where it is not reported.
pub fn part(raw: Option<&str>) -> Result<i64, Fault> {
    Ok(count(raw)?.unwrap_or(0))
}

/// How many of `wanted` there is room for within `whole` beside `taken`. Details overlap (cached audio is counted as cached
/// and as audio), and what overlaps is counted once, as what was named first.
pub fn within(wanted: i64, whole: i64, taken: i64) -> i64 {
    wanted.min(whole.saturating_sub(taken)).max(0)
}

/// OpenAI's shapes, old (`prompt_tokens`, `completion_tokens`) and new (`input_tokens`, `output_tokens`), and those of the
/// providers that copy them. `Ok(None)` where it has neither. `input_only` is for embeddings, which have no output.
pub fn openai(raw: &str, input_only: bool) -> Result<Option<Usage>, Fault> {
    if !json::is_object(raw) {
        return Err(NOT_AN_OBJECT);
    }
    let [
        prompt,
        completion,
        input,
        output,
        total,
        prompt_details,
        completion_details,
        input_details,
        output_details,
        input_detail,
        output_detail,
        hits,
        top_cached,
        top_read,
        top_written,
        top_reasoning,
        citations,
    ] = json::fields(
        raw,
        [
            "prompt_tokens",
            "completion_tokens",
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "prompt_tokens_details",
            "completion_tokens_details",
            "input_tokens_details",
            "output_tokens_details",
            // Transcriptions leave out an `s`.
            "input_token_details",
            "output_token_details",
            // DeepSeek had its own field for cached tokens before it had the details.
            "prompt_cache_hit_tokens",
            // Moonshot and Together.
            "cached_tokens",
            // LiteLLM and Databricks, in Anthropic's words; here the input includes them.
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            // Perplexity.
            "reasoning_tokens",
            "citation_tokens",
        ],
    )
    .values;
    if prompt.is_none() && [top_read, top_written].into_iter().any(|part| json::non_null(part).is_some()) {
        // These words beside `input_tokens` are Anthropic's own shape.
        return anthropic(raw);
    }
    let total = count(total).ok().flatten();
    let mut input_total = count(prompt)?.or(count(input)?);
    let output_total = count(completion)?.or(count(output)?);
    if input_only && input_total.is_none() {
        // Some embeddings (Voyage, Jina) have nothing but the total.
        input_total = total;
    }
    let (Some(input_total), Some(output_total)) = (input_total, output_total.or(input_only.then_some(0))) else {
        return Ok(None);
    };

    let details = [prompt_details, input_details, input_detail].into_iter().find_map(json::non_null);
    let [cached, written, audio_in, image_in, cached_too] = json::nested(
        details,
        ["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "cache_read_input_tokens"],
    );
    let details = [completion_details, output_details, output_detail].into_iter().find_map(json::non_null);
    let [reasoning, audio_out, image_out] = json::nested(details, ["reasoning_tokens", "audio_tokens", "image_tokens"]);
    let elsewhere = [cached_too, hits, top_cached, top_read].into_iter().find_map(json::non_null);
    let cached = count(cached)?.map_or_else(|| part(elsewhere), Ok)?;
    let mut written = count(written)?.map_or_else(|| part(top_written), Ok)?;
    // OpenRouter reports Gemini's tokens that were written and read in one call under both: here they count as read.
    if written <= input_total && cached <= input_total && cached + written > input_total {
        written = 0;
    }
    let (audio_in, image_in) = (part(audio_in)?, part(image_in)?);
    let reasoning = count(reasoning)?.map_or_else(|| part(top_reasoning), Ok)?;
    let (audio_out, image_out) = (part(audio_out)?, part(image_out)?);

    // A few providers (xAI, Perplexity, some behind OpenRouter) count reasoning beside the completion instead of in it; the
    // total gives them away, or that there is more of it than of the whole.
    let beside = reasoning > output_total
        || json::non_null(citations).is_some()
        || (reasoning > 0 && total == Some(input_total.saturating_add(output_total).saturating_add(reasoning)));
    let inside = if beside { 0 } else { reasoning };
    let too_much = cached > input_total || written > input_total || audio_in > input_total || image_in > input_total;
    if too_much || inside > output_total || audio_out > output_total || image_out > output_total {
        return Err(INCONSISTENT);
    }
    let audio_in = within(audio_in, input_total, cached + written);
    let image_in = within(image_in, input_total, cached + written + audio_in);
    let audio_out = within(audio_out, output_total, inside);
    let image_out = within(image_out, output_total, inside + audio_out);
    let mut usage = Usage {
        prompt_tokens: input_total - cached - written - audio_in - image_in,
        prompt_cache_read_tokens: cached,
        prompt_cache_write_tokens: written,
        prompt_audio_tokens: audio_in,
        prompt_image_tokens: image_in,
        completion_tokens: output_total - inside - audio_out - image_out,
        completion_audio_tokens: audio_out,
        completion_image_tokens: image_out,
        reasoning_tokens: reasoning,
        ..Usage::default()
    };
    units(raw, &mut usage)?;
    Ok(Some(usage))
}

/// Whether a usage object tells a reader more than the two totals that `usage` has of it: then it is worth to keep it for the
/// reader of the price table, which knows parts that [`Usage`] has not.
pub fn says_more(raw: &str, usage: Option<&Usage>) -> bool {
    const TOTALS: [&str; 5] = ["prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"];
    let Some(usage) = usage else { return true };
    let totals =
        Usage { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens, ..Usage::default() };
    if *usage != totals || usage.prompt_tokens <= 0 || usage.completion_tokens <= 0 {
        return true;
    }
    let nothing = |raw: &str| raw == "null" || raw.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let mut more = false;
    let whole = json::entries(raw, |key, raw| {
        if json::is_object(raw) {
            more |= !json::entries(raw, |_, raw| more |= !nothing(raw));
        } else {
            more |= !nothing(raw) && !TOTALS.contains(&&*key);
        }
    });
    more || !whole
}

/// Things beside tokens that providers count in a usage object: searches and other runs of their own tools.
fn units(raw: &str, usage: &mut Usage) -> Result<(), Fault> {
    if !["server_", "num_"].iter().any(|word| json::may_have(raw, word)) {
        return Ok(());
    }
    let [tools, details, queries, sources, at_xai] = json::fields(
        raw,
        [
            "server_tool_use",
            "server_tool_use_details",
            "num_search_queries",
            "num_sources_used",
            "server_side_tool_usage_details",
        ],
    )
    .values;
    // Anthropic; Perplexity counts its queries.
    let [searches, fetches, executions] =
        json::nested(tools, ["web_search_requests", "web_fetch_requests", "code_execution_requests"]);
    let (mut web, mut other) = (part(searches)?.max(part(queries)?), part(fetches)?.saturating_add(part(executions)?));
    // OpenRouter, whose sum includes the searches.
    let [searches, runs] = json::nested(details, ["web_search_requests", "tool_calls_executed"]);
    let (searches, runs) = (part(searches)?, part(runs)?);
    web = web.max(searches);
    other = other.max(runs.saturating_sub(searches));
    // xAI.
    if let Some(details) = json::non_null(at_xai) {
        let mut fault = None;
        json::entries(details, |name, raw| match part(Some(raw)) {
            Ok(n) if name == "web_search_calls" => web = web.saturating_add(n),
            Ok(n) => other = other.saturating_add(n),
            Err(found) => fault = Some(found),
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
    }
    usage.web_searches = web;
    usage.tool_units = other;
    usage.search_units = part(sources)?;
    Ok(())
}

/// Anthropic's shape: `input_tokens` is without the cache's part already, `output_tokens` includes thinking.
pub fn anthropic(raw: &str) -> Result<Option<Usage>, Fault> {
    if !json::is_object(raw) {
        return Err(NOT_AN_OBJECT);
    }
    let [input, output, read, written, lifetimes, details] = json::fields(
        raw,
        [
            "input_tokens",
            "output_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_creation",
            "output_tokens_details",
        ],
    )
    .values;
    let (Some(input), Some(output)) = (count(input)?, count(output)?) else { return Ok(None) };
    let [five_minutes, one_hour] = json::nested(lifetimes, ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"]);
    let [thinking] = json::nested(details, ["thinking_tokens"]);
    let (five_minutes, one_hour, thinking) = (part(five_minutes)?, part(one_hour)?, part(thinking)?);
    let written = count(written)?.unwrap_or(five_minutes + one_hour);
    if thinking > output || one_hour > written {
        return Err(INCONSISTENT);
    }
    let mut usage = Usage {
        prompt_tokens: input,
        prompt_cache_read_tokens: part(read)?,
        prompt_cache_write_tokens: written,
        prompt_cache_write_1h_tokens: one_hour,
        completion_tokens: output - thinking,
        reasoning_tokens: thinking,
        ..Usage::default()
    };
    units(raw, &mut usage)?;
    Ok(Some(usage))
}

/// Seconds of audio, where a transcription is counted by them (`{"type": "duration", "seconds": …}`).
pub fn audio_seconds(raw: &str) -> Option<f64> {
    if !raw.contains("duration") {
        return None;
    }
    let [kind, length] = json::fields(raw, ["type", "seconds"]).values;
    seconds(length.filter(|_| kind == Some("\"duration\"")))
}

/// A number of seconds that may be believed.
pub fn seconds(raw: Option<&str>) -> Option<f64> {
    let seconds = raw.filter(|raw| !raw.starts_with('-'))?.parse::<f64>().ok()?;
    (seconds.is_finite() && seconds <= MAX_SECONDS).then_some(seconds)
}

/// `usage.cost`: dollars that the provider billed, as a plain number or (Perplexity) as the `total_cost` of its parts. xAI
/// counts in ten-billionths of a dollar. Only plain non-negative numbers are believed.
pub fn billed_usd(raw: &str) -> Option<f64> {
    if !json::may_have(raw, "cost") {
        return None;
    }
    let [cost, ticks] = json::fields(raw, ["cost", "cost_in_usd_ticks"]).values;
    let number =
        |raw: &str| raw.parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd >= 0.0 && !raw.starts_with('-'));
    let Some(cost) = json::non_null(cost) else {
        return json::non_null(ticks).and_then(number).map(|ticks| ticks / 1e10);
    };
    if json::is_object(cost) {
        let [total] = json::fields(cost, ["total_cost"]).values;
        return total.and_then(number);
    }
    number(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_plausible_and_not_negative() {
        for (raw, expected) in [
            (None, Ok(None)),
            (Some("null"), Ok(None)),
            (Some("0"), Ok(Some(0))),
            (Some("12"), Ok(Some(12))),
            (Some("12.0"), Ok(Some(12))),
            (Some("1000000000000"), Ok(Some(1_000_000_000_000))),
        ] {
            assert_eq!(count(raw), expected, "{raw:?}");
        }
        for raw in
            ["-1", "-0", "1.5", "\"12\"", "1e400", "1e13", "9223372036854775808", "{}", "[1]", "true", "inf", "NaN"]
        {
            assert!(count(Some(raw)).is_err(), "{raw}");
        }
    }

    #[test]
    fn openai_parts_are_disjoint() {
        let chat = r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":40,"audio_tokens":10},
            "completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5}}"#;
        let usage = openai(chat, false).unwrap().unwrap();
        assert_eq!(
            usage,
            Usage {
                prompt_tokens: 50,
                prompt_cache_read_tokens: 40,
                prompt_audio_tokens: 10,
                completion_tokens: 25,
                completion_audio_tokens: 5,
                reasoning_tokens: 20,
                ..Usage::default()
            }
        );
        assert_eq!((usage.input_tokens(), usage.output_tokens()), (100, 50));

        let responses = r#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":3},
            "output_tokens":7,"output_tokens_details":{"reasoning_tokens":7}}"#;
        let usage = openai(responses, false).unwrap().unwrap();
        assert_eq!((usage.prompt_tokens, usage.prompt_cache_read_tokens, usage.prompt_cache_write_tokens), (2, 4, 3));
        assert_eq!((usage.completion_tokens, usage.reasoning_tokens), (0, 7));
    }

    #[test]
    fn tokens_written_and_read_in_one_call_count_once() {
        let raw = r#"{"prompt_tokens":2168,"completion_tokens":100,
            "prompt_tokens_details":{"cached_tokens":2161,"cache_write_tokens":2161}}"#;
        let usage = openai(raw, false).unwrap().unwrap();
        assert_eq!(
            (usage.prompt_tokens, usage.prompt_cache_read_tokens, usage.prompt_cache_write_tokens),
            (7, 2161, 0)
        );
    }

    #[test]
    fn reasoning_beside_the_completion_is_known_by_the_total() {
        let xai = r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,
            "completion_tokens_details":{"reasoning_tokens":100}}"#;
        let usage = openai(xai, false).unwrap().unwrap();
        assert_eq!((usage.completion_tokens, usage.reasoning_tokens, usage.output_tokens()), (5, 100, 105));
    }

    #[test]
    fn a_half_or_wrong_usage_is_none() {
        assert_eq!(openai(r#"{"prompt_tokens":5}"#, false), Ok(None));
        assert_eq!(openai(r#"{"prompt_tokens":5,"total_tokens":5}"#, true).unwrap().unwrap().prompt_tokens, 5);
        assert_eq!(openai("{}", false), Ok(None));
        for raw in [
            "3",
            "[]",
            r#"{"prompt_tokens":"5","completion_tokens":1}"#,
            r#"{"prompt_tokens":5,"completion_tokens":-1}"#,
            r#"{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":6}}"#,
            r#"{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":"x"}}"#,
            r#"{"prompt_tokens":5,"completion_tokens":1,"cached_tokens":6}"#,
            r#"{"prompt_tokens":5,"completion_tokens":1,"reasoning_tokens":"2"}"#,
        ] {
            assert!(openai(raw, false).is_err(), "{raw}");
        }
        assert_eq!(anthropic(r#"{"input_tokens":1}"#), Ok(None));
        assert!(anthropic(r#"{"input_tokens":1,"output_tokens":true}"#).is_err());
    }

    #[test]
    fn anthropic_keeps_cache_lifetimes_apart() {
        let raw = r#"{"input_tokens":3,"output_tokens":50,"cache_read_input_tokens":7,"cache_creation_input_tokens":30,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},
            "output_tokens_details":{"thinking_tokens":30}}"#;
        let usage = anthropic(raw).unwrap().unwrap();
        assert_eq!((usage.prompt_tokens, usage.prompt_cache_read_tokens), (3, 7));
        assert_eq!((usage.prompt_cache_write_tokens, usage.prompt_cache_write_1h_tokens), (30, 20));
        assert_eq!((usage.completion_tokens, usage.reasoning_tokens), (20, 30));
        assert_eq!((usage.input_tokens(), usage.output_tokens()), (40, 50));
    }

    #[test]
    fn a_usage_that_says_more_than_its_totals_is_known() {
        for (more, raw) in [
            (false, r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#),
            (false, r#"{"input_tokens":10,"output_tokens":5,"input_tokens_details":{"cached_tokens":0,"x":null}}"#),
            (false, r#"{"prompt_tokens":10,"completion_tokens":5,"odd":0.0,"none":null,"prompt_tokens_details":null}"#),
            (true, r#"{"prompt_tokens":10,"completion_tokens":5,"num_search_queries":2}"#),
            (true, r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"video_tokens":7}}"#),
            (true, r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":7}}"#),
            (true, r#"{"prompt_tokens":10,"completion_tokens":5,"tier":"flex"}"#),
            (true, r#"{"prompt_tokens":10,"completion_tokens":5,"list":[]}"#),
            (true, r#"{"prompt_tokens":10,"completion_tokens":0}"#),
        ] {
            let usage = openai(raw, false).unwrap();
            assert_eq!(says_more(raw, usage.as_ref()), more, "{raw}");
        }
        assert!(says_more(r#"{"prompt_tokens":10}"#, None));
    }

    #[test]
    fn billed_cost_is_a_plain_number() {
        assert_eq!(billed_usd(r#"{"cost":0.00014}"#), Some(0.000_14));
        assert_eq!(billed_usd(r#"{"cost":0}"#), Some(0.0));
        for raw in [r#"{"cost":"1"}"#, r#"{"cost":-1}"#, r#"{"cost":1e400}"#, r#"{"cost":null}"#, "{}", "[]"] {
            assert_eq!(billed_usd(raw), None, "{raw}");
        }
    }
}
