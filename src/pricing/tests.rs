use serde_json::json;

use super::*;

/// 2026-11-24
const AT: Micros = Micros(1_795_500_000_000_000);

fn pricing() -> Pricing {
    Pricing::load(None).unwrap()
}

fn sale<'a>(provider: &'a str, model: &'a str, usage: &'a Usage) -> Sale<'a> {
    Sale {
        provider,
        url: "",
        format: WireFormat::Openai,
        api: "chat",
        model,
        asked: None,
        usage: Some(usage),
        raw_usage: None,
        audio_seconds: None,
        priced_units: None,
        service_tier: None,
        at: AT,
    }
}

fn tokens(prompt: i64, cached: i64, completion: i64) -> Usage {
    Usage { prompt_tokens: prompt, prompt_cache_read_tokens: cached, completion_tokens: completion, ..Usage::default() }
}

fn nanos(cost: Option<Cost>) -> Option<i64> {
    cost.map(|cost| cost.amount.0)
}

#[test]
fn version_is_the_locked_one() {
    let lock = include_str!("../../Cargo.lock").replace('\r', "");
    let (name, version) = PRICE_VERSION.split_once(' ').unwrap();
    assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")));
}

/// 1,000 tokens in, so many more read from the cache, 300 out (none for embeddings): worked out by hand from the
/// published prices per million tokens.
#[test]
fn well_known_models() {
    let pricing = pricing();
    for (provider, model, cached, expected) in [
        ("openai", "gpt-4o", 200, 5_750_000),
        ("openai", "gpt-4o-mini", 200, 345_000),
        ("openai", "gpt-4o-2024-08-06", 200, 5_750_000),
        ("openai", "gpt-4.1", 200, 4_500_000),
        ("openai", "gpt-4.1-mini", 200, 900_000),
        ("openai", "gpt-4.1-nano", 200, 225_000),
        ("openai", "o1", 200, 34_500_000),
        ("openai", "o3", 200, 4_500_000),
        ("openai", "o3-mini", 200, 2_530_000),
        ("openai", "o4-mini", 200, 2_475_000),
        ("openai", "gpt-5", 200, 4_275_000),
        ("openai", "gpt-5-mini", 200, 855_000),
        ("openai", "gpt-5-nano", 200, 171_000),
        ("openai", "gpt-5.1", 200, 4_275_000),
        ("openai", "gpt-5.2", 200, 5_985_000),
        ("anthropic", "claude-sonnet-4-20250514", 200, 7_560_000),
        ("anthropic", "claude-sonnet-4-5", 200, 7_560_000),
        ("anthropic", "claude-opus-4-1", 200, 37_800_000),
        ("anthropic", "claude-opus-4-5", 200, 12_600_000),
        ("anthropic", "claude-haiku-4-5", 200, 2_520_000),
        ("anthropic", "claude-3-7-sonnet-latest", 200, 7_560_000),
        ("anthropic", "claude-3-5-haiku-latest", 200, 2_016_000),
        ("anthropic", "claude-3-opus-latest", 200, 37_800_000),
        ("anthropic", "claude-3-haiku-20240307", 200, 631_000),
        ("google", "gemini-2.5-pro", 200, 4_275_000),
        ("google", "gemini-2.5-flash", 200, 1_056_000),
        ("groq", "openai/gpt-oss-120b", 200, 345_000),
        ("openai", "gpt-4", 0, 48_000_000),
        ("openai", "gpt-4-turbo", 0, 19_000_000),
        ("openai", "gpt-3.5-turbo", 0, 950_000),
        ("openai", "text-embedding-3-small", 0, 20_000),
        ("openai", "text-embedding-3-large", 0, 130_000),
        ("openai", "text-embedding-ada-002", 0, 100_000),
        ("groq", "llama-3.1-8b-instant", 0, 74_000),
        ("groq", "llama-3.3-70b-versatile", 0, 827_000),
        ("mistral", "mistral-large-2411", 0, 3_800_000),
        ("cohere", "command-r-plus", 0, 5_500_000),
    ] {
        let out = if model.contains("embedding") { 0 } else { 300 };
        let usage = tokens(1_000, cached, out);
        let cost = pricing.price(&sale(provider, model, &usage)).unwrap_or_else(|| panic!("{provider} {model}"));
        assert_eq!(cost.amount, NanoUsd(expected), "{provider} {model}");
        assert_eq!((cost.source, cost.price_version.as_str()), (CostSource::Prices, PRICE_VERSION));
    }
}

