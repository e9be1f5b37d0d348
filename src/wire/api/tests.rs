use super::*;

#[test]
fn paths() {
    use WireFormat::{Anthropic, Bedrock, Cohere, Gemini, Ollama, Openai, Other};
    for (format, path, expected) in [
        (Openai, "/v1/chat/completions", Api::Chat),
        (Openai, "/openai/deployments/x/chat/completions/", Api::Chat),
        (Anthropic, "/v1/chat/completions", Api::Chat),
        (Gemini, "/v1beta/openai/chat/completions", Api::Chat),
        (Openai, "/v1/completions", Api::Completions),
        (Openai, "/v1/engines/davinci/completions", Api::Completions),
        (Openai, "/v1/responses", Api::Responses),
        (Openai, "/v1/responses/resp_1", Api::ResponseLookup),
        (Openai, "/v1/responses/compact", Api::Compaction),
        (Openai, "/v1/responses/resp_1/cancel", Api::ResponseLookup),
        (Openai, "/v1/threads/t/runs/r/cancel", Api::Metadata("threads")),
        (Openai, "/v1/conversations", Api::Metadata("conversations")),
        (Openai, "/v1/contextualizedembeddings", Api::Embeddings),
        (Openai, "/v1/multimodalembeddings", Api::Embeddings),
        (Openai, "/serving-endpoints/m/invocations", Api::Chat),
        (Openai, "/serving-endpoints/chat/completions", Api::Chat),
        (Openai, "/v1/invocations", OTHER),
        (Openai, "/v1/chat/deferred-completion/abc", Api::Chat),
        (Gemini, "/v1beta/tunedModels/t:generateContent", Api::GenerateContent),
        (Openai, "/v1/responses/input_tokens", COUNTING),
        (Openai, "/v1/embeddings", Api::Embeddings),
        (Openai, "/v1/images/generations", Api::Images),
        (Openai, "/v1/audio/transcriptions", Api::Audio),
        (Openai, "/v1/moderations", Api::Moderations),
        (Openai, "/v1/threads/t/messages", Api::Metadata("threads")),
        (Openai, "/v1/models", OTHER),
        (Openai, "/v1/models/gpt-4o", OTHER),
        (Openai, "", OTHER),
        (Anthropic, "/v1/messages", Api::Messages),
        (Openai, "/api/v1/messages", Api::Messages),
        (Anthropic, "/v1/messages/count_tokens", COUNTING),
        (Anthropic, "/v1/messages/batches", Api::Metadata("batches")),
        (Other, "/v1/chat/completions", Api::Chat),
        (Openai, "/v1/files/file-1/content", Api::Metadata("files")),
        (Openai, "/v1/batches/batch_1", Api::Metadata("batches")),
        (Gemini, "/v1beta/models/gemini-2.5-pro:generateContent", Api::GenerateContent),
        (Gemini, "/v1beta/models/gemini-2.5-pro:streamGenerateContent", Api::StreamContent),
        (Gemini, "/v1beta/models/gemini-embedding-2:batchEmbedContents", Api::EmbedContent),
        (Gemini, "/v1beta/models/gemini-2.5-pro:countTokens", COUNTING),
        (Gemini, "/v1beta/models/gemini-2.5-pro", OTHER),
        (Gemini, "/v1/interactions", Api::Interactions),
        (Gemini, "/v1beta1/projects/p/locations/l/interactions/i/cancel", Api::InteractionLookup),
        (Gemini, "/v1beta/interactions/i", Api::InteractionLookup),
        (Gemini, "/v1beta/interactions/live", OTHER),
        (Other, "/api/interactions/77", OTHER),
        (Gemini, "/v1/decisions", Api::Interactions),
        (Openai, "/v1/decisions", Api::Responses),
        (Openai, "/v1/agents/completions", Api::Chat),
        (Openai, "/v1/ocr", UNREAD),
        (Gemini, "/v1/projects/p/locations/l/publishers/google/models/g:generateContent", Api::GenerateContent),
        (Gemini, "/v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict", Api::Messages),
        (Gemini, "/v1/projects/p/locations/l/publishers/mistralai/models/m:rawPredict", Api::Chat),
        (Gemini, "/v1/projects/p/locations/l/publishers/google/models/e:predict", Api::Predict),
        (Bedrock, "/model/us.amazon.nova-micro-v1%3A0/converse", Api::Converse),
        (Bedrock, "/model/us.amazon.nova-micro-v1:0/converse-stream", Api::Converse),
        (Bedrock, "/model/anthropic.claude-v2/invoke-with-response-stream", Api::Invoke),
        (Bedrock, "/model/m/count-tokens", COUNTING),
        (Bedrock, "/model/m/async-invoke", UNREAD),
        (Cohere, "/v2/chat", Api::CohereChat),
        (Cohere, "/v1/embed", Api::CohereEmbed),
        (Cohere, "/v2/rerank", Api::Rerank),
        (Ollama, "/api/chat", Api::OllamaChat),
        (Ollama, "/api/embed", Api::OllamaEmbed),
        (Other, "/api/generate", Api::OllamaChat),
        (Openai, "/openai/deployments/d/images/generations", Api::Images),
    ] {
        assert_eq!(Api::of(format, path), expected, "{format:?} {path}");
    }
}

