//! Tags: what a client says about its call in `Helicone-*` headers (or in a manual log's `meta`).

use serde::{Deserialize, Serialize};

use super::id::RequestId;

/// What a client said about its call. Absent means: not said (or said empty, where the wire has no difference).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tags {
    /// `Helicone-Session-Id`, as sent. Without it a call is in no session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// `Helicone-Session-Name`, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// `Helicone-Session-Path`, as sent: `/`-separated, not normalised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_path: Option<String>,
    /// `Helicone-User-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// `Helicone-Request-Id`, any UUID version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// `Helicone-Model-Override`: the model that the call is priced as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_override: Option<String>,
    /// `Helicone-Prompt-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
    /// `Helicone-Property-<key>`: in header order, keys as first sent, no two keys equal without case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
    /// `Helicone-Omit-Request: true`: the request body is not kept.
    #[serde(skip_serializing_if = "is_false")]
    pub omit_request: bool,
    /// `Helicone-Omit-Response: true`: the response body is not kept.
    #[serde(skip_serializing_if = "is_false")]
    pub omit_response: bool,
    /// `Helicone-Stream-Usage: true`: `stream_options.include_usage` is set in the forwarded body.
    #[serde(skip_serializing_if = "is_false")]
    pub stream_usage: bool,
    /// `Helicone-Target-URL`: the upstream's origin, chosen by the caller. Kept as text; `route` parses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_url: Option<String>,
    /// `Helicone-OpenAI-Api-Base`: the same, for OpenAI-shaped upstreams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openai_api_base: Option<String>,
}

/// A custom property. Keys compare without case and display as first sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Without the `Helicone-Property-` prefix.
    pub key: String,
    /// As sent; may be empty.
    pub value: String,
}

/// Something about a call that its sender should know and that must not fail the call, such as a header that could not
/// be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// A stable, dotted name, such as `tag.request_id`.
    pub code: String,
    /// One sentence: the field, the reason, the fix.
    pub text: String,
}

impl Note {
    /// A note with a stable code and a sentence.
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_false(b: &bool) -> bool {
    !*b
}