#[test]
fn the_day_of_the_call_decides() {
    let pricing = pricing();
    let usage = tokens(1_000, 0, 300);
    let now = sale("openai", "o3", &usage);
    let before_the_cut = Sale { at: Micros(1_748_000_000_000_000), ..now };
    assert_eq!(nanos(pricing.price(&now)), Some(4_400_000));
    assert_eq!(nanos(pricing.price(&before_the_cut)), Some(22_000_000));
}

#[test]
fn cache_writes_by_lifetime_and_web_searches() {
    let pricing = pricing();
    let usage = Usage {
        prompt_tokens: 10,
        prompt_cache_read_tokens: 100,
        prompt_cache_write_tokens: 1_000,
        prompt_cache_write_1h_tokens: 400,
        completion_tokens: 50,
        ..Usage::default()
    };
    let raw = json!({"input_tokens": 10, "output_tokens": 50, "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 1_000,
        "cache_creation": {"ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 400}});
    // 10 x 3,000 + 100 x 300 + 600 x 3,750 + 400 x 6,000 + 50 x 15,000
    let expected = 30_000 + 30_000 + 2_250_000 + 2_400_000 + 750_000;
    let plain =
        Sale { format: WireFormat::Anthropic, api: "messages", ..sale("anthropic", "claude-sonnet-4-0", &usage) };
    assert_eq!(nanos(pricing.price(&plain)), Some(expected), "from our parts");
    assert_eq!(nanos(pricing.price(&Sale { raw_usage: Some(&raw), ..plain })), Some(expected), "from the raw usage");
    let mut searched = raw;
    searched["server_tool_use"] = json!({"web_search_requests": 2});
    // $10 for a thousand searches
    assert_eq!(nanos(pricing.price(&Sale { raw_usage: Some(&searched), ..plain })), Some(expected + 20_000_000));
}

#[test]
fn tiers_and_batches_have_their_own_prices() {
    let pricing = pricing();
    let usage = tokens(1_000, 0, 300);
    let plain = sale("openai", "gpt-5", &usage);
    for (tier, expected) in [
        (None, 4_250_000),
        (Some("default"), 4_250_000),
        (Some("auto"), 4_250_000),
        (Some("flex"), 2_125_000),
        (Some("priority"), 8_500_000),
        (Some("batch"), 2_125_000),
        (Some("never heard of"), 4_250_000),
    ] {
        assert_eq!(nanos(pricing.price(&Sale { service_tier: tier, ..plain })), Some(expected), "{tier:?}");
    }
}

#[test]
fn how_the_provider_is_found() {
    let pricing = pricing();
    let usage = tokens(1_000, 0, 300);
    let price =
        |provider, url, format, model| nanos(pricing.price(&Sale { url, format, ..sale(provider, model, &usage) }));
    let gpt_4o = Some(5_500_000);
    for (provider, url, format, model, expected) in [
        ("openai", "http://127.0.0.1:9/v1/chat/completions", WireFormat::Openai, "gpt-4o", gpt_4o),
        ("OPENAI", "", WireFormat::Openai, "gpt-4o", gpt_4o),
        ("my-mock", "http://127.0.0.1:9/v1/chat/completions", WireFormat::Openai, "gpt-4o", gpt_4o),
        ("custom", "", WireFormat::Openai, "gpt-4o", gpt_4o),
        ("custom", "", WireFormat::Other, "gpt-4o", gpt_4o),
        ("mine", "https://api.openai.com/v1/chat/completions", WireFormat::Openai, "gpt-4o", gpt_4o),
        ("x", "", WireFormat::Openai, "grok-3", Some(7_500_000)),
        ("mine", "", WireFormat::Anthropic, "claude-sonnet-4-0", Some(7_500_000)),
        // A known provider that does not serve the model, and models that nobody serves.
        ("groq", "", WireFormat::Openai, "gpt-4o", None),
        ("openai", "", WireFormat::Openai, "my-finetune", None),
        ("my-vllm", "", WireFormat::Openai, "my-finetune", None),
        ("ollama", "", WireFormat::Ollama, "my-finetune", None),
        // What runs on the operator's own machines has others' names and not their prices.
        ("ollama", "", WireFormat::Ollama, "gpt-4o", None),
        ("Ollama", "", WireFormat::Openai, "deepseek-r1", None),
        ("my-box", "", WireFormat::Ollama, "mistral-large-latest", None),
        ("openai", "", WireFormat::Openai, "", None),
    ] {
        assert_eq!(price(provider, url, format, model), expected, "{provider} {url} {format:?} {model}");
    }
}

#[test]
fn billed_amounts_are_taken_as_they_are() {
    assert_eq!(nanos(Pricing::billed(0.000_142_5)), Some(142_500));
    assert_eq!(nanos(Pricing::billed(0.0)), Some(0));
    assert_eq!(Pricing::billed(1.0).unwrap().source, CostSource::Provider);
    for usd in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(Pricing::billed(usd).is_none(), "{usd}");
    }
}

#[test]
fn the_overlay_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prices.toml");
    std::fs::write(
        &path,
        r#"
        [[price]]
        provider = "my-vllm"
        model = "llama*"
        input = 1.0
        output = 2.0
        cache_read = 0.5
        [[price]]
        model = "gpt-4o"
        input = 0.0
        output = 0.0
        "#,
    )
    .unwrap();
    let pricing = Pricing::load(Some(&path)).unwrap();
    let usage = tokens(1_000, 100, 300);
    let cost = pricing.price(&sale("My-vLLM", "Llama-3", &usage)).unwrap();
    assert_eq!((cost.amount, cost.source), (NanoUsd(1_650_000), CostSource::Overlay));
    assert_eq!(nanos(pricing.price(&sale("openai", "gpt-4o", &usage))), Some(0), "free by the operator's word");
    assert_eq!(nanos(pricing.price(&sale("openai", "gpt-4o-mini", &usage))), Some(337_500));
    assert_eq!(pricing.price(&sale("other", "llama-3-mine", &usage)).map(|c| c.source), None);
}

#[test]
fn a_wrong_overlay_names_its_fault() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prices.toml");
    for text in [
        "[[price]]\nmodel = \"m\"\ninput = -1.0\noutput = 1.0",
        "[[price]]\nmodel = \"\"\ninput = 1.0\noutput = 1.0",
        "[[price]]\nmodel = \"m\"\ninput = nan\noutput = 1.0",
        "[[price]]\nmodel = \"m\"\ninput = 1.0",
        "[[price]]\nmodel = \"m\"\ninput = 1.0\noutput = 1.0\ntypo = 1",
        "nonsense",
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Pricing::load(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("prices.toml"), "{error}");
    }
    assert!(matches!(Pricing::load(Some(&dir.path().join("absent"))), Err(PricingError::Unreadable { .. })));
}