#[test]
fn shapes() {
    use WireFormat::{Anthropic, Openai, Other};
    for (format, request, response, expected) in [
        (Other, "{}", r#"{"choices":[]}"#, Api::Chat),
        (Other, "{}", r#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#, Api::Chat),
        (Other, "{}", r#"{"object":"list","usage":{"prompt_tokens":1,"total_tokens":1}}"#, Api::Embeddings),
        (Other, "{}", r#"{"type":"message","usage":{}}"#, Api::Messages),
        (Other, "{}", r#"{"stop_reason":"end_turn"}"#, Api::Messages),
        (Other, "{}", r#"{"object":"response"}"#, Api::Responses),
        (Other, "{}", "event: message_start\ndata: {\"type\":\"message_start\"}\n\n", Api::Messages),
        (Other, "{}", "data: {\"type\":\"response.created\"}\n\n", Api::Responses),
        (Other, "{}", "{\"object\":\"chat.completion.chunk\"}\n{}", Api::Chat),
        (Other, "{}", r#"{"streamed_data":[{"type":"message_start"}]}"#, Api::Messages),
        (Other, "{}", r#"{"streamed_data":["{\"choices\":[]}"],"type":"message"}"#, Api::Chat),
        (Other, "{}", r#"{"streamed_data":[{"streamed_data":[{"choices":[]}]}]}"#, SHAPELESS),
        (Anthropic, "{}", "", Api::Messages),
        (Openai, r#"{"input":"x"}"#, "", Api::Responses),
        (Other, "{}", "", SHAPELESS),
        (Openai, "{}", "", Api::Chat),
        (Other, "{}", r#"{"candidates":[]}"#, Api::GenerateContent),
        (Other, "{}", r#"[{"candidates":[]},{"usageMetadata":{}}]"#, Api::StreamContent),
        (Other, "{}", r#"{"output":{},"stopReason":"end_turn"}"#, Api::Converse),
        (Other, "{}", r#"{"usage":{"billed_units":{}}}"#, Api::CohereChat),
        (Other, "{}", r#"{"meta":{"billed_units":{}}}"#, Api::CohereChat),
        (Other, "{}", r#"{"done":true,"message":{}}"#, Api::OllamaChat),
        (WireFormat::Gemini, "{}", "", Api::GenerateContent),
    ] {
        assert_eq!(Api::guess(format, request, response), expected, "{format:?} {response}");
    }
}

#[test]
fn models_outside_json() {
    assert_eq!(model_in_path("/v1/engines/davinci/completions").as_deref(), Some("davinci"));
    assert_eq!(model_in_path("/v1beta/models/gemini-2.5-pro:generateContent").as_deref(), Some("gemini-2.5-pro"));
    assert_eq!(model_in_path("/model/anthropic.claude/invoke").as_deref(), Some("anthropic.claude"));
    assert_eq!(
        model_in_path("/model/us.amazon.nova-micro-v1%3A0/converse").as_deref(),
        Some("us.amazon.nova-micro-v1:0")
    );
    assert_eq!(model_in_path("/model/arn%3Aaws%3Ap%2Fx/converse").as_deref(), Some("arn:aws:p/x"));
    assert_eq!(model_in_path("/model/100%/converse").as_deref(), Some("100%"));
    assert_eq!(model_in_path("/models/chat/completions"), None);
    assert_eq!(model_in_path("/openai/deployments/d/chat/completions").as_deref(), Some("d"));
    assert_eq!(model_in_path("/v1beta/tunedModels/t:generateContent").as_deref(), Some("t"));
    assert_eq!(model_in_path("/v1/projects/p/locations/l/endpoints/12:generateContent").as_deref(), Some("12"));
    let google = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent";
    assert_eq!(model_in_path(google).as_deref(), Some("gemini-2.5-pro"));
    assert_eq!(model_in_path("/v1/projects/p/locations/l/endpoints/openapi/chat/completions"), None);
    assert_eq!(model_in_path("/serving-endpoints/m%2F1/invocations").as_deref(), Some("m/1"));
    assert_eq!(model_in_path("/serving-endpoints/chat/completions"), None);
    assert_eq!(model_in_path("/v1/models"), None);
    assert_eq!(model_in_path("/v1/models/"), None);
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--";
    assert_eq!(model_in_form(form).as_deref(), Some("whisper-1"));
    assert_eq!(model_in_form("name=\"model\""), None);
}
