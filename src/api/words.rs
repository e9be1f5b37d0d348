//! Words that answers choose from a few, as types: a client that is made from the description knows them all.

use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Auth;

/// Whether the gateway asks for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// No key is needed.
    Open,
    Keys,
}

impl AuthMode {
    pub fn of(auth: &Auth) -> Self {
        if auth.required() { Self::Keys } else { Self::Open }
    }
}

/// Who tells how long a tool ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DurationSource {
    /// A manual log.
    Manual,
    /// Nobody: at most so long, from the answer's end to the request with the result.
    Gap,
}

/// What a call was.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(test), expect(dead_code, reason = "describes names that the model writes"))]
pub enum CallKind {
    Llm,
    Tool,
    VectorDb,
    Data,
    Other,
}

/// How a session stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(test), expect(dead_code, reason = "describes names that the model writes"))]
pub enum SessionState {
    /// No call failed.
    Success,
    /// Calls failed, but not the one that ended last.
    Recovered,
    /// The call that ended last failed.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::Kind;
    use crate::model::session::SessionOutcome;

    fn word(value: impl Serialize) -> String {
        serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn words_are_those_of_the_model() {
        for (kind, of_model) in [
            (CallKind::Llm, Kind::Llm),
            (CallKind::Tool, Kind::Tool),
            (CallKind::VectorDb, Kind::VectorDb),
            (CallKind::Data, Kind::Data),
            (CallKind::Other, Kind::Other),
        ] {
            assert_eq!(word(kind), of_model.as_str());
        }
        for (state, of_model) in [
            (SessionState::Success, SessionOutcome::Success),
            (SessionState::Recovered, SessionOutcome::Recovered),
            (SessionState::Error, SessionOutcome::Error),
        ] {
            assert_eq!(word(state), of_model.as_str());
        }
    }
}
