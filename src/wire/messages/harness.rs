//! What a request says about its conversation besides its messages: ids in the body, headers that agents send.

use crate::wire::json;
use crate::wire::request::Request;

/// Headers in which agents and chat programs send the id of their session, in order of trust.
const HEADERS: [&str; 9] = [
    "x-claude-code-session-id",
    "session_id",
    "session-id",
    "conversation_id",
    "conversation-id",
    "x-session-id",
    "x-conversation-id",
    "x-litellm-session-id",
    "x-openwebui-chat-id",
];
/// Of each of these and of `traceparent` some word.
const WORDS: [&str; 4] = ["session", "conversation", "chat-id", "traceparent"];
/// Longer ids are no ids.
const MOST_BYTES: usize = 512;

/// Ids that a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// `previous_response_id`, `previous_interaction_id`
    pub previous: Option<String>,
    /// `conversation`, or its `id`.
    pub conversation: Option<String>,
    pub prompt_cache_key: Option<String>,
    /// The session that an agent put into `metadata.user_id`.
    pub session: Option<String>,
    /// `metadata.user_id` without such a session.
    pub user: Option<String>,
}

/// Reads the ids of a body.
pub(super) fn named_by_body(request: &Request<'_>) -> Named {
    let conversation = json::non_null(request.conversation).and_then(|raw| {
        let [id] = json::fields(raw, ["id"]).values;
        json::non_empty_text(Some(raw)).or_else(|| json::non_empty_text(id))
    });
    let [user] = json::nested(request.metadata, ["user_id"]);
    let user = short(json::non_empty_text(user));
    let session = user.as_deref().and_then(session_in);
    Named {
        previous: short(json::non_empty_text(request.previous_id)),
        conversation: short(conversation),
        prompt_cache_key: short(json::non_empty_text(request.prompt_cache_key)),
        user: user.filter(|_| session.is_none()),
        session,
    }
}

/// `user_…_account_…_session_<id>`, or a JSON object with `session_id`.
fn session_in(user: &str) -> Option<String> {
    if user.starts_with('{') {
        let [id] = json::fields(user, ["session_id"]).values;
        return json::non_empty_text(id);
    }
    let (_, id) = user.rsplit_once("_session_")?;
    (id.len() >= 8).then(|| id.to_owned())
}

fn short(id: Option<String>) -> Option<String> {
    id.filter(|id| id.len() <= MOST_BYTES && !id.trim().is_empty())
}

/// Whether header lines, as JSON, may name a session or a trace: most calls' do not, and are not read any further.
pub fn may_name(headers: &str) -> bool {
    WORDS.iter().any(|word| headers.contains(word))
}

/// The session that a header of an agent names.
pub fn named_by_headers(headers: &[(String, String)]) -> Option<String> {
    HEADERS.iter().find_map(|wanted| {
        let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        short(Some(value.trim().to_owned()))
    })
}

/// The trace that a `traceparent` belongs to.
pub fn trace_of(headers: &[(String, String)]) -> Option<String> {
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("traceparent"))?;
    let mut parts = value.trim().split('-');
    let (_, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let real = trace.len() == 32 && hex(trace) && trace.bytes().any(|byte| byte != b'0') && parent.len() == 16;
    real.then(|| trace.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_bodies() {
        let body = r#"{"metadata":{"user_id":"user_ab_account_cd_session_0f3a77c2-1111"},"previous_response_id":"resp_1",
            "conversation":{"id":"conv_1"},"prompt_cache_key":"k"}"#;
        let named = named_by_body(&Request::read(body));
        assert_eq!(named.session.as_deref(), Some("0f3a77c2-1111"));
        assert_eq!((named.user, named.conversation.as_deref()), (None, Some("conv_1")));
        assert_eq!((named.previous.as_deref(), named.prompt_cache_key.as_deref()), (Some("resp_1"), Some("k")));
        let json = r#"{"metadata":{"user_id":"{\"device_id\":\"d\",\"session_id\":\"s-1\"}"},"conversation":"conv_2"}"#;
        let named = named_by_body(&Request::read(json));
        assert_eq!((named.session.as_deref(), named.conversation.as_deref()), (Some("s-1"), Some("conv_2")));
        assert_eq!(named_by_body(&Request::read(r#"{"metadata":{"user_id":"u1"}}"#)).user.as_deref(), Some("u1"));
        for odd in ["", "[]", r#"{"metadata":7,"conversation":[1],"previous_response_id":{}}"#] {
            assert_eq!(named_by_body(&Request::read(odd)), Named::default(), "{odd}");
        }
    }

    #[test]
    fn ids_of_headers() {
        assert!(HEADERS.iter().chain(&["traceparent"]).all(|name| may_name(&format!("[[\"{name}\",\"x\"]]"))));
        assert!(!may_name(r#"[["content-type","application/json"],["user-agent","x/1"]]"#));
        let headers = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(named_by_headers(&headers("Session_Id", " a ")).as_deref(), Some("a"));
        assert_eq!(named_by_headers(&headers("x-session-id", " ")), None);
        assert_eq!(named_by_headers(&headers("x-session-id", &"a".repeat(600))), None);
        let trace = "00-4BF92F3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_of(&headers("traceparent", trace)).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for odd in ["", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf9-00f067aa0ba902b7-01", "x"] {
            assert_eq!(trace_of(&headers("traceparent", odd)), None, "{odd}");
        }
    }
}
