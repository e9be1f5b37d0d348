//! The top level of a request body, walked over once for all who read something of it: a body may be many megabytes.

use super::json;

/// Raw JSON of the fields that any format's reader asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Request<'a> {
    pub text: &'a str,
    pub model: Option<&'a str>,
    /// Google's agents, where there is no model.
    pub agent: Option<&'a str>,
    pub user: Option<&'a str>,
    pub stream_options: Option<&'a str>,
    pub messages: Option<&'a str>,
    pub contents: Option<&'a str>,
    pub input: Option<&'a str>,
    pub instructions: Option<&'a str>,
    pub system: Option<&'a str>,
    /// `systemInstruction`, or `system_instruction`.
    pub system_instruction: Option<&'a str>,
    pub tools: Option<&'a str>,
    pub functions: Option<&'a str>,
    /// `toolConfig`
    pub tool_config: Option<&'a str>,
    /// `previous_response_id`, or Google's `previous_interaction_id`.
    pub previous_id: Option<&'a str>,
    pub conversation: Option<&'a str>,
    pub prompt_cache_key: Option<&'a str>,
    pub metadata: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// What is no object has no fields.
    pub fn read(text: &'a str) -> Self {
        let [
            model,
            agent,
            user,
            stream_options,
            messages,
            contents,
            input,
            instructions,
            system,
            camel_instruction,
            snake_instruction,
            tools,
            functions,
            tool_config,
            previous_response,
            previous_interaction,
            conversation,
            prompt_cache_key,
            metadata,
        ] = json::fields(
            text,
            [
                "model",
                "agent",
                "user",
                "stream_options",
                "messages",
                "contents",
                "input",
                "instructions",
                "system",
                "systemInstruction",
                "system_instruction",
                "tools",
                "functions",
                "toolConfig",
                "previous_response_id",
                "previous_interaction_id",
                "conversation",
                "prompt_cache_key",
                "metadata",
            ],
        )
        .values;
        Self {
            text,
            model,
            agent,
            user,
            stream_options,
            messages,
            contents,
            input,
            instructions,
            system,
            system_instruction: camel_instruction.or(snake_instruction),
            tools,
            functions,
            tool_config,
            previous_id: previous_response.or(previous_interaction),
            conversation,
            prompt_cache_key,
            metadata,
        }
    }
}
