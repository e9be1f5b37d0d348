//! The `sort` of a query: an object with one key; which keys there are for requests.

use serde_json::Value;

use super::error::ApiError;
use crate::model::query::{Sort, SortKey};

const KEYS: [(&str, SortKey); 10] = [
    ("created_at", SortKey::CreatedAt),
    ("latency", SortKey::Latency),
    ("time_to_first_token", SortKey::TimeToFirstToken),
    ("total_tokens", SortKey::TotalTokens),
    ("prompt_tokens", SortKey::PromptTokens),
    ("completion_tokens", SortKey::CompletionTokens),
    ("user_id", SortKey::UserId),
    ("body_model", SortKey::Model),
    ("model", SortKey::Model),
    ("cost", SortKey::Cost),
];

/// Reads a sort; none, null or `{}`: newest first.
///
/// # Errors
/// For more than one key, an unknown key, or a direction that is neither `asc` nor `desc`.
pub fn parse(value: Option<&Value>) -> Result<Sort, ApiError> {
    let newest = Sort { by: SortKey::CreatedAt, descending: true };
    let Some((key, how)) = one_key(value)? else { return Ok(newest) };
    let path = format!("sort.{key}");
    match key {
        "random" if how == &Value::Bool(true) => return Ok(Sort { by: SortKey::Random, descending: true }),
        "random" => return Err(ApiError::bad(path, "must be true")),
        "properties" => return property(how),
        // The same for all rows: nothing comes from a cache.
        "is_cached" => return direction(how, path).map(|_| newest),
        _ => {}
    }
    let by = known(&KEYS, key, &["is_cached", "properties", "random"])?;
    Ok(Sort { by, descending: direction(how, path)? })
}

/// The one key of a sort and what stands under it; none, null or `{}`: nothing.
///
/// # Errors
/// For more than one key, or what is no object.
pub fn one_key(value: Option<&Value>) -> Result<Option<(&str, &Value)>, ApiError> {
    let keys = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(keys)) => keys,
        Some(_) => return Err(ApiError::bad("sort", "must be an object with one key")),
    };
    let mut entries = keys.iter();
    let first = entries.next().map(|(key, how)| (key.as_str(), how));
    if entries.next().is_some() {
        return Err(ApiError::bad("sort", "must have one key only"));
    }
    Ok(first)
}

/// What a key of a sort stands for.
///
/// # Errors
/// Names the keys that there are: these, and others that the caller reads itself.
pub fn known<K: Clone>(keys: &[(&str, K)], key: &str, others: &[&str]) -> Result<K, ApiError> {
    keys.iter().find(|(name, _)| *name == key).map(|(_, by)| by.clone()).ok_or_else(|| {
        let names: Vec<&str> = keys.iter().map(|(name, _)| *name).chain(others.iter().copied()).collect();
        ApiError::bad(format!("sort.{key}"), format!("unknown key; allowed: {}", names.join(", ")))
    })
}

fn property(how: &Value) -> Result<Sort, ApiError> {
    let mut entries = how.as_object().into_iter().flatten();
    match (entries.next(), entries.next()) {
        (Some((key, how)), None) => {
            let descending = direction(how, format!("sort.properties.{key}"))?;
            Ok(Sort { by: SortKey::Property(key.clone()), descending })
        }
        _ => Err(ApiError::bad("sort.properties", "must be an object with one key")),
    }
}

/// True for descending.
///
/// # Errors
/// For what is neither `asc` nor `desc`.
pub fn direction(value: &Value, path: String) -> Result<bool, ApiError> {
    match value.as_str() {
        Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        _ => Err(ApiError::bad(path, "must be \"asc\" or \"desc\"")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sorts_are_read() {
        let sort = |by, descending| Sort { by, descending };
        for (value, expected) in [
            (json!(null), sort(SortKey::CreatedAt, true)),
            (json!({}), sort(SortKey::CreatedAt, true)),
            (json!({"created_at": "asc"}), sort(SortKey::CreatedAt, false)),
            (json!({"cost": "desc"}), sort(SortKey::Cost, true)),
            (json!({"body_model": "asc"}), sort(SortKey::Model, false)),
            (json!({"random": true}), sort(SortKey::Random, true)),
            (json!({"properties": {"Agent-Version": "asc"}}), sort(SortKey::Property("Agent-Version".into()), false)),
        ] {
            assert_eq!(parse(Some(&value)).unwrap(), expected, "{value}");
        }
        assert_eq!(parse(None).unwrap(), sort(SortKey::CreatedAt, true));
    }

    #[test]
    fn errors_name_the_key() {
        for (value, path) in [
            (json!("created_at"), "sort: "),
            (json!({"created_at": "asc", "cost": "asc"}), "sort: "),
            (json!({"created_at": "up"}), "sort.created_at: "),
            (json!({"colour": "asc"}), "sort.colour: unknown key; allowed: created_at"),
            (json!({"random": false}), "sort.random: "),
            (json!({"properties": {}}), "sort.properties: "),
            (json!({"properties": {"a": 1}}), "sort.properties.a: "),
        ] {
            let error = parse(Some(&value)).unwrap_err().to_string();
            assert!(error.starts_with(path), "{value}: {error}");
        }
    }
}
