//! Providers' names as rows carry them.

/// Names that rows carry in upper case, as in the original.
const KNOWN_PROVIDERS: [&str; 38] = [
    "openai",
    "anthropic",
    "azure",
    "local",
    "helicone",
    "amdbartek",
    "anyscale",
    "cloudflare",
    "2yfv",
    "together",
    "lemonfox",
    "fireworks",
    "perplexity",
    "google",
    "openrouter",
    "wisdominanutshell",
    "groq",
    "cohere",
    "mistral",
    "deepinfra",
    "qstash",
    "firecrawl",
    "aws",
    "bedrock",
    "deepseek",
    "x",
    "avian",
    "nebius",
    "novita",
    "openpipe",
    "chutes",
    "llama",
    "nvidia",
    "vercel",
    "cerebras",
    "baseten",
    "canopywave",
    "custom",
];

/// A provider's name on the row: `OPENAI` for `openai`, and so on; another name as it is.
pub(super) fn provider_name(configured: &str) -> String {
    let lower = configured.to_ascii_lowercase();
    let lower = match lower.as_str() {
        "gemini" => "google",
        "xai" | "x-ai" => "x",
        other => other,
    };
    if KNOWN_PROVIDERS.contains(&lower) { lower.to_ascii_uppercase() } else { configured.to_owned() }
}