#[test]
fn a_fallback_counts_only_where_the_table_knows_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prices.toml");
    let entry = |model: &str| {
        format!(
            "[[price]]\nmodel = \"{model}\"\nfallback = true\ninput = 1.0\noutput = 1.0\nrequest = 0.5\nweb_search = 10.0\n"
        )
    };
    std::fs::write(&path, entry("gpt-4o") + &entry("mine")).unwrap();
    let pricing = Pricing::load(Some(&path)).unwrap();
    let usage = Usage { prompt_tokens: 1_000, web_searches: 3, ..Usage::default() };
    let cost = pricing.price(&sale("openai", "gpt-4o", &tokens(1_000, 0, 0))).unwrap();
    assert_eq!((cost.amount, cost.source), (NanoUsd(2_500_000), CostSource::Prices));
    let cost = pricing.price(&sale("openai", "mine", &usage)).unwrap();
    assert_eq!((cost.amount, cost.source), (NanoUsd(531_000_000), CostSource::Overlay));
    assert!(cost.price_version.starts_with("overlay "));
}

#[test]
fn a_sale_is_priced_the_same_again_by_its_units() {
    let pricing = pricing();
    let usage = Usage { prompt_tokens: 110, prompt_audio_tokens: 5, completion_tokens: 7, ..Usage::default() };
    let raw = json!({"promptTokenCount": 115, "candidatesTokenCount": 7,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}, {"modality": "VIDEO", "tokenCount": 100}]});
    let first = Sale {
        format: WireFormat::Gemini,
        api: "generate_content",
        raw_usage: Some(&raw),
        ..sale("google", "gemini-2.5-flash", &usage)
    };
    let sold = pricing.sell(&first);
    let units = sold.priced_units.clone().unwrap();
    let row = Sale { provider: "GOOGLE", api: "", raw_usage: None, priced_units: Some(&units), ..first };
    assert!(sold.cost.is_some());
    assert_eq!(pricing.sell(&row), sold);
}

/// Why a usage that says nothing but two totals is not kept for the table's readers: they find in it what we did.
#[test]
fn two_totals_are_read_alike_by_the_tables_reader() {
    let pricing = pricing();
    let usage = tokens(1_000, 0, 300);
    let chat = json!({
        "prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": null},
    });
    let responses = json!({
        "input_tokens": 1000, "output_tokens": 300, "total_tokens": 1300,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
    });
    let messages = json!({
        "input_tokens": 1000, "output_tokens": 300, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    });
    let mut read = 0;
    for (provider, api, raw) in [
        ("openai", "chat", &chat),
        ("openai", "responses", &responses),
        ("groq", "chat", &chat),
        ("x-ai", "chat", &chat),
        ("deepseek", "chat", &chat),
        ("mistral", "chat", &chat),
        ("openrouter", "chat", &chat),
        ("azure", "chat", &chat),
        ("anthropic", "messages", &messages),
    ] {
        let sale = Sale { api, raw_usage: Some(raw), ..sale(provider, "m", &usage) };
        let plain = units(&usage);
        if let Some(extracted) = pricing.extract(&sale, provider) {
            assert_eq!(without_zeros(&extracted), plain, "{provider} {api}");
            read += 1;
        }
    }
    assert!(read >= 5, "{read}");
}

#[test]
fn a_reader_that_leaves_out_a_part_of_the_input_is_not_believed() {
    let pricing = pricing();
    let usage = tokens(10_000, 5_000, 20_000);
    let raw = json!({"inputTokens": 10_000, "outputTokens": 20_000, "cacheReadInputTokenCount": 5_000});
    let nova = Sale {
        format: WireFormat::Bedrock,
        api: "invoke",
        raw_usage: Some(&raw),
        ..sale("bedrock", "amazon.nova-lite-v1:0", &usage)
    };
    // 10,000 x 60 + 5,000 x 15 + 20,000 x 240
    let expected = Some(600_000 + 75_000 + 4_800_000);
    assert_eq!(nanos(pricing.price(&nova)), expected);
    assert_eq!(nanos(pricing.price(&Sale { raw_usage: None, ..nova })), expected);
}

#[test]
fn what_was_asked_for_is_the_last_resort() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prices.toml");
    let entry = |model: &str, provider: &str| {
        format!("[[price]]\nmodel = \"{model}\"\nprovider = \"{provider}\"\ninput = 1.0\noutput = 1.0\n")
    };
    std::fs::write(&path, entry("gpt-4o", "ollama") + &entry("own", "openai") + "fallback = true\n").unwrap();
    let pricing = Pricing::load(Some(&path)).unwrap();
    let usage = tokens(1_000, 0, 300);
    let price = |model, asked| nanos(pricing.price(&Sale { asked, ..sale("openai", model, &usage) }));
    assert_eq!(price("unheard-of", Some("gpt-4o")), Some(5_500_000));
    assert_eq!(price("gpt-4o-mini", Some("gpt-4o")), Some(330_000));
    assert_eq!(price("own", Some("gpt-4o")), Some(1_300_000));
    assert_eq!(price("", Some("gpt-4o")), Some(5_500_000));
    assert_eq!(price("unheard-of", None), None);
    // The operator's word stands also for what the table is not asked about.
    let local = Sale { format: WireFormat::Ollama, ..sale("ollama", "gpt-4o", &usage) };
    assert_eq!(nanos(pricing.price(&local)), Some(1_300_000));
}
